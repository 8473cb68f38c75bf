/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a smart card channel under a peer that sends what it likes: no crash, and where the
 * bytes were cut does not matter.
 */
#include "fuzz/core-channel/digest.h"

#include "core/channel/smartcard/client.h"
#include "core/channel/smartcard/server.h"

static const struct sm_channel_setup SETUP = {.has_mini_header = true, .is_local = true};

static bool pull_server(void *owner, struct sm_digest *digest)
{
    const struct sm_smartcard_msgc *msg;
    enum sm_status status;
    while ((status = sm_smartcard_server_next(owner, &msg)) == SM_OK) {
        sm_digest_number(&digest->seen, (uint64_t)msg->data.type << 32 | msg->data.reader_id);
        sm_digest_bytes(&digest->seen, msg->data.data);
    }
    return status == SM_AGAIN;
}

static bool pull_client(void *owner, struct sm_digest *digest)
{
    const struct sm_msg_smartcard_data *msg;
    enum sm_status status;
    while ((status = sm_smartcard_client_next(owner, &msg)) == SM_OK) {
        sm_digest_number(&digest->seen, (uint64_t)msg->type << 32 | msg->reader_id);
        sm_digest_bytes(&digest->seen, msg->data);
    }
    return status == SM_AGAIN;
}

static struct sm_digest run(const uint8_t *data, size_t size, bool is_server, size_t piece)
{
    struct sm_digest digest = sm_digest();
    if (is_server) {
        struct sm_smartcard_server_config config = {.setup = SETUP};
        struct sm_smartcard_server *server;
        if (sm_smartcard_server_create(&server, &config, 0) != SM_OK)
            abort();
        fuzz_feed(sm_smartcard_server_machine(server), data, size, piece, pull_server, server,
                  &digest);
        sm_smartcard_server_destroy(server);
    } else {
        struct sm_smartcard_client_config config = {.setup = SETUP};
        struct sm_smartcard_client *client;
        if (sm_smartcard_client_create(&client, &config, 0) != SM_OK)
            abort();
        fuzz_feed(sm_smartcard_client_machine(client), data, size, piece, pull_client, client,
                  &digest);
        sm_smartcard_client_destroy(client);
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > FUZZ_MAX_SIZE)
        return 0;
    struct sm_digest whole = run(data + 2, size - 2, data[0] & 1, SIZE_MAX);
    struct sm_digest split = run(data + 2, size - 2, data[0] & 1, 1 + data[1] % 32);
    FUZZ_CHECK(sm_digest_equal(whole, split));
    return 0;
}
