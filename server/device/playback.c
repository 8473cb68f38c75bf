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
    INDEPENDENT = 5, /* frames for a decoder that begins */
    DEFAULT_RATE_HZ = 48000,
};

struct buffer {
    uint32_t words[FRAME_MAX_WORDS];
    bool is_out; /* the host fills it */
};

struct client {
    struct sm_playback *playback;
    struct sm_list link;                  /* of the playback */
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    struct sm_playback_server *machine;   /* owned */
    struct sm_pump *pump;                 /* owned */
    bool has_opus;                        /* its frames are packed */
    bool has_started;                     /* was told that the guest plays */
};

struct sm_playback {
    struct sm_server *server; /* borrowed */
    struct sm_channel_offer offer;
    uint32_t rate_hz;
    bool may_compress, is_playing;
    struct sm_volume volume;
    struct sm_list clients;          /* struct client; all hear the same */
    struct sm_opus_encoder *encoder; /* owned; once for all who take Opus; NULL: none does */
    unsigned independent_left;       /* frames until they may refer to each other */
    struct buffer buffers[BUFFERS];
};

static uint32_t mm_time(void)
{
    return (uint32_t)(sm_now_us() / 1000);
}

/* ---- the client ---- */

static struct client *client_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct client, link);
}

static void destroy_client(struct client *client)
{
    struct sm_playback *playback = client->playback;
    sm_list_remove(&client->link);
    sm_pump_destroy(client->pump);
    sm_playback_server_destroy(client->machine);
    if (client->has_started)
        sm_main_channels_take_time(playback->server);
    sm_channel_handover_destroy(client->handover);
    free(client);
}

/* What could not be sent for want of memory would leave the client with half a story. */
static void after_send(struct client *client, enum sm_status status)
{
    if (status == SM_OK)
        sm_pump_kick(client->pump);
    else
        destroy_client(client);
}

static void on_activity(void *opaque)
{
    struct client *client = opaque;
    if (sm_playback_server_next(client->machine) < 0)
        destroy_client(client);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct client *client = opaque;
    struct sm_server *server = client->playback->server;
    if (status != SM_ERR_IO && sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "playback:0: %s, disconnecting", reason);
    destroy_client(client);
}

static bool wants_opus(const struct sm_playback *playback, const struct client *client)
{
    return playback->may_compress && sm_opus_has_rate(playback->rate_hz) &&
           (client->handover->channel_caps >> SM_PLAYBACK_CAP_OPUS & 1);
}

/* Decides how the client's frames are encoded from now on: without an encoder they go raw. */
static uint16_t choose_mode(struct sm_playback *playback, struct client *client)
{
    client->has_opus = wants_opus(playback, client) &&
                       (playback->encoder ||
                        sm_opus_encoder_create(&playback->encoder, playback->rate_hz) == SM_OK);
    if (client->has_opus) { /* who comes into the middle must not hear a bang */
        sm_opus_encoder_set_independent(playback->encoder, true);
        playback->independent_left = INDEPENDENT;
    }
    return client->has_opus ? SM_AUDIO_MODE_OPUS : SM_AUDIO_MODE_RAW;
}

static enum sm_status send_volume(struct client *client)
{
    const struct sm_volume *volume = &client->playback->volume;
    if (volume->count == 0 && !volume->has_mute)
        return SM_OK;
    return sm_playback_server_volume(client->machine, volume->levels, volume->count,
                                     volume->is_muted);
}

static enum sm_status send_start(struct client *client)
{
    client->has_started = true;
    return sm_playback_server_start(client->machine, client->playback->rate_hz, mm_time());
}

static enum sm_status greet(struct client *client)
{
    enum sm_status status = send_volume(client);
    if (status == SM_OK && client->playback->is_playing)
        status = send_start(client);
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
        status = greet(client);
    if (status == SM_OK)
        status = sm_channel_handover_pump(handover, &client->pump, playback->server->loop,
                                          sm_playback_server_machine(client->machine), &callbacks,
                                          client);
    return status;
}

/* Everybody hears the guest. */
static void connect_client(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_playback *playback = opaque;
    struct client *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return;
    }
    *client = (struct client){.playback = playback, .handover = handover};
    sm_list_append(&playback->clients, &client->link);
    sm_socket_set_interactive(handover->transport->fd);
    if (set_up(playback, client) != SM_OK)
        destroy_client(client);
}

static void disconnect_session(void *opaque, uint32_t connection_id)
{
    struct sm_playback *playback = opaque;
    SM_LIST_FOR (link, &playback->clients)
        if (client_of(link)->handover->connection_id == connection_id)
            destroy_client(client_of(link));
}

