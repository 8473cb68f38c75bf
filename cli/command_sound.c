/* SPDX-License-Identifier: MIT */
/* What the machine plays, into a file; and a file as what its microphone hears. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/wav.h"

enum {
    DEFAULT_MS = 5000,
    GIVE_MS = 10,
    BLOCK = 480,
    LOUD = 300, /* of 32767: what is below counts as silence */
};

/** What is known about the sound that came; of its first channel. */
struct findings {
    uint64_t frames;
    int peak;
    uint64_t silent;                       /* frames in a row, now */
    uint64_t dropouts;                     /* silences of 5 ms to a second between sounds */
    uint64_t first_wave, last_wave, waves; /* where the level crossed zero upwards */
    bool was_loud, is_below;
};

struct sound {
    struct cli_connection *connection;
    const struct cli_options *options;
    struct cli_output output; /* while is_writing */
    bool is_writing, has_format, has_changed;
    struct sm_sound_format format;
    struct findings findings;
    struct cli_wav wav; /* what the microphone hears */
    uint64_t given;     /* frames of it, at the guest's rate */
    uint64_t began_us;  /* when the guest began to record */
    bool is_given;      /* all of it */
};

/* ---- Looking at it ---- */

static void look(struct findings *f, int sample, uint32_t rate_hz)
{
    int size = abs(sample);
    if (size > f->peak)
        f->peak = size;
    if (size >= LOUD) {
        if (f->was_loud && f->silent > rate_hz / 200 && f->silent < rate_hz)
            f->dropouts++;
        f->was_loud = true;
        f->silent = 0;
    } else {
        f->silent++;
    }
    if (sample <= -LOUD)
        f->is_below = true;
    if (sample >= LOUD && f->is_below) {
        f->is_below = false;
        f->last_wave = f->frames;
        if (f->waves++ == 0)
            f->first_wave = f->frames;
    }
    f->frames++;
}

static int64_t tone_hz(const struct sound *s)
{
    const struct findings *f = &s->findings;
    if (f->waves < 10)
        return 0;
    double seconds = (double)(f->last_wave - f->first_wave) / s->format.rate_hz;
    return (int64_t)((double)(f->waves - 1) / seconds + 0.5);
}

static bool write_failed(struct sound *s)
{
    return cli_fail(s->connection->failure, CLI_EXIT_OUTPUT, "make room, or choose another file",
                    "%s could not be written", s->output.name);
}

static bool take_sound(struct sound *s)
{
    int16_t samples[BLOCK * SM_SOUND_LEVELS_MAX];
    struct sm_sound_format format;
    uint32_t count;
    while ((count = sm_session_take_sound(s->connection->session, &format, samples, BLOCK)) > 0) {
        if (!s->has_format) {
            s->format = format;
            s->has_format = true;
            if (s->is_writing && !cli_wav_write_head(s->output.file, &format, UINT32_MAX))
                return write_failed(s);
        }
        if (format.rate_hz != s->format.rate_hz || format.channels != s->format.channels) {
            s->has_changed = true; /* a file has one format */
            continue;
        }
        for (uint32_t i = 0; i < count; i++)
            look(&s->findings, samples[i * format.channels], format.rate_hz);
        if (s->is_writing && !cli_wav_write(s->output.file, samples, count, format.channels))
            return write_failed(s);
    }
    return true;
}

/* ---- The microphone ---- */

static void give_sound(struct sound *s)
{
    struct sm_sound_info info;
    sm_session_get_recording(s->connection->session, &info);
    if (!info.is_running)
        s->is_given = s->began_us != 0; /* it has had enough */
    if (!info.is_running || s->is_given)
        return;
    uint64_t now_us = cli_now_us();
    if (!s->began_us)
        s->began_us = now_us;
    uint64_t due = (now_us - s->began_us) * info.format.rate_hz / 1000000;
    while (s->given < due && !s->is_given) {
        int16_t samples[BLOCK * SM_SOUND_LEVELS_MAX];
        uint32_t count = 0;
        while (count < BLOCK && s->given < due && !s->is_given) {
            int16_t *frame = samples + (size_t)count * info.format.channels;
            s->is_given =
                !cli_wav_frame(&s->wav, s->given, info.format.rate_hz, info.format.channels, frame);
            if (!s->is_given) {
                s->given++;
                count++;
            }
        }
        (void)!sm_session_give_sound(s->connection->session, &info.format, samples, count);
    }
}

/* ---- All of it ---- */

static bool listen_on(struct sound *s)
{
    const struct cli_options *o = s->options;
    uint32_t limit_ms = o->duration_ms ? o->duration_ms : s->wav.samples ? 0 : DEFAULT_MS;
    uint64_t end_us = limit_ms ? cli_now_us() + (uint64_t)limit_ms * 1000 : UINT64_MAX;
    cli_connection_progress(s->connection, limit_ms);
    s->connection->doing = s->wav.samples ? "waiting for the machine to record" : "listening";
    for (;;) {
        struct sm_event event;
        uint64_t now_us = cli_now_us();
        if (now_us >= end_us || (s->is_given && !limit_ms))
            return take_sound(s);
        uint64_t until_us = s->wav.samples ? now_us + GIVE_MS * 1000 : end_us;
        if (until_us > end_us)
            until_us = end_us;
        if (cli_connection_next(s->connection, until_us, &event) == CLI_NEXT_FAILED)
            return false;
        if (!take_sound(s))
            return false;
        if (s->wav.samples)
            give_sound(s);
        if (s->began_us && !s->is_given)
            cli_connection_progress(s->connection, limit_ms);
    }
}

