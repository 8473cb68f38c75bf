/* SPDX-License-Identifier: MIT */
#include "core/codec/classify.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/codec/input.h"
#include "core/codec/match.h"

/* ---- graduality; Source: docs/codec.md, "The choice" ---- */

enum { JUMP = 15, CONTRAST_8BIT = 60, CONTRAST_5BIT = 8 };

/* A pixel's components in the bytes of a word, each below 256. */
static inline uint32_t components_at(enum sm_pixel_format format, const uint8_t *pixels, size_t i)
{
    if (format == SM_PIXEL_RGB555) {
        uint32_t v = (uint32_t)pixels[2 * i] | (uint32_t)pixels[2 * i + 1] << 8;
        return (v >> 10 & 31) << 16 | (v >> 5 & 31) << 8 | (v & 31);
    }
    if (format == SM_PIXEL_RGB24) {
        const uint8_t *p = pixels + i * 3;
        return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
    }
    uint32_t pixel;
    memcpy(&pixel, pixels + i * 4, 4);
    return pixel & 0xffffff; /* only told apart and compared, so the order of bytes is no matter */
}

/*
 * Four times the weight of a pair: contrast, sameness, or something between, which is what
 * photographs have.
 */
static inline int32_t weigh(uint32_t a, uint32_t b, int32_t threshold)
{
    if (a == b)
        return 2;
    for (uint32_t shift = 0; shift < 24; shift += 8)
        if (abs((int32_t)(a >> shift & 255) - (int32_t)(b >> shift & 255)) >= threshold)
            return 4;
    return -1;
}

/* Squares of four pixels, their first ones JUMP apart; four times their score. */
static inline int64_t weigh_squares(enum sm_pixel_format format, const uint8_t *pixels, size_t w,
                                    size_t last, int32_t threshold, uint64_t *samples)
{
    int64_t score = 0;
    size_t jump = JUMP % w == 0 ? JUMP - 1 : JUMP;
    size_t before_wrap = w - 1 - w / 2; /* columns until the last one, where no square begins */
    for (size_t i = w / 2; i < last; i += jump) {
        if (before_wrap == 0) {
            i--;
            before_wrap = 1;
        }
        uint32_t here = components_at(format, pixels, i);
        uint32_t right = components_at(format, pixels, i + 1);
        uint32_t below = components_at(format, pixels, i + w);
        uint32_t across = components_at(format, pixels, i + w + 1);
        if ((here ^ right) | (here ^ below) | (here ^ across))
            score += weigh(here, right, threshold) + weigh(here, below, threshold) +
                     weigh(here, across, threshold);
        *samples += 3;
        size_t step = jump % w;
        before_wrap = before_wrap >= step ? before_wrap - step : before_wrap + w - step;
    }
    return score;
}

void sm_graduality_add(struct sm_graduality_score *sum, enum sm_pixel_format format,
                       const uint8_t *pixels, uint32_t width, uint32_t rows)
{
    if (format != SM_PIXEL_RGB555 && format != SM_PIXEL_RGB24 && format != SM_PIXEL_XRGB32 &&
        format != SM_PIXEL_ARGB32)
        return;
    if (width <= 1 || rows <= 1) {
        sum->score += 1.0;
        sum->samples += 1;
        return;
    }
    size_t w = width, last = (rows - 1) * w;
    int64_t score;
    if (format == SM_PIXEL_RGB555)
        score = weigh_squares(format, pixels, w, last, CONTRAST_5BIT, &sum->samples);
    else if (format == SM_PIXEL_RGB24)
        score = weigh_squares(format, pixels, w, last, CONTRAST_8BIT, &sum->samples);
    else
        score = weigh_squares(SM_PIXEL_XRGB32, pixels, w, last, CONTRAST_8BIT, &sum->samples);
    sum->score += (double)score / 4;
}

enum sm_graduality sm_graduality_judge(const struct sm_graduality_score *sum,
                                       enum sm_pixel_format format)
{
    double average = sum->samples ? sum->score / (double)sum->samples : 1.0;
    if (average < (format == SM_PIXEL_RGB555 ? 0.0 : -0.03))
        return SM_GRADUALITY_HIGH;
    return average < 0.002 ? SM_GRADUALITY_MEDIUM : SM_GRADUALITY_LOW;
}

/* ---- traits ---- */

enum {
    ROW_STEP = 8,
    MAX_ROW_PIXELS = 4096, /* of a wide row only so many are looked at */
    PAIR_BITS = 11,
    COLOR_BITS = 10,
};

/* What one look at a picture counts. */
struct tally {
    uint32_t sampled, run, left, above, repeated, breaks;
    uint64_t residual_quarter_bits, coded;
    uint32_t color_count;
    int kind;                         /* of the pixel before: what would cover it */
    uint64_t pairs[1 << PAIR_BITS];   /* two pixels in a row that were seen */
    uint32_t colors[1 << COLOR_BITS]; /* plus one, so that 0 is a free place */
};

