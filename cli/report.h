/* SPDX-License-Identifier: MIT */
/* What a command tells: results and failures, for people or as JSON. */
#ifndef SM_CLI_REPORT_H
#define SM_CLI_REPORT_H

#include <stdio.h>

#include "cli/failure.h"
#include "cli/json.h"
#include "cli/options.h"

/** Begins the JSON object of a command that succeeded; the caller adds members. */
struct cli_json cli_report_begin(FILE *out, const struct cli_command *command);

/** Ends the object, and the line. */
void cli_report_end(struct cli_json *json);

/** Tells a failure: as JSON to `out` if that is wanted, else to `err`. */
void cli_report_failure(FILE *out, FILE *err, const struct cli_options *options,
                        const struct cli_failure *failure);

#endif
