/* SPDX-License-Identifier: MIT */
/*
 * The machines of both sound channels at both ends, under a peer that sends what it likes: no
 * crash, nothing out of bounds is told, and where the bytes were cut does not matter.
 */
#include "fuzz/core-channel/digest.h"

#include "core/channel/playback/client.h"
#include "core/channel/playback/server.h"
#include "core/channel/record/client.h"
#include "core/channel/record/server.h"

static const struct sm_channel_setup SETUP = {.has_mini_header = true, .channel_caps = UINT32_MAX};

static bool pull_playback_client(void *owner, struct sm_digest *digest)
{
    const struct sm_playback_msg *msg;
    enum sm_status status;
    while ((status = sm_playback_client_next(owner, &msg)) == SM_OK) {
        struct sm_playback_view view = sm_playback_client_view(owner);
        FUZZ_CHECK(view.channels <= 8 && view.rate_hz <= 384000);
        FUZZ_CHECK(msg->type != SM_MSG_PLAYBACK_DATA || (view.is_playing && view.channels > 0));
        sm_digest_number(&digest->seen, msg->type);
        sm_digest_number(&digest->seen, (uint64_t)view.rate_hz << 32 | view.mode);
        if (msg->type == SM_MSG_PLAYBACK_DATA)
            sm_digest_bytes(&digest->seen, msg->data.data);
        sm_channel_release(sm_playback_client_channel(owner));
    }
    return status == SM_AGAIN;
}

static bool pull_playback_server(void *owner, struct sm_digest *digest)
{
    (void)digest;
    return sm_playback_server_next(owner) == SM_AGAIN;
}

static bool pull_record_client(void *owner, struct sm_digest *digest)
{
    static const uint8_t FRAME[64];
    const struct sm_record_msg *msg;
    enum sm_status status;
    while ((status = sm_record_client_next(owner, 7, &msg)) == SM_OK) {
        struct sm_record_view view = sm_record_client_view(owner);
        FUZZ_CHECK(view.channels <= 8);
        sm_digest_number(&digest->seen, msg->type);
        sm_digest_number(&digest->seen, (uint64_t)view.rate_hz << 32 | view.mode);
        enum sm_status sent =
            sm_record_client_frame(owner, (struct sm_bytes){FRAME, sizeof(FRAME)}, 8);
        FUZZ_CHECK(sent == SM_OK || sent == SM_AGAIN ||
                   (sent == SM_ERR_STATE) == !view.is_recording);
        sm_channel_release(sm_record_client_channel(owner));
    }
    return status == SM_AGAIN;
}

static bool pull_record_server(void *owner, struct sm_digest *digest)
{
    const struct sm_record_msgc *msg;
    enum sm_status status;
    while ((status = sm_record_server_next(owner, &msg)) == SM_OK) {
        sm_digest_number(&digest->seen, msg->type);
        if (msg->type == SM_MSGC_RECORD_DATA)
            sm_digest_bytes(&digest->seen, msg->data.data);
    }
    return status == SM_AGAIN;
}

#define RUN(name, ...) FUZZ_RUN(name, (void)0, (void)0, __VA_ARGS__)

static struct sm_digest run(const uint8_t *data, size_t size, unsigned kind, size_t piece)
{
    struct sm_digest digest = sm_digest();
    switch (kind % 4) {
    case 0:
        RUN(playback_client, .setup = SETUP);
        break;
    case 1:
        RUN(playback_server, .setup = SETUP, .mode = SM_AUDIO_MODE_OPUS);
        break;
    case 2:
        RUN(record_client, .setup = SETUP, .can_opus = kind & 4);
        break;
    default:
        RUN(record_server, .setup = SETUP);
        break;
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_whole_and_cut(data, size, FUZZ_MAX_SIZE, run);
}
