/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/report.h"

/* In the order of the help: looking, then doing, then the rest. One a line, for merging. */
/* clang-format off */
static const struct cli_command *const COMMANDS[] = {
    &cli_command_info,
    &cli_command_screenshot,
    &cli_command_record,
    &cli_command_replay,
    &cli_command_wait,
    &cli_command_type,
    &cli_command_key,
    &cli_command_click,
    &cli_command_drag,
    &cli_command_scroll,
    &cli_command_copy,
    &cli_command_clipboard, &cli_command_share,
    &cli_command_exec,
    &cli_command_sleep,
    &cli_command_port,
    &cli_command_sound,
    &cli_command_usb,
    &cli_command_monitor,
    &cli_command_bench,
    &cli_command_smartcard,
    &cli_command_people,
    &cli_command_stats,
    &cli_command_completion,
};
/* clang-format on */

const struct cli_command *cli_command_at(size_t index)
{
    return index < sizeof(COMMANDS) / sizeof(COMMANDS[0]) ? COMMANDS[index] : NULL;
}

const struct cli_command *cli_command_find(const char *name)
{
    const struct cli_command *command;
    for (size_t i = 0; (command = cli_command_at(i)); i++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static bool connect_and_step(struct cli_options *options, struct cli_json *result,
                             struct cli_failure *failure)
{
    const struct cli_command *command = options->command;
    struct cli_connection connection;
    options->wants_agent = options->wants_agent || command->needs_agent;
    bool is_good =
        cli_connection_open(&connection, options, command->kinds, command->needed, failure) &&
        command->step(&connection, options, result);
    is_good = cli_connection_let_go(&connection, is_good);
    cli_connection_close(&connection);
    return is_good;
}

bool cli_command_step(struct cli_options *options, struct cli_failure *failure)
{
    /* What is reported is known before the end, but only said after it. */
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return cli_fail_nomem(failure);
    struct cli_json json = cli_report_begin(memory, options->command);
    bool is_good = connect_and_step(options, &json, failure);
    cli_report_end(&json);
    bool is_written = fclose(memory) == 0;
    if (is_good && !is_written)
        is_good = cli_fail_nomem(failure);
    if (is_good && options->is_json)
        (void)fwrite(text, 1, size, stdout);
    free(text);
    return is_good;
}

bool cli_command_run(struct cli_options *options, struct cli_failure *failure)
{
    const struct cli_command *command = options->command;
    if (command->prepare && !command->prepare(options, failure))
        return false;
    return command->run ? command->run(options, failure) : cli_command_step(options, failure);
}
