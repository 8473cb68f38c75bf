/* SPDX-License-Identifier: MIT */
#include "client/channel_thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/connect.h"
#include "client/error.h"
#include "client/sasl_login.h"
#include "client/session_private.h"
#include "core/wire/types.h"
#include "io/clock.h"
#include "io/sasl.h"
#include "io/ticket.h"

enum {
    CALLS_MAX = 4096, /* waiting for the thread */
    FINISH_MS = 1000, /* for the server to close its side */
};

/** Something to be done on the channel's thread. */
struct sm_client_call {
    struct sm_client_call *next;
    void (*func)(struct sm_client_channel *channel, const void *argument);
    max_align_t argument[]; /* a copy */
};

static void end_with(struct sm_client_channel *channel)
{
    channel->is_over = true;
    sm_epoll_loop_stop(channel->loop);
}

void sm_client_channel_fail(struct sm_client_channel *channel, const struct sm_error *error)
{
    if (channel->is_over)
        return;
    pthread_mutex_lock(&channel->session->lock);
    channel->error = *error;
    pthread_mutex_unlock(&channel->session->lock);
    end_with(channel);
}

/* ---- What passes through: counting, and the first bytes for messages ---- */

static enum sm_status tap_receive(void *self, struct sm_bytes in, uint64_t now_us, size_t *taken)
{
    struct sm_client_channel *channel = self;
    struct sm_attempt *attempt = &channel->attempt;
    size_t room = SM_FIRST_BYTES - attempt->first_size;
    enum sm_status status = sm_machine_receive(channel->machine, in, now_us, taken);
    size_t keep = in.size < room ? in.size : room;
    memcpy(attempt->first + attempt->first_size, in.data, keep);
    attempt->first_size += keep;
    atomic_fetch_add(&channel->received_bytes, *taken);
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
        end_with(channel);
        return;
    }
    sm_reason_refused(&error, &channel->attempt, event->error, event->after_ticket);
    sm_client_channel_fail(channel, &error);
}

