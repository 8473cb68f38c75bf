/* SPDX-License-Identifier: MIT */
#include "client/reasons.h"

#include <stdio.h>
#include <string.h>

#include "client/error.h"
#include "core/wire/types.h"

static const char CURE_TIME[] = "check host and port, and that no firewall swallows the packets; "
                                "or allow more time";

void sm_reason_socket(struct sm_error *error, const struct sm_attempt *a,
                      const struct sm_socket_error *why)
{
    switch (why->failure) {
    case SM_SOCKET_RESOLVE:
        sm_error_set(error, SM_ERROR_HOST_NOT_FOUND,
                     "check the spelling of the host, or use its IP address",
                     "the host %s was not found: %s", a->host, why->text);
        return;
    case SM_SOCKET_REFUSED:
        sm_error_set(error, SM_ERROR_REFUSED,
                     a->is_unix ? "start the machine; the socket may be left over from an earlier "
                                  "run"
                                : "check that the machine runs and that this is its SPICE port",
                     "the connection to %s was refused: nobody listens there", a->place);
        return;
    case SM_SOCKET_UNREACHABLE:
        sm_error_set(error, SM_ERROR_UNREACHABLE, "check the address and this machine's network",
                     "%s cannot be reached: %s", a->place, why->text);
        return;
    case SM_SOCKET_TIMED_OUT:
        sm_error_set(error, SM_ERROR_TIMED_OUT, CURE_TIME, "no connection to %s within %u ms",
                     a->place, (unsigned)a->timeout_ms);
        return;
    case SM_SOCKET_MISSING:
        sm_error_set(error, SM_ERROR_SOCKET, "check the path, and that the machine runs",
                     "there is no socket %s", a->place);
        return;
    case SM_SOCKET_DENIED:
        sm_error_set(error, SM_ERROR_SOCKET,
                     "run as the user the machine runs as, or have the socket's rights changed",
                     "opening %s is not allowed: %s", a->place, why->text);
        return;
    case SM_SOCKET_CANCELLED:
        sm_error_set(error, SM_ERROR_CLOSED, "", "connecting was given up");
        return;
    default:
        sm_error_set(error, SM_ERROR_SYSTEM, "", "connecting to %s failed: %s", a->place,
                     why->text);
    }
}

void sm_reason_tls(struct sm_error *error, const struct sm_attempt *a, enum sm_tls_failure failure,
                   const char *detail)
{
    static const char layer[] = "TLS: "; /* the sentences below say so */
    if (strncmp(detail, layer, sizeof(layer) - 1) == 0)
        detail += sizeof(layer) - 1;
    const char *colon = detail[0] ? ": " : "";
    switch (failure) {
    case SM_TLS_UNTRUSTED:
        sm_error_set(error, SM_ERROR_CERTIFICATE,
                     "give the file of the authority that signed it (--ca FILE)",
                     "the certificate of %s is not trusted%s%s", a->place, colon, detail);
        return;
    case SM_TLS_EXPIRED:
        sm_error_set(error, SM_ERROR_CERTIFICATE_EXPIRED,
                     "have the server's certificate renewed, and check this machine's clock",
                     "the certificate of %s is not valid today%s%s", a->place, colon, detail);
        return;
    case SM_TLS_HOST_MISMATCH:
        sm_error_set(error, SM_ERROR_HOST_NAME,
                     "use the name in the certificate, or say which subject to expect "
                     "(--host-subject)",
                     "the certificate of %s is not for the host %s%s%s", a->place, a->host, colon,
                     detail);
        return;
    case SM_TLS_SUBJECT_MISMATCH:
        sm_error_set(error, SM_ERROR_SUBJECT,
                     "compare the expected subject with the certificate's, entry by entry",
                     "the certificate of %s does not have the expected subject%s%s", a->place,
                     colon, detail);
        return;
    case SM_TLS_NOT_TLS:
        sm_error_set(error, SM_ERROR_TLS_FAILED,
                     "use the TLS port, or spice:// for a port without TLS",
                     "%s does not speak TLS", a->place);
        return;
    case SM_TLS_ENDED:
        sm_error_set(error, SM_ERROR_TLS_FAILED,
                     "check that this is the TLS port; without TLS the address is spice://",
                     "%s ended the connection during the TLS handshake", a->place);
        return;
    default:
        sm_error_set(error, SM_ERROR_TLS_FAILED,
                     "check that the server allows TLS 1.2 or 1.3, and the list of ciphers",
                     "the TLS handshake with %s failed%s%s", a->place, colon, detail);
    }
}

