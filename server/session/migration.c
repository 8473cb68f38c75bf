/* SPDX-License-Identifier: MIT */
#include "server/session/migration.h"

#include <stdlib.h>
#include <string.h>

#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/session.h"

enum {
    VERSION = 1,     /* of the migration data; the reference's */
    WAIT_MS = 10000, /* for clients to link to the target, and to leave */
};

/* ---- target ---- */

static void forget_target(struct sm_migration *migration)
{
    free(migration->target.host);
    free(migration->target.subject);
    migration->target = (struct sm_migration_target){0};
    migration->has_target = false;
}

enum sm_status sm_migration_set_target(struct sm_server *server, const char *host, uint16_t port,
                                       uint16_t secure_port, const char *subject)
{
    struct sm_migration_target target = {
        .host = strdup(host),
        .subject = subject ? strdup(subject) : NULL,
        .port = port,
        .secure_port = secure_port,
    };
    if (!target.host || (subject && !target.subject)) {
        free(target.host);
        free(target.subject);
        return SM_ERR_NOMEM;
    }
    forget_target(&server->migration);
    server->migration.target = target;
    server->migration.has_target = true;
    return SM_OK;
}

bool sm_migration_has_target(const struct sm_server *server)
{
    return server->migration.has_target;
}

static struct sm_bytes with_nul(const char *text)
{
    return (struct sm_bytes){.data = (const uint8_t *)text, .size = text ? strlen(text) + 1 : 0};
}

static struct sm_dst_info destination(const struct sm_migration_target *target)
{
    return (struct sm_dst_info){
        .port = target->port,
        .sport = target->secure_port,
        .host = with_nul(target->host),
        .cert_subject = with_nul(target->subject),
    };
}

/* ---- words to clients ---- */

static void send(struct sm_session *session, const struct sm_main_msg *msg)
{
    sm_main_channel_send(sm_session_main(session), msg);
}

static void send_switch_host(struct sm_session *session, const struct sm_migration_target *target)
{
    send(session, &(struct sm_main_msg){.type = SM_MSG_MAIN_MIGRATE_SWITCH_HOST,
                                        .migrate_switch_host = {.dst = destination(target)}});
}

/* Whether the session's channels can go on at the target as they are. */
static bool can_be_seamless(struct sm_server *server, struct sm_session *session)
{
    const struct sm_main_channel *main = sm_session_main(session);
    return server->migration.allows_seamless && sm_server_client_count(server) == 1 &&
           sm_main_channel_can(main, SM_MAIN_CAP_AGENT_CONNECTED_TOKENS) &&
           sm_main_channel_can(main, SM_MAIN_CAP_SEAMLESS_MIGRATE);
}

/* Tells a client of the target, if it understands. */
static void ask(struct sm_server *server, struct sm_session *session)
{
    struct sm_session_migration *state = sm_session_migration(session);
    struct sm_dst_info dst = destination(&server->migration.target);
    *state = (struct sm_session_migration){.arrival = state->arrival, .pending = state->pending};
    sm_list_init(&state->pending); /* empty behind the arrival */
    if (can_be_seamless(server, session)) {
        state->is_asked = state->owes_answer = state->is_seamless_offered = true;
        sm_main_channel_set_moving(sm_session_main(session), true);
        send(session, &(struct sm_main_msg){
                          .type = SM_MSG_MAIN_MIGRATE_BEGIN_SEAMLESS,
                          .migrate_begin_seamless = {.dst = dst, .src_mig_version = VERSION}});
    } else if (sm_main_channel_can(sm_session_main(session), SM_MAIN_CAP_SEMI_SEAMLESS_MIGRATE)) {
        state->is_asked = state->owes_answer = true;
        send(session, &(struct sm_main_msg){.type = SM_MSG_MAIN_MIGRATE_BEGIN,
                                            .migrate_begin = {.dst = dst}});
    }
}

/* ---- source: before the machine moves ---- */

static bool is_waited_for(const struct sm_server *server)
{
    for (struct sm_session *s = sm_session_next(server, NULL); s; s = sm_session_next(server, s)) {
        const struct sm_session_migration *state = sm_session_migration(s);
        if (state->is_asked || state->is_postponed)
            return true;
    }
    return false;
}

static void leave(struct sm_server *server);

static void complete_connect(struct sm_server *server)
{
    struct sm_migration *migration = &server->migration;
    migration->phase = SM_MIGRATION_CONNECTED;
    if (migration->timer)
        sm_loop_timer_cancel(server->loop, migration->timer);
    if (migration->host)
        migration->host->connect_complete(migration->host_context);
    if (migration->has_moved && migration->phase == SM_MIGRATION_CONNECTED)
        leave(server);
}

