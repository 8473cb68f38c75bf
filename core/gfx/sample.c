/* SPDX-License-Identifier: MIT */
#include "core/gfx/sample.h"

#include <string.h>

#include "core/gfx/pixel.h"

enum { ONE = 65536, HALF = ONE / 2 };

/*
 * The transformed centre of (px, py): t * (px + 1/2, py + 1/2), rounded once. Whole pixels
 * contribute whole numbers, so only the halves are rounded, and nothing here needs more than 64
 * bits.
 */
static struct sm_gfx_position position_at(const struct sm_gfx_transform *t, int64_t px, int64_t py)
{
    return (struct sm_gfx_position){
        .x = t->t00 * px + t->t01 * py + t->t02 + ((t->t00 + t->t01 + 1) >> 1),
        .y = t->t10 * px + t->t11 * py + t->t12 + ((t->t10 + t->t11 + 1) >> 1),
    };
}

bool sm_gfx_sampler_is_plain(const struct sm_gfx_sampler *sampler)
{
    const struct sm_gfx_transform *t = &sampler->transform;
    return t->t00 == ONE && t->t01 == 0 && t->t02 == 0 && t->t10 == 0 && t->t11 == ONE &&
           t->t12 == 0;
}

static bool is_position(int64_t v, int64_t margin)
{
    const int64_t limit = (int64_t)32768 * ONE;
    return v - margin >= -limit && v + margin < limit;
}

static bool corner_reaches(const struct sm_gfx_sampler *s, int64_t px, int64_t py)
{
    int64_t margin = s->is_linear ? HALF + 8 : 9;
    struct sm_gfx_position at = position_at(&s->transform, px, py);
    return is_position(at.x, margin) && is_position(at.y, margin);
}

bool sm_gfx_sampler_reaches(const struct sm_gfx_sampler *s, int64_t left, int64_t top,
                            int64_t right, int64_t bottom)
{
    if (left - 1 < -32768 || top - 1 < -32768 || right + 1 > 32767 || bottom + 1 > 32767)
        return false;
    if (s->pixels.width > 32766 || s->pixels.height > 32766)
        return false;
    if (sm_gfx_sampler_is_plain(s))
        return true; /* what rule 1 lets through cannot leave the range */
    return corner_reaches(s, left - 1, top - 1) && corner_reaches(s, right, top - 1) &&
           corner_reaches(s, left - 1, bottom) && corner_reaches(s, right, bottom);
}

/* The pixel that `v` stands for on an axis of `size` pixels; -1 if it is outside. */
static inline int32_t wrap(int64_t v, uint32_t size, enum sm_gfx_repeat repeat)
{
    if (v >= 0 && v < size)
        return (int32_t)v;
    int64_t whole = size;
    switch (repeat) {
    case SM_GFX_REPEAT_NORMAL:
        v %= whole;
        return (int32_t)(v < 0 ? v + whole : v);
    case SM_GFX_REPEAT_PAD:
        return v < 0 ? 0 : (int32_t)(whole - 1);
    case SM_GFX_REPEAT_REFLECT:
        v %= 2 * whole;
        v = v < 0 ? v + 2 * whole : v;
        return (int32_t)(v < whole ? v : 2 * whole - 1 - v);
    default:
        return -1;
    }
}

static inline uint32_t pixel_at(const struct sm_gfx_sampler *s, int64_t column, int64_t row)
{
    int32_t x = wrap(column, s->pixels.width, s->repeat);
    int32_t y = wrap(row, s->pixels.height, s->repeat);
    if (x < 0 || y < 0)
        return 0;
    return sm_gfx_fetch(s->pixels.format, sm_gfx_load(sm_gfx_at(&s->pixels, x, y),
                                                      sm_gfx_pixel_bytes(s->pixels.format)));
}

static void fill(uint32_t *out, uint32_t count, uint32_t value)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = value;
}

/* Without repeat: what is inside the picture, and transparent black around it. */
static void plain_row_once(const struct sm_gfx_sampler *s, int64_t px, int64_t py, uint32_t count,
                           uint32_t *out)
{
    int64_t from = px < 0 ? -px : 0;
    int64_t to = (int64_t)s->pixels.width - px;
    from = from < count ? from : count;
    to = to < count ? to : count;
    if (py < 0 || py >= s->pixels.height || to <= from) {
        memset(out, 0, (size_t)count * sizeof(*out));
        return;
    }
    memset(out, 0, (size_t)from * sizeof(*out));
    sm_gfx_fetch_row(&s->pixels, (int32_t)(px + from), (int32_t)py, (uint32_t)(to - from),
                     out + from);
    memset(out + to, 0, (size_t)(count - to) * sizeof(*out));
}

