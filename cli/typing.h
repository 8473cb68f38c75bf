/* SPDX-License-Identifier: MIT */
/* Text as the keys of a US keyboard. */
#ifndef SM_CLI_TYPING_H
#define SM_CLI_TYPING_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/failure.h"
#include "sumac/keys.h"

/**
 * The chords that type `size` bytes of UTF-8, one for each character.
 *
 * @param chords  receives them, malloc'ed, owned by the caller; untouched on failure
 * @return false with the failure naming the first character that cannot be typed, and its place
 */
bool cli_typing_plan(struct sm_key_chord **chords, size_t *count, const char *text, size_t size,
                     struct cli_failure *failure);

/** Reads all of the file `name` ("-": the standard input), at most 1 MiB. `*text` is malloc'ed. */
bool cli_typing_read(char **text, size_t *size, const char *name, struct cli_failure *failure);

#endif
