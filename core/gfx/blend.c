/* SPDX-License-Identifier: MIT */
#include "core/gfx/blend.h"

#include "core/gfx/brush.h"
#include "core/gfx/over.h"
#include "core/gfx/pixel.h"
#include "core/gfx/sample.h"
#include "core/gfx/source.h"

struct alpha_blend {
    const struct sm_gfx_ops *ops;
    const struct sm_pixels *target;
    struct sm_gfx_sampler sampler;
    int64_t dx, dy; /* from target pixels to positions before the transform */
    uint32_t alpha;
};

static void sample_run(struct alpha_blend *b, int32_t x, int32_t y, uint32_t count, uint32_t *out)
{
    sm_gfx_sample_row(&b->sampler, (int32_t)(x + b->dx), (int32_t)(y + b->dy), count, out);
}

static void blend_run(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct alpha_blend *b = context;
    uint32_t s[SM_GFX_RUN_PX];
    sample_run(b, x, y, count, s);
    if (b->alpha != 255)
        b->ops->scale_alpha_row(s, b->alpha, count);
    sm_gfx_over_target(b->ops, b->target, x, y, count, s);
}

/* XRGB32 to XRGB32 as it lies there. */
static void copy_run_raw(void *context, int32_t x, int32_t y, uint32_t count)
{
    struct alpha_blend *b = context;
    uint32_t s[SM_GFX_RUN_PX];
    sample_run(b, x, y, count, s);
    struct sm_pixels raw = *b->target;
    raw.format = SM_PIXEL_ARGB32;
    sm_gfx_store_row(&raw, x, y, count, s);
}

static void prepare(struct alpha_blend *b, const struct sm_pixels *target, struct sm_rect box,
                    const struct sm_gfx_source *source)
{
    b->target = target;
    b->dx = -(int64_t)box.left;
    b->dy = -(int64_t)box.top;
    if (sm_gfx_source_is_scaled(source, box)) {
        b->sampler = sm_gfx_source_sampler(source, box);
        b->sampler.is_linear = false;
    } else {
        b->sampler = (struct sm_gfx_sampler){
            .pixels = source->pixels,
            .transform = SM_GFX_IDENTITY,
        };
        b->dx += source->area.left;
        b->dy += source->area.top;
    }
}

static bool corners_are_inside(const struct alpha_blend *b, struct sm_rect all)
{
    int32_t left = (int32_t)(all.left + b->dx), right = (int32_t)(all.right - 1 + b->dx);
    int32_t top = (int32_t)(all.top + b->dy), bottom = (int32_t)(all.bottom - 1 + b->dy);
    return sm_gfx_sampler_is_inside(&b->sampler, left, top) &&
           sm_gfx_sampler_is_inside(&b->sampler, right, top) &&
           sm_gfx_sampler_is_inside(&b->sampler, left, bottom) &&
           sm_gfx_sampler_is_inside(&b->sampler, right, bottom);
}

void sm_gfx_alpha_blend(const struct sm_gfx_ops *ops, const struct sm_pixels *target,
                        const struct sm_region *region, struct sm_rect box,
                        const struct sm_gfx_source *source, uint32_t alpha, bool target_has_alpha)
{
    struct alpha_blend blend = {.ops = ops, .alpha = alpha};
    if (alpha == 0 || sm_region_is_empty(region))
        return;
    prepare(&blend, target, box, source);
    struct sm_rect all = sm_region_bounds(region);
    if (!sm_gfx_sampler_reaches(&blend.sampler, all.left + blend.dx, all.top + blend.dy,
                                all.right + blend.dx, all.bottom + blend.dy))
        return;

    const struct sm_gfx_area area = {.region = region};
    enum sm_pixel_format from = source->pixels.format, to = target->format;
    bool is_copy = alpha == 255 && !sm_gfx_has_alpha(from) && corners_are_inside(&blend, all);
    bool is_plain = sm_gfx_sampler_is_plain(&blend.sampler);
    if (is_copy && from == to && is_plain &&
        (to == SM_PIXEL_RGB555 || (to == SM_PIXEL_XRGB32 && !target_has_alpha))) {
        sm_gfx_copy(target, &area, box, source, SM_GFX_OP_COPY);
    } else if (is_copy && from == to && to == SM_PIXEL_XRGB32 && !target_has_alpha) {
        blend.sampler.pixels.format = SM_PIXEL_ARGB32;
        sm_gfx_area_each_run(&area, SM_GFX_RUN_PX, copy_run_raw, &blend);
    } else {
        sm_gfx_area_each_run(&area, SM_GFX_RUN_PX, blend_run, &blend);
    }
    if (to == SM_PIXEL_XRGB32 && !target_has_alpha)
        sm_gfx_clear_top(target, box);
}
