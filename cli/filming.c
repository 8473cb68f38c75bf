/* SPDX-License-Identifier: MIT */
#include "cli/filming.h"

#include <stdio.h>
#include <string.h>

#include "cli/connection.h"
#include "cli/movie.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/settle.h"
#include "cli/shot.h"
#include "sumac/sound.h"

enum {
    ALIVE_US = 2000000,   /* at most between two frames, so that players can jump */
    SOUND_FRAMES = 960,   /* at a time */
    SOUND_GROWTH_MAX = 6, /* from 8000 Hz */
};

/** A film on its way. */
struct film {
    struct cli_connection *connection;
    struct cli_settle *settle;
    struct cli_filming *filming;
    struct cli_movie *movie; /* owned by who calls */
    uint64_t start_us, shown_us;
    struct sm_rect dirty; /* of the display, since the last frame; empty: nothing */
    bool has_frame;
};

static bool fail(const struct film *film, const char *reason)
{
    const char *cure = cli_movie_cure(film->movie);
    return cli_fail(film->connection->failure, CLI_EXIT_OUTPUT,
                    cure ? cure : "choose another file, or another --codec",
                    "%s cannot be filmed: %s", film->filming->name, reason);
}

static void grow(struct sm_rect *rect, struct sm_rect by)
{
    if (rect->left >= rect->right) {
        *rect = by;
        return;
    }
    rect->left = by.left < rect->left ? by.left : rect->left;
    rect->top = by.top < rect->top ? by.top : rect->top;
    rect->right = by.right > rect->right ? by.right : rect->right;
    rect->bottom = by.bottom > rect->bottom ? by.bottom : rect->bottom;
}

/* `dirty` within the monitor, in the monitor's own pixels. */
static struct sm_rect within(struct sm_rect dirty, struct sm_rect area)
{
    struct sm_rect r = {
        .left = (dirty.left > area.left ? dirty.left : area.left) - area.left,
        .top = (dirty.top > area.top ? dirty.top : area.top) - area.top,
        .right = (dirty.right < area.right ? dirty.right : area.right) - area.left,
        .bottom = (dirty.bottom < area.bottom ? dirty.bottom : area.bottom) - area.top,
    };
    return r;
}

/* Takes what has changed over while the display is held, and encodes it afterwards. */
static bool take_frame(struct film *film, uint64_t now_us)
{
    struct sm_rect dirty = within(film->dirty, film->settle->area);
    struct cli_shot shot;
    if (dirty.left < dirty.right && dirty.top < dirty.bottom) {
        const char *reason;
        if (!cli_shot_begin(film->connection, film->settle->channel_id, film->settle->area, &shot))
            return true; /* it has just changed its size: the next event says to what */
        reason = cli_movie_draw(film->movie, shot.pixels, shot.stride_bytes, shot.width,
                                shot.height, dirty);
        cli_shot_end(film->connection, film->settle->channel_id);
        if (reason)
            return fail(film, reason);
    }
    film->dirty = (struct sm_rect){0};
    film->shown_us = now_us;
    film->has_frame = true;
    film->filming->frames++;
    const char *reason = cli_movie_show(film->movie, now_us - film->start_us);
    return !reason || fail(film, reason);
}

static void look_again(struct film *film)
{
    if (cli_settle_find(film->connection, film->settle))
        film->dirty = film->settle->area;
}

/* Left and right at the film's rate; between two samples the line from one to the other. */
static size_t resample(int16_t *out, const int16_t *in, uint32_t frames,
                       const struct sm_sound_format *format)
{
    uint32_t right = format->channels > 1 ? 1 : 0;
    size_t count = (size_t)((uint64_t)frames * SM_MOVIE_SOUND_RATE / format->rate_hz);
    for (size_t i = 0; i < count; i++) {
        uint64_t at = (uint64_t)i * format->rate_hz * 256 / SM_MOVIE_SOUND_RATE;
        uint64_t first = at >> 8, next = first + 1 < frames ? first + 1 : first;
        int part = (int)(at & 255);
        const int16_t *a = in + first * format->channels, *b = in + next * format->channels;
        out[2 * i] = (int16_t)((a[0] * (256 - part) + b[0] * part) / 256);
        out[2 * i + 1] = (int16_t)((a[right] * (256 - part) + b[right] * part) / 256);
    }
    return count;
}

