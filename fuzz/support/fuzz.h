/* SPDX-License-Identifier: MIT */
/* What every fuzz target needs: the entry point's declaration and a check of its invariant. */
#ifndef SM_FUZZ_SUPPORT_FUZZ_H
#define SM_FUZZ_SUPPORT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** Inputs above this many bytes teach nothing new: targets return at once. */
#define FUZZ_MAX_SIZE 65536

/** The target: takes `size` bytes, returns 0. It must not keep anything between two calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Ends the process, naming the place, if the invariant `claim` does not hold. */
#define FUZZ_CHECK(claim)                                                                          \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: invariant broken: %s\n", __FILE__, __LINE__, #claim);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
