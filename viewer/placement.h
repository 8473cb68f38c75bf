/* SPDX-License-Identifier: MIT */
/* Where a guest's screen lies inside the view that shows it, and what of it a point means. */
#ifndef SM_VIEWER_PLACEMENT_H
#define SM_VIEWER_PLACEMENT_H

#include <stdbool.h>

/** All in the view's logical pixels, except `guest_*`, in the guest's. */
struct sm_placement {
    double x, y, width, height; /* of the picture within the view */
    double scale;               /* logical pixels a guest pixel */
    int guest_width, guest_height;
};

/**
 * Fits a picture into a view: as large as `zoom` says (1: one guest pixel is one pixel of the
 * device), smaller if there is no room for that, centred on whole pixels of the device.
 *
 * @param device_scale  pixels of the device a logical pixel, 1 or more; not always whole
 * @param fills         scales up to the view's size, whatever the zoom
 */
struct sm_placement sm_placement_fit(int view_width, int view_height, int guest_width,
                                     int guest_height, double device_scale, double zoom,
                                     bool fills);

/** True if guest pixels fall exactly on pixels of the device. */
bool sm_placement_is_exact(const struct sm_placement *placement, double device_scale);

/**
 * The guest's pixel at (x, y) of the view, the nearest one if the point is outside the picture, so
 * that edges can be reached.
 *
 * @return whether the point is inside the picture
 */
bool sm_placement_to_guest(const struct sm_placement *placement, double x, double y, int *guest_x,
                           int *guest_y);

#endif
