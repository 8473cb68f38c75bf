/* SPDX-License-Identifier: MIT */
#include "tests/support/failmalloc.h"

#include <stdlib.h>

static _Thread_local bool armed, has_failed;
static _Thread_local unsigned countdown;

void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t count, size_t size) __attribute__((weak));
void *__real_realloc(void *old, size_t size) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails(void)
{
    if (!armed || countdown-- != 0)
        return false;
    armed = false;
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void sm_failmalloc_arm(unsigned nth)
{
    armed = true;
    has_failed = false;
    countdown = nth;
}

bool sm_failmalloc_disarm(void)
{
    armed = false;
    return has_failed;
}

void sm_failmalloc_each(void (*body)(void *context), void *context)
{
    unsigned nth = 0;
    do {
        sm_failmalloc_arm(nth++);
        body(context);
    } while (sm_failmalloc_disarm());
}
