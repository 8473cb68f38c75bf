/* SPDX-License-Identifier: MIT */
/* What the guest plays: decoded here, played by the desktop's thread or taken by the program. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "client/sound_buffer.h"
#include "client/sound_channels.h"
#include "client/sound_fifo.h"
#include "core/base/reader.h"
#include "core/channel/playback/client.h"
#include "core/channel/sound_rate.h"
#include "io/clock.h"
#include "media/opus_codec.h"

enum {
    FIFO_S = 2,      /* for a program that is late */
    REST_MS = 3000,  /* after the guest has stopped: it often begins again */
    RETRY_MS = 1000, /* a sound server that went away may come back */
    CLOCK_MS = 500,  /* how often the session's clock follows what is heard */
    SAMPLES_MAX = SM_OPUS_CHANNELS * SM_OPUS_DECODED_SAMPLES_MAX,
};

struct playback {
    struct sm_client_channel *channel; /* borrowed */

    /* Of the channel's thread: */
    struct sm_playback_client *client; /* owned */
    struct sm_opus_decoder *decoder;   /* owned; NULL: frames come raw, or cannot be understood */
    bool is_understood;                /* what is played */
    struct sm_desk_stream desk;
    struct sm_timer *timer; /* owned: rest, or try again */
    uint64_t clock_us;      /* when the session's clock was set */

    pthread_mutex_t lock; /* over what follows */
    struct sm_sound_buffer buffer;
    bool has_buffer;
    struct sm_sound_fifo fifo;
    struct sm_sound_format fifo_format;
    struct sm_sound_info info;
    uint32_t device_delay_us;
};

static uint32_t caps(const struct sm_session *session)
{
    (void)session;
    /* No LATENCY: pictures are shown when they come, so nothing is gained by sound that waits. */
    return 1u << SM_PLAYBACK_CAP_VOLUME | 1u << SM_PLAYBACK_CAP_OPUS;
}

static bool is_for_program(const struct playback *p)
{
    return p->channel->session->sound.playback == SM_SOUND_PROGRAM;
}

/* ---- The desktop's thread ---- */

static void run(void *opaque, int16_t *samples, uint32_t frames, uint32_t delay_us)
{
    struct playback *p = opaque;
    pthread_mutex_lock(&p->lock);
    p->device_delay_us = delay_us;
    sm_sound_buffer_get(&p->buffer, samples, frames);
    pthread_mutex_unlock(&p->lock);
}

static void reopen_call(struct sm_client_channel *channel, const void *argument);

static void lost(void *opaque)
{
    struct playback *p = opaque;
    atomic_store(&p->desk.is_lost, true);
    (void)!sm_client_channel_post(p->channel, reopen_call, NULL, 0); /* else with the next START */
}

/* ---- The channel's thread ---- */

/* With the lock held. */
static void set_gains(struct playback *p)
{
    struct sm_sound_settings *settings = &p->channel->session->sound;
    float ours = sm_sound_gain((uint16_t)atomic_load(&settings->playback_level));
    if (atomic_load(&settings->is_playback_muted) || p->info.is_guest_muted)
        ours = 0;
    for (uint32_t i = 0; i < SM_SOUND_LEVELS_MAX && p->has_buffer; i++) {
        uint32_t count = p->info.level_count;
        uint16_t level = count == 0 ? SM_SOUND_LEVEL_FULL : p->info.levels[i < count ? i : 0];
        sm_sound_buffer_set_gain(&p->buffer, i, ours * sm_sound_gain(level));
    }
}

static void tell(struct playback *p)
{
    sm_session_tell(p->channel->session, SM_EVENT_SOUND, p->channel);
}

static void set_problem(struct playback *p, const char *why)
{
    pthread_mutex_lock(&p->lock);
    (void)snprintf(p->info.problem, sizeof(p->info.problem), "%s", why);
    p->info.server = p->desk.ops ? p->desk.ops->name : NULL;
    pthread_mutex_unlock(&p->lock);
    tell(p);
}

static void open_desk(struct playback *p)
{
    char why[sizeof(p->info.problem)] = "";
    struct sm_playback_view view = sm_playback_client_view(p->client);
    const struct sm_sound_stream_config config = {
        .rate_hz = view.rate_hz,
        .channels = view.channels,
        .name = "Sumac",
        .run = run,
        .lost = lost,
        .opaque = p,
    };
    if (sm_desk_stream_open(&p->desk, p->channel, &config, why, sizeof(why)))
        sm_desk_stream_set_active(&p->desk, true);
    set_problem(p, why);
}

