/* SPDX-License-Identifier: MIT */
/*
 * What a window has of the guest's monitors: views beside and below each other as the guest has
 * them. One view has all the room; of several each has the room of its monitor.
 */
#ifndef SM_VIEWER_WALL_H
#define SM_VIEWER_WALL_H

#include <stddef.h>

#include "viewer/view.h"

enum { SM_WALL_VIEWS_MAX = 16 };

#define SM_TYPE_WALL (sm_wall_get_type())
/* Signal "size-changed" (): the room for the guest. */
G_DECLARE_FINAL_TYPE(SmWall, sm_wall, SM, WALL, GtkWidget)

/** An empty wall. */
GtkWidget *sm_wall_new(void);

/** Hangs up `view`, as a parent takes a new widget. */
void sm_wall_add(SmWall *wall, SmView *view);

/** Takes it down, which ends it. */
void sm_wall_remove(SmWall *wall, SmView *view);

/** How large a guest's pixel is, and whether all scale up to the window; as of a view. */
void sm_wall_set_scaling(SmWall *wall, double zoom, bool fills);

/**
 * The room for each monitor, in pixels of the device over the zoom: of several in a row each has a
 * part of the width like that it has now, and all of the height.
 *
 * @param wishes  receives at most `room`
 * @return how many; 0 if the monitors are not in one row, or there is no room yet: leave them
 */
size_t sm_wall_get_wishes(SmWall *wall, struct sm_monitor_wish *wishes, size_t room);

/** All monitors as they are now, the caller's; NULL without a picture, or with `error` if it would
 * be larger than 1 GB. */
GdkTexture *sm_wall_screenshot(SmWall *wall, GError **error);

#endif
