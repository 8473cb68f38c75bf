/* SPDX-License-Identifier: MIT */
/* One connection of a channel, from connecting to its end. */
#include "client/channel_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/channel_thread.h"
#include "client/connect.h"
#include "client/error.h"
#include "client/sasl_login.h"
#include "client/session_private.h"
#include "core/base/math.h"
#include "core/base/reader.h"
#include "core/channel/channel.h"
#include "core/wire/display.h"
#include "core/wire/types.h"
#include "io/clock.h"
#include "io/sandbox.h"
#include "io/sasl.h"
#include "io/tcp_figures.h"
#include "io/ticket.h"

enum {
    /* For a connection while the line is lost: one that hangs would keep us from the next. */
    LOST_TIMEOUT_MS = 5000,
    ASK_TIMEOUT_MS = 4000, /* a migration's target that answers at all does so at once */
    MEASURE_EVERY_US = 250 * 1000,
};

/* ---- What passes through: counting, and the first bytes for messages ---- */

static void capture(struct sm_client_channel *channel, struct sm_bytes bytes)
{
    struct sm_session *session = channel->session;
    struct sm_capture piece = {
        .kind = channel->kind,
        .id = channel->id,
        .is_open = !bytes.data,
        .common_caps = channel->common_caps,
        .channel_caps = channel->channel_caps,
        .data = bytes.data,
        .size = bytes.size,
    };
    if (session->capture)
        session->capture(session->capture_opaque, &piece);
}

/* Asked for here, since nobody else may look at the socket. */
static void measure(struct sm_client_channel *channel, uint64_t now_us)
{
    struct sm_tcp_figures figures;
    if (now_us - channel->measured_us < MEASURE_EVERY_US || !channel->pump)
        return;
    channel->measured_us = now_us;
    if (sm_tcp_figures_read(&figures, sm_pump_transport(channel->pump)->fd))
        atomic_store(&channel->round_trip_us, figures.rtt_us);
}

/* A link that waits for a move has no machine yet. */
static void look_for_pings(struct sm_client_channel *channel)
{
    if (channel->kind == SM_CHANNEL_KIND_DISPLAY && !channel->is_link && channel->self)
        atomic_store(&channel->is_pinged, sm_channel_ping_count(channel->ops->base(channel)) > 0);
}

static enum sm_status tap_receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct sm_client_channel *channel = self;
    bool is_linked = !channel->link;
    struct sm_attempt *attempt = &channel->attempt;
    size_t room = SM_FIRST_BYTES - attempt->first_size;
    enum sm_status status = sm_machine_receive(channel->machine, in, now_us, taken);
    size_t keep = in.size < room ? in.size : room;
    memcpy(attempt->first + attempt->first_size, in.data, keep);
    attempt->first_size += keep;
    atomic_fetch_add(&channel->received_bytes, *taken);
    if (is_linked && *taken > 0) {
        measure(channel, now_us);
        look_for_pings(channel);
    }
    if (is_linked && *taken > 0)
        capture(channel, (struct sm_bytes){in.data, *taken});
    return status;
}

static struct sm_bytes tap_pending(const void *self)
{
    const struct sm_client_channel *channel = self;
    return sm_machine_pending(channel->machine);
}

static void tap_sent(void *self, size_t size, uint64_t now_us)
{
    struct sm_client_channel *channel = self;
    sm_machine_sent(channel->machine, size, now_us);
}

static uint64_t tap_deadline(const void *self)
{
    const struct sm_client_channel *channel = self;
    return sm_machine_deadline(channel->machine);
}

static enum sm_status tap_tick(void *self, uint64_t now_us)
{
    struct sm_client_channel *channel = self;
    enum sm_status status = sm_machine_tick(channel->machine, now_us);
    /* In the link phase only the time limit makes a tick fail. */
    if (status < 0 && channel->link)
        channel->attempt.has_timed_out = true;
    return status;
}

static const char *tap_reason(const void *self)
{
    const struct sm_client_channel *channel = self;
    return sm_machine_reason(channel->machine);
}

static const struct sm_machine_ops TAP = {
    .receive = tap_receive,
    .pending = tap_pending,
    .sent = tap_sent,
    .deadline = tap_deadline,
    .tick = tap_tick,
    .reason = tap_reason,
};