static void check_connected(struct sm_server *server)
{
    if (server->migration.phase == SM_MIGRATION_CONNECTING && !is_waited_for(server))
        complete_connect(server);
}

static void complete_end(struct sm_server *server)
{
    struct sm_migration *migration = &server->migration;
    migration->phase = SM_MIGRATION_IDLE;
    migration->has_moved = false;
    if (migration->timer)
        sm_loop_timer_cancel(server->loop, migration->timer);
    forget_target(migration);
    if (migration->host)
        migration->host->end_complete(migration->host_context);
}

/* Those that have not answered will not be waited for. */
static void stop_asking(struct sm_server *server, bool ends_late_arrivals)
{
    for (struct sm_session *s = sm_session_next(server, NULL); s; s = sm_session_next(server, s)) {
        struct sm_session_migration *state = sm_session_migration(s);
        if (state->is_postponed && ends_late_arrivals)
            sm_session_end(s);
        state->is_asked = state->is_postponed = false;
    }
}

static void on_timer(void *opaque)
{
    struct sm_server *server = opaque;
    if (server->migration.phase == SM_MIGRATION_LEAVING) {
        sm_say(server->log, SM_LOG_WARNING, "clients have not left for the target in time");
        sm_session_end_soon(server);
        complete_end(server);
        return;
    }
    if (server->migration.phase != SM_MIGRATION_CONNECTING)
        return;
    sm_say(server->log, SM_LOG_WARNING, "clients have not linked to the target in time");
    stop_asking(server, true);
    complete_connect(server);
}

static bool start_timer(struct sm_server *server)
{
    struct sm_migration *migration = &server->migration;
    if (!migration->timer)
        migration->timer = sm_loop_timer_add(server->loop, on_timer, server);
    if (migration->timer)
        sm_loop_timer_start(server->loop, migration->timer, WAIT_MS);
    return migration->timer;
}

/* Clients that are with the target, or on their way there, come back. */
static void cancel(struct sm_server *server)
{
    for (struct sm_session *s = sm_session_next(server, NULL); s; s = sm_session_next(server, s)) {
        struct sm_session_migration *state = sm_session_migration(s);
        if (state->answer >= SM_ANSWER_CONNECTED) /* others are told when they answer */
            send(s, &(struct sm_main_msg){.type = SM_MSG_MAIN_MIGRATE_CANCEL});
        state->is_asked = state->is_postponed = false;
        state->answer = SM_ANSWER_NONE;
        if (sm_session_main(s))
            sm_main_channel_set_moving(sm_session_main(s), false);
    }
}

enum sm_status sm_migration_connect(struct sm_server *server, const char *host, uint16_t port,
                                    uint16_t secure_port, const char *subject)
{
    struct sm_migration *migration = &server->migration;
    /* A former move is history. */
    if (migration->phase == SM_MIGRATION_CONNECTING && migration->has_moved) {
        stop_asking(server, false);
        complete_connect(server);
    }
    if (migration->phase == SM_MIGRATION_LEAVING)
        complete_end(server);
    enum sm_status status = sm_migration_set_target(server, host, port, secure_port, subject);
    if (status != SM_OK)
        return status;
    if (migration->phase != SM_MIGRATION_IDLE)
        cancel(server);
    if (!start_timer(server))
        return SM_ERR_NOMEM;
    migration->phase = SM_MIGRATION_CONNECTING;
    for (struct sm_session *s = sm_session_next(server, NULL); s; s = sm_session_next(server, s)) {
        struct sm_session_migration *state = sm_session_migration(s);
        if (state->arrival == SM_ARRIVAL_NONE)
            ask(server, s);
        else
            state->is_postponed = true;
    }
    check_connected(server);
    return SM_OK;
}

static enum sm_status take_answer(struct sm_session *session, enum sm_migration_answer answer)
{
    struct sm_server *server = sm_session_server(session);
    struct sm_session_migration *state = sm_session_migration(session);
    if (answer == SM_ANSWER_SEAMLESS && !state->is_seamless_offered)
        return SM_ERR_PROTOCOL;
    if (!state->owes_answer)
        return SM_ERR_PROTOCOL;
    state->owes_answer = false;
    if (!state->is_asked) {
        /* Too late: it has to come back. */
        if (answer >= SM_ANSWER_CONNECTED)
            send(session, &(struct sm_main_msg){.type = SM_MSG_MAIN_MIGRATE_CANCEL});
        return SM_OK;
    }
    state->is_asked = false;
    state->answer = answer;
    check_connected(server);
    return SM_OK;
}

/* ---- source: the machine has moved ---- */

