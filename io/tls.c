/* SPDX-License-Identifier: MIT */
#include "io/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "io/loop.h"
#include "io/tls_internal.h"

struct tls {
    struct sm_transport base;
    struct sm_transport *lower;     /* owned */
    struct sm_tls_context *context; /* one use of it */
    SSL *ssl;                       /* owned */
    char *host;                     /* owned; NULL at servers */
    unsigned read_wants, write_wants;
    bool is_established;
    bool is_broken;                      /* a fatal error: the stream must not be touched again */
    int chain_error;                     /* the first one the peer's chain met */
    char chain_words[SM_TLS_WORDS_SIZE]; /* about it; "" if there is none */
    struct sm_tls_verdict verdict;
};

static struct tls *tls_of(const struct sm_transport *t)
{
    return (struct tls *)(uintptr_t)t;
}

/* OpenSSL's side of the lower transport. */

static int bio_read(BIO *bio, char *to, int size)
{
    struct sm_transport *lower = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t got = 0;
    enum sm_status status =
        size > 0 ? sm_transport_read(lower, (uint8_t *)to, (size_t)size, &got) : SM_OK;
    if (status == SM_OK)
        return (int)got;
    if (status == SM_AGAIN)
        BIO_set_retry_read(bio);
    return lower->has_ended ? 0 : -1;
}

static int bio_write(BIO *bio, const char *from, int size)
{
    struct sm_transport *lower = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    struct sm_bytes bytes = {.data = (const uint8_t *)from, .size = size > 0 ? (size_t)size : 0};
    size_t put = 0;
    enum sm_status status = sm_transport_write(lower, bytes, &put);
    if (status == SM_OK)
        return (int)put;
    if (status == SM_AGAIN)
        BIO_set_retry_write(bio);
    return -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *sm_tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "transport");
    if (method) {
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
    }
    return method;
}

/* Failures. */

static enum sm_status break_with(struct tls *tls, enum sm_tls_failure failure, const char *what,
                                 const char *words)
{
    tls->is_broken = true;
    if (tls->verdict.failure == SM_TLS_OK)
        tls->verdict.failure = failure;
    snprintf(tls->base.reason, sizeof(tls->base.reason), "%s: %s", what, words);
    ERR_clear_error();
    return SM_ERR_IO;
}

static bool is_foreign_protocol(unsigned long code)
{
    if (ERR_GET_LIB(code) != ERR_LIB_SSL)
        return false;
    switch (ERR_GET_REASON(code)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNEXPECTED_MESSAGE:
        return true;
    default:
        return false;
    }
}

