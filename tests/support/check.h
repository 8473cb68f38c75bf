/* SPDX-License-Identifier: MIT */
/* Checks that say what they saw. Every test includes this first. */
#ifndef SM_TESTS_SUPPORT_CHECK_H
#define SM_TESTS_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

/** How long a test waits for what must happen, in seconds: far longer than the slowest machine
 * takes. */
enum { SM_TEST_PATIENCE_S = 60 };

/**
 * An exact heap copy of `size` bytes, so that ASan sees a read one past its end. It is freed by
 * sm_test_free_copies(), which every test group runs as its teardown or at the end of a test.
 */
struct sm_bytes sm_test_copy(const void *data, size_t size);
void sm_test_free_copies(void);

/** `expr` has the status `expected`; prints both names if not. */
#define sm_check_status(expr, expected)                                                            \
    sm_check_status_at((expr), (expected), #expr, __FILE__, __LINE__)
void sm_check_status_at(enum sm_status actual, enum sm_status expected, const char *what,
                        const char *file, int line);

/** Two runs of bytes are equal; prints a hex dump around the first difference if not. */
#define sm_check_bytes(actual, expected)                                                           \
    sm_check_bytes_at((actual), (expected), #actual, __FILE__, __LINE__)
void sm_check_bytes_at(struct sm_bytes actual, struct sm_bytes expected, const char *what,
                       const char *file, int line);

/** The bytes of a C array. */
#define SM_TEST_BYTES(array) ((struct sm_bytes){.data = (array), .size = sizeof(array)})

/**
 * Bytes from hexadecimal text as it stands in docs/wire: blanks and line ends are skipped. Freed
 * like sm_test_copy().
 */
struct sm_bytes sm_test_hex(const char *text);

/** A small deterministic random generator (xorshift); the same seed gives the same numbers. */
struct sm_test_random {
    uint64_t state;
};
uint32_t sm_test_random_next(struct sm_test_random *random);

#endif
