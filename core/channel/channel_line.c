/* SPDX-License-Identifier: MIT */
/* Server: marks for the estimator, as pings between the messages. */
#include "core/channel/channel_private.h"

/*
 * The id of all marks; latency pings count from 1. Which one it is says the time stamp, which comes
 * back as it is: not a time, but the offset where the mark ends.
 */
static const uint32_t MARK_ID = 0x80000000;

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

/* A message was queued, or a mark answered. A failure is the channel's own. */
void sm_channel_line_queued(struct sm_channel *channel)
{
    if (!channel->has_line || channel->status != SM_OK)
        return;
    sm_line_queued(&channel->line, channel->out.queued);
    if (sm_line_wants_mark(&channel->line))
        (void)send_mark(channel);
}

void sm_channel_line_answered(struct sm_channel *channel, uint32_t id, uint64_t timestamp)
{
    if (!channel->has_line || id != MARK_ID)
        return;
    sm_line_answered(&channel->line, timestamp, channel->now_us);
    sm_channel_line_queued(channel);
}
