/* SPDX-License-Identifier: MIT */
/* Names of controls that have no words on them, for whoever does not see them. */
#ifndef SM_VIEWER_NAMES_H
#define SM_VIEWER_NAMES_H

#include <gtk/gtk.h>

/** Names `widget`; of a menu's button, the button in it, which is what takes the focus. */
void sm_name_control(GtkWidget *widget, const char *name);

/** The same, and says it also to whoever points at it. */
void sm_name_and_tip(GtkWidget *widget, const char *name);

#endif
