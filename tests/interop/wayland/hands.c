/* SPDX-License-Identifier: MIT */
/*
 * A keyboard and a pointer on a Wayland desktop made of wlroots, for tests: takes a line at a time
 * from a named pipe, and says "done" when the compositor has dealt with it. The devices stay as
 * long as the program runs.
 *
 *     key CODE 0|1        evdev's code, up or down
 *     move X Y W H        to (X, Y) of a desktop of W × H
 *     by DX DY            relative
 *     button CODE 0|1     evdev's code
 *     wheel STEPS         a wheel with clicks; down is positive
 *     glide PIXELS        two fingers on a touchpad
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <wayland-client.h>
#include <xkbcommon/xkbcommon.h>

#include "virtual-keyboard-client.h"
#include "virtual-pointer-client.h"

enum { CLICK = 15 /* what compositors make of a wheel's click, in pixels */, EVDEV_OFFSET = 8 };

struct hands {
    struct wl_display *display;
    struct wl_seat *seat;
    struct zwlr_virtual_pointer_manager_v1 *pointers;
    struct zwp_virtual_keyboard_manager_v1 *keyboards;
    struct zwlr_virtual_pointer_v1 *pointer;
    struct zwp_virtual_keyboard_v1 *keyboard;
    struct xkb_state *state;
    uint32_t time_ms; /* of the events; it only has to grow */
};

static void on_global(void *opaque, struct wl_registry *registry, uint32_t name,
                      const char *interface, uint32_t version)
{
    struct hands *h = opaque;
    (void)version;
    if (strcmp(interface, wl_seat_interface.name) == 0)
        h->seat = wl_registry_bind(registry, name, &wl_seat_interface, 1);
    else if (strcmp(interface, zwlr_virtual_pointer_manager_v1_interface.name) == 0)
        h->pointers =
            wl_registry_bind(registry, name, &zwlr_virtual_pointer_manager_v1_interface, 1);
    else if (strcmp(interface, zwp_virtual_keyboard_manager_v1_interface.name) == 0)
        h->keyboards =
            wl_registry_bind(registry, name, &zwp_virtual_keyboard_manager_v1_interface, 1);
}

static void on_global_remove(void *opaque, struct wl_registry *registry, uint32_t name)
{
    (void)opaque;
    (void)registry;
    (void)name;
}

static const struct wl_registry_listener REGISTRY = {on_global, on_global_remove};

static int send_layout(struct hands *h)
{
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_FLAGS);
    const struct xkb_rule_names us = {.layout = "us"};
    struct xkb_keymap *keymap = xkb_keymap_new_from_names(context, &us, 0);
    char *text = keymap ? xkb_keymap_get_as_string(keymap, XKB_KEYMAP_FORMAT_TEXT_V1) : NULL;
    if (!text)
        return -1;
    size_t size = strlen(text) + 1;
    int fd = memfd_create("layout", MFD_CLOEXEC);
    if (fd < 0 || write(fd, text, size) != (ssize_t)size)
        return -1;
    zwp_virtual_keyboard_v1_keymap(h->keyboard, WL_KEYBOARD_KEYMAP_FORMAT_XKB_V1, fd,
                                   (uint32_t)size);
    h->state = xkb_state_new(keymap);
    close(fd);
    free(text);
    xkb_keymap_unref(keymap);
    xkb_context_unref(context);
    return h->state ? 0 : -1;
}

static int grow(struct hands *h)
{
    struct wl_registry *registry = wl_display_get_registry(h->display);
    wl_registry_add_listener(registry, &REGISTRY, h);
    if (wl_display_roundtrip(h->display) < 0 || !h->seat || !h->pointers || !h->keyboards)
        return -1;
    h->pointer = zwlr_virtual_pointer_manager_v1_create_virtual_pointer(h->pointers, h->seat);
    h->keyboard = zwp_virtual_keyboard_manager_v1_create_virtual_keyboard(h->keyboards, h->seat);
    return send_layout(h) < 0 || wl_display_roundtrip(h->display) < 0 ? -1 : 0;
}