static void link_done(struct sm_client_channel *channel, const struct sm_link_client_event *event)
{
    struct sm_session *session = channel->session;
    struct sm_machine machine;
    enum sm_status status = channel->ops->open(channel, event, &machine);
    if (status != SM_OK) {
        struct sm_error error;
        sm_reason_channel(&error, &channel->attempt, status, "the channel cannot be set up");
        sm_client_channel_fail(channel, &error);
        return;
    }
    pthread_mutex_lock(&session->lock);
    channel->state = SM_CLIENT_CHANNEL_OPEN;
    channel->common_caps = event->common_caps;
    channel->channel_caps = event->channel_caps;
    channel->is_secure = channel->attempt.is_secure;
    pthread_mutex_unlock(&session->lock);
    sm_link_client_destroy(channel->link);
    channel->link = NULL;
    sm_client_sasl_finish(channel);
    channel->machine = machine;
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

/* All is sent: tell the server that nothing more comes, and go on reading. */
static void half_close(struct sm_client_channel *channel)
{
    if (!channel->is_finishing || channel->is_half_closed ||
        sm_machine_pending(channel->machine).size > 0)
        return;
    channel->is_half_closed = true;
    (void)shutdown(sm_pump_transport(channel->pump)->fd, SHUT_WR);
}

static void on_activity(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    if (channel->is_over)
        return;
    if (channel->link)
        link_activity(channel);
    if (channel->link || channel->is_over)
        return;
    enum sm_status status = channel->ops->activity(channel);
    if (status < 0) {
        struct sm_error error;
        sm_reason_channel(&error, &channel->attempt, status, channel->ops->reason(channel));
        sm_client_channel_fail(channel, &error);
        return;
    }
    half_close(channel);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_client_channel *channel = opaque;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    if (channel->is_over)
        return;
    if (status == SM_ERR_IO && channel->link && sm_client_sasl_was_refused(channel))
        return;
    struct sm_transport *transport = sm_pump_transport(channel->pump);
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
        .channel_caps = channel->ops->caps(session),
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
    const struct sm_session_settings *s = &channel->session->settings;
    if (s->unix_path) {
        (void)snprintf(channel->place, sizeof(channel->place), "%s", s->unix_path);
    } else {
        bool is_ipv6 = strchr(s->host, ':') != NULL;
        (void)snprintf(channel->place, sizeof(channel->place), is_ipv6 ? "[%s]:%u" : "%s:%u",
                       s->host, is_secure ? s->tls_port : s->port);
    }
    channel->attempt = (struct sm_attempt){
        .place = channel->place,
        .host = s->host,
        .channel = sm_channel_kind_name(channel->kind),
        .is_unix = s->unix_path != NULL,
        .is_secure = is_secure,
        .has_tls_port = s->tls_port != 0,
        .has_password = s->password && s->password[0],
        .has_user = s->user != NULL,
        .timeout_ms = s->timeout_ms,
    };
}

/* One connection, from connecting to its end. */
static void live(struct sm_client_channel *channel, bool is_secure)
{
    struct sm_error error;
    uint64_t now_us = sm_now_us();
    uint64_t deadline_us = now_us + (uint64_t)channel->session->settings.timeout_ms * 1000;
    prepare_attempt(channel, is_secure);
    if (is_secure && !channel->attempt.has_tls_port) {
        sm_reason_refused(&error, &channel->attempt, SM_LINK_ERR_NEED_SECURED, false);
        sm_client_channel_fail(channel, &error);
        return;
    }
    struct sm_transport *transport;
    if (sm_connect(&transport, channel->session, &channel->attempt, deadline_us, channel->cancel_fd,
                   &error) != SM_OK) {
        sm_client_channel_fail(channel, &error);
        return;
    }
    enum sm_status status = start_link(channel, deadline_us, sm_now_us());
    if (status == SM_OK)
        status = sm_pump_create(&channel->pump, sm_epoll_loop_base(channel->loop), transport,
                                (struct sm_machine){&TAP, channel}, (struct sm_bytes){0},
                                &PUMP_CALLBACKS, channel);
    if (status != SM_OK) {
        sm_transport_destroy(transport);
        (void)sm_error_nomem(&error);
        sm_client_channel_fail(channel, &error);
        return;
    }
    while (!channel->is_over && !atomic_load(&channel->is_stopped))
        sm_epoll_loop_run(channel->loop);
    sm_pump_destroy(channel->pump);
    channel->pump = NULL;
    sm_link_client_destroy(channel->link);
    channel->link = NULL;
    sm_client_sasl_finish(channel);
}

static bool wants_tls(const struct sm_client_channel *channel)
{
    const struct sm_session_settings *s = &channel->session->settings;
    return !s->unix_path && (s->port == 0 || s->secure_channels & 1u << channel->kind);
}

static void *run(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    struct sm_session *session = channel->session;
    live(channel, wants_tls(channel));
    if (channel->needs_tls && !atomic_load(&channel->is_stopped)) {
        sm_log_at(&session->log, SM_LOG_INFO, "%s channel %u: again over TLS",
                  channel->attempt.channel, channel->id);
        channel->is_over = false;
        live(channel, true);
    }
    if (channel->ops->closed)
        channel->ops->closed(channel);

    pthread_mutex_lock(&session->lock);
    channel->state = SM_CLIENT_CHANNEL_CLOSED;
    if (atomic_load(&session->is_closing))
        channel->error = (struct sm_error){.kind = SM_ERROR_NONE};
    pthread_mutex_unlock(&session->lock);
    sm_session_progress(session); /* nobody is to wait for a channel that is gone */
    /* See sm_session_close(): the flag is looked at after the channel is no longer open. */
    if (channel->kind == SM_CHANNEL_KIND_INPUTS && atomic_load(&session->is_closing))
        sm_client_channel_stop(session->channels[0]);
    sm_log_at(&session->log, SM_LOG_INFO, "%s channel %u is closed%s%s", channel->attempt.channel,
              channel->id, channel->error.cause[0] ? ": " : "", channel->error.cause);
    sm_session_tell(
        session, channel->kind == SM_CHANNEL_KIND_MAIN ? SM_EVENT_CLOSED : SM_EVENT_CHANNEL_CLOSED,
        channel);
    return NULL;
}

static void on_finish_timer(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    sm_client_channel_fail(channel, &(struct sm_error){.kind = SM_ERROR_NONE});
}

void sm_client_channel_finish(struct sm_client_channel *channel)
{
    if (channel->is_finishing || channel->is_over)
        return;
    channel->is_finishing = true;
    if (!channel->pump || channel->link) {
        sm_client_channel_fail(channel, &(struct sm_error){.kind = SM_ERROR_NONE});
        return;
    }
    sm_loop_timer_start(sm_epoll_loop_base(channel->loop), channel->finish_timer, FINISH_MS);
    half_close(channel);
    sm_pump_kick(channel->pump);
}

void sm_client_channel_kick(struct sm_client_channel *channel)
{
    if (channel->pump)
        sm_pump_kick(channel->pump);
}

/* ---- Waiting for each other ---- */

static void resume_call(struct sm_client_channel *channel, const void *argument)
{
    (void)argument;
    if (channel->ops->resume && atomic_load(&channel->is_waiting))
        channel->ops->resume(channel);
}

void sm_session_progress(struct sm_session *session)
{
    if (atomic_load(&session->waiting_count) == 0)
        return;
    struct sm_client_channel *waiting[SM_SESSION_CHANNELS_MAX];
    size_t count = 0;
    pthread_mutex_lock(&session->lock);
    for (size_t i = 0; i < session->channel_count; i++)
        if (atomic_load(&session->channels[i]->is_waiting))
            waiting[count++] = session->channels[i];
    pthread_mutex_unlock(&session->lock);
    /* One that has just closed or lacks memory waits no longer than its own limit. */
    for (size_t i = 0; i < count; i++)
        (void)!sm_client_channel_post(waiting[i], resume_call, NULL, 0);
}

void sm_client_channel_handled(struct sm_client_channel *channel, uint64_t serial)
{
    atomic_store(&channel->handled_serial, serial);
    sm_session_progress(channel->session);
}

/* ---- From other threads ---- */

static void run_calls(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    pthread_mutex_lock(&channel->calls_lock);
    struct sm_client_call *call = channel->calls;
    channel->calls = NULL;
    channel->calls_end = &channel->calls;
    channel->call_count = 0;
    pthread_mutex_unlock(&channel->calls_lock);
    while (call) {
        struct sm_client_call *next = call->next;
        if (!channel->is_over)
            call->func(channel, call->argument);
        free(call);
        call = next;
    }
    sm_client_channel_kick(channel);
}

enum sm_status sm_client_channel_post(struct sm_client_channel *channel,
                                      void (*func)(struct sm_client_channel *channel,
                                                   const void *argument),
                                      const void *argument, size_t size)
{
    if (!sm_client_channel_is_open(channel))
        return SM_ERR_STATE;
    struct sm_client_call *call = malloc(sizeof(*call) + size);
    if (!call)
        return SM_ERR_NOMEM;
    call->next = NULL;
    call->func = func;
    if (size)
        memcpy(call->argument, argument, size);

    pthread_mutex_lock(&channel->calls_lock);
    enum sm_status status = channel->call_count < CALLS_MAX ? SM_OK : SM_ERR_LIMIT;
    if (status == SM_OK && !channel->calls)
        status = sm_epoll_loop_post(channel->loop, run_calls, channel);
    if (status == SM_OK) {
        *channel->calls_end = call;
        channel->calls_end = &call->next;
        channel->call_count++;
    }
    pthread_mutex_unlock(&channel->calls_lock);
    if (status != SM_OK)
        free(call);
    return status;
}

bool sm_client_channel_is_open(struct sm_client_channel *channel)
{
    pthread_mutex_lock(&channel->session->lock);
    bool is_open = channel->state == SM_CLIENT_CHANNEL_OPEN;
    pthread_mutex_unlock(&channel->session->lock);
    return is_open;
}

void sm_client_channel_stop(struct sm_client_channel *channel)
{
    atomic_store(&channel->is_stopped, true);
    uint64_t one = 1;
    ssize_t written = write(channel->cancel_fd, &one, sizeof(one));
    (void)written; /* a full counter is readable all the same */
    sm_epoll_loop_stop(channel->loop);
}

/* ---- Making ---- */

static int start_thread(struct sm_client_channel *channel)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are our host's affair, not ours */
    int result = pthread_create(&channel->thread, NULL, run, channel);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return result;
}

