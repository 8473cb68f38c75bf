/* SPDX-License-Identifier: MIT */
#include "server/display/peer_flow.h"

#include "core/channel/channel.h"
#include "io/tcp_figures.h"

enum {
    MAX_PIECE_PX = 256 << 10, /* about 20 ms of encoding at most */
    MIN_PIECE_PX = 16 << 10,  /* below, images are mostly beginnings */
    PIECE_US = 20 * 1000,     /* that a piece takes on the line */
    MANY_PIECES = 4,
    SECOND_US = 1000 * 1000,
    /* A line is slow below the first rate, and no more above the second. Bytes a second. */
    SLOW_RATE = 10 * 1024 * 1024 / 8,
    FAST_RATE = 13 * 1024 * 1024 / 8,
    MEMORY_PX = 4 << 20, /* so many pixels say how many bytes a pixel becomes */
    /* Of a socket: as the estimator has it for those who answer (core/channel/line.c). */
    SOCKET_QUEUE_US = 25 * 1000,
    SOCKET_LEAST_BYTES = 64 << 10,
    SOCKET_MOST_BYTES = 16 << 20,
};

void sm_peer_flow_init(struct sm_peer_flow *flow, struct sm_channel *channel, bool is_slow)
{
    *flow = (struct sm_peer_flow){.channel = channel, .is_slow = is_slow, .socket = -1};
}

void sm_peer_flow_set_socket(struct sm_peer_flow *flow, int fd)
{
    flow->socket = fd;
}

size_t sm_peer_flow_socket_room(const struct sm_tcp_figures *figures)
{
    uint64_t us = figures->min_rtt_us + SOCKET_QUEUE_US, rate = figures->bytes_per_second;
    uint64_t budget = SOCKET_LEAST_BYTES;
    if (figures->min_rtt_us > 0 && rate > 0)
        budget = rate < UINT64_MAX / us ? rate * us / SECOND_US : SOCKET_MOST_BYTES;
    if (budget < SOCKET_LEAST_BYTES)
        budget = SOCKET_LEAST_BYTES;
    if (budget > SOCKET_MOST_BYTES)
        budget = SOCKET_MOST_BYTES;
    return figures->queued_bytes < budget ? (size_t)(budget - figures->queued_bytes) : 0;
}

/* As the kernel sees it; everything if it does not. */
static uint64_t room_of_socket(struct sm_peer_flow *flow)
{
    struct sm_tcp_figures figures;
    flow->is_socket_full = false;
    if (flow->socket < 0 || !sm_tcp_figures_read(&figures, flow->socket))
        return UINT64_MAX;
    size_t room = sm_peer_flow_socket_room(&figures);
    flow->is_socket_full = room == 0;
    return room;
}

size_t sm_peer_flow_room(struct sm_peer_flow *flow, size_t made_bytes, uint64_t now_us)
{
    size_t waiting = sm_channel_pending_size(flow->channel) + made_bytes;
    size_t room = waiting < SM_PEER_LOW_WATER_BYTES ? SM_PEER_LOW_WATER_BYTES - waiting : 0;
    const struct sm_line *line = sm_channel_line(flow->channel);
    flow->is_socket_full = false; /* of a line that answers, its own figures tell */
    if (!line)
        return room;
    uint64_t more = sm_line_is_mute(line) ? room_of_socket(flow) : sm_line_room(line, now_us);
    more = more > made_bytes ? more - made_bytes : 0;
    return more < room ? (size_t)more : room;
}

void sm_peer_flow_starved(struct sm_peer_flow *flow)
{
    struct sm_line *line = sm_channel_line(flow->channel);
    if (line)
        sm_line_starved(line);
}

void sm_peer_flow_note(struct sm_peer_flow *flow, uint64_t pixels, uint64_t bytes)
{
    if (flow->made_px > MEMORY_PX) {
        flow->made_px /= 2;
        flow->made_bytes /= 2;
    }
    flow->made_px += pixels;
    flow->made_bytes += bytes;
}

uint64_t sm_peer_flow_rate(const struct sm_peer_flow *flow)
{
    const struct sm_line *line = sm_channel_line(flow->channel);
    return line ? sm_line_bytes_per_second(line) : 0;
}

bool sm_peer_flow_is_slow(struct sm_peer_flow *flow)
{
    const struct sm_line *line = sm_channel_line(flow->channel);
    if (line && sm_line_is_measured(line))
        flow->is_slow = sm_line_bytes_per_second(line) < (flow->is_slow ? FAST_RATE : SLOW_RATE);
    return flow->is_slow;
}

/* Pixels that take `us` on the line, as pixels were lately. */
static uint64_t pixels_in(const struct sm_peer_flow *flow, uint64_t us)
{
    uint64_t bytes = sm_peer_flow_rate(flow) * us / SECOND_US;
    if (bytes == 0 || flow->made_bytes == 0)
        return UINT64_MAX;
    return bytes * flow->made_px / flow->made_bytes;
}

uint32_t sm_peer_flow_piece_px(const struct sm_peer_flow *flow)
{
    uint64_t pixels = pixels_in(flow, PIECE_US);
    if (pixels < MIN_PIECE_PX)
        return MIN_PIECE_PX;
    return pixels < MAX_PIECE_PX ? (uint32_t)pixels : MAX_PIECE_PX;
}

bool sm_peer_flow_is_too_large(const struct sm_peer_flow *flow, uint64_t pixels)
{
    return pixels > MIN_PIECE_PX && pixels > pixels_in(flow, MANY_PIECES * PIECE_US);
}