static void press_key(struct hands *h, uint32_t code, uint32_t is_press)
{
    zwp_virtual_keyboard_v1_key(h->keyboard, h->time_ms, code, is_press);
    xkb_state_update_key(h->state, code + EVDEV_OFFSET, is_press ? XKB_KEY_DOWN : XKB_KEY_UP);
    zwp_virtual_keyboard_v1_modifiers(h->keyboard,
                                      xkb_state_serialize_mods(h->state, XKB_STATE_MODS_DEPRESSED),
                                      xkb_state_serialize_mods(h->state, XKB_STATE_MODS_LATCHED),
                                      xkb_state_serialize_mods(h->state, XKB_STATE_MODS_LOCKED), 0);
}

static void turn(struct hands *h, int32_t steps)
{
    zwlr_virtual_pointer_v1_axis_source(h->pointer, WL_POINTER_AXIS_SOURCE_WHEEL);
    zwlr_virtual_pointer_v1_axis_discrete(h->pointer, h->time_ms, WL_POINTER_AXIS_VERTICAL_SCROLL,
                                          wl_fixed_from_int(steps * CLICK), steps);
    zwlr_virtual_pointer_v1_frame(h->pointer);
}

static void glide(struct hands *h, double pixels)
{
    zwlr_virtual_pointer_v1_axis_source(h->pointer, WL_POINTER_AXIS_SOURCE_FINGER);
    zwlr_virtual_pointer_v1_axis(h->pointer, h->time_ms, WL_POINTER_AXIS_VERTICAL_SCROLL,
                                 wl_fixed_from_double(pixels));
    zwlr_virtual_pointer_v1_frame(h->pointer);
}

static int obey(struct hands *h, const char *line)
{
    unsigned a, b, width, height;
    double x, y;
    int steps;
    h->time_ms += 10;
    if (sscanf(line, "key %u %u", &a, &b) == 2) {
        press_key(h, a, b);
    } else if (sscanf(line, "move %u %u %u %u", &a, &b, &width, &height) == 4) {
        zwlr_virtual_pointer_v1_motion_absolute(h->pointer, h->time_ms, a, b, width, height);
        zwlr_virtual_pointer_v1_frame(h->pointer);
    } else if (sscanf(line, "by %lf %lf", &x, &y) == 2) {
        zwlr_virtual_pointer_v1_motion(h->pointer, h->time_ms, wl_fixed_from_double(x),
                                       wl_fixed_from_double(y));
        zwlr_virtual_pointer_v1_frame(h->pointer);
    } else if (sscanf(line, "button %u %u", &a, &b) == 2) {
        zwlr_virtual_pointer_v1_button(h->pointer, h->time_ms, a, b);
        zwlr_virtual_pointer_v1_frame(h->pointer);
    } else if (sscanf(line, "wheel %d", &steps) == 1) {
        turn(h, steps);
    } else if (sscanf(line, "glide %lf", &x) == 1) {
        glide(h, x);
    } else {
        return -1;
    }
    return wl_display_roundtrip(h->display) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct hands hands = {.display = argc == 2 ? wl_display_connect(NULL) : NULL};
    char line[128];
    if (!hands.display || grow(&hands) < 0) {
        (void)fprintf(stderr, "no desktop that takes hands\n");
        return 1;
    }
    puts("ready");
    (void)fflush(stdout);
    FILE *pipe = fopen(argv[1], "r+"); /* also for writing, so that it never ends */
    while (pipe && fgets(line, sizeof(line), pipe)) {
        if (obey(&hands, line) < 0) {
            (void)fprintf(stderr, "not understood, or not heard: %s\n", line);
            return 1;
        }
        puts("done");
        (void)fflush(stdout);
    }
    return 0;
}