enum sm_status sm_client_channel_start(struct sm_client_channel **out, struct sm_session *session,
                                       enum sm_channel_kind kind, uint8_t id)
{
    const struct sm_client_channel_ops *ops = sm_client_channel_ops_of(kind);
    if (!ops)
        return SM_ERR_STATE;
    struct sm_client_channel *channel = calloc(1, sizeof(*channel));
    if (!channel)
        return SM_ERR_NOMEM;
    channel->ops = ops;
    channel->session = session;
    channel->kind = kind;
    channel->id = id;
    channel->calls_end = &channel->calls;
    pthread_mutex_init(&channel->calls_lock, NULL);
    channel->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum sm_status status = channel->cancel_fd >= 0 ? SM_OK : SM_ERR_IO;
    if (status == SM_OK)
        status = sm_epoll_loop_create(&channel->loop);
    if (status == SM_OK) {
        channel->finish_timer =
            sm_loop_timer_add(sm_epoll_loop_base(channel->loop), on_finish_timer, channel);
        status = channel->finish_timer ? SM_OK : SM_ERR_NOMEM;
    }
    if (status == SM_OK && start_thread(channel) != 0)
        status = SM_ERR_IO;
    if (status != SM_OK) {
        sm_client_channel_destroy(channel);
        return status;
    }
    channel->is_started = true;
    *out = channel;
    return SM_OK;
}

void sm_client_channel_join(struct sm_client_channel *channel)
{
    if (channel->is_started)
        pthread_join(channel->thread, NULL);
    channel->is_started = false;
}

void sm_client_channel_destroy(struct sm_client_channel *channel)
{
    if (!channel)
        return;
    channel->ops->destroy(channel);
    if (channel->loop) {
        sm_loop_timer_remove(sm_epoll_loop_base(channel->loop), channel->finish_timer);
        sm_epoll_loop_destroy(channel->loop);
    }
    for (struct sm_client_call *call = channel->calls, *next; call; call = next) {
        next = call->next;
        free(call);
    }
    if (channel->cancel_fd >= 0)
        close(channel->cancel_fd);
    pthread_mutex_destroy(&channel->calls_lock);
    free(channel);
}
