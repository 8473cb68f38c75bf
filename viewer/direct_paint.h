/* SPDX-License-Identifier: MIT */
/*
 * Paints pixels of a canvas into a window past the toolkit, where the window system can take them
 * from memory that both see: then a change costs no more than to say which pixels they are. The
 * toolkit must find the same pixels where it paints by itself.
 */
#ifndef SM_VIEWER_DIRECT_PAINT_H
#define SM_VIEWER_DIRECT_PAINT_H

#include <stdbool.h>

#include <gtk/gtk.h>

#include "viewer/canvas.h"

/** Thread: the main one. */
struct sm_direct_paint;

/**
 * @param surface  of the window, borrowed until it is destroyed
 * @param canvas   held
 * @return NULL if these pixels cannot be painted so: another window system or one elsewhere, no
 *         shared memory, other colours
 */
struct sm_direct_paint *sm_direct_paint_create(GdkSurface *surface, struct sm_canvas *canvas);

/** NULL does nothing. */
void sm_direct_paint_destroy(struct sm_direct_paint *paint);

/** True as long as the window system has not painted all that it was told to: more would queue. */
bool sm_direct_paint_is_busy(struct sm_direct_paint *paint);

/** Paints `region` of the canvas, whose upper left corner is at (x, y) of the surface; all in
 * pixels of the device. The pixels are read soon, not now. */
void sm_direct_paint_put(struct sm_direct_paint *paint, const cairo_region_t *region, int x, int y);

#endif
