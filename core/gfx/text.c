/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "core/gfx/blend.h"
#include "core/gfx/brush.h"
#include "core/gfx/over.h"
#include "core/gfx/pixel.h"
#include "core/gfx/sample.h"

/* In 64 bits, as hostile glyphs may be anywhere. */
struct box {
    int64_t left, top, right, bottom;
};

/* How much of each pixel of `rect` the glyphs cover. */
struct coverage {
    uint8_t *rows; /* owned */
    struct sm_rect rect;
    size_t stride_bytes;
};

static struct box bounds_of(const struct sm_gfx_text *text)
{
    struct box all = {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
    for (size_t i = 0; i < text->count; i++) {
        const struct sm_gfx_glyph *g = &text->glyphs[i];
        int64_t right = g->left + g->width, bottom = g->top + g->height;
        all.left = g->left < all.left ? g->left : all.left;
        all.top = g->top < all.top ? g->top : all.top;
        all.right = right > all.right ? right : all.right;
        all.bottom = bottom > all.bottom ? bottom : all.bottom;
    }
    return all;
}

static uint8_t max_u8(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/*
 * One pixel of a glyph's row put onto the coverage so far. The right pixel of an A4 byte replaces
 * what was there if its left neighbour is not blank; that is how the picture has always looked.
 */
static uint8_t combined(uint8_t old, const uint8_t *row, uint32_t column, unsigned depth)
{
    switch (depth) {
    case 1:
        return row[column / 8] >> (7 - column % 8) & 1 ? 255 : old;
    case 4: {
        uint8_t both = row[column / 2];
        if (column % 2 == 0)
            return max_u8(old, both & 0xf0);
        uint8_t right = (uint8_t)(both << 4);
        return both & 0xf0 ? right : max_u8(old, right);
    }
    default:
        return max_u8(old, row[column]);
    }
}

static void add_glyph(struct coverage *c, const struct sm_gfx_glyph *g, unsigned depth)
{
    size_t stride = ((size_t)g->width * depth + 7) / 8;
    if (g->data.size < stride * g->height)
        return;
    int64_t left = g->left > c->rect.left ? g->left : c->rect.left;
    int64_t top = g->top > c->rect.top ? g->top : c->rect.top;
    int64_t right = g->left + g->width, bottom = g->top + g->height;
    right = right < c->rect.right ? right : c->rect.right;
    bottom = bottom < c->rect.bottom ? bottom : c->rect.bottom;
    for (int64_t y = top; y < bottom; y++) {
        const uint8_t *row = g->data.data + stride * (size_t)(g->top + g->height - 1 - y);
        uint8_t *out = c->rows + c->stride_bytes * (size_t)(y - c->rect.top);
        for (int64_t x = left; x < right; x++) {
            uint8_t *at = out + (x - c->rect.left);
            *at = combined(*at, row, (uint32_t)(x - g->left), depth);
        }
    }
}

struct text_paint {
    const struct sm_gfx_ops *ops;
    const struct sm_pixels *target;
    struct coverage coverage;
    struct sm_gfx_sampler brush; /* 1 x 1 if solid */
    int64_t dx, dy;              /* from target pixels to brush positions */
};

static void paint_covered(struct text_paint *p, int32_t x, int32_t y, uint32_t count,
                          const uint8_t *coverage)
{
    uint32_t s[SM_GFX_RUN_PX];
    sm_gfx_sample_row(&p->brush, (int32_t)(x + p->dx), (int32_t)(y + p->dy), count, s);
    p->ops->cover_row(s, coverage, count);
    sm_gfx_over_target(p->ops, p->target, x, y, count, s);
}

/* How many of `count` pixels from the front are not covered; it may be up to 7 too few. */
static uint32_t uncovered(const uint8_t *coverage, uint32_t count)
{
    uint32_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t eight;
        memcpy(&eight, coverage + i, 8);
        if (eight)
            return i;
    }
    while (i < count && coverage[i] == 0)
        i++;
    return i;
}

/* Uncovered pixels do not change, but on 555 their unused bit does. */
static void paint_run(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct text_paint *p = context;
    const struct coverage *c = &p->coverage;
    const uint8_t *coverage =
        c->rows + c->stride_bytes * (size_t)(y - c->rect.top) + (x - c->rect.left);
    if (p->target->format == SM_PIXEL_RGB555) {
        paint_covered(p, x, y, count, coverage);
        return;
    }
    enum { PIECE = 32 };
    while (count > 0) {
        uint32_t skipped = uncovered(coverage, count);
        uint32_t run = count - skipped < PIECE ? count - skipped : PIECE;
        if (run > 0)
            paint_covered(p, x + (int32_t)skipped, y, run, coverage + skipped);
        coverage += skipped + run;
        x += (int32_t)(skipped + run);
        count -= skipped + run;
    }
}

static uint32_t widen_solid(uint32_t v)
{
    return v * 65535 / 31 >> 8;
}

static uint32_t solid_channels(const struct sm_pixels *target, uint32_t color)
{
    if (sm_pixel_bits(target->format) != 16)
        return color | 0xff000000;
    return sm_gfx_argb(255, widen_solid(color >> 10 & 31), widen_solid(color >> 5 & 31),
                       widen_solid(color & 31));
}

static bool reaches(const struct sm_gfx_sampler *sampler, const struct text_paint *p,
                    struct sm_rect all)
{
    return sm_gfx_sampler_reaches(sampler, all.left + p->dx, all.top + p->dy, all.right + p->dx,
                                  all.bottom + p->dy);
}

/* The part of the string's box that can be drawn; empty if there is none. */
static struct sm_rect drawable(const struct sm_region *region, struct box box)
{
    struct sm_rect all = sm_region_bounds(region);
    if (box.left >= all.right || box.right <= all.left || box.top >= all.bottom ||
        box.bottom <= all.top)
        return (struct sm_rect){0};
    return (struct sm_rect){
        .left = box.left > all.left ? (int32_t)box.left : all.left,
        .top = box.top > all.top ? (int32_t)box.top : all.top,
        .right = box.right < all.right ? (int32_t)box.right : all.right,
        .bottom = box.bottom < all.bottom ? (int32_t)box.bottom : all.bottom,
    };
}

/* Coverage counts as an image of the size of the string's box. */
static bool coverage_reaches(struct box box, struct sm_rect rect)
{
    struct sm_gfx_sampler as_image = {.transform = SM_GFX_IDENTITY};
    if (box.right - box.left > INT32_MAX || box.bottom - box.top > INT32_MAX)
        return false;
    as_image.pixels.width = (uint32_t)(box.right - box.left);
    as_image.pixels.height = (uint32_t)(box.bottom - box.top);
    return sm_gfx_sampler_reaches(&as_image, rect.left - box.left, rect.top - box.top,
                                  rect.right - box.left, rect.bottom - box.top);
}

static enum sm_status paint(struct text_paint *p, const struct sm_region *region,
                            const struct sm_gfx_text *text)
{
    struct coverage *c = &p->coverage;
    struct sm_region inside = {0};
    enum sm_status status = sm_region_copy(&inside, region);
    if (status == SM_OK)
        status = sm_region_intersect_rect(&inside, c->rect);
    if (status != SM_OK) {
        sm_region_finish(&inside);
        return status;
    }
    for (size_t i = 0; i < text->count; i++)
        add_glyph(c, &text->glyphs[i], text->depth);
    const struct sm_gfx_area area = {.region = &inside};
    sm_gfx_area_each_run(&area, SM_GFX_RUN_PX, paint_run, p);
    sm_region_finish(&inside);
    return SM_OK;
}

enum sm_status sm_gfx_text(const struct sm_gfx_ops *ops, const struct sm_pixels *target,
                           const struct sm_region *region, const struct sm_gfx_text *text,
                           const struct sm_gfx_brush *brush)
{
    if (text->count == 0 || sm_region_is_empty(region) || brush->type == SM_GFX_BRUSH_NONE)
        return SM_OK;
    struct box box = bounds_of(text);
    struct text_paint p = {
        .ops = ops, .target = target, .coverage = {.rect = drawable(region, box)}};
    if (sm_rect_is_empty(p.coverage.rect) || !coverage_reaches(box, p.coverage.rect))
        return SM_OK;

    uint32_t solid = solid_channels(target, brush->color);
    p.brush = (struct sm_gfx_sampler){
        .pixels = brush->tile,
        .transform = SM_GFX_IDENTITY,
        .repeat = SM_GFX_REPEAT_NORMAL,
    };
    p.dx = -box.left - (int64_t)brush->x;
    p.dy = -box.top - (int64_t)brush->y;
    if (brush->type == SM_GFX_BRUSH_SOLID) {
        p.dx = p.dy = 0;
        p.brush.pixels = (struct sm_pixels){(uint8_t *)&solid, 4, 1, 1, SM_PIXEL_ARGB32};
    } else if (!reaches(&p.brush, &p, p.coverage.rect)) {
        return SM_OK;
    }

    p.coverage.stride_bytes = (size_t)sm_rect_width(p.coverage.rect);
    p.coverage.rows = calloc((size_t)sm_rect_height(p.coverage.rect), p.coverage.stride_bytes);
    if (!p.coverage.rows)
        return SM_ERR_NOMEM;
    enum sm_status status = paint(&p, region, text);
    free(p.coverage.rows);
    if (status == SM_OK && target->format == SM_PIXEL_XRGB32) {
        /* The box was within 16 bits of the drawable part, so it fits. */
        sm_gfx_clear_top(target, (struct sm_rect){(int32_t)box.left, (int32_t)box.top,
                                                  (int32_t)box.right, (int32_t)box.bottom});
    }
    return status;
}
