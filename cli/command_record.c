/* SPDX-License-Identifier: MIT */
/* A film of a monitor. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/filming.h"
#include "cli/json.h"
#include "cli/movie.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/settle.h"

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 1, failure))
        return false;
    o->output = words[0];
    if (strcmp(o->output, "-") == 0)
        return cli_usage(o, failure, "a film cannot be written to the standard output", "");
    return true;
}

static bool prepare(struct cli_options *options, struct cli_failure *failure)
{
    return cli_output_check(options->output, failure) && cli_movie_load(failure);
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
    {"silent", NULL, "without the machine's sound", CLI_VALUE_FLAG, FIELD(is_silent)},
    {"display", "N", "which monitor, from 0 (default 0)", CLI_VALUE_NUMBER, FIELD(display),
     .max = 255},
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
    .kinds = 1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_PLAYBACK,
    .needed = 1u << SM_CHANNEL_KIND_DISPLAY,
    .step = step,
};
