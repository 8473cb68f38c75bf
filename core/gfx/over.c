/* SPDX-License-Identifier: MIT */
#include "core/gfx/over.h"

#include "core/gfx/brush.h"
#include "core/gfx/pixel.h"

void sm_gfx_over_target(const struct sm_gfx_ops *ops, const struct sm_pixels *target, int32_t x,
                        int32_t y, uint32_t count, const uint32_t *s)
{
    if (sm_pixel_bits(target->format) == 32) {
        ops->over_row(sm_gfx_at(target, x, y), s, count);
        return;
    }
    uint32_t d[SM_GFX_RUN_PX];
    sm_gfx_fetch_row(target, x, y, count, d);
    ops->over_row((uint8_t *)d, s, count);
    sm_gfx_store_row(target, x, y, count, d);
}

void sm_gfx_clear_top(const struct sm_pixels *target, struct sm_rect box)
{
    const struct sm_rect bounds = {0, 0, (int32_t)target->width, (int32_t)target->height};
    box = sm_rect_intersect(box, bounds);
    if (sm_rect_is_empty(box) || sm_gfx_load(sm_gfx_at(target, box.left, box.top), 4) >> 24 != 255)
        return;
    for (int32_t y = box.top; y < box.bottom; y++) {
        uint8_t *row = sm_gfx_at(target, box.left, y);
        for (int32_t i = 0; i < box.right - box.left; i++)
            row[4 * i + 3] = 0;
    }
}