static bool take_sound(struct film *film)
{
    int16_t samples[SOUND_FRAMES * SM_SOUND_LEVELS_MAX];
    int16_t converted[SOUND_FRAMES * 2 * SOUND_GROWTH_MAX];
    struct sm_sound_format format;
    uint32_t frames;
    while ((frames = sm_session_take_sound(film->connection->session, &format, samples,
                                           SOUND_FRAMES)) > 0) {
        if (format.channels == 0 || format.rate_hz < SM_MOVIE_SOUND_RATE / SOUND_GROWTH_MAX)
            continue; /* nobody plays that */
        size_t count = resample(converted, samples, frames, &format);
        const char *reason =
            cli_movie_sound(film->movie, converted, count, cli_now_us() - film->start_us);
        if (reason)
            return fail(film, reason);
        film->filming->sound_frames += count;
    }
    return true;
}

static void take_event(struct film *film, const struct sm_event *event)
{
    if (event->kind == SM_EVENT_DISPLAY_CONFIG)
        look_again(film);
    else if (event->kind == SM_EVENT_DISPLAY_DAMAGE &&
             event->channel_id == film->settle->channel_id)
        grow(&film->dirty, event->damage);
}

/* When the next frame is due: as soon as the rate allows if something has changed. */
static uint64_t due_us(const struct film *film)
{
    if (!film->has_frame)
        return 0;
    bool is_dirty = film->dirty.left < film->dirty.right;
    return film->shown_us + (is_dirty ? 1000000 / film->filming->fps : ALIVE_US);
}

/* Whether what ended the waiting is a good end. */
static bool is_good_end(const struct film *film, bool may_end)
{
    enum cli_exit code = film->connection->failure->code;
    return film->has_frame &&
           (code == CLI_EXIT_INTERRUPTED || (may_end && code == CLI_EXIT_CLOSED));
}

static bool go_on(struct film *film, bool may_end)
{
    uint64_t end_us = film->filming->duration_ms
                          ? film->start_us + (uint64_t)film->filming->duration_ms * 1000
                          : UINT64_MAX;
    for (;;) {
        struct sm_event event;
        uint64_t until_us = due_us(film) < end_us ? due_us(film) : end_us;
        cli_connection_progress(film->connection,
                                ALIVE_US / 1000); /* it may stand still for long */
        enum cli_next next = cli_connection_next(film->connection, until_us, &event);
        if (next == CLI_NEXT_FAILED)
            return is_good_end(film, may_end);
        if (next == CLI_NEXT_EVENT)
            take_event(film, &event);
        if (film->filming->has_sound && !take_sound(film))
            return false;
        uint64_t now_us = cli_now_us();
        if (now_us >= end_us)
            return true;
        if (now_us >= due_us(film) && !take_frame(film, now_us))
            return false;
    }
}

static bool run(struct film *film, struct cli_output *output, bool may_end)
{
    struct sm_rect area = film->settle->area;
    struct cli_filming *filming = film->filming;
    struct sm_movie_setup setup = {
        .path = output->temporary ? output->temporary : output->name,
        .name = output->name,
        .codec = (enum sm_movie_codec)filming->codec,
        .width = (uint32_t)(area.right - area.left),
        .height = (uint32_t)(area.bottom - area.top),
        .fps = filming->fps,
        .has_sound = filming->has_sound,
    };
    const char *reason =
        cli_movie_begin(film->movie, &setup, filming->codec_name, sizeof(filming->codec_name));
    if (reason)
        return fail(film, reason);
    filming->width = setup.width;
    filming->height = setup.height;
    film->connection->doing = "filming";
    film->start_us = cli_now_us();
    film->dirty = area;
    if (!go_on(film, may_end))
        return false;
    filming->lasted_us = cli_now_us() - film->start_us;
    reason = cli_movie_finish(film->movie, filming->lasted_us);
    if (reason)
        return fail(film, reason);
    *film->connection->failure = (struct cli_failure){.code = CLI_EXIT_OK};
    return true;
}

bool cli_film(struct cli_connection *connection, struct cli_settle *settle,
              struct cli_filming *filming, bool may_end)
{
    struct film film = {.connection = connection, .settle = settle, .filming = filming};
    struct cli_output output;
    if (!cli_output_open(&output, filming->name, connection->failure))
        return false;
    bool is_good =
        cli_movie_start(&film.movie, connection->failure) && run(&film, &output, may_end);
    cli_movie_destroy(film.movie);
    if (is_good)
        return cli_output_commit(&output, connection->failure);
    cli_output_abandon(&output);
    return false;
}
