/* SPDX-License-Identifier: MIT */
/* Saving the guest's screen as a PNG file. */
#ifndef SM_VIEWER_SCREENSHOT_H
#define SM_VIEWER_SCREENSHOT_H

#include <adwaita.h>

/** Asks where to, saves, and says so. `texture` is taken. */
void sm_screenshot_save_as(GtkWindow *parent, AdwToastOverlay *toasts, GdkTexture *texture);

#endif
