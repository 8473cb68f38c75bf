/* SPDX-License-Identifier: MIT */
/* Key bindings of the viewer as connection files and command lines write them: "ctrl+alt+f11". */
#ifndef SM_VIEWER_HOTKEYS_H
#define SM_VIEWER_HOTKEYS_H

#include <stdbool.h>

#include <glib.h>

/** What a key can be bound to. */
enum sm_hotkey {
    SM_HOTKEY_TOGGLE_FULLSCREEN,
    SM_HOTKEY_RELEASE_CURSOR,
    SM_HOTKEY_ZOOM_IN,
    SM_HOTKEY_ZOOM_OUT,
    SM_HOTKEY_ZOOM_RESET,
    SM_HOTKEY_SECURE_ATTENTION,
    SM_HOTKEY_SMARTCARD_INSERT,
    SM_HOTKEY_SMARTCARD_REMOVE,
    SM_HOTKEY_USB_RESET,
    SM_HOTKEY_COUNT,
};

/** The name in files and options, such as "toggle-fullscreen". Static. */
const char *sm_hotkey_name(enum sm_hotkey hotkey);

/** The action of the window it stands for, such as "win.fullscreen". Static. */
const char *sm_hotkey_action(enum sm_hotkey hotkey);

/** The toolkit's name of the keys that are bound by default. Static. */
const char *sm_hotkey_default(enum sm_hotkey hotkey);

/**
 * Translates "ctrl+alt+f11" to the toolkit's "<Control><Alt>F11".
 *
 * @return the caller's, to be freed with g_free(): "" for an empty text, which disables; NULL if
 *         it is no binding: an unknown modifier, no key, or more than one
 */
char *sm_hotkey_accelerator(const char *text);

/**
 * Reads "action=key[+key][,action=…]". All bindings that are not named become disabled.
 *
 * @param accelerators  receives an accelerator each, owned by the caller
 * @param error         receives which part is wrong; the accelerators are untouched then
 */
bool sm_hotkeys_parse(const char *text, char *accelerators[SM_HOTKEY_COUNT], GError **error);

#endif
