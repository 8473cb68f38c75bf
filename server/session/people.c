/* SPDX-License-Identifier: MIT */
#include "server/session/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/clock.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/session.h"

enum { CLIENTS_MAX = 1000 };

/* ---- settings ---- */

static void read_count(struct sm_server *server, const char *text)
{
    char *end;
    unsigned long count = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || count > CLIENTS_MAX)
        sm_say(server->log, SM_LOG_WARNING, "SUMAC_CLIENTS is no number up to %d: %s", CLIENTS_MAX,
               text);
    else
        server->max_clients = (unsigned)count;
}

static void keep_path(char **kept, const char *path)
{
    free(*kept);
    *kept = path && *path ? strdup(path) : NULL;
}

void sm_people_init(struct sm_server *server)
{
    const char *count = getenv("SUMAC_CLIENTS");
    if (count)
        read_count(server, count);
    if (getenv("SPICE_DEBUG_ALLOW_MC")) {
        server->max_clients = SM_PEOPLE_UNLIMITED;
        sm_say(server->log, SM_LOG_WARNING, "spice: allowing multiple client connections");
    }
    keep_path(&server->view_password_file, getenv("SUMAC_VIEW_PASSWORD_FILE"));
    keep_path(&server->view_users_file, getenv("SUMAC_VIEW_USERS_FILE"));
}

/* ---- who is let in ---- */

enum sm_welcome sm_people_welcome(struct sm_server *server,
                                  const char given[SM_TICKET_PASSWORD_MAX + 1],
                                  const char **refusal, bool *asks_file)
{
    *refusal = sm_ticket_policy_refuses(&server->ticket, given, sm_now_us());
    *asks_file = false;
    /* Where any password opens the door, the one for looking still means that. */
    if (!*refusal && server->ticket.is_on)
        return SM_WELCOME_CONTROL;
    if (server->has_view_ticket &&
        !sm_ticket_policy_refuses(&server->view_ticket, given, sm_now_us())) {
        *refusal = NULL;
        return SM_WELCOME_VIEW;
    }
    *asks_file = server->view_password_file != NULL;
    return *refusal ? SM_WELCOME_NOT : SM_WELCOME_CONTROL;
}

/*
 * Whether two names may be one person's. Mechanisms take a name with the realm or without it, and
 * some do not tell small letters from large ones; who is to be kept from the keyboard must not get
 * it by another way of writing: rather one too many that only looks.
 */
static bool may_be_same(const char *one, const char *other)
{
    size_t one_size = strcspn(one, "@"), other_size = strcspn(other, "@");
    if (one_size != other_size || strncasecmp(one, other, one_size) != 0)
        return false;
    return !one[one_size] || !other[other_size] || strcasecmp(one, other) == 0;
}

/* A name a line; blank lines and those that begin with # say nothing. */
static bool is_listed(FILE *file, const char *user)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    bool is_found = false;
    while (!is_found && (size = getline(&line, &room, file)) >= 0) {
        while (size > 0 && strchr(" \t\r\n", line[size - 1]))
            line[--size] = 0;
        const char *name = line + strspn(line, " \t");
        is_found = *name && *name != '#' && may_be_same(name, user);
    }
    free(line);
    return is_found;
}

enum sm_people_view sm_people_look_up(const char *view_users_file, const char *user)
{
    if (!view_users_file)
        return SM_PEOPLE_CONTROLS;
    FILE *file = fopen(view_users_file, "re");
    if (!file)
        return SM_PEOPLE_UNREADABLE;
    bool is_found = is_listed(file, user);
    bool is_whole = !ferror(file);
    (void)fclose(file);
    return is_found ? SM_PEOPLE_VIEWS : is_whole ? SM_PEOPLE_CONTROLS : SM_PEOPLE_UNREADABLE;
}

bool sm_people_has_room(const struct sm_server *server)
{
    return server->max_clients <= 1 || sm_server_client_count(server) < server->max_clients;
}

/* ---- who may do what ---- */

bool sm_people_may_have(const struct sm_session *session, uint8_t channel_type)
{
    switch (channel_type) {
    case SM_CHANNEL_MAIN:
    case SM_CHANNEL_DISPLAY:
    case SM_CHANNEL_CURSOR:
    case SM_CHANNEL_PLAYBACK:
        return true;
    case SM_CHANNEL_INPUTS:
        return !sm_session_is_view_only(session);
    default: /* what there is one of */
        return sm_session_server(session)->holder == sm_session_id(session);
    }
}

static bool is_single(uint8_t channel_type)
{
    switch (channel_type) {
    case SM_CHANNEL_MAIN:
    case SM_CHANNEL_DISPLAY:
    case SM_CHANNEL_CURSOR:
    case SM_CHANNEL_PLAYBACK:
    case SM_CHANNEL_INPUTS:
        return false;
    default:
        return true;
    }
}

/* Makes `session` the holder and tells it of what it holds. */
static void give(struct sm_server *server, struct sm_session *session)
{
    server->holder = sm_session_id(session);
    sm_session_person(session)->asks = false;
    sm_people_changed(server);
    struct sm_main_channel *main = sm_session_main(session);
    if (!main)
        return; /* it begins just now, and asks for the whole list */
    SM_LIST_FOR (link, &server->registry.offers) {
        const struct sm_channel_offer *offer = SM_LIST_ITEM(link, struct sm_channel_offer, link);
        if (is_single(offer->type))
            sm_main_channel_announce(main, offer);
    }
}

static void take_away(struct sm_server *server)
{
    uint32_t former = server->holder;
    server->holder = 0;
    if (former == 0)
        return;
    SM_LIST_FOR (link, &server->registry.offers) {
        const struct sm_channel_offer *offer = SM_LIST_ITEM(link, struct sm_channel_offer, link);
        if (is_single(offer->type))
            offer->disconnect(offer->opaque, former);
    }
}

void sm_people_came(struct sm_session *session)
{
    struct sm_server *server = sm_session_server(session);
    if (server->holder == 0 && !sm_session_is_view_only(session))
        server->holder = sm_session_id(session);
    sm_people_changed(server);
}

void sm_people_left(struct sm_server *server, uint32_t connection_id)
{
    sm_people_changed(server);
    if (server->holder != connection_id)
        return;
    server->holder = 0; /* its channels are closed already */
    struct sm_session *heir = sm_session_first(server, false);
    if (heir)
        give(server, heir);
}

enum sm_status sm_people_hand_over(struct sm_server *server, uint32_t connection_id)
{
    struct sm_session *session = sm_session_find(server, connection_id);
    if (!session || sm_session_is_view_only(session))
        return SM_ERR_STATE;
    if (server->holder == connection_id)
        return SM_OK;
    take_away(server);
    give(server, session);
    return SM_OK;
}