static void plain_row(const struct sm_gfx_sampler *s, int64_t px, int64_t py, uint32_t count,
                      uint32_t *out)
{
    if (s->repeat == SM_GFX_REPEAT_NONE ||
        (py >= 0 && py < s->pixels.height && px >= 0 && px + count <= s->pixels.width)) {
        plain_row_once(s, px, py, count, out);
        return;
    }
    int32_t y = wrap(py, s->pixels.height, s->repeat);
    uint32_t i = 0;
    while (i < count) {
        int64_t x = px + i;
        if (s->repeat == SM_GFX_REPEAT_NORMAL) {
            int32_t column = wrap(x, s->pixels.width, s->repeat);
            uint32_t left = s->pixels.width - (uint32_t)column;
            uint32_t run = left < count - i ? left : count - i;
            sm_gfx_fetch_row(&s->pixels, column, y, run, out + i);
            i += run;
        } else {
            out[i++] = pixel_at(s, x, y);
        }
    }
}

/* One row of the picture, no repeat: the common case of scaling. */
static inline void nearest_in_row(enum sm_pixel_format format, const uint8_t *row, uint32_t width,
                                  int64_t x, int64_t step, uint32_t count, uint32_t *out)
{
    uint32_t bytes = sm_gfx_pixel_bytes(format);
    for (uint32_t i = 0; i < count; i++, x += step) {
        int64_t column = (x - 1) >> 16;
        bool is_inside = column >= 0 && column < width;
        out[i] =
            is_inside ? sm_gfx_fetch(format, sm_gfx_load(row + (size_t)column * bytes, bytes)) : 0;
    }
}

static void nearest_row(const struct sm_gfx_sampler *s, struct sm_gfx_position at, uint32_t count,
                        uint32_t *out)
{
    const struct sm_gfx_transform *t = &s->transform;
    const struct sm_pixels *p = &s->pixels;
    int64_t y = (at.y - 1) >> 16;
    if (t->t10 == 0 && s->repeat == SM_GFX_REPEAT_NONE) {
        if (y < 0 || y >= p->height)
            fill(out, count, 0);
        else if (p->format == SM_PIXEL_ARGB32)
            nearest_in_row(SM_PIXEL_ARGB32, sm_pixels_row(p, (uint32_t)y), p->width, at.x, t->t00,
                           count, out);
        else if (p->format == SM_PIXEL_XRGB32)
            nearest_in_row(SM_PIXEL_XRGB32, sm_pixels_row(p, (uint32_t)y), p->width, at.x, t->t00,
                           count, out);
        else
            for (uint32_t i = 0; i < count; i++)
                out[i] = pixel_at(s, (at.x + i * t->t00 - 1) >> 16, y);
        return;
    }
    for (uint32_t i = 0; i < count; i++, at.x += t->t00, at.y += t->t10)
        out[i] = pixel_at(s, (at.x - 1) >> 16, (at.y - 1) >> 16);
}

/* Four pixels weighted by how near they are; fx and fy in 0..254, even. */
static inline uint32_t mix(uint32_t top_left, uint32_t top_right, uint32_t bottom_left,
                           uint32_t bottom_right, uint32_t fx, uint32_t fy)
{
    uint32_t w00 = (256 - fx) * (256 - fy), w10 = fx * (256 - fy);
    uint32_t w01 = (256 - fx) * fy, w11 = fx * fy;
    uint32_t result = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        uint32_t sum = (top_left >> shift & 255) * w00 + (top_right >> shift & 255) * w10 +
                       (bottom_left >> shift & 255) * w01 + (bottom_right >> shift & 255) * w11;
        result |= sum >> 16 << shift;
    }
    return result;
}

/* Four channels of 16 bits, so that they can be multiplied by up to 256 side by side. */
static inline uint64_t spread(uint32_t p)
{
    return (p & 0xff) | (uint64_t)(p & 0xff00) << 8 | (uint64_t)(p & 0xff0000) << 16 |
           (uint64_t)(p & 0xff000000) << 24;
}

/* The same as mix(): first along x, which stays within 16 bits, then along y in 32 bits. */
static inline uint32_t mix_spread(uint64_t top_left, uint64_t top_right, uint64_t bottom_left,
                                  uint64_t bottom_right, uint64_t fx, uint64_t fy)
{
    const uint64_t even = 0x0000ffff0000ffff;
    uint64_t top = top_left * (256 - fx) + top_right * fx;
    uint64_t bottom = bottom_left * (256 - fx) + bottom_right * fx;
    uint64_t rb = (top & even) * (256 - fy) + (bottom & even) * fy; /* blue low, red high */
    uint64_t ga = (top >> 16 & even) * (256 - fy) + (bottom >> 16 & even) * fy;
    return (uint32_t)(rb >> 16 & 0xff) | (uint32_t)(rb >> 32 & 0xff0000) |
           (uint32_t)(ga >> 8 & 0xff00) | (uint32_t)(ga >> 24 & 0xff000000);
}

/* What linear sampling without turning or repeating needs to know of two rows. */
struct row_pair {
    const uint8_t *top, *bottom; /* NULL: outside the picture */
    uint32_t width;
    uint32_t fy;
};

