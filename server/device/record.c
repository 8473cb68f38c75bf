/* SPDX-License-Identifier: MIT */
#include "server/device/record.h"

#include <stdlib.h>

#include "core/channel/record/server.h"
#include "core/channel/sound_rate.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/socket.h"
#include "media/opus_codec.h"
#include "server/device/sound_ring.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"

enum { DEFAULT_RATE_HZ = 48000 };

struct client {
    struct sm_record *record;
    struct sm_channel_handover *handover; /* owned; its transport is the pump's */
    struct sm_record_server *machine;     /* owned */
    struct sm_pump *pump;                 /* owned */
    struct sm_opus_decoder *decoder;      /* owned; NULL: frames come raw */
};

struct sm_record {
    struct sm_server *server; /* borrowed */
    struct sm_channel_offer offer;
    uint32_t rate_hz;
    bool is_recording;
    struct sm_volume volume;
    struct client *client; /* owned; NULL: nobody has the microphone */
    struct sm_sound_ring ring;
};

static void destroy_client(struct sm_record *record)
{
    struct client *client = record->client;
    if (!client)
        return;
    record->client = NULL;
    sm_pump_destroy(client->pump);
    sm_record_server_destroy(client->machine);
    sm_opus_decoder_destroy(client->decoder);
    sm_channel_handover_destroy(client->handover);
    free(client);
}

static void after_send(struct sm_record *record, enum sm_status status)
{
    if (status == SM_OK)
        sm_pump_kick(record->client->pump);
    else
        destroy_client(record);
}

/* ---- what the client says ---- */

static enum sm_status fail(struct client *client, const char *reason)
{
    return sm_channel_fail(sm_record_server_channel(client->machine), SM_ERR_PROTOCOL, reason);
}

static enum sm_status on_mode(struct client *client, uint16_t mode)
{
    sm_opus_decoder_destroy(client->decoder);
    client->decoder = NULL;
    if (mode == SM_AUDIO_MODE_RAW)
        return SM_OK;
    if (mode != SM_AUDIO_MODE_OPUS || !sm_opus_has_rate(client->record->rate_hz))
        return fail(client, "record: a mode that was not offered");
    return sm_opus_decoder_create(&client->decoder, client->record->rate_hz);
}

static enum sm_status on_data(struct client *client, struct sm_bytes data)
{
    struct sm_record *record = client->record;
    if (!record->is_recording)
        return SM_OK; /* it has not heard of the stop yet */
    if (!client->decoder) {
        sm_sound_ring_put(&record->ring, data);
        return SM_OK;
    }
    int16_t samples[SM_OPUS_CHANNELS * SM_OPUS_DECODED_SAMPLES_MAX];
    uint32_t count;
    if (sm_opus_decode(client->decoder, data, samples, &count) != SM_OK)
        return fail(client, "record: not an Opus packet");
    sm_sound_ring_put(&record->ring, (struct sm_bytes){.data = (const uint8_t *)samples,
                                                       .size = count * 2 * sizeof(samples[0])});
    return SM_OK;
}

static enum sm_status on_message(struct client *client, const struct sm_record_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_RECORD_MODE:
        return on_mode(client, msg->mode.mode);
    case SM_MSGC_RECORD_DATA:
        return on_data(client, msg->data.data);
    default:
        return SM_OK; /* START_MARK says when; nobody asks */
    }
}

static void complain(struct client *client, const char *reason)
{
    struct sm_server *server = client->record->server;
    if (sm_log_limit_allows(&server->client_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "record:0: %s, disconnecting", reason);
}

static void on_activity(void *opaque)
{
    struct client *client = opaque;
    const struct sm_record_msgc *msg;
    enum sm_status status;
    while ((status = sm_record_server_next(client->machine, &msg)) == SM_OK) {
        status = on_message(client, msg);
        if (status != SM_OK)
            break;
    }
    if (status >= 0)
        return;
    complain(client, sm_channel_reason(sm_record_server_channel(client->machine)));
    destroy_client(client->record);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct client *client = opaque;
    if (status != SM_ERR_IO)
        complain(client, reason);
    destroy_client(client->record);
}

/* ---- the client ---- */

static enum sm_status send_volume(struct sm_record *record)
{
    const struct sm_volume *volume = &record->volume;
    if (volume->count == 0 && !volume->has_mute)
        return SM_OK;
    return sm_record_server_volume(record->client->machine, volume->levels, volume->count,
                                   volume->is_muted);
}

static enum sm_status set_up(struct sm_record *record, struct client *client)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_channel_handover *handover = client->handover;
    struct sm_record_server_config config = {.setup = sm_channel_handover_setup(handover)};
    enum sm_status status = sm_record_server_create(&client->machine, &config, sm_now_us());
    if (status == SM_OK)
        status = send_volume(record);
    if (status == SM_OK && record->is_recording)
        status = sm_record_server_start(client->machine, record->rate_hz);
    if (status == SM_OK)
        status =
            sm_channel_handover_pump(handover, &client->pump, record->server->loop,
                                     sm_record_server_machine(client->machine), &callbacks, client);
    return status;
}

