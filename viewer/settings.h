/* SPDX-License-Identifier: MIT */
/*
 * What the viewer remembers of each machine, in a file of the user's: how it is looked at and
 * listened to. A machine is known by its UUID where it has one, else by its address.
 */
#ifndef SM_VIEWER_SETTINGS_H
#define SM_VIEWER_SETTINGS_H

#include <stdbool.h>

#include <glib.h>

#include "sumac/clipboard.h"

enum { SM_SETTINGS_KEYMAP_SIZE = 512 /* bytes with the NUL */ };

/** How one machine is looked at. */
struct sm_settings {
    int zoom_percent;   /* 10 to 400 */
    bool fills;         /* the picture is scaled up to the window */
    bool resizes_guest; /* the guest's screen follows the window */
    bool is_fullscreen; /* when it was closed */
    bool is_one_window; /* has all monitors; else each has a window */
    int volume_percent; /* 0 to 100, of what is played */
    bool is_muted;
    unsigned clipboard_ways;              /* mask of enum sm_clipboard_direction */
    char keymap[SM_SETTINGS_KEYMAP_SIZE]; /* as viewer/keymap.h reads it; "" changes nothing */
};

/** What a machine has that nobody changed anything of. */
struct sm_settings sm_settings_default(void);

/**
 * Reads what is remembered of a machine.
 *
 * @param key  the machine's, see sm_settings_key()
 * @param out  receives the settings: defaults for what is missing or makes no sense
 * @return whether anything is remembered
 */
bool sm_settings_load(const char *path, const char *key, struct sm_settings *out);

/**
 * What is to be remembered once the user has changed `before` to `after`. Zoom and following may
 * be for this time only: unless they are what was changed, they stay as they are `remembered`.
 */
struct sm_settings sm_settings_changed(const struct sm_settings *remembered,
                                       const struct sm_settings *before,
                                       const struct sm_settings *after);

/** Remembers them; false, and `error`, if the file cannot be written. */
bool sm_settings_save(const char *path, const char *key, const struct sm_settings *settings,
                      GError **error);

/**
 * The user's name that the machine of `key` was entered with, the caller's; NULL if none is
 * remembered. It is kept under the machine's address, because it is wanted before anything else is
 * known of it.
 */
char *sm_settings_load_user(const char *path, const char *key);

/** Remembers it; false, and `error`, if the file cannot be written. */
bool sm_settings_save_user(const char *path, const char *key, const char *user, GError **error);

/**
 * The key of a machine, the caller's.
 *
 * @param uuid     16 bytes in textual order; NULL if the machine did not tell any
 * @param address  canonical, without a password
 */
char *sm_settings_key(const unsigned char *uuid, const char *address);

/** A mask of ways in words: "both", "to-machine", "from-machine" or "off"; and back, which is
 * both for what makes no sense. */
const char *sm_settings_ways_name(unsigned ways);
unsigned sm_settings_ways(const char *name);

/** The file of this user, the caller's. */
char *sm_settings_path(void);

#endif
