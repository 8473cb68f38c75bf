/* SPDX-License-Identifier: MIT */
/* Scripts: many steps over one connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/script.h"
#include "cli/typing.h"

/** A line, understood. */
struct step {
    uint32_t line;
    struct cli_options options; /* owned */
};

struct plan {
    struct cli_script script; /* owned: the words that options point to */
    struct step *steps;       /* owned */
    size_t count;
};

static void destroy_plan(void *opaque)
{
    struct plan *plan = opaque;
    for (size_t i = 0; plan && i < plan->count; i++)
        cli_options_finish(&plan->steps[i].options);
    if (plan) {
        free(plan->steps);
        cli_script_finish(&plan->script);
    }
    free(plan);
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 1, failure))
        return false;
    o->text_file = words[0];
    return true;
}

/* Says where in the script it happened. */
static bool fail_at(struct cli_failure *failure, const char *name, uint32_t line)
{
    if (line == 0)
        return false;
    char cause[sizeof(failure->cause)];
    (void)snprintf(cause, sizeof(cause), "%s:%u: ", name, (unsigned)line);
    size_t size = strlen(cause);
    (void)snprintf(cause + size, sizeof(cause) - size, "%s", failure->cause);
    memcpy(failure->cause, cause, sizeof(cause));
    failure->line = line;
    return false;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

static bool understand(struct plan *plan, const struct cli_options *options,
                       struct cli_failure *failure)
{
    plan->steps = calloc(plan->script.line_count + 1, sizeof(*plan->steps));
    if (!plan->steps)
        return cli_fail_nomem(failure);
    for (size_t i = 0; i < plan->script.line_count; i++) {
        const struct cli_script_line *line = &plan->script.lines[i];
        struct step *step = &plan->steps[plan->count++];
        struct cli_options *o = &step->options;
        step->line = line->number;
        if (!cli_options_parse_step(o, options, line->words, failure) ||
            (o->command->prepare && !o->command->prepare(o, failure)))
            return fail_at(failure, options->text_file, line->number);
    }
    return true;
}

/* All lines are understood before anything happens. */
static bool prepare(struct cli_options *options, struct cli_failure *failure)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    if (!plan)
        return cli_fail_nomem(failure);
    options->plan = plan;
    options->plan_destroy = destroy_plan;
    char *text;
    size_t size;
    uint32_t line;
    if (!cli_typing_read(&text, &size, options->text_file, failure))
        return false;
    bool is_good = cli_script_parse(&plan->script, text, size, environment, &line, failure) ||
                   fail_at(failure, options->text_file, line);
    free(text);
    return is_good && understand(plan, options, failure);
}

static bool run_step(struct cli_connection *connection, const struct step *step, bool is_json)
{
    const struct cli_options *o = &step->options;
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return cli_fail_nomem(connection->failure);
    struct cli_json json = {.out = memory};
    uint64_t start_us = cli_now_us();
    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "ok", true);
    cli_json_number(&json, "line", step->line);
    cli_json_text(&json, "command", o->command->name);
    connection->options = o;
    cli_connection_progress(connection, 0);
    bool is_good = o->command->step(connection, o, &json);
    cli_json_number(&json, "took_ms", (int64_t)((cli_now_us() - start_us) / 1000));
    cli_json_close(&json, '}');
    fputc('\n', memory);
    bool is_written = fclose(memory) == 0;
    if (is_good && !is_written)
        is_good = cli_fail_nomem(connection->failure);
    if (is_good && is_json) {
        (void)fwrite(text, 1, size, stdout);
        (void)fflush(stdout);
    }
    free(text);
    return is_good;
}

static bool run_all(struct cli_connection *connection, const struct cli_options *options)
{
    const struct plan *plan = options->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct step *step = &plan->steps[i];
        if (options->is_verbose)
            fprintf(stderr, "sumac: line %u: %s\n", (unsigned)step->line,
                    step->options.command->name);
        if (!run_step(connection, step, options->is_json))
            return fail_at(connection->failure, options->text_file, step->line);
    }
    return true;
}

static bool run(struct cli_options *options, struct cli_failure *failure)
{
    const struct plan *plan = options->plan;
    if (options->is_json && (options->is_dry || plan->count == 0)) {
        struct cli_json json = cli_report_begin(stdout, options->command);
        cli_json_number(&json, "steps", (int64_t)plan->count);
        cli_report_end(&json);
    }
    if (options->is_dry)
        return true;
    uint32_t kinds = 0, needed = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct cli_options *o = &plan->steps[i].options;
        kinds |= o->command->kinds;
        needed |= o->command->needed;
        options->wants_agent = options->wants_agent || o->wants_agent || o->command->needs_agent;
    }
    struct cli_connection connection;
    bool is_good = cli_connection_open(&connection, options, kinds, needed, failure) &&
                   run_all(&connection, options);
    /* Also after a failure: nothing stays pressed, and what was sent gets through. */
    is_good = cli_connection_let_go(&connection, is_good);
    cli_connection_close(&connection);
    return is_good;
}

static const struct cli_option OPTIONS[] = {
    {"check", NULL, "only look for mistakes in the script; connect nowhere", CLI_VALUE_FLAG,
     offsetof(struct cli_options, is_dry)},
    {NULL},
};

static void print_steps(FILE *out)
{
    const struct cli_command *command;
    fputs("\nsteps:\n", out);
    for (size_t i = 0; (command = cli_command_at(i)); i++)
        if (command->step) {
            const char *words = strstr(command->words, "ADDRESS");
            words = words ? words + strlen("ADDRESS") : command->words;
            fprintf(out, "  %s%s%s\n", command->name, *words && *words != ' ' ? " " : "", words);
        }
}

const struct cli_command cli_command_exec = {
    .name = "exec",
    .words = "ADDRESS SCRIPT",
    .summary = "do the steps of a script over one connection",
    .about =
        "Does the steps of SCRIPT (- is the standard input), one a line, over one connection:\n"
        "commands without their address, each with its own options and --timeout.\n"
        "\n"
        "  # log in, and look\n"
        "  set user joe\n"
        "  wait --image login.png --timeout 2m\n"
        "  type \"$user\\n\"\n"
        "  sleep 1s\n"
        "  screenshot desk.png\n"
        "\n"
        "'...' is literal, \"...\" knows \\n \\t \\\\ \\\" \\$ and variables. `set NAME VALUE` "
        "gives\n"
        "$NAME its value below; without it the environment counts. All lines are understood "
        "before\n"
        "anything happens; a failure names its line. --json writes a line for each step,\n"
        "or with --check how many there are.\n",
    .options = OPTIONS,
    .print_more = print_steps,
    .take_words = take_words,
    .prepare = prepare,
    .run = run,
};
