/* SPDX-License-Identifier: MIT */
/* Putting the pointer somewhere, which the toolkit itself does not offer. */
#ifndef SM_VIEWER_POINTER_WARP_H
#define SM_VIEWER_POINTER_WARP_H

#include <stdbool.h>

#include <gtk/gtk.h>

/**
 * Puts the pointer at (x, y) of a widget.
 *
 * @return false where the windowing system does not let programs do so (Wayland)
 */
bool sm_pointer_warp(GtkWidget *widget, double x, double y);

#endif
