/* SPDX-License-Identifier: MIT */
/* Waiting for something to be seen. */
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/options.h"
#include "cli/settle.h"
#include "cli/shot.h"

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 0, 0, failure))
        return false;
    return o->stable_ms < o->timeout_ms ||
           cli_usage(o, failure,
                     "the picture would have to stand still for longer than --timeout allows", "");
}

static bool step(struct cli_connection *connection, const struct cli_options *options,
                 struct cli_json *result)
{
    struct cli_settle settle = {
        .number = options->display,
        .still_ms = options->stable_ms,
        .limit_ms = UINT32_MAX,
        .tolerance_px = options->tolerance_px,
    };
    if (!cli_settle_wait(connection, &settle))
        return false;
    cli_shot_report(result, &settle);
    return true;
}

static const struct cli_option OPTIONS[] = {
    {"stable", "TIME", "how long it has to stand still (default 500ms)", CLI_VALUE_DURATION,
     offsetof(struct cli_options, stable_ms)},
    {"tolerance", "PIXELS",
     "changes within one spot of this size do not count\n"
     "(default 512: a blinking text cursor)",
     CLI_VALUE_NUMBER, offsetof(struct cli_options, tolerance_px), .max = 1u << 30},
    {"display", "N", "which monitor, from 0 (default 0)", CLI_VALUE_NUMBER,
     offsetof(struct cli_options, display), .max = 255},
    {NULL},
};

const struct cli_command cli_command_wait = {
    .name = "wait",
    .words = "ADDRESS",
    .summary = "wait until the picture stands still",
    .about = "Waits until a monitor's picture is complete and has stood still for a while.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .kinds = 1u << SM_CHANNEL_KIND_DISPLAY,
    .needed = 1u << SM_CHANNEL_KIND_DISPLAY,
    .step = step,
};
