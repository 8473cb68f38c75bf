/* SPDX-License-Identifier: MIT */
#include "client/sasl_login.h"

#include "client/channel_thread.h"
#include "client/error.h"
#include "client/session_private.h"
#include "io/sasl.h"

static void fail_with(struct sm_client_channel *channel, enum sm_status status)
{
    struct sm_error error;
    if (status == SM_ERR_NOMEM)
        (void)sm_error_nomem(&error);
    else if (status == SM_ERR_STATE && channel->sasl)
        sm_reason_sasl_lacks(&error, &channel->attempt, sm_sasl_lacks_user(channel->sasl),
                             sm_sasl_lacks_password(channel->sasl));
    else
        sm_reason_sasl(&error, &channel->attempt,
                       channel->sasl ? sm_sasl_reason(channel->sasl) : "");
    sm_client_channel_fail(channel, &error);
}

static enum sm_status begin(struct sm_client_channel *channel, struct sm_bytes mechanisms)
{
    const struct sm_session_settings *settings = &channel->session->settings;
    atomic_store(&channel->session->wants_user, true);
    struct sm_transport *transport = sm_pump_transport(channel->pump);
    struct sm_sasl_stream stream = {
        .is_secure = channel->attempt.is_secure,
        .tls_bits = channel->attempt.is_secure ? sm_tls_transport_bits(transport) : 0,
    };
    sm_sasl_stream_set_ends(&stream, transport->fd);
    struct sm_sasl_credentials credentials = {
        .user = settings->user,
        .password = settings->password,
    };
    char why[256] = "";
    enum sm_status status = sm_sasl_client(&channel->sasl, &stream, channel->attempt.host,
                                           &credentials, why, sizeof(why));
    if (status != SM_OK) {
        struct sm_error error;
        sm_reason_sasl(&error, &channel->attempt, why);
        sm_client_channel_fail(channel, &error);
        return SM_OK;
    }
    const char *mechanism;
    struct sm_sasl_turn turn;
    status = sm_sasl_client_start(channel->sasl, mechanisms, &mechanism, &turn);
    if (status < 0)
        return status;
    channel->sasl_is_done = status == SM_OK;
    sm_log_at(&channel->session->log, SM_LOG_INFO, "%s channel %u: logging in with SASL, %s",
              channel->attempt.channel, channel->id, mechanism);
    return sm_link_client_sasl_start(channel->link, mechanism, turn);
}

/* The server's turn. When it is satisfied before our side is, its last words still count. */
static enum sm_status step(struct sm_client_channel *channel,
                           const struct sm_link_client_event *event)
{
    struct sm_sasl_turn turn = {0};
    if (!channel->sasl_is_done) {
        enum sm_status status = sm_sasl_client_step(channel->sasl, event->turn, &turn);
        if (status < 0)
            return status;
        channel->sasl_is_done = status == SM_OK;
    }
    if (!event->is_complete)
        return sm_link_client_sasl_step(channel->link, turn);
    if (!channel->sasl_is_done) /* it did not prove who it is */
        return SM_ERR_PROTOCOL;
    return sm_link_client_sasl_end(channel->link);
}

static enum sm_status secure(struct sm_client_channel *channel)
{
    struct sm_transport *top;
    struct sm_sasl *sasl = channel->sasl;
    if (!sm_sasl_is_strong_enough(sasl))
        return SM_ERR_PROTOCOL;
    if (!channel->attempt.is_secure && sm_sasl_ssf(sasl) > 0) {
        enum sm_status status = sm_sasl_transport(&top, sasl, sm_pump_transport(channel->pump),
                                                  sm_pump_unfed(channel->pump));
        if (status != SM_OK)
            return status;
        channel->sasl = NULL; /* the filter's */
        sm_pump_raise(channel->pump, top);
    }
    return sm_link_client_sasl_secured(channel->link);
}

void sm_client_sasl_answer(struct sm_client_channel *channel,
                           const struct sm_link_client_event *event)
{
    enum sm_status status = SM_OK;
    if (event->kind == SM_LINK_CLIENT_NEED_SASL)
        status = begin(channel, event->mechanisms);
    else if (event->kind == SM_LINK_CLIENT_SASL_STEP)
        status = step(channel, event);
    else
        status = secure(channel);
    if (status != SM_OK)
        fail_with(channel, status);
}

bool sm_client_sasl_was_refused(struct sm_client_channel *channel)
{
    struct sm_error error;
    if (!channel->sasl)
        return false;
    sm_reason_sasl_refused(&error, &channel->attempt);
    sm_client_channel_fail(channel, &error);
    return true;
}

void sm_client_sasl_finish(struct sm_client_channel *channel)
{
    sm_sasl_destroy(channel->sasl);
    channel->sasl = NULL;
    channel->sasl_is_done = false;
}
