/* SPDX-License-Identifier: MIT */
#include "server/device/keyboard.h"

#include <string.h>

enum {
    BREAK = 0x80,
    EXTENDED = 0xe0, /* one more byte names the key */
    PAUSE = 0xe1,    /* two more bytes, which mean other keys elsewhere */
    LAST_PREFIX = 0xe2,
};

struct lock_key {
    uint8_t make;
    uint8_t lock;
};

static const struct lock_key LOCK_KEYS[] = {
    {0x46, SM_KEYBOARD_SCROLL},
    {0x45, SM_KEYBOARD_NUM},
    {0x3a, SM_KEYBOARD_CAPS},
};

enum { LOCK_KEY_COUNT = sizeof(LOCK_KEYS) / sizeof(LOCK_KEYS[0]) };

void sm_keyboard_init(struct sm_keyboard *keyboard, const struct sm_keyboard_ops *ops,
                      void *context)
{
    *keyboard = (struct sm_keyboard){.ops = ops, .context = context};
    if (ops)
        keyboard->locks = ops->leds(context) & 7;
}

/* Flips the belief about a lock when its key goes down; true if it did. */
static bool flip_lock(struct sm_keyboard *keyboard, uint8_t make)
{
    for (unsigned i = 0; i < LOCK_KEY_COUNT; i++) {
        if (LOCK_KEYS[i].make != make)
            continue;
        keyboard->locks ^= LOCK_KEYS[i].lock;
        return true;
    }
    return false;
}

static bool track(struct sm_keyboard *keyboard, uint8_t byte)
{
    if (keyboard->skip) {
        keyboard->skip--;
        return false;
    }
    if (byte == PAUSE) {
        keyboard->skip = 2;
        return false;
    }
    if (byte >= EXTENDED && byte <= LAST_PREFIX) {
        keyboard->prefix = byte;
        return false;
    }
    bool is_extended = keyboard->prefix == EXTENDED;
    bool is_plain = keyboard->prefix == 0;
    keyboard->prefix = 0;
    if (!is_extended && !is_plain)
        return false;

    bool *held = &keyboard->held[is_extended][byte & ~BREAK];
    bool was_held = *held;
    *held = !(byte & BREAK);
    return *held && !was_held && is_plain && flip_lock(keyboard, byte);
}

static bool push(struct sm_keyboard *keyboard, uint8_t byte)
{
    bool is_flipped = track(keyboard, byte);
    keyboard->ops->push_scancode(keyboard->context, byte);
    return is_flipped;
}

bool sm_keyboard_scancodes(struct sm_keyboard *keyboard, struct sm_bytes bytes)
{
    bool is_flipped = false;
    if (!keyboard->ops)
        return false;
    for (size_t i = 0; i < bytes.size; i++)
        is_flipped |= push(keyboard, bytes.data[i]);
    return is_flipped;
}

bool sm_keyboard_code(struct sm_keyboard *keyboard, uint32_t code)
{
    uint8_t bytes[4];
    size_t size = 0;
    for (; code & 0xff; code >>= 8)
        bytes[size++] = (uint8_t)code;
    return sm_keyboard_scancodes(keyboard, (struct sm_bytes){.data = bytes, .size = size});
}

bool sm_keyboard_set_locks(struct sm_keyboard *keyboard, uint8_t wanted)
{
    bool is_changed = false;
    if (!keyboard->ops)
        return false;
    for (unsigned i = 0; i < LOCK_KEY_COUNT; i++) {
        struct lock_key key = LOCK_KEYS[i];
        if (!((wanted ^ keyboard->locks) & key.lock) || keyboard->held[0][key.make])
            continue;
        /* Not tracked as a key: nobody holds it. */
        keyboard->ops->push_scancode(keyboard->context, key.make);
        keyboard->ops->push_scancode(keyboard->context, key.make | BREAK);
        keyboard->locks ^= key.lock;
        is_changed = true;
    }
    return is_changed;
}

void sm_keyboard_release_all(struct sm_keyboard *keyboard)
{
    if (!keyboard->ops)
        return;
    for (unsigned extended = 0; extended < 2; extended++) {
        for (unsigned make = 0; make < 128; make++) {
            if (!keyboard->held[extended][make])
                continue;
            if (extended)
                keyboard->ops->push_scancode(keyboard->context, EXTENDED);
            keyboard->ops->push_scancode(keyboard->context, (uint8_t)(make | BREAK));
        }
    }
    memset(keyboard->held, 0, sizeof(keyboard->held));
    keyboard->prefix = keyboard->skip = 0;
}
