/* SPDX-License-Identifier: MIT */
/* Where to go: an address, a connection file, or a machine that was looked at before. */
#ifndef SM_VIEWER_START_WINDOW_H
#define SM_VIEWER_START_WINDOW_H

#include <adwaita.h>

#include "viewer/options.h"

#define SM_TYPE_START_WINDOW (sm_start_window_get_type())
G_DECLARE_FINAL_TYPE(SmStartWindow, sm_start_window, SM, START_WINDOW, AdwApplicationWindow)

/** @param options  of the command line, for what is opened here; borrowed for its life */
SmStartWindow *sm_start_window_new(AdwApplication *application,
                                   const struct sm_viewer_options *options);

#endif
