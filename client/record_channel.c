/* SPDX-License-Identifier: MIT */
/* What the guest records: from the desktop's microphone or from the program, encoded here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "client/sound_channels.h"
#include "client/sound_fifo.h"
#include "core/base/writer.h"
#include "core/channel/record/client.h"
#include "core/channel/sound_rate.h"
#include "io/clock.h"
#include "media/opus_codec.h"

enum {
    TICK_MS = 20,
    SILENT_AFTER_MS = 100, /* without anything to send */
    FRAME_MAX = 480,       /* samples of a channel in a frame */
};

struct record {
    struct sm_client_channel *channel; /* borrowed */

    /* Of the channel's thread: */
    struct sm_record_client *client; /* owned */
    struct sm_opus_encoder *encoder; /* owned; NULL: raw */
    struct sm_desk_stream desk;
    struct sm_timer *timer; /* owned: while the guest records */
    uint64_t sent_until_us; /* that time is told, in sound or in silence */

    pthread_mutex_t lock; /* over what follows */
    struct sm_sound_fifo fifo;
    bool is_posted; /* the channel's thread is about to look into it */
    struct sm_sound_info info;
    float gain[SM_SOUND_LEVELS_MAX];
};

static uint32_t caps(const struct sm_session *session)
{
    (void)session;
    return 1u << SM_RECORD_CAP_VOLUME | 1u << SM_RECORD_CAP_OPUS;
}

static bool is_for_program(const struct record *r)
{
    return r->channel->session->sound.recording == SM_SOUND_PROGRAM;
}

static void tell(struct record *r)
{
    sm_session_tell(r->channel->session, SM_EVENT_SOUND, r->channel);
}

/* ---- Sending, on the channel's thread ---- */

static enum sm_status send_frame(struct record *r, const int16_t *samples, uint32_t frames)
{
    uint32_t channels = sm_record_client_view(r->client).channels;
    uint8_t packet[SM_OPUS_PACKET_MAX];
    uint8_t raw[FRAME_MAX * SM_SOUND_LEVELS_MAX * sizeof(int16_t)];
    struct sm_bytes data = {packet, 0};
    enum sm_status status = SM_OK;
    if (r->encoder) {
        status = sm_opus_encode(r->encoder, samples, frames, packet, &data.size);
    } else {
        data = (struct sm_bytes){raw, (size_t)frames * channels * sizeof(int16_t)};
        for (uint32_t i = 0; i < frames * channels; i++) {
            raw[2 * i] = (uint8_t)samples[i];
            raw[2 * i + 1] = (uint8_t)((uint16_t)samples[i] >> 8);
        }
    }
    if (status == SM_OK)
        status = sm_record_client_frame(r->client, data, 0);
    pthread_mutex_lock(&r->lock);
    if (status == SM_OK)
        r->info.frames += frames;
    else
        r->info.lost_frames += frames;
    pthread_mutex_unlock(&r->lock);
    return status == SM_ERR_NOMEM ? status : SM_OK; /* what the line does not take is forgotten */
}

/* False when less than a frame waits. */
static bool next_frame(struct record *r, int16_t *samples, uint32_t frames)
{
    pthread_mutex_lock(&r->lock);
    bool is_there = r->fifo.ring && sm_sound_fifo_level(&r->fifo) >= frames;
    if (is_there)
        (void)sm_sound_fifo_get(&r->fifo, samples, frames);
    else
        r->is_posted = false;
    uint32_t channels = r->fifo.channels;
    float gain[SM_SOUND_LEVELS_MAX];
    memcpy(gain, r->gain, sizeof(gain));
    bool is_at_full = !r->info.is_guest_muted && r->info.level_count == 0;
    pthread_mutex_unlock(&r->lock);
    for (uint32_t i = 0; is_there && !is_at_full && i < frames * channels; i++)
        samples[i] = (int16_t)((float)samples[i] * gain[i % channels]);
    return is_there;
}

