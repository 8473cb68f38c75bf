/* SPDX-License-Identifier: MIT */
#include "server/session/connection.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/pump.h"
#include "io/tls.h"
#include "io/websocket.h"
#include "server/session/connection_internal.h"
#include "server/session/figures.h"
#include "server/session/log.h"
#include "server/session/peer.h"
#include "server/session/view_password.h"

enum {
    MAX_HALF_OPEN = 64, /* strangers at the door of one server */
};

bool sm_connection_may_complain(struct sm_connection *connection)
{
    return sm_log_limit_allows(&connection->server->link_complaints, sm_now_us());
}

void sm_connection_leave_link_phase(struct sm_connection *connection)
{
    if (!connection->is_linking)
        return;
    connection->is_linking = false;
    connection->server->connection_count--;
    sm_list_remove(&connection->link);
}

/* A client that was refused is let go when it has been told, if it was told anything. */
static void let_go(struct sm_connection *connection)
{
    struct sm_machine machine = sm_link_server_machine(connection->phase);
    struct sm_bytes last_words;
    /* They fit into an idle socket; from one that is full nobody reads. */
    while ((last_words = sm_machine_pending(machine)).size) {
        size_t put = 0;
        if (sm_transport_write(sm_pump_transport(connection->pump), last_words, &put))
            break;
        sm_machine_sent(machine, put, sm_now_us());
    }
    sm_connection_destroy(connection);
}

/* ---- the pump's calls ---- */

static void on_activity(void *opaque)
{
    struct sm_connection *connection = opaque;
    struct sm_link_server_event event;
    enum sm_status status = SM_OK;
    while (!status && sm_link_server_next(connection->phase, &event))
        status = sm_connection_answer(connection, &event);
    sm_connection_proceed(connection, status);
}

void sm_connection_proceed(struct sm_connection *connection, enum sm_status status)
{
    if (!status && sm_sasl_login_is_accepted(connection->sasl) &&
        sm_machine_pending(sm_link_server_machine(connection->phase)).size == 0)
        status = sm_connection_accepted(connection);
    if (status || connection->is_refused)
        let_go(connection);
    else if (sm_link_server_is_done(connection->phase))
        sm_connection_hand_over(connection);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_connection *connection = opaque;
    const struct sm_log *log = connection->server->log;
    enum sm_tls_failure tls =
        connection->tls ? sm_tls_transport_failure(connection->tls) : SM_TLS_OK;
    if (tls != SM_TLS_OK && sm_connection_may_complain(connection))
        sm_say(log, SM_LOG_WARNING, "SSL_accept failed, error=%d: %s", (int)tls, reason);
    else if (status != SM_ERR_IO && sm_connection_may_complain(connection))
        sm_say(log, SM_LOG_WARNING, "a client failed to link: %s", reason);
    sm_connection_destroy(connection);
}

/* ---- life ---- */

/* What a connection is made of: each filter owns the one below. */
struct stack {
    struct sm_transport *top; /* finds out whether the client speaks WebSocket */
    struct sm_transport *tls; /* NULL: none */
};

/* A stack on `fd`, which is taken whatever comes of it. */
static enum sm_status make_stack(struct stack *out, struct sm_server *server, int fd, bool is_tls)
{
    struct sm_transport *top = NULL, *tls = NULL, *lower;
    enum sm_status status = sm_socket_transport(&top, fd);
    if (status) {
        close(fd);
        return status;
    }
    if (is_tls) {
        lower = top;
        status = sm_tls_transport_server(&tls, server->tls, lower);
        top = status ? lower : tls;
    }
    if (!status) {
        lower = top;
        status = sm_websocket_transport_server(&top, lower);
    }
    if (status) {
        sm_transport_destroy(top);
        return status;
    }
    *out = (struct stack){.top = top, .tls = tls};
    return SM_OK;
}

/* Begins the link phase on `stack`, which is taken on SM_OK; with `skip_auth` any password will do.
 */
static enum sm_status start(struct sm_server *server, const struct stack *stack, bool skip_auth)
{
    static const struct sm_pump_callbacks callbacks = {
        .on_activity = on_activity,
        .on_closed = on_closed,
    };
    struct sm_connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return SM_ERR_NOMEM;
    *connection = (struct sm_connection){
        .server = server,
        .skip_auth = skip_auth,
        .tls = stack->tls,
        .is_secure = stack->top->is_secure,
        .is_unix = stack->top->is_unix,
        .address = sm_door_address_of(stack->top->fd),
        .closed_task = {.func = sm_connection_on_closed_task, .opaque = connection},
        .resumed_task = {.func = sm_connection_on_resumed_task, .opaque = connection},
    };
    sm_list_init(&connection->link);
    sm_socket_peer_place(stack->top->fd, connection->place);
    connection->has_sasl = server->uses_sasl;
    struct sm_link_server_config config = {
        .has_sasl = connection->has_sasl,
        .is_authenticated = skip_auth,
    };
    enum sm_status status = sm_link_server_create(&connection->phase, &config, sm_now_us());
    if (!status)
        status = sm_pump_create(&connection->pump, server->loop, stack->top,
                                sm_link_server_machine(connection->phase), (struct sm_bytes){0},
                                &callbacks, connection);
    if (status) {
        sm_connection_destroy(connection);
        return status;
    }
    connection->is_linking = true;
    server->connection_count++;
    sm_list_append(&server->connections, &connection->link);
    connection->peer = sm_peer_create(server, stack->top->fd);
    return SM_OK;
}

