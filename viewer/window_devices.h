/* SPDX-License-Identifier: MIT */
/* What keys can do to devices: put the card of software in and out, plug USB devices anew. */
#ifndef SM_VIEWER_WINDOW_DEVICES_H
#define SM_VIEWER_WINDOW_DEVICES_H

#include "viewer/window.h"

/** Adds the actions "win.smartcard-insert", "win.smartcard-remove" and "win.usb-reset". */
void sm_devices_add_actions(SmWindow *window);

/** Something about USB devices has changed: those on their way out go in again. */
void sm_devices_take_event(SmWindow *window);

#endif