/* ---- The link phase ---- */

static void send_ticket(struct sm_client_channel *channel, struct sm_bytes public_key)
{
    uint8_t ticket[SM_TICKET_SIZE];
    struct sm_error error;
    enum sm_status status =
        sm_ticket_encrypt(public_key.data, channel->session->settings.password, ticket);
    if (status == SM_OK)
        status = sm_link_client_ticket(channel->link, (struct sm_bytes){ticket, sizeof(ticket)});
    if (status == SM_OK)
        return;
    if (status == SM_ERR_NOMEM)
        (void)sm_error_nomem(&error);
    else if (status == SM_ERR_LIMIT)
        (void)sm_reason_long_password(&error);
    else
        sm_error_set(&error, SM_ERROR_PROTOCOL, "see the server's log; the server may be damaged",
                     "%s sent a key that is none", channel->place);
    sm_client_channel_fail(channel, &error);
}

static void link_refused(struct sm_client_channel *channel,
                         const struct sm_link_client_event *event)
{
    struct sm_error error;
    if (event->error == SM_LINK_ERR_NEED_SECURED && !channel->attempt.is_secure &&
        channel->attempt.has_tls_port) {
        channel->needs_tls = true;
        sm_client_channel_end(channel);
        return;
    }
    sm_reason_refused(&error, &channel->attempt, event->error, event->after_ticket);
    sm_client_channel_fail(channel, &error);
}

/* What the connection before this one left behind. */
static void drop_self(struct sm_client_channel *channel)
{
    pthread_mutex_lock(&channel->session->lock);
    if (channel->self)
        channel->ops->destroy(channel);
    channel->self = NULL;
    pthread_mutex_unlock(&channel->session->lock);
}

/* The link waits for who goes on with it. */
static void keep(struct sm_client_channel *channel)
{
    channel->is_kept = true;
    sm_pump_set_reading(channel->pump, false);
    sm_client_channel_end(channel);
}

/* Main's link: whether the target takes the session as it is. */
static void ask_target(struct sm_client_channel *channel)
{
    channel->is_asking = true;
    sm_main_seamless_init(&channel->seamless, channel->session->migration.version,
                          sm_min_u64(sm_now_us() + ASK_TIMEOUT_MS * 1000,
                                     channel->session->migration.links_until_us));
    channel->machine = sm_main_seamless_machine(&channel->seamless);
    sm_pump_set_machine(channel->pump, (struct sm_machine){&TAP, channel});
}

static void take_answer(struct sm_client_channel *channel)
{
    if (channel->seamless.answer == SM_SEAMLESS_NONE)
        return;
    channel->is_asking = false;
    channel->ready.takes_state = channel->seamless.answer == SM_SEAMLESS_YES;
    keep(channel);
}

static void link_done(struct sm_client_channel *channel, const struct sm_link_client_event *event)
{
    struct sm_session *session = channel->session;
    struct sm_machine machine;
    if (channel->is_link) {
        channel->ready.event = *event;
        channel->ready.event.public_key = channel->ready.event.mechanisms = (struct sm_bytes){0};
        if (sm_migration_may_ask(channel))
            ask_target(channel);
        else
            keep(channel);
        return;
    }
    if (!channel->ops->keeps_self)
        drop_self(channel);
    enum sm_status status = channel->ops->open(channel, event, &machine);
    if (status == SM_OK)
        sm_channel_allow_move(channel->ops->base(channel));
    if (status != SM_OK) {
        struct sm_error error;
        sm_reason_channel(&error, &channel->attempt, status, "the channel cannot be set up");
        sm_client_channel_fail(channel, &error);
        return;
    }
    bool is_confined = channel->ops->is_confined && sm_sandbox_enter() == SM_OK;
    if (channel->ops->is_confined && !is_confined)
        sm_log_at(&session->log, SM_LOG_INFO, "%s channel %u is not confined",
                  channel->attempt.channel, channel->id);
    pthread_mutex_lock(&session->lock);
    channel->is_confined = is_confined;
    channel->state = SM_CLIENT_CHANNEL_OPEN;
    channel->was_opened = true;
    channel->common_caps = event->common_caps;
    channel->channel_caps = event->channel_caps;
    channel->is_secure = channel->attempt.is_secure;
    pthread_mutex_unlock(&session->lock);
    sm_link_client_destroy(channel->link);
    channel->link = NULL;
    sm_client_sasl_finish(channel);
    channel->machine = machine;
    capture(channel, (struct sm_bytes){0});
    /* The machine below the tap has changed, which the pump has to be told. */
    sm_pump_set_machine(channel->pump, (struct sm_machine){&TAP, channel});
    sm_log_at(&session->log, SM_LOG_INFO, "%s channel %u is open", channel->attempt.channel,
              channel->id);
    sm_session_tell(session, SM_EVENT_CHANNEL_OPEN, channel);
}

