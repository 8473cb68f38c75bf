/* SPDX-License-Identifier: MIT */
#include "client/channel_thread.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/channel_link.h"
#include "client/session_private.h"

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

void sm_client_channel_end(struct sm_client_channel *channel)
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
    sm_client_channel_end(channel);
}

static bool wants_tls(const struct sm_client_channel *channel)
{
    const struct sm_session_settings *s = &channel->session->settings;
    const struct sm_target *t = channel->target;
    bool is_asked = s->secure_channels & 1u << channel->kind;
    return s->connector ? is_asked : !t->unix_path && (t->port == 0 || is_asked);
}

/* One connection, or two if the server wants TLS after all. */
static void live(struct sm_client_channel *channel)
{
    channel->is_over = channel->needs_tls = channel->was_cut = false;
    channel->is_finishing = channel->is_half_closed = false;
    sm_client_channel_live(channel, channel->ready.transport ? channel->ready.is_secure
                                                             : wants_tls(channel));
    if (!channel->needs_tls || atomic_load(&channel->is_stopped))
        return;
    sm_log_at(&channel->session->log, SM_LOG_INFO, "%s channel %u: again over TLS",
              channel->attempt.channel, channel->id);
    channel->is_over = false;
    sm_client_channel_live(channel, true);
}

static void set_closed(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    pthread_mutex_lock(&session->lock);
    channel->state = SM_CLIENT_CHANNEL_CLOSED;
    if (atomic_load(&session->is_closing))
        channel->error = (struct sm_error){.kind = SM_ERROR_NONE};
    pthread_mutex_unlock(&session->lock);
}

/* What was asked of a connection is not asked of the next one. */
static void drop_calls(struct sm_client_channel *channel)
{
    pthread_mutex_lock(&channel->calls_lock);
    struct sm_client_call *call = channel->calls;
    channel->calls = NULL;
    channel->calls_end = &channel->calls;
    channel->call_count = 0;
    pthread_mutex_unlock(&channel->calls_lock);
    while (call) {
        struct sm_client_call *next = call->next;
        free(call);
        call = next;
    }
}

/* The life of the main channel has as many connections as there are lines that come back. */
static void run_main(struct sm_client_channel *channel)
{
    bool goes_on;
    do {
        drop_calls(channel);
        sm_migration_hand_over(channel);
        live(channel);
        bool is_due = sm_comeback_begin(channel);
        if (!channel->session->comeback.is_switching)
            sm_migration_cancel(channel->session);
        channel->ops->closed(channel);
        set_closed(channel);
        sm_client_files_end(channel); /* of those given while it closed */
        sm_session_progress(channel->session);
        goes_on = is_due && sm_comeback_wait(channel);
    } while (goes_on);
    set_closed(channel); /* the wait may have been cancelled */
}

static void run_other(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    live(channel);
    if (channel->ops->closed)
        channel->ops->closed(channel);
    set_closed(channel);
    sm_migration_stays(channel);
    sm_session_progress(session); /* nobody is to wait for a channel that is gone */
    /* See sm_session_close(): the flag is looked at after the channel is no longer open. */
    if (channel->kind == SM_CHANNEL_KIND_INPUTS && atomic_load(&session->is_closing))
        sm_client_channel_stop(session->channels[0]);
}

static void run_link(struct sm_client_channel *channel)
{
    live(channel);
    bool is_up = channel->ready.transport != NULL;
    if (!is_up)
        sm_log_at(&channel->session->log, SM_LOG_WARNING, "no link to the machine's new host: %s",
                  channel->error.cause);
    atomic_store(&channel->link_state, is_up ? SM_CLIENT_LINK_UP : SM_CLIENT_LINK_FAILED);
    sm_migration_linked(channel->session);
}

static void *run(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    struct sm_session *session = channel->session;
    if (channel->is_link) {
        run_link(channel);
        return NULL;
    }
    bool is_main = channel->kind == SM_CHANNEL_KIND_MAIN;
    if (is_main)
        run_main(channel);
    else
        run_other(channel);
    sm_log_at(&session->log, SM_LOG_INFO, "%s channel %u is closed%s%s", channel->attempt.channel,
              channel->id, channel->error.cause[0] ? ": " : "", channel->error.cause);
    /* A session that comes back tells of the line as a whole. */
    if (is_main)
        sm_session_tell(session, SM_EVENT_CLOSED, channel);
    else if (!sm_comeback_was_cut(channel) && !atomic_load(&session->comeback.is_due))
        sm_session_tell(session, SM_EVENT_CHANNEL_CLOSED, channel);
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
    sm_client_channel_half_close(channel);
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

void sm_ready_link_drop(struct sm_ready_link *ready)
{
    sm_transport_destroy(ready->transport);
    free(ready->received);
    *ready = (struct sm_ready_link){.transport = NULL};
}

static int start_thread(struct sm_client_channel *channel)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are our host's affair, not ours */
    int result = pthread_create(&channel->thread, NULL, run, channel);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return result;
}

static enum sm_status start(struct sm_client_channel **out, struct sm_session *session,
                            enum sm_channel_kind kind, uint8_t id, const struct sm_target *target,
                            bool is_link)
{
    const struct sm_client_channel_ops *ops = sm_client_channel_ops_of(kind);
    if (!ops)
        return SM_ERR_STATE;
    struct sm_client_channel *channel = calloc(1, sizeof(*channel));
    if (!channel)
        return SM_ERR_NOMEM;
    channel->ops = ops;
    channel->session = session;
    channel->target = target;
    channel->is_link = is_link;
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

enum sm_status sm_client_channel_start(struct sm_client_channel **out, struct sm_session *session,
                                       enum sm_channel_kind kind, uint8_t id)
{
    return start(out, session, kind, id, session->target, false);
}

enum sm_status sm_client_channel_start_link(struct sm_client_channel **out,
                                            struct sm_session *session, enum sm_channel_kind kind,
                                            uint8_t id, const struct sm_target *target)
{
    return start(out, session, kind, id, target, true);
}

enum sm_status sm_client_channel_restart(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    uint64_t count;
    ssize_t got = read(channel->cancel_fd, &count, sizeof(count));
    (void)got; /* it ended by itself, then */
    drop_calls(channel);
    atomic_store(&channel->is_stopped, false);
    atomic_store(&channel->handled_serial, 0);
    pthread_mutex_lock(&session->lock);
    channel->state = SM_CLIENT_CHANNEL_CONNECTING;
    channel->error = (struct sm_error){.kind = SM_ERROR_NONE};
    channel->target = session->target;
    pthread_mutex_unlock(&session->lock);
    channel->is_started = start_thread(channel) == 0;
    return channel->is_started ? SM_OK : SM_ERR_IO;
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
    sm_ready_link_drop(&channel->ready);
    sm_ready_link_drop(&channel->next);
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