static void start_timer(struct playback *p, uint32_t ms)
{
    sm_loop_timer_start(sm_epoll_loop_base(p->channel->loop), p->timer, ms);
}

static void reopen_call(struct sm_client_channel *channel, const void *argument)
{
    struct playback *p = channel->self;
    (void)argument;
    if (!atomic_load(&p->desk.is_lost))
        return;
    sm_desk_stream_close(&p->desk);
    set_problem(p, "the sound server went away");
    start_timer(p, RETRY_MS);
}

static void on_timer(void *opaque)
{
    struct playback *p = opaque;
    bool is_playing = sm_playback_client_view(p->client).is_playing && p->is_understood;
    if (!is_playing)
        sm_desk_stream_set_active(&p->desk, false);
    else if (!is_for_program(p) && !p->desk.ops) {
        open_desk(p);
        if (!p->desk.ops)
            start_timer(p, RETRY_MS);
    }
}

/* With the lock held. A new format needs a new buffer, which the desktop's stream may be using. */
static enum sm_status set_format(struct playback *p, const struct sm_playback_view *view)
{
    p->info.format = (struct sm_sound_format){.rate_hz = view->rate_hz, .channels = view->channels};
    if (is_for_program(p)) {
        bool is_same = p->fifo.ring && p->fifo_format.rate_hz == view->rate_hz &&
                       p->fifo_format.channels == view->channels;
        p->fifo_format = p->info.format;
        return is_same ? SM_OK
                       : sm_sound_fifo_reset(&p->fifo, view->channels, view->rate_hz * FIFO_S);
    }
    if (p->has_buffer && p->buffer.rate_hz == view->rate_hz &&
        p->buffer.channels == view->channels) {
        sm_sound_buffer_begin(&p->buffer);
        return SM_OK;
    }
    struct sm_sound_buffer buffer = {0};
    enum sm_status status = sm_sound_buffer_init(&buffer, view->rate_hz, view->channels);
    if (status != SM_OK)
        return status;
    p->info.gaps += p->buffer.underruns;
    p->info.lost_frames += p->buffer.skipped_frames;
    sm_sound_buffer_finish(&p->buffer);
    p->buffer = buffer;
    p->has_buffer = true;
    set_gains(p);
    return SM_OK;
}

static bool can_play(const struct sm_playback_view *view)
{
    bool is_opus = view->mode == SM_AUDIO_MODE_OPUS;
    return view->rate_hz >= SM_SOUND_RATE_MIN_HZ && view->rate_hz <= SM_SOUND_RATE_MAX_HZ &&
           view->channels >= 1 && view->channels <= SM_SOUND_CHANNELS_MAX &&
           (view->mode == SM_AUDIO_MODE_RAW ||
            (is_opus && view->channels == SM_OPUS_CHANNELS && sm_opus_has_rate(view->rate_hz)));
}

static enum sm_status start(struct playback *p)
{
    struct sm_playback_view view = sm_playback_client_view(p->client);
    sm_opus_decoder_destroy(p->decoder);
    p->decoder = NULL;
    p->is_understood = can_play(&view);
    if (!p->is_understood) {
        sm_log_at(&p->channel->session->log, SM_LOG_WARNING,
                  "the guest plays what we cannot: %u Hz, %u channels, encoding %u",
                  (unsigned)view.rate_hz, (unsigned)view.channels, (unsigned)view.mode);
        return SM_OK;
    }
    enum sm_status status = SM_OK;
    if (view.mode == SM_AUDIO_MODE_OPUS)
        status = sm_opus_decoder_create(&p->decoder, view.rate_hz);
    if (status != SM_OK)
        return status;
    bool is_other = p->desk.ops && (p->desk.format.rate_hz != view.rate_hz ||
                                    p->desk.format.channels != view.channels);
    if (is_other)
        sm_desk_stream_close(&p->desk);
    pthread_mutex_lock(&p->lock);
    status = set_format(p, &view);
    p->info.is_running = true;
    p->info.is_opus = view.mode == SM_AUDIO_MODE_OPUS;
    pthread_mutex_unlock(&p->lock);
    if (status != SM_OK)
        return status;
    p->clock_us = 0;
    if (is_for_program(p))
        tell(p);
    else
        open_desk(p);
    return SM_OK;
}

