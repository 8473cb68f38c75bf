/* SPDX-License-Identifier: MIT */
/*
 * A SASL library for tests: a program that links this file has these functions in place of Cyrus's,
 * so that every answer can be had. Its application is called "test", its client's host
 * "the-server"; it knows one mechanism, MASK: the client says "NAME:pw", the server says "ok", and
 * then flips the bits of each byte in blocks behind two bytes of their length.
 */
#ifndef SM_TESTS_IO_FAKE_SASL_H
#define SM_TESTS_IO_FAKE_SASL_H

#include <stdatomic.h>
#include <stdbool.h>

extern unsigned sm_fake_sasl_ssf;       /* bits that the protection is worth */
extern unsigned sm_fake_sasl_block;     /* bytes of a block at most */
extern bool sm_fake_sasl_wants_locks;   /* of its host, when it begins */
extern atomic_uint sm_fake_sasl_living; /* connections of the library's, not disposed of yet */

/** While the gate is shut the turns of a user called "slow" do not end. Any thread. */
void sm_fake_sasl_shut_gate(bool is_shut);

/** Waits until `count` turns stand before the gate. */
void sm_fake_sasl_await(unsigned count);

#endif
