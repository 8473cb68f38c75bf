/* SPDX-License-Identifier: MIT */
/*
 * The QUIC row decoder, written once; the files that include it compile it for their processor.
 */
#ifndef SM_CORE_CODEC_QUIC_DECODE_BODY_H
#define SM_CORE_CODEC_QUIC_DECODE_BODY_H

#include "core/codec/quic/decode.h"
#include "core/codec/quic/model.h"

static SM_ALWAYS_INLINE uint32_t quic_load_word(const uint8_t *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
#else
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
#endif
}

/* At least 33 bits, zeros once the stream has ended: what was missing is counted and judged later.
 */
static SM_ALWAYS_INLINE void quic_refill(struct sm_quic_bits *b)
{
    if (b->count > 32)
        return;
    if (QUIC_UNLIKELY(b->pos == b->end)) {
        b->missing += 32;
    } else {
        b->bits |= (uint64_t)quic_load_word(b->pos) << (32 - b->count);
        b->pos += 4;
    }
    b->count += 32;
}

static SM_ALWAYS_INLINE void quic_drop(struct sm_quic_bits *b, uint32_t count)
{
    b->bits <<= count;
    b->count -= (int32_t)count;
}

/* The value of the next codeword. An escape can say more than the depth holds: noted in `wrong`. */
static SM_ALWAYS_INLINE uint32_t quic_get_value(struct sm_quic_bits *b,
                                                const struct sm_quic_family *family, uint32_t code,
                                                uint32_t depth)
{
    quic_refill(b);
    uint32_t zeros = (uint32_t)__builtin_clzll(b->bits | 1);
    if (QUIC_UNLIKELY(zeros >= family->prefix[code])) {
        uint32_t suffix = family->suffix[code];
        quic_drop(b, family->prefix[code]);
        uint32_t value = family->escape_start[code] + (uint32_t)(b->bits >> (64 - suffix));
        quic_drop(b, suffix);
        b->wrong |= value >> depth;
        return value & ((1u << depth) - 1);
    }
    uint32_t value = ((zeros - 1) << code) + (uint32_t)(b->bits << zeros >> (63 - code));
    quic_drop(b, zeros + 1 + code);
    return value;
}

/* A run length; beyond `limit` it is wrong. */
static SM_ALWAYS_INLINE uint32_t quic_get_run(struct sm_quic_bits *b, struct sm_quic_plane *plane,
                                              uint32_t limit)
{
    uint32_t run = 0;
    quic_refill(b);
    while (b->bits >> 63) {
        quic_drop(b, 1);
        quic_refill(b);
        run += 1u << sm_quic_run_exponents[plane->run_state];
        if (plane->run_state < SM_QUIC_RUN_STATES - 1)
            plane->run_state++;
        if (QUIC_UNLIKELY(run > limit)) {
            b->wrong = 1;
            return limit;
        }
    }
    uint32_t exponent = sm_quic_run_exponents[plane->run_state];
    quic_drop(b, 1);
    run += (uint32_t)(b->bits >> 1 >> (63 - exponent));
    quic_drop(b, exponent);
    if (plane->run_state > 0)
        plane->run_state--;
    if (QUIC_UNLIKELY(run > limit)) {
        b->wrong = 1;
        return limit;
    }
    return run;
}

/* The folded residuals of a pixel, with all care. */
static SM_ALWAYS_INLINE uint32_t quic_get_pixel_slowly(struct sm_quic_bits *b,
                                                       const struct sm_quic_family *family,
                                                       const struct sm_quic_plane *plane,
                                                       struct quic_layout layout, uint32_t context)
{
    const struct sm_quic_component *c = plane->components;
    uint32_t shift = layout.first_shift, depth = layout.depth;
    uint32_t code = c[0].code_of[context >> shift & 0xff];
    uint32_t folded = quic_get_value(b, family, code, depth) << shift;
    if (layout.count == 3) {
        folded |= quic_get_value(b, family, c[1].code_of[context >> 8 & 0xff], depth) << 8;
        folded |= quic_get_value(b, family, c[2].code_of[context & 0xff], depth);
    }
    return folded;
}

