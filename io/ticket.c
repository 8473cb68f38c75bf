/* SPDX-License-Identifier: MIT */
#include "io/ticket.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum { KEY_BITS = 1024 };

struct sm_ticket_key {
    EVP_PKEY *pair; /* owned */
    uint8_t public_der[SM_TICKET_PUBLIC_KEY_SIZE];
};

enum sm_status sm_ticket_key_create(struct sm_ticket_key **out)
{
    struct sm_ticket_key *key = calloc(1, sizeof(*key));
    if (!key)
        return SM_ERR_NOMEM;
    key->pair = EVP_RSA_gen(KEY_BITS);
    uint8_t *pos = key->public_der;
    if (!key->pair || i2d_PUBKEY(key->pair, NULL) != SM_TICKET_PUBLIC_KEY_SIZE ||
        i2d_PUBKEY(key->pair, &pos) != SM_TICKET_PUBLIC_KEY_SIZE) {
        ERR_clear_error();
        sm_ticket_key_destroy(key);
        return SM_ERR_NOMEM; /* the only way this fails in practice */
    }
    *out = key;
    return SM_OK;
}

void sm_ticket_key_destroy(struct sm_ticket_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pair);
    free(key);
}

const uint8_t *sm_ticket_key_public(const struct sm_ticket_key *key)
{
    return key->public_der;
}

/* OpenSSL's defaults for OAEP are what the protocol wants: SHA-1, MGF1 with SHA-1, no label. */
static EVP_PKEY_CTX *oaep_context(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    if (context && init(context) > 0 &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0)
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

enum sm_status sm_ticket_decrypt(struct sm_ticket_key *key, const uint8_t ticket[SM_TICKET_SIZE],
                                 char password[SM_TICKET_PASSWORD_MAX + 1])
{
    uint8_t plain[SM_TICKET_SIZE + 1] = {0};
    size_t size = SM_TICKET_SIZE;
    EVP_PKEY_CTX *context = oaep_context(key->pair, EVP_PKEY_decrypt_init);
    bool is_plain = context && EVP_PKEY_decrypt(context, plain, &size, ticket, SM_TICKET_SIZE) > 0;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();

    size_t length = is_plain ? strnlen((const char *)plain, size) : 0;
    enum sm_status status = SM_ERR_PROTOCOL;
    if (is_plain && length <= SM_TICKET_PASSWORD_MAX) {
        memset(password, 0, SM_TICKET_PASSWORD_MAX + 1);
        memcpy(password, plain, length);
        status = SM_OK;
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    return status;
}

enum sm_status sm_ticket_encrypt(const uint8_t key[SM_TICKET_PUBLIC_KEY_SIZE], const char *password,
                                 uint8_t out[SM_TICKET_SIZE])
{
    const char *text = password ? password : "";
    size_t length = strlen(text);
    if (length > SM_TICKET_PASSWORD_MAX)
        return SM_ERR_LIMIT;

    const uint8_t *pos = key;
    EVP_PKEY *public_key = d2i_PUBKEY(NULL, &pos, SM_TICKET_PUBLIC_KEY_SIZE);
    bool is_usable = public_key && EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA &&
                     EVP_PKEY_get_bits(public_key) == KEY_BITS;
    EVP_PKEY_CTX *context = is_usable ? oaep_context(public_key, EVP_PKEY_encrypt_init) : NULL;
    uint8_t cipher[SM_TICKET_SIZE];
    size_t size = sizeof(cipher);
    bool is_done =
        context && EVP_PKEY_encrypt(context, cipher, &size, (const uint8_t *)text, length + 1) > 0;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(public_key);
    ERR_clear_error();
    if (!is_done || size != SM_TICKET_SIZE)
        return SM_ERR_PROTOCOL;
    memcpy(out, cipher, SM_TICKET_SIZE);
    return SM_OK;
}

bool sm_ticket_password_equal(const char a[SM_TICKET_PASSWORD_MAX + 1],
                              const char b[SM_TICKET_PASSWORD_MAX + 1])
{
    /* Both sides are padded with zeros, so the whole arrays compare without looking for an end. */
    char x[SM_TICKET_PASSWORD_MAX + 1] = {0}, y[SM_TICKET_PASSWORD_MAX + 1] = {0};
    memcpy(x, a, strnlen(a, SM_TICKET_PASSWORD_MAX));
    memcpy(y, b, strnlen(b, SM_TICKET_PASSWORD_MAX));
    bool is_equal = CRYPTO_memcmp(x, y, sizeof(x)) == 0;
    OPENSSL_cleanse(x, sizeof(x));
    OPENSSL_cleanse(y, sizeof(y));
    return is_equal;
}
