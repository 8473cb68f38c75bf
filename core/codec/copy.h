/* SPDX-License-Identifier: MIT */
/*
 * Copies for LZ-like decoders: matches that overlap, and writes wider than asked for where there is
 * room. All sizes are in bytes.
 */
#ifndef SM_CORE_CODEC_COPY_H
#define SM_CORE_CODEC_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SM_ALWAYS_INLINE inline __attribute__((always_inline))

enum {
    /** How far past the asked end the wide copies may write. */
    SM_COPY_SLACK = 32,
};

/* A fixed size makes memcpy one or two vector moves wherever there are vectors. */
static SM_ALWAYS_INLINE void sm_copy_16(uint8_t *to, const uint8_t *from)
{
    uint8_t v[16];
    memcpy(v, from, 16);
    memcpy(to, v, 16);
}

static SM_ALWAYS_INLINE void sm_copy_32(uint8_t *to, const uint8_t *from)
{
    uint8_t v[32];
    memcpy(v, from, 32);
    memcpy(to, v, 32);
}

/** Copies `size` bytes that do not overlap, writing up to SM_COPY_SLACK bytes more. */
static SM_ALWAYS_INLINE void sm_copy_wide(uint8_t *to, const uint8_t *from, size_t size)
{
    const uint8_t *end = to + size;
    do {
        sm_copy_32(to, from);
        to += 32;
        from += 32;
    } while (to < end);
}

/** Fills `size` bytes with a unit of `unit_size` (1, 2 or 4), writing up to SM_COPY_SLACK more. */
static SM_ALWAYS_INLINE void sm_fill_wide(uint8_t *to, const uint8_t *unit, size_t unit_size,
                                          size_t size)
{
    uint8_t pattern[32];
    for (size_t i = 0; i < sizeof(pattern); i += unit_size)
        memcpy(pattern + i, unit, unit_size);
    const uint8_t *end = to + size;
    do {
        memcpy(to, pattern, sizeof(pattern));
        to += sizeof(pattern);
    } while (to < end);
}

/**
 * Repeats what lies `distance` bytes before `to`, unit by unit, for `size` bytes; both are
 * multiples of `unit_size`, and not 0. Writes up to SM_COPY_SLACK bytes more.
 */
static SM_ALWAYS_INLINE void sm_copy_match_wide(uint8_t *to, size_t distance, size_t size,
                                                size_t unit_size)
{
    if (distance >= 32 || distance >= size) {
        sm_copy_wide(to, to - distance, size); /* overlaps only what earlier steps have written */
        return;
    }
    if (distance == unit_size) {
        sm_fill_wide(to, to - unit_size, unit_size, size);
        return;
    }
    /* A short period: once written out to 32 bytes or more, it can be copied in wide steps. */
    size_t period = distance;
    while (period < 32)
        period += distance;
    const uint8_t *from = to - distance;
    size_t first = size < period ? size : period;
    for (size_t i = 0; i < first; i += unit_size)
        memcpy(to + i, from + i, unit_size);
    if (size > period)
        sm_copy_wide(to + period, to, size - period);
}

/** The same to the byte, for the end of a buffer. */
static SM_ALWAYS_INLINE void sm_copy_match_exact(uint8_t *to, size_t distance, size_t size,
                                                 size_t unit_size)
{
    if (distance >= size) {
        memcpy(to, to - distance, size);
        return;
    }
    const uint8_t *from = to - distance;
    for (size_t i = 0; i < size; i += unit_size)
        memcpy(to + i, from + i, unit_size);
}

#endif
