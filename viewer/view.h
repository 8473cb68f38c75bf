/* SPDX-License-Identifier: MIT */
/*
 * The widget that shows one monitor of the guest and takes keyboard and pointer for it. It keeps
 * the last picture when the session goes.
 */
#ifndef SM_VIEWER_VIEW_H
#define SM_VIEWER_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <gtk/gtk.h>

#include "sumac/client.h"
#include "viewer/keymap.h"

#define SM_TYPE_VIEW (sm_view_get_type())
/*
 * Signals:
 *   "keyboard-changed" (gboolean has_keyboard): keys go to the guest, or do no more
 */
G_DECLARE_FINAL_TYPE(SmView, sm_view, SM, VIEW, GtkWidget)

/** A view of monitor `monitor_number`, empty. */
GtkWidget *sm_view_new(uint32_t monitor_number);

uint32_t sm_view_monitor_number(SmView *view);

/** Shows a session and sends it input from now on; NULL: the picture stays, input goes nowhere.
 * Borrowed until the next call. */
void sm_view_set_session(SmView *view, struct sm_session *session);

/** Takes an event of the session that is about displays, cursors or facts. */
void sm_view_take_event(SmView *view, const struct sm_event *event);

/** True once there is a picture. */
bool sm_view_has_picture(SmView *view);

/**
 * How large the picture is; may be called while the view gets its place.
 *
 * @param zoom   pixels of the device a guest's pixel, 1 for one; smaller if there is no room
 * @param fills  it is scaled up to the view, too
 */
void sm_view_set_scaling(SmView *view, double zoom, bool fills);

/** The area of the monitor in its display's surface, now or at last; the display's channel, or -1
 * and an empty area if there never was one. */
int sm_view_get_monitor(SmView *view, struct sm_rect *area);

/** What the view has drawn. */
struct sm_view_figures {
    uint64_t frames; /* with new pixels, since it was made */
    uint64_t age_us; /* how long the oldest new pixels of the last one had been here */
};

struct sm_view_figures sm_view_get_figures(SmView *view);

/** Pixels of the device a logical one of `widget`. */
double sm_view_device_scale(GtkWidget *widget);

/** Whether input goes to the guest at all; true by default. */
void sm_view_set_takes_input(SmView *view, bool takes_input);

/** Keys that are others to the guest; copied. */
void sm_view_set_keymap(SmView *view, const struct sm_keymap *keymap);

/** Whether the local pointer stays, in place of the guest's shape. */
void sm_view_set_local_cursor(SmView *view, bool is_local);

/** Whether the pointer is held by the guest, which moves its own (mouse mode server). */
bool sm_view_holds_pointer(SmView *view);

/** Gives keyboard and pointer back to the local desktop until the user clicks into the view. */
void sm_view_release(SmView *view);

/** The monitor as it is now, the caller's; NULL without a picture. */
GdkTexture *sm_view_screenshot(SmView *view);

#endif
