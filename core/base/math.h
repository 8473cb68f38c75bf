/* SPDX-License-Identifier: MIT */
/* Small integer helpers without surprises. */
#ifndef SM_CORE_BASE_MATH_H
#define SM_CORE_BASE_MATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SM_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** Rounds `value` up to a multiple of `step`, a power of two; the caller knows it does not wrap. */
static inline size_t sm_round_up(size_t value, size_t step)
{
    return (value + step - 1) & ~(step - 1);
}

static inline uint32_t sm_min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t sm_max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint64_t sm_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline int32_t sm_min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t sm_max_i32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static inline size_t sm_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
