/* SPDX-License-Identifier: MIT */
/* The module that writes films, found and loaded. */
#ifndef SM_CLI_MOVIE_MODULE_H
#define SM_CLI_MOVIE_MODULE_H

#include "cli/failure.h"
#include "media/movie.h"

/** Whether it is installed; else `failure` is filled. Nothing is loaded. */
bool cli_movie_module_check(struct cli_failure *failure);

/** NULL with the failure filled if it cannot be loaded; else static, until the process ends. */
const struct sm_movie_module *cli_movie_module_load(struct cli_failure *failure);

#endif
