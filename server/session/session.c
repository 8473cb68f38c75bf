/* SPDX-License-Identifier: MIT */
#include "server/session/session.h"

#include <stdlib.h>

#include "io/random.h"
#include "server/session/connection.h"
#include "server/session/handover.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/migration.h"
#include "server/session/people.h"

/* A channel of a client that is still with another server. */
struct pending {
    struct sm_list link;
    struct sm_connection *connection;
    struct sm_channel_handover *handover; /* owned */
};

struct sm_session {
    struct sm_server *server;
    struct sm_list link;        /* of the server */
    struct sm_list connections; /* struct sm_connection: the main channel's and all others */
    uint32_t id;
    bool is_view_only;
    struct sm_session_person person;
    struct sm_main_channel *main; /* owned */
    struct sm_session_migration migration;
    struct sm_main_task end_task;
};

static struct sm_session *session_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_session, link);
}

uint32_t sm_session_new_id(struct sm_server *server)
{
    uint32_t id;
    do {
        if (sm_random_u32(&id))
            return 0;
    } while (id == SM_SESSION_NOBODY || sm_session_find(server, id));
    return id;
}

struct sm_session *sm_session_find(struct sm_server *server, uint32_t connection_id)
{
    SM_LIST_FOR (link, &server->sessions)
        if (session_of(link)->id == connection_id)
            return session_of(link);
    return NULL;
}

static struct pending *pending_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct pending, link);
}

static void free_pending(struct pending *pending)
{
    sm_list_remove(&pending->link);
    sm_channel_handover_destroy(pending->handover);
    free(pending);
}

/* Ends every channel of the session: those of devices, then the main one. */
static void close_channels(struct sm_session *session)
{
    SM_LIST_FOR (link, &session->migration.pending)
        free_pending(pending_of(link));
    SM_LIST_FOR (link, &session->connections) {
        const struct sm_connection *connection = sm_connection_of(link);
        struct sm_channel_offer *offer =
            sm_registry_find(&session->server->registry, sm_connection_channel_type(connection),
                             sm_connection_channel_id(connection));
        if (offer)
            offer->disconnect(offer->opaque, session->id);
    }
    sm_main_channel_destroy(session->main);
    session->main = NULL;
}

static void end_now(void *opaque)
{
    struct sm_session *session = opaque;
    struct sm_server *server = session->server;
    /* A documented service to hosts that live for one client only. */
    if (server->exits_on_disconnect)
        exit(0);
    sm_main_queue_cancel_task(server->queue, &session->end_task);
    sm_list_remove(&session->link);
    close_channels(session);
    SM_LIST_FOR (link, &session->connections) {
        struct sm_connection *connection = sm_connection_of(link);
        if (sm_connection_is_closed(connection))
            sm_connection_destroy(connection);
        else
            sm_connection_orphan(connection);
    }
    sm_agent_client_gone(&server->agent, session->id);
    sm_people_left(server, session->id);
    bool was_viewer = session->is_view_only;
    free(session);
    sm_migration_session_gone(server);
    if (!was_viewer && !sm_session_first(server, false))
        sm_agent_clients_gone(&server->agent);
}

void sm_session_open(struct sm_server *server, struct sm_connection *connection,
                     struct sm_channel_handover *handover)
{
    struct sm_session *session = calloc(1, sizeof(*session));
    if (!session) {
        sm_channel_handover_destroy(handover);
        return;
    }
    session->server = server;
    session->id = handover->connection_id;
    session->is_view_only = handover->is_view_only;
    session->person.number = ++server->last_person;
    sm_people_cut_name(session->person.name, sizeof(session->person.name), handover->user);
    session->end_task = (struct sm_main_task){.func = end_now, .opaque = session};
    sm_list_init(&session->connections);
    sm_list_init(&session->migration.pending);
    session->migration.arrival = handover->is_migrated ? SM_ARRIVAL_WAITING : SM_ARRIVAL_NONE;
    sm_list_append(&server->sessions, &session->link);
    sm_connection_join(connection, session, &session->connections);
    sm_people_came(session);
    if (sm_main_channel_create(&session->main, server, session, handover)) {
        sm_say(server->log, SM_LOG_WARNING, "no memory for a client's session");
        sm_channel_handover_destroy(handover);
        sm_session_end(session);
    }
}