static void link_activity(struct sm_client_channel *channel)
{
    struct sm_link_client_event event;
    while (!channel->is_over && channel->link && sm_link_client_next(channel->link, &event)) {
        switch (event.kind) {
        case SM_LINK_CLIENT_NEED_TICKET:
            send_ticket(channel, event.public_key);
            break;
        case SM_LINK_CLIENT_REFUSED:
            link_refused(channel, &event);
            break;
        case SM_LINK_CLIENT_DONE:
            link_done(channel, &event);
            break;
        case SM_LINK_CLIENT_NEED_SASL:
        case SM_LINK_CLIENT_SASL_STEP:
        case SM_LINK_CLIENT_SASL_ACCEPTED:
            sm_client_sasl_answer(channel, &event);
            break;
        }
    }
}

/* ---- The pump's callbacks ---- */

static bool has_left(const struct sm_client_channel *channel)
{
    return !channel->link && sm_channel_has_left(channel->ops->base(channel));
}

void sm_client_channel_half_close(struct sm_client_channel *channel)
{
    if (!channel->is_finishing || channel->is_half_closed || has_left(channel) ||
        sm_machine_pending(channel->machine).size > 0 || !sm_pump_is_drained(channel->pump))
        return; /* one that has left says its last words where it goes on */
    channel->is_half_closed = true;
    (void)shutdown(sm_pump_transport(channel->pump)->fd, SHUT_WR);
}

static void on_activity(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    if (channel->is_over)
        return;
    if (channel->is_asking)
        take_answer(channel);
    else if (channel->link)
        link_activity(channel);
    if (channel->link || channel->is_over)
        return;
    enum sm_status status = channel->ops->activity(channel);
    if (status < 0) {
        struct sm_error error;
        sm_reason_channel(&error, &channel->attempt, status,
                          sm_channel_reason(channel->ops->base(channel)));
        sm_client_channel_fail(channel, &error);
        return;
    }
    /* The mark may still be in a filter below the machine. */
    if (has_left(channel) && sm_pump_is_drained(channel->pump) && !sm_migration_is_early(channel))
        sm_client_channel_move(channel);
    else
        sm_client_channel_half_close(channel);
}

/*
 * A source that wants no mark closes behind its MIGRATE, which may be among what has come and still
 * waits: for an image that is being decoded, in the machine, or in the pump.
 */
static void hear_last_words(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    pthread_mutex_lock(&session->lock);
    bool may_move = channel->next.transport != NULL;
    pthread_mutex_unlock(&session->lock);
    if (channel->link || !may_move || !channel->ops->settle)
        return;
    struct sm_bytes rest = sm_pump_unfed(channel->pump);
    for (;;) {
        channel->ops->settle(channel);
        size_t taken = 0;
        if (channel->is_over || rest.size == 0 ||
            channel->machine.ops->receive(channel->machine.self, rest, sm_now_us(), &taken) < 0 ||
            taken == 0)
            return;
        rest = sm_bytes_behind(rest, taken);
    }
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_client_channel *channel = opaque;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    if (channel->is_over)
        return;
    hear_last_words(channel);
    if (channel->is_over)
        return;
    if (has_left(channel)) { /* main, which waited for the others: the host waits no longer */
        sm_client_channel_move(channel);
        return;
    }
    struct sm_transport *transport = sm_pump_transport(channel->pump);
    channel->was_cut =
        status == SM_ERR_IO && !channel->link && !transport->has_ended && !channel->is_half_closed;
    if (status == SM_ERR_IO && channel->link && sm_client_sasl_was_refused(channel))
        return;
    enum sm_tls_failure tls =
        channel->attempt.is_secure ? sm_tls_transport_failure(transport) : SM_TLS_OK;
    if (tls != SM_TLS_OK && channel->link)
        sm_reason_tls(&error, &channel->attempt, tls, reason);
    else if (channel->link)
        sm_reason_link(&error, &channel->attempt, status, reason);
    else if (!channel->is_half_closed)
        sm_reason_channel(&error, &channel->attempt, status, transport->has_ended ? "" : reason);
    sm_client_channel_fail(channel, &error);
}