void sm_migration_switch(struct sm_server *server)
{
    if (!server->migration.has_target)
        return;
    for (struct sm_session *s = sm_session_next(server, NULL); s; s = sm_session_next(server, s))
        send_switch_host(s, &server->migration.target);
}

static void send_over(struct sm_server *server, struct sm_session *session)
{
    switch (sm_session_migration(session)->answer) {
    case SM_ANSWER_SEAMLESS:
        sm_session_migrate(session);
        break;
    case SM_ANSWER_CONNECTED:
        send(session, &(struct sm_main_msg){.type = SM_MSG_MAIN_MIGRATE_END});
        break;
    case SM_ANSWER_NONE:
    case SM_ANSWER_ERROR:
        send_switch_host(session, &server->migration.target);
        break;
    }
}

/* Every client goes where it can. */
static void leave(struct sm_server *server)
{
    if (sm_server_client_count(server) == 0 || !start_timer(server)) {
        complete_end(server);
        return;
    }
    server->migration.phase = SM_MIGRATION_LEAVING;
    for (struct sm_session *s = sm_session_next(server, NULL); s; s = sm_session_next(server, s))
        send_over(server, s);
}

bool sm_migration_end(struct sm_server *server, bool is_completed)
{
    struct sm_migration *migration = &server->migration;
    if (!is_completed) {
        if (migration->phase == SM_MIGRATION_CONNECTING) {
            stop_asking(server, false);
            complete_connect(server);
        }
        cancel(server);
        complete_end(server);
        return true;
    }
    if (!migration->has_target) {
        bool is_lost = sm_server_client_count(server) > 0;
        sm_session_end_soon(server);
        complete_end(server);
        return !is_lost;
    }
    /* Clients that are still linking to the target come with their state if they are waited for. */
    migration->has_moved = true;
    if (migration->phase != SM_MIGRATION_CONNECTING)
        leave(server);
    return true;
}

void sm_migration_session_gone(struct sm_server *server)
{
    if (server->migration.phase == SM_MIGRATION_LEAVING && sm_server_client_count(server) == 0)
        complete_end(server);
    else
        check_connected(server);
}

/* ---- target ---- */

static enum sm_status take_seamless(struct sm_session *session, uint32_t source_version)
{
    struct sm_server *server = sm_session_server(session);
    bool accepts = sm_server_client_count(server) == 1 && source_version <= VERSION;
    enum sm_status status = sm_main_channel_answer_seamless(sm_session_main(session), accepts);
    if (status == SM_OK && accepts)
        sm_session_resume(session, true);
    return status;
}

static enum sm_status take_arrival(struct sm_session *session, const struct sm_main_msgc *msg)
{
    if (sm_session_migration(session)->arrival != SM_ARRIVAL_WAITING)
        return SM_ERR_PROTOCOL;
    if (msg->type == SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS)
        return take_seamless(session, msg->migrate_dst_do_seamless.src_version);
    enum sm_status status = sm_main_channel_start(sm_session_main(session));
    if (status == SM_OK)
        sm_session_resume(session, false);
    return status;
}

void sm_migration_arrived(struct sm_session *session)
{
    struct sm_server *server = sm_session_server(session);
    struct sm_session_migration *state = sm_session_migration(session);
    if (!state->is_postponed)
        return;
    state->is_postponed = false;
    if (server->migration.phase == SM_MIGRATION_CONNECTING)
        ask(server, session);
    check_connected(server);
}

/* ---- both ---- */

enum sm_status sm_migration_message(struct sm_session *session, const struct sm_main_msgc *msg)
{
    switch (msg->type) {
    case SM_MSGC_MAIN_MIGRATE_CONNECTED:
        return take_answer(session, SM_ANSWER_CONNECTED);
    case SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS:
        return take_answer(session, SM_ANSWER_SEAMLESS);
    case SM_MSGC_MAIN_MIGRATE_CONNECT_ERROR:
        return take_answer(session, SM_ANSWER_ERROR);
    case SM_MSGC_MAIN_MIGRATE_END:
    case SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS:
        return take_arrival(session, msg);
    default:
        return SM_ERR_PROTOCOL;
    }
}

void sm_migration_set_host(struct sm_server *server, const struct sm_migration_host_ops *host,
                           void *context)
{
    server->migration.host = host;
    server->migration.host_context = context;
}

void sm_migration_allow_seamless(struct sm_server *server, bool is_allowed)
{
    server->migration.allows_seamless = is_allowed;
}

void sm_migration_finish(struct sm_server *server)
{
    struct sm_migration *migration = &server->migration;
    migration->host = NULL;
    migration->phase = SM_MIGRATION_IDLE;
    forget_target(migration);
    if (migration->timer)
        sm_loop_timer_remove(server->loop, migration->timer);
    migration->timer = NULL;
}
