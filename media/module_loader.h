/* SPDX-License-Identifier: MIT */
/* Finds modules: shared objects of our own with a heavy library behind them. */
#ifndef SM_MEDIA_MODULE_LOADER_H
#define SM_MEDIA_MODULE_LOADER_H

#include <limits.h>
#include <stdbool.h>

/**
 * Where the module `file` is: in the folder "sumac" beside the library or program that this code is
 * a part of, beside it, or in the folder `built` (such as "media") of the build.
 *
 * @param variable  of the environment, which overrides all places; or NULL
 * @return false if it is nowhere
 */
bool sm_module_find(char path[PATH_MAX], const char *file, const char *built, const char *variable);

/** Loads the module for good and returns its `symbol`; NULL if that cannot be. Thread: any. */
const void *sm_module_load(const char *path, const char *symbol);

#endif
