/* SPDX-License-Identifier: MIT */
#include "server/session/sasl_login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/channel/link_server.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/sasl.h"
#include "server/session/errands.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/people.h"

enum { USER_MAX = 256 }; /* a longer name is refused: cut off it might be another one's */

static const char DEFAULT_APPLICATION[] = "spice";

/* What is done next, away from the main thread. */
enum turn { TURN_OFFER, TURN_START, TURN_STEP };

struct sm_sasl_login {
    struct sm_errand errand; /* first; while it is away the members marked * are its own */
    struct sm_server *server;
    void (*on_back)(void *opaque);
    void *opaque;
    bool is_accepted;
    char *view_users_file; /* owned, like the server's, which may end first; NULL: none */

    enum turn turn;
    struct sm_sasl_stream stream;
    struct sm_sasl *sasl;                 /* *owned until its protection is on the stream */
    char mechanism[SM_SASL_NAME_MAX + 1]; /* START */
    uint8_t *data;                        /* *owned: the client's words */
    struct sm_sasl_turn said;             /* *they */
    enum sm_status status;                /* *what came of it */
    struct sm_bytes answer;               /* *the library's until the next turn */
    char why[256];                        /* *OFFER: why there is none */
    char user[USER_MAX];                  /* *who has come */
    bool is_too_long;                     /* *the name: it was not kept */
    enum sm_people_view view;             /* *whether the user may do more than look */
};

static struct sm_sasl_login *login_of(struct sm_errand *errand)
{
    return (struct sm_sasl_login *)(void *)errand;
}

/* Lines that strangers can cause. */
static bool may_complain(struct sm_server *server)
{
    return sm_log_limit_allows(&server->link_complaints, sm_now_us());
}

enum sm_status sm_sasl_login_prepare(struct sm_server *server)
{
    char why[256] = "";
    const char *application =
        server->sasl_application ? server->sasl_application : DEFAULT_APPLICATION;
    enum sm_status status = sm_sasl_prepare_server(application, why, sizeof(why));
    if (status != SM_OK)
        sm_say(server->log, SM_LOG_WARNING, "SASL cannot be offered: %s", why);
    return status;
}

/* ---- away from the main thread ---- */

static enum sm_status look_for_mechanisms(struct sm_sasl_login *login)
{
    enum sm_status status =
        sm_sasl_server(&login->sasl, &login->stream, login->why, sizeof(login->why));
    if (status != SM_OK)
        return status;
    status = sm_sasl_mechanisms(login->sasl, &login->answer);
    if (status != SM_OK)
        snprintf(login->why, sizeof(login->why), "%s", sm_sasl_reason(login->sasl));
    return status;
}

/* Who it is, and what the file of those who only look says: a disk may be slow, too. */
static void look_who_came(struct sm_sasl_login *login)
{
    const char *user = sm_sasl_user(login->sasl);
    login->is_too_long = strlen(user) >= sizeof(login->user);
    if (login->is_too_long)
        return;
    memcpy(login->user, user, strlen(user) + 1);
    login->view = sm_people_look_up(login->view_users_file, login->user);
}

static enum sm_status take_turn(struct sm_sasl_login *login)
{
    switch (login->turn) {
    case TURN_OFFER:
        return look_for_mechanisms(login);
    case TURN_START:
        return sm_sasl_server_start(login->sasl, login->mechanism, login->said, &login->answer);
    case TURN_STEP:
        return sm_sasl_server_step(login->sasl, login->said, &login->answer);
    }
    return SM_ERR_STATE;
}

static void run(struct sm_errand *errand)
{
    struct sm_sasl_login *login = login_of(errand);
    login->answer = (struct sm_bytes){0};
    login->status = take_turn(login);
    if (login->status == SM_OK && login->turn != TURN_OFFER)
        look_who_came(login);
}

static void forget_words(struct sm_sasl_login *login)
{
    if (login->data)
        explicit_bzero(login->data, login->said.data.size); /* a password, maybe */
    free(login->data);
    login->data = NULL;
    login->said = (struct sm_sasl_turn){0};
}

static void free_login(struct sm_errand *errand)
{
    struct sm_sasl_login *login = login_of(errand);
    sm_sasl_destroy(login->sasl);
    forget_words(login);
    free(login->view_users_file);
    free(login);
}

static void on_done(struct sm_errand *errand)
{
    struct sm_sasl_login *login = login_of(errand);
    forget_words(login);
    login->on_back(login->opaque);
}

/* ---- on it ---- */

static enum sm_status send(struct sm_sasl_login *login, enum turn turn)
{
    login->turn = turn;
    return sm_server_send_errand(login->server, &login->errand);
}

