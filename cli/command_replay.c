/* SPDX-License-Identifier: MIT */
/* What a raw session file holds: figures, a picture, a film. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/feeder.h"
#include "cli/filming.h"
#include "cli/json.h"
#include "cli/movie_module.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/session_file.h"
#include "cli/settle.h"
#include "cli/shot.h"

enum { LOOK_MS = 20, STILL_MS = 300 };

/** A file that is open. */
struct tape {
    FILE *file;
    struct cli_session_index index;
    struct cli_feeder *feeder; /* or NULL */
};

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 2, failure))
        return false;
    o->path = words[0];
    o->output = count > 1 ? words[1] : NULL;
    return true;
}

static bool is_picture(const char *name)
{
    size_t size = strlen(name);
    return strcmp(name, "-") == 0 || (size > 4 && strcmp(name + size - 4, ".png") == 0);
}

static bool prepare(struct cli_options *o, struct cli_failure *failure)
{
    return !o->output || (cli_output_check(o->output, failure) &&
                          (is_picture(o->output) || cli_movie_module_check(failure)));
}

static bool open_tape(struct tape *tape, const char *path, struct cli_failure *failure)
{
    tape->file = fopen(path, "rbe");
    if (!tape->file)
        return cli_fail(failure, CLI_EXIT_USAGE, "check the path", "%s cannot be read: %s", path,
                        strerror(errno));
    const char *reason = cli_session_index_read(&tape->index, tape->file);
    if (!reason && tape->index.connection_count == 0)
        reason = "it has no connection";
    return !reason || cli_fail(failure, CLI_EXIT_USAGE, "give a file of `sumac record --raw`",
                               "%s cannot be shown: %s", path, reason);
}

static void report(const struct cli_options *o, const struct tape *tape)
{
    const struct cli_session_index *index = &tape->index;
    if (!o->is_json) {
        printf("%.1f s, %zu pieces%s\n", (double)index->lasted_us / 1e6, index->piece_count,
               index->is_whole ? "" : ", cut off");
        for (size_t i = 0; i < index->connection_count; i++) {
            const struct cli_session_connection *c = &index->connections[i];
            printf("  %-10s %u from %.3f s: %" PRIu64 " bytes\n",
                   sm_channel_kind_name((enum sm_channel_kind)c->kind), c->id,
                   (double)c->opened_us / 1e6, c->bytes);
        }
        return;
    }
    struct cli_json json = cli_report_begin(stdout, o->command);
    cli_json_text(&json, "file", o->path);
    cli_json_bool(&json, "whole", index->is_whole);
    cli_json_number(&json, "begun_us", (int64_t)index->begun_us);
    cli_json_number(&json, "lasted_us", (int64_t)index->lasted_us);
    cli_json_number(&json, "pieces", (int64_t)index->piece_count);
    cli_json_open(&json, "connections", '[');
    for (size_t i = 0; i < index->connection_count; i++) {
        const struct cli_session_connection *c = &index->connections[i];
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "kind", sm_channel_kind_name((enum sm_channel_kind)c->kind));
        cli_json_number(&json, "id", c->id);
        cli_json_number(&json, "opened_us", (int64_t)c->opened_us);
        cli_json_number(&json, "bytes", (int64_t)c->bytes);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_report_end(&json);
}

/* Until all that is due was given, then until what was given is drawn. */
static bool wait_given(struct cli_connection *connection, const struct tape *tape,
                       struct cli_settle *settle)
{
    while (!cli_feeder_is_done(tape->feeder))
        if (!cli_connection_pause(connection, LOOK_MS))
            return false;
    settle->still_ms = STILL_MS;
    settle->limit_ms = UINT32_MAX;
    return cli_settle_wait(connection, settle);
}

static bool save_picture(struct cli_connection *connection, const struct tape *tape,
                         const struct cli_options *o, struct cli_json *json)
{
    struct cli_settle settle = {.number = o->display};
    struct cli_output output;
    if (!wait_given(connection, tape, &settle) ||
        !cli_output_open(&output, o->output, connection->failure))
        return false;
    if (!cli_shot_write(connection, settle.channel_id, settle.area, &output)) {
        cli_output_abandon(&output);
        return false;
    }
    cli_json_number(json, "width", settle.area.right - settle.area.left);
    cli_json_number(json, "height", settle.area.bottom - settle.area.top);
    return cli_output_commit(&output, connection->failure);
}