static void refused_ticket(struct sm_error *error, const struct sm_attempt *a)
{
    if (a->has_password)
        sm_error_set(error, SM_ERROR_PASSWORD_WRONG,
                     "check the password; if it has expired, set a new one on the server",
                     "%s did not accept the password: it is wrong or has expired", a->place);
    else
        sm_error_set(error, SM_ERROR_PASSWORD_NEEDED,
                     "give it through --password-file FILE or SUMAC_PASSWORD",
                     "%s wants a password", a->place);
}

void sm_reason_no_tls_port(struct sm_error *error, const struct sm_attempt *a)
{
    sm_error_set(
        error, SM_ERROR_OPTION, "add tls-port=PORT, or take the channel out of secure-channels",
        "the %s channel is to be encrypted, but no TLS port of %s is known", a->channel, a->host);
}

void sm_reason_refused(struct sm_error *error, const struct sm_attempt *a, uint32_t code,
                       bool after_ticket)
{
    switch (code) {
    case SM_LINK_ERR_NEED_SECURED:
        sm_error_set(error, SM_ERROR_TLS_NEEDED,
                     a->is_unix ? "allow the channel without TLS in the server's settings"
                                : "use the TLS port: spice+tls://HOST:PORT, or add tls-port=PORT",
                     "%s takes the %s channel only over TLS", a->place, a->channel);
        return;
    case SM_LINK_ERR_NEED_UNSECURED:
        sm_error_set(error, SM_ERROR_TLS_REFUSED, "use the port without TLS: spice://HOST:PORT",
                     "%s takes the %s channel only without TLS", a->place, a->channel);
        return;
    case SM_LINK_ERR_PERMISSION_DENIED:
        refused_ticket(error, a);
        return;
    case SM_LINK_ERR_VERSION_MISMATCH:
        sm_error_set(error, SM_ERROR_VERSION, "use a server of protocol version 2 (since 2010)",
                     "%s speaks another version of SPICE", a->place);
        return;
    case SM_LINK_ERR_BAD_CONNECTION_ID:
        sm_error_set(error, SM_ERROR_SESSION_GONE, "connect again",
                     "%s no longer knows this session; another client may have taken over",
                     a->place);
        return;
    case SM_LINK_ERR_CHANNEL_NOT_AVAILABLE:
        sm_error_set(error, SM_ERROR_NO_CHANNEL, "connect again", "%s has no such %s channel",
                     a->place, a->channel);
        return;
    default:
        if (after_ticket) /* a whole link reply instead of a result: its magic shows as a code */
            sm_error_set(error, SM_ERROR_AUTH_METHOD,
                         "let the server accept passwords (tickets) instead of SASL",
                         "%s refused to let us log in (code %u)", a->place, (unsigned)code);
        else
            sm_error_set(error, SM_ERROR_PROTOCOL, "see the server's log",
                         "%s refused the %s channel (code %u)", a->place, a->channel,
                         (unsigned)code);
    }
}

enum sm_status sm_reason_long_password(struct sm_error *error)
{
    sm_error_set(error, SM_ERROR_PASSWORD_WRONG, "use a password of at most 60 bytes",
                 "the password is longer than SPICE can carry");
    return SM_ERR_LIMIT;
}

void sm_reason_sasl_lacks(struct sm_error *error, const struct sm_attempt *a, bool lacks_user,
                          bool lacks_password)
{
    const char *what = lacks_user && lacks_password ? "a user's name and a password"
                       : lacks_user                 ? "a user's name"
                                                    : "a password";
    sm_error_set(error, SM_ERROR_PASSWORD_NEEDED,
                 lacks_user ? "give the name with --user NAME, the password through "
                              "--password-file FILE or SUMAC_PASSWORD"
                            : "give it through --password-file FILE or SUMAC_PASSWORD",
                 "%s wants %s", a->place, what);
}

void sm_reason_sasl(struct sm_error *error, const struct sm_attempt *a, const char *detail)
{
    const char *colon = detail[0] ? ": " : "";
    sm_error_set(error, SM_ERROR_AUTH_METHOD,
                 a->is_secure || a->is_unix
                     ? "check the user, and for Kerberos the ticket (klist)"
                     : "check the user, and for Kerberos the ticket (klist); mechanisms that do "
                       "not encrypt work over TLS only (spice+tls://)",
                 "logging in to %s with SASL failed%s%s", a->place, colon, detail);
}

