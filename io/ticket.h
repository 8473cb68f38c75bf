/* SPDX-License-Identifier: MIT */
/* The RSA ticket: a password under a key of one connection. Source: docs/wire, "SPICE ticket". */
#ifndef SM_IO_TICKET_H
#define SM_IO_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_TICKET_PUBLIC_KEY_SIZE = 162, /* DER SubjectPublicKeyInfo of a 1024-bit RSA key */
    SM_TICKET_SIZE = 128,
    SM_TICKET_PASSWORD_MAX = 60, /* bytes without the NUL */
};

/** A server's key pair. Thread: one at a time. */
struct sm_ticket_key;

SM_NODISCARD enum sm_status sm_ticket_key_create(struct sm_ticket_key **out);
void sm_ticket_key_destroy(struct sm_ticket_key *key);

/** The public half as it goes on the wire: SM_TICKET_PUBLIC_KEY_SIZE bytes, borrowed. */
const uint8_t *sm_ticket_key_public(const struct sm_ticket_key *key);

/**
 * Decrypts a client's ticket.
 *
 * @param password  receives the password with a NUL behind it; a NUL inside ends it, as C strings
 * do
 * @return SM_OK; SM_ERR_PROTOCOL if it does not decrypt or is too long (say the same to the peer as
 *         for a wrong password)
 */
SM_NODISCARD enum sm_status sm_ticket_decrypt(struct sm_ticket_key *key,
                                              const uint8_t ticket[SM_TICKET_SIZE],
                                              char password[SM_TICKET_PASSWORD_MAX + 1]);

/**
 * Encrypts `password` (NULL counts as empty) for the server with this public key.
 *
 * @return SM_OK; SM_ERR_LIMIT if the password is too long; SM_ERR_PROTOCOL if the key is none
 */
SM_NODISCARD enum sm_status sm_ticket_encrypt(const uint8_t key[SM_TICKET_PUBLIC_KEY_SIZE],
                                              const char *password, uint8_t out[SM_TICKET_SIZE]);

/** True if both are equal, in a time that does not depend on where they differ. */
bool sm_ticket_password_equal(const char a[SM_TICKET_PASSWORD_MAX + 1],
                              const char b[SM_TICKET_PASSWORD_MAX + 1]);

#endif
