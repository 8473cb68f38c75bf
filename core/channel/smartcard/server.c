/* SPDX-License-Identifier: MIT */
#include "core/channel/smartcard/server.h"

#include <stdlib.h>

#include "core/channel/typed.h"

enum { ARENA_LIMIT = 4 << 10 };

struct sm_smartcard_server {
    struct sm_typed typed;
    struct sm_smartcard_msgc msg; /* the one being looked at */
};

enum sm_status sm_smartcard_server_create(struct sm_smartcard_server **out,
                                          const struct sm_smartcard_server_config *config,
                                          uint64_t now_us)
{
    struct sm_smartcard_server *server = calloc(1, sizeof(*server));
    if (!server)
        return SM_ERR_NOMEM;
    enum sm_status status =
        sm_typed_init(&server->typed, SM_CHANNEL_SERVER, &config->setup, sm_smartcard_msgc_max_size,
                      ARENA_LIMIT, SM_TYPED_PING_RARELY_US, 0, now_us);
    if (status != SM_OK) {
        sm_smartcard_server_destroy(server);
        return status;
    }
    if (config->setup.is_migrated)
        sm_channel_await_migrate_data(server->typed.channel);
    *out = server;
    return SM_OK;
}

void sm_smartcard_server_destroy(struct sm_smartcard_server *server)
{
    if (!server)
        return;
    sm_typed_finish(&server->typed);
    free(server);
}

struct sm_machine sm_smartcard_server_machine(struct sm_smartcard_server *server)
{
    return sm_channel_machine(server->typed.channel);
}

struct sm_channel *sm_smartcard_server_channel(struct sm_smartcard_server *server)
{
    return server->typed.channel;
}

enum sm_status sm_smartcard_server_next(struct sm_smartcard_server *server,
                                        const struct sm_smartcard_msgc **msg)
{
    for (;;) {
        struct sm_channel_message message;
        enum sm_status status = sm_typed_pull(&server->typed, &message);
        if (status != SM_OK)
            return status;
        const char *reason = "";
        status = sm_smartcard_msgc_parse(&server->msg, message.type, message.body,
                                         &server->typed.arena, &reason);
        status = sm_typed_parsed(&server->typed, status, reason);
        if (status != SM_OK)
            return status;
        if (server->msg.type == SM_MSGC_SMARTCARD_DATA ||
            server->msg.type == SM_MSGC_MIGRATE_FLUSH_MARK ||
            server->msg.type == SM_MSGC_MIGRATE_DATA) {
            *msg = &server->msg;
            return SM_OK;
        }
    }
}

enum sm_status sm_smartcard_server_send(struct sm_smartcard_server *server,
                                        const struct sm_msg_smartcard_data *msg)
{
    struct sm_writer *w;
    enum sm_status status =
        sm_channel_begin(server->typed.channel, SM_MSG_SMARTCARD_DATA, false, &w);
    if (status != SM_OK)
        return status;
    struct sm_smartcard_msg whole = {.type = SM_MSG_SMARTCARD_DATA, .data = *msg};
    return sm_channel_commit(server->typed.channel, sm_smartcard_msg_build(w, &whole));
}
