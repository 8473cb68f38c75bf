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

/** A match, and the bytes it saves against literals. */
struct glz_found {
    size_t length;
    uint32_t offset, image_distance;
    ptrdiff_t saved;
};

/* The pass and where it is. */
struct glz_pass {
    const struct sm_glz_search *search;
    const uint32_t *own; /* in the ring */
    struct lz_unit unit;
    uint32_t start, count; /* of the newest image in the ring */
    uint32_t pos;
};

static SM_ALWAYS_INLINE bool glz_is_alike(const uint32_t *a, const uint32_t *b)
{
    return sm_load64((const uint8_t *)a) == sm_load64((const uint8_t *)b);
}

/* Takes a match if it saves more than `best`. */
static SM_ALWAYS_INLINE void glz_take(struct glz_found *best, struct lz_unit unit, size_t length,
                                      uint32_t offset, uint32_t image_distance)
{
    ptrdiff_t saved = (ptrdiff_t)(length * unit.literal_bytes) -
                      (ptrdiff_t)glz_token_size(offset, image_distance) - (length >= 7 + unit.bias);
    if (saved > best->saved && length > unit.bias)
        *best = (struct glz_found){length, offset, image_distance, saved};
}

/* Measures the match with place `seen` of the ring. */
static SM_ALWAYS_INLINE void glz_consider(struct glz_found *best, const struct glz_pass *pass,
                                          uint32_t seen)
{
    const struct sm_glz_search *search = pass->search;
    const uint32_t *here = pass->own + pass->pos, *there = search->pixels + seen;
    if (!glz_is_alike(here, there))
        return;
    uint32_t limit = pass->count - pass->pos;
    uint32_t from = seen - pass->start; /* huge if it lies before */
    uint32_t offset = pass->pos - from - 1, image_distance = 0;
    if (from < pass->count) {
        if (from >= pass->pos)
            return;
    } else {
        uint32_t number = glz_image_at(search, seen);
        if (number == UINT32_MAX)
            return;
        const struct sm_glz_entry *source = &search->entries[number & search->entry_mask];
        offset = seen - source->start;
        image_distance = search->newest - number;
        limit = sm_min_u32(limit, source->count - offset);
    }
    size_t length =
        sm_match_length((const uint8_t *)here, (const uint8_t *)there, (size_t)limit * 4) / 4;
    glz_take(best, pass->unit, length, offset, image_distance);
}

static SM_ALWAYS_INLINE uint32_t *glz_short_slot(struct sm_glz_table *table, const uint32_t *pixels)
{
    uint64_t bytes = sm_load64((const uint8_t *)pixels);
    return &table->short_slots[sm_match_hash(bytes, 8, SM_GLZ_SHORT_BITS)];
}

static SM_ALWAYS_INLINE uint32_t *glz_long_slot(struct sm_glz_table *table, const uint32_t *pixels)
{
    uint64_t bytes = sm_load64((const uint8_t *)pixels) * 0x9e3779b97f4a7c15u +
                     sm_load64((const uint8_t *)(pixels + 2));
    return &table->long_slots[sm_match_hash(bytes, 8, SM_GLZ_LONG_BITS)];
}

/*
 * The best match at the present pixel, which is entered into the table. `parallel` is the place in
 * the ring that the last match in another image would go on to, or UINT32_MAX.
 */
static SM_ALWAYS_INLINE struct glz_found glz_find(const struct glz_pass *pass, uint32_t parallel)
{
    struct glz_found best = {.saved = 1}; /* a match may cost a new literal run */
    const uint32_t *here = pass->own + pass->pos;
    uint32_t now = pass->start + pass->pos;
    uint32_t *long_slot = glz_long_slot(pass->search->table, here);
    uint32_t *short_slot = glz_short_slot(pass->search->table, here);
    uint32_t seen_long = *long_slot, seen_short = *short_slot;
    *long_slot = *short_slot = now;

    if (pass->pos > 0 && here[0] == here[-1] && here[1] == here[0])
        glz_consider(&best, pass, now - 1); /* a run, the commonest thing on screens */
    if (parallel != UINT32_MAX)
        glz_consider(&best, pass, parallel);
    if (best.length < SM_LZ_GOOD_LENGTH)
        glz_consider(&best, pass, seen_long);
    if (best.length < 8)
        glz_consider(&best, pass, seen_short);
    return best;
}

