/* SPDX-License-Identifier: MIT */
/* Keyboard, mouse and tablet: what the client does reaches the guest through these. */
#ifndef SM_SPICE_SERVER_INPUT_H
#define SM_SPICE_SERVER_INPUT_H

#include "spice-core.h"

SPICE_BEGIN_DECLS

#define SPICE_INTERFACE_KEYBOARD       "keyboard"
#define SPICE_INTERFACE_KEYBOARD_MAJOR 1
#define SPICE_INTERFACE_KEYBOARD_MINOR 1

typedef struct SpiceKbdInterface SpiceKbdInterface;
typedef struct SpiceKbdInstance SpiceKbdInstance;
typedef struct SpiceKbdState SpiceKbdState;

struct SpiceKbdInterface {
    SpiceBaseInterface base;
    void (*push_scan_freg)(SpiceKbdInstance *sin, uint8_t frag); /* one byte of scan code set 1 */
    uint8_t (*get_leds)(SpiceKbdInstance *sin); /* bits: 0 scroll, 1 num, 2 caps lock */
};

struct SpiceKbdInstance {
    SpiceBaseInstance base;
    SpiceKbdState *st; /* the library's */
};

/** The guest switched its LEDs. Returns 0. */
int spice_server_kbd_leds(SpiceKbdInstance *sin, int leds);

#define SPICE_INTERFACE_MOUSE       "mouse"
#define SPICE_INTERFACE_MOUSE_MAJOR 1
#define SPICE_INTERFACE_MOUSE_MINOR 1

typedef struct SpiceMouseInterface SpiceMouseInterface;
typedef struct SpiceMouseInstance SpiceMouseInstance;
typedef struct SpiceMouseState SpiceMouseState;

/** Relative motion. Buttons: 1 left, 2 right, 4 middle, from 0x40 side buttons. */
struct SpiceMouseInterface {
    SpiceBaseInterface base;
    void (*motion)(SpiceMouseInstance *sin, int dx, int dy, int dz, uint32_t buttons_state);
    void (*buttons)(SpiceMouseInstance *sin, uint32_t buttons_state);
};

struct SpiceMouseInstance {
    SpiceBaseInstance base;
    SpiceMouseState *st; /* the library's */
};

#define SPICE_INTERFACE_TABLET       "tablet"
#define SPICE_INTERFACE_TABLET_MAJOR 1
#define SPICE_INTERFACE_TABLET_MINOR 1

typedef struct SpiceTabletInterface SpiceTabletInterface;
typedef struct SpiceTabletInstance SpiceTabletInstance;
typedef struct SpiceTabletState SpiceTabletState;

/** Absolute positions, in pixels of the logical size told last. */
struct SpiceTabletInterface {
    SpiceBaseInterface base;
    void (*set_logical_size)(SpiceTabletInstance *tablet, int width, int height);
    void (*position)(SpiceTabletInstance *tablet, int x, int y, uint32_t buttons_state);
    void (*wheel)(SpiceTabletInstance *tablet, int wheel_motion, uint32_t buttons_state);
    void (*buttons)(SpiceTabletInstance *tablet, uint32_t buttons_state);
};

struct SpiceTabletInstance {
    SpiceBaseInstance base;
    SpiceTabletState *st; /* the library's */
};

SPICE_END_DECLS

#endif
