/* SPDX-License-Identifier: MIT */
/* Server: round trips, the network test, signs of life. */
#include <stdlib.h>

#include "core/channel/channel_private.h"

static const uint64_t IDLE_US = 100000;

/* Body of the third ping of the network test, beside id and time. Source: docs/channel.md. */
enum { TEST_BYTES = 256000 };

void sm_channel_ping_init(struct sm_channel *channel)
{
    struct sm_channel_pinger *pinger = &channel->pinger;
    pinger->rtt_us = UINT64_MAX;
    pinger->next_id = 1;
    pinger->traffic_us = channel->now_us;
    pinger->next_us = UINT64_MAX;
    pinger->check_us = UINT64_MAX;
    if (channel->config.role != SM_CHANNEL_SERVER)
        return;
    if (channel->config.ping_interval_us)
        pinger->next_us = channel->now_us + IDLE_US;
    if (channel->config.liveness_us)
        pinger->check_us = channel->now_us + channel->config.liveness_us;
}

static bool is_waiting(const struct sm_channel *channel)
{
    return sm_channel_pending_size(channel) > 0 || channel->pinger.count > 0;
}

static uint64_t moved(const struct sm_channel *channel)
{
    return channel->pinger.received + channel->out.sent;
}

/* Bytes went out, or `received` of them came in, at channel->now_us. */
void sm_channel_ping_moved(struct sm_channel *channel, size_t received)
{
    struct sm_channel_pinger *pinger = &channel->pinger;
    pinger->traffic_us = channel->now_us;
    pinger->received += received;
    for (unsigned i = 0; i < pinger->count; i++) {
        struct sm_channel_ping *ping = &pinger->pings[i];
        if (!ping->is_started && channel->out.sent > ping->start) {
            ping->is_started = true;
            ping->started_us = channel->now_us;
        }
        if (!ping->is_ended && channel->out.sent >= ping->end) {
            ping->is_ended = true;
            ping->ended_us = channel->now_us;
        }
    }
}

static enum sm_status send_ping(struct sm_channel *channel, uint32_t id, uint64_t timestamp,
                                struct sm_bytes data)
{
    uint64_t start = channel->out.queued;
    enum sm_status status = sm_channel_send_base(
        channel, &(struct sm_base_msg){.type = SM_MSG_PING,
                                       .ping = {.id = id, .timestamp = timestamp, .data = data}});
    if (status != SM_OK)
        return status;
    struct sm_channel_pinger *pinger = &channel->pinger;
    pinger->pings[pinger->count++] =
        (struct sm_channel_ping){.id = id, .start = start, .end = channel->out.queued};
    return SM_OK;
}

enum sm_status sm_channel_start_net_test(struct sm_channel *channel)
{
    struct sm_channel_pinger *pinger = &channel->pinger;
    if (channel->config.role != SM_CHANNEL_SERVER || pinger->is_testing || pinger->test.is_done ||
        pinger->count > 0)
        return SM_ERR_STATE;
    uint8_t *zeros = calloc(1, TEST_BYTES);
    if (!zeros)
        return SM_ERR_NOMEM;
    pinger->is_testing = true;
    enum sm_status status = SM_OK;
    for (uint32_t id = 1; id <= 3 && status == SM_OK; id++) {
        struct sm_bytes data = {.data = zeros, .size = id == 3 ? TEST_BYTES : 0};
        status = send_ping(channel, id, channel->now_us, data);
    }
    free(zeros);
    return status;
}

struct sm_channel_net_test sm_channel_net_test(const struct sm_channel *channel)
{
    return channel->pinger.test;
}

/* The pongs of the test are all here. */
static void finish_test(struct sm_channel_pinger *pinger)
{
    const uint64_t *rtts = pinger->test_rtts_us;
    uint64_t latency = rtts[0] < rtts[1] ? rtts[0] : rtts[1];
    uint64_t extra = rtts[2] > latency ? rtts[2] - latency : 0;
    pinger->is_testing = false;
    pinger->rtt_us = latency;
    pinger->test = (struct sm_channel_net_test){
        .is_done = true,
        .latency_us = latency,
        .bits_per_second = extra ? TEST_BYTES * 8 * 1000000ull / extra : 0,
    };
}

