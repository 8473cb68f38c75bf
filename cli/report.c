/* SPDX-License-Identifier: MIT */
#include "cli/report.h"

struct cli_json cli_report_begin(FILE *out, const struct cli_command *command)
{
    struct cli_json json = {.out = out};
    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "ok", true);
    cli_json_text(&json, "command", command ? command->name : NULL);
    return json;
}

void cli_report_end(struct cli_json *json)
{
    cli_json_close(json, '}');
    fputc('\n', json->out);
}

static void report_json(FILE *out, const struct cli_command *command,
                        const struct cli_failure *failure)
{
    struct cli_json json = {.out = out};
    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "ok", false);
    cli_json_text(&json, "command", command ? command->name : NULL);
    cli_json_open(&json, "error", '{');
    cli_json_text(&json, "kind", failure->kind);
    cli_json_number(&json, "exit_code", failure->code);
    cli_json_text(&json, "cause", failure->cause);
    if (failure->line)
        cli_json_number(&json, "line", failure->line);
    cli_json_text(&json, "cure", failure->cure[0] ? failure->cure : NULL);
    cli_json_close(&json, '}');
    cli_report_end(&json);
}

void cli_report_failure(FILE *out, FILE *err, const struct cli_options *options,
                        const struct cli_failure *failure)
{
    if (options->is_json) {
        report_json(out, options->command, failure);
        return;
    }
    fprintf(err, "sumac: %s\n", failure->cause);
    if (failure->cure[0])
        fprintf(err, "       %s\n", failure->cure);
}