static unsigned count_of(struct sm_server *server, const struct sm_door_address *address)
{
    unsigned count = 0;
    SM_LIST_FOR (link, &server->connections)
        count += sm_door_address_equal(&sm_connection_of(link)->address, address);
    return count;
}

/*
 * The door is full: the address that takes the most room loses the one that has been there longest.
 * So who only comes to keep others out makes room for them.
 */
static void make_room(struct sm_server *server)
{
    struct sm_connection *victim = NULL;
    unsigned most = 0;
    SM_LIST_FOR (link, &server->connections) {
        struct sm_connection *connection = sm_connection_of(link);
        unsigned count = count_of(server, &connection->address);
        if (count > most) {
            most = count;
            victim = connection;
        }
    }
    if (sm_log_limit_allows(&server->link_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING,
               "%d connections are in their link phase: the oldest of the address that has the "
               "most (%u) makes room",
               MAX_HALF_OPEN, most);
    sm_connection_destroy(victim);
}

void sm_connection_accept(struct sm_server *server, int fd, bool is_tls)
{
    struct stack stack;
    struct sm_door_address address = sm_door_address_of(fd);
    if (!sm_door_knock(&server->door, &address, sm_now_us())) {
        if (sm_log_limit_allows(&server->link_complaints, sm_now_us()))
            sm_say(server->log, SM_LOG_WARNING,
                   "too many connections, or failed log-ins, of one address or of all: a further "
                   "one is refused");
        close(fd);
        return;
    }
    if (server->connection_count >= MAX_HALF_OPEN)
        make_room(server);
    enum sm_status status = make_stack(&stack, server, fd, is_tls);
    if (!status) {
        status = start(server, &stack, false);
        if (status)
            sm_transport_destroy(stack.top);
    }
    if (status && sm_log_limit_allows(&server->link_complaints, sm_now_us()))
        sm_say(server->log, SM_LOG_WARNING, "a connection could not be served: %s",
               sm_status_name(status));
}

enum sm_status sm_connection_adopt(struct sm_server *server, int fd, bool is_tls, bool skip_auth)
{
    /* On a duplicate, so that a socket that turns out to be dead is still the caller's. */
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own_fd < 0)
        return SM_ERR_IO;
    struct stack stack;
    enum sm_status status = make_stack(&stack, server, own_fd, is_tls);
    if (status)
        return status;
    if (stack.tls && sm_tls_transport_handshake(stack.tls) < 0) {
        sm_say(server->log, SM_LOG_WARNING, "SSL_accept failed, error=%d: %s",
               (int)sm_tls_transport_failure(stack.tls), sm_transport_reason(stack.tls));
        status = SM_ERR_IO;
    }
    if (!status)
        status = start(server, &stack, skip_auth);
    if (status) {
        sm_transport_destroy(stack.top);
        return status;
    }
    close(fd);
    return SM_OK;
}

void sm_connection_destroy(struct sm_connection *connection)
{
    if (connection->has_tried) /* also who goes before it hears what came of it */
        sm_connection_count_failure(connection);
    sm_connection_leave_link_phase(connection);
    sm_main_queue_cancel_task(connection->server->queue, &connection->closed_task);
    sm_main_queue_cancel_task(connection->server->queue, &connection->resumed_task);
    sm_list_remove(&connection->link);
    sm_pump_destroy(connection->pump);
    sm_link_server_destroy(connection->phase);
    sm_sasl_login_destroy(connection->sasl);
    sm_view_password_destroy(connection->asked);
    sm_link_key_unref(connection->key);
    sm_peer_disconnected(connection->peer);
    sm_figures_unref(connection->figures);
    free(connection);
}

void sm_connection_destroy_all(struct sm_server *server)
{
    SM_LIST_FOR (link, &server->connections)
        sm_connection_destroy(sm_connection_of(link));
}

/* ---- for the session ---- */

struct sm_connection *sm_connection_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_connection, link);
}

uint8_t sm_connection_channel_type(const struct sm_connection *connection)
{
    return connection->channel_type;
}

uint8_t sm_connection_channel_id(const struct sm_connection *connection)
{
    return connection->channel_id;
}

void sm_connection_join(struct sm_connection *connection, struct sm_session *session,
                        struct sm_list *list)
{
    connection->session = session;
    sm_list_append(list, &connection->link);
}

void sm_connection_orphan(struct sm_connection *connection)
{
    connection->session = NULL;
    sm_list_remove(&connection->link);
}

void sm_connection_await_data(struct sm_connection *connection)
{
    connection->awaits_data = true;
}

bool sm_connection_awaits_data(const struct sm_connection *connection)
{
    return connection->awaits_data && !connection->is_closed;
}

bool sm_connection_is_closed(const struct sm_connection *connection)
{
    return connection->is_closed;
}

struct sm_connection_facts sm_connection_facts(const struct sm_connection *connection)
{
    return (struct sm_connection_facts){
        .channel_type = connection->channel_type,
        .channel_id = connection->channel_id,
        .is_secure = connection->is_secure,
        .place = connection->place,
        .linked_us = connection->linked_us,
        .figures = connection->figures,
    };
}
