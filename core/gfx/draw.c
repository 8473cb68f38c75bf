/* SPDX-License-Identifier: MIT */
#include "core/gfx/draw.h"

#include <math.h>
#include <string.h>

#include "core/gfx/brush.h"
#include "core/gfx/pixel.h"
#include "core/gfx/sample.h"
#include "core/gfx/source.h"

static void fill_solid(const struct sm_gfx_ops *ops, const struct sm_pixels *target,
                       const struct sm_gfx_area *area, uint32_t color, enum sm_gfx_op op)
{
    uint32_t bytes = sm_gfx_pixel_bytes(target->format);
    uint32_t pattern = sm_gfx_replicated(color, bytes);
    bool is_copy = op == SM_GFX_OP_COPY; /* most fills */
    struct sm_gfx_area_walk walk = sm_gfx_area_walk(area);
    struct sm_rect rect;
    while (sm_gfx_area_next(&walk, &rect)) {
        size_t size = (size_t)sm_rect_width(rect) * bytes;
        for (int32_t y = rect.top; y < rect.bottom; y++) {
            uint8_t *row = sm_gfx_at(target, rect.left, y);
            if (is_copy)
                ops->fill_row(row, pattern, size);
            else
                sm_gfx_op_fill(op, row, pattern, size);
        }
    }
}

struct tile_fill {
    const struct sm_pixels *target;
    const struct sm_gfx_brush *brush;
    enum sm_gfx_op op;
    uint32_t bytes;
    struct sm_gfx_run buffer;
};

static void fill_run_tiled(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct tile_fill *f = context;
    const uint8_t *from = sm_gfx_brush_run(f->brush, f->bytes, x, y, count, &f->buffer);
    sm_gfx_op_row(f->op, sm_gfx_at(f->target, x, y), from, (size_t)count * f->bytes);
}

void sm_gfx_fill(const struct sm_gfx_ops *ops, const struct sm_pixels *target,
                 const struct sm_gfx_area *area, const struct sm_gfx_brush *brush,
                 enum sm_gfx_op op)
{
    if (brush->type != SM_GFX_BRUSH_TILE) {
        fill_solid(ops, target, area, brush->type == SM_GFX_BRUSH_SOLID ? brush->color : 0, op);
        return;
    }
    if (!sm_gfx_brush_fits(brush, target))
        return;
    struct tile_fill fill = {
        .target = target,
        .brush = brush,
        .op = op,
        .bytes = sm_gfx_pixel_bytes(target->format),
    };
    sm_gfx_area_each_run(area, SM_GFX_RUN_PX, fill_run_tiled, &fill);
}

bool sm_gfx_source_is_scaled(const struct sm_gfx_source *source, struct sm_rect box)
{
    return sm_rect_width(source->area) != sm_rect_width(box) ||
           sm_rect_height(source->area) != sm_rect_height(box);
}

/* Source column = target column + dx; only the part of `rect` that has a source. */
static struct sm_rect covered(struct sm_rect rect, const struct sm_pixels *source, int64_t dx,
                              int64_t dy)
{
    int64_t left = -dx, right = left + source->width, top = -dy, bottom = top + source->height;
    if (left >= rect.right || right <= rect.left || top >= rect.bottom || bottom <= rect.top)
        return (struct sm_rect){0};
    return (struct sm_rect){
        .left = left > rect.left ? (int32_t)left : rect.left,
        .top = top > rect.top ? (int32_t)top : rect.top,
        .right = right < rect.right ? (int32_t)right : rect.right,
        .bottom = bottom < rect.bottom ? (int32_t)bottom : rect.bottom,
    };
}

static void copy_plain(const struct sm_pixels *target, const struct sm_gfx_area *area,
                       struct sm_rect box, const struct sm_gfx_source *source, enum sm_gfx_op op)
{
    uint32_t bytes = sm_gfx_pixel_bytes(target->format);
    int64_t dx = (int64_t)source->area.left - box.left, dy = (int64_t)source->area.top - box.top;
    struct sm_gfx_area_walk walk = sm_gfx_area_walk(area);
    struct sm_rect rect;
    while (sm_gfx_area_next(&walk, &rect)) {
        rect = covered(rect, &source->pixels, dx, dy);
        if (sm_rect_is_empty(rect))
            continue;
        size_t size = (size_t)sm_rect_width(rect) * bytes;
        for (int32_t y = rect.top; y < rect.bottom; y++)
            sm_gfx_op_row(op, sm_gfx_at(target, rect.left, y),
                          sm_gfx_at(&source->pixels, (int32_t)(rect.left + dx), (int32_t)(y + dy)),
                          size);
    }
}