static bool save_film(struct cli_connection *connection, const struct tape *tape,
                      const struct cli_options *o, struct cli_json *json)
{
    struct cli_settle settle = {.number = o->display};
    uint64_t start_us = cli_now_us(), lasts_us = tape->index.lasted_us;
    if (!cli_settle_wait(connection, &settle))
        return false;
    uint64_t gone_us = cli_now_us() - start_us;
    uint64_t left_ms = (lasts_us > gone_us ? lasts_us - gone_us : 0) / 1000 + STILL_MS;
    struct cli_filming filming = {
        .name = o->output,
        .codec = o->codec,
        .fps = o->fps,
        .duration_ms = (uint32_t)(left_ms < UINT32_MAX ? left_ms : UINT32_MAX),
        .has_sound = false,
    };
    if (!cli_film(connection, &settle, &filming, true))
        return false;
    cli_json_number(json, "width", filming.width);
    cli_json_number(json, "height", filming.height);
    cli_json_text(json, "codec", filming.codec_name);
    cli_json_number(json, "frames", (int64_t)filming.frames);
    cli_json_number(json, "duration_ms", (int64_t)(filming.lasted_us / 1000));
    return true;
}

static bool play(struct cli_options *o, struct tape *tape, struct cli_json *json,
                 struct cli_failure *failure)
{
    bool wants_picture = is_picture(o->output);
    uint64_t until_us = wants_picture && o->at_ms ? (uint64_t)o->at_ms * 1000 : UINT64_MAX;
    tape->feeder = cli_feeder_create(&tape->index, fileno(tape->file), !wants_picture, until_us);
    if (!tape->feeder)
        return cli_fail_nomem(failure);
    o->connector = cli_feeder_connect;
    o->connector_opaque = tape->feeder;
    struct cli_connection connection;
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY;
    bool is_good = cli_connection_open(&connection, o, kinds, kinds, failure) &&
                   (wants_picture ? save_picture(&connection, tape, o, json)
                                  : save_film(&connection, tape, o, json));
    cli_connection_close(&connection);
    return is_good;
}

static bool show(struct cli_options *o, struct tape *tape, struct cli_failure *failure)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return cli_fail_nomem(failure);
    struct cli_json json = cli_report_begin(memory, o->command);
    cli_json_text(&json, "file", o->output);
    bool is_good = play(o, tape, &json, failure);
    cli_report_end(&json);
    bool is_written = fclose(memory) == 0;
    if (is_good && is_written && o->is_json)
        (void)fwrite(text, 1, size, stdout);
    free(text);
    return is_good && (is_written || cli_fail_nomem(failure));
}

static bool run(struct cli_options *o, struct cli_failure *failure)
{
    struct tape tape = {.file = NULL};
    bool is_good = open_tape(&tape, o->path, failure);
    if (is_good && o->output)
        is_good = show(o, &tape, failure);
    else if (is_good)
        report(o, &tape);
    cli_feeder_destroy(tape.feeder);
    cli_session_index_finish(&tape.index);
    if (tape.file)
        (void)fclose(tape.file);
    return is_good;
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"at", "TIME", "the picture as it was then (default: the last)", CLI_VALUE_DURATION,
     FIELD(at_ms)},
    {"fps", "N", "of a film: at most so many frames a second (default 30)", CLI_VALUE_NUMBER,
     FIELD(fps), .min = 1, .max = 120},
    {"codec", "NAME", "of a film: h264, vp8 or vp9", CLI_VALUE_CHOICE, FIELD(codec),
     .choices = CLI_CODECS},
    CLI_OPTION_DISPLAY,
    {NULL},
};

const struct cli_command cli_command_replay = {
    .name = "replay",
    .words = "FILE [PICTURE.png | FILM.mkv]",
    .summary = "show what a raw session file holds, as figures, picture or film",
    .about =
        "Reads a file of `sumac record --raw`. Without a second name: how long it lasts and what\n"
        "each channel received. With one: a PNG of the picture at a time, or a film (mkv, mp4,\n"
        "webm) at the speed of the recording. The bytes go through the same decoders again.\n",
    .options = OPTIONS,
    .is_local = true,
    .take_words = take_words,
    .prepare = prepare,
    .run = run,
};