bool sm_session_has_channel(const struct sm_session *session, uint8_t type, uint8_t id)
{
    SM_LIST_FOR (link, &session->connections) {
        const struct sm_connection *connection = sm_connection_of(link);
        if (sm_connection_channel_type(connection) == type &&
            sm_connection_channel_id(connection) == id && !sm_connection_is_closed(connection))
            return true;
    }
    return false;
}

/* Gives a channel to what serves it; taken from another server as it is if `is_resumed`. */
static void connect(struct sm_session *session, struct sm_connection *connection,
                    struct sm_channel_offer *offer, struct sm_channel_handover *handover,
                    bool is_resumed)
{
    struct sm_channel_net_test test = sm_main_channel_net_test(session->main);
    handover->is_low_bandwidth = sm_main_channel_is_low_bandwidth(session->main);
    handover->line_rtt_us = test.latency_us;
    handover->line_bytes_per_second = test.bits_per_second / 8;
    handover->jpeg = session->server->jpeg;
    handover->zlib_glz = session->server->zlib_glz;
    handover->is_migrated = is_resumed;
    if (is_resumed && offer->migrates_with_data)
        sm_connection_await_data(connection);
    offer->connect(offer->opaque, handover);
}

/* Keeps a channel until it is known how it begins. */
static void keep(struct sm_session *session, struct sm_connection *connection,
                 struct sm_channel_handover *handover)
{
    struct pending *pending = calloc(1, sizeof(*pending));
    /* The client is told now that it was let in, and says nothing until it belongs here. */
    if (!pending || !sm_channel_handover_flush(handover)) {
        free(pending);
        sm_channel_handover_destroy(handover);
        return;
    }
    pending->connection = connection;
    pending->handover = handover;
    sm_list_append(&session->migration.pending, &pending->link);
}

void sm_session_add(struct sm_session *session, struct sm_connection *connection,
                    struct sm_channel_offer *offer, struct sm_channel_handover *handover)
{
    sm_connection_join(connection, session, &session->connections);
    if (session->migration.arrival == SM_ARRIVAL_WAITING)
        keep(session, connection, handover);
    else
        connect(session, connection, offer, handover,
                session->migration.arrival == SM_ARRIVAL_RESUMING);
}

void sm_session_resume(struct sm_session *session, bool is_seamless)
{
    session->migration.arrival = is_seamless ? SM_ARRIVAL_RESUMING : SM_ARRIVAL_NONE;
    SM_LIST_FOR (link, &session->connections)
        if (is_seamless && sm_connection_channel_type(sm_connection_of(link)) == SM_CHANNEL_MAIN)
            sm_connection_await_data(sm_connection_of(link));
    SM_LIST_FOR (link, &session->migration.pending) {
        struct pending *pending = pending_of(link);
        struct sm_channel_offer *offer =
            sm_registry_find(&session->server->registry, pending->handover->channel_type,
                             pending->handover->channel_id);
        if (offer) {
            struct sm_channel_handover *handover = pending->handover;
            pending->handover = NULL;
            connect(session, pending->connection, offer, handover, is_seamless);
        }
        free_pending(pending);
    }
    sm_people_changed(session->server);
    if (!is_seamless)
        sm_migration_arrived(session);
}

/* All but the main channel have gone. */
static bool is_alone(const struct sm_session *session)
{
    for (struct sm_list *link = session->connections.next; link != &session->connections;
         link = link->next)
        if (sm_connection_channel_type(sm_connection_of(link)) != SM_CHANNEL_MAIN)
            return false;
    return true;
}

