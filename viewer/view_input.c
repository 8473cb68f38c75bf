/* SPDX-License-Identifier: MIT */
/* Keyboard and pointer over a view, on their way to the guest. */
#include <math.h>
#include <stdlib.h>

#include "viewer/pointer_warp.h"
#include "viewer/view_private.h"

enum {
    EVDEV_OFFSET = 8,  /* of the key codes of X11 and Wayland */
    WHEEL_PIXELS = 12, /* of a touchpad, that are one step of a wheel */
};

static bool is_active(const SmView *view)
{
    return view->session && view->takes_input;
}

/* What cannot be sent is lost with the channel that would have carried it. */
static void sent(enum sm_status status)
{
    (void)status;
}

/* ---- Keyboard ---- */

static GdkToplevel *toplevel_of(SmView *view)
{
    GtkNative *native = gtk_widget_get_native(GTK_WIDGET(view));
    GdkSurface *surface = native ? gtk_native_get_surface(native) : NULL;
    return surface && GDK_IS_TOPLEVEL(surface) ? GDK_TOPLEVEL(surface) : NULL;
}

static GdkDevice *keyboard_of(SmView *view)
{
    GdkSeat *seat = gdk_display_get_default_seat(gtk_widget_get_display(GTK_WIDGET(view)));
    return seat ? gdk_seat_get_keyboard(seat) : NULL;
}

static void send_locks(SmView *view)
{
    GdkDevice *keyboard = keyboard_of(view);
    if (!keyboard)
        return;
    uint32_t leds = (gdk_device_get_scroll_lock_state(keyboard) ? 1 : 0) |
                    (gdk_device_get_num_lock_state(keyboard) ? 2 : 0) |
                    (gdk_device_get_caps_lock_state(keyboard) ? 4 : 0);
    sent(sm_session_send_leds(view->session, leds));
}

void sm_view_update_keyboard(SmView *view)
{
    bool has_keyboard = is_active(view) && view->has_focus && !view->is_released;
    if (has_keyboard == view->has_keyboard)
        return;
    view->has_keyboard = has_keyboard;
    GdkToplevel *toplevel = toplevel_of(view);
    if (has_keyboard) {
        if (toplevel)
            gdk_toplevel_inhibit_system_shortcuts(toplevel, NULL);
        send_locks(view);
    } else {
        if (toplevel)
            gdk_toplevel_restore_system_shortcuts(toplevel);
        if (view->session)
            sent(sm_session_release_all(view->session));
        view->sequence = (struct sm_grab_sequence){0};
        view->mapped_count = 0;
    }
    g_signal_emit_by_name(view, "keyboard-changed", (gboolean)has_keyboard);
}

static void set_released(SmView *view, bool is_released)
{
    view->is_released = is_released;
    sm_view_update_keyboard(view);
}

void sm_view_release(SmView *view)
{
    sm_view_let_go(view);
    set_released(view, true);
}

static uint16_t key_of(guint keycode)
{
    return keycode > EVDEV_OFFSET ? sm_key_from_evdev(keycode - EVDEV_OFFSET) : 0;
}

/* The key that gives `symbol` here, or, if none does, on a US keyboard; 0 if there is none. */
static uint16_t key_for(SmView *view, guint symbol)
{
    GdkDisplay *display = gtk_widget_get_display(GTK_WIDGET(view));
    g_autofree GdkKeymapKey *found = NULL;
    int count = 0;
    uint16_t key = 0;
    if (gdk_display_map_keyval(display, symbol, &found, &count))
        for (int i = 0; i < count && !key; i++)
            key = found[i].level == 0 ? key_of(found[i].keycode) : 0;
    struct sm_key_chord chord;
    if (!key && sm_key_chord_for_us(&chord, gdk_keyval_to_unicode(symbol)) && chord.count == 1)
        key = chord.keys[0];
    return key;
}

static struct sm_mapped_key *find_mapped(SmView *view, guint keycode)
{
    for (size_t i = 0; i < view->mapped_count; i++)
        if (view->mapped[i].keycode == keycode)
            return &view->mapped[i];
    return NULL;
}

/* What the key map says of a key, or has said when it went down; NULL if nothing. */
static struct sm_mapped_key *map_key(SmView *view, guint symbol, guint keycode, bool is_press)
{
    struct sm_mapped_key *mapped = find_mapped(view, keycode);
    const struct sm_keymap_entry *entry = sm_keymap_find(&view->keymap, symbol);
    if (mapped || !is_press || !entry || view->mapped_count == MAPPED_MAX)
        return mapped;
    mapped = &view->mapped[view->mapped_count++];
    *mapped = (struct sm_mapped_key){.keycode = keycode};
    for (size_t i = 0; i < entry->count; i++) {
        uint16_t key = key_for(view, entry->to[i]);
        if (key)
            mapped->keys[mapped->count++] = key;
    }
    return mapped;
}

static void send_mapped(SmView *view, struct sm_mapped_key *mapped, bool is_press)
{
    for (size_t i = 0; i < mapped->count; i++)
        sent(sm_session_send_key(view->session, mapped->keys[is_press ? i : mapped->count - 1 - i],
                                 is_press));
    if (!is_press)
        *mapped = view->mapped[--view->mapped_count];
}