struct scaled_copy {
    const struct sm_pixels *target;
    struct sm_gfx_sampler sampler;
    int64_t dx, dy; /* from target pixels to positions before the transform */
    enum sm_gfx_op op;
    struct sm_pixels stored; /* one run of samples in the source's own format */
    struct sm_gfx_run buffer;
};

static void sample_run(struct scaled_copy *c, int32_t x, int32_t y, uint32_t count, uint32_t *out)
{
    sm_gfx_sample_row(&c->sampler, (int32_t)(x + c->dx), (int32_t)(y + c->dy), count, out);
}

static void copy_run_sampled(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct scaled_copy *c = context;
    uint32_t samples[SM_GFX_RUN_PX];
    sample_run(c, x, y, count, samples);
    struct sm_pixels target = *c->target;
    if (target.format == SM_PIXEL_XRGB32)
        target.format = SM_PIXEL_ARGB32; /* the sampled alpha is kept in the top byte */
    sm_gfx_store_row(&target, x, y, count, samples);
}

/* The run as values of the source's format. */
static const uint8_t *stored_run(struct scaled_copy *c, int32_t x, int32_t y, uint32_t count)
{
    uint32_t samples[SM_GFX_RUN_PX];
    sample_run(c, x, y, count, samples);
    c->stored.data = (uint8_t *)c->buffer.pixels;
    sm_gfx_store_row(&c->stored, 0, 0, count, samples);
    return c->stored.data;
}

static void copy_run_stored(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct scaled_copy *c = context;
    const uint8_t *from = stored_run(c, x, y, count);
    sm_gfx_op_row(c->op, sm_gfx_at(c->target, x, y), from,
                  (size_t)count * sm_gfx_pixel_bytes(c->target->format));
}

/* Makes the sampler; false if the command must draw nothing. */
static bool prepare_scaled(struct scaled_copy *c, const struct sm_pixels *target,
                           const struct sm_gfx_area *area, struct sm_rect box,
                           const struct sm_gfx_source *source, enum sm_gfx_op op)
{
    c->target = target;
    c->op = op;
    c->sampler = sm_gfx_source_sampler(source, box);
    c->dx = -(int64_t)box.left;
    c->dy = -(int64_t)box.top;
    if (source->pixels.format == SM_PIXEL_XRGB32 &&
        (op != SM_GFX_OP_COPY || target->format == SM_PIXEL_XRGB32))
        c->sampler.pixels.format = SM_PIXEL_ARGB32; /* the top byte is a channel like the others */
    c->stored = (struct sm_pixels){.format = c->sampler.pixels.format};
    struct sm_rect all = sm_gfx_area_bounds(area);
    return !sm_rect_is_empty(all) &&
           sm_gfx_sampler_reaches(&c->sampler, all.left + c->dx, all.top + c->dy, all.right + c->dx,
                                  all.bottom + c->dy);
}

static bool has_bits_of(const struct sm_gfx_source *source, const struct sm_pixels *target)
{
    return sm_pixel_bits(source->pixels.format) == sm_pixel_bits(target->format);
}

void sm_gfx_copy(const struct sm_pixels *target, const struct sm_gfx_area *area, struct sm_rect box,
                 const struct sm_gfx_source *source, enum sm_gfx_op op)
{
    bool is_scaled = sm_gfx_source_is_scaled(source, box);
    if (!has_bits_of(source, target) && !(is_scaled && op == SM_GFX_OP_COPY))
        return;
    if (!is_scaled) {
        copy_plain(target, area, box, source, op);
        return;
    }
    struct scaled_copy copy;
    if (prepare_scaled(&copy, target, area, box, source, op))
        sm_gfx_area_each_run(area, SM_GFX_RUN_PX,
                             op == SM_GFX_OP_COPY ? copy_run_sampled : copy_run_stored, &copy);
}

static void move_rect(const struct sm_pixels *target, struct sm_rect rect, int64_t dx, int64_t dy)
{
    rect = covered(rect, target, -dx, -dy);
    if (sm_rect_is_empty(rect))
        return;
    size_t size = (size_t)sm_rect_width(rect) * sm_gfx_pixel_bytes(target->format);
    int32_t height = rect.bottom - rect.top;
    for (int32_t i = 0; i < height; i++) {
        int32_t y = dy > 0 ? rect.bottom - 1 - i : rect.top + i;
        memmove(sm_gfx_at(target, rect.left, y),
                sm_gfx_at(target, (int32_t)(rect.left - dx), (int32_t)(y - dy)), size);
    }
}

