/* SPDX-License-Identifier: MIT */
#include "server/display/peer_flow.h"

#include "core/channel/channel.h"

enum { PIECE_PIXELS = 256 << 10 }; /* about 20 ms of encoding at most */

void sm_peer_flow_init(struct sm_peer_flow *flow, const struct sm_channel *channel)
{
    *flow = (struct sm_peer_flow){.channel = channel};
}

size_t sm_peer_flow_room(struct sm_peer_flow *flow, size_t made_bytes, uint64_t now_us)
{
    (void)now_us;
    size_t waiting = sm_channel_pending_size(flow->channel) + made_bytes;
    return waiting < SM_PEER_LOW_WATER_BYTES ? SM_PEER_LOW_WATER_BYTES - waiting : 0;
}

uint64_t sm_peer_flow_rate(const struct sm_peer_flow *flow)
{
    (void)flow;
    return 0;
}

uint32_t sm_peer_flow_piece_px(const struct sm_peer_flow *flow)
{
    (void)flow;
    return PIECE_PIXELS;
}
