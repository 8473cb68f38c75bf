/* SPDX-License-Identifier: MIT */
/* Where the password comes from when it is not on the command line. */
#ifndef SM_CLI_PASSWORD_H
#define SM_CLI_PASSWORD_H

#include "cli/failure.h"

/**
 * Completes `*password`: if it is NULL, takes the first line of `file` (if not NULL; "-" is the
 * standard input), else the environment's SUMAC_PASSWORD, if that is set.
 *
 * @param password  owned by the caller; release with cli_password_destroy()
 */
bool cli_password_find(char **password, const char *file, struct cli_failure *failure);

/** Wipes and frees `password`. NULL does nothing. */
void cli_password_destroy(char *password);

#endif
