/* SPDX-License-Identifier: MIT */
#include "core/channel/playback/client.h"

#include <stdlib.h>

#include "core/channel/typed.h"

enum {
    ARENA_LIMIT = 4 << 10,
    MAX_CHANNELS = 8,
    MAX_RATE_HZ = 384000,
};

struct sm_playback_client {
    struct sm_typed typed;
    struct sm_playback_msg msg; /* the one being looked at */
    struct sm_playback_view view;
};

enum sm_status sm_playback_client_create(struct sm_playback_client **out,
                                         const struct sm_playback_client_config *config,
                                         uint64_t now_us)
{
    struct sm_playback_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SM_ERR_NOMEM;
    client->view.mode = SM_AUDIO_MODE_RAW;
    enum sm_status status = sm_typed_init(&client->typed, SM_CHANNEL_CLIENT, &config->setup,
                                          sm_playback_msg_max_size, ARENA_LIMIT, 0, 0, now_us);
    if (status != SM_OK) {
        sm_playback_client_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_playback_client_destroy(struct sm_playback_client *client)
{
    if (!client)
        return;
    sm_typed_finish(&client->typed);
    free(client);
}

struct sm_machine sm_playback_client_machine(struct sm_playback_client *client)
{
    return sm_channel_machine(client->typed.channel);
}

struct sm_channel *sm_playback_client_channel(struct sm_playback_client *client)
{
    return client->typed.channel;
}

static enum sm_status start(struct sm_playback_client *client)
{
    const struct sm_msg_playback_start *start = &client->msg.start;
    if (start->channels > MAX_CHANNELS || start->frequency > MAX_RATE_HZ ||
        start->format != SM_AUDIO_FORMAT_S16)
        return sm_channel_fail(client->typed.channel, SM_ERR_LIMIT,
                               "playback: START: a kind of sound we do not know");
    client->view.is_playing = true;
    client->view.channels = start->channels;
    client->view.rate_hz = start->frequency;
    return SM_OK;
}

/* What the message changes; `is_shown` false if its owner need not see it. */
static enum sm_status apply(struct sm_playback_client *client, bool *is_shown)
{
    *is_shown = true;
    switch (client->msg.type) {
    case SM_MSG_PLAYBACK_MODE:
        client->view.mode = client->msg.mode.mode;
        return SM_OK;
    case SM_MSG_PLAYBACK_START:
        return start(client);
    case SM_MSG_PLAYBACK_STOP:
        client->view.is_playing = false;
        return SM_OK;
    case SM_MSG_PLAYBACK_LATENCY:
        client->view.latency_ms = client->msg.latency.latency_ms;
        return SM_OK;
    case SM_MSG_PLAYBACK_DATA:
        *is_shown = client->view.is_playing;
        return SM_OK;
    default:
        return SM_OK;
    }
}

enum sm_status sm_playback_client_next(struct sm_playback_client *client,
                                       const struct sm_playback_msg **msg)
{
    for (;;) {
        struct sm_channel_message message;
        enum sm_status status = sm_typed_pull(&client->typed, &message);
        if (status != SM_OK)
            return status;
        const char *reason = "";
        status = sm_playback_msg_parse(&client->msg, message.type, message.body,
                                       &client->typed.arena, &reason);
        status = sm_typed_parsed(&client->typed, status, reason);
        bool is_shown = false;
        if (status == SM_OK)
            status = apply(client, &is_shown);
        if (status != SM_OK)
            return status;
        if (is_shown) {
            *msg = &client->msg;
            return SM_OK;
        }
    }
}

struct sm_playback_view sm_playback_client_view(const struct sm_playback_client *client)
{
    return client->view;
}
