/* SPDX-License-Identifier: MIT */
/* What the host is told of a connection: each event once, in order, on the main thread. */
#ifndef SM_SERVER_SESSION_PEER_H
#define SM_SERVER_SESSION_PEER_H

#include "server/session/server.h"

struct sm_peer;

/**
 * Tells the host that a connection was accepted on `fd`.
 *
 * @return NULL if out of memory; the functions below take that for a host that hears nothing
 */
struct sm_peer *sm_peer_create(struct sm_server *server, int fd);

/** The connection is authenticated. */
void sm_peer_initialized(struct sm_peer *peer, const struct sm_peer_info *info);

/** The connection is gone; frees `peer` as soon as the host knows. */
void sm_peer_disconnected(struct sm_peer *peer);

#endif
