/* SPDX-License-Identifier: MIT */
/*
 * What is told to the estimator. Server: marks, as pings between the messages. Client: receipts of
 * the server's, since a client has nothing to ping with. Source: docs/channel.md, "The line".
 */
#include "core/base/math.h"
#include "core/base/reader.h"
#include "core/channel/channel_private.h"

/*
 * The id of all marks; latency pings count from 1. Which one it is says the time stamp, which comes
 * back as it is: not a time, but the offset where the mark ends.
 */
static const uint32_t MARK_ID = 0x80000000;

/*
 * The id of all receipts. Their time stamp is an offset, too: so much has come from the client. One
 * is due whenever a multiple of RECEIPT_BYTES was passed, so what is behind the last one is always
 * less than the estimator lets go anyway.
 */
static const uint32_t RECEIPT_ID = 0x80000001;
enum {
    RECEIPT_BYTES = 4 << 10,
    TIME_SIZE = 8, /* of their data: when that was, in microseconds of the server's clock */
    FAR_CLOCK_US = 30 * 1000 * 1000,
    MUCH_BYTES = 2 << 10, /* from one answer to the next */
};

static uint64_t limit_below(uint64_t offset)
{
    return offset - offset % RECEIPT_BYTES;
}

static enum sm_status send_mark(struct sm_channel *channel)
{
    size_t size = sm_frame_size(channel->config.has_mini_header) + 12;
    uint64_t end = channel->out.queued + size;
    sm_line_marked(&channel->line, end); /* first: to be queued asks for no further mark */
    return sm_channel_send_base(
        channel,
        &(struct sm_base_msg){.type = SM_MSG_PING, .ping = {.id = MARK_ID, .timestamp = end}});
}

enum sm_status sm_channel_measure_line(struct sm_channel *channel, uint64_t rtt_us,
                                       uint64_t bytes_per_second)
{
    if (channel->config.role != SM_CHANNEL_SERVER || channel->has_line)
        return SM_ERR_STATE;
    sm_line_init(&channel->line, rtt_us, bytes_per_second);
    sm_line_queued(&channel->line, channel->out.queued);
    channel->has_line = true;
    return send_mark(channel);
}

struct sm_line *sm_channel_line(struct sm_channel *channel)
{
    return channel->has_line ? &channel->line : NULL;
}

/* A client's marks are in the midst of its messages: where a receipt will be due. */
static void think_of_mark(struct sm_channel *channel)
{
    uint64_t end = limit_below(channel->out.queued);
    if (end > channel->line.marked && end > channel->out.sent)
        sm_line_marked(&channel->line, end);
}

/* A message was queued, or a mark answered. A failure is the channel's own. */
void sm_channel_line_queued(struct sm_channel *channel)
{
    if (!channel->has_line || channel->status != SM_OK)
        return;
    sm_line_queued(&channel->line, channel->out.queued);
    if (!sm_line_wants_mark(&channel->line))
        return;
    if (channel->config.role == SM_CHANNEL_CLIENT)
        think_of_mark(channel);
    else
        (void)send_mark(channel);
}

void sm_channel_line_answered(struct sm_channel *channel, uint32_t id, uint64_t timestamp)
{
    if (!channel->has_line || id != MARK_ID)
        return;
    uint64_t heard = channel->pinger.received;
    sm_line_heard(&channel->line, heard - channel->line_heard > MUCH_BYTES, channel->now_us);
    channel->line_heard = heard;
    sm_line_answered(&channel->line, timestamp, channel->now_us);
    sm_channel_line_queued(channel);
}

static enum sm_status send_receipt(struct sm_channel *channel)
{
    uint64_t received = channel->pinger.received;
    uint8_t time[TIME_SIZE];
    for (unsigned i = 0; i < TIME_SIZE; i++)
        time[i] = (uint8_t)(channel->now_us >> 8 * i);
    channel->receipts.told = limit_below(received);
    return sm_channel_send_base(
        channel, &(struct sm_base_msg){.type = SM_MSG_PING,
                                       .ping = {.id = RECEIPT_ID,
                                                .timestamp = received,
                                                .data = {.data = time, .size = sizeof(time)}}});
}

enum sm_status sm_channel_give_receipts(struct sm_channel *channel)
{
    if (channel->config.role != SM_CHANNEL_SERVER || channel->receipts.are_given)
        return SM_ERR_STATE;
    channel->receipts.are_given = true;
    return send_receipt(channel);
}

/* A client that does not read gets none, so that they are never what waits for it. */
void sm_channel_line_receipt_due(struct sm_channel *channel)
{
    if (!channel->receipts.are_given || channel->status != SM_OK ||
        limit_below(channel->pinger.received) == channel->receipts.told ||
        channel->migration.is_leaving || channel->migration.awaits_data ||
        sm_channel_is_full(channel))
        return;
    (void)send_receipt(channel); /* a failure is the channel's own */
}

/*
 * When it was by our clock that the server said so, had nothing held the receipt up on its way:
 * what comes down the line at the same time is no queue of ours. The clocks are as far apart as the
 * quickest receipt says, of the last minute since they may drift.
 */
static uint64_t time_of_receipt(struct sm_channel *channel, struct sm_bytes data)
{
    struct sm_channel_far_clock *clock = &channel->far_clock;
    if (data.size < TIME_SIZE)
        return channel->now_us;
    struct sm_reader r = sm_reader(data);
    uint64_t far_us = sm_get_le64(&r);
    int64_t ahead_us = (int64_t)(channel->now_us - far_us);
    if (channel->now_us >= clock->next_us) {
        clock->ahead_us[1] = clock->next_us ? clock->ahead_us[0] : ahead_us;
        clock->ahead_us[0] = ahead_us;
        clock->next_us = channel->now_us + FAR_CLOCK_US;
    }
    if (ahead_us < clock->ahead_us[0])
        clock->ahead_us[0] = ahead_us;
    int64_t least_us =
        clock->ahead_us[0] < clock->ahead_us[1] ? clock->ahead_us[0] : clock->ahead_us[1];
    return far_us + (uint64_t)least_us;
}

/* More than was sent has not arrived, whatever the server says. */
bool sm_channel_line_pinged(struct sm_channel *channel, const struct sm_msg_ping *ping)
{
    struct sm_line *line = &channel->line;
    if (ping->id != RECEIPT_ID)
        return ping->id == MARK_ID;
    if (ping->timestamp > channel->out.sent)
        return true;
    if (!channel->has_line) {
        sm_line_init(line, 0, 0);
        sm_line_queued(line, channel->out.queued);
        sm_line_left(line, channel->out.sent, channel->now_us);
        line->has_answers = true;
        channel->has_line = true;
        channel->far_clock.next_us = 0;
    }
    uint64_t told_us = time_of_receipt(channel, ping->data);
    sm_line_held_up(line, channel->now_us - told_us);
    sm_line_arrived(line, ping->timestamp, told_us);
    return true;
}

size_t sm_channel_room(const struct sm_channel *channel)
{
    if (sm_channel_is_full(channel))
        return 0;
    if (!channel->has_line)
        return SIZE_MAX;
    return (size_t)sm_min_u64(sm_line_room(&channel->line, channel->now_us), SIZE_MAX);
}

void sm_channel_starved(struct sm_channel *channel)
{
    if (channel->has_line)
        sm_line_starved(&channel->line);
}
