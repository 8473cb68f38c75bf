/* SPDX-License-Identifier: MIT */
/* The GLZ encoder's passes in portable C. */
#include "core/codec/glz/compress.h"

bool sm_glz_compress_c(struct sm_glz_search *search, const uint32_t *own, enum sm_lz_unit unit,
                       struct sm_block *block, struct sm_glz_references *references)
{
    if (unit == SM_LZ_555)
        return glz_compress_body(search, own, SM_LZ_555, block, references);
    return glz_compress_body(search, own, SM_LZ_BGR, block, references);
}

enum {
    ALPHA_HASHED = 4,
    ALPHA_HASH_BITS = 12,
    ALPHA_MIN = 5, /* a token is 3 bytes, and may cost a new literal run */
};

/* The longest match among a run, where these bytes were seen last, and the colours' reference. */
static struct glz_found find_alpha(const uint8_t *alpha, size_t pos, size_t count, uint32_t seen,
                                   const struct sm_glz_reference *reference)
{
    struct glz_found best = {0};
    size_t candidates[2] = {pos, seen};
    for (size_t i = 0; i < 2; i++) {
        size_t from = candidates[i];
        if (from == 0 || from > pos) /* one more than the place; 0 is none */
            continue;
        size_t length = sm_match_length(alpha + pos, alpha + from - 1, count - pos);
        uint32_t offset = (uint32_t)(pos - from);
        if (length >= ALPHA_MIN + (offset >= GLZ_LONG_OFFSET) && length > best.length)
            best = (struct glz_found){.length = length, .offset = offset};
    }
    if (reference && pos >= reference->at && pos - reference->at < reference->length) {
        uint32_t skipped = (uint32_t)pos - reference->at;
        size_t length = reference->length - skipped;
        uint32_t offset = reference->offset + skipped;
        if (length > best.length && length > glz_token_size(offset, reference->image_distance) + 1)
            best = (struct glz_found){length, offset, reference->image_distance};
    }
    return best;
}

bool sm_glz_compress_alpha(const uint8_t *alpha, size_t count, struct sm_block *block,
                           const struct sm_glz_references *references)
{
    const struct lz_unit unit = lz_unit_of(SM_LZ_BYTES);
    const struct sm_glz_reference *list = (const void *)references->room.data;
    uint32_t slots[1 << ALPHA_HASH_BITS] = {0};
    size_t pos = 0, anchor = 0, next = 0;

    while (pos + ALPHA_HASHED <= count) {
        uint32_t hash =
            sm_match_hash(sm_load64(alpha + pos) & UINT32_MAX, ALPHA_HASHED, ALPHA_HASH_BITS);
        uint32_t seen = slots[hash];
        slots[hash] = (uint32_t)pos + 1;
        while (next < references->count && list[next].at + list[next].length <= pos)
            next++;
        struct glz_found found =
            find_alpha(alpha, pos, count, seen, next < references->count ? &list[next] : NULL);
        if (found.length == 0) {
            pos++;
            continue;
        }
        if (!lz_put_literal_run(block, unit, alpha + anchor, pos - anchor) ||
            !glz_put_token(block, found.length - unit.bias, found.offset, found.image_distance))
            return false;
        pos += found.length;
        anchor = pos;
    }
    return lz_put_literal_run(block, unit, alpha + anchor, count - anchor);
}
