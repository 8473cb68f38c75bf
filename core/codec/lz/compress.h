/* SPDX-License-Identifier: MIT */
/* The body of the LZ encoder's pass, written once; the files that include it compile it. */
#ifndef SM_CORE_CODEC_LZ_COMPRESS_H
#define SM_CORE_CODEC_LZ_COMPRESS_H

#include "core/base/math.h"
#include "core/codec/lz/encode.h"
#include "core/codec/lz/pass.h"
#include "core/codec/match.h"

/** Packs `count` (1 to 32) words to B, G, R; may read and write up to 16 bytes beyond. */
typedef void lz_pack_bgr_fn(uint8_t *out, const uint8_t *words, size_t count);

static SM_ALWAYS_INLINE void lz_pack_bgr_c(uint8_t *out, const uint8_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + 3 * i, words + 4 * i, 4);
}

static SM_ALWAYS_INLINE bool lz_put_literal_run(struct sm_block *block, struct lz_unit unit,
                                                lz_pack_bgr_fn *pack_bgr, const uint8_t *units,
                                                size_t count)
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
            pack_bgr(p, units, part);
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

/* What the search looks at, for each unit: how many of them each table hashes. */
struct lz_search {
    size_t short_bytes, long_bytes; /* at most 8 and 16 */
};

static SM_ALWAYS_INLINE struct lz_search lz_search_of(enum sm_lz_unit kind)
{
    switch (kind) {
    case SM_LZ_BYTES:
        return (struct lz_search){4, 8};
    case SM_LZ_555:
        return (struct lz_search){4, 8};
    default:
        return (struct lz_search){8, 16};
    }
}

/* A match, and the bytes it saves against literals. */
struct lz_found {
    size_t length, distance;
    ptrdiff_t saved;
};

/* The next position must not run over 32 bits; then everything is forgotten. */
static inline void lz_table_prepare(struct sm_lz_table *table, size_t count)
{
    if (table->base == 0 || table->base > UINT32_MAX - 1 - count) {
        memset(table, 0, sizeof(*table));
        table->base = 1;
    }
}

/* Takes the match at `distance` if it saves more than `best`. */
static SM_ALWAYS_INLINE void lz_consider(struct lz_found *best, struct lz_unit unit,
                                         const uint8_t *here, size_t left, size_t distance)
{
    size_t length =
        sm_match_length(here, here - distance * unit.size, left * unit.size) / unit.size;
    ptrdiff_t saved = (ptrdiff_t)(length * unit.literal_bytes) -
                      (distance <= SM_LZ_NEAR_DISTANCE ? 2 : 4) - (length >= 7 + unit.bias);
    if (saved > best->saved && length > unit.bias)
        *best = (struct lz_found){length, distance, saved};
}

static SM_ALWAYS_INLINE uint64_t lz_load(const uint8_t *here, size_t size)
{
    uint64_t bytes = sm_load64(here);
    return size == 8 ? bytes : bytes & (((uint64_t)1 << 8 * size) - 1);
}

static SM_ALWAYS_INLINE uint32_t lz_short_hash(const uint8_t *here, struct lz_search search)
{
    return sm_match_hash(lz_load(here, search.short_bytes), search.short_bytes, SM_LZ_SHORT_BITS);
}

static SM_ALWAYS_INLINE uint32_t lz_long_hash(const uint8_t *here, struct lz_search search)
{
    uint64_t bytes = sm_load64(here);
    if (search.long_bytes == 16)
        bytes = bytes * 0x9e3779b97f4a7c15u + sm_load64(here + 8);
    return sm_match_hash(bytes, 8, SM_LZ_LONG_BITS);
}

/* Whether what was seen lies within reach and begins alike. */
static SM_ALWAYS_INLINE bool lz_is_likely(const struct sm_lz_table *table, struct lz_search search,
                                          const uint8_t *here, struct lz_unit unit, uint32_t now,
                                          uint32_t seen)
{
    uint32_t distance = now - seen;
    return seen >= table->base && distance <= SM_LZ_FAR_DISTANCE &&
           lz_load(here, search.short_bytes) ==
               lz_load(here - (size_t)distance * unit.size, search.short_bytes);
}

