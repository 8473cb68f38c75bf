/* SPDX-License-Identifier: MIT */
/* Framing in both roles: no crash, bounded memory, and where the bytes were cut does not matter. */
#include "fuzz/core-channel/digest.h"

#include "core/channel/channel.h"
#include "core/wire/display.h"

static bool pull(void *owner, struct sm_digest *digest)
{
    struct sm_channel *channel = owner;
    struct sm_channel_message message;
    enum sm_status status;
    while ((status = sm_channel_next(channel, &message)) == SM_OK) {
        sm_digest_number(&digest->seen, message.type);
        sm_digest_number(&digest->seen, message.serial);
        sm_digest_number(&digest->seen, message.is_sub);
        sm_digest_bytes(&digest->seen, message.body);
        if (message.type == SM_MSG_WAIT_FOR_CHANNELS) { /* over at once */
            sm_channel_hold(channel);
            FUZZ_CHECK(sm_channel_next(channel, &message) == SM_AGAIN);
            sm_channel_release(channel);
        }
    }
    return status == SM_AGAIN;
}

static struct sm_digest run(const uint8_t *data, size_t size, unsigned flags, size_t piece)
{
    struct sm_digest digest = sm_digest();
    bool is_client = flags & 1, is_mini = flags & 2, may_move = is_client && flags & 4;
    struct sm_channel_config config = {
        .role = is_client ? SM_CHANNEL_CLIENT : SM_CHANNEL_SERVER,
        .has_mini_header = is_mini,
        .max_size = is_client ? sm_display_msg_max_size : sm_display_msgc_max_size,
        .max_pending_bytes = 1 << 20,
    };
    struct sm_channel *channel;
    if (sm_channel_create(&channel, &config, 0) != SM_OK)
        abort();
    if (may_move)
        sm_channel_allow_move(channel);
    if (!is_client) {
        if (sm_channel_set_ack_window(channel, 1 + flags / 4 % 32) != SM_OK)
            abort();
        if (flags & 128 && sm_channel_start_net_test(channel) != SM_OK) /* makes much to send */
            abort();
        for (int i = 0; i < 40; i++)
            FUZZ_CHECK(sm_channel_send(channel, 102, (struct sm_bytes){0}) == SM_OK);
        sm_machine_sent(sm_channel_machine(channel), sm_channel_pending_size(channel), 0);
    }
    fuzz_feed(sm_channel_machine(channel), data, size, piece, pull, channel, &digest);
    FUZZ_CHECK(sm_channel_pending_size(channel) < (2 << 20));
    FUZZ_CHECK(sm_channel_unacked(channel) <= 43);
    if (!digest.has_failed) /* those behind a message found wrong when it is pulled count or not */
        sm_digest_number(&digest.seen, sm_channel_unacked(channel));
    sm_digest_number(&digest.seen, sm_channel_net_test(channel).is_done);
    struct sm_machine machine = sm_channel_machine(channel);
    if (!may_move) { /* else pings are answered until MIGRATE is pulled, sooner or later */
        sm_digest_messages(&digest, sm_machine_pending(machine), is_mini);
    } else {
        sm_machine_sent(machine, sm_machine_pending(machine).size, 0);
        bool has_left = sm_channel_has_left(channel); /* before it arrives */
        FUZZ_CHECK(has_left == (sm_channel_arrive(channel) == SM_OK));
        FUZZ_CHECK(!sm_channel_has_left(channel));
    }
    sm_channel_destroy(channel);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_whole_and_cut(data, size, FUZZ_MAX_SIZE, run);
}
