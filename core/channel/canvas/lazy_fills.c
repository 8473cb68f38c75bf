/* SPDX-License-Identifier: MIT */
#include "core/channel/canvas/lazy_fills.h"

#include "core/channel/canvas/operand.h"
#include "core/gfx/draw.h"

enum { PIECES_MAX = 4 };

static bool overlap(struct sm_rect a, struct sm_rect b)
{
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

static void paint(struct sm_canvas *canvas, const struct sm_lazy_fill *fill)
{
    struct sm_region region;
    sm_region_init_rect(&region, fill->rect);
    const struct sm_gfx_area area = {.region = &region};
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_SOLID, .color = fill->color};
    sm_gfx_fill(&canvas->gfx, sm_surface_pixels(canvas->surfaces[fill->surface_id]), &area, &brush,
                SM_GFX_OP_COPY);
}

static void remove_at(struct sm_lazy_fills *lazy, size_t i)
{
    lazy->fills[i] = lazy->fills[--lazy->count];
}

/* What of `rect` is outside `hole`, which overlaps it. */
static size_t split(struct sm_rect rect, struct sm_rect hole, struct sm_rect out[PIECES_MAX])
{
    struct sm_rect in = sm_rect_intersect(rect, hole);
    const struct sm_rect sides[PIECES_MAX] = {
        {rect.left, rect.top, rect.right, in.top},
        {rect.left, in.top, in.left, in.bottom},
        {in.right, in.top, rect.right, in.bottom},
        {rect.left, in.bottom, rect.right, rect.bottom},
    };
    size_t count = 0;
    for (size_t i = 0; i < PIECES_MAX; i++)
        if (!sm_rect_is_empty(sides[i]))
            out[count++] = sides[i];
    return count;
}

/* What is worth it, and has room, waits. */
static void put(struct sm_canvas *canvas, const struct sm_lazy_fill *fill)
{
    struct sm_lazy_fills *lazy = &canvas->lazy;
    int64_t pixels = sm_rect_width(fill->rect) * sm_rect_height(fill->rect);
    if (pixels < SM_LAZY_FILL_MIN_PX || lazy->count == SM_CANVAS_FILLS_MAX)
        paint(canvas, fill);
    else
        lazy->fills[lazy->count++] = *fill;
}

/* The pieces that are put come after those that are looked at. */
void sm_lazy_fills_cover(struct sm_canvas *canvas, uint32_t surface_id, struct sm_rect rect)
{
    struct sm_lazy_fills *lazy = &canvas->lazy;
    for (size_t i = lazy->count; i-- > 0;) {
        struct sm_lazy_fill fill = lazy->fills[i];
        if (fill.surface_id != surface_id || !overlap(fill.rect, rect))
            continue;
        remove_at(lazy, i);
        struct sm_rect pieces[PIECES_MAX];
        size_t count = split(fill.rect, rect, pieces);
        for (size_t k = 0; k < count; k++) {
            fill.rect = pieces[k];
            put(canvas, &fill);
        }
    }
}

void sm_lazy_fill(struct sm_canvas *canvas, uint32_t surface_id, struct sm_rect rect,
                  uint32_t color)
{
    const struct sm_lazy_fill fill = {.rect = rect, .surface_id = surface_id, .color = color};
    sm_lazy_fills_cover(canvas, surface_id, rect);
    put(canvas, &fill);
}

void sm_lazy_fills_settle(struct sm_canvas *canvas, uint32_t surface_id, struct sm_rect rect)
{
    struct sm_lazy_fills *lazy = &canvas->lazy;
    for (size_t i = lazy->count; i-- > 0;) {
        const struct sm_lazy_fill *fill = &lazy->fills[i];
        if (fill->surface_id == surface_id && overlap(fill->rect, rect)) {
            paint(canvas, fill);
            remove_at(lazy, i);
        }
    }
}

void sm_lazy_fills_settle_surface(struct sm_canvas *canvas, uint32_t surface_id)
{
    const struct sm_rect all = {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
    sm_lazy_fills_settle(canvas, surface_id, all);
}

void sm_lazy_fills_settle_all(struct sm_canvas *canvas)
{
    struct sm_lazy_fills *lazy = &canvas->lazy;
    for (size_t i = 0; i < lazy->count; i++)
        paint(canvas, &lazy->fills[i]);
    lazy->count = 0;
}

size_t sm_lazy_fills_of(const struct sm_canvas *canvas, uint32_t surface_id,
                        struct sm_canvas_fill *out)
{
    const struct sm_lazy_fills *lazy = &canvas->lazy;
    size_t count = 0;
    for (size_t i = 0; i < lazy->count; i++)
        if (lazy->fills[i].surface_id == surface_id)
            out[count++] = (struct sm_canvas_fill){lazy->fills[i].rect, lazy->fills[i].color};
    return count;
}

void sm_lazy_fills_forget(struct sm_canvas *canvas, uint32_t surface_id)
{
    struct sm_lazy_fills *lazy = &canvas->lazy;
    for (size_t i = lazy->count; i-- > 0;)
        if (lazy->fills[i].surface_id == surface_id)
            remove_at(lazy, i);
}