/*
 * Bands against the direction of the move, and in each band rectangles likewise: then nothing that
 * is still to be read has been written. Source columns of a rectangle lie on the side of -dx, where
 * its neighbours are still to come.
 */
void sm_gfx_move(const struct sm_pixels *target, const struct sm_region *region, int64_t dx,
                 int64_t dy)
{
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    for (uint32_t done = 0; done < count;) {
        uint32_t first = dy > 0 ? count - 1 - done : done, last = first; /* one band */
        if (dy > 0)
            while (first > 0 && rects[first - 1].top == rects[last].top)
                first--;
        else
            while (last + 1 < count && rects[last + 1].top == rects[first].top)
                last++;
        for (uint32_t i = first; i <= last; i++)
            move_rect(target, rects[dx > 0 ? last - (i - first) : i], dx, dy);
        done += last - first + 1;
    }
}

struct rop3 {
    struct scaled_copy scaled;
    const struct sm_gfx_source *source; /* NULL if scaled */
    const struct sm_gfx_brush *brush;
    int64_t dx, dy; /* to source pixels, unscaled */
    uint8_t code;
    struct sm_gfx_run pattern;
};

static void rop3_run(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct rop3 *r = context;
    const struct sm_pixels *target = r->scaled.target;
    uint32_t bytes = sm_gfx_pixel_bytes(target->format);
    const uint8_t *s =
        r->source ? sm_gfx_at(&r->source->pixels, (int32_t)(x + r->dx), (int32_t)(y + r->dy))
                  : stored_run(&r->scaled, x, y, count);
    const uint8_t *p = sm_gfx_brush_run(r->brush, bytes, x, y, count, &r->pattern);
    sm_gfx_rop3_row(r->code, sm_gfx_at(target, x, y), s, p, (size_t)count * bytes);
}

static bool covers_box(const struct sm_gfx_source *source, struct sm_rect box)
{
    return source->area.left >= 0 && source->area.top >= 0 &&
           source->area.left + sm_rect_width(box) <= source->pixels.width &&
           source->area.top + sm_rect_height(box) <= source->pixels.height;
}

static bool is_int32(double v)
{
    return v >= -2147483648.0 && v <= 2147483647.0;
}

/*
 * One axis of the scaling that ternary operations use, unlike all others: the start is rounded to
 * whole target pixels. False if there is nothing to compute with.
 */
static bool rop3_axis(int64_t source_size, int64_t box_size, int32_t start, int64_t *step,
                      int64_t *origin)
{
    if (source_size == 0)
        return false;
    double scale = (double)source_size / (double)box_size;
    double first = floor(start / scale + 0.5);
    if (!is_int32(scale * 65536.0) || !is_int32(first))
        return false;
    *step = (int32_t)(scale * 65536.0);
    *origin = (int32_t)first;
    return true;
}

static bool prepare_rop3_scaled(struct rop3 *r, const struct sm_pixels *target,
                                const struct sm_gfx_area *area, struct sm_rect box,
                                const struct sm_gfx_source *source)
{
    struct sm_gfx_transform t = {0};
    int64_t origin_x = 0, origin_y = 0;
    if (!rop3_axis(sm_rect_width(source->area), sm_rect_width(box), source->area.left, &t.t00,
                   &origin_x) ||
        !rop3_axis(sm_rect_height(source->area), sm_rect_height(box), source->area.top, &t.t11,
                   &origin_y))
        return false;
    struct scaled_copy *c = &r->scaled;
    c->sampler = (struct sm_gfx_sampler){
        .pixels = source->pixels,
        .transform = t,
        .is_linear = source->is_linear,
    };
    if (c->sampler.pixels.format == SM_PIXEL_XRGB32)
        c->sampler.pixels.format = SM_PIXEL_ARGB32;
    c->stored = (struct sm_pixels){.format = c->sampler.pixels.format};
    c->target = target;
    c->dx = origin_x - box.left;
    c->dy = origin_y - box.top;
    struct sm_rect all = sm_gfx_area_bounds(area);
    return !sm_rect_is_empty(all) &&
           sm_gfx_sampler_reaches(&c->sampler, all.left + c->dx, all.top + c->dy, all.right + c->dx,
                                  all.bottom + c->dy);
}

