/* SPDX-License-Identifier: MIT */
/* The card over the last picture: the line is lost, or the machine does not answer. */
#ifndef SM_VIEWER_LINE_CARD_H
#define SM_VIEWER_LINE_CARD_H

#include <gtk/gtk.h>

#include "viewer/connection.h"

/** Part of a window. Zero-initialised it is ready. Thread: the main one. */
struct sm_line_card {
    GtkWidget *revealer, *heading, *text; /* borrowed from the tree of widgets */
    struct sm_connection *connection;     /* borrowed; what the timer looks at */
    guint timer;                          /* or 0; counts the seconds without an answer */
};

/** Makes the card. Borrowed by the caller as a new widget is. */
GtkWidget *sm_line_card_make(struct sm_line_card *card);

/** Says how `connection` stands, or hides. */
void sm_line_card_update(struct sm_line_card *card, struct sm_connection *connection);

/** Looks no more. */
void sm_line_card_finish(struct sm_line_card *card);

#endif
