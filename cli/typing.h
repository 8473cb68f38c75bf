/* SPDX-License-Identifier: MIT */
/* Text as the keys of a keyboard. */
#ifndef SM_CLI_TYPING_H
#define SM_CLI_TYPING_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/failure.h"
#include "sumac/keys.h"

struct cli_layout;

/** How a text is to be typed. */
struct cli_typing_manner {
    const struct cli_layout *layout; /* borrowed; NULL: a US keyboard, which needs no library */
    const char *layout_name;         /* for people; NULL with NULL */
    bool has_codes; /* what the layout lacks is typed as Ctrl+Shift+U and its number */
};

/** The keys to be pressed, one chord after the other. */
struct cli_typing {
    struct sm_key_chord *chords; /* owned */
    size_t count, room;
    size_t characters; /* a line end of two counts once */
};

/**
 * The chords that type `size` bytes of UTF-8.
 *
 * @param typing  receives them, released with cli_typing_finish(); untouched on failure
 * @return false with the failure naming the first character that cannot be typed, and its place
 */
bool cli_typing_plan(struct cli_typing *typing, const char *text, size_t size,
                     const struct cli_typing_manner *manner, struct cli_failure *failure);

void cli_typing_finish(struct cli_typing *typing);

/** Reads all of the file `name` ("-": the standard input), at most 1 MiB. `*text` is malloc'ed. */
bool cli_typing_read(char **text, size_t *size, const char *name, struct cli_failure *failure);

#endif
