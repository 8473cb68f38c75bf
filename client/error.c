/* SPDX-License-Identifier: MIT */
#include "client/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static const char *const NAMES[] = {
    [SM_ERROR_NONE] = "none",
    [SM_ERROR_ADDRESS] = "address",
    [SM_ERROR_OPTION] = "option",
    [SM_ERROR_HOST_NOT_FOUND] = "host-not-found",
    [SM_ERROR_REFUSED] = "refused",
    [SM_ERROR_UNREACHABLE] = "unreachable",
    [SM_ERROR_SOCKET] = "socket",
    [SM_ERROR_TIMED_OUT] = "timed-out",
    [SM_ERROR_NOT_SPICE] = "not-spice",
    [SM_ERROR_VERSION] = "version",
    [SM_ERROR_PROTOCOL] = "protocol",
    [SM_ERROR_CLOSED] = "closed",
    [SM_ERROR_TLS_NEEDED] = "tls-needed",
    [SM_ERROR_TLS_REFUSED] = "tls-refused",
    [SM_ERROR_TLS_FAILED] = "tls-failed",
    [SM_ERROR_CERTIFICATE] = "certificate",
    [SM_ERROR_CERTIFICATE_EXPIRED] = "certificate-expired",
    [SM_ERROR_HOST_NAME] = "host-name",
    [SM_ERROR_SUBJECT] = "subject",
    [SM_ERROR_CA_FILE] = "ca-file",
    [SM_ERROR_PASSWORD_NEEDED] = "password-needed",
    [SM_ERROR_PASSWORD_WRONG] = "password-wrong",
    [SM_ERROR_AUTH_METHOD] = "auth-method",
    [SM_ERROR_SESSION_GONE] = "session-gone",
    [SM_ERROR_NO_CHANNEL] = "no-channel",
    [SM_ERROR_NOMEM] = "no-memory",
    [SM_ERROR_SYSTEM] = "system",
    [SM_ERROR_PROXY] = "proxy",
    [SM_ERROR_PROXY_LOGIN] = "proxy-login",
    [SM_ERROR_FILE] = "file",
    [SM_ERROR_NO_AGENT] = "no-agent",
    [SM_ERROR_DISABLED] = "disabled",
    [SM_ERROR_GUEST] = "guest",
    [SM_ERROR_NO_SPACE] = "no-space",
};

const char *sm_error_kind_name(enum sm_error_kind kind)
{
    if ((unsigned)kind >= sizeof(NAMES) / sizeof(NAMES[0]))
        return "unknown";
    return NAMES[kind];
}

void sm_error_set(struct sm_error *error, enum sm_error_kind kind, const char *cure,
                  const char *cause_format, ...)
{
    if (!error)
        return;
    error->kind = kind;
    va_list args;
    va_start(args, cause_format);
    (void)vsnprintf(error->cause, sizeof(error->cause), cause_format, args);
    va_end(args);
    (void)snprintf(error->cure, sizeof(error->cure), "%s", cure);
}

enum sm_status sm_error_nomem(struct sm_error *error)
{
    sm_error_set(error, SM_ERROR_NOMEM, "close something, or give this machine more memory",
                 "out of memory");
    return SM_ERR_NOMEM;
}
