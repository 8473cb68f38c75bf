/* SPDX-License-Identifier: MIT */
/* Small questions and answers over a window. */
#ifndef SM_VIEWER_DIALOGS_H
#define SM_VIEWER_DIALOGS_H

#include <stdbool.h>

#include <adwaita.h>

#include "sumac/error.h"

/**
 * Asks for the machine's password.
 *
 * @param machine_name  for the text
 * @param was_wrong     one was tried
 * @param answer        gets the password, to be copied, or NULL if the user gave up; called once,
 *                      unless the window goes first
 */
void sm_dialog_ask_password(GtkWindow *parent, const char *machine_name, bool was_wrong,
                            void (*answer)(const char *password, gpointer opaque), gpointer opaque);

/** Says why something did not work, and what to do about it. */
void sm_dialog_tell_error(GtkWindow *parent, const struct sm_error *error);

/** Asks whether to end the session; `answer` is called only if so. */
void sm_dialog_ask_close(GtkWindow *parent, const char *machine_name,
                         void (*answer)(gpointer opaque), gpointer opaque);

/** Shows the keys of the viewer. */
void sm_dialog_show_about(GtkWindow *parent);

#endif
