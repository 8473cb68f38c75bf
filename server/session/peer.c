/* SPDX-License-Identifier: MIT */
#include "server/session/peer.h"

#include <stdlib.h>

#include "server/session/internal.h"

struct sm_peer {
    struct sm_server *server;
    void *host_peer; /* the host's */
    struct sm_peer_info info;
    unsigned raised, told; /* bits 1 << event */
    bool *is_gone;         /* of the innermost tell() on the stack; set when the peer is freed */
    struct sm_main_task task;
};

/*
 * Tells what has been raised and not been told; may free the peer. The host may end the whole
 * server inside its function: then the rest is told, and the peer freed, further up the stack.
 */
static void tell(void *opaque)
{
    struct sm_peer *peer = opaque;
    const struct sm_server_host_ops *host = peer->server->host;
    void *context = peer->server->host_context; /* the server may be gone when we need it */
    bool is_gone = false, *outer = peer->is_gone;
    peer->is_gone = &is_gone;
    for (enum sm_peer_event event = SM_PEER_CONNECTED; event <= SM_PEER_DISCONNECTED; event++) {
        unsigned bit = 1U << event;
        if (!(peer->raised & bit) || (peer->told & bit))
            continue;
        peer->told |= bit;
        static const struct sm_peer_info unknown;
        const struct sm_peer_info *info = event == SM_PEER_CONNECTED ? &unknown : &peer->info;
        if (host && host->peer_event && peer->host_peer)
            host->peer_event(context, peer->host_peer, event, info);
        if (is_gone) {
            if (outer)
                *outer = true;
            return;
        }
    }
    peer->is_gone = outer;
    if (!(peer->told & (1U << SM_PEER_DISCONNECTED)))
        return;
    if (host && host->peer_destroy && peer->host_peer)
        host->peer_destroy(context, peer->host_peer);
    if (outer)
        *outer = true;
    free(peer);
}

/* Never told at once, not even on the main thread: nothing of us is on the stack when the host
 * hears of it, so it may do anything. */
static void raise_event(struct sm_peer *peer, enum sm_peer_event event)
{
    peer->raised |= 1U << event;
    sm_main_queue_post_task(peer->server->queue, &peer->task);
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
