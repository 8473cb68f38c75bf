/* SPDX-License-Identifier: MIT */
/*
 * A keyboard layout backwards: which keys give a character. Layouts are those of the X keyboard
 * extension, by libxkbcommon; layout_absent.c stands in where sumac was built without it.
 */
#ifndef SM_CLI_LAYOUT_H
#define SM_CLI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/failure.h"
#include "sumac/keys.h"

enum {
    CLI_LAYOUT_STROKES_MAX = 3, /* for one character: two dead keys and a letter */
};

/** What is pressed, one chord after the other, for one character. */
struct cli_strokes {
    struct sm_key_chord chords[CLI_LAYOUT_STROKES_MAX];
    size_t count;
};

/** A layout. Thread: any, nothing changes once it is made. */
struct cli_layout;

/**
 * Reads a layout.
 *
 * @param out   receives it, the caller's; NULL for a US keyboard that needs no library; untouched
 * on failure
 * @param name  as xkb calls it: "de", "us:intl"
 * @return false with the failure filled: there is no such layout, or none can be read
 */
bool cli_layout_create(struct cli_layout **out, const char *name, struct cli_failure *failure);

/** NULL does nothing. */
void cli_layout_destroy(struct cli_layout *layout);

/**
 * The fewest keys that give `character` with all lock keys off: plain, with Shift, AltGr or what
 * the layout has in their place, else with dead keys. Line ends, tabulators and the like are not
 * found.
 *
 * @param strokes  untouched if there are none
 * @return false if the layout does not have it
 */
bool cli_layout_find(const struct cli_layout *layout, uint32_t character,
                     struct cli_strokes *strokes);

#endif
