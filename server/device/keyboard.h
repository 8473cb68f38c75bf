/* SPDX-License-Identifier: MIT */
/* The guest's keyboard: scan codes on their way, keys held down, lamps kept in step. */
#ifndef SM_SERVER_DEVICE_KEYBOARD_H
#define SM_SERVER_DEVICE_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/bytes.h"

/** The host's keyboard. */
struct sm_keyboard_ops {
    /** One byte of scan code set 1. */
    void (*push_scancode)(void *context, uint8_t byte);
    /** The lamps, as enum sm_keyboard_lock. */
    uint8_t (*leds)(void *context);
};

/** Lock keys; values of the wire. */
enum sm_keyboard_lock {
    SM_KEYBOARD_SCROLL = 1,
    SM_KEYBOARD_NUM = 2,
    SM_KEYBOARD_CAPS = 4,
};

/** Thread: main context. */
struct sm_keyboard {
    const struct sm_keyboard_ops *ops; /* borrowed; NULL: there is no keyboard, all is ignored */
    void *context;
    uint8_t locks; /* what we believe the lamps show, until the guest says */
    uint8_t prefix;
    uint8_t skip; /* bytes of an e1 sequence still to come */
    bool held[2][128];
};

/** Forgets everything and asks the host for the lamps; `ops` NULL for no keyboard. */
void sm_keyboard_init(struct sm_keyboard *keyboard, const struct sm_keyboard_ops *ops,
                      void *context);

/** Passes `bytes` on; true if a lock key changed what we believe of the lamps. */
bool sm_keyboard_scancodes(struct sm_keyboard *keyboard, struct sm_bytes bytes);

/** The same for a code of KEY_DOWN and KEY_UP: low byte first, up to the first zero byte. */
bool sm_keyboard_code(struct sm_keyboard *keyboard, uint32_t code);

/** Presses the lock keys needed to reach `wanted`, but none that is held; true as above. */
bool sm_keyboard_set_locks(struct sm_keyboard *keyboard, uint8_t wanted);

/** Releases what is held down: its client has gone. */
void sm_keyboard_release_all(struct sm_keyboard *keyboard);

#endif
