/* SPDX-License-Identifier: MIT */
/* The desktop's clipboards (that of copies, and what is selected) and the guest's, kept alike. */
#ifndef SM_VIEWER_CLIPBOARD_H
#define SM_VIEWER_CLIPBOARD_H

#include <gtk/gtk.h>

#include "sumac/client.h"

/** Thread: the main one. */
struct sm_viewer_clipboard;

/**
 * @param say  tells the user something about what was copied
 * @return the caller's, released with sm_viewer_clipboard_destroy()
 */
struct sm_viewer_clipboard *sm_viewer_clipboard_create(GdkDisplay *display,
                                                       void (*say)(void *opaque, const char *text),
                                                       void *opaque);
void sm_viewer_clipboard_destroy(struct sm_viewer_clipboard *clipboard);

/** Shares with the guest of a session from now on; NULL: there is none. */
void sm_viewer_clipboard_set_session(struct sm_viewer_clipboard *clipboard,
                                     struct sm_session *session);

/** Opens and closes the ways, now and for sessions to come: a mask of enum sm_clipboard_direction.
 */
void sm_viewer_clipboard_set_ways(struct sm_viewer_clipboard *clipboard, unsigned ways);

/** Who pastes something of the guest's waits no more. */
void sm_viewer_clipboard_cancel(struct sm_viewer_clipboard *clipboard);

/** Takes an event of the session. */
void sm_viewer_clipboard_take_event(struct sm_viewer_clipboard *clipboard,
                                    const struct sm_event *event);

#endif
