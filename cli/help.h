/* SPDX-License-Identifier: MIT */
/* The texts of --help, from the table of commands. */
#ifndef SM_CLI_HELP_H
#define SM_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/** Writes the help of `command`, or of the program for NULL. */
void cli_help_print(FILE *out, const struct cli_command *command);

#endif
