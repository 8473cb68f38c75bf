/* SPDX-License-Identifier: MIT */
#include "core/gfx/composite.h"

#include <string.h>

#include "core/gfx/area.h"
#include "core/gfx/brush.h"
#include "core/gfx/composite_rows.h"
#include "core/gfx/pixel.h"

struct work {
    const struct sm_gfx_ops *ops;
    struct sm_gfx_composite composite; /* with the operator reduced to its basic form */
    const struct sm_pixels *target;
    struct sm_rect box;
};

static void sample(const struct sm_gfx_operand *operand, int32_t i, int32_t j, uint32_t count,
                   uint32_t *out)
{
    sm_gfx_sample_row(&operand->sampler, operand->x + i, operand->y + j, count, out);
}

/* The product of two pixels channel by channel. */
static uint32_t times(uint32_t p, uint32_t q)
{
    uint32_t result = 0;
    for (unsigned shift = 0; shift < 32; shift += 8)
        result |= sm_gfx_mul(p >> shift & 255, q >> shift & 255) << shift;
    return result;
}

/* Leaves the alpha that each channel sees in `mask`. */
static void mask_row_by_channel(uint32_t *s, uint32_t *mask, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t alpha = s[i] >> 24;
        s[i] = times(s[i], mask[i]);
        mask[i] = sm_gfx_mul4(mask[i], alpha);
    }
}

/* Operators for which the top byte of an XRGB32 target is an alpha like any other. */
static bool keeps_top(uint32_t op)
{
    switch (op) {
    case SM_GFX_COMPOSITE_CLEAR:
    case SM_GFX_COMPOSITE_SRC:
    case SM_GFX_COMPOSITE_DST:
    case SM_GFX_COMPOSITE_OVER:
    case SM_GFX_COMPOSITE_IN_REVERSE:
    case SM_GFX_COMPOSITE_OUT_REVERSE:
    case SM_GFX_COMPOSITE_ADD:
        return true;
    default:
        return false;
    }
}

static void compose_run(void *context, int32_t x, int32_t y, uint32_t count)
{
    const struct work *w = context;
    const struct sm_gfx_composite *c = &w->composite;
    int32_t i = (int32_t)((int64_t)x - w->box.left), j = (int32_t)((int64_t)y - w->box.top);
    uint32_t s[SM_GFX_RUN_PX], m[SM_GFX_RUN_PX], d[SM_GFX_RUN_PX];
    sample(&c->source, i, j, count, s);
    const uint32_t *alpha = NULL;
    if (c->has_mask) {
        sample(&c->mask, i, j, count, m);
        if (c->has_component_alpha) {
            mask_row_by_channel(s, m, count);
            alpha = m;
        } else {
            w->ops->mask_row(s, m, count);
        }
    }
    struct sm_pixels target = *w->target;
    if (target.format == SM_PIXEL_XRGB32 && keeps_top(c->op))
        target.format = SM_PIXEL_ARGB32;
    sm_gfx_fetch_row(&target, x, y, count, d);
    sm_gfx_composite_int_row(w->ops, c->op, d, s, alpha, count);
    sm_gfx_store_row(&target, x, y, count, d);
}

static void compose_run_float(void *context, int32_t x, int32_t y, uint32_t count)
{
    const struct work *w = context;
    sm_gfx_composite_float_row(&w->composite, w->target, x, y, (int32_t)((int64_t)x - w->box.left),
                               (int32_t)((int64_t)y - w->box.top), count);
}

static bool reaches(const struct sm_gfx_operand *operand, struct sm_rect box)
{
    return sm_gfx_sampler_reaches(&operand->sampler, operand->x, operand->y,
                                  operand->x + sm_rect_width(box),
                                  operand->y + sm_rect_height(box));
}

/* True if all pixels that the sample at (px, py) is made of are inside the picture. */
static bool is_sample_inside(const struct sm_gfx_sampler *s, int64_t px, int64_t py)
{
    struct sm_gfx_position at = sm_gfx_sampler_position(s, px, py);
    if (!s->is_linear || sm_gfx_sampler_is_plain(s))
        return sm_gfx_is_inside(&s->pixels, (at.x - 1) >> 16, (at.y - 1) >> 16);
    int64_t column = (at.x - 32768) >> 16, row = (at.y - 32768) >> 16;
    return sm_gfx_is_inside(&s->pixels, column, row) &&
           sm_gfx_is_inside(&s->pixels, column + 1, row + 1);
}

/* True if no sample of the box can be transparent. The box maps to a parallelogram, so its corners
 * decide. */
static bool is_opaque(const struct sm_gfx_operand *operand, struct sm_rect box)
{
    const struct sm_gfx_sampler *s = &operand->sampler;
    if (sm_gfx_has_alpha(s->pixels.format))
        return false;
    if (s->repeat != SM_GFX_REPEAT_NONE)
        return true;
    int64_t left = operand->x, right = left + sm_rect_width(box) - 1;
    int64_t top = operand->y, bottom = top + sm_rect_height(box) - 1;
    return is_sample_inside(s, left, top) && is_sample_inside(s, right, top) &&
           is_sample_inside(s, left, bottom) && is_sample_inside(s, right, bottom);
}

/* The same operator in a simpler class, where there is one. */
static uint32_t basic_op(const struct sm_gfx_composite *c, struct sm_rect box)
{
    if ((c->op >= 0x10 && c->op <= 0x12) || (c->op >= 0x20 && c->op <= 0x22))
        return c->op & 3;
    if (c->op == SM_GFX_COMPOSITE_SATURATE && is_opaque(&c->source, box) &&
        (!c->has_mask || (!c->has_component_alpha && is_opaque(&c->mask, box))))
        return SM_GFX_COMPOSITE_OVER_REVERSE;
    return c->op;
}

void sm_gfx_composite(const struct sm_gfx_ops *ops, const struct sm_pixels *target,
                      const struct sm_region *region, struct sm_rect box,
                      const struct sm_gfx_composite *composite)
{
    if (sm_region_is_empty(region) || !reaches(&composite->source, box) ||
        (composite->has_mask && !reaches(&composite->mask, box)))
        return;
    struct work work = {.ops = ops, .composite = *composite, .target = target, .box = box};
    work.composite.op = basic_op(composite, box);
    const struct sm_gfx_area area = {.region = region};
    if (sm_gfx_composite_is_int(work.composite.op))
        sm_gfx_area_each_run(&area, SM_GFX_RUN_PX, compose_run, &work);
    else if (sm_gfx_composite_is_float(work.composite.op))
        sm_gfx_area_each_run(&area, SM_GFX_RUN_PX, compose_run_float, &work);
}
