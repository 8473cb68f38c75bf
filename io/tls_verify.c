/* SPDX-License-Identifier: MIT */
/* Whom a client talks to. Source: docs/wire, "TLS, certificates, secure-channel rules". */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "io/tls_internal.h"

bool sm_tls_is_address(const char *host)
{
    unsigned char binary[16];
    return inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1;
}

enum sm_tls_failure sm_tls_chain_failure(int chain_error)
{
    switch (chain_error) {
    case X509_V_OK:
        return SM_TLS_OK;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return SM_TLS_EXPIRED;
    default:
        return SM_TLS_UNTRUSTED;
    }
}

static bool has_public_key(const struct sm_tls_context *context, X509 *certificate)
{
    uint8_t *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    bool is_equal = size > 0 && (size_t)size == context->public_key_size &&
                    memcmp(der, context->public_key, context->public_key_size) == 0;
    OPENSSL_free(der);
    return is_equal;
}

static bool has_alternative_names(X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        int type = sk_GENERAL_NAME_value(names, i)->type;
        found = type == GEN_DNS || type == GEN_IPADD;
    }
    GENERAL_NAMES_free(names);
    return found;
}

static bool is_host(X509 *certificate, const char *host)
{
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (!has_alternative_names(certificate))
        return X509_check_host(certificate, host, 0, flags | X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT,
                               NULL) == 1;
    if (sm_tls_is_address(host))
        return X509_check_ip_asc(certificate, host, 0) == 1;
    return X509_check_host(certificate, host, 0, flags | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                           NULL) == 1;
}

/*
 * Takes one "key=value" item off `*pos`: "\\" and "\," stand for themselves, blanks before the key
 * do not count. Returns false at a mistake.
 */
static bool next_item(const char **pos, char *key, char *value, size_t size)
{
    const char *p = *pos;
    while (*p == ' ')
        p++;
    size_t length = 0;
    char *to = key;
    for (; *p && *p != ','; p++) {
        if (*p == '=' && to == key) {
            key[length] = '\0';
            to = value;
            length = 0;
            continue;
        }
        if (*p == '\\' && *++p != '\\' && *p != ',')
            return false;
        if (length + 1 >= size)
            return false;
        to[length++] = *p;
    }
    if (to == key || length == 0 || key[0] == '\0')
        return false;
    value[length] = '\0';
    *pos = *p == ',' ? p + 1 : p;
    return true;
}

static bool entry_equals(X509_NAME_ENTRY *entry, const char *key, const char *value)
{
    ASN1_OBJECT *wanted = OBJ_txt2obj(key, 0);
    bool is_same_key = wanted && OBJ_cmp(wanted, X509_NAME_ENTRY_get_object(entry)) == 0;
    ASN1_OBJECT_free(wanted);
    if (!is_same_key)
        return false;
    unsigned char *text = NULL;
    int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    bool is_equal = size >= 0 && (size_t)size == strlen(value) && memcmp(text, value, size) == 0;
    OPENSSL_free(text);
    return is_equal;
}

static bool is_subject(X509 *certificate, const char *subject)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    int count = X509_NAME_entry_count(name), i = 0;
    const char *pos = subject;
    char key[256], value[256];
    for (; *pos && i < count; i++) {
        if (!next_item(&pos, key, value, sizeof(key)) ||
            !entry_equals(X509_NAME_get_entry(name, i), key, value))
            return false;
    }
    return *pos == '\0' && i == count && count > 0;
}

static void subject_of(X509 *certificate, char *out, int size)
{
    X509_NAME_oneline(X509_get_subject_name(certificate), out, size);
}

/* "2026-11-22", or "?" if the certificate has no date that can be read. */
static void day_of(const ASN1_TIME *time, char out[16])
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(time, &tm) || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        (void)snprintf(out, 16, "?");
}

