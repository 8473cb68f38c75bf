/* SPDX-License-Identifier: MIT */
/* Certificates made on the spot, so that none in the tree can expire. */
#ifndef SM_TESTS_IO_CERTIFICATES_H
#define SM_TESTS_IO_CERTIFICATES_H

struct sm_test_pki {
    char folder[64];
    char ca[96], other_ca[96];
    char certificate[96], key[96]; /* CN=sumac test, SAN DNS:localhost, DNS:*.example.test, IP */
    char expired[96];              /* same key, ended yesterday */
    char plain[96];                /* same key, CN=localhost and no alternative names */
    unsigned char public_key[256];
    unsigned public_key_size;
};

/** Fills a fresh folder; fails the test if that is not possible. */
void sm_test_pki_create(struct sm_test_pki *pki);
void sm_test_pki_destroy(struct sm_test_pki *pki);

#endif
