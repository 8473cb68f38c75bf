/* SPDX-License-Identifier: MIT */
/* Files and folders in a window: dropped or chosen ones go into the guest, a folder is shared. */
#ifndef SM_VIEWER_FILES_H
#define SM_VIEWER_FILES_H

#include "viewer/window.h"

/** Adds the actions "win.send-files", "win.share-folder", "win.share-read-only", "win.share-none".
 */
void sm_files_add_actions(SmWindow *window);

/** The part of the menu about them; the caller's. */
GMenu *sm_files_menu(void);

/** A card that shows how far files are, hidden without any; takes drops onto the screen, too. */
GtkWidget *sm_files_card(SmWindow *window);

/** Files have got further. */
void sm_files_take_event(SmWindow *window);

#endif
