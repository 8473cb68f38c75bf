/* SPDX-License-Identifier: MIT */
/* The GLZ encoder's passes in portable C. */
#include "core/codec/glz/compress.h"
#include "core/codec/lz/here.h"

bool sm_glz_compress_c(struct sm_glz_search *search, enum sm_lz_unit unit, struct sm_block *block,
                       struct sm_glz_references *references)
{
    return glz_compress_any(search, unit, lz_pack_bgr_here, block, references);
}

enum {
    ALPHA_HASHED = 4,
    ALPHA_HASH_BITS = 12,
    ALPHA_LONG_HASHED = 8, /* looked for in other images */
    ALPHA_GOOD_LENGTH = 64,
};

/* The alpha pass and where it is. */
struct alpha_pass {
    const struct sm_glz_search *search;
    const struct sm_glz_references *references;
    const struct sm_glz_entry *own;
    const uint8_t *alpha; /* of the newest image */
    struct lz_unit unit;
    uint32_t pos;
    size_t next;                          /* the reference of the colours that ends behind `pos` */
    uint32_t slots[1 << ALPHA_HASH_BITS]; /* one more than the place in the image; 0: none */
};

static void consider_other(struct glz_found *best, const struct alpha_pass *pass,
                           uint32_t image_distance, int64_t offset)
{
    const struct sm_glz_search *search = pass->search;
    const struct sm_glz_entry *source =
        &search->entries[(search->newest - image_distance) & search->entry_mask];
    if (offset < 0 || offset >= source->count)
        return;
    size_t limit = sm_min_u32(pass->own->count - pass->pos, source->count - (uint32_t)offset);
    size_t length =
        sm_match_length(pass->alpha + pass->pos, search->alpha + source->start + offset, limit);
    glz_take(best, pass->unit, length, (uint32_t)offset, image_distance);
}

/* Alpha beside what a reference of the colours leads to, inside its range or near it. */
static void consider_reference(struct glz_found *best, const struct alpha_pass *pass, size_t i)
{
    const struct sm_glz_reference *list = (const void *)pass->references->room.data;
    if (i < pass->references->count)
        consider_other(best, pass, list[i].image_distance,
                       (int64_t)list[i].offset + pass->pos - list[i].at);
}

/* Alpha of this image, `distance` pixels ago. */
static void consider_own(struct glz_found *best, const struct alpha_pass *pass, uint32_t distance)
{
    const uint8_t *here = pass->alpha + pass->pos;
    size_t length = sm_match_length(here, here - distance, pass->own->count - pass->pos);
    glz_take(best, pass->unit, length, distance - 1, 0);
}

/* Alpha at `seen` of the ring, if that is another image's. */
static void consider_seen(struct glz_found *best, const struct alpha_pass *pass, uint32_t seen)
{
    const struct sm_glz_search *search = pass->search;
    if (sm_load64(pass->alpha + pass->pos) != sm_load64(search->alpha + seen) ||
        seen - pass->own->start < pass->own->count)
        return;
    uint32_t number = glz_image_at(search, seen);
    if (number != UINT32_MAX)
        consider_other(best, pass, search->newest - number,
                       (int64_t)seen - search->entries[number & search->entry_mask].start);
}

static uint32_t *alpha_slot(const struct alpha_pass *pass, uint32_t pos)
{
    uint64_t bytes = sm_load64(pass->alpha + pos);
    uint32_t hash = sm_match_hash(bytes, ALPHA_LONG_HASHED, SM_GLZ_ALPHA_BITS);
    return &pass->search->table->alpha_slots[hash];
}

/* The best match among a run, where these bytes were seen last, here or in other images, and what
 * the colours refer to. */
static struct glz_found find_alpha(struct alpha_pass *pass)
{
    struct glz_found best = {.saved = 1};
    uint64_t bytes = sm_load64(pass->alpha + pass->pos) & UINT32_MAX;
    uint32_t *slot = &pass->slots[sm_match_hash(bytes, ALPHA_HASHED, ALPHA_HASH_BITS)];
    uint32_t *long_slot = alpha_slot(pass, pass->pos);
    uint32_t seen = *slot, seen_long = *long_slot;
    *slot = pass->pos + 1;
    *long_slot = pass->own->start + pass->pos;

    if (pass->pos > 0)
        consider_own(&best, pass, 1);
    if (seen != 0)
        consider_own(&best, pass, pass->pos + 1 - seen);
    consider_reference(&best, pass, pass->next);
    consider_reference(&best, pass, pass->next - 1);
    if (best.length < ALPHA_GOOD_LENGTH)
        consider_seen(&best, pass, seen_long);
    return best;
}

/* Long matches are entered for other images, here and there and where they end. */
static void enter_alpha(const struct alpha_pass *pass, uint32_t end)
{
    for (uint32_t at = pass->pos + GLZ_SPARSE_STEP; at + GLZ_SPARSE_STEP < end;
         at += GLZ_SPARSE_STEP)
        *alpha_slot(pass, at) = pass->own->start + at;
}

bool sm_glz_compress_alpha(const struct sm_glz_search *search, struct sm_block *block,
                           const struct sm_glz_references *references)
{
    const struct sm_glz_entry *own = &search->entries[search->newest & search->entry_mask];
    struct alpha_pass pass = {
        .search = search,
        .references = references,
        .own = own,
        .alpha = search->alpha + own->start,
        .unit = lz_unit_of(SM_LZ_BYTES),
    };
    const struct sm_glz_reference *list = (const void *)references->room.data;
    uint32_t anchor = 0;

    while (pass.pos + ALPHA_HASHED <= own->count) {
        while (pass.next < references->count &&
               list[pass.next].at + list[pass.next].length <= pass.pos)
            pass.next++;
        struct glz_found found = find_alpha(&pass);
        if (found.length == 0) {
            pass.pos++;
            continue;
        }
        if (!lz_put_literal_run(block, pass.unit, lz_pack_bgr_here, pass.alpha + anchor,
                                pass.pos - anchor) ||
            !glz_put_token(block, found.length - pass.unit.bias, found.offset,
                           found.image_distance))
            return false;
        uint32_t end = pass.pos + (uint32_t)found.length;
        if (found.offset != 0 || found.image_distance != 0)
            enter_alpha(&pass, end);
        pass.pos = anchor = end;
    }
    return lz_put_literal_run(block, pass.unit, lz_pack_bgr_here, pass.alpha + anchor,
                              own->count - anchor);
}
