/* SPDX-License-Identifier: MIT */
#include "core/channel/inputs/server.h"

#include <stdlib.h>

#include "core/channel/inputs/client.h"
#include "core/channel/typed.h"

enum { ARENA_LIMIT = 64 << 10 };

struct sm_inputs_server {
    struct sm_typed typed;
    struct sm_inputs_msgc msg; /* the one being looked at */
    uint32_t motion_count;     /* since the last acknowledgement */
};

static enum sm_status send(struct sm_inputs_server *server, const struct sm_inputs_msg *msg)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(server->typed.channel, msg->type, true, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(server->typed.channel, sm_inputs_msg_build(w, msg));
}

enum sm_status sm_inputs_server_create(struct sm_inputs_server **out,
                                       const struct sm_inputs_server_config *config,
                                       uint64_t now_us)
{
    struct sm_inputs_server *server = calloc(1, sizeof(*server));
    if (!server)
        return SM_ERR_NOMEM;
    enum sm_status status =
        sm_typed_init(&server->typed, SM_CHANNEL_SERVER, &config->setup, sm_inputs_msgc_max_size,
                      ARENA_LIMIT, SM_TYPED_PING_RARELY_US, 0, now_us);
    if (status == SM_OK && config->setup.is_migrated)
        sm_channel_await_migrate_data(server->typed.channel);
    else if (status == SM_OK)
        status = send(server,
                      &(struct sm_inputs_msg){.type = SM_MSG_INPUTS_INIT,
                                              .init = {.keyboard_modifiers = config->modifiers}});
    if (status != SM_OK) {
        sm_inputs_server_destroy(server);
        return status;
    }
    *out = server;
    return SM_OK;
}

void sm_inputs_server_destroy(struct sm_inputs_server *server)
{
    if (!server)
        return;
    sm_typed_finish(&server->typed);
    free(server);
}

struct sm_machine sm_inputs_server_machine(struct sm_inputs_server *server)
{
    return sm_channel_machine(server->typed.channel);
}

struct sm_channel *sm_inputs_server_channel(struct sm_inputs_server *server)
{
    return server->typed.channel;
}

static enum sm_status count_motion(struct sm_inputs_server *server, uint32_t count)
{
    enum sm_status status = SM_OK;
    server->motion_count += count;
    if (sm_channel_is_leaving(server->typed.channel))
        return SM_OK; /* the target answers */
    for (; status == SM_OK && server->motion_count >= SM_INPUTS_ACK_BUNCH;
         server->motion_count -= SM_INPUTS_ACK_BUNCH)
        status = send(server, &(struct sm_inputs_msg){.type = SM_MSG_INPUTS_MOUSE_MOTION_ACK});
    return status;
}

uint32_t sm_inputs_server_motion_count(const struct sm_inputs_server *server)
{
    return server->motion_count;
}

enum sm_status sm_inputs_server_add_motion(struct sm_inputs_server *server, uint16_t count)
{
    return count_motion(server, count);
}

/* What is wrong with a message that parses: nobody may send it in this state. */
static enum sm_status apply(struct sm_inputs_server *server)
{
    switch (server->msg.type) {
    case SM_MSGC_INPUTS_MOUSE_MOTION:
    case SM_MSGC_INPUTS_MOUSE_POSITION:
        return count_motion(server, 1);
    default:
        return SM_OK;
    }
}

enum sm_status sm_inputs_server_next(struct sm_inputs_server *server,
                                     const struct sm_inputs_msgc **msg)
{
    struct sm_channel_message message;
    enum sm_status status = sm_typed_pull(&server->typed, &message);
    if (status != SM_OK)
        return status;
    const char *reason = "";
    status = sm_inputs_msgc_parse(&server->msg, message.type, message.body, &server->typed.arena,
                                  &reason);
    status = sm_typed_parsed(&server->typed, status, reason);
    if (status == SM_OK)
        status = apply(server);
    if (status == SM_OK)
        *msg = &server->msg;
    return status;
}

enum sm_status sm_inputs_server_modifiers(struct sm_inputs_server *server, uint16_t modifiers)
{
    return send(server, &(struct sm_inputs_msg){.type = SM_MSG_INPUTS_KEY_MODIFIERS,
                                                .key_modifiers = {.modifiers = modifiers}});
}
