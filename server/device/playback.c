/* SPDX-License-Identifier: MIT */
#include "server/device/playback.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/playback/server.h"
#include "core/channel/sound_rate.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/socket.h"
#include "media/opus_codec.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/session.h"

enum {
    FRAME_MAX_WORDS = 480,
    BUFFERS = 3,
    DEFAULT_RATE_HZ = 48000,
};

struct buffer {
    uint32_t words[FRAME_MAX_WORDS];
    bool is_out; /* the host fills it */
};

struct client {
    struct sm_playback *playback;
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    struct sm_playback_server *machine;   /* owned */
    struct sm_pump *pump;                 /* owned */
    struct sm_opus_encoder *encoder;      /* owned; NULL: frames go raw */
    bool has_started;                     /* was told that the guest plays */
};

struct sm_playback {
    struct sm_server *server; /* borrowed */
    struct sm_channel_offer offer;
    uint32_t rate_hz;
    bool may_compress, is_playing;
    struct sm_volume volume;
    struct client *client; /* owned; NULL: nobody listens */
    struct buffer buffers[BUFFERS];
};

static uint32_t mm_time(void)
{
    return (uint32_t)(sm_now_us() / 1000);
}

/* ---- the client ---- */

static void destroy_client(struct sm_playback *playback)
{
    struct client *client = playback->client;
    if (!client)
        return;
    playback->client = NULL;
    sm_pump_destroy(client->pump);
    sm_playback_server_destroy(client->machine);
    sm_opus_encoder_destroy(client->encoder);
    if (client->has_started)
        sm_main_channels_take_time(playback->server);
    sm_channel_handover_destroy(client->handover);
    free(client);
}

/* What could not be sent for want of memory would leave the client with half a story. */
static void after_send(struct sm_playback *playback, enum sm_status status)
{
    if (status == SM_OK)
        sm_pump_kick(playback->client->pump);
    else
        destroy_client(playback);
}

static void on_activity(void *opaque)
{
    struct client *client = opaque;
    if (sm_playback_server_next(client->machine) < 0)
        destroy_client(client->playback);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct client *client = opaque;
    struct sm_server *server = client->playback->server;
    if (status != SM_ERR_IO && sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "playback:0: %s, disconnecting", reason);
    destroy_client(client->playback);
}

static bool wants_opus(const struct sm_playback *playback, const struct client *client)
{
    return playback->may_compress && sm_opus_has_rate(playback->rate_hz) &&
           (client->handover->channel_caps >> SM_PLAYBACK_CAP_OPUS & 1);
}

/* Decides how frames are encoded from now on; without an encoder they go raw. */
static uint16_t choose_mode(struct sm_playback *playback, struct client *client)
{
    sm_opus_encoder_destroy(client->encoder);
    client->encoder = NULL;
    if (!wants_opus(playback, client) ||
        sm_opus_encoder_create(&client->encoder, playback->rate_hz) != SM_OK)
        return SM_AUDIO_MODE_RAW;
    return SM_AUDIO_MODE_OPUS;
}

static enum sm_status send_volume(struct sm_playback *playback)
{
    const struct sm_volume *volume = &playback->volume;
    if (volume->count == 0)
        return SM_OK;
    return sm_playback_server_volume(playback->client->machine, volume->levels, volume->count,
                                     volume->is_muted);
}

static enum sm_status send_start(struct sm_playback *playback)
{
    playback->client->has_started = true;
    return sm_playback_server_start(playback->client->machine, playback->rate_hz, mm_time());
}

static enum sm_status greet(struct sm_playback *playback)
{
    enum sm_status status = send_volume(playback);
    if (status == SM_OK && playback->is_playing)
        status = send_start(playback);
    return status;
}

static enum sm_status set_up(struct sm_playback *playback, struct client *client)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_channel_handover *handover = client->handover;
    struct sm_playback_server_config config = {
        .setup = sm_channel_handover_setup(handover),
        .mode = choose_mode(playback, client),
        .time_ms = mm_time(),
    };
    enum sm_status status = sm_playback_server_create(&client->machine, &config, sm_now_us());
    if (status == SM_OK)
        status = greet(playback);
    if (status == SM_OK)
        status = sm_pump_create(
            &client->pump, playback->server->loop, handover->transport,
            sm_playback_server_machine(client->machine),
            (struct sm_bytes){.data = handover->leftover, .size = handover->leftover_size},
            &callbacks, client);
    if (status == SM_OK)
        handover->transport = NULL;
    return status;
}

/* One client hears the guest; who comes last. */
static void connect_client(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_playback *playback = opaque;
    destroy_client(playback);
    struct client *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return;
    }
    *client = (struct client){.playback = playback, .handover = handover};
    playback->client = client;
    sm_socket_set_interactive(handover->transport->fd);
    if (set_up(playback, client) != SM_OK)
        destroy_client(playback);
}

static void disconnect_session(void *opaque, uint32_t connection_id)
{
    struct sm_playback *playback = opaque;
    if (playback->client && playback->client->handover->connection_id == connection_id)
        destroy_client(playback);
}

/* ---- the host ---- */

