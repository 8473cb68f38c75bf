/* SPDX-License-Identifier: MIT */
#include "core/channel/spicevmc/server.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/spicevmc/packing.h"
#include "core/channel/typed.h"

enum { ARENA_LIMIT = 4 << 10 };

struct sm_spicevmc_server {
    struct sm_typed typed;
    struct sm_spicevmc_msgc msg; /* the one being looked at */
    struct sm_spicevmc_packing packing;
    bool is_port;
};

static enum sm_status send(struct sm_spicevmc_server *server, const struct sm_spicevmc_msg *msg)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(server->typed.channel, msg->type, true, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(server->typed.channel, sm_spicevmc_msg_build(w, msg));
}

static enum sm_status send_port_init(struct sm_spicevmc_server *server, const char *name,
                                     bool is_open)
{
    struct sm_bytes with_nul = {.data = (const uint8_t *)name, .size = strlen(name) + 1};
    if (with_nul.size > sm_spicevmc_msg_max_size(SM_MSG_SPICEVMC_PORT_INIT) / 2)
        return SM_ERR_LIMIT;
    return send(server,
                &(struct sm_spicevmc_msg){.type = SM_MSG_SPICEVMC_PORT_INIT,
                                          .port_init = {.name = with_nul, .opened = is_open}});
}

enum sm_status sm_spicevmc_server_create(struct sm_spicevmc_server **out,
                                         const struct sm_spicevmc_server_config *config,
                                         uint64_t now_us)
{
    struct sm_spicevmc_server *server = calloc(1, sizeof(*server));
    if (!server)
        return SM_ERR_NOMEM;
    const struct sm_channel_setup *setup = &config->setup;
    server->is_port = config->port_name != NULL;
    server->packing.lz4 = config->lz4;
    server->packing.may_pack =
        !setup->is_local && (setup->channel_caps >> SM_SPICEVMC_CAP_DATA_COMPRESS_LZ4 & 1);
    enum sm_status status =
        sm_typed_init(&server->typed, SM_CHANNEL_SERVER, setup,
                      server->is_port ? sm_spicevmc_msgc_max_size : sm_spicevmc_msgc_max_size_plain,
                      ARENA_LIMIT, SM_TYPED_PING_RARELY_US, 0, now_us);
    if (status == SM_OK && setup->is_migrated)
        sm_channel_await_migrate_data(server->typed.channel);
    if (status == SM_OK && server->is_port)
        status = send_port_init(server, config->port_name, config->is_port_open);
    if (status != SM_OK) {
        sm_spicevmc_server_destroy(server);
        return status;
    }
    *out = server;
    return SM_OK;
}

void sm_spicevmc_server_destroy(struct sm_spicevmc_server *server)
{
    if (!server)
        return;
    sm_typed_finish(&server->typed);
    sm_spicevmc_packing_finish(&server->packing);
    free(server);
}

struct sm_machine sm_spicevmc_server_machine(struct sm_spicevmc_server *server)
{
    return sm_channel_machine(server->typed.channel);
}

struct sm_channel *sm_spicevmc_server_channel(struct sm_spicevmc_server *server)
{
    return server->typed.channel;
}

static enum sm_status fail(struct sm_spicevmc_server *server, enum sm_status status,
                           const char *reason)
{
    return sm_channel_fail(server->typed.channel, status, reason);
}

/* Source: docs/wire/facts.md: the reference takes LZ4 alone. */
static enum sm_status take_packed(struct sm_spicevmc_server *server, struct sm_bytes *data)
{
    const struct sm_msgc_spicevmc_compressed_data *msg = &server->msg.compressed_data;
    if (msg->type != SM_DATA_COMPRESSION_LZ4)
        return fail(server, SM_ERR_PROTOCOL, "invalid compression of data");
    enum sm_status status =
        sm_spicevmc_unpack(&server->packing, msg->compressed_data, msg->uncompressed_size, data);
    return status == SM_OK ? SM_OK : fail(server, status, "data cannot be decompressed");
}

/* What `msg` means; `is_shown` false if its owner need not see it. */
static enum sm_status take(struct sm_spicevmc_server *server, size_t body_size,
                           struct sm_spicevmc_server_event *event, bool *is_shown)
{
    *event = (struct sm_spicevmc_server_event){.kind = SM_SPICEVMC_SERVER_DATA};
    *is_shown = true;
    switch (server->msg.type) {
    case SM_MSGC_SPICEVMC_DATA:
        event->data = server->msg.data.data;
        return SM_OK;
    case SM_MSGC_SPICEVMC_COMPRESSED_DATA:
        return take_packed(server, &event->data);
    case SM_MSGC_SPICEVMC_PORT_EVENT:
        if (body_size != 1)
            return fail(server, SM_ERR_PROTOCOL, "port event of a wrong size");
        event->kind = SM_SPICEVMC_SERVER_PORT_EVENT;
        event->port_event = server->msg.port_event.event;
        return SM_OK;
    case SM_MSGC_MIGRATE_FLUSH_MARK:
        event->kind = SM_SPICEVMC_SERVER_FLUSH_MARK;
        return SM_OK;
    case SM_MSGC_MIGRATE_DATA:
        event->kind = SM_SPICEVMC_SERVER_MIGRATE_DATA;
        event->data = server->msg.migrate_data.data;
        return SM_OK;
    default:
        *is_shown = false;
        return SM_OK;
    }
}

enum sm_status sm_spicevmc_server_next(struct sm_spicevmc_server *server,
                                       struct sm_spicevmc_server_event *event)
{
    for (;;) {
        struct sm_channel_message message;
        enum sm_status status = sm_typed_pull(&server->typed, &message);
        if (status != SM_OK)
            return status;
        const char *reason = "";
        status = sm_spicevmc_msgc_parse(&server->msg, message.type, message.body,
                                        &server->typed.arena, &reason);
        status = sm_typed_parsed(&server->typed, status, reason);
        bool is_shown = false;
        if (status == SM_OK)
            status = take(server, message.body.size, event, &is_shown);
        if (status != SM_OK || is_shown)
            return status;
    }
}

enum sm_status sm_spicevmc_server_data(struct sm_spicevmc_server *server, struct sm_bytes data)
{
    return sm_spicevmc_send_data(&server->packing, server->typed.channel, data, true);
}

enum sm_status sm_spicevmc_server_port_event(struct sm_spicevmc_server *server, uint8_t event)
{
    if (!server->is_port)
        return SM_OK;
    return send(server, &(struct sm_spicevmc_msg){.type = SM_MSG_SPICEVMC_PORT_EVENT,
                                                  .port_event = {.event = event}});
}
