/* SPDX-License-Identifier: MIT */
/* Lines one pixel wide, solid or dashed, straight or curved. See core/gfx/draw.h. */
#ifndef SM_CORE_GFX_STROKE_H
#define SM_CORE_GFX_STROKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/draw.h"
#include "core/gfx/region.h"
#include "sumac/status.h"

/** Flags of a path segment. Source: docs/wire/types.md, "path_flag". */
enum sm_gfx_path_flag {
    SM_GFX_PATH_BEGIN = 1,
    SM_GFX_PATH_END = 2,
    SM_GFX_PATH_CLOSE = 8,
    SM_GFX_PATH_BEZIER = 16,
};

enum {
    /** Points of one polyline, curves flattened; longer ones are cut off. */
    SM_GFX_STROKE_MAX_POINTS = 1000000,
    /** Pixels and dashes that one command works through; the rest is not drawn. */
    SM_GFX_STROKE_MAX_STEPS = 1 << 27,
    /** Entries of a dash list. */
    SM_GFX_STROKE_MAX_DASHES = 255,
};

struct sm_gfx_path_segment {
    uint32_t flags;
    const struct sm_point *points; /* borrowed; fixed point with 4 fractional bits */
    uint32_t count;
};

struct sm_gfx_stroke {
    const struct sm_gfx_path_segment *segments; /* borrowed */
    size_t segment_count;

    bool is_dashed;
    bool starts_with_gap;
    const int32_t *dashes; /* borrowed; lengths with 4 fractional bits, dash and gap in turn */
    size_t dash_count;     /* at most SM_GFX_STROKE_MAX_DASHES */
};

/**
 * target = op(brush, target) for every pixel that the lines paint, each time one does. A path that
 * makes no sense (a curve with stray points, a segment that continues nothing) draws nothing; a
 * dash list without any length is a solid line.
 *
 * @return SM_OK, SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_gfx_stroke(const struct sm_pixels *target,
                                          const struct sm_region *region,
                                          const struct sm_gfx_stroke *stroke,
                                          const struct sm_gfx_brush *brush, enum sm_gfx_op op);

#endif
