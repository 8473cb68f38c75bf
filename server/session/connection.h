/* SPDX-License-Identifier: MIT */
/*
 * One connection of a client, from the accepted socket through the link phase to its channel, and
 * on until the channel has ended it.
 */
#ifndef SM_SERVER_SESSION_CONNECTION_H
#define SM_SERVER_SESSION_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "server/session/main_queue.h"
#include "sumac/status.h"

struct sm_channel_handover;
struct sm_connection;
struct sm_figures;
struct sm_server;
struct sm_session;

/** Serves the accepted socket `fd`, which is taken; what goes wrong is logged. */
void sm_connection_accept(struct sm_server *server, int fd, bool is_tls);

/**
 * Serves a socket of the host's.
 *
 * @param fd         taken on SM_OK
 * @param skip_auth  any password will do
 * @return SM_OK; SM_ERR_IO if the socket, or TLS on it, is dead; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_connection_adopt(struct sm_server *server, int fd, bool is_tls,
                                                bool skip_auth);

/** Ends a connection in its link phase, or what is left of a closed one. */
void sm_connection_destroy(struct sm_connection *connection);

/** Ends all connections in their link phase. */
void sm_connection_destroy_all(struct sm_server *server);

/* For server/session/session.c: connections behind the link phase. */

/** The connection that `link` holds in its session's list. */
struct sm_connection *sm_connection_of(struct sm_list *link);

uint8_t sm_connection_channel_type(const struct sm_connection *connection);
uint8_t sm_connection_channel_id(const struct sm_connection *connection);

/** What administrators may know of it; all borrowed. */
struct sm_connection_facts {
    uint8_t channel_type, channel_id;
    bool is_secure;
    const char *place;                /* it comes from, "address:port" or "local" */
    uint64_t linked_us;               /* when it was let in */
    const struct sm_figures *figures; /* may be NULL */
};

struct sm_connection_facts sm_connection_facts(const struct sm_connection *connection);

/** Puts the connection into a session's list. */
void sm_connection_join(struct sm_connection *connection, struct sm_session *session,
                        struct sm_list *list);

/** Out of its session, which goes away; the connection frees itself when its channel closes it. */
void sm_connection_orphan(struct sm_connection *connection);

/** It comes from another server: it counts as awaited until its data are there, or it is gone. */
void sm_connection_await_data(struct sm_connection *connection);
bool sm_connection_awaits_data(const struct sm_connection *connection);

/** True if its channel has closed it already, so that it only waits to be destroyed. */
bool sm_connection_is_closed(const struct sm_connection *connection);

#endif
