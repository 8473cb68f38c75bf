/* SPDX-License-Identifier: MIT */
/* Both ends of the link phase: no crash, and where the bytes were cut does not matter. */
#include "fuzz/core-channel/digest.h"

#include "core/channel/link_client.h"
#include "core/channel/link_server.h"
#include "core/wire/link.h"

static const uint8_t KEY[SM_LINK_PUBLIC_KEY_SIZE] = {0x30, 0x81, 0x9f};
static const uint8_t MECHANISMS[] = ",PLAIN,GSSAPI,";
static const uint8_t TICKET[SM_LINK_TICKET_SIZE] = {1, 2, 3};

static bool pull_server(void *owner, struct sm_digest *digest)
{
    struct sm_link_server *server = owner;
    struct sm_link_server_event event;
    while (sm_link_server_next(server, &event)) {
        sm_digest_number(&digest->seen, event.kind);
        sm_digest_bytes(&digest->seen, event.ticket);
        enum sm_status status;
        bool is_even = event.turn.data.size && event.turn.data.data[0] % 2 == 0;
        switch (event.kind) {
        case SM_LINK_SERVER_SASL:
            status = sm_link_server_sasl_offer(
                server, (struct sm_bytes){MECHANISMS, sizeof(MECHANISMS) - 1});
            break;
        case SM_LINK_SERVER_SASL_START:
            sm_digest_number(&digest->seen, event.mechanism[0]);
            __attribute__((fallthrough));
        case SM_LINK_SERVER_SASL_STEP:
            sm_digest_number(&digest->seen, event.turn.has_data);
            sm_digest_bytes(&digest->seen, event.turn.data);
            status = sm_link_server_sasl_reply(server, event.turn.data, is_even);
            if (status == SM_OK && is_even) /* the turn is gone with the answer */
                status = sm_link_server_sasl_end(server, true);
            if (status == SM_OK && is_even)
                status = sm_link_server_result(server, 0);
            break;
        case SM_LINK_SERVER_TICKET:
            status = sm_link_server_result(server, event.ticket.size ? event.ticket.data[0] : 0);
            break;
        default:
            sm_digest_number(&digest->seen, event.connection_id);
            sm_digest_number(&digest->seen, event.common_caps);
            sm_digest_number(&digest->seen, event.channel_caps);
            struct sm_bytes key = {KEY, sizeof(KEY)};
            status = event.channel_type > 11
                         ? sm_link_server_refuse(server, event.channel_id, event.channel_type > 99)
                         : sm_link_server_accept(server, key, event.channel_type);
            break;
        }
        FUZZ_CHECK(status == SM_OK);
    }
    return !sm_link_server_is_failed(server);
}

static bool pull_client(void *owner, struct sm_digest *digest)
{
    struct sm_link_client *client = owner;
    struct sm_link_client_event event;
    while (sm_link_client_next(client, &event)) {
        sm_digest_number(&digest->seen, event.kind);
        sm_digest_number(&digest->seen, event.error);
        sm_digest_number(&digest->seen, event.common_caps);
        sm_digest_number(&digest->seen, event.channel_caps);
        sm_digest_bytes(&digest->seen, event.public_key);
        sm_digest_bytes(&digest->seen, event.mechanisms);
        sm_digest_number(&digest->seen, event.turn.has_data);
        sm_digest_bytes(&digest->seen, event.turn.data);
        enum sm_status status = SM_OK;
        if (event.kind == SM_LINK_CLIENT_NEED_TICKET)
            status = sm_link_client_ticket(client, (struct sm_bytes){TICKET, sizeof(TICKET)});
        else if (event.kind == SM_LINK_CLIENT_NEED_SASL)
            status = sm_link_client_sasl_start(
                client, "PLAIN",
                (struct sm_sasl_turn){.has_data = true, .data = {TICKET, sizeof(TICKET)}});
        else if (event.kind == SM_LINK_CLIENT_SASL_STEP && event.is_complete)
            status = sm_link_client_sasl_end(client);
        else if (event.kind == SM_LINK_CLIENT_SASL_STEP)
            status = sm_link_client_sasl_step(client, (struct sm_sasl_turn){0});
        else if (event.kind == SM_LINK_CLIENT_SASL_ACCEPTED)
            status = sm_link_client_sasl_secured(client);
        else if (event.kind == SM_LINK_CLIENT_REFUSED)
            FUZZ_CHECK(event.error != 0);
        FUZZ_CHECK(status == SM_OK);
    }
    return true;
}

static struct sm_digest run(const uint8_t *data, size_t size, unsigned flags, size_t piece)
{
    struct sm_digest digest = sm_digest();
    if (flags & 1) {
        struct sm_link_server *server;
        struct sm_link_server_config config = {.has_sasl = flags & 2};
        if (sm_link_server_create(&server, &config, 0) != SM_OK)
            abort();
        struct sm_machine machine = sm_link_server_machine(server);
        fuzz_feed(machine, data, size, piece, pull_server, server, &digest);
        sm_digest_bytes(&digest.sent, sm_machine_pending(machine));
        sm_link_server_destroy(server);
    } else {
        struct sm_link_client *client;
        struct sm_link_client_config config = {.channel_type = 1, .has_sasl = flags & 2};
        if (sm_link_client_create(&client, &config, 0) != SM_OK)
            abort();
        struct sm_machine machine = sm_link_client_machine(client);
        fuzz_feed(machine, data, size, piece, pull_client, client, &digest);
        sm_digest_bytes(&digest.sent, sm_machine_pending(machine));
        sm_link_client_destroy(client);
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_whole_and_cut(data, size, 8192, run);
}
