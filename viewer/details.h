/* SPDX-License-Identifier: MIT */
/* What is known about a machine, in a window. */
#ifndef SM_VIEWER_DETAILS_H
#define SM_VIEWER_DETAILS_H

#include <gtk/gtk.h>

#include "viewer/connection.h"

/** Shows it as of now. */
void sm_details_show(GtkWindow *parent, struct sm_connection *connection);

#endif