/* One client has the guest's ear; who comes last. */
static void connect_client(void *opaque, struct sm_channel_handover *handover)
{
    struct sm_record *record = opaque;
    destroy_client(record);
    struct client *client = calloc(1, sizeof(*client));
    if (!client) {
        sm_channel_handover_destroy(handover);
        return;
    }
    *client = (struct client){.record = record, .handover = handover};
    record->client = client;
    sm_socket_set_interactive(handover->transport->fd);
    if (set_up(record, client) != SM_OK)
        destroy_client(record);
}

static void disconnect_session(void *opaque, uint32_t connection_id)
{
    struct sm_record *record = opaque;
    if (record->client && record->client->handover->connection_id == connection_id)
        destroy_client(record);
}

/* Sound is begun anew at the target: nothing of it is handed on. */
static void migrate(void *opaque, uint32_t connection_id)
{
    struct sm_record *record = opaque;
    if (record->client && record->client->handover->connection_id == connection_id)
        after_send(record,
                   sm_channel_migrate(sm_record_server_channel(record->client->machine), 0));
}

/* ---- the host ---- */

enum sm_status sm_record_create(struct sm_record **out, struct sm_server *server)
{
    if (sm_registry_find(&server->registry, SM_CHANNEL_RECORD, 0))
        return SM_ERR_STATE;
    struct sm_record *record = calloc(1, sizeof(*record));
    if (!record)
        return SM_ERR_NOMEM;
    record->server = server;
    record->rate_hz = DEFAULT_RATE_HZ;
    record->offer = (struct sm_channel_offer){
        .type = SM_CHANNEL_RECORD,
        .caps = 1u << SM_RECORD_CAP_VOLUME,
        .connect = connect_client,
        .disconnect = disconnect_session,
        .migrate = migrate,
        .opaque = record,
    };
    sm_server_offer(server, &record->offer);
    *out = record;
    return SM_OK;
}

void sm_record_destroy(struct sm_record *record)
{
    if (!record)
        return;
    destroy_client(record);
    sm_registry_remove(&record->offer);
    free(record);
}

void sm_record_set_rate(struct sm_record *record, uint32_t rate_hz)
{
    if (rate_hz == 0)
        return;
    record->rate_hz = rate_hz;
    if (sm_opus_has_rate(rate_hz))
        record->offer.caps |= 1u << SM_RECORD_CAP_OPUS;
    else
        record->offer.caps &= ~(1u << SM_RECORD_CAP_OPUS);
}

void sm_record_start(struct sm_record *record)
{
    if (record->is_recording)
        return;
    record->is_recording = true;
    sm_sound_ring_reset(&record->ring);
    if (record->client)
        after_send(record, sm_record_server_start(record->client->machine, record->rate_hz));
}

void sm_record_stop(struct sm_record *record)
{
    if (!record->is_recording)
        return;
    record->is_recording = false;
    if (record->client)
        after_send(record, sm_record_server_stop(record->client->machine));
}

uint32_t sm_record_get(struct sm_record *record, uint32_t *frames, uint32_t size)
{
    if (!record->client || !record->is_recording)
        return 0;
    return sm_sound_ring_get(&record->ring, frames, size);
}

void sm_record_set_volume(struct sm_record *record, const struct sm_volume *volume)
{
    struct sm_volume former = record->volume;
    record->volume = *volume;
    record->volume.is_muted = former.is_muted;
    record->volume.has_mute = former.has_mute;
    if (record->client)
        after_send(record, send_volume(record));
}

void sm_record_set_mute(struct sm_record *record, bool is_muted)
{
    record->volume.is_muted = is_muted;
    record->volume.has_mute = true;
    if (record->client)
        after_send(record, send_volume(record));
}
