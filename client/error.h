/* SPDX-License-Identifier: MIT */
/* Filling struct sm_error. */
#ifndef SM_CLIENT_ERROR_H
#define SM_CLIENT_ERROR_H

#include "sumac/error.h"

/**
 * Fills `error` (NULL does nothing) with its kind and its cure, and formats the cause; what is too
 * long is cut. `cure` may be empty.
 */
void sm_error_set(struct sm_error *error, enum sm_error_kind kind, const char *cure,
                  const char *cause_format, ...) __attribute__((format(printf, 4, 5)));

/** Fills `error` with SM_ERROR_NOMEM, NULL does nothing; returns SM_ERR_NOMEM. */
enum sm_status sm_error_nomem(struct sm_error *error);

#endif