static enum sm_status fail_handshake(struct tls *tls, int error)
{
    if (tls->chain_error != X509_V_OK && !tls->is_established)
        return break_with(tls, sm_tls_chain_failure(tls->chain_error), "TLS", tls->chain_words);
    unsigned long code = ERR_peek_error();
    if (error == SSL_ERROR_SSL && is_foreign_protocol(code))
        return break_with(tls, SM_TLS_NOT_TLS, "TLS", "the peer does not speak TLS here");
    if (error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN || code == 0 ||
        ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return break_with(tls, SM_TLS_ENDED, "TLS", "the peer closed during the handshake");
    char words[128];
    sm_tls_take_error(words, sizeof(words));
    return break_with(tls, SM_TLS_HANDSHAKE, "TLS handshake", words);
}

static enum sm_status fail_io(struct tls *tls, int error, const char *what)
{
    unsigned long code = ERR_peek_error();
    bool is_end =
        error == SSL_ERROR_ZERO_RETURN ||
        (error == SSL_ERROR_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) ||
        tls->lower->has_ended;
    if (is_end) { /* peers of this protocol end without a close alert: no failure of TLS */
        tls->base.has_ended = true;
        tls->is_broken = true;
        snprintf(tls->base.reason, sizeof(tls->base.reason), "the peer closed the connection");
        ERR_clear_error();
        return SM_ERR_IO;
    }
    char words[128];
    sm_tls_take_error(words, sizeof(words));
    if (error == SSL_ERROR_SYSCALL && sm_transport_reason(tls->lower)[0])
        snprintf(words, sizeof(words), "%.120s", sm_transport_reason(tls->lower));
    return break_with(tls, SM_TLS_OK, what, words);
}

/* The handshake. */

static int note_chain(int is_good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    if (!is_good && tls->chain_error == X509_V_OK) {
        tls->chain_error = X509_STORE_CTX_get_error(store);
        /* The connection forgets the certificate when it breaks off, so its name is kept now. */
        sm_tls_describe_chain(tls->chain_words, X509_STORE_CTX_get_current_cert(store),
                              tls->chain_error);
    }
    /* A known public key may excuse the chain; that is decided when the handshake is through. */
    return is_good || (tls->context->verify & SM_TLS_VERIFY_PUBKEY);
}

static enum sm_status handshake(struct tls *tls)
{
    if (tls->is_broken)
        return SM_ERR_IO;
    if (tls->is_established)
        return SM_OK;
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    if (result != 1) {
        int error = SSL_get_error(tls->ssl, result);
        unsigned wants = error == SSL_ERROR_WANT_WRITE ? SM_IO_WRITE : SM_IO_READ;
        tls->read_wants = tls->write_wants = wants;
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
            return SM_AGAIN;
        return fail_handshake(tls, error);
    }
    if (tls->host) {
        sm_tls_verify_peer(&tls->verdict, tls->context, tls->ssl, tls->host, tls->chain_error);
        if (tls->verdict.failure != SM_TLS_OK)
            return break_with(tls, tls->verdict.failure, "TLS", tls->verdict.text);
    }
    tls->read_wants = SM_IO_READ;
    tls->write_wants = SM_IO_WRITE;
    tls->is_established = true;
    return SM_OK;
}

/* Data. */

static enum sm_status tls_read(struct sm_transport *t, uint8_t *to, size_t size, size_t *got)
{
    struct tls *tls = tls_of(t);
    enum sm_status status = handshake(tls);
    if (status != SM_OK)
        return status;
    ERR_clear_error();
    tls->read_wants = SM_IO_READ;
    int result = SSL_read_ex(tls->ssl, to, size, got);
    if (result == 1)
        return SM_OK;
    int error = SSL_get_error(tls->ssl, result);
    if (error == SSL_ERROR_WANT_WRITE)
        tls->read_wants = SM_IO_WRITE;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return SM_AGAIN;
    return fail_io(tls, error, "reading");
}

static enum sm_status write_one(struct tls *tls, struct sm_bytes part, size_t *put)
{
    ERR_clear_error();
    tls->write_wants = SM_IO_WRITE;
    int result = SSL_write_ex(tls->ssl, part.data, part.size, put);
    if (result == 1)
        return SM_OK;
    int error = SSL_get_error(tls->ssl, result);
    if (error == SSL_ERROR_WANT_READ)
        tls->write_wants = SM_IO_READ;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return SM_AGAIN;
    return fail_io(tls, error, "writing");
}

static enum sm_status tls_writev(struct sm_transport *t, const struct sm_bytes *parts, size_t count,
                                 size_t *put)
{
    struct tls *tls = tls_of(t);
    enum sm_status status = handshake(tls);
    if (status != SM_OK)
        return status;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size == 0)
            continue;
        size_t taken = 0;
        status = write_one(tls, parts[i], &taken);
        total += taken;
        if (status != SM_OK || taken < parts[i].size)
            break;
    }
    *put = total;
    return total || status == SM_OK ? SM_OK : status;
}

static unsigned tls_wants(const struct sm_transport *t, unsigned asked)
{
    const struct tls *tls = tls_of(t);
    unsigned wants = 0;
    if (asked & SM_IO_READ)
        wants |= tls->read_wants;
    if (asked & SM_IO_WRITE)
        wants |= tls->write_wants;
    return sm_transport_wants(tls->lower, wants);
}