void sm_session_left(struct sm_session *session)
{
    session->migration.has_left = true;
    sm_session_check_channels(session);
}

void sm_session_check_channels(struct sm_session *session)
{
    if (session->migration.has_left && is_alone(session))
        sm_session_end(session);
    if (session->migration.arrival != SM_ARRIVAL_RESUMING)
        return;
    SM_LIST_FOR (link, &session->connections)
        if (sm_connection_awaits_data(sm_connection_of(link)))
            return;
    session->migration.arrival = SM_ARRIVAL_NONE;
    sm_migration_arrived(session);
}

void sm_session_migrate(struct sm_session *session)
{
    SM_LIST_FOR (link, &session->connections) {
        const struct sm_connection *connection = sm_connection_of(link);
        struct sm_channel_offer *offer =
            sm_registry_find(&session->server->registry, sm_connection_channel_type(connection),
                             sm_connection_channel_id(connection));
        if (offer)
            offer->migrate(offer->opaque, session->id);
    }
    sm_main_channel_migrate(session->main);
}

struct sm_session_migration *sm_session_migration(struct sm_session *session)
{
    return &session->migration;
}

struct sm_session *sm_session_next(const struct sm_server *server, struct sm_session *session)
{
    struct sm_list *link = session ? session->link.next : server->sessions.next;
    return link == &server->sessions ? NULL : session_of(link);
}

struct sm_server *sm_session_server(const struct sm_session *session)
{
    return session->server;
}

void sm_session_end(struct sm_session *session)
{
    sm_main_queue_post_task(session->server->queue, &session->end_task);
}

void sm_session_end_all(struct sm_server *server)
{
    while (!sm_list_is_empty(&server->sessions))
        end_now(session_of(server->sessions.next));
}

void sm_session_end_soon(struct sm_server *server)
{
    SM_LIST_FOR (link, &server->sessions)
        sm_session_end(session_of(link));
}

void sm_session_announce(struct sm_server *server, const struct sm_channel_offer *offer)
{
    SM_LIST_FOR (link, &server->sessions)
        if (session_of(link)->main)
            sm_main_channel_announce(session_of(link)->main, offer);
}

uint32_t sm_session_id(const struct sm_session *session)
{
    return session->id;
}

struct sm_session_person *sm_session_person(struct sm_session *session)
{
    return &session->person;
}

bool sm_session_is_view_only(const struct sm_session *session)
{
    return session->is_view_only;
}

const struct sm_session *sm_session_after(const struct sm_server *server, uint32_t connection_id)
{
    bool is_next = connection_id == 0;
    SM_LIST_FOR (link, &server->sessions) {
        if (is_next)
            return session_of(link);
        is_next = session_of(link)->id == connection_id;
    }
    return NULL;
}

const struct sm_connection *sm_session_next_connection(const struct sm_session *session,
                                                       const struct sm_connection *connection)
{
    bool is_next = !connection;
    SM_LIST_FOR (link, &session->connections) {
        if (is_next)
            return sm_connection_of(link);
        is_next = sm_connection_of(link) == connection;
    }
    return NULL;
}

const char *sm_session_place(const struct sm_session *session)
{
    SM_LIST_FOR (link, &session->connections)
        if (sm_connection_channel_type(sm_connection_of(link)) == SM_CHANNEL_MAIN)
            return sm_connection_facts(sm_connection_of(link)).place;
    return "";
}

struct sm_session *sm_session_first(struct sm_server *server, bool is_view_only)
{
    SM_LIST_FOR (link, &server->sessions)
        if (session_of(link)->is_view_only == is_view_only)
            return session_of(link);
    return NULL;
}

struct sm_main_channel *sm_session_main(const struct sm_session *session)
{
    return session->main;
}

void sm_session_each(struct sm_server *server,
                     void (*func)(struct sm_main_channel *main, void *opaque), void *opaque)
{
    SM_LIST_FOR (link, &server->sessions)
        if (session_of(link)->main)
            func(session_of(link)->main, opaque);
}
