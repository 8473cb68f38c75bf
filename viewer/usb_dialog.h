/* SPDX-License-Identifier: MIT */
/* The dialog of USB devices and CDs. */
#ifndef SM_VIEWER_USB_DIALOG_H
#define SM_VIEWER_USB_DIALOG_H

#include <adwaita.h>

#include "viewer/machine.h"

/** Shows which devices there are, with a switch each, as long as the session lives. */
void sm_usb_dialog_show(GtkWindow *parent, struct sm_machine_view *machine);

#endif