static bool tls_has_buffered(const struct sm_transport *t)
{
    const struct tls *tls = tls_of(t);
    return SSL_has_pending(tls->ssl) || sm_transport_has_buffered(tls->lower);
}

static enum sm_status tls_flush(struct sm_transport *t)
{
    struct tls *tls = tls_of(t);
    return tls->is_broken ? SM_ERR_IO : sm_transport_flush(tls->lower);
}

static void tls_destroy(struct sm_transport *t)
{
    struct tls *tls = tls_of(t);
    if (tls->ssl && tls->is_established && !tls->is_broken) {
        ERR_clear_error();
        SSL_shutdown(tls->ssl); /* says goodbye if the line takes it; the answer is not awaited */
        ERR_clear_error();
    }
    SSL_free(tls->ssl);
    sm_transport_destroy(tls->lower);
    if (tls->context)
        sm_tls_context_unref(tls->context);
    free(tls->host);
    free(tls);
}

static const struct sm_transport_ops TLS_OPS = {
    .read = tls_read,
    .writev = tls_writev,
    .wants = tls_wants,
    .has_buffered = tls_has_buffered,
    .flush = tls_flush,
    .destroy = tls_destroy,
};

static struct tls *new_tls(struct sm_tls_context *context, struct sm_transport *lower)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    if (!tls)
        return NULL;
    *tls = (struct tls){
        .base = {.ops = &TLS_OPS, .fd = lower->fd, .is_secure = true, .is_unix = lower->is_unix},
        .read_wants = SM_IO_READ,
        .write_wants = SM_IO_WRITE,
    };
    BIO *bio = BIO_new(context->bio);
    tls->ssl = SSL_new(context->ssl);
    if (!bio || !tls->ssl) {
        BIO_free(bio);
        SSL_free(tls->ssl);
        free(tls);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, lower);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, tls);
    sm_tls_context_ref(context);
    tls->context = context;
    return tls;
}

enum sm_status sm_tls_transport_server(struct sm_transport **out, struct sm_tls_context *context,
                                       struct sm_transport *lower)
{
    struct tls *tls = new_tls(context, lower);
    if (!tls)
        return SM_ERR_NOMEM;
    SSL_set_accept_state(tls->ssl);
    tls->lower = lower;
    *out = &tls->base;
    return SM_OK;
}

enum sm_status sm_tls_transport_client(struct sm_transport **out, struct sm_tls_context *context,
                                       struct sm_transport *lower, const char *host)
{
    struct tls *tls = new_tls(context, lower);
    if (!tls)
        return SM_ERR_NOMEM;
    tls->host = strdup(host);
    if (!tls->host || (!sm_tls_is_address(host) && SSL_set_tlsext_host_name(tls->ssl, host) != 1)) {
        tls_destroy(&tls->base); /* without `lower`, which stays the caller's */
        return SM_ERR_NOMEM;
    }
    SSL_set_connect_state(tls->ssl);
    SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, note_chain);
    tls->lower = lower;
    *out = &tls->base;
    return SM_OK;
}

enum sm_tls_failure sm_tls_transport_failure(const struct sm_transport *t)
{
    return t->ops == &TLS_OPS ? tls_of(t)->verdict.failure : SM_TLS_OK;
}

unsigned sm_tls_transport_bits(const struct sm_transport *t)
{
    const struct tls *tls = tls_of(t);
    int bits = tls->is_established ? SSL_get_cipher_bits(tls->ssl, NULL) : 0;
    return bits > 0 ? (unsigned)bits : 0;
}

bool sm_tls_transport_is_established(const struct sm_transport *t)
{
    return t->ops == &TLS_OPS && tls_of(t)->is_established;
}

enum sm_status sm_tls_transport_handshake(struct sm_transport *t)
{
    return t->ops == &TLS_OPS ? handshake(tls_of(t)) : SM_OK;
}
