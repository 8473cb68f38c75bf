/* SPDX-License-Identifier: MIT */
#include "core/gfx/source.h"

/* Source pixels a target pixel, 16.16, cut to the 32 bits that the reference computes with. */
static int64_t step(int64_t source_size, int64_t box_size)
{
    return (int32_t)(uint32_t)(uint64_t)(65536 * source_size / box_size);
}

struct sm_gfx_sampler sm_gfx_source_sampler(const struct sm_gfx_source *source, struct sm_rect box)
{
    return (struct sm_gfx_sampler){
        .pixels = source->pixels,
        .transform =
            {
                .t00 = step(sm_rect_width(source->area), sm_rect_width(box)),
                .t02 = 65536 * (int64_t)source->area.left,
                .t11 = step(sm_rect_height(source->area), sm_rect_height(box)),
                .t12 = 65536 * (int64_t)source->area.top,
            },
        .is_linear = source->is_linear,
    };
}
