/* SPDX-License-Identifier: MIT */
#include "core/channel/smartcard/client.h"

#include <stdlib.h>

#include "core/channel/typed.h"

enum { ARENA_LIMIT = 4 << 10 };

struct sm_smartcard_client {
    struct sm_typed typed;
    struct sm_smartcard_msg msg; /* the one being looked at */
};

enum sm_status sm_smartcard_client_create(struct sm_smartcard_client **out,
                                          const struct sm_smartcard_client_config *config,
                                          uint64_t now_us)
{
    struct sm_smartcard_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SM_ERR_NOMEM;
    enum sm_status status = sm_typed_init(&client->typed, SM_CHANNEL_CLIENT, &config->setup,
                                          sm_smartcard_msg_max_size, ARENA_LIMIT, 0, 0, now_us);
    if (status != SM_OK) {
        sm_smartcard_client_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_smartcard_client_destroy(struct sm_smartcard_client *client)
{
    if (!client)
        return;
    sm_typed_finish(&client->typed);
    free(client);
}

struct sm_machine sm_smartcard_client_machine(struct sm_smartcard_client *client)
{
    return sm_channel_machine(client->typed.channel);
}

struct sm_channel *sm_smartcard_client_channel(struct sm_smartcard_client *client)
{
    return client->typed.channel;
}

enum sm_status sm_smartcard_client_next(struct sm_smartcard_client *client,
                                        const struct sm_msg_smartcard_data **msg)
{
    for (;;) {
        struct sm_channel_message message;
        enum sm_status status = sm_typed_pull(&client->typed, &message);
        if (status != SM_OK)
            return status;
        const char *reason = "";
        status = sm_smartcard_msg_parse(&client->msg, message.type, message.body,
                                        &client->typed.arena, &reason);
        status = sm_typed_parsed(&client->typed, status, reason);
        if (status != SM_OK)
            return status;
        if (client->msg.type == SM_MSG_SMARTCARD_DATA) {
            *msg = &client->msg.data;
            return SM_OK;
        }
    }
}

enum sm_status sm_smartcard_client_send(struct sm_smartcard_client *client,
                                        const struct sm_msgc_smartcard_data *msg)
{
    struct sm_writer *w;
    enum sm_status status =
        sm_channel_begin(client->typed.channel, SM_MSGC_SMARTCARD_DATA, false, &w);
    if (status != SM_OK)
        return status;
    struct sm_smartcard_msgc whole = {.type = SM_MSGC_SMARTCARD_DATA, .data = *msg};
    return sm_channel_commit(client->typed.channel, sm_smartcard_msgc_build(w, &whole));
}
