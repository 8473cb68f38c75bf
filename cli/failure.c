/* SPDX-License-Identifier: MIT */
#include "cli/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct cli_exit_entry ENTRIES[] = {
    {CLI_EXIT_OK, "none", "done"},
    {CLI_EXIT_OTHER, "system", "failed for a reason without a code of its own"},
    {CLI_EXIT_USAGE, "usage", "the command line or the address cannot be understood",
     "address, option"},
    {CLI_EXIT_OUTPUT, "output", "the output file cannot be written"},
    {CLI_EXIT_FILE, "file", "a file that was to be sent cannot be read"},
    {CLI_EXIT_HOST_NOT_FOUND, "host-not-found", "the host's name has no address"},
    {CLI_EXIT_REFUSED, "refused", "nobody listens at that port"},
    {CLI_EXIT_UNREACHABLE, "unreachable", "the network does not lead to that host"},
    {CLI_EXIT_SOCKET, "socket", "the local socket is missing or may not be opened"},
    {CLI_EXIT_TIMED_OUT, "timed-out", "no answer within the time allowed"},
    {CLI_EXIT_NOT_SPICE, "not-spice", "the port is not that of a SPICE server"},
    {CLI_EXIT_PROTOCOL, "protocol", "the server broke the protocol or speaks another version",
     "version"},
    {CLI_EXIT_CLOSED, "closed", "the server ended the connection before the work was done",
     "session-gone"},
    {CLI_EXIT_PROXY, "proxy", "the proxy's address makes no sense, or it refused"},
    {CLI_EXIT_TLS_NEEDED, "tls-needed", "the server wants TLS"},
    {CLI_EXIT_TLS_REFUSED, "tls-refused", "the server wants no TLS"},
    {CLI_EXIT_TLS_FAILED, "tls-failed", "the port does not speak TLS, or no common version of it"},
    {CLI_EXIT_CERTIFICATE, "certificate", "nobody we trust has signed the server's certificate"},
    {CLI_EXIT_CERTIFICATE_EXPIRED, "certificate-expired",
     "the certificate has expired or is not valid yet"},
    {CLI_EXIT_HOST_NAME, "host-name", "the certificate is for another host"},
    {CLI_EXIT_SUBJECT, "subject", "the certificate's subject is not the expected one"},
    {CLI_EXIT_CA_FILE, "ca-file", "the file given by --ca cannot be used"},
    {CLI_EXIT_PASSWORD_NEEDED, "password-needed", "the server wants a password"},
    {CLI_EXIT_PASSWORD_WRONG, "password-wrong", "the password is wrong or has expired"},
    {CLI_EXIT_AUTH_METHOD, "auth-method", "the server wants a way to log in that we do not have"},
    {CLI_EXIT_PROXY_LOGIN, "proxy-login", "the proxy wants a user and a password, or others"},
    {CLI_EXIT_NO_CHANNEL, "no-channel", "the server does not offer what the command needs"},
    {CLI_EXIT_NO_DISPLAY, "no-display", "there is no such display, or it shows nothing"},
    {CLI_EXIT_NOT_STILL, "not-still", "the picture did not stand still in time"},
    {CLI_EXIT_CANNOT_TYPE, "cannot-type", "a character or key that cannot be sent"},
    {CLI_EXIT_NO_AGENT, "no-agent", "the guest has no agent, or nobody is logged in there"},
    {CLI_EXIT_DISABLED, "disabled", "the machine's administrator does not allow it"},
    {CLI_EXIT_GUEST, "guest", "the guest could not do it"},
    {CLI_EXIT_NO_SPACE, "no-space", "the guest has no room for it"},
    {CLI_EXIT_NOT_SEEN, "not-seen", "the picture to wait for was not seen in time"},
    {CLI_EXIT_INTERRUPTED, "interrupted", "ended by Ctrl-C or a signal"},
};

enum { ENTRY_COUNT = sizeof(ENTRIES) / sizeof(ENTRIES[0]) };

const struct cli_exit_entry *cli_exit_entry_at(size_t index)
{
    return index < ENTRY_COUNT ? &ENTRIES[index] : NULL;
}

static enum cli_exit code_of(enum sm_error_kind kind)
{
    switch (kind) {
    case SM_ERROR_ADDRESS:
    case SM_ERROR_OPTION:
        return CLI_EXIT_USAGE;
    case SM_ERROR_VERSION:
        return CLI_EXIT_PROTOCOL;
    case SM_ERROR_SESSION_GONE:
        return CLI_EXIT_CLOSED;
    default:
        break;
    }
    /* The rest share their names. */
    const char *name = sm_error_kind_name(kind);
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (strcmp(ENTRIES[i].kind, name) == 0)
            return ENTRIES[i].code;
    return CLI_EXIT_OTHER;
}

static const char *kind_of(enum cli_exit code)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (ENTRIES[i].code == code)
            return ENTRIES[i].kind;
    return "system";
}

bool cli_fail(struct cli_failure *failure, enum cli_exit code, const char *cure,
              const char *cause_format, ...)
{
    failure->code = code;
    failure->kind = kind_of(code);
    va_list args;
    va_start(args, cause_format);
    (void)vsnprintf(failure->cause, sizeof(failure->cause), cause_format, args);
    va_end(args);
    (void)snprintf(failure->cure, sizeof(failure->cure), "%s", cure);
    return false;
}

bool cli_fail_error(struct cli_failure *failure, const struct sm_error *error)
{
    if (error->kind == SM_ERROR_NONE)
        return cli_fail(failure, CLI_EXIT_CLOSED, "try again", "the session ended");
    failure->code = code_of(error->kind);
    failure->kind = sm_error_kind_name(error->kind);
    (void)snprintf(failure->cause, sizeof(failure->cause), "%s", error->cause);
    (void)snprintf(failure->cure, sizeof(failure->cure), "%s", error->cure);
    return false;
}

bool cli_fail_nomem(struct cli_failure *failure)
{
    return cli_fail(failure, CLI_EXIT_OTHER, "close something, or give this machine more memory",
                    "out of memory");
}
