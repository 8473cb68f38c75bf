/* SPDX-License-Identifier: MIT */
#include "core/codec/classify.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/codec/input.h"
#include "core/codec/match.h"

/* ---- graduality; Source: docs/codec.md, "The choice" ---- */

enum { JUMP = 15, CONTRAST_8BIT = 60, CONTRAST_5BIT = 8 };

struct components {
    int32_t r, g, b;
};

static SM_ALWAYS_INLINE struct components components_at(enum sm_pixel_format format,
                                                        const uint8_t *pixels, size_t i)
{
    if (format == SM_PIXEL_RGB555) {
        uint32_t v = (uint32_t)pixels[2 * i] | (uint32_t)pixels[2 * i + 1] << 8;
        return (struct components){v >> 10 & 31, v >> 5 & 31, v & 31};
    }
    const uint8_t *p = pixels + i * (format == SM_PIXEL_RGB24 ? 3 : 4);
    return (struct components){p[2], p[1], p[0]};
}

/* The weight of a pair in quarters: contrast, sameness, or something between, which is what
 * photographs have. Chosen without branches: nothing foretells them there. */
static SM_ALWAYS_INLINE int32_t weigh(struct components a, struct components b, int32_t threshold,
                                      int32_t *differs)
{
    int32_t r = abs(a.r - b.r), g = abs(a.g - b.g), blue = abs(a.b - b.b);
    int32_t any = (r | g | blue) != 0;
    int32_t is_sharp = (r >= threshold) | (g >= threshold) | (blue >= threshold);
    *differs |= any;
    return 2 - 3 * any + 5 * is_sharp;
}

/* Adds up squares of pixels in quarters. The format is a constant of each copy of this. */
static SM_ALWAYS_INLINE void add_squares(struct sm_graduality_score *sum,
                                         enum sm_pixel_format format, const uint8_t *pixels,
                                         size_t width, size_t rows)
{
    const int32_t threshold = format == SM_PIXEL_RGB555 ? CONTRAST_5BIT : CONTRAST_8BIT;
    const size_t jump = JUMP % width == 0 ? JUMP - 1 : JUMP, last = (rows - 1) * width;
    size_t column = width / 2; /* of i, kept without dividing */
    int64_t quarters = 0;
    for (size_t i = width / 2; i < last; i += jump) {
        if (column + 1 == width) { /* no square begins in the last column */
            i--;
            column--;
        }
        struct components here = components_at(format, pixels, i);
        int32_t differs = 0;
        int32_t weight = weigh(here, components_at(format, pixels, i + 1), threshold, &differs);
        weight += weigh(here, components_at(format, pixels, i + width), threshold, &differs);
        weight += weigh(here, components_at(format, pixels, i + width + 1), threshold, &differs);
        quarters += weight & -differs;
        sum->samples += 3;
        column += jump;
        while (column >= width)
            column -= width;
    }
    sum->score += (double)quarters * 0.25;
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
    } else if (format == SM_PIXEL_RGB555) {
        add_squares(sum, SM_PIXEL_RGB555, pixels, width, rows);
    } else if (format == SM_PIXEL_RGB24) {
        add_squares(sum, SM_PIXEL_RGB24, pixels, width, rows);
    } else {
        add_squares(sum, SM_PIXEL_XRGB32, pixels, width, rows);
    }
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