static inline uint64_t spread_at(enum sm_pixel_format format, const uint8_t *row, uint32_t width,
                                 int64_t column)
{
    if (!row || column < 0 || column >= width)
        return 0;
    return spread(sm_gfx_fetch(format, sm_gfx_load(row + 4 * (size_t)column, 4)));
}

/* For 32-bit formats. Enlarged pictures find the same four pixels several times in a row. */
static inline void linear_in_rows(enum sm_pixel_format format, const struct row_pair *rows,
                                  int64_t x, int64_t step, uint32_t count, uint32_t *out)
{
    int64_t last = INT64_MIN;
    uint64_t top_left = 0, top_right = 0, bottom_left = 0, bottom_right = 0;
    for (uint32_t i = 0; i < count; i++, x += step) {
        int64_t column = x >> 16;
        if (column == last + 1) {
            top_left = top_right;
            bottom_left = bottom_right;
        } else if (column != last) {
            top_left = spread_at(format, rows->top, rows->width, column);
            bottom_left = spread_at(format, rows->bottom, rows->width, column);
        }
        if (column != last) {
            top_right = spread_at(format, rows->top, rows->width, column + 1);
            bottom_right = spread_at(format, rows->bottom, rows->width, column + 1);
        }
        last = column;
        out[i] = mix_spread(top_left, top_right, bottom_left, bottom_right,
                            (uint64_t)(2 * (x >> 9 & 127)), rows->fy);
    }
}

static void linear_row_straight(const struct sm_gfx_sampler *s, struct sm_gfx_position at,
                                uint32_t count, uint32_t *out)
{
    const struct sm_pixels *p = &s->pixels;
    int64_t x = at.x - HALF, y = at.y - HALF, row = y >> 16;
    const struct row_pair rows = {
        .top = row >= 0 && row < p->height ? sm_pixels_row(p, (uint32_t)row) : NULL,
        .bottom =
            row + 1 >= 0 && row + 1 < p->height ? sm_pixels_row(p, (uint32_t)(row + 1)) : NULL,
        .width = p->width,
        .fy = (uint32_t)(2 * (y >> 9 & 127)),
    };
    if (p->format == SM_PIXEL_ARGB32)
        linear_in_rows(SM_PIXEL_ARGB32, &rows, x, s->transform.t00, count, out);
    else
        linear_in_rows(SM_PIXEL_XRGB32, &rows, x, s->transform.t00, count, out);
}

static void linear_row(const struct sm_gfx_sampler *s, struct sm_gfx_position at, uint32_t count,
                       uint32_t *out)
{
    if (s->transform.t10 == 0 && s->repeat == SM_GFX_REPEAT_NONE &&
        sm_pixel_bits(s->pixels.format) == 32) {
        linear_row_straight(s, at, count, out);
        return;
    }
    const struct sm_gfx_transform *t = &s->transform;
    for (uint32_t i = 0; i < count; i++, at.x += t->t00, at.y += t->t10) {
        int64_t x = at.x - HALF, y = at.y - HALF;
        int64_t column = x >> 16, row = y >> 16;
        out[i] = mix(pixel_at(s, column, row), pixel_at(s, column + 1, row),
                     pixel_at(s, column, row + 1), pixel_at(s, column + 1, row + 1),
                     2 * (x >> 9 & 127), 2 * (y >> 9 & 127));
    }
}

void sm_gfx_sample_row(const struct sm_gfx_sampler *s, int32_t px, int32_t py, uint32_t count,
                       uint32_t *out)
{
    if (s->repeat != SM_GFX_REPEAT_NONE && s->pixels.width == 1 && s->pixels.height == 1) {
        fill(out, count, pixel_at(s, 0, 0));
        return;
    }
    if (sm_gfx_sampler_is_plain(s)) {
        plain_row(s, px, py, count, out);
        return;
    }
    struct sm_gfx_position at = position_at(&s->transform, px, py);
    if (s->is_linear)
        linear_row(s, at, count, out);
    else
        nearest_row(s, at, count, out);
}

bool sm_gfx_sampler_is_inside(const struct sm_gfx_sampler *s, int32_t px, int32_t py)
{
    struct sm_gfx_position at = position_at(&s->transform, px, py);
    return sm_gfx_is_inside(&s->pixels, (at.x - 1) >> 16, (at.y - 1) >> 16);
}

struct sm_gfx_position sm_gfx_sampler_position(const struct sm_gfx_sampler *s, int64_t px,
                                               int64_t py)
{
    return position_at(&s->transform, px, py);
}

bool sm_gfx_sampler_pixel(const struct sm_gfx_sampler *s, int64_t column, int64_t row, int32_t *x,
                          int32_t *y)
{
    *x = wrap(column, s->pixels.width, s->repeat);
    *y = wrap(row, s->pixels.height, s->repeat);
    return *x >= 0 && *y >= 0;
}
