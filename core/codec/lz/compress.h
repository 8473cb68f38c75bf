/* SPDX-License-Identifier: MIT */
/* The body of the LZ encoder's pass, written once; the files that include it compile it. */
#ifndef SM_CORE_CODEC_LZ_COMPRESS_H
#define SM_CORE_CODEC_LZ_COMPRESS_H

#include "core/base/math.h"
#include "core/codec/lz/encode.h"
#include "core/codec/lz/pass.h"
#include "core/codec/match.h"

/** Packs `count` (1 to 32) words to B, G, R; may write up to 8 bytes beyond. */
static SM_ALWAYS_INLINE void lz_pack_bgr(uint8_t *out, const uint8_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + 3 * i, words + 4 * i, 4);
}

static SM_ALWAYS_INLINE bool lz_put_literal_run(struct sm_block *block, struct lz_unit unit,
                                                const uint8_t *units, size_t count)
{
    while (count > 0) {
        size_t part = sm_min_size(count, SM_LZ_MAX_LITERALS);
        if (!sm_block_ready(block))
            return false;
        uint8_t *p = block->pos;
        *p++ = (uint8_t)(part - 1);
        switch (unit.kind) {
        case SM_LZ_BYTES:
            sm_copy_32(p, units);
            break;
        case SM_LZ_555:
            for (size_t i = 0; i < part; i++) {
                p[2 * i] = units[2 * i + 1];
                p[2 * i + 1] = units[2 * i];
            }
            break;
        default:
            lz_pack_bgr(p, units, part);
            break;
        }
        block->pos = p + part * unit.literal_bytes;
        units += part * unit.size;
        count -= part;
    }
    return true;
}

/* The part of a length beyond what the control byte says. */
static SM_ALWAYS_INLINE bool lz_put_extension(struct sm_block *block, size_t rest)
{
    while (rest >= 255) {
        if (!sm_block_ready(block))
            return false;
        *block->pos++ = 255;
        rest -= 255;
    }
    *block->pos++ = (uint8_t)rest;
    return sm_block_ready(block);
}

static SM_ALWAYS_INLINE bool lz_put_match_token(struct sm_block *block, size_t length_field,
                                                size_t distance)
{
    size_t field = distance - 1;
    bool is_far = field >= SM_LZ_NEAR_DISTANCE;
    size_t short_field = is_far ? SM_LZ_NEAR_DISTANCE : field;
    if (!sm_block_ready(block))
        return false;
    *block->pos++ = (uint8_t)(sm_min_size(length_field, 7) << 5 | short_field >> 8);
    if (length_field >= 7 && !lz_put_extension(block, length_field - 7))
        return false;
    *block->pos++ = (uint8_t)short_field;
    if (is_far) {
        *block->pos++ = (uint8_t)((field - SM_LZ_NEAR_DISTANCE) >> 8);
        *block->pos++ = (uint8_t)(field - SM_LZ_NEAR_DISTANCE);
    }
    return true;
}

/* What the search looks at, for each unit: how many units are hashed, and the shortest match that
 * saves bytes, near and far. */
struct lz_search {
    size_t hashed, near_min, far_min;
};

static SM_ALWAYS_INLINE struct lz_search lz_search_of(enum sm_lz_unit kind)
{
    switch (kind) {
    case SM_LZ_BYTES:
        return (struct lz_search){4, 4, 6};
    case SM_LZ_555:
        return (struct lz_search){2, 2, 3};
    default:
        return (struct lz_search){2, 2, 2};
    }
}

/* The next position must not run over 32 bits; then everything is forgotten. */
static inline void lz_table_prepare(struct sm_lz_table *table, size_t count)
{
    if (table->base == 0 || table->base > UINT32_MAX - 1 - count) {
        memset(table->slots, 0, sizeof(table->slots));
        table->base = 1;
    }
}

static SM_ALWAYS_INLINE bool lz_compress_body(struct sm_lz_table *table, const uint8_t *units,
                                              size_t count, enum sm_lz_unit kind,
                                              struct sm_block *block)
{
    const struct lz_unit unit = lz_unit_of(kind);
    const struct lz_search search = lz_search_of(kind);
    const size_t hashed_bytes = search.hashed * unit.size;
    const uint64_t mask = hashed_bytes == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * hashed_bytes) - 1;
    lz_table_prepare(table, count);
    const uint32_t base = table->base;
    uint32_t *slots = table->slots;
    size_t pos = 0, anchor = 0; /* units; between them what will be literals */

    while (pos + search.hashed <= count) {
        const uint8_t *here = units + pos * unit.size;
        uint64_t bytes = sm_load64(here) & mask;
        uint32_t *slot = &slots[sm_match_hash(bytes, hashed_bytes, SM_LZ_HASH_BITS)];
        uint32_t seen = *slot;
        *slot = base + (uint32_t)pos;
        size_t distance, least;
        if (pos > 0 && (sm_load64(here - unit.size) & mask) == bytes) {
            distance = 1; /* a run, the commonest thing on screens */
            least = search.near_min;
        } else {
            if (seen < base) {
                pos++;
                continue;
            }
            distance = base + pos - seen;
            least = distance <= SM_LZ_NEAR_DISTANCE ? search.near_min : search.far_min;
            if (distance > SM_LZ_FAR_DISTANCE ||
                (sm_load64(here - distance * unit.size) & mask) != bytes) {
                pos++;
                continue;
            }
        }
        size_t length =
            sm_match_length(here, here - distance * unit.size, (count - pos) * unit.size) /
            unit.size;
        if (length < least) {
            pos++;
            continue;
        }
        if (!lz_put_literal_run(block, unit, units + anchor * unit.size, pos - anchor) ||
            !lz_put_match_token(block, length - unit.bias, distance))
            return false;
        pos += length;
        anchor = pos;
        if (pos + search.hashed <= count) { /* what comes next may continue this */
            uint64_t last = sm_load64(units + (pos - 1) * unit.size) & mask;
            slots[sm_match_hash(last, hashed_bytes, SM_LZ_HASH_BITS)] = base + (uint32_t)pos - 1;
        }
    }
    table->base = base + (uint32_t)count;
    return lz_put_literal_run(block, unit, units + anchor * unit.size, count - anchor);
}

static SM_ALWAYS_INLINE bool lz_compress_any(struct sm_lz_table *table, const uint8_t *units,
                                             size_t count, enum sm_lz_unit unit,
                                             struct sm_block *block)
{
    switch (unit) {
    case SM_LZ_BYTES:
        return lz_compress_body(table, units, count, SM_LZ_BYTES, block);
    case SM_LZ_555:
        return lz_compress_body(table, units, count, SM_LZ_555, block);
    default:
        return lz_compress_body(table, units, count, SM_LZ_BGR, block);
    }
}

#endif