static void forget_first(struct sm_channel_pinger *pinger)
{
    pinger->count--;
    for (unsigned i = 0; i < pinger->count; i++)
        pinger->pings[i] = pinger->pings[i + 1];
}

/* A pong; one that answers no ping of ours, or one not sent yet, means nothing. */
void sm_channel_ping_ponged(struct sm_channel *channel, uint32_t id)
{
    struct sm_channel_pinger *pinger = &channel->pinger;
    if (pinger->count == 0 || pinger->pings[0].id != id || !pinger->pings[0].is_ended)
        return;
    struct sm_channel_ping ping = pinger->pings[0];
    forget_first(pinger);
    uint64_t now = channel->now_us;
    if (pinger->is_testing) {
        /* the large one has a beginning that counts: its size is what is measured */
        pinger->test_rtts_us[pinger->test_pongs++] = now - ping.started_us;
        if (pinger->count == 0)
            finish_test(pinger);
    } else if (pinger->count == 0) {
        pinger->rtt_us = now - ping.ended_us; /* the second of a pair: the first woke the line */
        if (channel->has_line)
            sm_line_saw_rtt(&channel->line, pinger->rtt_us, now);
    }
    if (pinger->count == 0 && channel->config.ping_interval_us)
        pinger->next_us = now + channel->config.ping_interval_us;
}

uint64_t sm_channel_rtt_us(const struct sm_channel *channel)
{
    return channel->pinger.rtt_us;
}

uint64_t sm_channel_ping_deadline(const struct sm_channel *channel)
{
    const struct sm_channel_pinger *pinger = &channel->pinger;
    if (pinger->is_paused)
        return UINT64_MAX;
    uint64_t next = pinger->count > 0 ? UINT64_MAX : pinger->next_us;
    return next < pinger->check_us ? next : pinger->check_us;
}

void sm_channel_pause_pings(struct sm_channel *channel)
{
    channel->pinger.is_paused = true;
}

void sm_channel_resume_pings(struct sm_channel *channel)
{
    struct sm_channel_pinger *pinger = &channel->pinger;
    if (!pinger->is_paused || channel->migration.is_leaving)
        return;
    pinger->is_paused = false;
    if (channel->config.ping_interval_us && pinger->count == 0)
        pinger->next_us = channel->now_us + IDLE_US;
    if (channel->config.liveness_us)
        pinger->check_us = channel->now_us + channel->config.liveness_us;
}

static enum sm_status check_life(struct sm_channel *channel)
{
    struct sm_channel_pinger *pinger = &channel->pinger;
    bool is_still = moved(channel) == pinger->check_moved;
    bool waits = is_waiting(channel);
    if (waits && pinger->check_was_waiting && is_still)
        return sm_channel_fail(channel, SM_ERR_IO, "has been unresponsive for more than 30000 ms");
    pinger->check_was_waiting = waits;
    pinger->check_moved = moved(channel);
    pinger->check_us = channel->now_us + channel->config.liveness_us;
    return SM_OK;
}

enum sm_status sm_channel_ping_tick(struct sm_channel *channel)
{
    struct sm_channel_pinger *pinger = &channel->pinger;
    if (pinger->is_paused)
        return SM_OK;
    if (channel->now_us >= pinger->check_us) {
        enum sm_status status = check_life(channel);
        if (status != SM_OK)
            return status;
    }
    if (pinger->count > 0 || channel->now_us < pinger->next_us)
        return SM_OK;
    bool is_idle =
        sm_channel_pending_size(channel) == 0 && channel->now_us - pinger->traffic_us >= IDLE_US;
    if (!is_idle) {
        pinger->next_us = channel->now_us + IDLE_US;
        return SM_OK;
    }
    uint32_t id = pinger->next_id++;
    uint64_t timestamp_ns = channel->now_us * 1000;
    enum sm_status status = send_ping(channel, id, timestamp_ns, (struct sm_bytes){0});
    if (status == SM_OK)
        status = send_ping(channel, id, timestamp_ns, (struct sm_bytes){0});
    return status;
}
