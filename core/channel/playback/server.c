/* SPDX-License-Identifier: MIT */
#include "core/channel/playback/server.h"

#include <stdlib.h>

#include "core/channel/typed.h"

enum {
    ARENA_LIMIT = 4 << 10,
    BEHIND_BYTES = 4096, /* about two raw frames of 10 ms, or many encoded ones */
    CHANNELS = 2,
};

struct sm_playback_server {
    struct sm_typed typed;
    struct sm_playback_msgc msg;
    bool knows_volume;
};

static enum sm_status send(struct sm_playback_server *server, const struct sm_playback_msg *msg)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(server->typed.channel, msg->type, true, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(server->typed.channel, sm_playback_msg_build(w, msg));
}

enum sm_status sm_playback_server_create(struct sm_playback_server **out,
                                         const struct sm_playback_server_config *config,
                                         uint64_t now_us)
{
    struct sm_playback_server *server = calloc(1, sizeof(*server));
    if (!server)
        return SM_ERR_NOMEM;
    server->knows_volume = config->setup.channel_caps >> SM_PLAYBACK_CAP_VOLUME & 1;
    enum sm_status status =
        sm_typed_init(&server->typed, SM_CHANNEL_SERVER, &config->setup, sm_playback_msgc_max_size,
                      ARENA_LIMIT, SM_TYPED_PING_RARELY_US, 0, now_us);
    if (status == SM_OK)
        status = sm_playback_server_mode(server, config->mode, config->time_ms);
    if (status != SM_OK) {
        sm_playback_server_destroy(server);
        return status;
    }
    *out = server;
    return SM_OK;
}

void sm_playback_server_destroy(struct sm_playback_server *server)
{
    if (!server)
        return;
    sm_typed_finish(&server->typed);
    free(server);
}

struct sm_machine sm_playback_server_machine(struct sm_playback_server *server)
{
    return sm_channel_machine(server->typed.channel);
}

struct sm_channel *sm_playback_server_channel(struct sm_playback_server *server)
{
    return server->typed.channel;
}

enum sm_status sm_playback_server_next(struct sm_playback_server *server)
{
    for (;;) {
        struct sm_channel_message message;
        enum sm_status status = sm_typed_pull(&server->typed, &message);
        if (status != SM_OK)
            return status;
        const char *reason = "";
        status = sm_playback_msgc_parse(&server->msg, message.type, message.body,
                                        &server->typed.arena, &reason);
        status = sm_typed_parsed(&server->typed, status, reason);
        if (status != SM_OK)
            return status;
    }
}

enum sm_status sm_playback_server_mode(struct sm_playback_server *server, uint16_t mode,
                                       uint32_t time_ms)
{
    return send(server, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_MODE,
                                                  .mode = {.time = time_ms, .mode = mode}});
}

enum sm_status sm_playback_server_start(struct sm_playback_server *server, uint32_t rate_hz,
                                        uint32_t time_ms)
{
    return send(server, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_START,
                                                  .start = {.channels = CHANNELS,
                                                            .format = SM_AUDIO_FORMAT_S16,
                                                            .frequency = rate_hz,
                                                            .time = time_ms}});
}

enum sm_status sm_playback_server_stop(struct sm_playback_server *server)
{
    return send(server, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_STOP});
}

enum sm_status sm_playback_server_volume(struct sm_playback_server *server, const uint16_t *volume,
                                         uint8_t count, bool is_muted)
{
    if (!server->knows_volume)
        return SM_OK;
    enum sm_status status = SM_OK;
    if (count > 0)
        status = send(server,
                      &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_VOLUME,
                                                .volume = {.num_volume = count, .volume = volume}});
    if (status != SM_OK)
        return status;
    return send(server, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_MUTE,
                                                  .mute = {.mute = is_muted}});
}

bool sm_playback_server_is_behind(const struct sm_playback_server *server)
{
    return sm_channel_pending_size(server->typed.channel) > BEHIND_BYTES;
}

enum sm_status sm_playback_server_frame(struct sm_playback_server *server, struct sm_bytes frame,
                                        uint32_t time_ms)
{
    return send(server, &(struct sm_playback_msg){.type = SM_MSG_PLAYBACK_DATA,
                                                  .data = {.time = time_ms, .data = frame}});
}
