/* SPDX-License-Identifier: MIT */
/* The connection's quality at a glance: a button in the bar, and figures when it is pressed. */
#ifndef SM_VIEWER_QUALITY_H
#define SM_VIEWER_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include <gtk/gtk.h>

#include "viewer/view.h"

/** Part of a window. Zero-initialised it is ready. Thread: the main one. */
struct sm_quality {
    GtkWidget *button; /* borrowed from the tree of widgets */
    GtkWidget *round_trip, *rate, *frames, *codec, *age, *state, *security; /* labels, likewise */
    SmView *view;               /* whose frames are counted; borrowed */
    struct sm_session *session; /* borrowed; or NULL */
    guint timer;                /* or 0 */
    gint64 last_us;
    uint64_t last_bytes, last_frames;
};

/** Makes the button. Borrowed by the caller as a new widget is. */
GtkWidget *sm_quality_button(struct sm_quality *quality);

/** Measures `session` from now on; NULL: there is none. */
void sm_quality_set_session(struct sm_quality *quality, struct sm_session *session);

#endif
