/* SPDX-License-Identifier: MIT */
/* What the three TLS files share and nobody else needs. */
#ifndef SM_IO_TLS_INTERNAL_H
#define SM_IO_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "io/tls.h"

struct sm_tls_context {
    SSL_CTX *ssl;        /* owned */
    BIO_METHOD *bio;     /* owned: OpenSSL's view of a struct sm_transport */
    unsigned verify;     /* clients: mask of enum sm_tls_verify */
    uint8_t *public_key; /* owned: DER, or NULL */
    size_t public_key_size;
    char *subject;  /* owned, or NULL */
    unsigned users; /* connections and the creator */
};

/** One more, or one less, user; the last one frees the context. Thread: any. */
void sm_tls_context_ref(struct sm_tls_context *context);
void sm_tls_context_unref(struct sm_tls_context *context);

/** The method that makes a BIO of a transport (its data pointer). */
BIO_METHOD *sm_tls_bio_method(void);

/** Copies OpenSSL's first queued error as words and empties the queue. */
void sm_tls_take_error(char *out, size_t size);

enum { SM_TLS_WORDS_SIZE = 256 /* about a certificate */ };

/** What a client's checks found out about the peer. */
struct sm_tls_verdict {
    enum sm_tls_failure failure;
    char text[SM_TLS_WORDS_SIZE];
};

/**
 * Decides about the peer of an SSL whose handshake is through: chain, then public key, subject or
 * host name as the context says.
 *
 * @param chain_error  the first X509_V_ERR_* the chain met, or X509_V_OK
 */
void sm_tls_verify_peer(struct sm_tls_verdict *out, const struct sm_tls_context *context, SSL *ssl,
                        const char *host, int chain_error);

/**
 * Says what is wrong with `certificate` (NULL if there is none): whose it is, who signed it, which
 * day it ends on.
 */
void sm_tls_describe_chain(char out[SM_TLS_WORDS_SIZE], X509 *certificate, int chain_error);

/** Which failure a chain error is. */
enum sm_tls_failure sm_tls_chain_failure(int chain_error);

/** True if `host` is a numeric address. */
bool sm_tls_is_address(const char *host);

#endif