static void take_key(SmView *view, guint symbol, guint keycode, bool is_press)
{
    uint16_t key = key_of(keycode);
    struct sm_mapped_key *mapped = map_key(view, symbol, keycode, is_press);
    /* The way out is made of the keys that are touched, whatever they are to the guest. */
    bool is_complete = key && sm_grab_sequence_key(&view->sequence, key, is_press);
    if (mapped)
        send_mapped(view, mapped, is_press);
    else if (key)
        sent(sm_session_send_key(view->session, key, is_press));
    if (is_complete)
        sm_view_release(view);
}

static gboolean on_key_pressed(GtkEventControllerKey *controller, guint keyval, guint keycode,
                               GdkModifierType state, SmView *view)
{
    (void)controller;
    (void)state;
    if (!view->has_keyboard)
        return GDK_EVENT_PROPAGATE;
    take_key(view, keyval, keycode, true);
    return GDK_EVENT_STOP;
}

static void on_key_released(GtkEventControllerKey *controller, guint keyval, guint keycode,
                            GdkModifierType state, SmView *view)
{
    (void)controller;
    (void)state;
    if (view->has_keyboard)
        take_key(view, keyval, keycode, false);
}

static void on_focus_enter(GtkEventControllerFocus *controller, SmView *view)
{
    (void)controller;
    view->has_focus = true;
    view->is_released = false;
    sm_view_update_keyboard(view);
}

static void on_focus_leave(GtkEventControllerFocus *controller, SmView *view)
{
    (void)controller;
    view->has_focus = false;
    sm_view_let_go(view);
    sm_view_update_keyboard(view);
}

/* ---- Pointer ---- */

void sm_view_let_go(SmView *view)
{
    if (!view->holds_pointer)
        return;
    view->holds_pointer = false;
    sm_pointer_lock_destroy(view->lock);
    view->lock = NULL;
    sm_view_update_cursor(view);
}

bool sm_view_holds_pointer(SmView *view)
{
    return view->holds_pointer;
}

/* The pointer is kept in the middle, so that it never meets the edge of the screen. */
static void keep_in_the_middle(SmView *view)
{
    GtkWidget *widget = GTK_WIDGET(view);
    double x = gtk_widget_get_width(widget) / 2, y = gtk_widget_get_height(widget) / 2;
    if (fabs(view->last_x - x) < 1 && fabs(view->last_y - y) < 1)
        return;
    if (!sm_pointer_warp(widget, x, y))
        return;
    view->is_warping = true;
    view->last_x = x;
    view->last_y = y;
}

static void move_by(SmView *view, double x, double y)
{
    int dx = (int)(x - view->last_x), dy = (int)(y - view->last_y);
    if (view->is_warping && fabs(x - view->last_x) < 1 && fabs(y - view->last_y) < 1) {
        view->is_warping = false; /* this is where we put it */
        return;
    }
    view->last_x = x;
    view->last_y = y;
    if (!dx && !dy)
        return;
    sent(sm_session_send_motion(view->session, dx, dy));
    keep_in_the_middle(view);
}

/* The view beside `view` that has the point, which becomes one of its own: while a button is held
 * the toolkit tells only the view where it was pressed. */
static SmView *find_view(SmView *view, double *x, double *y)
{
    GtkWidget *parent = gtk_widget_get_parent(GTK_WIDGET(view));
    for (GtkWidget *other = gtk_widget_get_first_child(parent); other;
         other = gtk_widget_get_next_sibling(other)) {
        double other_x, other_y;
        if (SM_IS_VIEW(other) &&
            gtk_widget_translate_coordinates(GTK_WIDGET(view), other, *x, *y, &other_x, &other_y) &&
            gtk_widget_contains(other, other_x, other_y)) {
            *x = other_x;
            *y = other_y;
            return SM_VIEW(other);
        }
    }
    return view;
}

static void move_to(SmView *view, double x, double y)
{
    int guest_x, guest_y;
    view = find_view(view, &x, &y);
    if (sm_placement_to_guest(&view->placement, x, y, &guest_x, &guest_y))
        sent(sm_session_send_position(view->session, view->monitor_number, (uint32_t)guest_x,
                                      (uint32_t)guest_y));
}

static void on_motion(GtkEventControllerMotion *controller, double x, double y, SmView *view)
{
    (void)controller;
    if (!is_active(view))
        return;
    if (view->mouse_mode == SM_POINTER_MODE_CLIENT)
        move_to(view, x, y);
    else if (view->holds_pointer && !view->lock)
        move_by(view, x, y);
}

static void on_enter(GtkEventControllerMotion *controller, double x, double y, SmView *view)
{
    on_motion(controller, x, y, view);
}

static enum sm_button button_of(guint button)
{
    switch (button) {
    case GDK_BUTTON_PRIMARY:
        return SM_BUTTON_LEFT;
    case GDK_BUTTON_MIDDLE:
        return SM_BUTTON_MIDDLE;
    case GDK_BUTTON_SECONDARY:
        return SM_BUTTON_RIGHT;
    case 8:
    case 11: /* what some mice call back and forward */
        return SM_BUTTON_SIDE;
    case 9:
    case 10:
        return SM_BUTTON_EXTRA;
    default:
        return 0;
    }
}

