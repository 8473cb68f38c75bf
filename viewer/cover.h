/* SPDX-License-Identifier: MIT */
/* What of a widget can be seen as it is: nothing else of its window is drawn over it. */
#ifndef SM_VIEWER_COVER_H
#define SM_VIEWER_COVER_H

#include <gtk/gtk.h>

/** Where the upper left corner of `widget` is in its surface, in pixels of the device. */
void sm_cover_origin(GtkWidget *widget, double device_scale, int *x, int *y);

/**
 * The part of `widget` that is drawn as it is: in sight, below no other widget nor its shadow, not
 * faded, not in a rounded corner of the window.
 *
 * @return the caller's, in pixels of the device from the widget's upper left corner; perhaps empty
 */
cairo_region_t *sm_cover_open_part(GtkWidget *widget, double device_scale);

#endif