static enum sm_status send_waiting(struct record *r)
{
    int16_t samples[FRAME_MAX * SM_SOUND_LEVELS_MAX];
    struct sm_record_view view = sm_record_client_view(r->client);
    enum sm_status status = SM_OK;
    if (!view.is_recording)
        return SM_OK;
    uint32_t frames = sm_sound_frame_samples(view.rate_hz);
    while (status == SM_OK && next_frame(r, samples, frames)) {
        status = send_frame(r, samples, frames);
        r->sent_until_us = sm_now_us();
    }
    return status;
}

static void fail(struct record *r, enum sm_status status)
{
    struct sm_error error;
    sm_reason_channel(&error, &r->channel->attempt, status, "sound could not be sent");
    sm_client_channel_fail(r->channel, &error);
}

static void send_call(struct sm_client_channel *channel, const void *argument)
{
    (void)argument;
    enum sm_status status = send_waiting(channel->self);
    if (status != SM_OK)
        fail(channel->self, status);
    sm_client_channel_kick(channel);
}

/* A guest whose recording gets nothing stands still: what is not there is silence. */
static enum sm_status send_silence(struct record *r)
{
    static const int16_t SILENCE[FRAME_MAX * SM_SOUND_LEVELS_MAX];
    struct sm_record_view view = sm_record_client_view(r->client);
    uint32_t frames = sm_sound_frame_samples(view.rate_hz);
    uint64_t now_us = sm_now_us(), frame_us = frames * UINT64_C(1000000) / view.rate_hz;
    enum sm_status status = SM_OK;
    if (now_us - r->sent_until_us < (uint64_t)SILENT_AFTER_MS * 1000)
        return SM_OK;
    uint64_t limit_us = (uint64_t)(SILENT_AFTER_MS - TICK_MS) * 1000;
    while (status == SM_OK && now_us - r->sent_until_us > limit_us) {
        status = send_frame(r, SILENCE, frames);
        r->sent_until_us += frame_us;
    }
    return status;
}

static void start_timer(struct record *r)
{
    sm_loop_timer_start(sm_epoll_loop_base(r->channel->loop), r->timer, TICK_MS);
}

static void on_timer(void *opaque)
{
    struct record *r = opaque;
    if (!sm_record_client_view(r->client).is_recording)
        return;
    enum sm_status status = send_silence(r);
    if (status != SM_OK)
        fail(r, status);
    sm_client_channel_kick(r->channel);
    start_timer(r);
}

/* ---- Where it comes from ---- */

/* Any thread. The server may ask for another format at any moment, and frames of another one have
 * another size. Without `format` it is the one of now: the desktop's stream is closed before the
 * format changes. */
static enum sm_status give(struct record *r, const struct sm_sound_format *format,
                           const int16_t *samples, uint32_t frames)
{
    pthread_mutex_lock(&r->lock);
    bool is_wanted = r->info.is_running && r->fifo.ring &&
                     (!format || (r->info.format.rate_hz == format->rate_hz &&
                                  r->info.format.channels == format->channels));
    if (is_wanted)
        sm_sound_fifo_put(&r->fifo, samples, frames);
    bool is_news = is_wanted && !r->is_posted &&
                   sm_sound_fifo_level(&r->fifo) >= sm_sound_frame_samples(r->info.format.rate_hz);
    r->is_posted = r->is_posted || is_news;
    pthread_mutex_unlock(&r->lock);
    if (!is_wanted)
        return SM_ERR_STATE;
    enum sm_status status =
        is_news ? sm_client_channel_post(r->channel, send_call, NULL, 0) : SM_OK;
    if (status == SM_OK)
        return SM_OK;
    pthread_mutex_lock(&r->lock);
    r->is_posted = false;
    pthread_mutex_unlock(&r->lock);
    return status;
}

/* The desktop's thread. */
static void run(void *opaque, int16_t *samples, uint32_t frames, uint32_t delay_us)
{
    struct record *r = opaque;
    (void)delay_us;
    (void)!give(r, NULL, samples, frames);
}

static void adjust_call(struct sm_client_channel *channel, const void *argument);

static void lost(void *opaque)
{
    struct record *r = opaque;
    atomic_store(&r->desk.is_lost, true);
    (void)!sm_client_channel_post(r->channel, adjust_call, NULL, 0);
}

