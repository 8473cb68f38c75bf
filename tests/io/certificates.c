/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "tests/io/certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { DAY_S = 24 * 60 * 60 };

static void add_extension(X509 *to, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, to, to, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    X509_add_ext(to, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *make(const char *common_name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                  const char *alternative_names, long ends_s)
{
    X509 *certificate = X509_new();
    assert_non_null(certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), rand());
    X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), ends_s);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"Sumac, Inc", -1, -1,
                               0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1,
                               0);
    X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : name);
    if (!issuer)
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (alternative_names)
        add_extension(certificate, NID_subject_alt_name, alternative_names);
    assert_true(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()) > 0);
    return certificate;
}

static void save(const struct sm_test_pki *pki, char *path, size_t size, const char *name,
                 X509 *certificate, EVP_PKEY *key)
{
    snprintf(path, size, "%s/%s", pki->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    if (certificate)
        assert_true(PEM_write_X509(file, certificate));
    if (key)
        assert_true(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    X509_free(certificate);
}

void sm_test_pki_create(struct sm_test_pki *pki)
{
    *pki = (struct sm_test_pki){.folder = "/tmp/sumac-test-XXXXXX"};
    assert_non_null(mkdtemp(pki->folder));
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    assert_true(ca_key && key);
    X509 *ca = make("authority", ca_key, NULL, NULL, NULL, 9 * DAY_S);
    save(pki, pki->certificate, sizeof(pki->certificate), "server.pem",
         make("sumac test", key, ca, ca_key, "DNS:localhost,DNS:*.example.test,IP:127.0.0.1",
              9 * DAY_S),
         NULL);
    save(pki, pki->expired, sizeof(pki->expired), "expired.pem",
         make("localhost", key, ca, ca_key, "DNS:localhost", -DAY_S), NULL);
    save(pki, pki->plain, sizeof(pki->plain), "plain.pem",
         make("localhost", key, ca, ca_key, NULL, 9 * DAY_S), NULL);
    save(pki, pki->key, sizeof(pki->key), "key.pem", NULL, key);
    save(pki, pki->other_ca, sizeof(pki->other_ca), "other-ca.pem",
         make("somebody else", key, NULL, NULL, NULL, 9 * DAY_S), NULL);
    save(pki, pki->ca, sizeof(pki->ca), "ca.pem", ca, NULL);

    unsigned char *to = pki->public_key;
    int size = i2d_PUBKEY(key, NULL);
    assert_in_range(size, 1, sizeof(pki->public_key));
    pki->public_key_size = (unsigned)i2d_PUBKEY(key, &to);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
}

void sm_test_pki_destroy(struct sm_test_pki *pki)
{
    const char *files[] = {pki->ca,  pki->other_ca, pki->certificate,
                           pki->key, pki->expired,  pki->plain};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(files[i]);
    rmdir(pki->folder);
}