static const struct sm_pump_callbacks PUMP_CALLBACKS = {
    .on_activity = on_activity,
    .on_closed = on_closed,
};

/* ---- The thread ---- */

/* What the kind of channel can do, and what this connection of it can. */
static uint32_t capabilities(const struct sm_client_channel *channel)
{
    bool takes_descriptors = channel->kind == SM_CHANNEL_KIND_DISPLAY && channel->target->unix_path;
    return channel->ops->caps(channel->session) |
           (takes_descriptors ? 1u << SM_DISPLAY_CAP_GL_SCANOUT : 0);
}

static enum sm_status start_link(struct sm_client_channel *channel, uint64_t deadline_us,
                                 uint64_t now_us)
{
    struct sm_session *session = channel->session;
    pthread_mutex_lock(&session->lock);
    uint32_t session_id = session->info.session_id;
    pthread_mutex_unlock(&session->lock);
    struct sm_link_client_config config = {
        .connection_id = session_id,
        .channel_type = (uint8_t)channel->kind,
        .channel_id = channel->id,
        .channel_caps = capabilities(channel),
        .has_sasl = sm_sasl_is_available(),
        .timeout_us = deadline_us > now_us ? deadline_us - now_us : 1,
    };
    enum sm_status status = sm_link_client_create(&channel->link, &config, now_us);
    if (status == SM_OK)
        channel->machine = sm_link_client_machine(channel->link);
    return status;
}

static void prepare_attempt(struct sm_client_channel *channel, bool is_secure)
{
    const struct sm_session *session = channel->session;
    const struct sm_session_settings *s = &session->settings;
    const struct sm_target *t = channel->target;
    if (s->connector) {
        (void)snprintf(channel->place, sizeof(channel->place), "the connection handed over");
    } else if (t->unix_path) {
        (void)snprintf(channel->place, sizeof(channel->place), "%s", t->unix_path);
    } else {
        bool is_ipv6 = strchr(t->host, ':') != NULL;
        const struct sm_tunnel *tunnel = session->has_tunnel ? &session->tunnel : NULL;
        (void)snprintf(channel->place, sizeof(channel->place),
                       is_ipv6 ? "[%.255s]:%u%s%s%s" : "%.255s:%u%s%s%s", t->host,
                       is_secure ? t->tls_port : t->port, tunnel ? " (through the proxy " : "",
                       tunnel ? tunnel->place : "", tunnel ? ")" : "");
    }
    channel->attempt = (struct sm_attempt){
        .place = channel->place,
        .host = t->host ? t->host : "localhost",
        .channel = sm_channel_kind_name(channel->kind),
        .is_unix = t->unix_path != NULL,
        .is_secure = is_secure,
        .has_tls_port = s->connector || t->tls_port != 0,
        .has_password = s->password && s->password[0],
        .has_user = s->user != NULL,
        .timeout_ms = s->timeout_ms,
    };
}

static enum sm_status start_pump(struct sm_client_channel *channel, struct sm_transport *transport,
                                 struct sm_bytes received)
{
    enum sm_status status =
        sm_pump_create(&channel->pump, sm_epoll_loop_base(channel->loop), transport,
                       (struct sm_machine){&TAP, channel}, received, &PUMP_CALLBACKS, channel);
    if (status == SM_OK)
        return status;
    struct sm_error error;
    sm_transport_destroy(transport);
    (void)sm_error_nomem(&error);
    sm_client_channel_fail(channel, &error);
    return status;
}

static enum sm_status connect_anew(struct sm_client_channel *channel, uint64_t deadline_us)
{
    struct sm_error error;
    struct sm_transport *transport;
    struct sm_patience patience = {.deadline_us = deadline_us, .cancel_fd = channel->cancel_fd};
    enum sm_status status = sm_connect(&transport, channel, &patience, &error);
    if (status != SM_OK) {
        sm_client_channel_fail(channel, &error);
        return status;
    }
    status = start_link(channel, deadline_us, sm_now_us());
    if (status == SM_OK)
        return start_pump(channel, transport, (struct sm_bytes){0});
    sm_transport_destroy(transport);
    (void)sm_error_nomem(&error);
    sm_client_channel_fail(channel, &error);
    return status;
}

