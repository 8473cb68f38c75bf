/* SPDX-License-Identifier: MIT */
#include "server/session/connection.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/channel/link_server.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/sasl.h"
#include "io/socket.h"
#include "io/tls.h"
#include "io/websocket.h"
#include "server/session/figures.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/peer.h"
#include "server/session/people.h"
#include "server/session/sasl_login.h"
#include "server/session/session.h"

enum {
    MAX_HALF_OPEN = 64, /* strangers at the door of one server */
};

struct sm_connection {
    struct sm_server *server;
    struct sm_list link; /* of the server while linking, then of the session */
    struct sm_peer *peer;
    struct sm_pump *pump;         /* owned; NULL behind the link phase */
    struct sm_link_server *phase; /* owned; likewise */
    struct sm_link_key *key;      /* a reference; likewise */
    struct sm_transport *tls;     /* the pump's, below WebSocket; NULL: none, or behind the phase */
    struct sm_sasl_login sasl;    /* while linking */
    bool has_sasl;                /* in place of tickets */
    bool has_layer;               /* SASL protects the stream */
    bool skip_auth, is_secure, is_unix;
    bool is_view_only; /* its password is the one for looking */
    bool is_linking;   /* counts as half open */
    bool is_refused;   /* and knows it once what is pending is written */
    bool is_migrated;  /* a main channel that began at another server */
    struct sm_door_address address;

    /* what the client said in its hello */
    uint32_t connection_id;
    uint8_t channel_type, channel_id;
    uint32_t common_caps, channel_caps;

    struct sm_session *session; /* NULL: none yet, or gone */
    char place[SM_SOCKET_PLACE_MAX];
    struct sm_figures *figures; /* a reference; NULL: not linked yet, or no memory */
    uint64_t linked_us;
    struct sm_main_task closed_task, resumed_task;
    atomic_bool is_closed; /* set on any thread */
    bool awaits_data;
};

/* Whether one more line about strangers may be written: they may not fill the log. */
static bool may_complain(struct sm_connection *connection)
{
    return sm_log_limit_allows(&connection->server->link_complaints, sm_now_us());
}

/* Somebody tried to log in and failed: the next tries come later. */
static void count_failure(struct sm_connection *connection)
{
    connection->server->failed_logins++;
    sm_door_failed(&connection->server->door, &connection->address, sm_now_us());
}

/* ---- the answers of the link phase ---- */

static unsigned security_of(const struct sm_server *server, uint8_t channel_type)
{
    unsigned mask = channel_type < SM_CHANNEL_TYPE_END ? server->security[channel_type] : 0;
    return mask ? mask : server->default_security;
}

/* Takes the channel's capabilities; false if there is no such channel. */
static bool find_channel(struct sm_connection *connection, uint32_t *caps)
{
    if (connection->channel_type == SM_CHANNEL_MAIN) {
        connection->channel_id = 0; /* whatever was asked for: there is one */
        *caps = SM_MAIN_CHANNEL_CAPS;
        return true;
    }
    const struct sm_channel_offer *offer = sm_registry_find(
        &connection->server->registry, connection->channel_type, connection->channel_id);
    if (!offer)
        return false;
    *caps = offer->caps;
    return true;
}

static enum sm_status on_hello(struct sm_connection *connection,
                               const struct sm_link_server_event *event)
{
    struct sm_server *server = connection->server;
    connection->connection_id = event->connection_id;
    connection->channel_type = event->channel_type;
    connection->channel_id = event->channel_id;
    connection->common_caps = event->common_caps;
    connection->channel_caps = event->channel_caps;

    unsigned mask = security_of(server, event->channel_type);
    if (!(mask & (connection->is_secure ? SM_SECURITY_TLS : SM_SECURITY_PLAIN))) {
        connection->is_refused = true;
        return sm_link_server_refuse(
            connection->phase,
            connection->is_secure ? SM_LINK_ERR_NEED_UNSECURED : SM_LINK_ERR_NEED_SECURED, false);
    }

    uint32_t caps;
    if (!find_channel(connection, &caps)) {
        connection->is_refused = true;
        return sm_link_server_refuse(connection->phase, SM_LINK_ERR_CHANNEL_NOT_AVAILABLE, true);
    }

    if (connection->has_sasl && event->common_caps & 1u << SM_COMMON_CAP_AUTH_SASL)
        return sm_link_server_accept(connection->phase, (struct sm_bytes){0}, caps);
    connection->key = sm_link_key_get(&server->keys, sm_now_us());
    if (!connection->key)
        return SM_ERR_NOMEM;
    struct sm_bytes der = {.data = sm_ticket_key_public(sm_link_key_pair(connection->key)),
                           .size = SM_TICKET_PUBLIC_KEY_SIZE};
    return sm_link_server_accept(connection->phase, der, caps);
}

