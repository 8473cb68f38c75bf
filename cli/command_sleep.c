/* SPDX-License-Identifier: MIT */
/* Doing nothing for a while, in scripts. */
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    return cli_words_check(o, count, words, 1, 1, failure) &&
           (cli_duration_parse(&o->duration_ms, words[0]) ||
            cli_usage(o, failure, "not a time (write 500ms, 2s or 3m): ", words[0]));
}

static bool step(struct cli_connection *connection, const struct cli_options *o,
                 struct cli_json *result)
{
    connection->doing = "sleeping";
    cli_connection_progress(connection, o->duration_ms);
    if (!cli_connection_pause(connection, o->duration_ms))
        return false;
    cli_json_number(result, "slept_ms", o->duration_ms);
    return true;
}

const struct cli_command cli_command_sleep = {
    .name = "sleep",
    .words = "ADDRESS TIME",
    .summary = "do nothing for a while; for scripts",
    .about = "Stays connected for TIME and does nothing: a pause between the steps of a script.\n",
    .take_words = take_words,
    .step = step,
};
