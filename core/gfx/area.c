/* SPDX-License-Identifier: MIT */
#include "core/gfx/area.h"

struct sm_gfx_area_walk sm_gfx_area_walk(const struct sm_gfx_area *area)
{
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(area->region, &count);
    return (struct sm_gfx_area_walk){.area = area, .next = rects, .end = rects + count};
}

static bool bit_at(const struct sm_gfx_mask *mask, const uint8_t *row, int64_t x)
{
    unsigned shift = x & 7;
    if (mask->bits.format == SM_PIXEL_INDEX1_BE)
        shift = 7 - shift;
    return (row[x >> 3] >> shift & 1) != mask->is_inverted;
}

/* The first x in from..to whose pixel is drawn, or not drawn; `to` if there is none. */
static int32_t find(const struct sm_gfx_mask *mask, const uint8_t *row, int32_t from, int32_t to,
                    bool drawn)
{
    const uint8_t dull = drawn == mask->is_inverted ? 0xff : 0; /* no pixel of interest in it */
    while (from < to) {
        int64_t x = from + mask->dx;
        if ((x & 7) == 0 && to - from >= 8 && row[x >> 3] == dull)
            from += 8;
        else if (bit_at(mask, row, x) == drawn)
            return from;
        else
            from++;
    }
    return to;
}

/* Cuts `rect` to where the mask has pixels. */
static struct sm_rect cut_to_mask(struct sm_rect rect, const struct sm_gfx_mask *mask)
{
    int64_t left = -mask->dx, right = left + mask->bits.width;
    int64_t top = -mask->dy, bottom = top + mask->bits.height;
    if (left >= rect.right || right <= rect.left || top >= rect.bottom || bottom <= rect.top)
        return (struct sm_rect){0};
    return (struct sm_rect){
        .left = left > rect.left ? (int32_t)left : rect.left,
        .top = top > rect.top ? (int32_t)top : rect.top,
        .right = right < rect.right ? (int32_t)right : rect.right,
        .bottom = bottom < rect.bottom ? (int32_t)bottom : rect.bottom,
    };
}

static bool next_run(struct sm_gfx_area_walk *walk, struct sm_rect *out)
{
    const struct sm_gfx_mask *mask = walk->area->mask;
    struct sm_rect *rect = &walk->rect;
    while (rect->top < rect->bottom) {
        const uint8_t *row = sm_pixels_row(&mask->bits, (uint32_t)(rect->top + mask->dy));
        int32_t left = find(mask, row, walk->x, rect->right, true);
        if (left < rect->right) {
            /* From left + 1 on: a guest that changes its mask meanwhile must not stop the walk. */
            int32_t right = find(mask, row, left + 1, rect->right, false);
            *out = (struct sm_rect){left, rect->top, right, rect->top + 1};
            walk->x = right;
            return true;
        }
        rect->top++;
        walk->x = rect->left;
    }
    return false;
}

bool sm_gfx_area_next(struct sm_gfx_area_walk *walk, struct sm_rect *rect)
{
    if (!walk->area->mask) {
        if (walk->next == walk->end)
            return false;
        *rect = *walk->next++;
        return true;
    }
    for (;;) {
        if (next_run(walk, rect))
            return true;
        if (walk->next == walk->end)
            return false;
        walk->rect = cut_to_mask(*walk->next++, walk->area->mask);
        walk->x = walk->rect.left;
    }
}

struct sm_rect sm_gfx_area_bounds(const struct sm_gfx_area *area)
{
    if (!area->mask)
        return area->region->bounds;
    struct sm_gfx_area_walk walk = sm_gfx_area_walk(area);
    struct sm_rect all = {0}, rect;
    if (!sm_gfx_area_next(&walk, &all))
        return (struct sm_rect){0};
    while (sm_gfx_area_next(&walk, &rect)) {
        all.left = rect.left < all.left ? rect.left : all.left;
        all.right = rect.right > all.right ? rect.right : all.right;
        all.bottom = rect.bottom > all.bottom ? rect.bottom : all.bottom;
    }
    return all;
}

void sm_gfx_area_each_run(const struct sm_gfx_area *area, uint32_t max_count,
                          void (*run)(void *context, int32_t x, int32_t y, uint32_t count),
                          void *context)
{
    struct sm_gfx_area_walk walk = sm_gfx_area_walk(area);
    struct sm_rect rect;
    while (sm_gfx_area_next(&walk, &rect)) {
        for (int32_t y = rect.top; y < rect.bottom; y++) {
            for (int32_t x = rect.left; x < rect.right;) {
                uint32_t left = (uint32_t)(rect.right - x);
                uint32_t count = left < max_count ? left : max_count;
                run(context, x, y, count);
                x += (int32_t)count;
            }
        }
    }
}