/* Where the codewords of a pixel have got to. */
struct quic_haste {
    uint64_t bits;
    int32_t count;       /* below 0: some were not there */
    uint32_t has_escape; /* some value is wrong */
};

static SM_ALWAYS_INLINE uint32_t quic_take(struct quic_haste *h,
                                           const struct sm_quic_family *family,
                                           const struct sm_quic_component *component,
                                           uint32_t context)
{
    uint32_t code = component->code_of[context & 0xff];
    uint32_t zeros = (uint32_t)__builtin_clzll(h->bits | 1);
    h->has_escape |= zeros >= family->prefix[code];
    uint64_t bits = h->bits << zeros;
    h->bits = bits << 1 << code;
    h->count -= (int32_t)(zeros + 1 + code);
    return ((zeros - 1) << code) + (uint32_t)(bits >> (63 - code));
}

/*
 * The same in haste: mostly all codewords of a pixel are in the buffer and none escapes, and it is
 * enough to look for that when they are taken apart.
 */
static SM_ALWAYS_INLINE uint32_t quic_get_pixel(struct sm_quic_bits *b,
                                                const struct sm_quic_family *family,
                                                const struct sm_quic_plane *plane,
                                                struct quic_layout layout, uint32_t context)
{
    quic_refill(b);
    struct quic_haste h = {.bits = b->bits, .count = b->count};
    const struct sm_quic_component *components = plane->components;
    uint32_t shift = layout.first_shift;
    uint32_t folded = quic_take(&h, family, &components[0], context >> shift) << shift;
    if (layout.count == 3) {
        folded += quic_take(&h, family, &components[1], context >> 8) << 8;
        folded += quic_take(&h, family, &components[2], context);
    }
    if (QUIC_UNLIKELY(h.has_escape | (h.count < 0)))
        return quic_get_pixel_slowly(b, family, plane, layout, context);
    b->bits = h.bits;
    b->count = h.count;
    return folded;
}

static SM_ALWAYS_INLINE uint32_t quic_unfold_pixel(uint32_t folded, uint32_t prediction,
                                                   struct quic_layout layout)
{
    uint32_t pixel = quic_add(quic_unfold(folded), prediction);
    if (layout.depth == 5)
        pixel &= 0x1f1f1f1f;
    return pixel & layout.mask;
}

/* Puts the bytes of a plane where those of the other one may be. */
static SM_ALWAYS_INLINE void quic_merge(uint32_t *word, uint32_t value, uint32_t mask)
{
    *word = (*word & ~mask) | value;
}

/* Pixels are stored whole by the first plane of a row: then there is nothing to be kept. */
static SM_ALWAYS_INLINE void quic_set_pixel(uint32_t *pixel, uint32_t value, uint32_t mask)
{
    if (mask == 0xff000000)
        quic_merge(pixel, value, mask);
    else
        *pixel = value;
}

