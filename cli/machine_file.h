/* SPDX-License-Identifier: MIT */
/* A connection file in the place of an address. */
#ifndef SM_CLI_MACHINE_FILE_H
#define SM_CLI_MACHINE_FILE_H

#include <stdbool.h>

#include "cli/failure.h"
#include "cli/options.h"

/** Whether `text` names a connection file: it ends in ".vv" and is no address. */
bool cli_machine_file_is_one(const char *text);

/**
 * Reads the file at `path` into `options`: its address, and the file itself. It is left where it
 * is, whatever it says of that: several commands may need it.
 */
bool cli_machine_file_read(struct cli_options *options, const char *path,
                           struct cli_failure *failure);

#endif
