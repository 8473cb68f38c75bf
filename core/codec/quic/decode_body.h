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

static SM_ALWAYS_INLINE void
quic_decode_pixel(struct sm_quic_bits *b, const struct sm_quic_family *family,
                  struct sm_quic_plane *plane, struct quic_layout layout,
                  const struct sm_quic_row *row, uint32_t x, uint32_t prediction)
{
    uint32_t context = row->residuals[(ptrdiff_t)x - 1];
    uint32_t folded = 0;
    for (uint32_t i = 0; i < layout.count; i++) {
        uint32_t shift = layout.first_shift - 8 * i;
        uint32_t code = plane->components[i].code_of[context >> shift & 0xff];
        folded |= quic_get_value(b, family, code, layout.depth) << shift;
    }
    uint32_t pixel = quic_add(quic_unfold(folded), prediction);
    if (layout.depth == 5)
        pixel &= 0x1f1f1f1f;
    pixel &= layout.mask;
    row->pixels[x] = layout.mask == 0xffffff ? pixel : (row->pixels[x] & ~layout.mask) | pixel;
    /* The other plane's residuals share the word. */
    row->residuals[x] = (row->residuals[x] & ~layout.mask) | folded;
    quic_after_pixel(family, plane, layout, context, folded);
}

static SM_ALWAYS_INLINE void quic_decode_row_body(struct sm_quic_bits *bits,
                                                  const struct sm_quic_family *family,
                                                  struct sm_quic_plane *plane,
                                                  struct quic_layout layout,
                                                  const struct sm_quic_row *row)
{
    struct sm_quic_bits b = *bits;
    const uint32_t *above = row->above;
    uint32_t *pixels = row->pixels;
    uint32_t first = above ? row->residuals[0] : 0;
    row->residuals[-1] = (row->residuals[-1] & ~layout.mask) | (first & layout.mask);

    uint32_t x = 0, blocked = QUIC_NO_COLUMN;
    while (x < row->width) {
        uint32_t stage = plane->stage;
        uint32_t end = x + quic_segment(plane, row->width - x);
        if (stage != plane->stage)
            blocked = QUIC_NO_COLUMN;
        uint32_t start = x;
        while (x < end) {
            if (above && x > 2 && x != blocked && !((above[x - 1] ^ above[x]) & layout.mask) &&
                !((pixels[x - 1] ^ pixels[x - 2]) & layout.mask)) {
                uint32_t run = quic_get_run(&b, plane, end - x);
                uint32_t pixel = pixels[x - 1] & layout.mask;
                blocked = x;
                for (uint32_t run_end = x + run; x < run_end; x++)
                    pixels[x] =
                        layout.mask == 0xffffff ? pixel : (pixels[x] & ~layout.mask) | pixel;
                continue;
            }
            uint32_t prediction;
            if (!above)
                prediction = x ? pixels[x - 1] : 0;
            else
                prediction = x ? quic_average(pixels[x - 1], above[x]) : above[0];
            quic_decode_pixel(&b, family, plane, layout, row, x, prediction & layout.mask);
            x++;
        }
        if (plane->stage < SM_QUIC_LAST_STAGE)
            plane->stage_left -= x - start;
    }
    *bits = b;
}

static SM_ALWAYS_INLINE void quic_decode_row_any(struct sm_quic_bits *bits,
                                                 const struct sm_quic_family *family,
                                                 struct sm_quic_plane *plane,
                                                 enum sm_quic_plane_kind kind,
                                                 const struct sm_quic_row *row)
{
    switch (kind) {
    case SM_QUIC_COLORS8:
        quic_decode_row_body(bits, family, plane, quic_colors(8), row);
        break;
    case SM_QUIC_COLORS5:
        quic_decode_row_body(bits, family, plane, quic_colors(5), row);
        break;
    case SM_QUIC_ALPHA8:
        quic_decode_row_body(bits, family, plane, quic_alpha(), row);
        break;
    case SM_QUIC_GRAY8:
        quic_decode_row_body(bits, family, plane, quic_gray(), row);
        break;
    }
}

#endif
