/* SPDX-License-Identifier: MIT */
/* Asks for the machine's key map, and remembers it. */
#ifndef SM_VIEWER_KEYMAP_DIALOG_H
#define SM_VIEWER_KEYMAP_DIALOG_H

#include <adwaita.h>

#include "viewer/machine.h"

/** @param machine  outlives `parent` */
void sm_keymap_dialog_show(GtkWindow *parent, struct sm_machine *machine);

#endif
