/* SPDX-License-Identifier: MIT */
#include "server/session/sasl_login.h"

#include <stdio.h>

#include "core/channel/link_server.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/sasl.h"
#include "server/session/internal.h"
#include "server/session/log.h"

static const char DEFAULT_APPLICATION[] = "spice";

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

enum sm_status sm_sasl_login_offer(struct sm_sasl_login *login, struct sm_server *server,
                                   const struct sm_sasl_stream *stream,
                                   struct sm_link_server *phase)
{
    char why[256] = "";
    struct sm_bytes mechanisms;
    enum sm_status status = sm_sasl_server(&login->sasl, stream, why, sizeof(why));
    if (status == SM_OK) {
        status = sm_sasl_mechanisms(login->sasl, &mechanisms);
        if (status == SM_OK)
            return sm_link_server_sasl_offer(phase, mechanisms);
        snprintf(why, sizeof(why), "%s", sm_sasl_reason(login->sasl));
    }
    if (may_complain(server))
        sm_say(server->log, SM_LOG_WARNING, "SASL cannot be offered to a client%s: %s",
               stream->is_secure ? "" : " without TLS", why);
    return status;
}

/* The client is who it says; whether the line is safe enough is another question. */
static enum sm_status conclude(struct sm_sasl_login *login, struct sm_server *server,
                               struct sm_link_server *phase)
{
    bool is_accepted = sm_sasl_is_strong_enough(login->sasl);
    if (!is_accepted && may_complain(server))
        sm_say(server->log, SM_LOG_WARNING,
               "SASL: %u bits of protection are too few for a line without TLS, %u are needed",
               sm_sasl_ssf(login->sasl), SM_SASL_PLAIN_SSF);
    if (is_accepted)
        sm_say(server->log, SM_LOG_INFO, "SASL: user %s", sm_sasl_user(login->sasl));
    enum sm_status status = sm_link_server_sasl_end(phase, is_accepted);
    login->is_accepted = status == SM_OK && is_accepted;
    return status;
}

enum sm_status sm_sasl_login_turn(struct sm_sasl_login *login, struct sm_server *server,
                                  const struct sm_link_server_event *event,
                                  struct sm_link_server *phase)
{
    struct sm_bytes answer = {0};
    enum sm_status status =
        event->kind == SM_LINK_SERVER_SASL_START
            ? sm_sasl_server_start(login->sasl, event->mechanism, event->turn, &answer)
            : sm_sasl_server_step(login->sasl, event->turn, &answer);
    if (status < 0) {
        if (may_complain(server))
            sm_say(server->log, SM_LOG_WARNING, "SASL: a client was not authenticated: %s",
                   sm_sasl_reason(login->sasl));
        return status;
    }
    bool is_complete = status == SM_OK;
    status = sm_link_server_sasl_reply(phase, answer, is_complete);
    return status == SM_OK && is_complete ? conclude(login, server, phase) : status;
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

void sm_sasl_login_finish(struct sm_sasl_login *login)
{
    sm_sasl_destroy(login->sasl);
    login->sasl = NULL;
}
