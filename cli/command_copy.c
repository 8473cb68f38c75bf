/* SPDX-License-Identifier: MIT */
/* copy: files and folders into the guest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress.h"

/** Files on their way. */
struct copy {
    struct cli_connection *connection; /* borrowed */
    const struct cli_options *options; /* likewise */
    struct sm_file_progress *files;    /* owned */
    size_t count;
    uint64_t sent, total; /* bytes of all */
    size_t ended;         /* files */
    uint64_t elapsed_us;
};

static bool has_ended(const struct sm_file_progress *file)
{
    return file->state != SM_FILE_WAITING && file->state != SM_FILE_SENDING;
}

static void look(struct copy *copy)
{
    (void)sm_session_get_files(copy->connection->session, copy->files, copy->count);
    copy->sent = copy->total = copy->ended = 0;
    for (size_t i = 0; i < copy->count; i++) {
        copy->sent += copy->files[i].sent;
        copy->total += copy->files[i].size;
        copy->ended += has_ended(&copy->files[i]);
    }
}

/* What to call the work: its first file that is not there yet. */
static const char *name_of_work(const struct copy *copy)
{
    for (size_t i = 0; i < copy->count; i++)
        if (!has_ended(&copy->files[i]))
            return copy->files[i].name;
    return copy->files[0].name;
}

static bool follow(struct copy *copy)
{
    struct cli_progress progress;
    uint64_t start_us = cli_now_us();
    bool is_good = true;
    cli_progress_begin(&progress, stderr, start_us);
    look(copy);
    while (is_good && copy->ended < copy->count) {
        struct sm_event event;
        uint64_t sent = copy->sent;
        size_t ended = copy->ended;
        is_good = cli_connection_next(copy->connection, UINT64_MAX, &event) == CLI_NEXT_EVENT;
        look(copy);
        if (copy->sent != sent || copy->ended != ended)
            cli_connection_progress(copy->connection, 0);
        cli_progress_show(&progress, name_of_work(copy), copy->sent, copy->total, cli_now_us());
    }
    cli_progress_end(&progress);
    copy->elapsed_us = cli_now_us() - start_us;
    return is_good;
}

/* The first failure is the command's; with several files each is told. */
static bool judge(const struct copy *copy, struct cli_failure *failure)
{
    bool is_good = true;
    for (size_t i = 0; i < copy->count; i++) {
        const struct sm_file_progress *file = &copy->files[i];
        if (file->state != SM_FILE_FAILED)
            continue;
        if (is_good)
            is_good = cli_fail_error(failure, &file->error);
        else if (!copy->options->is_json)
            fprintf(stderr, "sumac: %s: %s\n", file->name, file->error.cause);
    }
    return is_good;
}

static bool run(struct copy *copy)
{
    const struct cli_options *o = copy->options;
    struct cli_failure *failure = copy->connection->failure;
    struct sm_error error;
    copy->count = o->file_count;
    copy->files = calloc(copy->count, sizeof(*copy->files));
    if (!copy->files)
        return cli_fail_nomem(failure);
    copy->connection->doing = "copying";
    enum sm_status status = sm_session_send_files(
        copy->connection->session, (const char *const *)o->files, o->file_count, NULL, &error);
    if (status != SM_OK)
        return cli_fail_error(failure, &error);
    return follow(copy) && judge(copy, failure);
}

static void report(const struct copy *copy, struct cli_json *json)
{
    const struct cli_options *o = copy->options;
    char size[32], rate[32];
    uint64_t per_s = copy->elapsed_us ? copy->total * 1000000 / copy->elapsed_us : 0;
    if (!o->is_json) {
        cli_progress_size(size, copy->total);
        cli_progress_size(rate, per_s);
        printf("%zu %s, %s in %.1f s (%s/s)\n", copy->count, copy->count == 1 ? "file" : "files",
               size, (double)copy->elapsed_us / 1e6, rate);
        return;
    }
    cli_json_open(json, "files", '[');
    for (size_t i = 0; i < copy->count; i++) {
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "path", o->files[i]);
        cli_json_text(json, "name", copy->files[i].name);
        cli_json_number(json, "bytes", (int64_t)copy->files[i].size);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    cli_json_number(json, "bytes", (int64_t)copy->total);
    cli_json_number(json, "elapsed_ms", (int64_t)(copy->elapsed_us / 1000));
    cli_json_number(json, "bytes_per_second", (int64_t)per_s);
}

/* In a script there may have been others before. */
static void forget(struct copy *copy)
{
    for (size_t i = 0; i < copy->count; i++)
        sm_session_forget_file(copy->connection->session, copy->files[i].id);
}

static bool step(struct cli_connection *connection, const struct cli_options *options,
                 struct cli_json *result)
{
    struct copy copy = {.connection = connection, .options = options};
    bool is_good = run(&copy);
    if (is_good)
        report(&copy, result);
    if (copy.files)
        forget(&copy);
    free(copy.files);
    return is_good;
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, SM_FILES_MAX, failure))
        return false;
    o->files = words;
    o->file_count = (uint32_t)count;
    return true;
}

const struct cli_command cli_command_copy = {
    .name = "copy",
    .words = "ADDRESS FILE...",
    .summary = "copy files and folders into the guest",
    .about =
        "Copies files into the guest, to where its agent puts them: the desktop or the downloads "
        "of\n"
        "who is logged in. A folder arrives as one file, NAME.tar. A name that is taken there "
        "gets\n"
        "a number. On a terminal a line shows how far it is; Ctrl-C breaks off, and the guest\n"
        "removes what it has of the file. --timeout counts from one step of the progress to the\n"
        "next. The guest needs spice-vdagent and somebody logged in.\n",
    .take_words = take_words,
    .needs_agent = true,
    .step = step,
};