void sm_gfx_rop3(const struct sm_pixels *target, const struct sm_gfx_area *area, struct sm_rect box,
                 const struct sm_gfx_source *source, const struct sm_gfx_brush *brush, uint8_t code)
{
    if (sm_pixel_bits(target->format) < 16 || !has_bits_of(source, target) ||
        !sm_gfx_brush_fits(brush, target))
        return;
    struct rop3 rop3;
    rop3.brush = brush;
    rop3.code = code;
    rop3.source = NULL;
    if (sm_gfx_source_is_scaled(source, box)) {
        if (!prepare_rop3_scaled(&rop3, target, area, box, source))
            return;
    } else {
        if (!covers_box(source, box))
            return;
        rop3.scaled.target = target;
        rop3.source = source;
        rop3.dx = (int64_t)source->area.left - box.left;
        rop3.dy = (int64_t)source->area.top - box.top;
    }
    sm_gfx_area_each_run(area, SM_GFX_RUN_PX, rop3_run, &rop3);
}

struct key {
    uint32_t value, mask;
};

static struct key key_for(enum sm_pixel_format format, uint32_t c)
{
    switch (format) {
    case SM_PIXEL_RGB555:
        return (struct key){(c >> 3 & 0x1f) | (c >> 6 & 0x3e0) | (c >> 9 & 0x7c00), 0xffff};
    case SM_PIXEL_RGB565:
        return (struct key){(c >> 3 & 0x1f) | (c >> 5 & 0x7e0) | (c >> 8 & 0xf800), 0xffff};
    case SM_PIXEL_A8:
        return (struct key){0, 0xff};
    default:
        return (struct key){c & 0xffffff, 0xffffff};
    }
}

static void copy_unlike(uint8_t *d, const uint8_t *s, uint32_t bytes, uint32_t count,
                        struct key key)
{
    for (uint32_t i = 0; i < count; i++, d += bytes, s += bytes) {
        uint32_t value = sm_gfx_load(s, bytes);
        if ((value & key.mask) != key.value)
            sm_gfx_put(d, bytes, value);
    }
}

struct keyed_copy {
    struct scaled_copy scaled;
    struct key key;
};

static void copy_run_keyed(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct keyed_copy *k = context;
    const struct sm_pixels *target = k->scaled.target;
    const uint8_t *from = stored_run(&k->scaled, x, y, count);
    copy_unlike(sm_gfx_at(target, x, y), from, sm_gfx_pixel_bytes(target->format), count, k->key);
}

static void copy_keyed_plain(const struct sm_pixels *target, const struct sm_gfx_area *area,
                             struct sm_rect box, const struct sm_gfx_source *source, struct key key)
{
    uint32_t bytes = sm_gfx_pixel_bytes(target->format);
    int64_t dx = (int64_t)source->area.left - box.left, dy = (int64_t)source->area.top - box.top;
    struct sm_gfx_area_walk walk = sm_gfx_area_walk(area);
    struct sm_rect rect;
    while (sm_gfx_area_next(&walk, &rect)) {
        rect = covered(rect, &source->pixels, dx, dy);
        for (int32_t y = rect.top; y < rect.bottom; y++)
            copy_unlike(sm_gfx_at(target, rect.left, y),
                        sm_gfx_at(&source->pixels, (int32_t)(rect.left + dx), (int32_t)(y + dy)),
                        bytes, (uint32_t)(rect.right - rect.left), key);
    }
}

void sm_gfx_copy_keyed(const struct sm_pixels *target, const struct sm_gfx_area *area,
                       struct sm_rect box, const struct sm_gfx_source *source, uint32_t key)
{
    if (!has_bits_of(source, target))
        return;
    struct key reduced = key_for(target->format, key);
    if (!sm_gfx_source_is_scaled(source, box)) {
        copy_keyed_plain(target, area, box, source, reduced);
        return;
    }
    struct sm_gfx_source nearest = *source;
    nearest.is_linear = false;
    struct keyed_copy copy = {.key = reduced};
    /* INVERT stands for "not a plain copy": samples take the source's format first. */
    if (prepare_scaled(&copy.scaled, target, area, box, &nearest, SM_GFX_OP_INVERT))
        sm_gfx_area_each_run(area, SM_GFX_RUN_PX, copy_run_keyed, &copy);
}