/* Whether the password is right; the words of a refusal are for the log only. */
static bool is_welcome(struct sm_connection *connection, struct sm_bytes ticket)
{
    char password[SM_TICKET_PASSWORD_MAX + 1] = {0};
    const char *refusal = NULL;
    /* A ticket has to decrypt even where any password will do. */
    if (sm_ticket_decrypt(sm_link_key_pair(connection->key), ticket.data, password))
        refusal = "failed to decrypt the ticket";
    else if (!connection->skip_auth)
        connection->is_view_only =
            sm_people_welcome(connection->server, password, &refusal) == SM_WELCOME_VIEW;
    explicit_bzero(password, sizeof(password));
    if (refusal)
        count_failure(connection);
    if (refusal && may_complain(connection))
        sm_say(connection->server->log, SM_LOG_WARNING, "%s", refusal);
    return !refusal;
}

/* The link result for an authenticated client. */
static uint32_t admit(struct sm_connection *connection)
{
    struct sm_server *server = connection->server;
    if (connection->channel_type == SM_CHANNEL_MAIN) {
        if (!sm_people_has_room(server)) {
            if (may_complain(connection))
                sm_say(server->log, SM_LOG_WARNING,
                       "%u clients are connected: a further one is refused", server->max_clients);
            return SM_LINK_ERR_CHANNEL_NOT_AVAILABLE;
        }
        /* A client of another server keeps the id it has there. */
        connection->is_migrated = connection->connection_id != 0;
        if (!connection->is_migrated)
            connection->connection_id = sm_session_new_id(server);
        if (connection->connection_id == 0 || connection->connection_id == SM_SESSION_NOBODY ||
            sm_session_find(server, connection->connection_id))
            return SM_LINK_ERR_BAD_CONNECTION_ID;
        if (server->max_clients == 1)
            sm_session_end_all(server);
        return SM_LINK_ERR_OK;
    }
    struct sm_session *session = sm_session_find(server, connection->connection_id);
    if (!session)
        return SM_LINK_ERR_BAD_CONNECTION_ID;
    if (connection->is_view_only && !sm_session_is_view_only(session))
        return SM_LINK_ERR_PERMISSION_DENIED; /* somebody else's */
    if (!sm_people_may_have(session, connection->channel_type))
        return SM_LINK_ERR_CHANNEL_NOT_AVAILABLE;
    uint32_t caps;
    return find_channel(connection, &caps) ? SM_LINK_ERR_OK : SM_LINK_ERR_CHANNEL_NOT_AVAILABLE;
}

static enum sm_status on_ticket(struct sm_connection *connection, struct sm_bytes ticket)
{
    uint32_t result = is_welcome(connection, ticket) ? admit(connection)
                                                     : (uint32_t)SM_LINK_ERR_PERMISSION_DENIED;
    connection->is_refused = result != SM_LINK_ERR_OK;
    return sm_link_server_result(connection->phase, result);
}

static enum sm_status on_sasl(struct sm_connection *connection)
{
    struct sm_sasl_stream stream = {
        .fd = sm_pump_transport(connection->pump)->fd,
        .is_secure = connection->is_secure,
        .tls_bits = connection->tls ? sm_tls_transport_bits(connection->tls) : 0,
    };
    return sm_sasl_login_offer(&connection->sasl, connection->server, &stream, connection->phase);
}

