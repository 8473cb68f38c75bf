/* SPDX-License-Identifier: MIT */
/* Image composition with all operators, masks and transforms. See core/gfx/draw.h. */
#ifndef SM_CORE_GFX_COMPOSITE_H
#define SM_CORE_GFX_COMPOSITE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/ops.h"
#include "core/gfx/region.h"
#include "core/gfx/sample.h"

/** The numbers are those of the wire; 0x0E, 0x0F, 0x1C–0x1F and 0x2C–0x2F mean nothing. */
enum sm_gfx_composite_op {
    SM_GFX_COMPOSITE_CLEAR = 0x00,
    SM_GFX_COMPOSITE_SRC = 0x01,
    SM_GFX_COMPOSITE_DST = 0x02,
    SM_GFX_COMPOSITE_OVER = 0x03,
    SM_GFX_COMPOSITE_OVER_REVERSE = 0x04,
    SM_GFX_COMPOSITE_IN = 0x05,
    SM_GFX_COMPOSITE_IN_REVERSE = 0x06,
    SM_GFX_COMPOSITE_OUT = 0x07,
    SM_GFX_COMPOSITE_OUT_REVERSE = 0x08,
    SM_GFX_COMPOSITE_ATOP = 0x09,
    SM_GFX_COMPOSITE_ATOP_REVERSE = 0x0a,
    SM_GFX_COMPOSITE_XOR = 0x0b,
    SM_GFX_COMPOSITE_ADD = 0x0c,
    SM_GFX_COMPOSITE_SATURATE = 0x0d,
    SM_GFX_COMPOSITE_DISJOINT_OVER = 0x13,
    SM_GFX_COMPOSITE_DISJOINT_XOR = 0x1b,
    SM_GFX_COMPOSITE_CONJOINT_OVER = 0x23,
    SM_GFX_COMPOSITE_CONJOINT_XOR = 0x2b,
    SM_GFX_COMPOSITE_MULTIPLY = 0x30,
    SM_GFX_COMPOSITE_SCREEN = 0x31,
    SM_GFX_COMPOSITE_OVERLAY = 0x32,
    SM_GFX_COMPOSITE_DARKEN = 0x33,
    SM_GFX_COMPOSITE_LIGHTEN = 0x34,
    SM_GFX_COMPOSITE_COLOR_DODGE = 0x35,
    SM_GFX_COMPOSITE_COLOR_BURN = 0x36,
    SM_GFX_COMPOSITE_HARD_LIGHT = 0x37,
    SM_GFX_COMPOSITE_SOFT_LIGHT = 0x38,
    SM_GFX_COMPOSITE_DIFFERENCE = 0x39,
    SM_GFX_COMPOSITE_EXCLUSION = 0x3a,
    SM_GFX_COMPOSITE_HSL_HUE = 0x3b,
    SM_GFX_COMPOSITE_HSL_SATURATION = 0x3c,
    SM_GFX_COMPOSITE_HSL_COLOR = 0x3d,
    SM_GFX_COMPOSITE_HSL_LUMINOSITY = 0x3e,
};

/** A picture and which of its positions belongs to the box's top-left corner. */
struct sm_gfx_operand {
    struct sm_gfx_sampler sampler;
    int32_t x, y;
};

struct sm_gfx_composite {
    uint32_t op; /* enum sm_gfx_composite_op */
    struct sm_gfx_operand source;
    struct sm_gfx_operand mask;
    bool has_mask;
    bool has_component_alpha; /* the mask's channels apply one by one */
};

/**
 * target = op(source in mask, target) over `region`; `box` is not clipped. An operator without
 * meaning, and positions out of range, draw nothing.
 */
void sm_gfx_composite(const struct sm_gfx_ops *ops, const struct sm_pixels *target,
                      const struct sm_region *region, struct sm_rect box,
                      const struct sm_gfx_composite *composite);

#endif