enum sm_status sm_playback_create(struct sm_playback **out, struct sm_server *server,
                                  bool may_compress)
{
    if (sm_registry_find(&server->registry, SM_CHANNEL_PLAYBACK, 0))
        return SM_ERR_STATE;
    struct sm_playback *playback = calloc(1, sizeof(*playback));
    if (!playback)
        return SM_ERR_NOMEM;
    playback->server = server;
    playback->rate_hz = DEFAULT_RATE_HZ;
    playback->may_compress = may_compress;
    playback->offer = (struct sm_channel_offer){
        .type = SM_CHANNEL_PLAYBACK,
        .caps = 1u << SM_PLAYBACK_CAP_VOLUME,
        .connect = connect_client,
        .disconnect = disconnect_session,
        .opaque = playback,
    };
    sm_server_offer(server, &playback->offer);
    *out = playback;
    return SM_OK;
}

void sm_playback_destroy(struct sm_playback *playback)
{
    if (!playback)
        return;
    destroy_client(playback);
    sm_registry_remove(&playback->offer);
    free(playback);
}

void sm_playback_set_rate(struct sm_playback *playback, uint32_t rate_hz)
{
    if (rate_hz == 0 || rate_hz == playback->rate_hz)
        rate_hz = playback->rate_hz;
    playback->rate_hz = rate_hz;
    if (sm_opus_has_rate(rate_hz))
        playback->offer.caps |= 1u << SM_PLAYBACK_CAP_OPUS;
    else
        playback->offer.caps &= ~(1u << SM_PLAYBACK_CAP_OPUS);
    sm_playback_set_compression(playback, playback->may_compress);
}

/* A client's decoder begins with START, so a new mode in the middle of sound starts it again. */
void sm_playback_set_compression(struct sm_playback *playback, bool may_compress)
{
    playback->may_compress = may_compress;
    struct client *client = playback->client;
    if (!client)
        return;
    uint16_t mode = choose_mode(playback, client);
    enum sm_status status = SM_OK;
    if (client->has_started)
        status = sm_playback_server_stop(client->machine);
    if (status == SM_OK)
        status = sm_playback_server_mode(client->machine, mode, mm_time());
    if (status == SM_OK && client->has_started)
        status = send_start(playback);
    after_send(playback, status);
}

void sm_playback_start(struct sm_playback *playback)
{
    if (playback->is_playing)
        return;
    playback->is_playing = true;
    if (playback->client)
        after_send(playback, send_start(playback));
}

void sm_playback_stop(struct sm_playback *playback)
{
    if (!playback->is_playing)
        return;
    playback->is_playing = false;
    if (!playback->client)
        return;
    playback->client->has_started = false;
    after_send(playback, sm_playback_server_stop(playback->client->machine));
    sm_main_channels_take_time(playback->server);
}

uint32_t *sm_playback_get(struct sm_playback *playback, uint32_t *count)
{
    *count = 0;
    if (!playback->client || !playback->is_playing)
        return NULL;
    for (unsigned i = 0; i < BUFFERS; i++) {
        struct buffer *buffer = &playback->buffers[i];
        if (buffer->is_out)
            continue;
        buffer->is_out = true;
        *count = sm_sound_frame_samples(playback->rate_hz);
        return buffer->words;
    }
    return NULL;
}

static enum sm_status send_frame(struct sm_playback *playback, const uint32_t *words)
{
    struct client *client = playback->client;
    uint32_t count = sm_sound_frame_samples(playback->rate_hz);
    struct sm_bytes frame = {.data = (const uint8_t *)words, .size = count * sizeof(*words)};
    uint8_t packet[SM_OPUS_PACKET_MAX];
    if (client->encoder) {
        size_t size;
        if (sm_opus_encode(client->encoder, (const int16_t *)words, count, packet, &size) != SM_OK)
            return SM_OK; /* a gap of one frame */
        frame = (struct sm_bytes){.data = packet, .size = size};
    }
    return sm_playback_server_frame(client->machine, frame, mm_time());
}

static struct buffer *find_out(struct sm_playback *playback, const uint32_t *frame)
{
    for (unsigned i = 0; i < BUFFERS; i++)
        if (playback->buffers[i].words == frame && playback->buffers[i].is_out)
            return &playback->buffers[i];
    return NULL;
}

void sm_playback_put(struct sm_playback *playback, const uint32_t *frame)
{
    struct buffer *buffer = find_out(playback, frame);
    if (!buffer)
        return;
    buffer->is_out = false;
    struct client *client = playback->client;
    if (client && client->has_started && !sm_playback_server_is_behind(client->machine))
        after_send(playback, send_frame(playback, buffer->words));
}

void sm_playback_set_volume(struct sm_playback *playback, const struct sm_volume *volume)
{
    bool is_muted = playback->volume.is_muted;
    playback->volume = *volume;
    playback->volume.is_muted = is_muted;
    if (playback->client)
        after_send(playback, send_volume(playback));
}

void sm_playback_set_mute(struct sm_playback *playback, bool is_muted)
{
    playback->volume.is_muted = is_muted;
    if (playback->client)
        after_send(playback, send_volume(playback));
}