static enum sm_status on_sasl_turn(struct sm_connection *connection,
                                   const struct sm_link_server_event *event)
{
    enum sm_status status =
        sm_sasl_login_turn(&connection->sasl, connection->server, event, connection->phase);
    if (status < 0)
        count_failure(connection);
    if (status == SM_OK && sm_link_server_is_failed(connection->phase))
        connection->is_refused = true;
    return status;
}

/* The verdict has left in the clear: from here on everything passes the layer. */
static enum sm_status on_sasl_accepted(struct sm_connection *connection)
{
    enum sm_status status =
        sm_sasl_login_secure(&connection->sasl, connection->pump, &connection->has_layer);
    if (status != SM_OK)
        return status;
    uint32_t result = admit(connection);
    connection->is_refused = result != SM_LINK_ERR_OK;
    return sm_link_server_result(connection->phase, result);
}

/* ---- behind the link phase ---- */

/* Any thread: the channel is done with the connection. */
static void on_handover_closed(void *opaque)
{
    struct sm_connection *connection = opaque;
    connection->is_closed = true;
    sm_main_queue_post_task(connection->server->queue, &connection->closed_task);
}

static void on_closed_task(void *opaque)
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

static void on_resumed_task(void *opaque)
{
    struct sm_connection *connection = opaque;
    connection->awaits_data = false;
    if (connection->session)
        sm_session_check_channels(connection->session);
}

static void leave_link_phase(struct sm_connection *connection)
{
    if (!connection->is_linking)
        return;
    connection->is_linking = false;
    connection->server->connection_count--;
    sm_list_remove(&connection->link);
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

static void hand_over(struct sm_connection *connection)
{
    struct sm_server *server = connection->server;
    struct sm_channel_handover *handover = make_handover(connection);
    if (!handover) {
        sm_connection_destroy(connection);
        return;
    }
    leave_link_phase(connection);
    sm_link_server_destroy(connection->phase);
    connection->phase = NULL;
    sm_sasl_login_finish(&connection->sasl);
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
        if (may_complain(connection))
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
    while (!status && sm_link_server_next(connection->phase, &event)) {
        switch (event.kind) {
        case SM_LINK_SERVER_HELLO:
            status = on_hello(connection, &event);
            break;
        case SM_LINK_SERVER_TICKET:
            status = on_ticket(connection, event.ticket);
            break;
        case SM_LINK_SERVER_SASL:
            status = on_sasl(connection);
            break;
        case SM_LINK_SERVER_SASL_START:
        case SM_LINK_SERVER_SASL_STEP:
            status = on_sasl_turn(connection, &event);
            break;
        }
    }
    if (!status && connection->sasl.is_accepted &&
        sm_machine_pending(sm_link_server_machine(connection->phase)).size == 0)
        status = on_sasl_accepted(connection);
    if (status || connection->is_refused)
        let_go(connection);
    else if (sm_link_server_is_done(connection->phase))
        hand_over(connection);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_connection *connection = opaque;
    const struct sm_log *log = connection->server->log;
    enum sm_tls_failure tls =
        connection->tls ? sm_tls_transport_failure(connection->tls) : SM_TLS_OK;
    if (tls != SM_TLS_OK && may_complain(connection))
        sm_say(log, SM_LOG_WARNING, "SSL_accept failed, error=%d: %s", (int)tls, reason);
    else if (status != SM_ERR_IO && may_complain(connection))
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
        .closed_task = {.func = on_closed_task, .opaque = connection},
        .resumed_task = {.func = on_resumed_task, .opaque = connection},
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
                   "too many connections, or failed log-ins, of one address: a further one is "
                   "refused");
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
    leave_link_phase(connection);
    sm_main_queue_cancel_task(connection->server->queue, &connection->closed_task);
    sm_main_queue_cancel_task(connection->server->queue, &connection->resumed_task);
    sm_list_remove(&connection->link);
    sm_pump_destroy(connection->pump);
    sm_link_server_destroy(connection->phase);
    sm_sasl_login_finish(&connection->sasl);
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