/* The best match at `pos`, which is entered into the tables. */
static SM_ALWAYS_INLINE struct lz_found lz_find(struct sm_lz_table *table, struct lz_unit unit,
                                                struct lz_search search, const uint8_t *units,
                                                size_t pos, size_t count)
{
    struct lz_found best = {.saved = 1}; /* a match may cost a new literal run */
    const uint8_t *here = units + pos * unit.size;
    size_t left = count - pos;
    uint32_t now = table->base + (uint32_t)pos;
    uint32_t *long_slot = &table->long_slots[lz_long_hash(here, search)];
    uint32_t *short_slot = &table->short_slots[lz_short_hash(here, search)];
    uint32_t seen_long = *long_slot, seen_short = *short_slot;
    *long_slot = *short_slot = now;

    if (pos > 0 &&
        lz_load(here, search.short_bytes) == lz_load(here - unit.size, search.short_bytes))
        lz_consider(&best, unit, here, left, 1); /* a run, the commonest thing on screens */
    if (best.length < SM_LZ_GOOD_LENGTH && lz_is_likely(table, search, here, unit, now, seen_long))
        lz_consider(&best, unit, here, left, now - seen_long);
    if (best.length < 4 && lz_is_likely(table, search, here, unit, now, seen_short))
        lz_consider(&best, unit, here, left, now - seen_short);
    return best;
}

/* How many of the units before a match, back to `anchor`, it can cover too. */
static SM_ALWAYS_INLINE size_t lz_backwards(struct lz_unit unit, const uint8_t *units,
                                            size_t anchor, size_t pos, size_t distance)
{
    size_t more = 0;
    while (pos - more > anchor && pos - more > distance) {
        const uint8_t *last = units + (pos - more - 1) * unit.size;
        if (memcmp(last, last - distance * unit.size, unit.size) != 0)
            break;
        more++;
    }
    return more;
}

static SM_ALWAYS_INLINE bool lz_compress_body(struct sm_lz_table *table, const uint8_t *units,
                                              size_t count, enum sm_lz_unit kind,
                                              lz_pack_bgr_fn *pack_bgr, struct sm_block *block)
{
    const struct lz_unit unit = lz_unit_of(kind);
    const struct lz_search search = lz_search_of(kind);
    const size_t ahead = search.short_bytes / unit.size;
    lz_table_prepare(table, count);
    size_t pos = 0, anchor = 0; /* units; between them what will be literals */

    while (pos + ahead <= count) {
        struct lz_found found = lz_find(table, unit, search, units, pos, count);
        if (found.length == 0) { /* the longer nothing is found, the wider the steps */
            pos += 1 + sm_min_size((pos - anchor) >> 6, 7);
            continue;
        }
        size_t before = lz_backwards(unit, units, anchor, pos, found.distance);
        if (!lz_put_literal_run(block, unit, pack_bgr, units + anchor * unit.size,
                                pos - before - anchor) ||
            !lz_put_match_token(block, found.length + before - unit.bias, found.distance))
            return false;
        pos += found.length;
        anchor = pos;
        if (pos + ahead <= count) { /* what comes next may continue this */
            const uint8_t *last = units + (pos - 1) * unit.size;
            uint32_t now = table->base + (uint32_t)pos - 1;
            table->short_slots[lz_short_hash(last, search)] = now;
            table->long_slots[lz_long_hash(last, search)] = now;
        }
    }
    table->base += (uint32_t)count;
    return lz_put_literal_run(block, unit, pack_bgr, units + anchor * unit.size, count - anchor);
}

static SM_ALWAYS_INLINE bool lz_compress_any(struct sm_lz_table *table, const uint8_t *units,
                                             size_t count, enum sm_lz_unit unit,
                                             lz_pack_bgr_fn *pack_bgr, struct sm_block *block)
{
    switch (unit) {
    case SM_LZ_BYTES:
        return lz_compress_body(table, units, count, SM_LZ_BYTES, pack_bgr, block);
    case SM_LZ_555:
        return lz_compress_body(table, units, count, SM_LZ_555, pack_bgr, block);
    default:
        return lz_compress_body(table, units, count, SM_LZ_BGR, pack_bgr, block);
    }
}

#endif
