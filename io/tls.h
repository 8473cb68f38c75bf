/* SPDX-License-Identifier: MIT */
/* TLS 1.2 and 1.3 over any transport, through OpenSSL. Source: docs/wire, "TLS, certificates". */
#ifndef SM_IO_TLS_H
#define SM_IO_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "io/transport.h"

/** Keys and rules shared by many connections. Thread: any, after creation. */
struct sm_tls_context;

struct sm_tls_server_config {
    const char *certificate_file; /* PEM chain, mandatory; all borrowed for the call */
    const char *key_file;         /* PEM, mandatory */
    const char *key_password;     /* or NULL */
    const char *ca_file;          /* or NULL; clients' certificates are not asked for */
    const char *dh_file;          /* PEM parameters, or NULL for OpenSSL's own */
    const char *ciphers;          /* OpenSSL's list for TLS 1.2, or NULL */
};

/**
 * @param why       receives words about a failure, with file name and cure where we know one
 * @param why_size  its size in bytes
 * @return SM_OK, SM_ERR_NOMEM, SM_ERR_IO if a file is missing or unusable
 */
SM_NODISCARD enum sm_status sm_tls_context_server(struct sm_tls_context **out,
                                                  const struct sm_tls_server_config *config,
                                                  char *why, size_t why_size);

/** How a client makes sure whom it talks to; may be combined. */
enum sm_tls_verify {
    SM_TLS_VERIFY_PUBKEY = 1,
    SM_TLS_VERIFY_HOSTNAME = 2,
    SM_TLS_VERIFY_SUBJECT = 4,
};

struct sm_tls_client_config {
    const char *ca_file;        /* PEM; NULL: the system's authorities */
    struct sm_bytes ca;         /* PEM text in place of a file; empty: none */
    const char *ciphers;        /* or NULL */
    unsigned verify;            /* mask of enum sm_tls_verify; 0 checks the chain alone */
    struct sm_bytes public_key; /* DER SubjectPublicKeyInfo, with SM_TLS_VERIFY_PUBKEY */
    const char *subject;        /* "C=DE,O=Example,CN=name", with SM_TLS_VERIFY_SUBJECT */
};

SM_NODISCARD enum sm_status sm_tls_context_client(struct sm_tls_context **out,
                                                  const struct sm_tls_client_config *config,
                                                  char *why, size_t why_size);

/** Connections made from the context may outlive it. NULL does nothing. */
void sm_tls_context_destroy(struct sm_tls_context *context);

/**
 * Puts TLS on top of `lower`; the handshake happens in the first reads and writes.
 *
 * @param lower  taken on SM_OK, else still the caller's
 */
SM_NODISCARD enum sm_status sm_tls_transport_server(struct sm_transport **out,
                                                    struct sm_tls_context *context,
                                                    struct sm_transport *lower);

/** @param host  name or address the user asked for: SNI and the host name check; copied */
SM_NODISCARD enum sm_status sm_tls_transport_client(struct sm_transport **out,
                                                    struct sm_tls_context *context,
                                                    struct sm_transport *lower, const char *host);

/** What went wrong, for a message that names the cure. */
enum sm_tls_failure {
    SM_TLS_OK,
    SM_TLS_UNTRUSTED,        /* the chain does not lead to an authority we know */
    SM_TLS_EXPIRED,          /* or not valid yet */
    SM_TLS_HOST_MISMATCH,    /* the certificate is somebody else's */
    SM_TLS_SUBJECT_MISMATCH, /* likewise, by subject */
    SM_TLS_NOT_TLS,          /* the peer does not speak TLS at all */
    SM_TLS_HANDSHAKE,        /* no common version or cipher, or an alert */
    SM_TLS_ENDED,            /* the peer closed during the handshake */
};

/** The failure of `t`, a transport made here; SM_TLS_OK if it did not fail for TLS's sake. */
enum sm_tls_failure sm_tls_transport_failure(const struct sm_transport *t);

/** True once the handshake, with all checks, has succeeded. */
bool sm_tls_transport_is_established(const struct sm_transport *t);

/** The strength of the cipher in bits, 0 before the handshake. */
unsigned sm_tls_transport_bits(const struct sm_transport *t);

/**
 * Goes on with the handshake without moving data.
 *
 * @return SM_OK when established, SM_AGAIN, SM_ERR_IO
 */
SM_NODISCARD enum sm_status sm_tls_transport_handshake(struct sm_transport *t);

#endif