void sm_tls_describe_chain(char out[SM_TLS_WORDS_SIZE], X509 *certificate, int chain_error)
{
    const char *words = X509_verify_cert_error_string(chain_error);
    if (!certificate) {
        (void)snprintf(out, SM_TLS_WORDS_SIZE, "%s", words);
        return;
    }
    char subject[80], issuer[80], day[16];
    subject_of(certificate, subject, sizeof(subject));
    X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof(issuer));
    switch (chain_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        day_of(X509_get0_notAfter(certificate), day);
        (void)snprintf(out, SM_TLS_WORDS_SIZE, "certificate %s has expired on %s", subject, day);
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        day_of(X509_get0_notBefore(certificate), day);
        (void)snprintf(out, SM_TLS_WORDS_SIZE, "certificate %s is valid from %s on", subject, day);
        return;
    default:
        break;
    }
    bool is_own =
        X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
    (void)snprintf(out, SM_TLS_WORDS_SIZE, "certificate %s, signed by %s: %s", subject,
                   is_own ? "itself" : issuer, words);
}

/* Appends `size` bytes as they can be shown; false if there is no room. */
static bool append_name(char *out, size_t room, const unsigned char *name, int size)
{
    size_t used = strlen(out);
    if (size < 0 || used + 2 + (size_t)size + 1 > room)
        return false;
    if (used > 0)
        used += (size_t)snprintf(out + used, room - used, ", ");
    for (int i = 0; i < size; i++)
        out[used++] = name[i] > 0x20 && name[i] < 0x7f ? (char)name[i] : '?';
    out[used] = 0;
    return true;
}

/* The hosts a certificate is for, as far as there is room; its subject if it names none. */
static void names_of(X509 *certificate, char *out, size_t room)
{
    out[0] = 0;
    bool fits = true;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && fits; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *value = name->type == GEN_DNS     ? name->d.dNSName
                                   : name->type == GEN_IPADD ? name->d.iPAddress
                                                             : NULL;
        const unsigned char *text = value ? ASN1_STRING_get0_data(value) : NULL;
        int size = value ? ASN1_STRING_length(value) : 0;
        char address[INET6_ADDRSTRLEN];
        if (value && name->type == GEN_IPADD) {
            int family = size == 16 ? AF_INET6 : AF_INET;
            if ((size != 4 && size != 16) || !inet_ntop(family, text, address, sizeof(address)))
                continue;
            text = (const unsigned char *)address;
            size = (int)strlen(address);
        }
        if (value)
            fits = append_name(out, room, text, size);
    }
    GENERAL_NAMES_free(names);
    if (!out[0])
        subject_of(certificate, out, (int)room);
}

static void decide(struct sm_tls_verdict *out, enum sm_tls_failure failure, const char *format,
                   const char *a, const char *b) __attribute__((format(printf, 3, 0)));

static void decide(struct sm_tls_verdict *out, enum sm_tls_failure failure, const char *format,
                   const char *a, const char *b)
{
    out->failure = failure;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(out->text, sizeof(out->text), format, a, b);
#pragma GCC diagnostic pop
}

static void decide_chain(struct sm_tls_verdict *out, X509 *certificate, int chain_error)
{
    out->failure = sm_tls_chain_failure(chain_error);
    sm_tls_describe_chain(out->text, certificate, chain_error);
}

void sm_tls_verify_peer(struct sm_tls_verdict *out, const struct sm_tls_context *context, SSL *ssl,
                        const char *host, int chain_error)
{
    *out = (struct sm_tls_verdict){.failure = SM_TLS_OK};
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (!certificate) {
        decide(out, SM_TLS_UNTRUSTED, "the server showed no certificate%s%s", "", "");
        return;
    }
    char subject[80];
    subject_of(certificate, subject, sizeof(subject));
    if ((context->verify & SM_TLS_VERIFY_PUBKEY) && has_public_key(context, certificate))
        return;
    if (chain_error != X509_V_OK)
        decide_chain(out, certificate, chain_error);
    else if (context->verify & SM_TLS_VERIFY_SUBJECT) {
        if (!context->subject || !is_subject(certificate, context->subject))
            decide(out, SM_TLS_SUBJECT_MISMATCH, "the certificate's subject is %s%s", subject, "");
    } else if (context->verify & SM_TLS_VERIFY_HOSTNAME) {
        char names[128];
        names_of(certificate, names, sizeof(names));
        if (!is_host(certificate, host))
            decide(out, SM_TLS_HOST_MISMATCH, "certificate %s is for %s", subject, names);
    } else if (context->verify & SM_TLS_VERIFY_PUBKEY) {
        decide(out, SM_TLS_UNTRUSTED, "the certificate %s has another public key%s", subject, "");
    }
    ERR_clear_error();
}
