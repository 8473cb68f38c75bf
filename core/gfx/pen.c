/* SPDX-License-Identifier: MIT */
#include "core/gfx/pen.h"

#include <stdlib.h>
#include <string.h>

#include "core/gfx/brush.h"

void sm_gfx_pen_finish(struct sm_gfx_pen *pen)
{
    free(pen->bits);
    pen->bits = NULL;
}

static void collect(struct sm_gfx_pen *pen, int32_t left, int32_t right, int32_t y)
{
    struct sm_rect bounds = pen->region->bounds;
    uint8_t *row = pen->bits + (size_t)(y - bounds.top) * pen->stride_bytes;
    for (int32_t x = left - bounds.left; x < right - bounds.left; x++)
        row[x >> 3] |= (uint8_t)(1u << (x & 7));
    pen->first_y = y < pen->first_y ? y : pen->first_y;
    pen->last_y = y > pen->last_y ? y : pen->last_y;
}

static void put(struct sm_gfx_pen *pen, int32_t left, int32_t right, int32_t y)
{
    if (pen->collects)
        collect(pen, left, right, y);
    else
        sm_gfx_brush_paint(pen->brush, pen->target, pen->op, left, y, (uint32_t)(right - left));
}

/* The first rectangle whose band ends below row `y`. */
static uint32_t first_in_row(const struct sm_rect *rects, uint32_t count, int32_t y)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rects[middle].bottom > y)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void sm_gfx_pen_run(struct sm_gfx_pen *pen, int64_t left, int64_t right, int64_t y)
{
    struct sm_rect bounds = pen->region->bounds;
    left = left > bounds.left ? left : bounds.left;
    right = right < bounds.right ? right : bounds.right;
    pen->steps_left--;
    if (left >= right || y < bounds.top || y >= bounds.bottom || pen->steps_left <= 0)
        return;
    pen->steps_left -= right - left;
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(pen->region, &count);
    for (uint32_t i = first_in_row(rects, count, (int32_t)y);
         i < count && rects[i].top <= y && rects[i].left < right; i++) {
        int32_t from = left > rects[i].left ? (int32_t)left : rects[i].left;
        int32_t to = right < rects[i].right ? (int32_t)right : rects[i].right;
        if (from < to)
            put(pen, from, to, (int32_t)y);
    }
}

enum sm_status sm_gfx_pen_collect(struct sm_gfx_pen *pen)
{
    struct sm_rect bounds = pen->region->bounds;
    if (!pen->bits) {
        pen->stride_bytes = (uint32_t)(sm_rect_width(bounds) + 7) / 8;
        pen->bits = calloc((size_t)sm_rect_height(bounds), pen->stride_bytes);
        if (!pen->bits)
            return SM_ERR_NOMEM;
    }
    pen->collects = true;
    pen->first_y = bounds.bottom;
    pen->last_y = bounds.top - 1;
    return SM_OK;
}

static bool is_set(const uint8_t *row, int32_t x)
{
    return row[x >> 3] >> (x & 7) & 1;
}

void sm_gfx_pen_flush(struct sm_gfx_pen *pen)
{
    struct sm_rect bounds = pen->region->bounds;
    int32_t width = bounds.right - bounds.left;
    pen->collects = false;
    for (int32_t y = pen->first_y; y <= pen->last_y; y++) {
        uint8_t *row = pen->bits + (size_t)(y - bounds.top) * pen->stride_bytes;
        for (int32_t x = 0; x < width;) {
            if ((x & 7) == 0 && row[x >> 3] == 0) {
                x += 8;
                continue;
            }
            int32_t right = x;
            while (right < width && is_set(row, right))
                right++;
            if (x < right)
                put(pen, bounds.left + x, bounds.left + right, y);
            x = right + 1;
        }
        memset(row, 0, pen->stride_bytes);
    }
}
