/* SPDX-License-Identifier: MIT */
/* Polylines of whole pixels, solid and dashed. Private to core/gfx. */
#ifndef SM_CORE_GFX_POLYLINE_H
#define SM_CORE_GFX_POLYLINE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/gfx/pen.h"
#include "core/gfx/stroke.h"
#include "sumac/status.h"

/** A dash list in whole pixels: even entries are painted, odd ones are gaps. */
struct sm_gfx_dashes {
    uint8_t lengths[SM_GFX_STROKE_MAX_DASHES];
    uint32_t count; /* 0 = solid */
    uint32_t sum;   /* of all lengths, not 0 unless `count` is */
    uint32_t start; /* how far into the list a polyline begins */
};

/** The dash list of `stroke`; empty if it is solid or has no length. */
void sm_gfx_dashes_init(struct sm_gfx_dashes *dashes, const struct sm_gfx_stroke *stroke);

/** Paints each segment without its last point. */
void sm_gfx_polyline_solid(struct sm_gfx_pen *pen, const struct sm_point *points, size_t count);

/** @return SM_OK, SM_ERR_NOMEM */
SM_NODISCARD enum sm_status sm_gfx_polyline_dashed(struct sm_gfx_pen *pen,
                                                   const struct sm_point *points, size_t count,
                                                   const struct sm_gfx_dashes *dashes);

#endif
