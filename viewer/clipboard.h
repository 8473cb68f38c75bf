/* SPDX-License-Identifier: MIT */
/* The desktop's clipboard and the guest's, kept alike. */
#ifndef SM_VIEWER_CLIPBOARD_H
#define SM_VIEWER_CLIPBOARD_H

#include <gtk/gtk.h>

#include "sumac/client.h"

/** Thread: the main one. */
struct sm_viewer_clipboard;

/** @return the caller's, released with sm_viewer_clipboard_destroy() */
struct sm_viewer_clipboard *sm_viewer_clipboard_create(GdkDisplay *display);
void sm_viewer_clipboard_destroy(struct sm_viewer_clipboard *clipboard);

/** Shares with the guest of a session from now on; NULL: there is none. */
void sm_viewer_clipboard_set_session(struct sm_viewer_clipboard *clipboard,
                                     struct sm_session *session);

/** Takes an event of the session. */
void sm_viewer_clipboard_take_event(struct sm_viewer_clipboard *clipboard,
                                    const struct sm_event *event);

#endif
