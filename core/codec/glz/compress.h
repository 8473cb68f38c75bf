/* SPDX-License-Identifier: MIT */
/* The body of the GLZ encoder's pass, written once; the files that include it compile it. */
#ifndef SM_CORE_CODEC_GLZ_COMPRESS_H
#define SM_CORE_CODEC_GLZ_COMPRESS_H

#include "core/codec/glz/encode.h"
#include "core/codec/lz/compress.h"
#include "core/codec/match.h"

enum {
    GLZ_SHORT_OFFSET = 1 << 12,
    GLZ_LONG_OFFSET = 1 << 17,
    /* Within long matches only every so many pixels are entered into the table. */
    GLZ_SPARSE_STEP = 16,
};

/* Bytes of image distance beyond what a token holds anyway. */
static SM_ALWAYS_INLINE uint32_t glz_distance_bytes(uint32_t offset, uint32_t image_distance)
{
    uint32_t rest = offset < GLZ_SHORT_OFFSET ? image_distance >> 6 : image_distance;
    return (rest != 0) + (rest > 0xff) + (rest > 0xffff);
}

/* Bytes of a token without its length extension. */
static SM_ALWAYS_INLINE size_t glz_token_size(uint32_t offset, uint32_t image_distance)
{
    return 3 + glz_distance_bytes(offset, image_distance) + (offset >= GLZ_LONG_OFFSET);
}

static SM_ALWAYS_INLINE bool glz_put_token(struct sm_block *block, size_t length_field,
                                           uint32_t offset, uint32_t image_distance)
{
    bool is_long = offset >= GLZ_SHORT_OFFSET;
    uint32_t more = glz_distance_bytes(offset, image_distance);
    if (!sm_block_ready(block))
        return false;
    *block->pos++ =
        (uint8_t)(sm_min_size(length_field, 7) << 5 | (is_long ? 16 : 0) | (offset & 15));
    if (length_field >= 7 && !lz_put_extension(block, length_field - 7))
        return false;
    uint8_t *p = block->pos;
    *p++ = (uint8_t)(offset >> 4);
    uint32_t rest = image_distance;
    if (is_long) {
        bool has_top = offset >= GLZ_LONG_OFFSET;
        *p++ = (uint8_t)(more << 6 | (has_top ? 32 : 0) | (offset >> 12 & 31));
    } else {
        *p++ = (uint8_t)(more << 6 | (image_distance & 63));
        rest >>= 6;
    }
    for (uint32_t i = 0; i < more; i++)
        *p++ = (uint8_t)(rest >> 8 * i);
    if (offset >= GLZ_LONG_OFFSET)
        *p++ = (uint8_t)(offset >> 17);
    block->pos = p;
    return true;
}

/* The live image of the right type that pixel `place` of the ring belongs to; its number counted
 * like `newest`, or UINT32_MAX. */
static inline uint32_t glz_image_at(const struct sm_glz_search *search, uint32_t place)
{
    /* Starts rise with the number, and begin again once where the ring does. */
    const struct sm_glz_entry *entries = search->entries;
    uint32_t mask = search->entry_mask, first = search->oldest;
    uint32_t pivot = entries[first & mask].start;
    uint32_t low = 0, high = search->newest - first; /* both may be it */
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        uint32_t start = entries[(first + middle) & mask].start;
        /* Distance from the oldest start, going round. */
        bool is_before = (start >= pivot) == (place >= pivot) ? start <= place : start >= pivot;
        if (is_before)
            low = middle;
        else
            high = middle - 1;
    }
    const struct sm_glz_entry *entry = &entries[(first + low) & mask];
    const struct sm_glz_entry *own = &entries[search->newest & mask];
    if (place < entry->start || place - entry->start >= entry->count || entry->type != own->type)
        return UINT32_MAX;
    return first + low;
}

static inline void glz_remember(struct sm_glz_references *references, struct sm_glz_reference add)
{
    if (!references->is_wanted || references->has_failed)
        return;
    size_t size = references->count * sizeof(add);
    uint8_t *room = sm_scratch_grow(&references->room, size, size + sizeof(add));
    if (!room) {
        references->has_failed = true;
        return;
    }
    memcpy(room + size, &add, sizeof(add));
    references->count++;
}

struct glz_found {
    size_t length;
    uint32_t offset, image_distance;
};

