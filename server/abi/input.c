/* SPDX-License-Identifier: MIT */
/* spice-input.h: keyboard, mouse and tablet of the host. */
#include <stdlib.h>

#include "server/abi/internal.h"
#include "server/device/keyboard.h"
#include "server/device/pointer.h"

/* ---- keyboard ---- */

struct SpiceKbdState {
    SpiceServer *s;
};

static const SpiceKbdInterface *keyboard_of(const SpiceKbdInstance *instance)
{
    return (const void *)instance->base.sif;
}

static void push_scancode(void *context, uint8_t byte)
{
    SpiceKbdInstance *instance = context;
    keyboard_of(instance)->push_scan_freg(instance, byte);
}

static uint8_t leds(void *context)
{
    SpiceKbdInstance *instance = context;
    return keyboard_of(instance)->get_leds(instance);
}

int sm_abi_add_keyboard(SpiceServer *s, SpiceKbdInstance *instance)
{
    static const struct sm_keyboard_ops ops = {.push_scancode = push_scancode, .leds = leds};
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_KEYBOARD_MAJOR,
                             SPICE_INTERFACE_KEYBOARD_MINOR))
        return -1;
    if (s->keyboard) {
        sm_say(&s->log, SM_LOG_WARNING, "already have a keyboard");
        return -1;
    }
    instance->st = calloc(1, sizeof(*instance->st));
    if (!instance->st)
        return -1;
    instance->st->s = s;
    s->keyboard = instance;
    sm_server_set_keyboard(s->server, &ops, instance);
    return 0;
}

int spice_server_kbd_leds(SpiceKbdInstance *sin, int value)
{
    if (sin->st)
        sm_server_keyboard_leds(sin->st->s->server, (uint8_t)value);
    return 0;
}

/* ---- mouse ---- */

struct SpiceMouseState {
    SpiceServer *s;
};

static const SpiceMouseInterface *mouse_of(const SpiceMouseInstance *instance)
{
    return (const void *)instance->base.sif;
}

static void mouse_motion(void *context, int dx, int dy, int dz, uint32_t buttons)
{
    SpiceMouseInstance *instance = context;
    mouse_of(instance)->motion(instance, dx, dy, dz, buttons);
}

static void mouse_buttons(void *context, uint32_t buttons)
{
    SpiceMouseInstance *instance = context;
    mouse_of(instance)->buttons(instance, buttons);
}

int sm_abi_add_mouse(SpiceServer *s, SpiceMouseInstance *instance)
{
    static const struct sm_mouse_ops ops = {.motion = mouse_motion, .buttons = mouse_buttons};
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_MOUSE_MAJOR,
                             SPICE_INTERFACE_MOUSE_MINOR))
        return -1;
    if (s->mouse) {
        sm_say(&s->log, SM_LOG_WARNING, "already have a mouse");
        return -1;
    }
    instance->st = calloc(1, sizeof(*instance->st));
    if (!instance->st)
        return -1;
    instance->st->s = s;
    s->mouse = instance;
    sm_server_set_mouse(s->server, &ops, instance);
    return 0;
}

/* ---- tablet ---- */

struct SpiceTabletState {
    SpiceServer *s;
};

static const SpiceTabletInterface *tablet_of(const SpiceTabletInstance *instance)
{
    return (const void *)instance->base.sif;
}

static void tablet_size(void *context, int width, int height)
{
    SpiceTabletInstance *instance = context;
    tablet_of(instance)->set_logical_size(instance, width, height);
}

static void tablet_position(void *context, int x, int y, uint32_t buttons)
{
    SpiceTabletInstance *instance = context;
    tablet_of(instance)->position(instance, x, y, buttons);
}

static void tablet_wheel(void *context, int dz, uint32_t buttons)
{
    SpiceTabletInstance *instance = context;
    tablet_of(instance)->wheel(instance, dz, buttons);
}

static void tablet_buttons(void *context, uint32_t buttons)
{
    SpiceTabletInstance *instance = context;
    tablet_of(instance)->buttons(instance, buttons);
}

int sm_abi_add_tablet(SpiceServer *s, SpiceTabletInstance *instance)
{
    static const struct sm_tablet_ops ops = {
        .set_logical_size = tablet_size,
        .position = tablet_position,
        .wheel = tablet_wheel,
        .buttons = tablet_buttons,
    };
    if (!sm_abi_version_fits(s, instance->base.sif, SPICE_INTERFACE_TABLET_MAJOR,
                             SPICE_INTERFACE_TABLET_MINOR))
        return -1;
    if (s->tablet) {
        sm_say(&s->log, SM_LOG_WARNING, "already have a tablet");
        return -1;
    }
    instance->st = calloc(1, sizeof(*instance->st));
    if (!instance->st)
        return -1;
    instance->st->s = s;
    s->tablet = instance;
    sm_server_set_tablet(s->server, &ops, instance);
    return 0;
}

int sm_abi_remove_tablet(SpiceTabletInstance *instance)
{
    SpiceServer *s = instance->st->s;
    s->tablet = NULL;
    sm_server_set_tablet(s->server, NULL, NULL);
    free(instance->st);
    instance->st = NULL;
    return 0;
}

void sm_abi_forget_inputs(SpiceServer *s)
{
    if (s->keyboard) {
        free(s->keyboard->st);
        s->keyboard->st = NULL;
    }
    if (s->mouse) {
        free(s->mouse->st);
        s->mouse->st = NULL;
    }
    if (s->tablet) {
        free(s->tablet->st);
        s->tablet->st = NULL;
    }
}