/* Repeats a pixel; up to `room` pixels may be written, as what follows is decoded later. */
static SM_ALWAYS_INLINE void quic_repeat(uint32_t *pixels, uint32_t value, uint32_t count,
                                         uint32_t room, uint32_t mask)
{
    if (mask != 0xff000000 && count + 8 <= room) {
        sm_fill_wide((uint8_t *)pixels, (const uint8_t *)&value, 4, (size_t)count * 4);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        quic_set_pixel(&pixels[i], value, mask);
}

/* Any row but the first: here runs may be. */
static SM_ALWAYS_INLINE void
quic_decode_later_row(struct sm_quic_bits *bits, const struct sm_quic_family *family,
                      quic_learn_fn *learn, struct sm_quic_plane *plane, struct quic_layout layout,
                      const struct sm_quic_row *row)
{
    struct sm_quic_bits b = *bits;
    const uint32_t *above = row->above, mask = layout.mask, width = row->width;
    uint32_t *pixels = row->pixels, *residuals = row->residuals;
    uint32_t wait = plane->wait, x = 0, blocked = QUIC_NO_COLUMN;
    /* Of the pixel to the left: its value, the one above it, and its residuals. */
    uint32_t left = above[0] & mask, above_left = left, context = residuals[0];
    bool is_flat = false; /* the two pixels to the left are equal */

    while (x < width) {
        uint32_t stage = plane->stage;
        uint32_t start = x, end = x + quic_segment(plane, width - x);
        if (stage != plane->stage)
            blocked = QUIC_NO_COLUMN;
        while (x < end) {
            uint32_t up = above[x] & mask;
            if (is_flat && above_left == up && x > 2 && x != blocked) {
                uint32_t run = quic_get_run(&b, plane, end - x);
                quic_repeat(pixels + x, left, run, width - x, mask);
                blocked = x;
                x += run;
                context = residuals[(ptrdiff_t)x - 1];
                above_left = above[x - 1] & mask;
                continue;
            }
            uint32_t folded = quic_get_pixel(&b, family, plane, layout, context);
            uint32_t pixel = quic_unfold_pixel(folded, quic_average(left, up), layout);
            quic_set_pixel(&pixels[x], pixel, mask);
            quic_merge(&residuals[x], folded, mask);
            if (wait == 0)
                wait = quic_learn_pixel(family, learn, plane, layout, context, folded);
            else
                wait--;
            is_flat = pixel == left;
            left = pixel;
            above_left = up;
            context = folded;
            x++;
        }
        if (plane->stage < SM_QUIC_LAST_STAGE)
            plane->stage_left -= x - start;
    }
    plane->wait = wait;
    *bits = b;
}

/* The first row predicts from the left alone and has no runs. */
static SM_ALWAYS_INLINE void
quic_decode_first_row(struct sm_quic_bits *b, const struct sm_quic_family *family,
                      quic_learn_fn *learn, struct sm_quic_plane *plane, struct quic_layout layout,
                      const struct sm_quic_row *row)
{
    uint32_t left = 0, context = 0, x = 0;
    while (x < row->width) {
        uint32_t start = x, end = x + quic_segment(plane, row->width - x);
        for (; x < end; x++) {
            uint32_t folded = quic_get_pixel_slowly(b, family, plane, layout, context);
            left = quic_unfold_pixel(folded, left, layout);
            quic_set_pixel(&row->pixels[x], left, layout.mask);
            quic_merge(&row->residuals[x], folded, layout.mask);
            if (plane->wait == 0)
                plane->wait = quic_learn_pixel(family, learn, plane, layout, context, folded);
            else
                plane->wait--;
            context = folded;
        }
        if (plane->stage < SM_QUIC_LAST_STAGE)
            plane->stage_left -= x - start;
    }
}

static SM_ALWAYS_INLINE void quic_decode_row_body(struct sm_quic_bits *bits,
                                                  const struct sm_quic_family *family,
                                                  quic_learn_fn *learn, struct sm_quic_plane *plane,
                                                  struct quic_layout layout,
                                                  const struct sm_quic_row *row)
{
    if (row->above)
        quic_decode_later_row(bits, family, learn, plane, layout, row);
    else
        quic_decode_first_row(bits, family, learn, plane, layout, row);
}

static SM_ALWAYS_INLINE void quic_decode_row_any(struct sm_quic_bits *bits,
                                                 const struct sm_quic_family *family,
                                                 quic_learn_fn *learn, struct sm_quic_plane *plane,
                                                 enum sm_quic_plane_kind kind,
                                                 const struct sm_quic_row *row)
{
    switch (kind) {
    case SM_QUIC_COLORS8:
        quic_decode_row_body(bits, family, learn, plane, quic_colors(8), row);
        break;
    case SM_QUIC_COLORS5:
        quic_decode_row_body(bits, family, learn, plane, quic_colors(5), row);
        break;
    case SM_QUIC_ALPHA8:
        quic_decode_row_body(bits, family, learn, plane, quic_alpha(), row);
        break;
    case SM_QUIC_GRAY8:
        quic_decode_row_body(bits, family, learn, plane, quic_gray(), row);
        break;
    }
}

#endif