static void report(const struct sound *s, struct cli_json *result)
{
    const struct findings *f = &s->findings;
    struct sm_sound_info played, recorded;
    sm_session_get_playback(s->connection->session, &played);
    sm_session_get_recording(s->connection->session, &recorded);
    uint64_t ms = s->has_format ? f->frames * 1000 / s->format.rate_hz : 0;
    if (!s->options->is_json) {
        fprintf(stderr, "sumac: heard %" PRIu64 " ms at %u Hz%s, peak %d %%, ", ms,
                (unsigned)s->format.rate_hz, played.is_opus ? " (Opus)" : "",
                f->peak * 100 / INT16_MAX);
        fprintf(stderr, "tone %d Hz, %" PRIu64 " dropouts\n", (int)tone_hz(s), f->dropouts);
        if (s->wav.samples)
            fprintf(stderr, "sumac: the machine recorded %" PRIu64 " frames\n", s->given);
    }
    if (s->options->output)
        cli_json_text(result, "file", s->options->output);
    cli_json_number(result, "frames", (int64_t)f->frames);
    cli_json_number(result, "rate", s->format.rate_hz);
    cli_json_number(result, "channels", s->format.channels);
    cli_json_bool(result, "opus", played.is_opus);
    cli_json_number(result, "peak", f->peak);
    cli_json_number(result, "tone_hz", tone_hz(s));
    cli_json_number(result, "dropouts", (int64_t)f->dropouts);
    cli_json_number(result, "lost_frames", (int64_t)played.lost_frames);
    cli_json_bool(result, "format_changed", s->has_changed);
    cli_json_bool(result, "muted", played.is_guest_muted);
    cli_json_number(result, "level", played.level_count ? played.levels[0] : SM_SOUND_LEVEL_FULL);
    cli_json_number(result, "recorded_frames", (int64_t)s->given);
    cli_json_bool(result, "recorded_opus", recorded.is_opus);
    cli_json_number(result, "recorded_level",
                    recorded.level_count ? recorded.levels[0] : SM_SOUND_LEVEL_FULL);
}

/* The head is written again with the size, where the file can go back. */
static bool complete(struct sound *s)
{
    if (!s->has_format) {
        s->format = (struct sm_sound_format){.rate_hz = 48000, .channels = 2};
        return cli_wav_write_head(s->output.file, &s->format, 0);
    }
    return fseek(s->output.file, 0, SEEK_SET) != 0 ||
           cli_wav_write_head(s->output.file, &s->format, s->findings.frames);
}

static bool run(struct sound *s, struct cli_json *result)
{
    if (!cli_connection_need(s->connection,
                             s->wav.samples ? SM_CHANNEL_KIND_RECORD : SM_CHANNEL_KIND_PLAYBACK) ||
        !listen_on(s))
        return false;
    report(s, result);
    return !s->is_writing || complete(s) || write_failed(s);
}

static bool step(struct cli_connection *connection, const struct cli_options *o,
                 struct cli_json *result)
{
    struct sound s = {.connection = connection, .options = o};
    if (o->microphone && !cli_wav_read(&s.wav, o->microphone, connection->failure))
        return false;
    bool is_good = !o->output || cli_output_open(&s.output, o->output, connection->failure);
    s.is_writing = is_good && o->output;
    is_good = is_good && run(&s, result);
    if (s.is_writing && is_good)
        is_good = cli_output_commit(&s.output, connection->failure);
    else if (s.is_writing)
        cli_output_abandon(&s.output);
    cli_wav_finish(&s.wav);
    return is_good;
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 0, 0, failure))
        return false;
    if (o->output && strcmp(o->output, "-") == 0 && o->is_json)
        return cli_usage(o, failure, "the sound and --json cannot both go to the standard output",
                         "");
    return true;
}

/* A file that is none must not throw anybody out of the machine. */
static bool prepare(struct cli_options *o, struct cli_failure *failure)
{
    struct cli_wav wav = {0};
    bool is_good = (!o->output || cli_output_check(o->output, failure)) &&
                   (!o->microphone || cli_wav_read(&wav, o->microphone, failure));
    cli_wav_finish(&wav);
    return is_good;
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"duration", "TIME",
     "how long (default 5s; with --microphone until all of it\n"
     "is recorded, or the machine ends its recording)",
     CLI_VALUE_DURATION, FIELD(duration_ms)},
    {"output", "FILE", "write what is heard into this WAV file; - is the standard\noutput",
     CLI_VALUE_FILE, FIELD(output)},
    {"microphone", "FILE", "a WAV file of 16-bit samples that the machine records", CLI_VALUE_FILE,
     FIELD(microphone)},
    {NULL},
};

const struct cli_command cli_command_sound = {
    .name = "sound",
    .words = "ADDRESS",
    .summary = "listen to the machine, or speak into its microphone",
    .about =
        "Listens to what the machine plays and says what it was: how long, how loud, its tone\n"
        "and how often it broke off. The volume set in the machine is told and not applied.\n"
        "With --microphone the machine hears a file, from when it begins to record.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = prepare,
    .kinds = 1u << SM_CHANNEL_KIND_PLAYBACK,
    .step = step,
};
