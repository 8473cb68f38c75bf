/* SPDX-License-Identifier: MIT */
/* The module that writes films, found and loaded. */
#ifndef SM_CLI_MOVIE_H
#define SM_CLI_MOVIE_H

#include "cli/failure.h"
#include "media/movie.h"

/** NULL with the failure filled if it is not installed; else static, until the process ends. */
const struct sm_movie_module *cli_movie_load(struct cli_failure *failure);

#endif