void sm_reason_sasl_refused(struct sm_error *error, const struct sm_attempt *a)
{
    if (a->has_user || a->has_password)
        sm_error_set(error, SM_ERROR_PASSWORD_WRONG, "check the user's name and the password",
                     "%s did not accept the user or the password", a->place);
    else
        sm_error_set(error, SM_ERROR_AUTH_METHOD,
                     "check that the server knows the user; its log says why it refused",
                     "%s did not let us log in", a->place);
}

static bool begins(const struct sm_attempt *a, const void *bytes, size_t size)
{
    return a->first_size >= size && memcmp(a->first, bytes, size) == 0;
}

/* What answered, from its first bytes; NULL if we cannot tell. */
static const char *guess(const struct sm_attempt *a)
{
    if (begins(a, "HTTP/", 5) || begins(a, "<!DO", 4) || begins(a, "<htm", 4))
        return "it looks like a web server";
    if (begins(a, "SSH-", 4))
        return "it looks like an SSH server";
    if (begins(a, "RFB ", 4))
        return "it looks like a VNC server";
    if (begins(a, "220", 3))
        return "it looks like a mail or FTP server";
    return NULL;
}

static bool is_tls_alert(const struct sm_attempt *a)
{
    return begins(a, "\x15\x03", 2);
}

static bool has_magic(const struct sm_attempt *a)
{
    size_t size = a->first_size < 4 ? a->first_size : 4;
    return size > 0 && memcmp(a->first, "REDQ", size) == 0;
}

static void silent(struct sm_error *error, const struct sm_attempt *a)
{
    const char *cure =
        a->is_secure || a->is_unix
            ? "check that this is the machine's SPICE port and that the machine is not stopped"
            : "check that this is the machine's SPICE port; if it is its TLS port, write "
              "spice+tls://HOST:PORT";
    if (a->has_timed_out)
        sm_error_set(error, SM_ERROR_NOT_SPICE, cure,
                     "%s accepted the connection but said nothing for %u ms, as no SPICE server "
                     "does",
                     a->place, (unsigned)a->timeout_ms);
    else
        sm_error_set(error, SM_ERROR_NOT_SPICE, cure,
                     "%s closed the connection without a word, as no SPICE server does", a->place);
}

void sm_reason_link(struct sm_error *error, const struct sm_attempt *a, enum sm_status status,
                    const char *detail)
{
    if (status == SM_ERR_NOMEM) {
        (void)sm_error_nomem(error);
    } else if (a->first_size == 0) {
        silent(error, a);
    } else if (!a->is_secure && is_tls_alert(a)) {
        sm_error_set(error, SM_ERROR_TLS_NEEDED, "write spice+tls://HOST:PORT", "%s is a TLS port",
                     a->place);
    } else if (!has_magic(a)) {
        const char *what = guess(a);
        sm_error_set(error, SM_ERROR_NOT_SPICE, "check that this is the machine's SPICE port",
                     "%s does not speak SPICE%s%s", a->place, what ? ": " : "", what ? what : "");
    } else if (a->has_timed_out) {
        sm_error_set(error, SM_ERROR_TIMED_OUT, "try again, or allow more time",
                     "%s did not finish the handshake of the %s channel within %u ms", a->place,
                     a->channel, (unsigned)a->timeout_ms);
    } else if (status == SM_ERR_IO) {
        sm_error_set(error, SM_ERROR_CLOSED, "try again; the server's log may say why",
                     "%s ended the connection during the handshake of the %s channel", a->place,
                     a->channel);
    } else {
        sm_error_set(error, SM_ERROR_PROTOCOL, "see the server's log; the server may be damaged",
                     "%s broke the protocol during the handshake: %s", a->place, detail);
    }
}

void sm_reason_channel(struct sm_error *error, const struct sm_attempt *a, enum sm_status status,
                       const char *detail)
{
    switch (status) {
    case SM_ERR_NOMEM:
        (void)sm_error_nomem(error);
        return;
    case SM_ERR_PROTOCOL:
    case SM_ERR_LIMIT:
        sm_error_set(error, SM_ERROR_PROTOCOL, "see the server's log; the server may be damaged",
                     "%s broke the protocol on the %s channel: %s", a->place, a->channel, detail);
        return;
    default:
        sm_error_set(error, SM_ERROR_CLOSED,
                     "the machine may have been switched off, or another client has taken over",
                     "%s ended the connection of the %s channel%s%s", a->place, a->channel,
                     detail[0] ? ": " : "", detail);
    }
}
