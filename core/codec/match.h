/* SPDX-License-Identifier: MIT */
/* Finding and measuring matches, for the LZ and GLZ encoders. Sizes are in bytes. */
#ifndef SM_CORE_CODEC_MATCH_H
#define SM_CORE_CODEC_MATCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/codec/copy.h"

enum {
    /** Bytes behind the input that the encoders may read, whatever they hold. */
    SM_MATCH_SLACK = 32,
};

static SM_ALWAYS_INLINE uint64_t sm_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

/* Bytes of `difference`, lowest address first, that are equal. */
static SM_ALWAYS_INLINE size_t sm_equal_bytes(uint64_t difference)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)__builtin_ctzll(difference) / 8;
#else
    return (size_t)__builtin_clzll(difference) / 8;
#endif
}

/** How many bytes at `a` and `b` are equal, at most `limit`; reads up to SM_MATCH_SLACK beyond. */
static SM_ALWAYS_INLINE size_t sm_match_length(const uint8_t *a, const uint8_t *b, size_t limit)
{
    size_t length = 0;
    while (length < limit) {
        uint64_t difference = sm_load64(a + length) ^ sm_load64(b + length);
        if (difference) {
            length += sm_equal_bytes(difference);
            break;
        }
        length += 8;
    }
    return length < limit ? length : limit;
}

/** Spreads `size` (at most 8) bytes from `p` over `bits` bits. */
static SM_ALWAYS_INLINE uint32_t sm_match_hash(uint64_t bytes, size_t size, uint32_t bits)
{
    if (size < 8)
        bytes <<= 8 * (8 - size);
    return (uint32_t)(bytes * 0x9e3779b185ebca87u >> (64 - bits));
}

#endif
