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

/*
 * Puts `count` (1 to 32) bits; whole words go out, so fewer than 32 stay. A word is stored either
 * way, and counts only if it is whole.
 */
static SM_ALWAYS_INLINE uint8_t *quic_put(struct sm_quic_sink *sink, uint8_t *pos, uint32_t bits,
                                          uint32_t count)
{
    sink->bits = sink->bits << count | bits;
    sink->count += count;
    quic_store_word(pos, (uint32_t)(sink->bits << (64 - sink->count) >> 32));
    pos += sink->count >> 5 << 2;
    sink->count &= 31;
    return pos;
}

/* The code of one component: value << 5 | length. */
static SM_ALWAYS_INLINE uint32_t quic_code(const struct sm_quic_family *family,
                                           const struct sm_quic_component *component,
                                           uint32_t context, uint32_t value)
{
    return family->codes[component->code_of[context & 0xff]][value & 0xff];
}

/* The bits of a pixel: mostly few, then they go out at once. */
static SM_ALWAYS_INLINE uint8_t *quic_put_pixel(struct sm_quic_sink *sink, uint8_t *pos,
                                                const struct sm_quic_family *family,
                                                const struct sm_quic_plane *plane,
                                                struct quic_layout layout, uint32_t context,
                                                uint32_t folded)
{
    const struct sm_quic_component *c = plane->components;
    uint32_t shift = layout.first_shift;
    uint32_t a = quic_code(family, &c[0], context >> shift, folded >> shift);
    if (layout.count == 1)
        return quic_put(sink, pos, a >> 5, a & 31);
    uint32_t b = quic_code(family, &c[1], context >> 8, folded >> 8);
    uint32_t d = quic_code(family, &c[2], context, folded);
    uint32_t length = (a & 31) + (b & 31) + (d & 31);
    if (QUIC_UNLIKELY(length > 32)) {
        pos = quic_put(sink, pos, a >> 5, a & 31);
        pos = quic_put(sink, pos, b >> 5, b & 31);
        return quic_put(sink, pos, d >> 5, d & 31);
    }
    uint64_t bits = (uint64_t)(a >> 5) << (b & 31) | b >> 5;
    return quic_put(sink, pos, (uint32_t)(bits << (d & 31) | d >> 5), length);
}

static SM_ALWAYS_INLINE uint8_t *quic_put_run(struct sm_quic_sink *sink, uint8_t *pos,
                                              struct sm_quic_plane *plane, uint32_t run)
{
    uint32_t state = plane->run_state;
    for (;;) {
        uint32_t step = 1u << sm_quic_run_exponents[state];
        if (run < step)
            break;
        pos = quic_put(sink, pos, 1, 1);
        run -= step;
        if (state < SM_QUIC_RUN_STATES - 1)
            state++;
    }
    pos = quic_put(sink, pos, run, sm_quic_run_exponents[state] + 1u); /* a 0, then the rest */
    plane->run_state = state > 0 ? state - 1 : 0;
    return pos;
}

/* Sixteen bytes at once, on whatever vectors there are. */
typedef uint8_t quic_bytes __attribute__((vector_size(16)));

static SM_ALWAYS_INLINE quic_bytes quic_load(const uint32_t *p)
{
    quic_bytes v;
    memcpy(&v, p, sizeof(v));
    return v;
}

/* Four pixels folded, all components alike. */
static SM_ALWAYS_INLINE void quic_fold_4(uint32_t *out, quic_bytes pixels, quic_bytes left,
                                         quic_bytes up, uint32_t depth)
{
    quic_bytes prediction = (left & up) + ((left ^ up) >> 1);
    quic_bytes difference = pixels - prediction;
    quic_bytes sign = (quic_bytes)((difference << (8 - depth)) > 127);
    quic_bytes folded = (difference + difference) ^ sign;
    if (depth == 5)
        folded = (((difference + difference) & 0x1e) ^ sign) & 0x1f;
    memcpy(out, &folded, sizeof(folded));
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
    uint32_t *folded = encode->folded, width = encode->row.width, x = 1;
    folded[0] = quic_fold_pixel(pixels[0], above ? above[0] : 0, depth);
    if (!above)
        above = pixels - 1; /* (L + L) >> 1 is L */
    for (; x + 4 <= width; x += 4)
        quic_fold_4(folded + x, quic_load(pixels + x), quic_load(pixels + x - 1),
                    quic_load(above + x), depth);
    for (; x < width; x++)
        folded[x] = quic_fold_pixel(pixels[x], quic_average(pixels[x - 1], above[x]), depth);
}

