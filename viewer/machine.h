/* SPDX-License-Identifier: MIT */
/*
 * A machine on this desktop: its connection, and a window for each of its monitors. It lives as
 * long as it has a window.
 */
#ifndef SM_VIEWER_MACHINE_H
#define SM_VIEWER_MACHINE_H

#include <adwaita.h>

#include "viewer/connection.h"
#include "viewer/options.h"
#include "viewer/settings.h"

/** Thread: the main one. */
struct sm_machine;

/**
 * Opens a window and connects.
 *
 * @param options  taken, also on failure
 * @return false, and `error` filled, if they name no machine
 */
bool sm_machine_open(AdwApplication *application, struct sm_viewer_options *options,
                     struct sm_error *error);

/* ---- For its windows ---- */

struct sm_connection *sm_machine_connection(struct sm_machine *machine);
const struct sm_viewer_options *sm_machine_options(struct sm_machine *machine);

/** How the machine is looked at. Borrowed until it changes. */
const struct sm_settings *sm_machine_settings(struct sm_machine *machine);

/** The user wants it otherwise from now on, and the next time. */
void sm_machine_change_settings(struct sm_machine *machine, const struct sm_settings *settings);

/** The keys that are others to the guest: those asked for, else those remembered. Borrowed until
 * the settings change. */
const struct sm_keymap *sm_machine_keymap(struct sm_machine *machine);

/** Whether the guest gets neither keys nor pointer: all views alike, also those that come later. */
bool sm_machine_is_view_only(struct sm_machine *machine);
void sm_machine_set_view_only(struct sm_machine *machine, bool is_view_only);

/** Full screen or not, all windows alike: each on a monitor of its own as long as there are some.
 */
void sm_machine_set_fullscreen(struct sm_machine *machine, bool is_fullscreen);

/** Who pastes something large of the machine's waits no more. */
void sm_machine_cancel_paste(struct sm_machine *machine);

/** The title of the window of monitor `number`; the caller's. */
char *sm_machine_title(struct sm_machine *machine, uint32_t number);

/** Ends the session; the windows go when it has ended. */
void sm_machine_close(struct sm_machine *machine);

/** The user has closed a window: the last one ends the session. */
void sm_machine_window_closed(struct sm_machine *machine, uint32_t number);

/** The room for the guest has changed somewhere; it may be asked to change its monitors. */
void sm_machine_room_changed(struct sm_machine *machine);

/** Whether keys go to the guest: then keys of ours must not be in the way. */
void sm_machine_keyboard_changed(struct sm_machine *machine, bool has_keyboard);

#endif