/* Where in the view an event happened. */
static bool place_of(SmView *view, GdkEvent *event, double *x, double *y)
{
    GtkWidget *widget = GTK_WIDGET(view);
    GtkNative *native = gtk_widget_get_native(widget);
    double surface_x, surface_y;
    if (!native || !gdk_event_get_position(event, x, y))
        return false;
    gtk_native_get_surface_transform(native, &surface_x, &surface_y);
    return gtk_widget_translate_coordinates(GTK_WIDGET(native), widget, *x - surface_x,
                                            *y - surface_y, x, y);
}

static void on_locked_motion(void *opaque, int dx, int dy)
{
    SmView *view = opaque;
    if (is_active(view))
        sent(sm_session_send_motion(view->session, dx, dy));
}

static void take_hold(SmView *view, double x, double y)
{
    view->holds_pointer = true;
    view->is_warping = false;
    view->last_x = x;
    view->last_y = y;
    view->lock = sm_pointer_lock_create(GTK_WIDGET(view), on_locked_motion, view);
    if (!view->lock)
        keep_in_the_middle(view);
    sm_view_update_cursor(view);
}

static gboolean take_press(SmView *view, enum sm_button button, double x, double y)
{
    gtk_widget_grab_focus(GTK_WIDGET(view));
    set_released(view, false);
    if (view->mouse_mode == SM_POINTER_MODE_SERVER && !view->holds_pointer) {
        take_hold(view, x, y); /* this click is for us */
        return GDK_EVENT_STOP;
    }
    int guest_x, guest_y;
    bool is_client = view->mouse_mode == SM_POINTER_MODE_CLIENT;
    if (is_client && !sm_placement_to_guest(&view->placement, x, y, &guest_x, &guest_y))
        return GDK_EVENT_STOP; /* beside the picture */
    if (is_client)
        move_to(view, x, y);
    sent(sm_session_send_button(view->session, button, true));
    return GDK_EVENT_STOP;
}

/* A plain controller: gestures would keep presses of two buttons at once from us. */
static gboolean on_event(GtkEventControllerLegacy *controller, GdkEvent *event, SmView *view)
{
    (void)controller;
    GdkEventType type = gdk_event_get_event_type(event);
    if ((type != GDK_BUTTON_PRESS && type != GDK_BUTTON_RELEASE) || !is_active(view))
        return GDK_EVENT_PROPAGATE;
    enum sm_button button = button_of(gdk_button_event_get_button(event));
    double x, y;
    if (!button || !place_of(view, event, &x, &y))
        return GDK_EVENT_PROPAGATE;
    if (type == GDK_BUTTON_PRESS)
        return take_press(view, button, x, y);
    if (view->mouse_mode == SM_POINTER_MODE_CLIENT || view->holds_pointer)
        sent(sm_session_send_button(view->session, button, false));
    return GDK_EVENT_STOP;
}

static gboolean on_scroll(GtkEventControllerScroll *controller, double dx, double dy, SmView *view)
{
    (void)dx; /* the protocol has no buttons for it */
    if (!is_active(view))
        return GDK_EVENT_PROPAGATE;
    bool is_pixels = gtk_event_controller_scroll_get_unit(controller) == GDK_SCROLL_UNIT_SURFACE;
    int steps = sm_wheel_turn(&view->wheel, is_pixels ? dy / WHEEL_PIXELS : dy);
    enum sm_button button = steps > 0 ? SM_BUTTON_WHEEL_DOWN : SM_BUTTON_WHEEL_UP;
    for (int i = abs(steps); i > 0; i--) {
        sent(sm_session_send_button(view->session, button, true));
        sent(sm_session_send_button(view->session, button, false));
    }
    return GDK_EVENT_STOP;
}

void sm_view_init_input(SmView *view)
{
    GtkWidget *widget = GTK_WIDGET(view);
    GtkEventController *keys = gtk_event_controller_key_new();
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key_pressed), view);
    g_signal_connect(keys, "key-released", G_CALLBACK(on_key_released), view);
    gtk_widget_add_controller(widget, keys);

    GtkEventController *focus = gtk_event_controller_focus_new();
    g_signal_connect(focus, "enter", G_CALLBACK(on_focus_enter), view);
    g_signal_connect(focus, "leave", G_CALLBACK(on_focus_leave), view);
    gtk_widget_add_controller(widget, focus);

    GtkEventController *motion = gtk_event_controller_motion_new();
    g_signal_connect(motion, "enter", G_CALLBACK(on_enter), view);
    g_signal_connect(motion, "motion", G_CALLBACK(on_motion), view);
    gtk_widget_add_controller(widget, motion);

    GtkEventController *buttons = gtk_event_controller_legacy_new();
    g_signal_connect(buttons, "event", G_CALLBACK(on_event), view);
    gtk_widget_add_controller(widget, buttons);

    GtkEventController *scroll =
        gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
    g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), view);
    gtk_widget_add_controller(widget, scroll);
}
