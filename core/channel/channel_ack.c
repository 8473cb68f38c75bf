/* SPDX-License-Identifier: MIT */
/* Acknowledgements of messages from server to client, both ends. */
#include "core/base/alloc.h"
#include "core/channel/channel_private.h"

/* Client: SET_ACK. The count begins behind it. */
enum sm_status sm_channel_ack_set(struct sm_channel *channel, struct sm_bytes set_ack)
{
    struct sm_arena none;
    struct sm_base_msg msg;
    const char *reason = "";
    sm_arena_init(&none, 0);
    enum sm_status status = sm_base_msg_parse(&msg, SM_MSG_SET_ACK, set_ack, &none, &reason);
    if (status != SM_OK)
        return sm_channel_fail(channel, status, reason);
    channel->acks.window = channel->acks.countdown = msg.set_ack.window;
    return sm_channel_send_basec(
        channel, &(struct sm_base_msgc){.type = SM_MSGC_ACK_SYNC,
                                        .ack_sync = {.generation = msg.set_ack.generation}});
}

/* Client: a message has been received, its sub-messages are dealt with. */
enum sm_status sm_channel_ack_received(struct sm_channel *channel)
{
    struct sm_channel_acks *acks = &channel->acks;
    if (acks->window == 0 || channel->move.is_leaving || --acks->countdown > 0)
        return SM_OK;
    acks->countdown = acks->window;
    return sm_channel_send_basec(channel, &(struct sm_base_msgc){.type = SM_MSGC_ACK});
}

/* Server: a message of `size` bytes was queued. */
void sm_channel_ack_sent(struct sm_channel *channel, size_t size)
{
    struct sm_channel_acks *acks = &channel->acks;
    if (acks->window == 0 || channel->config.role != SM_CHANNEL_SERVER)
        return;
    acks->messages++;
    acks->sent_bytes += size;
    if (--acks->until_mark > 0)
        return;
    acks->until_mark = acks->window;
    /* so far ahead of the client bytes lose precision, messages do not */
    if (acks->mark_count == SM_CHANNEL_ACK_MARKS)
        return;
    size_t next = (acks->first_mark + acks->mark_count++) % SM_CHANNEL_ACK_MARKS;
    acks->marks[next] = acks->sent_bytes;
}

void sm_channel_ack_synced(struct sm_channel *channel, uint32_t generation)
{
    struct sm_channel_acks *acks = &channel->acks;
    if (generation == acks->generation && acks->generation != 0)
        acks->is_synced = true;
}

void sm_channel_ack_acked(struct sm_channel *channel)
{
    struct sm_channel_acks *acks = &channel->acks;
    if (!acks->is_synced || acks->window == 0)
        return; /* of a former generation */
    if (acks->messages <= acks->window) {
        /* all of them; an ACK for more than was sent counts for no more than was sent */
        acks->messages = 0;
        acks->acked_bytes = acks->sent_bytes;
        acks->until_mark = acks->window;
        acks->mark_count = 0;
        return;
    }
    acks->messages -= acks->window;
    if (acks->mark_count > 0) {
        acks->acked_bytes = acks->marks[acks->first_mark];
        acks->first_mark = (acks->first_mark + 1) % SM_CHANNEL_ACK_MARKS;
        acks->mark_count--;
    }
}

enum sm_status sm_channel_set_ack_window(struct sm_channel *channel, uint32_t window)
{
    if (channel->config.role != SM_CHANNEL_SERVER)
        return SM_ERR_STATE;
    uint64_t *marks = channel->acks.marks;
    if (!marks)
        marks = channel->acks.marks = sm_alloc_array(SM_CHANNEL_ACK_MARKS, sizeof(*marks));
    if (!marks)
        return SM_ERR_NOMEM;
    uint32_t generation = channel->acks.generation + 1;
    if (generation == 0)
        generation = 1;       /* 0 is "none yet" */
    channel->acks.window = 0; /* SET_ACK itself is not counted */
    enum sm_status status = sm_channel_send_base(
        channel, &(struct sm_base_msg){.type = SM_MSG_SET_ACK,
                                       .set_ack = {.generation = generation, .window = window}});
    if (status == SM_OK)
        channel->acks = (struct sm_channel_acks){
            .generation = generation, .window = window, .until_mark = window, .marks = marks};
    return status;
}

bool sm_channel_is_blocked(const struct sm_channel *channel)
{
    const struct sm_channel_acks *acks = &channel->acks;
    return acks->window > 0 && acks->messages > 2 * (uint64_t)acks->window;
}

uint64_t sm_channel_unacked(const struct sm_channel *channel)
{
    return channel->acks.messages;
}

uint64_t sm_channel_unacked_bytes(const struct sm_channel *channel)
{
    return channel->acks.sent_bytes - channel->acks.acked_bytes;
}
