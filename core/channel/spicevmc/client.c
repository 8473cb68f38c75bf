/* SPDX-License-Identifier: MIT */
#include "core/channel/spicevmc/client.h"

#include <stdlib.h>

#include "core/channel/spicevmc/packing.h"
#include "core/channel/typed.h"

enum { ARENA_LIMIT = 4 << 10 };

struct sm_spicevmc_client {
    struct sm_typed typed;
    struct sm_spicevmc_msg msg; /* the one being looked at */
    struct sm_spicevmc_packing packing;
    bool is_port;
};

enum sm_status sm_spicevmc_client_create(struct sm_spicevmc_client **out,
                                         const struct sm_spicevmc_client_config *config,
                                         uint64_t now_us)
{
    struct sm_spicevmc_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SM_ERR_NOMEM;
    const struct sm_channel_setup *setup = &config->setup;
    client->is_port = config->is_port;
    client->packing.lz4 = config->lz4;
    client->packing.may_pack =
        !setup->is_local && (setup->channel_caps >> SM_SPICEVMC_CAP_DATA_COMPRESS_LZ4 & 1);
    enum sm_status status =
        sm_typed_init(&client->typed, SM_CHANNEL_CLIENT, setup,
                      client->is_port ? sm_spicevmc_msg_max_size : sm_spicevmc_msg_max_size_plain,
                      ARENA_LIMIT, 0, 0, now_us);
    if (status != SM_OK) {
        sm_spicevmc_client_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_spicevmc_client_destroy(struct sm_spicevmc_client *client)
{
    if (!client)
        return;
    sm_typed_finish(&client->typed);
    sm_spicevmc_packing_finish(&client->packing);
    free(client);
}

struct sm_machine sm_spicevmc_client_machine(struct sm_spicevmc_client *client)
{
    return sm_channel_machine(client->typed.channel);
}

struct sm_channel *sm_spicevmc_client_channel(struct sm_spicevmc_client *client)
{
    return client->typed.channel;
}

static enum sm_status take_packed(struct sm_spicevmc_client *client, struct sm_bytes *data)
{
    const struct sm_msg_spicevmc_compressed_data *msg = &client->msg.compressed_data;
    if (msg->type == SM_DATA_COMPRESSION_NONE) {
        *data = msg->compressed_data;
        return SM_OK;
    }
    enum sm_status status =
        sm_spicevmc_unpack(&client->packing, msg->compressed_data, msg->uncompressed_size, data);
    return status == SM_OK
               ? SM_OK
               : sm_channel_fail(client->typed.channel, status, "data cannot be decompressed");
}

static enum sm_status take(struct sm_spicevmc_client *client,
                           struct sm_spicevmc_client_event *event)
{
    const struct sm_spicevmc_msg *msg = &client->msg;
    *event = (struct sm_spicevmc_client_event){.kind = SM_SPICEVMC_CLIENT_DATA, .msg = msg};
    switch (msg->type) {
    case SM_MSG_SPICEVMC_DATA:
        event->data = msg->data.data;
        return SM_OK;
    case SM_MSG_SPICEVMC_COMPRESSED_DATA:
        return take_packed(client, &event->data);
    case SM_MSG_SPICEVMC_PORT_INIT:
        event->kind = SM_SPICEVMC_CLIENT_PORT_INIT;
        event->data = (struct sm_bytes){.data = msg->port_init.name.data,
                                        .size = msg->port_init.name.size - 1};
        event->is_open = msg->port_init.opened != 0;
        return SM_OK;
    case SM_MSG_SPICEVMC_PORT_EVENT:
        event->kind = SM_SPICEVMC_CLIENT_PORT_EVENT;
        event->port_event = msg->port_event.event;
        return SM_OK;
    default:
        event->kind = SM_SPICEVMC_CLIENT_MESSAGE;
        return SM_OK;
    }
}

enum sm_status sm_spicevmc_client_next(struct sm_spicevmc_client *client,
                                       struct sm_spicevmc_client_event *event)
{
    struct sm_channel_message message;
    enum sm_status status = sm_typed_pull(&client->typed, &message);
    if (status != SM_OK)
        return status;
    const char *reason = "";
    status = sm_spicevmc_msg_parse(&client->msg, message.type, message.body, &client->typed.arena,
                                   &reason);
    status = sm_typed_parsed(&client->typed, status, reason);
    return status == SM_OK ? take(client, event) : status;
}

enum sm_status sm_spicevmc_client_data(struct sm_spicevmc_client *client, struct sm_bytes data,
                                       bool may_pack)
{
    return sm_spicevmc_send_data(&client->packing, client->typed.channel, data, may_pack);
}

enum sm_status sm_spicevmc_client_port_event(struct sm_spicevmc_client *client, uint8_t event)
{
    if (!client->is_port)
        return SM_ERR_STATE;
    return sm_channel_send_always(client->typed.channel, SM_MSGC_SPICEVMC_PORT_EVENT,
                                  (struct sm_bytes){.data = &event, .size = 1});
}
