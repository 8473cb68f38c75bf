/* SPDX-License-Identifier: MIT */
/* The body of a GLZ pass, written once; the files that include it compile it for their processor.
 */
#ifndef SM_CORE_CODEC_GLZ_PASS_H
#define SM_CORE_CODEC_GLZ_PASS_H

#include "core/codec/glz/glz.h"
#include "core/codec/lz/pass.h"

struct glz_match {
    size_t length, offset;
    uint32_t image_distance;
};

/* The little-endian number that `count` (0 to 3) bytes make. */
static SM_ALWAYS_INLINE uint32_t glz_get_number(const uint8_t **p, uint32_t count)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value |= (uint32_t) * (*p)++ << 8 * i;
    return value;
}

/* Reads what follows the control byte; false if the input ends or the length exceeds `left`. */
static SM_ALWAYS_INLINE bool glz_get_match(const uint8_t **at, const uint8_t *end, uint32_t control,
                                           size_t bias, size_t left, struct glz_match *match)
{
    const uint8_t *p = *at;
    size_t length = control >> 5;
    if (length == 7) {
        size_t extension;
        do {
            if (p == end || length > left)
                return false;
            extension = *p++;
            length += extension;
        } while (extension == 255);
    }
    match->length = length + bias;
    if (match->length > left || end - p < 2)
        return false;

    uint32_t offset = (control & 15) | (uint32_t)p[0] << 4;
    uint32_t form = p[1];
    uint32_t more = form >> 6;
    p += 2;
    bool is_long = control & 16;
    bool has_top = is_long && form & 32;
    if ((size_t)(end - p) < more + has_top)
        return false;
    if (is_long) {
        offset |= (form & 31) << 12;
        match->image_distance = glz_get_number(&p, more);
        if (has_top)
            offset |= (uint32_t)*p++ << 17;
    } else {
        match->image_distance = (form & 63) | glz_get_number(&p, more) << 6;
    }
    match->offset = offset;
    *at = p;
    return true;
}

static SM_ALWAYS_INLINE enum sm_glz_result glz_copy_from_image(struct sm_glz_pass *pass,
                                                               struct lz_unit unit, uint8_t *to,
                                                               const struct glz_match *match)
{
    if (match->image_distance > pass->id - pass->oldest)
        return SM_GLZ_MALFORMED;
    uint64_t id = pass->id - match->image_distance;
    struct sm_glz_source source = pass->find(pass->context, id);
    if (!source.pixels) {
        pass->awaited = id;
        return source.is_gone ? SM_GLZ_MALFORMED : SM_GLZ_WAITS;
    }
    if (match->offset > source.count || match->length > source.count - match->offset)
        return SM_GLZ_MALFORMED;
    const uint8_t *from = (const uint8_t *)(source.pixels + match->offset);
    if (unit.kind == SM_LZ_ALPHA) {
        for (size_t i = 0; i < match->length; i++)
            to[4 * i + 3] = from[4 * i + 3];
    } else {
        sm_copy_wide(to, from, match->length * 4);
    }
    return SM_GLZ_DONE;
}

static SM_ALWAYS_INLINE enum sm_glz_result
glz_pass_body(struct sm_glz_pass *pass, enum sm_lz_unit kind, lz_expand_bgr_fn *expand_bgr)
{
    const struct lz_unit unit = lz_unit_of(kind);
    const uint8_t *p = pass->data.data + pass->offset;
    const uint8_t *const end = pass->data.data + pass->data.size;
    const size_t count = pass->count;
    size_t done = pass->done;
    enum sm_glz_result result = SM_GLZ_DONE;

    while (done < count) {
        const uint8_t *token = p;
        size_t left = count - done;
        uint8_t *to = pass->out + done * 4;
        if (p == end)
            return SM_GLZ_MALFORMED;
        uint32_t control = *p++;
        if (control < SM_LZ_MAX_LITERALS) {
            size_t literals = control + 1;
            size_t in_left = (size_t)(end - p);
            if (literals > left || in_left < literals * unit.literal_bytes)
                return SM_GLZ_MALFORMED;
            lz_put_literals(unit, expand_bgr, to, p, literals, in_left,
                            left * 4 + SM_GLZ_SLACK_BYTES);
            p += literals * unit.literal_bytes;
            done += literals;
            continue;
        }
        struct glz_match match;
        if (!glz_get_match(&p, end, control, unit.bias, left, &match))
            return SM_GLZ_MALFORMED;
        if (match.image_distance == 0) {
            if (match.offset >= done)
                return SM_GLZ_MALFORMED;
            lz_put_match(unit, to, match.offset + 1, match.length, left * 4 + SM_GLZ_SLACK_BYTES);
        } else {
            result = glz_copy_from_image(pass, unit, to, &match);
            if (result != SM_GLZ_DONE) {
                p = token; /* to be read again */
                break;
            }
        }
        done += match.length;
    }
    pass->offset = (size_t)(p - pass->data.data);
    pass->done = (uint32_t)done;
    return result;
}

static SM_ALWAYS_INLINE enum sm_glz_result
glz_pass_any(struct sm_glz_pass *pass, enum sm_lz_unit unit, lz_expand_bgr_fn *expand_bgr)
{
    switch (unit) {
    case SM_LZ_555_WIDENED:
        return glz_pass_body(pass, SM_LZ_555_WIDENED, expand_bgr);
    case SM_LZ_BGR:
        return glz_pass_body(pass, SM_LZ_BGR, expand_bgr);
    case SM_LZ_ALPHA:
        return glz_pass_body(pass, SM_LZ_ALPHA, expand_bgr);
    case SM_LZ_BYTES:
    case SM_LZ_555:
        break;
    }
    return SM_GLZ_MALFORMED;
}

#endif
