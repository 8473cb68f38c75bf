/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "io/clock.h"
#include "io/pump.h"
#include "io/sasl.h"
#include "io/tls.h"
#include "server/session/connection_internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/people.h"
#include "server/session/session.h"
#include "server/session/view_password.h"

void sm_connection_count_failure(struct sm_connection *connection)
{
    connection->has_tried = false;
    connection->server->failed_logins++;
    sm_door_failed(&connection->server->door, &connection->address, sm_now_us());
}

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

/* The link result for an authenticated client. */
static uint32_t admit(struct sm_connection *connection)
{
    struct sm_server *server = connection->server;
    if (connection->channel_type == SM_CHANNEL_MAIN) {
        if (!sm_people_has_room(server)) {
            if (sm_connection_may_complain(connection))
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

/* What the password opens is known; the words of a refusal, NULL for none, are for the log only. */
static enum sm_status say_verdict(struct sm_connection *connection, const char *refusal)
{
    if (refusal)
        sm_connection_count_failure(connection);
    if (refusal && sm_connection_may_complain(connection))
        sm_say(connection->server->log, SM_LOG_WARNING, "%s", refusal);
    uint32_t result = refusal ? (uint32_t)SM_LINK_ERR_PERMISSION_DENIED : admit(connection);
    connection->is_refused = result != SM_LINK_ERR_OK;
    return sm_link_server_result(connection->phase, result);
}

/* The file with the password for looking was read, maybe long after the client has sent its own. */
static void on_file_back(void *opaque)
{
    struct sm_connection *connection = opaque;
    connection->has_tried = false;
    connection->is_view_only = sm_view_password_is_given(connection->asked);
    const char *refusal = connection->is_view_only ? NULL : connection->refusal;
    sm_connection_proceed(connection, say_verdict(connection, refusal));
}

/* Judges the password at once, or when the file was read. */
static enum sm_status judge(struct sm_connection *connection,
                            const char password[SM_TICKET_PASSWORD_MAX + 1])
{
    const char *refusal;
    bool asks_file;
    enum sm_welcome welcome = sm_people_welcome(connection->server, password, &refusal, &asks_file);
    connection->is_view_only = welcome == SM_WELCOME_VIEW;
    if (!asks_file)
        return say_verdict(connection, refusal);
    connection->refusal = refusal;
    connection->has_tried = refusal != NULL;
    return sm_view_password_ask(&connection->asked, connection->server, password, on_file_back,
                                connection);
}

static enum sm_status on_ticket(struct sm_connection *connection, struct sm_bytes ticket)
{
    char password[SM_TICKET_PASSWORD_MAX + 1] = {0};
    enum sm_status status;
    /* A ticket has to decrypt even where any password will do. */
    if (sm_ticket_decrypt(sm_link_key_pair(connection->key), ticket.data, password))
        status = say_verdict(connection, "failed to decrypt the ticket");
    else if (connection->skip_auth)
        status = say_verdict(connection, NULL);
    else
        status = judge(connection, password);
    explicit_bzero(password, sizeof(password));
    return status;
}

/* A turn of SASL is back, maybe long after the client has sent its part. */
static void on_sasl_back(void *opaque)
{
    struct sm_connection *connection = opaque;
    enum sm_status status = sm_sasl_login_answer(connection->sasl, connection->phase);
    if (sm_sasl_login_is_accepted(connection->sasl))
        connection->has_tried = false;
    if (status == SM_OK && sm_link_server_is_failed(connection->phase))
        connection->is_refused = true;
    if (status < 0 || connection->is_refused)
        sm_connection_proceed(connection, status);
    else
        sm_pump_kick(connection->pump);
}

static enum sm_status on_sasl(struct sm_connection *connection)
{
    struct sm_sasl_stream stream = {
        .is_secure = connection->is_secure,
        .tls_bits = connection->tls ? sm_tls_transport_bits(connection->tls) : 0,
    };
    sm_sasl_stream_set_ends(&stream, sm_pump_transport(connection->pump)->fd);
    return sm_sasl_login_create(&connection->sasl, connection->server, &stream, on_sasl_back,
                                connection);
}

static enum sm_status on_sasl_turn(struct sm_connection *connection,
                                   const struct sm_link_server_event *event)
{
    connection->has_tried = true;
    return sm_sasl_login_turn(connection->sasl, event);
}

enum sm_status sm_connection_answer(struct sm_connection *connection,
                                    const struct sm_link_server_event *event)
{
    switch (event->kind) {
    case SM_LINK_SERVER_HELLO:
        return on_hello(connection, event);
    case SM_LINK_SERVER_TICKET:
        return on_ticket(connection, event->ticket);
    case SM_LINK_SERVER_SASL:
        return on_sasl(connection);
    case SM_LINK_SERVER_SASL_START:
    case SM_LINK_SERVER_SASL_STEP:
        return on_sasl_turn(connection, event);
    }
    return SM_ERR_STATE;
}

/* From here on everything passes the layer. */
enum sm_status sm_connection_accepted(struct sm_connection *connection)
{
    connection->is_view_only = sm_sasl_login_is_view_only(connection->sasl);
    const char *user = sm_sasl_login_user(connection->sasl);
    memcpy(connection->user, user, strnlen(user, sizeof(connection->user) - 1));
    enum sm_status status =
        sm_sasl_login_secure(connection->sasl, connection->pump, &connection->has_layer);
    if (status != SM_OK)
        return status;
    uint32_t result = admit(connection);
    connection->is_refused = result != SM_LINK_ERR_OK;
    return sm_link_server_result(connection->phase, result);
}