static void stop(struct playback *p)
{
    pthread_mutex_lock(&p->lock);
    p->info.is_running = false;
    if (p->has_buffer)
        sm_sound_buffer_end(&p->buffer);
    pthread_mutex_unlock(&p->lock);
    start_timer(p, REST_MS);
    tell(p);
}

/* While sound is played it is the session's clock: pictures are to go with what is heard. */
static void set_clock(struct playback *p, uint32_t time_ms, uint32_t delay_us)
{
    uint64_t now_us = sm_now_us();
    if (p->clock_us && now_us - p->clock_us < (uint64_t)CLOCK_MS * 1000)
        return;
    p->clock_us = now_us;
    sm_session_set_time(p->channel->session, time_ms - delay_us / 1000);
}

/* With the lock held. */
static uint32_t delay_us(const struct playback *p)
{
    if (!p->has_buffer || !p->info.server)
        return 0;
    uint64_t waiting_us = sm_sound_buffer_level(&p->buffer) * UINT64_C(1000000) / p->buffer.rate_hz;
    return (uint32_t)waiting_us + p->device_delay_us;
}

static void put(struct playback *p, const int16_t *samples, uint32_t frames, uint32_t time_ms)
{
    pthread_mutex_lock(&p->lock);
    p->info.frames += frames;
    uint32_t delay = delay_us(p);
    if (is_for_program(p))
        sm_sound_fifo_put(&p->fifo, samples, frames);
    else if (p->desk.ops)
        sm_sound_buffer_put(&p->buffer, samples, frames);
    pthread_mutex_unlock(&p->lock);
    if (is_for_program(p))
        sm_session_tell(p->channel->session, SM_EVENT_SOUND_DATA, p->channel);
    set_clock(p, time_ms, delay);
}

static void put_raw(struct playback *p, struct sm_bytes data, uint32_t time_ms)
{
    int16_t samples[SAMPLES_MAX];
    uint32_t channels = sm_playback_client_view(p->client).channels;
    struct sm_reader r = sm_reader(data);
    uint32_t step = SAMPLES_MAX / channels;
    for (size_t left = data.size / sizeof(*samples) / channels; left > 0;) {
        uint32_t frames = left < step ? (uint32_t)left : step;
        for (uint32_t i = 0; i < frames * channels; i++)
            samples[i] = (int16_t)sm_get_le16(&r);
        put(p, samples, frames, time_ms);
        left -= frames;
    }
}

/* A packet that is none is a moment of silence: the line itself is not at fault. */
static void take_data(struct playback *p, const struct sm_msg_playback_data *data)
{
    int16_t samples[SAMPLES_MAX];
    if (!p->is_understood)
        return;
    if (!p->decoder) {
        put_raw(p, data->data, data->time);
        return;
    }
    uint32_t frames = 0;
    if (sm_opus_decode(p->decoder, data->data, samples, &frames) != SM_OK) {
        frames = sm_sound_frame_samples(sm_playback_client_view(p->client).rate_hz);
        memset(samples, 0, sizeof(*samples) * SM_OPUS_CHANNELS * frames);
    }
    put(p, samples, frames, data->time);
}

static void take_volume(struct playback *p, const struct sm_playback_msg *msg)
{
    pthread_mutex_lock(&p->lock);
    if (msg->type == SM_MSG_PLAYBACK_MUTE)
        p->info.is_guest_muted = msg->mute.mute != 0;
    else
        sm_sound_take_levels(&p->info, msg->volume.volume, msg->volume.num_volume);
    set_gains(p);
    pthread_mutex_unlock(&p->lock);
    tell(p);
}

static enum sm_status take_message(struct playback *p, const struct sm_playback_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_PLAYBACK_START:
        return start(p);
    case SM_MSG_PLAYBACK_STOP:
        stop(p);
        return SM_OK;
    case SM_MSG_PLAYBACK_DATA:
        take_data(p, &msg->data);
        return SM_OK;
    case SM_MSG_PLAYBACK_VOLUME:
    case SM_MSG_PLAYBACK_MUTE:
        take_volume(p, msg);
        return SM_OK;
    case SM_MSG_WAIT_FOR_CHANNELS: /* sound that waits is no sound */
        sm_channel_release(sm_playback_client_channel(p->client));
        return SM_OK;
    default:
        return SM_OK; /* MODE is in the view; LATENCY comes to those who can wait */
    }
}

