/* SPDX-License-Identifier: MIT */
/*
 * A bounded cursor over bytes. A read past the end yields zero and sets `failed`, so a parser is a
 * straight line with one check at its end.
 */
#ifndef SM_CORE_BASE_READER_H
#define SM_CORE_BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"

/** `bytes` without the first `size` of them (all of them if there are fewer); NULL stays NULL. */
static inline struct sm_bytes sm_bytes_behind(struct sm_bytes bytes, size_t size)
{
    if (size >= bytes.size)
        return (struct sm_bytes){.data = bytes.data ? bytes.data + bytes.size : NULL};
    return (struct sm_bytes){.data = bytes.data + size, .size = bytes.size - size};
}

struct sm_reader {
    const uint8_t *pos, *end; /* borrowed */
    bool failed;
};

static inline struct sm_reader sm_reader(struct sm_bytes bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *data = bytes.data ? bytes.data : nothing;
    return (struct sm_reader){.pos = data, .end = data + (bytes.data ? bytes.size : 0)};
}

/** Bytes not read yet; 0 after a failure. */
static inline size_t sm_left(const struct sm_reader *r)
{
    return r->failed ? 0 : (size_t)(r->end - r->pos);
}

/** The next `size` bytes, borrowed from the input; empty on failure. */
static inline struct sm_bytes sm_get_bytes(struct sm_reader *r, size_t size)
{
    if (r->failed || size > (size_t)(r->end - r->pos)) {
        r->failed = true;
        return (struct sm_bytes){0};
    }
    r->pos += size;
    return (struct sm_bytes){.data = r->pos - size, .size = size};
}

/** All that is left, borrowed from the input. */
static inline struct sm_bytes sm_get_rest(struct sm_reader *r)
{
    return sm_get_bytes(r, sm_left(r));
}

static inline void sm_skip(struct sm_reader *r, size_t size)
{
    (void)sm_get_bytes(r, size);
}

static inline uint8_t sm_get_u8(struct sm_reader *r)
{
    struct sm_bytes b = sm_get_bytes(r, 1);
    return b.size ? b.data[0] : 0;
}

static inline uint16_t sm_get_le16(struct sm_reader *r)
{
    struct sm_bytes b = sm_get_bytes(r, 2);
    return b.size ? (uint16_t)(b.data[0] | b.data[1] << 8) : 0;
}

static inline uint32_t sm_get_le32(struct sm_reader *r)
{
    struct sm_bytes b = sm_get_bytes(r, 4);
    return b.size ? (uint32_t)b.data[0] | (uint32_t)b.data[1] << 8 | (uint32_t)b.data[2] << 16 |
                        (uint32_t)b.data[3] << 24
                  : 0;
}

static inline uint64_t sm_get_le64(struct sm_reader *r)
{
    uint64_t low = sm_get_le32(r);
    uint64_t high = sm_get_le32(r);
    return low | high << 32;
}

static inline uint16_t sm_get_be16(struct sm_reader *r)
{
    struct sm_bytes b = sm_get_bytes(r, 2);
    return b.size ? (uint16_t)(b.data[0] << 8 | b.data[1]) : 0;
}

static inline uint32_t sm_get_be32(struct sm_reader *r)
{
    struct sm_bytes b = sm_get_bytes(r, 4);
    return b.size ? (uint32_t)b.data[0] << 24 | (uint32_t)b.data[1] << 16 |
                        (uint32_t)b.data[2] << 8 | (uint32_t)b.data[3]
                  : 0;
}

static inline uint64_t sm_get_be64(struct sm_reader *r)
{
    uint64_t high = sm_get_be32(r);
    uint64_t low = sm_get_be32(r);
    return high << 32 | low;
}

#endif
