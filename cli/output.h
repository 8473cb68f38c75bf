/* SPDX-License-Identifier: MIT */
/* A file that appears whole or not at all. */
#ifndef SM_CLI_OUTPUT_H
#define SM_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/failure.h"

struct cli_output {
    FILE *file;       /* to write to */
    const char *name; /* what the user called it; borrowed */
    char *target;     /* owned: what the file will be called; NULL if it is written in place */
    char *temporary;  /* owned: what it is called until then; NULL likewise */
};

/**
 * Opens `name` for writing: "-" is the standard output; something that exists and is no ordinary
 * file (a pipe, a device) is written in place; all else through a temporary file beside it.
 */
bool cli_output_open(struct cli_output *output, const char *name, struct cli_failure *failure);

/** Whether `name` could be opened so; nothing is left behind. */
bool cli_output_check(const char *name, struct cli_failure *failure);

/** Gives the file its name. Afterwards `output` is closed, whatever the result. */
bool cli_output_commit(struct cli_output *output, struct cli_failure *failure);

/** Forgets the file; what was there before stays. Nothing happens after a commit. */
void cli_output_abandon(struct cli_output *output);

#endif
