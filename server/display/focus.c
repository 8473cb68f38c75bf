/* SPDX-License-Identifier: MIT */
#include "server/display/focus.h"

#include "core/gfx/region.h"

enum {
    MAX_TILE_WIDTH = 512, /* half as high as wide */
    MIN_TILE_WIDTH = 64,
};

/* Pieces near the focus are parts of tiles, so that what is left does not fall into splinters. */
static struct sm_rect tile_at(int32_t x, int32_t y, uint32_t max_pixels)
{
    int32_t width = MAX_TILE_WIDTH;
    while ((uint32_t)(width * (width / 2)) > max_pixels && width > MIN_TILE_WIDTH)
        width /= 2;
    int32_t height = width / 2, left = x / width * width, top = y / height * height;
    return (struct sm_rect){left, top, left + width, top + height};
}

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

bool sm_focus_nearest(const struct sm_focus *focus, const struct sm_region *region,
                      uint32_t max_pixels, struct sm_rect *piece)
{
    struct sm_point at;
    if (!focus || !sm_focus_get(focus, &at))
        return false;
    uint32_t count;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        int32_t x = clamp(at.x, rects[i].left, rects[i].right - 1);
        int32_t y = clamp(at.y, rects[i].top, rects[i].bottom - 1);
        int64_t dx = (int64_t)x - at.x, dy = (int64_t)y - at.y;
        uint64_t distance = (uint64_t)(dx * dx) / 2 + (uint64_t)(dy * dy) / 2;
        if (distance >= least)
            continue;
        least = distance;
        *piece = sm_rect_intersect(rects[i], tile_at(x, y, max_pixels));
    }
    return count > 0;
}
