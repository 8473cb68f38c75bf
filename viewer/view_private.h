/* SPDX-License-Identifier: MIT */
/* The insides of a view: view.c is what it is about, view_draw.c draws, view_input.c listens. */
#ifndef SM_VIEWER_VIEW_PRIVATE_H
#define SM_VIEWER_VIEW_PRIVATE_H

#include "viewer/direct_paint.h"
#include "viewer/grab_sequence.h"
#include "viewer/picture.h"
#include "viewer/placement.h"
#include "viewer/pointer_lock.h"
#include "viewer/view.h"
#include "viewer/wheel.h"

enum { MAPPED_MAX = 16 };

/* A key of the map that is down. */
struct sm_mapped_key {
    guint keycode;                     /* which one, whatever symbol it gives by now */
    uint16_t keys[SM_KEYMAP_KEYS_MAX]; /* the guest's */
    size_t count;
};

/* Pictures that go past the toolkit. */
struct sm_painting {
    GdkSurface *surface;            /* borrowed: what `direct` was made for, as is */
    struct sm_canvas *canvas;       /* held; */
    struct sm_direct_paint *direct; /* owned; NULL: it cannot be done */
    guint timer;                    /* runs until the next picture; or 0 */
    gint64 last_us;                 /* when there was one */
};

struct _SmView {
    GtkWidget parent_instance;
    uint32_t monitor_number;
    struct sm_session *session; /* borrowed; or NULL */

    /* What is shown: */
    struct sm_picture picture;
    uint8_t channel_id;  /* of the display the monitor is on */
    struct sm_rect area; /* the monitor within the display's surface */
    bool has_monitor;
    double zoom;
    bool fills;
    struct sm_placement placement;
    struct sm_picture_shape shape; /* that the picture takes when it is drawn next */
    gint64 damaged_us;             /* when pixels first changed that are not drawn yet; or 0 */
    struct sm_view_figures figures;
    struct sm_painting painting;

    /* The guest's pointer: */
    struct sm_cursor_info cursor;
    GdkTexture *cursor_shape;        /* owned; or NULL */
    cairo_surface_t *cursor_surface; /* owned: the same */
    uint64_t shape_serial;
    double cursor_scale; /* the native cursor was made for */
    bool is_cursor_local;

    /* Input: */
    bool takes_input;
    enum sm_pointer_mode mouse_mode;
    bool has_focus, is_released, has_keyboard;
    bool holds_pointer;           /* mouse mode server, after a click */
    struct sm_pointer_lock *lock; /* owned; NULL: it is warped back */
    bool is_warping;              /* the next motion is our own doing */
    double last_x, last_y;        /* of the pointer, in the view */
    struct sm_wheel wheel;
    struct sm_keymap keymap;
    struct sm_mapped_key mapped[MAPPED_MAX]; /* keys that are down as others */
    size_t mapped_count;
    struct sm_grab_sequence sequence;
};

/** Draws it all, as the toolkit asks for it. */
void sm_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot);

/** Something has changed, which is to be seen soon. */
void sm_view_draw_soon(SmView *view);

/** The window or the view goes: nothing is painted past the toolkit any more. */
void sm_view_end_painting(SmView *view);

/** Adds the controllers. */
void sm_view_init_input(SmView *view);

/** Focus, release or session have changed: takes or gives up the keyboard. */
void sm_view_update_keyboard(SmView *view);

/** Ends the hold of the pointer, if there is one. */
void sm_view_let_go(SmView *view);

/** Sets the pointer that is seen over the view. */
void sm_view_update_cursor(SmView *view);

#endif
