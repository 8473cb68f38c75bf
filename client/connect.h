/* SPDX-License-Identifier: MIT */
/* From a target to a transport, blocking: for a channel's own thread. */
#ifndef SM_CLIENT_CONNECT_H
#define SM_CLIENT_CONNECT_H

#include "client/patience.h"
#include "client/reasons.h"
#include "io/transport.h"

struct sm_client_channel;

/**
 * Connects `channel` to its target: through the proxy, with TLS (whose handshake need not have
 * begun), with WebSocket, as its session and its target say. The channel's `attempt` is prepared.
 *
 * @return SM_OK; else `error` is filled
 */
SM_NODISCARD enum sm_status sm_connect(struct sm_transport **out,
                                       const struct sm_client_channel *channel,
                                       const struct sm_patience *patience, struct sm_error *error);

#endif
