/* SPDX-License-Identifier: MIT */
/* Filling the small convex polygons that dashes and their joints are. Private to core/gfx. */
#ifndef SM_CORE_GFX_POLYGON_H
#define SM_CORE_GFX_POLYGON_H

#include <stdint.h>

#include "core/base/geometry.h"
#include "core/gfx/pen.h"

enum { SM_GFX_POLYGON_MAX_SIDES = 5 };

struct sm_gfx_vertex {
    double x, y;
};

/** The line x * dy - y * dx = k: a direction in whole numbers and an offset. */
struct sm_gfx_side {
    int64_t dx, dy;
    double k;
};

/** Side i runs from vertex i to the next one. */
struct sm_gfx_polygon {
    struct sm_gfx_vertex v[SM_GFX_POLYGON_MAX_SIDES];
    struct sm_gfx_side s[SM_GFX_POLYGON_MAX_SIDES];
    unsigned count;
};

/** Fills `polygon`, whose coordinates are relative to `origin`. */
void sm_gfx_polygon_fill(struct sm_gfx_pen *pen, const struct sm_gfx_polygon *polygon,
                         struct sm_point origin);

#endif
