/* SPDX-License-Identifier: MIT */
#include "core/channel/record/client.h"

#include <stdlib.h>

#include "core/channel/sound_rate.h"
#include "core/channel/typed.h"

enum {
    ARENA_LIMIT = 4 << 10,
    MAX_FRAME_BYTES = 16 << 10,
    BEHIND_BYTES = 8 << 10,
    MAX_CHANNELS = 8,
};

struct sm_record_client {
    struct sm_typed typed;
    struct sm_record_msg msg; /* the one being looked at */
    struct sm_record_view view;
    bool both_opus;
};

static enum sm_status send(struct sm_record_client *client, const struct sm_record_msgc *msg)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(client->typed.channel, msg->type, true, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(client->typed.channel, sm_record_msgc_build(w, msg));
}

enum sm_status sm_record_client_create(struct sm_record_client **out,
                                       const struct sm_record_client_config *config,
                                       uint64_t now_us)
{
    struct sm_record_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SM_ERR_NOMEM;
    client->view.mode = SM_AUDIO_MODE_RAW;
    client->both_opus = config->can_opus && (config->setup.channel_caps >> SM_RECORD_CAP_OPUS & 1);
    enum sm_status status = sm_typed_init(&client->typed, SM_CHANNEL_CLIENT, &config->setup,
                                          sm_record_msg_max_size, ARENA_LIMIT, 0, 0, now_us);
    if (status != SM_OK) {
        sm_record_client_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_record_client_destroy(struct sm_record_client *client)
{
    if (!client)
        return;
    sm_typed_finish(&client->typed);
    free(client);
}

struct sm_machine sm_record_client_machine(struct sm_record_client *client)
{
    return sm_channel_machine(client->typed.channel);
}

struct sm_channel *sm_record_client_channel(struct sm_record_client *client)
{
    return client->typed.channel;
}

static enum sm_status start(struct sm_record_client *client, uint32_t time_ms)
{
    const struct sm_msg_record_start *start = &client->msg.start;
    if (start->channels > MAX_CHANNELS || start->format != SM_AUDIO_FORMAT_S16)
        return sm_channel_fail(client->typed.channel, SM_ERR_LIMIT,
                               "record: START: a kind of sound we do not know");
    client->view.is_recording = true;
    client->view.channels = start->channels;
    client->view.rate_hz = start->frequency;
    bool is_opus = client->both_opus && start->channels == 2 && sm_opus_has_rate(start->frequency);
    client->view.mode = is_opus ? SM_AUDIO_MODE_OPUS : SM_AUDIO_MODE_RAW;
    enum sm_status status = send(
        client, &(struct sm_record_msgc){.type = SM_MSGC_RECORD_MODE,
                                         .mode = {.time = time_ms, .mode = client->view.mode}});
    if (status != SM_OK)
        return status;
    return send(client, &(struct sm_record_msgc){.type = SM_MSGC_RECORD_START_MARK,
                                                 .start_mark = {.time = time_ms}});
}

static enum sm_status apply(struct sm_record_client *client, uint32_t time_ms)
{
    switch (client->msg.type) {
    case SM_MSG_RECORD_START:
        return start(client, time_ms);
    case SM_MSG_RECORD_STOP:
        client->view.is_recording = false;
        return SM_OK;
    default:
        return SM_OK;
    }
}

enum sm_status sm_record_client_next(struct sm_record_client *client, uint32_t time_ms,
                                     const struct sm_record_msg **msg)
{
    struct sm_channel_message message;
    enum sm_status status = sm_typed_pull(&client->typed, &message);
    if (status != SM_OK)
        return status;
    const char *reason = "";
    status = sm_record_msg_parse(&client->msg, message.type, message.body, &client->typed.arena,
                                 &reason);
    status = sm_typed_parsed(&client->typed, status, reason);
    if (status == SM_OK)
        status = apply(client, time_ms);
    if (status == SM_OK)
        *msg = &client->msg;
    return status;
}

struct sm_record_view sm_record_client_view(const struct sm_record_client *client)
{
    return client->view;
}

enum sm_status sm_record_client_frame(struct sm_record_client *client, struct sm_bytes frame,
                                      uint32_t time_ms)
{
    if (!client->view.is_recording)
        return SM_ERR_STATE;
    if (frame.size > MAX_FRAME_BYTES)
        return SM_ERR_LIMIT;
    if (sm_channel_pending_size(client->typed.channel) > BEHIND_BYTES)
        return SM_AGAIN;
    return send(client, &(struct sm_record_msgc){.type = SM_MSGC_RECORD_DATA,
                                                 .data = {.time = time_ms, .data = frame}});
}
