/* SPDX-License-Identifier: MIT */
/* The GLZ encoder's passes in portable C. */
#include "core/codec/glz/compress.h"

bool sm_glz_compress_c(struct sm_glz_search *search, enum sm_lz_unit unit, struct sm_block *block,
                       struct sm_glz_references *references)
{
    if (unit == SM_LZ_555)
        return glz_compress_body(search, SM_LZ_555, block, references);
    return glz_compress_body(search, SM_LZ_BGR, block, references);
}

enum {
    ALPHA_HASHED = 4,
    ALPHA_HASH_BITS = 12,
};

/* Alpha beside what a reference of the colours leads to, inside its range or near it. */
static void consider_reference(struct glz_found *best, const struct sm_glz_search *search,
                               struct lz_unit unit, uint32_t pos,
                               const struct sm_glz_reference *reference)
{
    uint32_t mask = search->entry_mask;
    const struct sm_glz_entry *own = &search->entries[search->newest & mask];
    const struct sm_glz_entry *source =
        &search->entries[(search->newest - reference->image_distance) & mask];
    int64_t offset = (int64_t)reference->offset + pos - reference->at;
    if (offset < 0 || offset >= source->count)
        return;
    size_t limit = sm_min_u32(own->count - pos, source->count - (uint32_t)offset);
    size_t length = sm_match_length(search->alpha + own->start + pos,
                                    search->alpha + source->start + offset, limit);
    glz_take(best, unit, length, (uint32_t)offset, reference->image_distance);
}

/* The best match among a run, where these bytes were seen last, and what the colours refer to. */
static struct glz_found find_alpha(const struct sm_glz_search *search, struct lz_unit unit,
                                   uint32_t pos, uint32_t seen,
                                   const struct sm_glz_references *references, size_t next)
{
    const struct sm_glz_entry *own = &search->entries[search->newest & search->entry_mask];
    const uint8_t *alpha = search->alpha + own->start;
    const struct sm_glz_reference *list = (const void *)references->room.data;
    struct glz_found best = {.saved = 1};
    uint32_t candidates[2] = {pos, seen}; /* one more than the place; 0 is none */
    for (size_t i = 0; i < 2; i++) {
        uint32_t from = candidates[i];
        if (from == 0 || from > pos)
            continue;
        size_t length = sm_match_length(alpha + pos, alpha + from - 1, own->count - pos);
        glz_take(&best, unit, length, pos - from, 0);
    }
    if (next < references->count)
        consider_reference(&best, search, unit, pos, &list[next]);
    if (next > 0)
        consider_reference(&best, search, unit, pos, &list[next - 1]);
    return best;
}

bool sm_glz_compress_alpha(const struct sm_glz_search *search, struct sm_block *block,
                           const struct sm_glz_references *references)
{
    const struct lz_unit unit = lz_unit_of(SM_LZ_BYTES);
    const struct sm_glz_entry *own = &search->entries[search->newest & search->entry_mask];
    const uint8_t *alpha = search->alpha + own->start;
    const struct sm_glz_reference *list = (const void *)references->room.data;
    uint32_t slots[1 << ALPHA_HASH_BITS] = {0};
    uint32_t pos = 0, anchor = 0;
    size_t next = 0;

    while (pos + ALPHA_HASHED <= own->count) {
        uint64_t bytes = sm_load64(alpha + pos) & UINT32_MAX;
        uint32_t *slot = &slots[sm_match_hash(bytes, ALPHA_HASHED, ALPHA_HASH_BITS)];
        uint32_t seen = *slot;
        *slot = pos + 1;
        while (next < references->count && list[next].at + list[next].length <= pos)
            next++;
        struct glz_found found = find_alpha(search, unit, pos, seen, references, next);
        if (found.length == 0) {
            pos++;
            continue;
        }
        if (!lz_put_literal_run(block, unit, alpha + anchor, pos - anchor) ||
            !glz_put_token(block, found.length - unit.bias, found.offset, found.image_distance))
            return false;
        pos += (uint32_t)found.length;
        anchor = pos;
    }
    return lz_put_literal_run(block, unit, alpha + anchor, own->count - anchor);
}