/* Opens the microphone or closes it, as the guest and the user want. */
static void adjust(struct record *r)
{
    struct sm_record_view view = sm_record_client_view(r->client);
    char why[sizeof(r->info.problem)] = "";
    bool is_wanted = view.is_recording && r->fifo.ring && !is_for_program(r) &&
                     !atomic_load(&r->channel->session->sound.is_recording_muted);
    const struct sm_sound_stream_config config = {
        .is_input = true,
        .rate_hz = view.rate_hz,
        .channels = view.channels,
        .name = "Sumac",
        .run = run,
        .lost = lost,
        .opaque = r,
    };
    if (!is_wanted)
        sm_desk_stream_close(&r->desk); /* not at rest: a microphone in use is seen as such */
    else if (sm_desk_stream_open(&r->desk, r->channel, &config, why, sizeof(why)))
        sm_desk_stream_set_active(&r->desk, true);
    pthread_mutex_lock(&r->lock);
    (void)snprintf(r->info.problem, sizeof(r->info.problem), "%s", why);
    r->info.server = r->desk.ops ? r->desk.ops->name : NULL;
    r->info.is_capturing = r->desk.ops != NULL;
    pthread_mutex_unlock(&r->lock);
    tell(r);
}

static void adjust_call(struct sm_client_channel *channel, const void *argument)
{
    (void)argument;
    adjust(channel->self);
}

/* ---- What the server says ---- */

static bool can_record(const struct sm_record_view *view)
{
    return view->rate_hz >= 4000 && view->rate_hz <= 192000 && view->channels >= 1 &&
           view->channels <= SM_SOUND_LEVELS_MAX;
}

static enum sm_status start(struct record *r)
{
    struct sm_record_view view = sm_record_client_view(r->client);
    sm_opus_encoder_destroy(r->encoder);
    r->encoder = NULL;
    if (!can_record(&view))
        return sm_channel_fail(sm_record_client_channel(r->client), SM_ERR_LIMIT,
                               "record: START: a kind of sound we do not know");
    enum sm_status status = SM_OK;
    bool is_opus = view.mode == SM_AUDIO_MODE_OPUS;
    if (r->desk.format.rate_hz != view.rate_hz || r->desk.format.channels != view.channels)
        sm_desk_stream_close(&r->desk); /* or it would go on giving what the fifo is not for */
    if (is_opus)
        status = sm_opus_encoder_create(&r->encoder, view.rate_hz);
    pthread_mutex_lock(&r->lock);
    if (status == SM_OK)
        status = sm_sound_fifo_reset(&r->fifo, view.channels, view.rate_hz);
    r->info.is_running = true;
    r->info.is_opus = is_opus;
    r->info.format = (struct sm_sound_format){.rate_hz = view.rate_hz, .channels = view.channels};
    pthread_mutex_unlock(&r->lock);
    if (status != SM_OK)
        return status;
    r->sent_until_us = sm_now_us();
    start_timer(r);
    adjust(r);
    return SM_OK;
}

static void stop(struct record *r)
{
    pthread_mutex_lock(&r->lock);
    r->info.is_running = false;
    pthread_mutex_unlock(&r->lock);
    adjust(r);
}

static void take_volume(struct record *r, const struct sm_record_msg *msg)
{
    pthread_mutex_lock(&r->lock);
    if (msg->type == SM_MSG_RECORD_MUTE)
        r->info.is_guest_muted = msg->mute.mute != 0;
    else
        sm_sound_take_levels(&r->info, msg->volume.volume, msg->volume.num_volume);
    uint32_t count = r->info.level_count;
    for (uint32_t i = 0; i < SM_SOUND_LEVELS_MAX; i++)
        r->gain[i] = r->info.is_guest_muted ? 0
                     : count == 0           ? 1
                                            : sm_sound_gain(r->info.levels[i < count ? i : 0]);
    pthread_mutex_unlock(&r->lock);
    tell(r);
}

