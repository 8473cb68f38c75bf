/* SPDX-License-Identifier: MIT */
/*
 * Lets every allocation of a piece of code fail in turn. The test links with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc (dependency failmalloc_dep).
 */
#ifndef SM_TESTS_SUPPORT_FAILMALLOC_H
#define SM_TESTS_SUPPORT_FAILMALLOC_H

#include <stdbool.h>

/** From now on the allocation number `nth` (0 = the next one) of this thread fails, once. */
void sm_failmalloc_arm(unsigned nth);

/** Stops failing; returns true if an allocation has failed since it was armed. */
bool sm_failmalloc_disarm(void);

/** Runs `body(context)` with the first, second, third … allocation failing, until none does. */
void sm_failmalloc_each(void (*body)(void *context), void *context);

#endif