static enum sm_status activity(struct sm_client_channel *channel)
{
    struct playback *p = channel->self;
    const struct sm_playback_msg *msg;
    enum sm_status status;
    while ((status = sm_playback_client_next(p->client, &msg)) == SM_OK) {
        status = take_message(p, msg);
        if (status < 0)
            return status;
        sm_client_channel_handled(channel, atomic_load(&channel->handled_serial) + 1);
    }
    return status;
}

static struct sm_channel *base(const struct sm_client_channel *channel)
{
    const struct playback *p = channel->self;
    return sm_playback_client_channel(p->client);
}

static struct playback *create(struct sm_client_channel *channel)
{
    struct playback *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->channel = channel;
    p->timer = sm_loop_timer_add(sm_epoll_loop_base(channel->loop), on_timer, p);
    if (!p->timer) {
        free(p);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

/* Again when a line came back, or at a migration's target: others may be looking at `self`. */
static enum sm_status open_playback(struct sm_client_channel *channel,
                                    const struct sm_link_client_event *link,
                                    struct sm_machine *machine)
{
    struct playback *p = channel->self ? channel->self : create(channel);
    if (!p)
        return SM_ERR_NOMEM;
    channel->self = p;
    sm_playback_client_destroy(p->client);
    p->client = NULL;
    p->is_understood = false;
    struct sm_playback_client_config config = {.setup = sm_client_channel_setup(link)};
    enum sm_status status = sm_playback_client_create(&p->client, &config, sm_now_us());
    if (status != SM_OK)
        return status;
    pthread_mutex_lock(&p->lock);
    p->info.is_running = false;
    pthread_mutex_unlock(&p->lock);
    *machine = sm_playback_client_machine(p->client);
    return SM_OK;
}

static void closed(struct sm_client_channel *channel)
{
    struct playback *p = channel->self;
    if (!p)
        return;
    sm_desk_stream_close(&p->desk);
    sm_loop_timer_cancel(sm_epoll_loop_base(channel->loop), p->timer);
    pthread_mutex_lock(&p->lock);
    p->info.is_running = false;
    p->info.server = NULL;
    pthread_mutex_unlock(&p->lock);
}

static void destroy(struct sm_client_channel *channel)
{
    struct playback *p = channel->self;
    if (!p)
        return;
    sm_desk_stream_close(&p->desk);
    sm_loop_timer_remove(sm_epoll_loop_base(channel->loop), p->timer);
    sm_opus_decoder_destroy(p->decoder);
    sm_playback_client_destroy(p->client);
    sm_sound_buffer_finish(&p->buffer);
    sm_sound_fifo_finish(&p->fifo);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

const struct sm_client_channel_ops sm_playback_channel_ops = {
    .caps = caps,
    .open = open_playback,
    .activity = activity,
    .base = base,
    .closed = closed,
    .keeps_self = true,
    .destroy = destroy,
};

/* ---- Any thread ---- */

void sm_playback_channel_info(struct sm_client_channel *channel, struct sm_sound_info *info)
{
    struct playback *p = channel->self;
    pthread_mutex_lock(&p->lock);
    *info = p->info;
    info->is_open = true;
    info->gaps += p->buffer.underruns;
    info->lost_frames += p->buffer.skipped_frames + p->fifo.lost;
    info->delay_us = delay_us(p);
    pthread_mutex_unlock(&p->lock);
}

uint32_t sm_playback_channel_take(struct sm_client_channel *channel, struct sm_sound_format *format,
                                  int16_t *samples, uint32_t room)
{
    struct playback *p = channel->self;
    pthread_mutex_lock(&p->lock);
    uint32_t count = p->fifo.ring ? sm_sound_fifo_get(&p->fifo, samples, room) : 0;
    if (count)
        *format = p->fifo_format;
    pthread_mutex_unlock(&p->lock);
    return count;
}

void sm_playback_channel_adjust(struct sm_client_channel *channel)
{
    struct playback *p = channel->self;
    pthread_mutex_lock(&p->lock);
    set_gains(p);
    pthread_mutex_unlock(&p->lock);
    tell(p);
}
