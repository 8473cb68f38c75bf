/* SPDX-License-Identifier: MIT */
/* Why something failed, for programs (a kind) and for people (a cause and a cure). */
#ifndef SUMAC_ERROR_H
#define SUMAC_ERROR_H

#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What went wrong. The values never change their meaning; new ones are added at the end. */
enum sm_error_kind {
    SM_ERROR_NONE = 0,
    SM_ERROR_ADDRESS = 1,              /* the address cannot be understood */
    SM_ERROR_OPTION = 2,               /* a setting of the session cannot be used */
    SM_ERROR_HOST_NOT_FOUND = 3,       /* the host's name has no address */
    SM_ERROR_REFUSED = 4,              /* nobody listens at that port */
    SM_ERROR_UNREACHABLE = 5,          /* the network does not lead to that host */
    SM_ERROR_SOCKET = 6,               /* the local socket is missing or may not be opened */
    SM_ERROR_TIMED_OUT = 7,            /* no answer within the time allowed */
    SM_ERROR_NOT_SPICE = 8,            /* somebody answered, but not in this protocol */
    SM_ERROR_VERSION = 9,              /* the server speaks another version of the protocol */
    SM_ERROR_PROTOCOL = 10,            /* the server broke the protocol */
    SM_ERROR_CLOSED = 11,              /* the connection ended before the work was done */
    SM_ERROR_TLS_NEEDED = 12,          /* the server takes this channel only over TLS */
    SM_ERROR_TLS_REFUSED = 13,         /* the server takes this channel only without TLS */
    SM_ERROR_TLS_FAILED = 14,          /* the port does not speak TLS, or no common version */
    SM_ERROR_CERTIFICATE = 15,         /* nobody we trust has signed the server's certificate */
    SM_ERROR_CERTIFICATE_EXPIRED = 16, /* the certificate's dates do not cover today */
    SM_ERROR_HOST_NAME = 17,           /* the certificate is for another host */
    SM_ERROR_SUBJECT = 18,             /* the certificate's subject is not the expected one */
    SM_ERROR_CA_FILE = 19,             /* the file of trusted certificates cannot be used */
    SM_ERROR_PASSWORD_NEEDED = 20,     /* the server wants a password and none was given */
    SM_ERROR_PASSWORD_WRONG = 21,      /* the password is wrong, or its time has passed */
    SM_ERROR_AUTH_METHOD = 22,         /* the server wants a way to log in that we do not have */
    SM_ERROR_SESSION_GONE = 23,        /* the server no longer knows our session */
    SM_ERROR_NO_CHANNEL = 24,          /* the server does not offer the channel that is needed */
    SM_ERROR_NOMEM = 25,               /* out of memory */
    SM_ERROR_SYSTEM = 26,              /* the operating system refused something else */
    SM_ERROR_PROXY = 27,               /* the proxy's address makes no sense, or it said no */
    SM_ERROR_PROXY_LOGIN = 28,         /* the proxy wants a user and a password, or others */
    SM_ERROR_FILE = 29,                /* a local file cannot be read */
    SM_ERROR_NO_AGENT = 30,            /* the guest has no agent to do it */
    SM_ERROR_DISABLED = 31,            /* the machine's administrator does not allow it */
    SM_ERROR_GUEST = 32,               /* the guest could not do it */
    SM_ERROR_NO_SPACE = 33,            /* the guest has no room for it */
};

enum { SM_ERROR_TEXT_SIZE = 320 /* bytes, the terminating NUL included */ };

/** A failure. Plain data: may be copied. `kind` SM_ERROR_NONE means there was none. */
struct sm_error {
    enum sm_error_kind kind;
    char cause[SM_ERROR_TEXT_SIZE]; /* what happened, one sentence without a full stop */
    char cure[SM_ERROR_TEXT_SIZE];  /* what to do about it, likewise; empty if nobody knows */
};

/**
 * The name of `kind` for programs, in lower case with dashes, such as "host-not-found"; "none" for
 * SM_ERROR_NONE and "unknown" for a value of no meaning. Names never change.
 */
SM_API const char *sm_error_kind_name(enum sm_error_kind kind);

#ifdef __cplusplus
}
#endif

#endif
