/* SPDX-License-Identifier: MIT */
#include "client/comeback.h"

#include <poll.h>

#include "client/error.h"
#include "client/session_private.h"
#include "io/clock.h"

enum {
    /* At once, then ever later; never so late that somebody would wait for it. */
    FIRST_RETRY_MS = 100,
    /* Somebody who has come in our place has that long until the session is up; whoever is sent
     * away before has had no session that could come back. */
    FIRST_RETRY_AFTER_CLOSE_MS = 400,
    LAST_RETRY_MS = 1000,
    /* Lost again so soon after it came back: somebody else wants the machine, too. Two programs
     * that both try again would take it from each other for ever. The first life of a session does
     * not count: so it is the one that came last that keeps the machine, as people expect who go
     * from one desk to another. */
    TAKEN_US = 20 * 1000 * 1000,
    TAKEN_COUNT = 2,
};

/* Trying again helps where the network or the host went away, not where somebody said no. */
static bool may_come_back(enum sm_error_kind kind)
{
    switch (kind) {
    case SM_ERROR_CLOSED:
    case SM_ERROR_REFUSED:
    case SM_ERROR_UNREACHABLE:
    case SM_ERROR_TIMED_OUT:
    case SM_ERROR_HOST_NOT_FOUND:
    case SM_ERROR_SOCKET:
    case SM_ERROR_SESSION_GONE:
    case SM_ERROR_NOT_SPICE: /* a proxy or a tunnel that has no line itself */
    case SM_ERROR_PROXY:
    case SM_ERROR_SYSTEM: /* what else a network that comes and goes does to a connection */
    case SM_ERROR_TLS_FAILED:
        return true;
    default:
        return false;
    }
}

static bool is_wanted(const struct sm_client_channel *main)
{
    return main->session->settings.reconnect_s > 0 && !atomic_load(&main->is_stopped) &&
           !atomic_load(&main->session->is_closing);
}

/* Whether the connection that has just ended is the latest of several short ones. */
static bool is_taken_away(struct sm_client_channel *main)
{
    struct sm_comeback *c = &main->session->comeback;
    bool was_short = sm_now_us() - c->up_us < TAKEN_US;
    bool counts = c->has_returned && was_short && main->error.kind == SM_ERROR_CLOSED;
    c->short_lives = counts ? c->short_lives + 1 : 0;
    if (c->short_lives <= TAKEN_COUNT)
        return false;
    struct sm_error error;
    sm_error_set(&error, SM_ERROR_CLOSED,
                 "perhaps somebody else looks at it; it may allow one at a time",
                 "the machine ends the connection again and again");
    pthread_mutex_lock(&main->session->lock);
    main->error = error;
    pthread_mutex_unlock(&main->session->lock);
    return true;
}

bool sm_comeback_begin(struct sm_client_channel *main)
{
    struct sm_session *session = main->session;
    struct sm_comeback *c = &session->comeback;
    bool was_up = session->info.is_connected; /* our thread alone changes it */
    atomic_store(&c->is_due, false);
    if (c->is_switching) {
        bool is_due = !atomic_load(&main->is_stopped) && !atomic_load(&session->is_closing);
        atomic_store(&c->is_due, is_due);
        return is_due;
    }
    if (!is_wanted(main) || !may_come_back(main->error.kind))
        return false;
    if (was_up) {
        if (is_taken_away(main))
            return false;
        c->lost_us = sm_now_us();
        c->retry_ms = main->error.kind == SM_ERROR_CLOSED ? FIRST_RETRY_AFTER_CLOSE_MS : 0;
        atomic_store(&c->is_lost, true);
        sm_session_tell(session, SM_EVENT_LINE_LOST, main);
        sm_log_at(&session->log, SM_LOG_INFO, "the line is lost: %s", main->error.cause);
    }
    uint64_t give_up_us = c->lost_us + (uint64_t)session->settings.reconnect_s * 1000000;
    bool is_due = atomic_load(&c->is_lost) && sm_now_us() < give_up_us;
    atomic_store(&c->is_due, is_due);
    return is_due;
}

static bool pause_for(const struct sm_client_channel *main, uint32_t ms)
{
    struct pollfd cancelled = {.fd = main->cancel_fd, .events = POLLIN};
    uint64_t until_us = sm_now_us() + (uint64_t)ms * 1000;
    for (;;) {
        uint64_t now_us = sm_now_us();
        int wait_ms = now_us < until_us ? (int)((until_us - now_us + 999) / 1000) : 0;
        if (poll(&cancelled, 1, wait_ms) > 0 || atomic_load(&main->is_stopped))
            return false;
        if (sm_now_us() >= until_us)
            return true;
    }
}

/* What the last connection told is no longer so. The other channels have ended. */
static bool forget(struct sm_client_channel *main)
{
    struct sm_session *session = main->session;
    pthread_mutex_lock(&session->lock);
    session->info.has_agent = false;
    if (!session->migration.is_arriving) { /* else the list stays as it is */
        session->info.session_id = 0;
        session->is_listed = false;
        session->listed_count = 0;
    }
    main->state = SM_CLIENT_CHANNEL_CONNECTING;
    main->target = session->target;
    main->error = (struct sm_error){.kind = SM_ERROR_NONE};
    pthread_mutex_unlock(&session->lock);
    return sm_session_reset_shared(session) == SM_OK;
}

bool sm_comeback_wait(struct sm_client_channel *main)
{
    struct sm_comeback *c = &main->session->comeback;
    uint32_t ms = c->is_switching ? 0 : c->retry_ms;
    c->retry_ms = ms == 0 ? FIRST_RETRY_MS : ms * 2 > LAST_RETRY_MS ? LAST_RETRY_MS : ms * 2;
    c->is_switching = false;
    return forget(main) && pause_for(main, ms);
}

bool sm_comeback_done(struct sm_session *session)
{
    struct sm_comeback *c = &session->comeback;
    c->up_us = sm_now_us();
    atomic_store(&c->is_due, false);
    c->has_returned = atomic_exchange(&c->is_lost, false);
    return c->has_returned;
}

static void cut_call(struct sm_client_channel *main, const void *argument)
{
    sm_client_channel_fail(main, argument);
}

bool sm_comeback_was_cut(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    /* Others may be refused or reset for their own sake; these two are the session itself. */
    bool is_vital =
        channel->kind == SM_CHANNEL_KIND_DISPLAY || channel->kind == SM_CHANNEL_KIND_INPUTS;
    if (!channel->was_cut || !is_vital || session->settings.reconnect_s == 0 ||
        atomic_load(&session->is_closing))
        return false;
    /* If main is not open any more, it has found out by itself. */
    (void)!sm_client_channel_post(session->channels[0], cut_call, &channel->error,
                                  sizeof(channel->error));
    return true;
}
