/* SPDX-License-Identifier: MIT */
/* Keys: their codes, their names, and which of them a US keyboard needs for a character. */
#ifndef SUMAC_KEYS_H
#define SUMAC_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A key is a number: its PC/AT set 1 scan code 0x01 to 0x7f, plus SM_KEY_EXTENDED for keys whose
 * code has the prefix e0. SM_KEY_PAUSE stands for the one key with a code of its own kind.
 */
enum {
    SM_KEY_EXTENDED = 0x100,
    SM_KEY_PAUSE = 0x200,

    SM_KEY_ESC = 0x01,
    SM_KEY_BACKSPACE = 0x0e,
    SM_KEY_TAB = 0x0f,
    SM_KEY_ENTER = 0x1c,
    SM_KEY_LEFT_CTRL = 0x1d,
    SM_KEY_LEFT_SHIFT = 0x2a,
    SM_KEY_RIGHT_SHIFT = 0x36,
    SM_KEY_LEFT_ALT = 0x38,
    SM_KEY_SPACE = 0x39,
    SM_KEY_CAPS_LOCK = 0x3a,
    SM_KEY_NUM_LOCK = 0x45,
    SM_KEY_SCROLL_LOCK = 0x46,
    SM_KEY_RIGHT_CTRL = SM_KEY_EXTENDED | 0x1d,
    SM_KEY_RIGHT_ALT = SM_KEY_EXTENDED | 0x38,
    SM_KEY_LEFT_SUPER = SM_KEY_EXTENDED | 0x5b,
    SM_KEY_RIGHT_SUPER = SM_KEY_EXTENDED | 0x5c,
    SM_KEY_DELETE = SM_KEY_EXTENDED | 0x53,
};

enum {
    SM_KEY_CHORD_MAX = 8, /* keys held together */
    SM_SCANCODES_MAX = 6, /* bytes of one press or release */
};

/** True if `key` is one that can be sent. */
SM_API bool sm_key_is_valid(uint16_t key);

/**
 * The scan-code bytes a keyboard sends for `key`.
 *
 * @param bytes  receives at most SM_SCANCODES_MAX bytes
 * @return how many; 0 if `key` is not valid
 */
SM_API size_t sm_key_scancodes(uint16_t key, bool is_press, uint8_t bytes[SM_SCANCODES_MAX]);

/** The key a Linux evdev code (KEY_A is 30; X11 and Wayland codes are 8 higher) stands for; or 0.
 */
SM_API uint16_t sm_key_from_evdev(uint32_t code);

/** The key called `name` ("a", "f2", "ctrl", "page-up"), whatever its case; 0 if there is none. */
SM_API uint16_t sm_key_from_name(const char *name);

/** The first name of `key`; NULL if it has none. Static. */
SM_API const char *sm_key_name(uint16_t key);

/** The name number `index` of all names, aliases included, in a fixed order; NULL behind the last.
 * Static. For help texts and completion. */
SM_API const char *sm_key_name_at(size_t index);

/** Keys held down together, in the order of pressing. */
struct sm_key_chord {
    uint16_t keys[SM_KEY_CHORD_MAX];
    size_t count;
};

/**
 * Understands key names joined by '-' or '+': "ctrl-alt-f2", "shift+a", "minus", "ctrl--".
 *
 * @param out      receives the chord; untouched on failure
 * @param bad      receives the part that is not a key, cut to `bad_size` with its NUL, on failure
 * @return SM_OK; SM_ERR_PROTOCOL for an unknown or empty name; SM_ERR_LIMIT for too many keys or
 *         one named twice
 */
SM_API SM_NODISCARD enum sm_status sm_key_chord_parse(struct sm_key_chord *out, const char *text,
                                                      char *bad, size_t bad_size);

/**
 * The keys that give `character` on a US keyboard with Caps Lock off.
 *
 * @param out  receives one key, or Shift and one key; untouched on failure
 * @return false if the US layout has no key for it
 */
SM_API bool sm_key_chord_for_us(struct sm_key_chord *out, uint32_t character);

#ifdef __cplusplus
}
#endif

#endif