static SM_ALWAYS_INLINE bool glz_put_literals(struct sm_block *block, struct lz_unit unit,
                                              lz_pack_bgr_fn *pack_bgr, const uint32_t *pixels,
                                              size_t count)
{
    if (unit.kind == SM_LZ_BGR)
        return lz_put_literal_run(block, unit, pack_bgr, (const uint8_t *)pixels, count);
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

/* Where an image of the newest one's size is remembered, by pixels here and there. */
static inline uint32_t *glz_picture_slot(const struct sm_glz_search *search)
{
    enum { SAMPLES = 16 };
    const struct sm_glz_entry *own = &search->entries[search->newest & search->entry_mask];
    const uint8_t *pixels = (const uint8_t *)(search->pixels + own->start);
    uint64_t mixed = (uint64_t)own->count << 8 | own->type;
    for (uint64_t i = 0; i < SAMPLES; i++)
        mixed = (mixed ^ sm_load64(pixels + own->count * i / SAMPLES * 4)) * 0x9e3779b97f4a7c15u;
    return &search->table->pictures[sm_match_hash(mixed, 8, SM_GLZ_PICTURE_BITS)];
}

/* Whether image `number` is live and of the size and type of the newest one. */
static inline bool glz_is_of_size(const struct sm_glz_search *search, uint32_t number)
{
    if (number - search->oldest >= search->newest - search->oldest)
        return false;
    const struct sm_glz_entry *own = &search->entries[search->newest & search->entry_mask];
    const struct sm_glz_entry *entry = &search->entries[number & search->entry_mask];
    return entry->type == own->type && entry->count == own->count;
}

/*
 * Where to look first: the same picture, if it was there, or one of the last ones of the same size,
 * which is likely to be much the same. The way from here to there in the ring; 0: nowhere.
 */
static inline int64_t glz_first_parallel(const struct sm_glz_search *search)
{
    enum { LOOK_BACK = 8 };
    uint32_t *slot = glz_picture_slot(search), number = *slot;
    *slot = search->newest;
    for (uint32_t i = 1; !glz_is_of_size(search, number); i++) {
        if (i > LOOK_BACK)
            return 0;
        number = search->newest - i;
    }
    const struct sm_glz_entry *own = &search->entries[search->newest & search->entry_mask];
    return (int64_t)search->entries[number & search->entry_mask].start - own->start;
}

/* Long matches are entered into the table here and there, for images that repeat parts of them. */
static SM_ALWAYS_INLINE void glz_enter(const struct glz_pass *pass, uint32_t end)
{
    struct sm_glz_table *table = pass->search->table;
    for (uint32_t at = pass->pos + GLZ_SPARSE_STEP; at + GLZ_SPARSE_STEP < end;
         at += GLZ_SPARSE_STEP)
        *glz_long_slot(table, pass->own + at) = pass->start + at;
    if (end + 2 <= pass->count) { /* what comes next may continue this */
        *glz_short_slot(table, pass->own + end - 1) = pass->start + end - 1;
        *glz_long_slot(table, pass->own + end - 1) = pass->start + end - 1;
    }
}

/* Lets a match cover pixels before it too, back to `anchor`. */
static SM_ALWAYS_INLINE void glz_stretch_back(struct glz_pass *pass, struct glz_found *found,
                                              uint32_t anchor)
{
    const struct sm_glz_search *search = pass->search;
    uint32_t number = search->newest - found->image_distance;
    const struct sm_glz_entry *source = &search->entries[number & search->entry_mask];
    uint32_t from = found->image_distance ? found->offset : pass->pos - 1 - found->offset;
    const uint32_t *there = search->pixels + source->start + from;
    uint32_t more = 0, limit = sm_min_u32(from, pass->pos - anchor);
    while (more < limit && pass->own[pass->pos - more - 1] == *(there - more - 1))
        more++;
    pass->pos -= more;
    found->length += more;
    if (found->image_distance)
        found->offset -= more;
}

static SM_ALWAYS_INLINE bool glz_compress_body(struct sm_glz_search *search, enum sm_lz_unit kind,
                                               lz_pack_bgr_fn *pack_bgr, struct sm_block *block,
                                               struct sm_glz_references *references)
{
    const struct sm_glz_entry *entry = &search->entries[search->newest & search->entry_mask];
    struct glz_pass pass = {
        .search = search,
        .own = search->pixels + entry->start,
        .unit = lz_unit_of(kind == SM_LZ_555 ? SM_LZ_555_WIDENED : SM_LZ_BGR),
        .start = entry->start,
        .count = entry->count,
    };
    uint32_t anchor = 0;                           /* from here on there will be literals */
    int64_t parallel = glz_first_parallel(search); /* to the place in the ring; 0: none */

    while (pass.pos + 2 <= pass.count) {
        int64_t place = (int64_t)pass.start + pass.pos + parallel;
        bool has_place = parallel && place >= 0 && place < search->ring_end;
        struct glz_found found = glz_find(&pass, has_place ? (uint32_t)place : UINT32_MAX);
        if (found.length == 0) { /* the longer nothing is found, the wider the steps */
            pass.pos += 1 + sm_min_u32((pass.pos - anchor) >> 6, 7);
            continue;
        }
        if (pass.pos > anchor)
            glz_stretch_back(&pass, &found, anchor);
        if (!glz_put_literals(block, pass.unit, pack_bgr, pass.own + anchor, pass.pos - anchor) ||
            !glz_put_token(block, found.length - pass.unit.bias, found.offset,
                           found.image_distance))
            return false;
        if (found.image_distance) {
            struct sm_glz_reference reference = {pass.pos, (uint32_t)found.length, found.offset,
                                                 found.image_distance};
            glz_remember(references, reference);
            uint32_t number = search->newest - found.image_distance;
            parallel = (int64_t)search->entries[number & search->entry_mask].start + found.offset -
                       pass.start - pass.pos;
        }
        uint32_t end = pass.pos + (uint32_t)found.length;
        if (found.offset != 0 || found.image_distance != 0)
            glz_enter(&pass, end);
        pass.pos = anchor = end;
    }
    return glz_put_literals(block, pass.unit, pack_bgr, pass.own + anchor, pass.count - anchor);
}

static SM_ALWAYS_INLINE bool glz_compress_any(struct sm_glz_search *search, enum sm_lz_unit unit,
                                              lz_pack_bgr_fn *pack_bgr, struct sm_block *block,
                                              struct sm_glz_references *references)
{
    if (unit == SM_LZ_555)
        return glz_compress_body(search, SM_LZ_555, pack_bgr, block, references);
    return glz_compress_body(search, SM_LZ_BGR, pack_bgr, block, references);
}

#endif
