/* SPDX-License-Identifier: MIT */
/* A window of a machine: the view of a monitor, what can be done to it, and how things stand. */
#ifndef SM_VIEWER_WINDOW_H
#define SM_VIEWER_WINDOW_H

#include <adwaita.h>

#include "viewer/machine.h"
#include "viewer/wall.h"

#define SM_TYPE_WINDOW (sm_window_get_type())
G_DECLARE_FINAL_TYPE(SmWindow, sm_window, SM, WINDOW, AdwApplicationWindow)

/** A window for monitor `number` of a machine, which outlives it. */
SmWindow *sm_window_new(AdwApplication *application, struct sm_machine *machine, uint32_t number);

/** Its views. Borrowed. */
SmWall *sm_window_wall(SmWindow *window);

/** Which monitors it shows, a bit each; its own if there are none. */
void sm_window_set_monitors(SmWindow *window, uint32_t mask);

/** The connection's state has changed. */
void sm_window_update_state(SmWindow *window);

/** What is remembered of the machine has changed. */
void sm_window_update_settings(SmWindow *window);

/** Whether keys and pointer go to the machine has changed. */
void sm_window_update_view_only(SmWindow *window);

/** An event of the session. */
void sm_window_take_event(SmWindow *window, const struct sm_event *event);

/** Says something in passing. */
void sm_window_say(SmWindow *window, const char *text);

/** Closes it without asking. */
void sm_window_dismiss(SmWindow *window);

#endif
