/* SPDX-License-Identifier: MIT */
/* One connection of a channel: connecting, the link phase, then pumping until its end. */
#ifndef SM_CLIENT_CHANNEL_LINK_H
#define SM_CLIENT_CHANNEL_LINK_H

#include "client/channel_thread.h"

/** The channel's thread: one connection from its beginning to its end; then `error` says why. */
void sm_client_channel_live(struct sm_client_channel *channel, bool is_secure);

/** The channel's thread: this connection is over, whatever the reason. */
void sm_client_channel_end(struct sm_client_channel *channel);

/** When all is sent: tells the server that nothing more comes, and goes on reading. */
void sm_client_channel_half_close(struct sm_client_channel *channel);

/**
 * The channel's thread: its host has let it go, so it goes on with the link that waits for that.
 * Main is the last to go: a host that loses it may drop the others.
 */
void sm_client_channel_move(struct sm_client_channel *channel);

#endif
