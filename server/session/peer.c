/* SPDX-License-Identifier: MIT */
#include "server/session/peer.h"

#include <stdlib.h>

#include "server/session/internal.h"

struct sm_peer {
    struct sm_server *server;
    void *host_peer; /* the host's */
    struct sm_peer_info info;
    unsigned raised, told; /* bits 1 << event */
    struct sm_main_task task;
};

/* Tells what has been raised and not been told; may free the peer. */
static void tell(void *opaque)
{
    struct sm_peer *peer = opaque;
    struct sm_server *server = peer->server;
    const struct sm_server_host_ops *host = server->host;
    for (enum sm_peer_event event = SM_PEER_CONNECTED; event <= SM_PEER_DISCONNECTED; event++) {
        unsigned bit = 1U << event;
        if (!(peer->raised & bit) || (peer->told & bit))
            continue;
        peer->told |= bit;
        if (host && host->peer_event && peer->host_peer)
            host->peer_event(server->host_context, peer->host_peer, event, &peer->info);
    }
    if (!(peer->told & (1U << SM_PEER_DISCONNECTED)))
        return;
    if (host && host->peer_destroy && peer->host_peer)
        host->peer_destroy(server->host_context, peer->host_peer);
    free(peer);
}

static void raise_event(struct sm_peer *peer, enum sm_peer_event event)
{
    struct sm_main_queue *queue = peer->server->queue;
    peer->raised |= 1U << event;
    if (!sm_main_queue_is_main_thread(queue)) {
        sm_main_queue_post_task(queue, &peer->task);
        return;
    }
    sm_main_queue_cancel_task(queue, &peer->task);
    tell(peer);
}

struct sm_peer *sm_peer_create(struct sm_server *server, int fd)
{
    struct sm_peer *peer = calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    peer->server = server;
    peer->task = (struct sm_main_task){.func = tell, .opaque = peer};
    if (server->host && server->host->peer_create)
        peer->host_peer = server->host->peer_create(server->host_context, fd);
    raise_event(peer, SM_PEER_CONNECTED);
    return peer;
}

void sm_peer_initialized(struct sm_peer *peer, const struct sm_peer_info *info)
{
    if (!peer)
        return;
    peer->info = *info;
    raise_event(peer, SM_PEER_INITIALIZED);
}

void sm_peer_disconnected(struct sm_peer *peer)
{
    if (peer)
        raise_event(peer, SM_PEER_DISCONNECTED);
}