enum sm_status sm_sasl_login_create(struct sm_sasl_login **out, struct sm_server *server,
                                    const struct sm_sasl_stream *stream,
                                    void (*on_back)(void *opaque), void *opaque)
{
    struct sm_sasl_login *login = calloc(1, sizeof(*login));
    if (!login)
        return SM_ERR_NOMEM;
    *login = (struct sm_sasl_login){
        .errand = {.run = run, .done = on_done, .free = free_login},
        .server = server,
        .on_back = on_back,
        .opaque = opaque,
        .stream = *stream,
    };
    if (server->view_users_file)
        login->view_users_file = strdup(server->view_users_file);
    bool is_whole = !server->view_users_file || login->view_users_file;
    enum sm_status status = is_whole ? send(login, TURN_OFFER) : SM_ERR_NOMEM;
    if (status != SM_OK) {
        sm_sasl_login_destroy(login);
        return status;
    }
    *out = login;
    return SM_OK;
}

enum sm_status sm_sasl_login_turn(struct sm_sasl_login *login,
                                  const struct sm_link_server_event *event)
{
    bool is_start = event->kind == SM_LINK_SERVER_SASL_START;
    struct sm_bytes data = event->turn.data;
    login->said = event->turn;
    if (is_start)
        snprintf(login->mechanism, sizeof(login->mechanism), "%s", event->mechanism);
    if (event->turn.has_data) {
        login->data = malloc(data.size + 1);
        if (!login->data)
            return SM_ERR_NOMEM;
        if (data.size > 0)
            memcpy(login->data, data.data, data.size);
        login->data[data.size] = 0; /* as C strings end, for mechanisms that look */
        login->said.data.data = login->data;
    }
    return send(login, is_start ? TURN_START : TURN_STEP);
}

static enum sm_status answer_offer(struct sm_sasl_login *login, struct sm_link_server *phase)
{
    struct sm_server *server = login->server;
    if (login->status == SM_OK)
        return sm_link_server_sasl_offer(phase, login->answer);
    if (may_complain(server))
        sm_say(server->log, SM_LOG_WARNING, "SASL cannot be offered to a client%s: %s",
               login->stream.is_secure ? "" : " without TLS", login->why);
    return login->status;
}

/* The client is who it says; whether the line is safe enough is another question. */
static enum sm_status conclude(struct sm_sasl_login *login, struct sm_link_server *phase)
{
    struct sm_server *server = login->server;
    bool is_strong = sm_sasl_is_strong_enough(login->sasl);
    bool is_accepted = is_strong && !login->is_too_long;
    if (login->is_too_long && may_complain(server))
        sm_say(server->log, SM_LOG_WARNING, "SASL: a user's name is longer than %d bytes: refused",
               USER_MAX - 1);
    if (!is_strong && may_complain(server))
        sm_say(server->log, SM_LOG_WARNING,
               "SASL: %u bits of protection are too few for a line without TLS, %u are needed",
               sm_sasl_ssf(login->sasl), SM_SASL_PLAIN_SSF);
    if (is_accepted)
        sm_say(server->log, SM_LOG_INFO, "SASL: user %s", login->user);
    if (is_accepted && login->view == SM_PEOPLE_UNREADABLE && may_complain(server))
        sm_say(server->log, SM_LOG_WARNING,
               "SUMAC_VIEW_USERS_FILE %s cannot be read: whoever logs in may only look",
               login->view_users_file);
    enum sm_status status = sm_link_server_sasl_end(phase, is_accepted);
    login->is_accepted = status == SM_OK && is_accepted;
    return status;
}

enum sm_status sm_sasl_login_answer(struct sm_sasl_login *login, struct sm_link_server *phase)
{
    if (login->turn == TURN_OFFER)
        return answer_offer(login, phase);
    if (login->status < 0) {
        if (may_complain(login->server))
            sm_say(login->server->log, SM_LOG_WARNING, "SASL: a client was not authenticated: %s",
                   sm_sasl_reason(login->sasl));
        return login->status;
    }
    bool is_complete = login->status == SM_OK;
    enum sm_status status = sm_link_server_sasl_reply(phase, login->answer, is_complete);
    return status == SM_OK && is_complete ? conclude(login, phase) : status;
}

bool sm_sasl_login_is_accepted(const struct sm_sasl_login *login)
{
    return login && login->is_accepted;
}

const char *sm_sasl_login_user(const struct sm_sasl_login *login)
{
    return login->user;
}

bool sm_sasl_login_is_view_only(const struct sm_sasl_login *login)
{
    return login->view != SM_PEOPLE_CONTROLS;
}

enum sm_status sm_sasl_login_secure(struct sm_sasl_login *login, struct sm_pump *pump,
                                    bool *has_layer)
{
    login->is_accepted = false;
    *has_layer = sm_sasl_ssf(login->sasl) > 0 && !sm_pump_transport(pump)->is_secure;
    if (!*has_layer)
        return SM_OK;
    struct sm_transport *top;
    enum sm_status status =
        sm_sasl_transport(&top, login->sasl, sm_pump_transport(pump), sm_pump_unfed(pump));
    if (status != SM_OK)
        return status;
    login->sasl = NULL; /* the filter's */
    sm_pump_raise(pump, top);
    return SM_OK;
}

void sm_sasl_login_destroy(struct sm_sasl_login *login)
{
    if (login)
        sm_errand_drop(&login->errand);
}
