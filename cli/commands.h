/* SPDX-License-Identifier: MIT */
/* What the commands do, each from connecting to its report. */
#ifndef SM_CLI_COMMANDS_H
#define SM_CLI_COMMANDS_H

#include <stdbool.h>

#include "cli/connection.h"
#include "cli/failure.h"
#include "cli/options.h"

/* Each returns false with the failure filled; what it reports goes to the standard output. */
bool cli_info(const struct cli_options *options, struct cli_failure *failure);
bool cli_port(const struct cli_options *options, struct cli_failure *failure);
bool cli_screenshot(const struct cli_options *options, struct cli_failure *failure);
bool cli_type(const struct cli_options *options, struct cli_failure *failure);
bool cli_key(const struct cli_options *options, struct cli_failure *failure);
bool cli_click(const struct cli_options *options, struct cli_failure *failure);
bool cli_stats(const struct cli_options *options, struct cli_failure *failure);
bool cli_wait(const struct cli_options *options, struct cli_failure *failure);

#endif
