/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/websocket.h"
#include "server/session/connection_internal.h"
#include "server/session/figures.h"
#include "server/session/handover.h"
#include "server/session/log.h"
#include "server/session/peer.h"
#include "server/session/session.h"
#include "server/session/view_password.h"

/* Any thread: the channel is done with the connection. */
static void on_handover_closed(void *opaque)
{
    struct sm_connection *connection = opaque;
    connection->is_closed = true;
    sm_main_queue_post_task(connection->server->queue, &connection->closed_task);
}

void sm_connection_on_closed_task(void *opaque)
{
    struct sm_connection *connection = opaque;
    struct sm_session *session = connection->session;
    sm_connection_destroy(connection);
    if (session)
        sm_session_check_channels(session);
}

/* Any thread: the channel has what the other server handed on. */
static void on_handover_resumed(void *opaque)
{
    struct sm_connection *connection = opaque;
    sm_main_queue_post_task(connection->server->queue, &connection->resumed_task);
}

void sm_connection_on_resumed_task(void *opaque)
{
    struct sm_connection *connection = opaque;
    connection->awaits_data = false;
    if (connection->session)
        sm_session_check_channels(connection->session);
}

/* Takes the connection apart into what a channel needs; NULL if out of memory. */
static struct sm_channel_handover *make_handover(struct sm_connection *connection)
{
    struct sm_channel_handover *handover = calloc(1, sizeof(*handover));
    if (!handover)
        return NULL;
    struct sm_bytes leading = sm_machine_pending(sm_link_server_machine(connection->phase));
    handover->leading = sm_memdup(leading.data, leading.size);
    if (!handover->leading) {
        free(handover);
        return NULL;
    }
    handover->leading_size = leading.size;
    handover->connection_id = connection->connection_id;
    handover->channel_type = connection->channel_type;
    handover->channel_id = connection->channel_id;
    handover->common_caps = connection->common_caps;
    handover->channel_caps = connection->channel_caps;
    handover->has_mini_header = sm_link_server_has_mini_header(connection->phase);
    handover->is_secure = connection->is_secure;
    handover->is_view_only = connection->is_view_only;
    memcpy(handover->user, connection->user, sizeof(handover->user));
    connection->figures = sm_figures_create();
    connection->linked_us = sm_now_us();
    if (connection->figures)
        handover->figures = sm_figures_ref(connection->figures);
    handover->transport =
        sm_pump_detach(connection->pump, &handover->leftover, &handover->leftover_size);
    handover->transport->meter = connection->figures ? &connection->figures->meter : NULL;
    /* Frames and blocks leave no place beside the stream for descriptors. */
    handover->is_unix = connection->is_unix && !connection->has_layer &&
                        !sm_websocket_transport_is_upgraded(handover->transport);
    handover->is_migrated = connection->is_migrated;
    handover->closed = on_handover_closed;
    handover->resumed = on_handover_resumed;
    handover->opaque = connection;
    connection->pump = NULL;
    connection->tls = NULL;
    return handover;
}

void sm_connection_hand_over(struct sm_connection *connection)
{
    struct sm_server *server = connection->server;
    struct sm_channel_handover *handover = make_handover(connection);
    if (!handover) {
        sm_connection_destroy(connection);
        return;
    }
    /* Where no password is asked for, to have got in says nothing. */
    if (server->ticket.is_on || server->uses_sasl)
        sm_door_welcomed(&server->door, &connection->address, sm_now_us());
    sm_connection_leave_link_phase(connection);
    sm_link_server_destroy(connection->phase);
    connection->phase = NULL;
    sm_sasl_login_destroy(connection->sasl);
    connection->sasl = NULL;
    sm_view_password_destroy(connection->asked);
    connection->asked = NULL;
    sm_link_key_unref(connection->key);
    connection->key = NULL;

    struct sm_peer_info info = {
        .connection_id = connection->connection_id,
        .channel_type = connection->channel_type,
        .channel_id = connection->channel_id,
        .is_secure = connection->is_secure,
    };
    sm_peer_initialized(connection->peer, &info);

    if (connection->channel_type == SM_CHANNEL_MAIN) {
        sm_session_open(server, connection, handover);
        return;
    }
    struct sm_session *session = sm_session_find(server, connection->connection_id);
    struct sm_channel_offer *offer =
        sm_registry_find(&server->registry, connection->channel_type, connection->channel_id);
    if (!session || !offer ||
        sm_session_has_channel(session, connection->channel_type, connection->channel_id)) {
        if (sm_connection_may_complain(connection))
            sm_say(server->log, SM_LOG_WARNING, "channel %u:%u of this session is taken",
                   connection->channel_type, connection->channel_id);
        /* It was authenticated, and is told so; then it finds itself alone. */
        struct sm_bytes result = {.data = handover->leading, .size = handover->leading_size};
        size_t put;
        enum sm_status status = sm_transport_write(handover->transport, result, &put);
        (void)status;
        sm_channel_handover_destroy(handover);
        return;
    }
    sm_session_add(session, connection, offer, handover);
}