/* The link is there, made by another channel. */
static enum sm_status go_on(struct sm_client_channel *channel)
{
    struct sm_ready_link ready = channel->ready;
    channel->ready = (struct sm_ready_link){.transport = NULL};
    enum sm_status status = start_pump(channel, ready.transport,
                                       (struct sm_bytes){ready.received, ready.received_size});
    free(ready.received);
    if (status == SM_OK)
        link_done(channel, &ready.event);
    if (status == SM_OK && channel->pump)
        sm_pump_kick(channel->pump);
    return status;
}

static void fail_to_move(struct sm_client_channel *channel, enum sm_status status)
{
    struct sm_error error;
    if (status == SM_ERR_NOMEM)
        (void)sm_error_nomem(&error);
    else
        sm_error_set(&error, SM_ERROR_CLOSED, "connect to the machine at its new host",
                     "the machine has left %s, and the %s channel has no link to where it went",
                     channel->place, channel->attempt.channel);
    sm_client_channel_fail(channel, &error);
}

void sm_client_channel_move(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    struct sm_ready_link ready = {.transport = NULL};
    enum sm_status status = SM_ERR_STATE;
    if (sm_migration_take(channel, &ready))
        status = sm_channel_arrive(channel->ops->base(channel));
    if (status != SM_OK) {
        sm_ready_link_drop(&ready);
        fail_to_move(channel, status);
        return;
    }
    sm_pump_destroy(channel->pump);
    channel->pump = NULL;
    channel->is_half_closed = false; /* that was the source's line */
    status = start_pump(channel, ready.transport,
                        (struct sm_bytes){ready.received, ready.received_size});
    free(ready.received);
    if (status != SM_OK)
        return;
    pthread_mutex_lock(&session->lock);
    channel->target = session->target;
    channel->common_caps = ready.event.common_caps;
    channel->channel_caps = ready.event.channel_caps;
    channel->is_secure = ready.is_secure;
    pthread_mutex_unlock(&session->lock);
    prepare_attempt(channel, ready.is_secure);
    sm_log_at(&session->log, SM_LOG_INFO, "%s channel %u goes on at %s", channel->attempt.channel,
              channel->id, channel->place);
    sm_pump_kick(channel->pump);
    sm_migration_went(channel);
}

/* The link is for another channel, which goes on with it. */
static void keep_link(struct sm_client_channel *channel)
{
    struct sm_ready_link *ready = &channel->ready;
    ready->is_secure = channel->attempt.is_secure;
    ready->transport = sm_pump_detach(channel->pump, &ready->received, &ready->received_size);
    channel->pump = NULL;
}

void sm_client_channel_live(struct sm_client_channel *channel, bool is_secure)
{
    struct sm_error error;
    uint64_t now_us = sm_now_us();
    uint64_t timeout_ms = channel->session->settings.timeout_ms;
    if (atomic_load(&channel->session->comeback.is_lost) && timeout_ms > LOST_TIMEOUT_MS)
        timeout_ms = LOST_TIMEOUT_MS;
    uint64_t deadline_us = now_us + timeout_ms * 1000;
    if (channel->is_link)
        deadline_us = sm_min_u64(deadline_us, channel->session->migration.links_until_us);
    prepare_attempt(channel, is_secure);
    if (is_secure && !channel->attempt.has_tls_port) {
        sm_reason_no_tls_port(&error, &channel->attempt);
        sm_client_channel_fail(channel, &error);
        return;
    }
    enum sm_status status =
        channel->ready.transport ? go_on(channel) : connect_anew(channel, deadline_us);
    if (status != SM_OK)
        return;
    while (!channel->is_over && !atomic_load(&channel->is_stopped))
        sm_epoll_loop_run(channel->loop);
    if (channel->is_kept)
        keep_link(channel);
    sm_pump_destroy(channel->pump);
    channel->pump = NULL;
    sm_link_client_destroy(channel->link);
    channel->link = NULL;
    sm_client_sasl_finish(channel);
}
