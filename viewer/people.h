/* SPDX-License-Identifier: MIT */
/*
 * Several people at one machine, in the menu: who is there, who has what there is one of
 * (microphone, USB devices, folders), asking for it and handing it over.
 */
#ifndef SM_VIEWER_PEOPLE_H
#define SM_VIEWER_PEOPLE_H

#include "viewer/window.h"

/** Adds the actions "win.people-ask" and "win.people-give". */
void sm_people_add_actions(SmWindow *window);

/** The part of the menu about them, empty as long as nobody else is there; the caller's. */
GMenu *sm_people_menu(SmWindow *window);

/** Who is there, or who has what, may have changed, or the session has. */
void sm_people_update(SmWindow *window);

/** Lets go of the menu. May be called more than once. */
void sm_people_finish(SmWindow *window);

#endif
