/* SPDX-License-Identifier: MIT */
/*
 * The pixels a command may write: a region, thinned out by a one-bit mask. Masks stay bitmaps, as
 * a chequered one would be too many rectangles.
 */
#ifndef SM_CORE_GFX_AREA_H
#define SM_CORE_GFX_AREA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/region.h"

/** Target pixel (x, y) has mask pixel (x + dx, y + dy); outside the mask nothing is drawn. */
struct sm_gfx_mask {
    struct sm_pixels bits; /* SM_PIXEL_A1, SM_PIXEL_INDEX1_LE or SM_PIXEL_INDEX1_BE; borrowed */
    int64_t dx, dy;
    bool is_inverted; /* draw where the bit is 0 */
};

struct sm_gfx_area {
    const struct sm_region *region; /* inside the target; borrowed */
    const struct sm_gfx_mask *mask; /* borrowed; NULL = no mask */
};

/** A walk through the rectangles of an area, top to bottom, each pixel once. */
struct sm_gfx_area_walk {
    const struct sm_gfx_area *area;
    const struct sm_rect *next, *end;
    struct sm_rect rect; /* what is left of the current rectangle; masks go row by row */
    int32_t x;           /* in the first row of `rect`: how far it is done */
};

struct sm_gfx_area_walk sm_gfx_area_walk(const struct sm_gfx_area *area);

/** The next rectangle, which is not empty; false at the end. */
bool sm_gfx_area_next(struct sm_gfx_area_walk *walk, struct sm_rect *rect);

/** The smallest rectangle around all pixels; empty if there are none. */
struct sm_rect sm_gfx_area_bounds(const struct sm_gfx_area *area);

/** Calls `run` for every row of the area in pieces of 1 to `max_count` pixels. */
void sm_gfx_area_each_run(const struct sm_gfx_area *area, uint32_t max_count,
                          void (*run)(void *context, int32_t x, int32_t y, uint32_t count),
                          void *context);

#endif
