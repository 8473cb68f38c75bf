/* SPDX-License-Identifier: MIT */
/* The dialog of USB devices and CDs. */
#ifndef SM_VIEWER_USB_DIALOG_H
#define SM_VIEWER_USB_DIALOG_H

#include <adwaita.h>

#include "viewer/connection.h"

/**
 * Shows which devices there are, with a switch each. It looks again every half a second, and goes
 * with its parent.
 *
 * @param connection  borrowed as long as `parent` is there
 */
void sm_usb_dialog_show(GtkWindow *parent, struct sm_connection *connection);

#endif
