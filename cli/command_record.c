/* SPDX-License-Identifier: MIT */
/* A film of a monitor. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/filming.h"
#include "cli/json.h"
#include "cli/movie_module.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/session_file.h"
#include "cli/settle.h"

enum { RAW_LOOK_US = 500000 };

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 1, failure))
        return false;
    o->output = words[0];
    if (o->is_step && o->is_raw)
        return cli_usage(o, failure, "--raw is not for scripts", "");
    if (strcmp(o->output, "-") == 0)
        return cli_usage(o, failure, "a film cannot be written to the standard output", "");
    return true;
}

static bool prepare(struct cli_options *options, struct cli_failure *failure)
{
    return cli_output_check(options->output, failure) &&
           (options->is_raw || cli_movie_module_check(failure));
}

static bool plays_sound(struct cli_connection *connection)
{
    struct sm_channel_info channels[64];
    size_t count = sm_session_get_channels(connection->session, channels, 64);
    for (size_t i = 0; i < count && i < 64; i++)
        if (channels[i].kind == SM_CHANNEL_KIND_PLAYBACK && channels[i].is_wanted)
            return true;
    return false;
}

static bool step(struct cli_connection *connection, const struct cli_options *o,
                 struct cli_json *result)
{
    struct cli_settle settle = {.number = o->display};
    struct cli_filming filming = {
        .name = o->output,
        .codec = o->codec,
        .fps = o->fps,
        .duration_ms = o->duration_ms,
        .has_sound = !o->is_silent && plays_sound(connection),
    };
    if (!cli_settle_wait(connection, &settle) || !cli_film(connection, &settle, &filming, true))
        return false;
    if (!o->is_json)
        fprintf(stderr, "sumac: %s: %u x %u, %.1f s, %" PRIu64 " frames of %s\n", o->output,
                (unsigned)filming.width, (unsigned)filming.height, (double)filming.lasted_us / 1e6,
                filming.frames, filming.codec_name);
    cli_json_text(result, "file", o->output);
    cli_json_number(result, "display", o->display);
    cli_json_number(result, "width", filming.width);
    cli_json_number(result, "height", filming.height);
    cli_json_text(result, "codec", filming.codec_name);
    cli_json_bool(result, "sound", filming.has_sound);
    cli_json_number(result, "sound_ms",
                    (int64_t)(filming.sound_frames * 1000 / SM_MOVIE_SOUND_RATE));
    cli_json_number(result, "frames", (int64_t)filming.frames);
    cli_json_number(result, "duration_ms", (int64_t)(filming.lasted_us / 1000));
    return true;
}

/* ---- --raw ---- */

static bool take_raw(struct cli_connection *connection, struct cli_options *o,
                     const struct cli_session_writer *writer, struct cli_failure *failure)
{
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_CURSOR |
                     1u << SM_CHANNEL_KIND_INPUTS | 1u << SM_CHANNEL_KIND_PLAYBACK;
    uint32_t needed = 1u << SM_CHANNEL_KIND_DISPLAY;
    if (!cli_connection_open(connection, o, kinds, needed, failure))
        return false;
    connection->doing = "recording";
    uint64_t end_us = o->duration_ms ? cli_now_us() + (uint64_t)o->duration_ms * 1000 : UINT64_MAX;
    for (;;) {
        struct sm_event event;
        uint64_t look_us = cli_now_us() + RAW_LOOK_US;
        cli_connection_progress(connection, RAW_LOOK_US / 1000);
        enum cli_next next =
            cli_connection_next(connection, look_us < end_us ? look_us : end_us, &event);
        if (next == CLI_NEXT_FAILED)
            return writer->bytes > 0 &&
                   (failure->code == CLI_EXIT_INTERRUPTED || failure->code == CLI_EXIT_CLOSED);
        if (cli_now_us() >= end_us)
            return true;
    }
}

static bool run_raw(struct cli_options *o, struct cli_failure *failure)
{
    struct cli_output output;
    struct cli_session_writer writer;
    struct cli_connection connection;
    if (!cli_output_open(&output, o->output, failure))
        return false;
    cli_session_writer_init(&writer, output.file);
    o->capture = cli_session_writer_put;
    o->capture_opaque = &writer;
    bool is_good = take_raw(&connection, o, &writer, failure);
    cli_connection_close(&connection); /* nobody writes any more */
    uint64_t lasted_us = cli_now_us() - writer.start_us;
    if (!cli_session_writer_finish(&writer) && is_good)
        is_good = cli_fail(failure, CLI_EXIT_OUTPUT, "make room, or choose another file",
                           "%s could not be written", o->output);
    if (!is_good) {
        cli_output_abandon(&output);
        return false;
    }
    *failure = (struct cli_failure){.code = CLI_EXIT_OK};
    if (!cli_output_commit(&output, failure))
        return false;
    if (o->is_json) {
        struct cli_json json = cli_report_begin(stdout, o->command);
        cli_json_text(&json, "file", o->output);
        cli_json_number(&json, "bytes", (int64_t)writer.bytes);
        cli_json_number(&json, "duration_ms", (int64_t)(lasted_us / 1000));
        cli_report_end(&json);
    }
    return true;
}

static bool run(struct cli_options *o, struct cli_failure *failure)
{
    return o->is_raw ? run_raw(o, failure) : cli_command_step(o, failure);
}

const struct cli_choice CLI_CODECS[] = {
    {"h264", SM_MOVIE_CODEC_H264},
    {"vp8", SM_MOVIE_CODEC_VP8},
    {"vp9", SM_MOVIE_CODEC_VP9},
    {NULL, 0},
};

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"duration", "TIME", "how long (default: until Ctrl-C or the machine's end)",
     CLI_VALUE_DURATION, FIELD(duration_ms)},
    {"fps", "N", "at most so many frames a second (default 30)", CLI_VALUE_NUMBER, FIELD(fps),
     .min = 1, .max = 120},
    {"codec", "NAME", "h264, vp8 or vp9 (default: vp9 for .webm, else h264)", CLI_VALUE_CHOICE,
     FIELD(codec), .choices = CLI_CODECS},
    {"raw", NULL, "a session file of all that arrives, for `sumac replay`", CLI_VALUE_FLAG,
     FIELD(is_raw)},
    {"silent", NULL, "without the machine's sound", CLI_VALUE_FLAG, FIELD(is_silent)},
    CLI_OPTION_DISPLAY,
    {NULL},
};

const struct cli_command cli_command_record = {
    .name = "record",
    .words = "ADDRESS FILE",
    .summary = "film what a monitor shows",
    .about =
        "Films a monitor, without the pointer, and what the machine plays (as Opus) into "
        "FILE.mkv,\n"
        "FILE.mp4 or FILE.webm, until Ctrl-C. A frame is taken whenever something has changed and\n"
        "carries the time at which it was seen. A monitor that changes its size is fitted into "
        "the\n"
        "first one.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = prepare,
    .run = run,
    .kinds = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_PLAYBACK,
    .needed = 1u << SM_CHANNEL_KIND_DISPLAY,
    .step = step,
};