/* How many of the pixels from `pixels` up to `limit` are like `pixel`. */
static SM_ALWAYS_INLINE uint32_t quic_count_run(const uint32_t *pixels, uint32_t pixel,
                                                uint32_t mask, uint32_t limit)
{
    const uint64_t pair = (uint64_t)pixel << 32 | pixel, pair_mask = (uint64_t)mask << 32 | mask;
    uint32_t run = 0;
    while (run + 4 <= limit) {
        uint64_t two[2];
        memcpy(two, pixels + run, sizeof(two));
        if (((two[0] ^ pair) | (two[1] ^ pair)) & pair_mask)
            break;
        run += 4;
    }
    while (run < limit && !((pixels[run] ^ pixel) & mask))
        run++;
    return run;
}

static SM_ALWAYS_INLINE bool quic_encode_row_body(struct sm_quic_sink *out,
                                                  const struct sm_quic_family *family,
                                                  quic_learn_fn *learn, struct sm_quic_plane *plane,
                                                  struct quic_layout layout,
                                                  const struct sm_quic_encode_row *encode)
{
    /* Everything in locals: stores of bytes could otherwise change it, for all the compiler knows.
     */
    struct sm_quic_sink sink = *out;
    struct sm_block *block = sink.block;
    uint8_t *pos = block->pos, *const soft_end = block->soft_end;
    const uint32_t *above = encode->row.above, *pixels = encode->row.pixels;
    const uint32_t *folded = encode->folded;
    uint32_t *residuals = encode->row.residuals;
    const uint32_t mask = layout.mask, width = encode->row.width;
    if (mask != 0xff000000) /* the alpha plane finds the row folded */
        quic_fold_row(encode, layout.depth);

    uint32_t wait = plane->wait, x = 0, blocked = QUIC_NO_COLUMN;
    uint32_t context = above ? residuals[0] : 0;
    while (x < width) {
        uint32_t stage = plane->stage;
        uint32_t start = x, end = x + quic_segment(plane, width - x);
        if (stage != plane->stage)
            blocked = QUIC_NO_COLUMN;
        while (x < end) {
            if (QUIC_UNLIKELY(pos > soft_end)) {
                block->pos = pos;
                if (!sm_block_flush(block))
                    return false;
                pos = block->pos;
            }
            if (above && x > 2 && x != blocked && !((above[x - 1] ^ above[x]) & mask) &&
                !((pixels[x - 1] ^ pixels[x - 2]) & mask)) {
                uint32_t run = quic_count_run(pixels + x, pixels[x - 1], mask, end - x);
                pos = quic_put_run(&sink, pos, plane, run);
                blocked = x;
                x += run;
                context = residuals[(ptrdiff_t)x - 1];
                continue;
            }
            uint32_t value = folded[x] & mask;
            pos = quic_put_pixel(&sink, pos, family, plane, layout, context, value);
            residuals[x] = (residuals[x] & ~mask) | value;
            if (wait == 0)
                wait = quic_learn_pixel(family, learn, plane, layout, context, value);
            else
                wait--;
            context = value;
            x++;
        }
        if (plane->stage < SM_QUIC_LAST_STAGE)
            plane->stage_left -= x - start;
    }
    plane->wait = wait;
    block->pos = pos;
    *out = sink;
    return true;
}

static SM_ALWAYS_INLINE bool quic_encode_row_any(struct sm_quic_sink *sink,
                                                 const struct sm_quic_family *family,
                                                 quic_learn_fn *learn, struct sm_quic_plane *plane,
                                                 enum sm_quic_plane_kind kind,
                                                 const struct sm_quic_encode_row *row)
{
    switch (kind) {
    case SM_QUIC_COLORS8:
        return quic_encode_row_body(sink, family, learn, plane, quic_colors(8), row);
    case SM_QUIC_COLORS5:
        return quic_encode_row_body(sink, family, learn, plane, quic_colors(5), row);
    case SM_QUIC_ALPHA8:
        return quic_encode_row_body(sink, family, learn, plane, quic_alpha(), row);
    case SM_QUIC_GRAY8:
        return quic_encode_row_body(sink, family, learn, plane, quic_gray(), row);
    }
    return false;
}
#endif
