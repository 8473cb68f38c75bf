/* SPDX-License-Identifier: MIT */
#include "viewer/pointer_lock.h"

#ifdef SM_HAS_WAYLAND

#include <math.h>
#include <string.h>

#include <gdk/wayland/gdkwayland.h>

#include "viewer/pointer-constraints-unstable-v1-client.h"
#include "viewer/relative-pointer-unstable-v1-client.h"

static const char LOCKS_KEY[] = "sumac-pointer-locks"; /* of a display */

/* What a compositor offers for this; lives as long as the display. */
struct managers {
    struct zwp_pointer_constraints_v1 *constraints; /* or NULL */
    struct zwp_relative_pointer_manager_v1 *relative;
};

struct sm_pointer_lock {
    struct zwp_locked_pointer_v1 *locked;     /* owned */
    struct zwp_relative_pointer_v1 *relative; /* owned */
    void (*moved)(void *opaque, int dx, int dy);
    void *opaque;
    double rest_x, rest_y; /* of a step, not yet told */
};

/* ---- What there is ---- */

static void on_global(void *opaque, struct wl_registry *registry, uint32_t name,
                      const char *interface, uint32_t version)
{
    (void)version;
    struct managers *m = opaque;
    if (strcmp(interface, zwp_pointer_constraints_v1_interface.name) == 0 && !m->constraints)
        m->constraints = wl_registry_bind(registry, name, &zwp_pointer_constraints_v1_interface, 1);
    else if (strcmp(interface, zwp_relative_pointer_manager_v1_interface.name) == 0 && !m->relative)
        m->relative =
            wl_registry_bind(registry, name, &zwp_relative_pointer_manager_v1_interface, 1);
}

static void on_global_gone(void *opaque, struct wl_registry *registry, uint32_t name)
{
    (void)opaque;
    (void)registry;
    (void)name; /* compositors do not take these away */
}

/* The question has a queue of its own: the toolkit's events must not be handled in the middle of
 * something. What was found then lives on the toolkit's queue, which it reads for us. */
static void ask(struct wl_display *display, struct managers *m)
{
    static const struct wl_registry_listener LISTENER = {on_global, on_global_gone};
    struct wl_event_queue *queue = wl_display_create_queue(display);
    struct wl_display *wrapper = queue ? wl_proxy_create_wrapper(display) : NULL;
    if (wrapper) {
        wl_proxy_set_queue((struct wl_proxy *)wrapper, queue);
        struct wl_registry *registry = wl_display_get_registry(wrapper);
        wl_proxy_wrapper_destroy(wrapper);
        wl_registry_add_listener(registry, &LISTENER, m);
        wl_display_roundtrip_queue(display, queue);
        wl_registry_destroy(registry);
    }
    if (m->constraints)
        wl_proxy_set_queue((struct wl_proxy *)m->constraints, NULL);
    if (m->relative)
        wl_proxy_set_queue((struct wl_proxy *)m->relative, NULL);
    if (queue)
        wl_event_queue_destroy(queue);
}

static const struct managers *managers_of(GdkDisplay *display)
{
    struct managers *m = g_object_get_data(G_OBJECT(display), LOCKS_KEY);
    if (!m) {
        m = g_new0(struct managers, 1);
        ask(gdk_wayland_display_get_wl_display(display), m);
        g_object_set_data_full(G_OBJECT(display), LOCKS_KEY, m, g_free);
    }
    return m;
}

/* ---- Motion ---- */

static int whole_steps(double *rest, wl_fixed_t moved)
{
    *rest += wl_fixed_to_double(moved);
    double steps = trunc(*rest);
    *rest -= steps;
    return (int)steps;
}

static void on_relative_motion(void *opaque, struct zwp_relative_pointer_v1 *pointer,
                               uint32_t time_high, uint32_t time_low, wl_fixed_t dx, wl_fixed_t dy,
                               wl_fixed_t plain_dx, wl_fixed_t plain_dy)
{
    (void)pointer;
    (void)time_high;
    (void)time_low;
    (void)dx;
    (void)dy;
    struct sm_pointer_lock *lock = opaque;
    int x = whole_steps(&lock->rest_x, plain_dx);
    int y = whole_steps(&lock->rest_y, plain_dy);
    if (x || y)
        lock->moved(lock->opaque, x, y);
}

struct sm_pointer_lock *
sm_pointer_lock_create(GtkWidget *widget, void (*moved)(void *opaque, int dx, int dy), void *opaque)
{
    static const struct zwp_relative_pointer_v1_listener LISTENER = {on_relative_motion};
    GdkDisplay *display = gtk_widget_get_display(widget);
    GtkNative *native = gtk_widget_get_native(widget);
    GdkSeat *seat = gdk_display_get_default_seat(display);
    GdkDevice *device = seat ? gdk_seat_get_pointer(seat) : NULL;
    if (!GDK_IS_WAYLAND_DISPLAY(display) || !native || !device)
        return NULL;
    const struct managers *m = managers_of(display);
    struct wl_surface *surface = gdk_wayland_surface_get_wl_surface(gtk_native_get_surface(native));
    struct wl_pointer *pointer = gdk_wayland_device_get_wl_pointer(device);
    if (!m->constraints || !m->relative || !surface || !pointer)
        return NULL;
    struct sm_pointer_lock *lock = g_new0(struct sm_pointer_lock, 1);
    lock->moved = moved;
    lock->opaque = opaque;
    lock->locked = zwp_pointer_constraints_v1_lock_pointer(
        m->constraints, surface, pointer, NULL, ZWP_POINTER_CONSTRAINTS_V1_LIFETIME_PERSISTENT);
    lock->relative = zwp_relative_pointer_manager_v1_get_relative_pointer(m->relative, pointer);
    zwp_relative_pointer_v1_add_listener(lock->relative, &LISTENER, lock);
    return lock;
}

void sm_pointer_lock_destroy(struct sm_pointer_lock *lock)
{
    if (!lock)
        return;
    zwp_relative_pointer_v1_destroy(lock->relative);
    zwp_locked_pointer_v1_destroy(lock->locked);
    g_free(lock);
}

#else

struct sm_pointer_lock *
sm_pointer_lock_create(GtkWidget *widget, void (*moved)(void *opaque, int dx, int dy), void *opaque)
{
    (void)widget;
    (void)moved;
    (void)opaque;
    return NULL;
}

void sm_pointer_lock_destroy(struct sm_pointer_lock *lock)
{
    (void)lock;
}

#endif
