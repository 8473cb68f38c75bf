/* SPDX-License-Identifier: MIT */
/* A build without X11 or its shared memory: the toolkit paints. */
#include "viewer/direct_paint.h"

struct sm_direct_paint *sm_direct_paint_create(GdkSurface *surface, struct sm_canvas *canvas)
{
    (void)surface;
    (void)canvas;
    return NULL;
}

void sm_direct_paint_destroy(struct sm_direct_paint *paint)
{
    (void)paint;
}

bool sm_direct_paint_is_busy(struct sm_direct_paint *paint)
{
    (void)paint;
    return false;
}

void sm_direct_paint_put(struct sm_direct_paint *paint, const cairo_region_t *region, int x, int y)
{
    (void)paint;
    (void)region;
    (void)x;
    (void)y;
}
