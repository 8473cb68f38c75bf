/* SPDX-License-Identifier: MIT */
/* Small questions and answers over a window. */
#ifndef SM_VIEWER_DIALOGS_H
#define SM_VIEWER_DIALOGS_H

#include <stdbool.h>

#include <adwaita.h>

#include "sumac/error.h"

/** Gets what was typed, to be copied: `user` is NULL if it was not asked for, `password` if the
 * user gave up. */
typedef void sm_dialog_login(const char *user, const char *password, gpointer opaque);

/**
 * Asks for the machine's password, and for the user's name where the server wants to know it.
 *
 * @param machine_name  for the text
 * @param user          what the name's field has at first, "" for nothing; NULL: there is no field
 * @param was_wrong     one was tried
 * @param answer        called once, unless the window goes first
 */
void sm_dialog_ask_login(GtkWindow *parent, const char *machine_name, const char *user,
                         bool was_wrong, sm_dialog_login *answer, gpointer opaque);

/** Says why something did not work, and what to do about it. */
void sm_dialog_tell_error(GtkWindow *parent, const struct sm_error *error);

/** Asks whether to end the session; `answer` is called only if so. */
void sm_dialog_ask_close(GtkWindow *parent, const char *machine_name,
                         void (*answer)(gpointer opaque), gpointer opaque);

/** Shows the keys of the viewer. */
void sm_dialog_show_about(GtkWindow *parent);

#endif
