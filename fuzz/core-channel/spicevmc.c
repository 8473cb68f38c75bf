/* SPDX-License-Identifier: MIT */
/*
 * Both ends of usbredir, port and webdav channels under a peer that sends what it likes: no crash,
 * and where the bytes were cut does not matter.
 */
#include "fuzz/core-channel/digest.h"

#include "core/channel/spicevmc/client.h"
#include "core/channel/spicevmc/server.h"
#include "media/libs.h"

static const struct sm_channel_setup SETUP = {.has_mini_header = true, .channel_caps = UINT32_MAX};

/* What an owner does with data: it goes back, packed where that pays. */
static void check_echo(enum sm_status status)
{
    FUZZ_CHECK(status == SM_OK || status == SM_AGAIN || status == SM_ERR_LIMIT);
}

static bool pull_spicevmc_server(void *owner, struct sm_digest *digest)
{
    struct sm_spicevmc_server_event event;
    enum sm_status status;
    while ((status = sm_spicevmc_server_next(owner, &event)) == SM_OK) {
        sm_digest_number(&digest->seen, event.kind);
        sm_digest_number(&digest->seen, event.port_event);
        sm_digest_bytes(&digest->seen, event.data);
    }
    return status == SM_AGAIN;
}

static bool pull_spicevmc_client(void *owner, struct sm_digest *digest)
{
    struct sm_spicevmc_client_event event;
    enum sm_status status;
    while ((status = sm_spicevmc_client_next(owner, &event)) == SM_OK) {
        sm_digest_number(&digest->seen, event.kind);
        sm_digest_number(&digest->seen, event.msg->type);
        sm_digest_number(&digest->seen, event.port_event);
        sm_digest_bytes(&digest->seen, event.data);
        if (event.kind == SM_SPICEVMC_CLIENT_DATA && event.data.size < 1 << 16) {
            /* a copy: what an event borrows ends with the next call to its machine */
            uint8_t *copy = malloc(event.data.size + 1);
            if (!copy)
                abort();
            for (size_t i = 0; i < event.data.size; i++)
                copy[i] = event.data.data[i];
            check_echo(sm_spicevmc_client_data(
                owner, (struct sm_bytes){.data = copy, .size = event.data.size}, true));
            free(copy);
        }
    }
    return status == SM_AGAIN;
}

#define RUN(name, ...)                                                                             \
    FUZZ_RUN(name, (void)0, sm_digest_messages(&digest, sm_machine_pending(machine), true),        \
             __VA_ARGS__)

static struct sm_digest run(const uint8_t *data, size_t size, unsigned kind, size_t piece)
{
    struct sm_digest digest = sm_digest();
    if (kind & 1)
        RUN(spicevmc_server, .setup = SETUP, .lz4 = &sm_media_lz4,
            .port_name = kind & 2 ? "port" : NULL);
    else
        RUN(spicevmc_client, .setup = SETUP, .lz4 = &sm_media_lz4, .is_port = kind & 2);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_whole_and_cut(data, size, FUZZ_MAX_SIZE, run);
}
