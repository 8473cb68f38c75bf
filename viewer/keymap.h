/* SPDX-License-Identifier: MIT */
/*
 * A key map: keys of this keyboard that are others to the guest, or none. Written as
 * "Super_L=,F1=Shift_L+F1", with the names of X's key symbols.
 */
#ifndef SM_VIEWER_KEYMAP_H
#define SM_VIEWER_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

enum {
    SM_KEYMAP_MAX = 64,     /* keys in a map */
    SM_KEYMAP_KEYS_MAX = 4, /* that one of them is to the guest */
};

/** One key's meaning. */
struct sm_keymap_entry {
    guint from;                   /* the symbol it gives here, with the modifiers that are held */
    guint to[SM_KEYMAP_KEYS_MAX]; /* symbols of what the guest is to see */
    size_t count;                 /* 0: nothing */
};

/** Zero-initialised it changes nothing. */
struct sm_keymap {
    struct sm_keymap_entry entries[SM_KEYMAP_MAX];
    size_t count;
};

/**
 * Reads a map.
 *
 * @param text  "" for one that changes nothing
 * @param out   untouched on failure
 * @return false, and `error`, if it cannot be understood
 */
bool sm_keymap_parse(struct sm_keymap *out, const char *text, GError **error);

/** What symbol `from` is mapped to; NULL if it is not. Borrowed. */
const struct sm_keymap_entry *sm_keymap_find(const struct sm_keymap *map, guint from);

#endif
