/* SPDX-License-Identifier: MIT */
/* Failures of the layers below as errors a person can act on. Pure: nothing but words. */
#ifndef SM_CLIENT_REASONS_H
#define SM_CLIENT_REASONS_H

#include <stdbool.h>
#include <stdint.h>

#include "io/socket.h"
#include "io/tls.h"
#include "sumac/error.h"

enum { SM_FIRST_BYTES = 16 };

/** All that is known about an attempt to reach a server when it fails. */
struct sm_attempt {
    const char *place;   /* "host:port" or a path, for people */
    const char *host;    /* what the certificate has to name; or NULL */
    const char *channel; /* name of the channel's kind */
    bool is_unix, is_secure;
    bool has_tls_port;             /* TLS could be used */
    bool has_password;             /* one was given, perhaps an empty one */
    bool has_user;                 /* a user's name was given */
    uint32_t timeout_ms;           /* allowed for connecting */
    uint8_t first[SM_FIRST_BYTES]; /* that the peer sent */
    size_t first_size;             /* how many of them; 0: it never said anything */
    bool has_timed_out;
};

/** No connection came about. */
void sm_reason_socket(struct sm_error *error, const struct sm_attempt *attempt,
                      const struct sm_socket_error *why);

/** TLS failed. `detail`: the layer's own words, may be empty. */
void sm_reason_tls(struct sm_error *error, const struct sm_attempt *attempt,
                   enum sm_tls_failure failure, const char *detail);

/** The channel is to be encrypted, as its user says, and there is no port for that. */
void sm_reason_no_tls_port(struct sm_error *error, const struct sm_attempt *attempt);

/** The server said no, with a link error code. */
void sm_reason_refused(struct sm_error *error, const struct sm_attempt *attempt, uint32_t code,
                       bool after_ticket);

/** The password is too long for the way in which the server takes it. Gives SM_ERR_LIMIT. */
enum sm_status sm_reason_long_password(struct sm_error *error);

/** SASL cannot go on: credentials are lacking. */
void sm_reason_sasl_lacks(struct sm_error *error, const struct sm_attempt *attempt, bool lacks_user,
                          bool lacks_password);

/** SASL failed on our side. `detail`: the library's words, may be empty. */
void sm_reason_sasl(struct sm_error *error, const struct sm_attempt *attempt, const char *detail);

/** The server ended a SASL exchange without a word, which is how servers refuse. */
void sm_reason_sasl_refused(struct sm_error *error, const struct sm_attempt *attempt);

/** The connection ended, timed out or went wrong before the link was up. */
void sm_reason_link(struct sm_error *error, const struct sm_attempt *attempt, enum sm_status status,
                    const char *detail);

/** The connection ended or went wrong later. */
void sm_reason_channel(struct sm_error *error, const struct sm_attempt *attempt,
                       enum sm_status status, const char *detail);

#endif
