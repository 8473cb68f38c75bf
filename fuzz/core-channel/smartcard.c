/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a smart card channel under a peer that sends what it likes: no crash, and where the
 * bytes were cut does not matter.
 */
#include "fuzz/core-channel/digest.h"

#include "core/channel/smartcard/client.h"
#include "core/channel/smartcard/server.h"

static const struct sm_channel_setup SETUP = {.has_mini_header = true, .is_local = true};

static bool pull_smartcard_server(void *owner, struct sm_digest *digest)
{
    const struct sm_smartcard_msgc *msg;
    enum sm_status status;
    while ((status = sm_smartcard_server_next(owner, &msg)) == SM_OK) {
        sm_digest_number(&digest->seen, (uint64_t)msg->data.type << 32 | msg->data.reader_id);
        sm_digest_bytes(&digest->seen, msg->data.data);
    }
    return status == SM_AGAIN;
}

static bool pull_smartcard_client(void *owner, struct sm_digest *digest)
{
    const struct sm_msg_smartcard_data *msg;
    enum sm_status status;
    while ((status = sm_smartcard_client_next(owner, &msg)) == SM_OK) {
        sm_digest_number(&digest->seen, (uint64_t)msg->type << 32 | msg->reader_id);
        sm_digest_bytes(&digest->seen, msg->data);
    }
    return status == SM_AGAIN;
}

static struct sm_digest run(const uint8_t *data, size_t size, unsigned kind, size_t piece)
{
    struct sm_digest digest = sm_digest();
    if (kind & 1)
        FUZZ_RUN(smartcard_server, (void)0, (void)0, .setup = SETUP);
    else
        FUZZ_RUN(smartcard_client, (void)0, (void)0, .setup = SETUP);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_whole_and_cut(data, size, FUZZ_MAX_SIZE, run);
}
