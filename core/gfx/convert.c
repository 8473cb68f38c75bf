/* SPDX-License-Identifier: MIT */
#include "core/gfx/convert.h"

#include <string.h>

#include "core/gfx/area.h"
#include "core/gfx/brush.h"
#include "core/gfx/draw.h"
#include "core/gfx/pixel.h"
#include "core/gfx/sample.h"

void sm_gfx_convert(const struct sm_pixels *to, const struct sm_pixels *from)
{
    struct sm_pixels raw = *to;
    if (raw.format == SM_PIXEL_XRGB32)
        raw.format = SM_PIXEL_ARGB32;
    uint32_t run[SM_GFX_RUN_PX];
    for (uint32_t y = 0; y < to->height; y++) {
        for (uint32_t x = 0; x < to->width; x += SM_GFX_RUN_PX) {
            uint32_t left = to->width - x;
            uint32_t count = left < SM_GFX_RUN_PX ? left : SM_GFX_RUN_PX;
            sm_gfx_fetch_row(from, (int32_t)x, (int32_t)y, count, run);
            sm_gfx_store_row(&raw, (int32_t)x, (int32_t)y, count, run);
        }
    }
}

struct frame_paint {
    struct sm_pixels target;
    struct sm_gfx_sampler sampler;
    struct sm_rect dest;
};

static void paint_run(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct frame_paint *p = context;
    uint32_t samples[SM_GFX_RUN_PX];
    sm_gfx_sample_row(&p->sampler, (int32_t)((int64_t)x - p->dest.left),
                      (int32_t)((int64_t)y - p->dest.top), count, samples);
    sm_gfx_store_row(&p->target, x, y, count, samples);
}

/* Frame pixels a target pixel in 16.16; 0 if the number does not fit, which is then out of reach.
 */
static int64_t step(uint32_t frame_size, int64_t dest_size)
{
    double k = (double)frame_size / (double)dest_size * 65536.0;
    return k < 2147483648.0 ? (int32_t)k : 0;
}

void sm_gfx_paint_frame(const struct sm_pixels *target, const struct sm_region *region,
                        struct sm_rect dest, const struct sm_pixels *frame)
{
    int64_t width = sm_rect_width(dest), height = sm_rect_height(dest);
    if (sm_region_is_empty(region) || width <= 0 || height <= 0)
        return;
    struct frame_paint paint = {.target = *target, .dest = dest};
    const struct sm_gfx_area area = {.region = region};
    bool is_scaled = width != frame->width || height != frame->height;
    if (!is_scaled && target->format == frame->format) {
        const struct sm_gfx_source source = {
            .pixels = *frame,
            .area = {.right = (int32_t)frame->width, .bottom = (int32_t)frame->height},
        };
        sm_gfx_copy(target, &area, dest, &source, SM_GFX_OP_COPY);
        return;
    }
    paint.sampler = (struct sm_gfx_sampler){.pixels = *frame, .transform = SM_GFX_IDENTITY};
    if (is_scaled) {
        paint.sampler.transform.t00 = step(frame->width, width);
        paint.sampler.transform.t11 = step(frame->height, height);
    }
    if (target->format == SM_PIXEL_XRGB32 && frame->format == SM_PIXEL_XRGB32)
        paint.target.format = paint.sampler.pixels.format = SM_PIXEL_ARGB32;
    struct sm_rect all = sm_region_bounds(region);
    if (sm_gfx_sampler_reaches(&paint.sampler, (int64_t)all.left - dest.left,
                               (int64_t)all.top - dest.top, (int64_t)all.right - dest.left,
                               (int64_t)all.bottom - dest.top))
        sm_gfx_area_each_run(&area, SM_GFX_RUN_PX, paint_run, &paint);
}
