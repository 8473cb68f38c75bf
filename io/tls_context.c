/* SPDX-License-Identifier: MIT */
/* Keys, authorities and rules of TLS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/alloc.h"
#include "io/tls_internal.h"

void sm_tls_take_error(char *out, size_t size)
{
    unsigned long code = ERR_peek_error();
    const char *words = code ? ERR_reason_error_string(code) : NULL;
    snprintf(out, size, "%s", words ? words : "no further details");
    ERR_clear_error();
}

static enum sm_status blame(char *why, size_t why_size, const char *what, const char *file)
{
    char words[128];
    sm_tls_take_error(words, sizeof(words));
    FILE *probe = file ? fopen(file, "r") : NULL;
    if (file && !probe)
        snprintf(words, sizeof(words), "%s", strerror(errno));
    if (probe)
        fclose(probe);
    snprintf(why, why_size, "%s%s%s: %s", what, file ? " " : "", file ? file : "", words);
    return SM_ERR_IO;
}

static struct sm_tls_context *new_context(const SSL_METHOD *method)
{
    struct sm_tls_context *context = calloc(1, sizeof(*context));
    if (!context)
        return NULL;
    context->users = 1;
    context->ssl = SSL_CTX_new(method);
    context->bio = sm_tls_bio_method();
    if (!context->ssl || !context->bio) {
        sm_tls_context_destroy(context);
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    return context;
}

void sm_tls_context_ref(struct sm_tls_context *context)
{
    __atomic_add_fetch(&context->users, 1, __ATOMIC_RELAXED);
}

void sm_tls_context_unref(struct sm_tls_context *context)
{
    if (__atomic_sub_fetch(&context->users, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->bio);
    free(context->public_key);
    free(context->subject);
    free(context);
}

void sm_tls_context_destroy(struct sm_tls_context *context)
{
    if (context)
        sm_tls_context_unref(context);
}

static int give_password(char *out, int size, int is_writing, void *password)
{
    (void)is_writing;
    if (!password)
        return -1; /* never ask on a terminal */
    int length = snprintf(out, (size_t)size, "%s", (const char *)password);
    return length < size ? length : -1;
}

static enum sm_status load_key(SSL_CTX *ssl, const struct sm_tls_server_config *config, char *why,
                               size_t why_size)
{
    SSL_CTX_set_default_passwd_cb(ssl, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(ssl, (void *)(uintptr_t)config->key_password);
    bool is_loaded = SSL_CTX_use_PrivateKey_file(ssl, config->key_file, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL); /* the caller's memory */
    if (!is_loaded)
        return blame(why, why_size, "private key", config->key_file);
    if (SSL_CTX_check_private_key(ssl) != 1)
        return blame(why, why_size, "private key does not belong to the certificate", NULL);
    return SM_OK;
}

static enum sm_status load_dh(SSL_CTX *ssl, const char *file, char *why, size_t why_size)
{
    if (!file) {
        SSL_CTX_set_dh_auto(ssl, 1);
        return SM_OK;
    }
    BIO *in = BIO_new_file(file, "r");
    EVP_PKEY *parameters = in ? PEM_read_bio_Parameters(in, NULL) : NULL;
    BIO_free(in);
    if (!parameters || SSL_CTX_set0_tmp_dh_pkey(ssl, parameters) != 1) {
        EVP_PKEY_free(parameters);
        return blame(why, why_size, "DH parameters", file);
    }
    return SM_OK;
}

static enum sm_status set_ciphers(SSL_CTX *ssl, const char *ciphers, char *why, size_t why_size)
{
    if (ciphers && *ciphers && SSL_CTX_set_cipher_list(ssl, ciphers) != 1)
        return blame(why, why_size, "cipher list", NULL);
    return SM_OK;
}

enum sm_status sm_tls_context_server(struct sm_tls_context **out,
                                     const struct sm_tls_server_config *config, char *why,
                                     size_t why_size)
{
    ERR_clear_error();
    struct sm_tls_context *context = new_context(TLS_server_method());
    if (!context)
        return SM_ERR_NOMEM;
    SSL_CTX *ssl = context->ssl;
    SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"SPICE", 5);

    enum sm_status status = SM_OK;
    if (SSL_CTX_use_certificate_chain_file(ssl, config->certificate_file) != 1)
        status = blame(why, why_size, "certificate", config->certificate_file);
    if (status == SM_OK)
        status = load_key(ssl, config, why, why_size);
    if (status == SM_OK && config->ca_file &&
        SSL_CTX_load_verify_locations(ssl, config->ca_file, NULL) != 1)
        status = blame(why, why_size, "certificate authorities", config->ca_file);
    if (status == SM_OK)
        status = load_dh(ssl, config->dh_file, why, why_size);
    if (status == SM_OK)
        status = set_ciphers(ssl, config->ciphers, why, why_size);
    if (status != SM_OK) {
        sm_tls_context_destroy(context);
        return status;
    }
    *out = context;
    return SM_OK;
}

static enum sm_status add_authorities(SSL_CTX *ssl, struct sm_bytes pem, char *why, size_t why_size)
{
    if (pem.size > INT32_MAX)
        return SM_ERR_LIMIT;
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509 *certificate;
    unsigned count = 0;
    while (in && (certificate = PEM_read_bio_X509(in, NULL, give_password, NULL))) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), certificate);
        X509_free(certificate);
        count++;
    }
    BIO_free(in);
    if (count == 0)
        return blame(why, why_size, "certificate authority", NULL);
    ERR_clear_error(); /* the end of the text counts as an error there */
    return SM_OK;
}

static enum sm_status load_authorities(SSL_CTX *ssl, const struct sm_tls_client_config *config,
                                       char *why, size_t why_size)
{
    if (config->ca.size)
        return add_authorities(ssl, config->ca, why, why_size);
    if (!config->ca_file) {
        SSL_CTX_set_default_verify_paths(ssl);
        return SM_OK;
    }
    if (SSL_CTX_load_verify_locations(ssl, config->ca_file, NULL) != 1)
        return blame(why, why_size, "certificate authority", config->ca_file);
    return SM_OK;
}

enum sm_status sm_tls_context_client(struct sm_tls_context **out,
                                     const struct sm_tls_client_config *config, char *why,
                                     size_t why_size)
{
    ERR_clear_error();
    struct sm_tls_context *context = new_context(TLS_client_method());
    if (!context)
        return SM_ERR_NOMEM;
    context->verify = config->verify;
    enum sm_status status = load_authorities(context->ssl, config, why, why_size);
    if (status == SM_OK)
        status = set_ciphers(context->ssl, config->ciphers, why, why_size);
    if (status == SM_OK && config->public_key.size) {
        context->public_key = sm_memdup(config->public_key.data, config->public_key.size);
        context->public_key_size = config->public_key.size;
        status = context->public_key ? SM_OK : SM_ERR_NOMEM;
    }
    if (status == SM_OK && config->subject) {
        context->subject = strdup(config->subject);
        status = context->subject ? SM_OK : SM_ERR_NOMEM;
    }
    if (status != SM_OK) {
        sm_tls_context_destroy(context);
        return status;
    }
    *out = context;
    return SM_OK;
}
