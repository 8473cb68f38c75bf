/* SPDX-License-Identifier: MIT */
/* Saving the picture, once or again and again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/settle.h"
#include "cli/shot.h"

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 1, failure))
        return false;
    o->output = words[0];
    bool is_stdout = strcmp(o->output, "-") == 0;
    if (is_stdout && o->is_json)
        return cli_usage(o, failure, "the picture and --json cannot both go to the standard output",
                         "");
    if (is_stdout && o->every_ms)
        return cli_usage(o, failure, "--every wants a file's name, which its numbers go into", "");
    if (o->is_step && o->every_ms)
        return cli_usage(o, failure, "--every is not for scripts", "");
    if (!o->every_ms && (o->shot_count || o->only_changed))
        return cli_usage(o, failure, "--count and --changed make sense with --every", "");
    return true;
}

/* A file that cannot be written is no reason to throw out another client. */
static bool prepare(struct cli_options *options, struct cli_failure *failure)
{
    return cli_output_check(options->output, failure);
}

static struct cli_settle settle_of(const struct cli_options *options)
{
    return (struct cli_settle){
        .number = options->display,
        .still_ms = options->settle_ms,
        .limit_ms = options->settle_limit_ms,
        .tolerance_px = options->tolerance_px,
    };
}

static bool save(struct cli_connection *connection, const struct cli_settle *settle,
                 const char *name)
{
    struct cli_output output;
    if (!cli_output_open(&output, name, connection->failure))
        return false;
    if (cli_shot_write(connection, settle->channel_id, settle->area, &output))
        return cli_output_commit(&output, connection->failure);
    cli_output_abandon(&output);
    return false;
}

static bool step(struct cli_connection *connection, const struct cli_options *options,
                 struct cli_json *result)
{
    struct cli_settle settle = settle_of(options);
    if (!cli_settle_wait(connection, &settle) || !save(connection, &settle, options->output))
        return false;
    cli_json_text(result, "file", options->output);
    cli_shot_report(result, &settle);
    return true;
}

/* ---- --every ---- */

/* "shots/vm.png" with 7 is "shots/vm-0007.png". The caller frees it. */
static char *numbered(const char *name, unsigned number)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');
    int stem =
        dot && (!slash || dot > slash + 1) && dot != name ? (int)(dot - name) : (int)strlen(name);
    char *text;
    return asprintf(&text, "%.*s-%04u%s", stem, name, number, name + stem) < 0 ? NULL : text;
}

/** What is being taken again and again. */
struct series {
    struct cli_connection *connection;
    const struct cli_options *options;
    struct cli_settle settle;
    uint64_t start_us;
    unsigned taken;
    bool has_changed; /* since the last picture */
};

static bool take_one(struct series *s)
{
    const struct cli_options *o = s->options;
    uint64_t now_us = cli_now_us();
    char *name = numbered(o->output, s->taken + 1);
    if (!name)
        return cli_fail_nomem(s->connection->failure);
    bool is_good = save(s->connection, &s->settle, name);
    if (is_good) {
        s->taken++;
        s->has_changed = false;
    }
    if (is_good && o->is_json) {
        struct cli_json json = cli_report_begin(stdout, o->command);
        cli_json_text(&json, "file", name);
        cli_json_number(&json, "at_ms", (int64_t)((now_us - s->start_us) / 1000));
        cli_json_number(&json, "display", o->display);
        cli_json_number(&json, "width", s->settle.area.right - s->settle.area.left);
        cli_json_number(&json, "height", s->settle.area.bottom - s->settle.area.top);
        cli_report_end(&json);
        (void)fflush(stdout);
    }
    free(name);
    return is_good;
}

/* Until `until_us`; keeps what the display says about itself. */
static enum cli_next watch(struct series *s, uint64_t until_us)
{
    struct sm_event event;
    enum cli_next next;
    while ((next = cli_connection_next(s->connection, until_us, &event)) == CLI_NEXT_EVENT) {
        if (event.kind == SM_EVENT_DISPLAY_DAMAGE && event.channel_id == s->settle.channel_id)
            s->has_changed = true;
        if (event.kind != SM_EVENT_DISPLAY_CONFIG)
            continue;
        s->has_changed = true;
        (void)cli_settle_find(s->connection, &s->settle);
    }
    return next;
}

static bool take_series(struct series *s)
{
    const struct cli_options *o = s->options;
    s->start_us = cli_now_us();
    s->connection->doing = "taking pictures";
    bool is_first = true;
    for (uint64_t due_us = s->start_us;; due_us += (uint64_t)o->every_ms * 1000) {
        /* The limit of time is for the first picture; then nothing may ever happen. */
        cli_connection_progress(s->connection, o->every_ms);
        enum cli_next next = watch(s, due_us);
        /* Ctrl-C is how a series ends that has no --count. */
        if (next == CLI_NEXT_FAILED)
            return s->connection->failure->code == CLI_EXIT_INTERRUPTED && !o->shot_count;
        if ((is_first || s->has_changed || !o->only_changed) && s->settle.area.right > 0 &&
            !take_one(s))
            return false;
        is_first = false;
        if (o->shot_count && s->taken >= o->shot_count)
            return true;
    }
}

static bool run_series(struct cli_options *options, struct cli_failure *failure)
{
    struct cli_connection connection;
    struct series s = {.connection = &connection, .options = options, .settle = settle_of(options)};
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY;
    bool is_good = cli_connection_open(&connection, options, kinds, kinds, failure) &&
                   cli_settle_wait(&connection, &s.settle) && take_series(&s);
    cli_connection_close(&connection);
    if (is_good)
        *failure = (struct cli_failure){.code = CLI_EXIT_OK};
    return is_good;
}

static bool run(struct cli_options *options, struct cli_failure *failure)
{
    return options->every_ms ? run_series(options, failure) : cli_command_step(options, failure);
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    CLI_OPTION_DISPLAY,
    {"settle", "TIME", "how long it has to stand still (default 200ms; 0 not at all)",
     CLI_VALUE_DURATION, FIELD(settle_ms)},
    {"settle-limit", "TIME", "take it after this time though it still moves (default 2s)",
     CLI_VALUE_DURATION, FIELD(settle_limit_ms)},
    {"tolerance", "PIXELS",
     "changes within one spot of this size do not count\n"
     "(default 512: a blinking text cursor)",
     CLI_VALUE_NUMBER, FIELD(tolerance_px), .max = 1u << 30},
    {"every", "TIME", "again and again: FILE.png becomes FILE-0001.png and so on",
     CLI_VALUE_DURATION, FIELD(every_ms)},
    {"count", "N", "with --every: end after N pictures; else Ctrl-C ends it", CLI_VALUE_NUMBER,
     FIELD(shot_count), .min = 1, .max = 1000000},
    {"changed", NULL, "with --every: only when something has changed since the last",
     CLI_VALUE_FLAG, FIELD(only_changed)},
    {NULL},
};

const struct cli_command cli_command_screenshot = {
    .name = "screenshot",
    .words = "ADDRESS FILE",
    .summary = "save the picture as a PNG file, once or again and again",
    .about =
        "Saves the picture of one monitor, without the pointer, as a PNG file; - is the standard\n"
        "output. The file appears whole or not at all. The picture is taken once the server has\n"
        "declared it complete and it has stood still for a short while. With --every TIME\n"
        "pictures are taken in that rhythm, over one connection, into numbered files.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = prepare,
    .run = run,
    .kinds = 1u << SM_CHANNEL_KIND_DISPLAY,
    .needed = 1u << SM_CHANNEL_KIND_DISPLAY,
    .step = step,
};