/* Sound is begun anew at the target: nothing of it is handed on. */
static void migrate(void *opaque, uint32_t connection_id)
{
    struct sm_playback *playback = opaque;
    SM_LIST_FOR (link, &playback->clients) {
        struct client *client = client_of(link);
        if (client->handover->connection_id == connection_id)
            after_send(client, sm_channel_migrate(sm_playback_server_channel(client->machine), 0));
    }
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
    sm_list_init(&playback->clients);
    playback->rate_hz = DEFAULT_RATE_HZ;
    playback->may_compress = may_compress;
    playback->offer = (struct sm_channel_offer){
        .type = SM_CHANNEL_PLAYBACK,
        .caps = 1u << SM_PLAYBACK_CAP_VOLUME,
        .connect = connect_client,
        .disconnect = disconnect_session,
        .migrate = migrate,
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
    SM_LIST_FOR (link, &playback->clients)
        destroy_client(client_of(link));
    sm_opus_encoder_destroy(playback->encoder);
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
static enum sm_status change_mode(struct client *client)
{
    uint16_t mode = choose_mode(client->playback, client);
    enum sm_status status = SM_OK;
    if (client->has_started)
        status = sm_playback_server_stop(client->machine);
    if (status == SM_OK)
        status = sm_playback_server_mode(client->machine, mode, mm_time());
    if (status == SM_OK && client->has_started)
        status = send_start(client);
    return status;
}

void sm_playback_set_compression(struct sm_playback *playback, bool may_compress)
{
    playback->may_compress = may_compress;
    sm_opus_encoder_destroy(playback->encoder); /* the rate may have changed */
    playback->encoder = NULL;
    SM_LIST_FOR (link, &playback->clients)
        after_send(client_of(link), change_mode(client_of(link)));
}

void sm_playback_start(struct sm_playback *playback)
{
    if (playback->is_playing)
        return;
    playback->is_playing = true;
    SM_LIST_FOR (link, &playback->clients)
        after_send(client_of(link), send_start(client_of(link)));
}

void sm_playback_stop(struct sm_playback *playback)
{
    if (!playback->is_playing)
        return;
    playback->is_playing = false;
    if (sm_list_is_empty(&playback->clients))
        return;
    SM_LIST_FOR (link, &playback->clients) {
        struct client *client = client_of(link);
        client->has_started = false;
        after_send(client, sm_playback_server_stop(client->machine));
    }
    sm_main_channels_take_time(playback->server);
}

uint32_t *sm_playback_get(struct sm_playback *playback, uint32_t *count)
{
    *count = 0;
    if (sm_list_is_empty(&playback->clients) || !playback->is_playing)
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

/* A frame as the clients get it, each form made when the first one needs it. */
struct frame {
    const uint32_t *words;
    struct sm_bytes raw, packed; /* packed: no bytes before it is made, or if it cannot be */
    bool is_packed;              /* that was tried */
    uint8_t packet[SM_OPUS_PACKET_MAX];
};

static void pack(struct sm_playback *playback, struct frame *frame)
{
    size_t size;
    uint32_t count = sm_sound_frame_samples(playback->rate_hz);
    frame->is_packed = true;
    if (playback->encoder && sm_opus_encode(playback->encoder, (const int16_t *)frame->words, count,
                                            frame->packet, &size) == SM_OK)
        frame->packed = (struct sm_bytes){.data = frame->packet, .size = size};
    if (playback->encoder && playback->independent_left && --playback->independent_left == 0)
        sm_opus_encoder_set_independent(playback->encoder, false);
}

static enum sm_status send_frame(struct client *client, struct frame *frame)
{
    if (client->has_opus && !frame->is_packed)
        pack(client->playback, frame);
    struct sm_bytes data = client->has_opus ? frame->packed : frame->raw;
    if (data.size == 0)
        return SM_OK; /* a gap of one frame */
    return sm_playback_server_frame(client->machine, data, mm_time());
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
    uint32_t count = sm_sound_frame_samples(playback->rate_hz);
    struct frame made = {
        .words = buffer->words,
        .raw = {.data = (const uint8_t *)buffer->words, .size = count * sizeof(buffer->words[0])}};
    SM_LIST_FOR (link, &playback->clients) {
        struct client *client = client_of(link);
        if (client->has_started && !sm_playback_server_is_behind(client->machine))
            after_send(client, send_frame(client, &made));
    }
}

void sm_playback_set_volume(struct sm_playback *playback, const struct sm_volume *volume)
{
    struct sm_volume former = playback->volume;
    playback->volume = *volume;
    playback->volume.is_muted = former.is_muted;
    playback->volume.has_mute = former.has_mute;
    SM_LIST_FOR (link, &playback->clients)
        after_send(client_of(link), send_volume(client_of(link)));
}

void sm_playback_set_mute(struct sm_playback *playback, bool is_muted)
{
    playback->volume.is_muted = is_muted;
    playback->volume.has_mute = true;
    SM_LIST_FOR (link, &playback->clients)
        after_send(client_of(link), send_volume(client_of(link)));
}
