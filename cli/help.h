/* SPDX-License-Identifier: MIT */
/* The texts of --help. */
#ifndef SM_CLI_HELP_H
#define SM_CLI_HELP_H

#include <stdio.h>

#include "cli/options.h"

/** Writes the help of `command`, or of the program for CLI_COMMAND_NONE. */
void cli_help_print(FILE *out, enum cli_command command);

#endif
