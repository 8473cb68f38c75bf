/* SPDX-License-Identifier: MIT */
/* Pictures from one pixel format to another, and video frames onto a target. */
#ifndef SM_CORE_GFX_CONVERT_H
#define SM_CORE_GFX_CONVERT_H

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/region.h"

/**
 * Writes `from` in the format of `to`, which has the same size: channels widened by repeating their
 * bits, reduced by cutting. Into XRGB32 the alpha goes to the top byte, 0xFF for formats without.
 */
void sm_gfx_convert(const struct sm_pixels *to, const struct sm_pixels *from);

/**
 * Paints a video frame over `dest`, scaled to its size by taking the nearest pixel; only the pixels
 * of `region` are written. An XRGB32 frame goes to an XRGB32 target as it is.
 */
void sm_gfx_paint_frame(const struct sm_pixels *target, const struct sm_region *region,
                        struct sm_rect dest, const struct sm_pixels *frame);

#endif