static void count_color(struct tally *t, uint32_t color)
{
    uint32_t place = color * 0x9e3779b1u >> (32 - COLOR_BITS);
    while (t->color_count < SM_TRAITS_MAX_COLORS && t->colors[place] != color + 1) {
        if (t->colors[place] == 0) {
            t->colors[place] = color + 1;
            t->color_count++;
            return;
        }
        place = (place + 1) & ((1 << COLOR_BITS) - 1);
    }
}

/* Four times the bits that a residual wants: its length, and a stop bit. */
static uint32_t residual_quarter_bits(int32_t value, int32_t prediction)
{
    uint32_t size = (uint32_t)abs((int8_t)(value - prediction)) * 2;
    uint32_t bits = size < 2 ? 0 : 31u - (uint32_t)__builtin_clz(size);
    uint32_t fraction = size < 2 ? 0 : (size << 2 >> bits) & 3; /* between powers of two */
    return 6 + 4 * bits + fraction;
}

static uint32_t pixel_quarter_bits(uint32_t pixel, uint32_t left, uint32_t above)
{
    uint32_t total = 0;
    for (uint32_t shift = 0; shift < 24; shift += 8) {
        int32_t l = left >> shift & 255, u = above >> shift & 255;
        total += residual_quarter_bits(pixel >> shift & 255, (l + u) >> 1);
    }
    return total;
}

static void look_at_row(struct tally *t, const uint32_t *row, const uint32_t *above, uint32_t width)
{
    for (uint32_t x = 3; x < width; x++) {
        uint32_t pixel = row[x];
        bool like_left = pixel == row[x - 1], like_above = pixel == above[x];
        bool is_run = row[x - 1] == row[x - 2] && above[x - 1] == above[x] && like_left;
        uint64_t pair = (uint64_t)row[x - 1] << 32 | pixel;
        uint64_t *seen = &t->pairs[sm_match_hash(pair, 8, PAIR_BITS)];
        bool is_repeated = !like_left && !like_above && *seen == pair + 1;
        *seen = pair + 1;

        t->sampled++;
        t->run += is_run;
        t->left += like_left;
        t->above += !like_left && like_above;
        t->repeated += is_repeated;
        int kind = like_left ? 1 : like_above ? 2 : is_repeated ? 3 : 0;
        t->breaks += kind != t->kind;
        t->kind = kind;
        if (!is_run) {
            t->coded++;
            t->residual_quarter_bits += pixel_quarter_bits(pixel, row[x - 1], above[x]);
        }
        if (!like_left)
            count_color(t, pixel);
    }
}

static uint32_t share(uint32_t part, uint32_t whole)
{
    return (uint32_t)((uint64_t)part * 65536 / whole);
}

enum sm_status sm_image_examine(const struct sm_pixels_in *in, struct sm_image_traits *traits)
{
    struct sm_input input;
    enum sm_status status = sm_input_init(&input, in, SM_CODEC_MAX_PIXELS);
    if (status != SM_OK)
        return SM_ERR_STATE;
    if (in->format != SM_PIXEL_XRGB32 && in->format != SM_PIXEL_ARGB32 &&
        in->format != SM_PIXEL_RGB24)
        return SM_ERR_STATE;

    /* Two rows of at most so many pixels and the tables: a purse of memory, on the stack. */
    struct tally t = {0};
    uint32_t rows[2][MAX_ROW_PIXELS];
    uint8_t cut_row[4 * MAX_ROW_PIXELS];
    uint32_t bytes_a_pixel = sm_pixel_bits(in->format) / 8;
    uint32_t width = sm_min_u32(in->width, MAX_ROW_PIXELS);
    enum sm_pixel_format format = in->format == SM_PIXEL_RGB24 ? SM_PIXEL_RGB24 : SM_PIXEL_XRGB32;
    input.row_bytes = (size_t)width * bytes_a_pixel;
    uint32_t step = in->height / ROW_STEP >= 4 ? ROW_STEP : 2;
    for (uint32_t y = 1; y < in->height; y += step) {
        for (uint32_t i = 0; i < 2; i++)
            sm_row_to_words(rows[i], sm_input_row(&input, y - 1 + i, cut_row), format, width);
        look_at_row(&t, rows[1], rows[0], width);
    }
    if (t.sampled == 0) { /* a line or less: nothing to go by, so expect nothing */
        t.sampled = 1;
        t.coded = 1;
        t.residual_quarter_bits = 4 * 24;
    }
    *traits = (struct sm_image_traits){
        .pixels = (uint64_t)in->width * in->height,
        .bytes_a_pixel = bytes_a_pixel,
        .sampled = t.sampled,
        .run = share(t.run, t.sampled),
        .left = share(t.left, t.sampled),
        .above = share(t.above, t.sampled),
        .repeated = share(t.repeated, t.sampled),
        .breaks = share(t.breaks, t.sampled),
        .residual_bits = (uint32_t)(t.residual_quarter_bits * 64 / (t.coded ? t.coded : 1)),
        .color_count = t.color_count,
        .has_alpha = in->format == SM_PIXEL_ARGB32,
    };
    return SM_OK;
}