/* Measures the match with place `seen` of the ring; a length of 0 if it saves nothing. */
static SM_ALWAYS_INLINE struct glz_found glz_measure(const struct sm_glz_search *search,
                                                     const uint32_t *own, uint32_t pos,
                                                     uint32_t seen, struct lz_unit unit)
{
    const struct sm_glz_entry *entry = &search->entries[search->newest & search->entry_mask];
    struct glz_found found = {0};
    uint32_t left = entry->count - pos;
    if (seen >= entry->start && seen - entry->start < entry->count) {
        uint32_t from = seen - entry->start;
        if (from >= pos)
            return found;
        found.length = sm_match_length((const uint8_t *)(own + pos), (const uint8_t *)(own + from),
                                       (size_t)left * 4) /
                       4;
        found.offset = pos - from - 1;
    } else {
        const uint32_t *here = search->pixels + entry->start + pos;
        if (search->pixels[seen] != here[0] || search->pixels[seen + 1] != here[1])
            return found;
        uint32_t number = glz_image_at(search, seen);
        if (number == UINT32_MAX)
            return found;
        const struct sm_glz_entry *source = &search->entries[number & search->entry_mask];
        uint32_t offset = seen - source->start;
        size_t limit = left < source->count - offset ? left : source->count - offset;
        found.length = sm_match_length((const uint8_t *)here,
                                       (const uint8_t *)(search->pixels + seen), limit * 4) /
                       4;
        found.offset = offset;
        found.image_distance = search->newest - number;
    }
    size_t saved = found.length * unit.literal_bytes;
    if (found.length <= unit.bias ||
        saved <= glz_token_size(found.offset, found.image_distance) + 1)
        found.length = 0;
    return found;
}

static SM_ALWAYS_INLINE uint32_t glz_hash(const uint32_t *pixels)
{
    return sm_match_hash(sm_load64((const uint8_t *)pixels), 8, SM_GLZ_HASH_BITS);
}

static SM_ALWAYS_INLINE bool glz_put_literals(struct sm_block *block, struct lz_unit unit,
                                              const uint32_t *pixels, size_t count)
{
    if (unit.kind == SM_LZ_BGR)
        return lz_put_literal_run(block, unit, (const uint8_t *)pixels, count);
    while (count > 0) { /* 16-bit pixels, each in a word */
        size_t part = sm_min_size(count, SM_LZ_MAX_LITERALS);
        if (!sm_block_ready(block))
            return false;
        *block->pos++ = (uint8_t)(part - 1);
        for (size_t i = 0; i < part; i++) {
            *block->pos++ = (uint8_t)(pixels[i] >> 8);
            *block->pos++ = (uint8_t)pixels[i];
        }
        pixels += part;
        count -= part;
    }
    return true;
}

static SM_ALWAYS_INLINE bool glz_compress_body(struct sm_glz_search *search, const uint32_t *own,
                                               enum sm_lz_unit kind, struct sm_block *block,
                                               struct sm_glz_references *references)
{
    struct lz_unit unit = lz_unit_of(kind == SM_LZ_555 ? SM_LZ_555_WIDENED : SM_LZ_BGR);
    const struct sm_glz_entry *entry = &search->entries[search->newest & search->entry_mask];
    const uint32_t start = entry->start, count = entry->count;
    uint32_t *slots = search->slots;
    uint32_t pos = 0, anchor = 0; /* pixels; between them what will be literals */

    while (pos + 2 <= count) {
        const uint32_t *here = own + pos;
        uint32_t *slot = &slots[glz_hash(here)];
        uint32_t seen = *slot;
        *slot = start + pos;
        struct glz_found found;
        if (pos > 0 && here[0] == here[-1] && here[1] == here[0])
            found = glz_measure(search, own, pos, start + pos - 1, unit);
        else
            found = glz_measure(search, own, pos, seen, unit);
        if (found.length == 0) {
            pos++;
            continue;
        }
        if (!glz_put_literals(block, unit, own + anchor, pos - anchor) ||
            !glz_put_token(block, found.length - unit.bias, found.offset, found.image_distance))
            return false;
        if (found.image_distance) {
            glz_remember(references, (struct sm_glz_reference){pos, (uint32_t)found.length,
                                                               found.offset, found.image_distance});
        }
        uint32_t end = pos + (uint32_t)found.length;
        if (found.offset != 0 || found.image_distance != 0) {
            for (pos += GLZ_SPARSE_STEP; pos + GLZ_SPARSE_STEP < end; pos += GLZ_SPARSE_STEP)
                slots[glz_hash(own + pos)] = start + pos;
        }
        pos = anchor = end;
        if (pos + 2 <= count)
            slots[glz_hash(own + pos - 1)] = start + pos - 1;
    }
    return glz_put_literals(block, unit, own + anchor, count - anchor);
}

#endif
