/* SPDX-License-Identifier: MIT */
/* Sound in a window: mute, volume and microphone in the menu, and a light while we are recorded. */
#ifndef SM_VIEWER_SOUND_H
#define SM_VIEWER_SOUND_H

#include "viewer/window.h"

/** Adds the actions "win.mute", "win.volume" and "win.microphone". */
void sm_sound_add_actions(SmWindow *window);

/** Appends the menu about them to a section of the window's. */
void sm_sound_add_menu(GMenu *section);

/** A button that is there while the machine listens to the microphone, and closes it. */
GtkWidget *sm_sound_indicator(void);

/** How sound stands has changed. */
void sm_sound_take_event(SmWindow *window);

/** The menu shows what is remembered of the machine. */
void sm_sound_update_settings(SmWindow *window);

#endif