static enum sm_status take_message(struct record *r, const struct sm_record_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_RECORD_START:
        return start(r);
    case SM_MSG_RECORD_STOP:
        stop(r);
        return SM_OK;
    case SM_MSG_RECORD_VOLUME:
    case SM_MSG_RECORD_MUTE:
        take_volume(r, msg);
        return SM_OK;
    case SM_MSG_WAIT_FOR_CHANNELS:
        sm_channel_release(sm_record_client_channel(r->client));
        return SM_OK;
    default:
        return SM_OK;
    }
}

static enum sm_status activity(struct sm_client_channel *channel)
{
    struct record *r = channel->self;
    const struct sm_record_msg *msg;
    enum sm_status status;
    while ((status = sm_record_client_next(r->client, 0, &msg)) == SM_OK) {
        status = take_message(r, msg);
        if (status < 0)
            return status;
        sm_client_channel_handled(channel, atomic_load(&channel->handled_serial) + 1);
    }
    return status;
}

static struct sm_channel *base(const struct sm_client_channel *channel)
{
    const struct record *r = channel->self;
    return sm_record_client_channel(r->client);
}

static struct record *create(struct sm_client_channel *channel)
{
    struct record *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->channel = channel;
    r->timer = sm_loop_timer_add(sm_epoll_loop_base(channel->loop), on_timer, r);
    if (!r->timer) {
        free(r);
        return NULL;
    }
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

/* Again when a line came back, or at a migration's target: others may be looking at `self`. */
static enum sm_status open_record(struct sm_client_channel *channel,
                                  const struct sm_link_client_event *link,
                                  struct sm_machine *machine)
{
    struct record *r = channel->self ? channel->self : create(channel);
    if (!r)
        return SM_ERR_NOMEM;
    channel->self = r;
    sm_record_client_destroy(r->client);
    r->client = NULL;
    struct sm_record_client_config config = {.setup = sm_client_channel_setup(link),
                                             .can_opus = true};
    enum sm_status status = sm_record_client_create(&r->client, &config, sm_now_us());
    if (status != SM_OK)
        return status;
    pthread_mutex_lock(&r->lock);
    r->info.is_running = false;
    r->is_posted = false; /* what was posted has gone with the old line */
    pthread_mutex_unlock(&r->lock);
    *machine = sm_record_client_machine(r->client);
    return SM_OK;
}

static void closed(struct sm_client_channel *channel)
{
    struct record *r = channel->self;
    if (!r)
        return;
    sm_desk_stream_close(&r->desk);
    sm_loop_timer_cancel(sm_epoll_loop_base(channel->loop), r->timer);
    pthread_mutex_lock(&r->lock);
    r->info.is_running = false;
    r->info.server = NULL;
    r->info.is_capturing = false;
    pthread_mutex_unlock(&r->lock);
}

static void destroy(struct sm_client_channel *channel)
{
    struct record *r = channel->self;
    if (!r)
        return;
    sm_desk_stream_close(&r->desk);
    sm_loop_timer_remove(sm_epoll_loop_base(channel->loop), r->timer);
    sm_opus_encoder_destroy(r->encoder);
    sm_record_client_destroy(r->client);
    sm_sound_fifo_finish(&r->fifo);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

const struct sm_client_channel_ops sm_record_channel_ops = {
    .caps = caps,
    .open = open_record,
    .activity = activity,
    .base = base,
    .closed = closed,
    .keeps_self = true,
    .destroy = destroy,
};

/* ---- Any thread ---- */

void sm_record_channel_info(struct sm_client_channel *channel, struct sm_sound_info *info)
{
    struct record *r = channel->self;
    pthread_mutex_lock(&r->lock);
    *info = r->info;
    info->is_open = true;
    info->lost_frames += r->fifo.lost;
    pthread_mutex_unlock(&r->lock);
}

enum sm_status sm_record_channel_give(struct sm_client_channel *channel,
                                      const struct sm_sound_format *format, const int16_t *samples,
                                      uint32_t frames)
{
    struct record *r = channel->self;
    return is_for_program(r) ? give(r, format, samples, frames) : SM_ERR_STATE;
}

void sm_record_channel_adjust(struct sm_client_channel *channel)
{
    (void)!sm_client_channel_post(channel, adjust_call, NULL, 0); /* a closed one records nothing */
}
