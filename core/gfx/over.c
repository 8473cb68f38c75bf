/* SPDX-License-Identifier: MIT */
#include "core/gfx/over.h"

#include <string.h>

#include "core/gfx/brush.h"
#include "core/gfx/pixel.h"
#include "core/gfx/vector.h"

void sm_gfx_scale_alpha_row(uint32_t *pixels, uint32_t alpha, uint32_t count)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES)
        sm_gfx_vstore(pixels + i, sm_gfx_vmul4(sm_gfx_vload(pixels + i), sm_gfx_vsplat(alpha)));
    for (; i < count; i++)
        pixels[i] = sm_gfx_mul4(pixels[i], alpha);
}

void sm_gfx_cover_row(uint32_t *pixels, const uint8_t *coverage, uint32_t count)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES)
        sm_gfx_vstore(pixels + i,
                      sm_gfx_vmul4(sm_gfx_vload(pixels + i), sm_gfx_vload_bytes(coverage + i)));
    for (; i < count; i++)
        pixels[i] = sm_gfx_mul4(pixels[i], coverage[i]);
}

SM_GFX_INLINE void over_lanes(uint8_t *d, sm_gfx_v32 s)
{
    sm_gfx_vstore(d, sm_gfx_vadd4(s, sm_gfx_vmul4(sm_gfx_vload(d), 255 - (s >> 24))));
}

void sm_gfx_over_row(uint8_t *d, const uint32_t *s, uint32_t count)
{
    const uint64_t opaque = 0xff000000ff000000;
    uint32_t i = 0;
    for (; i + 2 * SM_GFX_LANES <= count; i += 2 * SM_GFX_LANES, d += 8 * SM_GFX_LANES) {
        sm_gfx_v32 first = sm_gfx_vload(s + i), second = sm_gfx_vload(s + i + SM_GFX_LANES);
        sm_gfx_v32 common = first & second, any = first | second;
        uint64_t both[2], either[2];
        memcpy(both, &common, sizeof(both));
        memcpy(either, &any, sizeof(either));
        if ((both[0] & both[1] & opaque) == opaque) { /* most pixels are opaque or clear */
            sm_gfx_vstore(d, first);
            sm_gfx_vstore(d + 4 * SM_GFX_LANES, second);
        } else if ((either[0] | either[1]) != 0) {
            over_lanes(d, first);
            over_lanes(d + 4 * SM_GFX_LANES, second);
        }
    }
    for (; i < count; i++, d += 4)
        sm_gfx_put(d, 4, sm_gfx_add4(s[i], sm_gfx_mul4(sm_gfx_load(d, 4), 255 - (s[i] >> 24))));
}

void sm_gfx_over_target(const struct sm_pixels *target, int32_t x, int32_t y, uint32_t count,
                        const uint32_t *s)
{
    if (sm_pixel_bits(target->format) == 32) {
        sm_gfx_over_row(sm_gfx_at(target, x, y), s, count);
        return;
    }
    uint32_t d[SM_GFX_RUN_PX];
    sm_gfx_fetch_row(target, x, y, count, d);
    sm_gfx_over_row((uint8_t *)d, s, count);
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
