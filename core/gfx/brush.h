/* SPDX-License-Identifier: MIT */
/* Runs of a brush's pixels. Private to core/gfx. */
#ifndef SM_CORE_GFX_BRUSH_H
#define SM_CORE_GFX_BRUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/gfx/draw.h"

/** Pixels handled at once; runs are cut to this. */
enum { SM_GFX_RUN_PX = 512 };

/** Room for a run of pixels of any format. */
struct sm_gfx_run {
    uint32_t pixels[SM_GFX_RUN_PX];
};

/** The low `bytes` bytes of `color`, repeated to fill all four. */
uint32_t sm_gfx_replicated(uint32_t color, uint32_t bytes);

/** True if the brush has as many bits a pixel as `target`. */
bool sm_gfx_brush_fits(const struct sm_gfx_brush *brush, const struct sm_pixels *target);

/**
 * `count` pixels of the brush from target position (x, y) on, at most SM_GFX_RUN_PX: in the tile
 * itself if it is wide enough, else written to `buffer`.
 */
const uint8_t *sm_gfx_brush_run(const struct sm_gfx_brush *brush, uint32_t bytes, int32_t x,
                                int32_t y, uint32_t count, struct sm_gfx_run *buffer);

/** target = op(brush, target) for `count` pixels from (x, y) on, all inside the target. */
void sm_gfx_brush_paint(const struct sm_gfx_brush *brush, const struct sm_pixels *target,
                        enum sm_gfx_op op, int32_t x, int32_t y, uint32_t count);

#endif
