/* SPDX-License-Identifier: MIT */
/*
 * The QUIC row encoder, written once; the files that include it compile it for their processor.
 */
#ifndef SM_CORE_CODEC_QUIC_ENCODE_BODY_H
#define SM_CORE_CODEC_QUIC_ENCODE_BODY_H

#include "core/codec/quic/encode.h"
#include "core/codec/quic/model.h"

static SM_ALWAYS_INLINE void quic_store_word(uint8_t *p, uint32_t v)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(p, &v, 4);
}

/* Puts `count` (at most 32) bits; whole words go out, so fewer than 32 stay. */
static SM_ALWAYS_INLINE void quic_put(struct sm_quic_sink *sink, uint8_t **pos, uint32_t bits,
                                      uint32_t count)
{
    sink->bits = sink->bits << count | bits;
    sink->count += count;
    /* A word is stored either way; it counts only if it is whole. */
    quic_store_word(*pos, (uint32_t)(sink->bits << (64 - sink->count) >> 32));
    *pos += sink->count >> 5 << 2;
    sink->count &= 31;
}

/* The bits of a pixel: mostly few, then they go out at once. */
static SM_ALWAYS_INLINE void quic_put_pixel(struct sm_quic_sink *sink, uint8_t **pos,
                                            const struct sm_quic_family *family,
                                            const struct sm_quic_plane *plane,
                                            struct quic_layout layout, uint32_t context,
                                            uint32_t folded)
{
    uint32_t codes[3] = {0};
    uint32_t length = 0;
    for (uint32_t i = 0; i < layout.count; i++) {
        uint32_t shift = layout.first_shift - 8 * i;
        uint32_t k = plane->components[i].code_of[context >> shift & 0xff];
        codes[i] = family->codes[k][folded >> shift & 0xff];
        length += codes[i] & 31;
    }
    if (layout.count == 1) {
        quic_put(sink, pos, codes[0] >> 5, length);
        return;
    }
    if (QUIC_UNLIKELY(length > 32)) {
        for (uint32_t i = 0; i < layout.count; i++)
            quic_put(sink, pos, codes[i] >> 5, codes[i] & 31);
        return;
    }
    uint64_t bits = (uint64_t)(codes[0] >> 5) << (codes[1] & 31) | codes[1] >> 5;
    quic_put(sink, pos, (uint32_t)(bits << (codes[2] & 31) | codes[2] >> 5), length);
}

static SM_ALWAYS_INLINE void quic_put_run(struct sm_quic_sink *sink, uint8_t **pos,
                                          struct sm_quic_plane *plane, uint32_t run)
{
    for (;;) {
        uint32_t step = 1u << sm_quic_run_exponents[plane->run_state];
        if (run < step)
            break;
        quic_put(sink, pos, 1, 1);
        run -= step;
        if (plane->run_state < SM_QUIC_RUN_STATES - 1)
            plane->run_state++;
    }
    quic_put(sink, pos, run, sm_quic_run_exponents[plane->run_state] + 1); /* a 0, then the rest */
    if (plane->run_state > 0)
        plane->run_state--;
}

static SM_ALWAYS_INLINE uint32_t quic_fold_pixel(uint32_t pixel, uint32_t prediction,
                                                 uint32_t depth)
{
    return quic_fold(quic_subtract(pixel, prediction), depth);
}

/* Folds a row; all components at once, the ones of another plane too. */
static SM_ALWAYS_INLINE void quic_fold_row(const struct sm_quic_encode_row *encode, uint32_t depth)
{
    const uint32_t *pixels = encode->row.pixels, *above = encode->row.above;
    uint32_t *folded = encode->folded;
    uint32_t width = encode->row.width;
    folded[0] = quic_fold_pixel(pixels[0], above ? above[0] : 0, depth);
    for (uint32_t x = 1; x < width; x++) {
        uint32_t left = pixels[x - 1];
        folded[x] = quic_fold_pixel(pixels[x], above ? quic_average(left, above[x]) : left, depth);
    }
}

/* How many of the pixels from `pixels` up to `limit` are like `pixel`. */
static SM_ALWAYS_INLINE uint32_t quic_count_run(const uint32_t *pixels, uint32_t pixel,
                                                uint32_t mask, uint32_t limit)
{
    uint32_t run = 0;
    while (run < limit && !((pixels[run] ^ pixel) & mask))
        run++;
    return run;
}

static SM_ALWAYS_INLINE bool quic_encode_row_body(struct sm_quic_sink *out,
                                                  const struct sm_quic_family *family,
                                                  struct sm_quic_plane *plane,
                                                  struct quic_layout layout,
                                                  const struct sm_quic_encode_row *encode)
{
    struct sm_quic_sink sink = *out;
    struct sm_block *block = sink.block;
    const uint32_t *above = encode->row.above, *pixels = encode->row.pixels;
    const uint32_t *folded = encode->folded;
    uint32_t *residuals = encode->row.residuals;
    const uint32_t width = encode->row.width;
    uint32_t first = above ? residuals[0] : 0;
    residuals[-1] = (residuals[-1] & ~layout.mask) | (first & layout.mask);
    if (layout.mask != 0xff000000) /* the alpha plane finds the row folded */
        quic_fold_row(encode, layout.depth);

    uint32_t x = 0, blocked = QUIC_NO_COLUMN;
    while (x < width) {
        uint32_t stage = plane->stage;
        uint32_t end = x + quic_segment(plane, width - x);
        if (stage != plane->stage)
            blocked = QUIC_NO_COLUMN;
        uint32_t start = x;
        while (x < end) {
            if (!sm_block_ready(block))
                return false;
            if (above && x > 2 && x != blocked && !((above[x - 1] ^ above[x]) & layout.mask) &&
                !((pixels[x - 1] ^ pixels[x - 2]) & layout.mask)) {
                uint32_t run = quic_count_run(pixels + x, pixels[x - 1], layout.mask, end - x);
                quic_put_run(&sink, &block->pos, plane, run);
                blocked = x;
                x += run;
                continue;
            }
            uint32_t context = residuals[(ptrdiff_t)x - 1], value = folded[x];
            quic_put_pixel(&sink, &block->pos, family, plane, layout, context, value);
            residuals[x] = (residuals[x] & ~layout.mask) | (value & layout.mask);
            quic_after_pixel(family, plane, layout, context, value);
            x++;
        }
        if (plane->stage < SM_QUIC_LAST_STAGE)
            plane->stage_left -= x - start;
    }
    *out = sink;
    return true;
}

static SM_ALWAYS_INLINE bool quic_encode_row_any(struct sm_quic_sink *sink,
                                                 const struct sm_quic_family *family,
                                                 struct sm_quic_plane *plane,
                                                 enum sm_quic_plane_kind kind,
                                                 const struct sm_quic_encode_row *row)
{
    switch (kind) {
    case SM_QUIC_COLORS8:
        return quic_encode_row_body(sink, family, plane, quic_colors(8), row);
    case SM_QUIC_COLORS5:
        return quic_encode_row_body(sink, family, plane, quic_colors(5), row);
    case SM_QUIC_ALPHA8:
        return quic_encode_row_body(sink, family, plane, quic_alpha(), row);
    case SM_QUIC_GRAY8:
        return quic_encode_row_body(sink, family, plane, quic_gray(), row);
    }
    return false;
}
#endif
