/* SPDX-License-Identifier: MIT */
#include "client/events.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/geometry.h"
#include "io/clock.h"

enum sm_status sm_events_init(struct sm_events *events)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return SM_ERR_IO;
    memset(events, 0, sizeof(*events));
    pthread_mutex_init(&events->lock, NULL);
    events->fd = fd;
    return SM_OK;
}

void sm_events_finish(struct sm_events *events)
{
    close(events->fd);
    pthread_mutex_destroy(&events->lock);
}

static void raise_fd(struct sm_events *events)
{
    uint64_t one = 1;
    ssize_t written = write(events->fd, &one, sizeof(one));
    (void)written; /* a full counter is readable all the same */
}

static void lower_fd(struct sm_events *events)
{
    uint64_t count;
    ssize_t got = read(events->fd, &count, sizeof(count));
    (void)got; /* it may not have been raised */
}

static bool is_mergeable(enum sm_event_kind kind)
{
    return kind == SM_EVENT_INFO || kind == SM_EVENT_DISPLAY_CONFIG ||
           kind == SM_EVENT_DISPLAY_DAMAGE || kind == SM_EVENT_CURSOR ||
           kind == SM_EVENT_CLIPBOARD_OFFER || kind == SM_EVENT_CLIPBOARD_WANTED ||
           kind == SM_EVENT_CLIPBOARD_DATA || kind == SM_EVENT_CLIPBOARD_PROGRESS ||
           kind == SM_EVENT_FILES || kind == SM_EVENT_FOLDER || kind == SM_EVENT_PORT ||
           kind == SM_EVENT_USB || kind == SM_EVENT_SMARTCARD || kind == SM_EVENT_PEOPLE ||
           kind == SM_EVENT_SOUND || kind == SM_EVENT_SOUND_DATA;
}

static bool merge(struct sm_events *events, const struct sm_event *event)
{
    if (!is_mergeable(event->kind))
        return false;
    for (size_t i = 0; i < events->count; i++) {
        struct sm_event *waiting = &events->ring[(events->first + i) % SM_EVENTS_MAX];
        if (waiting->kind == event->kind && waiting->channel == event->channel &&
            waiting->channel_id == event->channel_id) {
            waiting->damage = sm_rect_unite(waiting->damage, event->damage);
            return true;
        }
    }
    return false;
}

/* The text of a notice moves into a slot of ours; false if all are taken. */
static bool keep_notice(struct sm_events *events, struct sm_event *event)
{
    for (size_t i = 0; i < SM_NOTICES_MAX; i++) {
        if (events->is_notice_used[i])
            continue;
        events->is_notice_used[i] = true;
        (void)snprintf(events->notices[i], SM_NOTICE_SIZE, "%s", event->text);
        event->text = events->notices[i];
        return true;
    }
    return false;
}

/* The same for an error, whose channel may soon have another one. */
static bool keep_error(struct sm_events *events, struct sm_event *event)
{
    struct sm_error *slot = event->kind == SM_EVENT_CLOSED ? &events->closed_error : NULL;
    for (size_t i = 0; !slot && i < SM_EVENT_ERRORS_MAX; i++) {
        if (events->is_error_used[i])
            continue;
        events->is_error_used[i] = true;
        slot = &events->errors[i];
    }
    if (!slot)
        return false;
    *slot = *event->error;
    event->error = slot;
    return true;
}

/* Whether it is the only one now. */
static bool append(struct sm_events *events, struct sm_event event)
{
    /* The last place is kept for CLOSED. */
    size_t room = event.kind == SM_EVENT_CLOSED ? SM_EVENTS_MAX : SM_EVENTS_MAX - 1;
    if (events->count >= room || (event.kind == SM_EVENT_NOTICE && !keep_notice(events, &event)) ||
        (event.error && !keep_error(events, &event))) {
        events->dropped++;
        return false;
    }
    events->ring[(events->first + events->count++) % SM_EVENTS_MAX] = event;
    return events->count == 1;
}

void sm_events_put(struct sm_events *events, const struct sm_event *event)
{
    pthread_mutex_lock(&events->lock);
    bool is_first = !events->is_over && !merge(events, event) && append(events, *event);
    if (event->kind == SM_EVENT_CLOSED)
        events->is_over = true;
    pthread_mutex_unlock(&events->lock);
    /*
     * Not with the lock held: who is woken would wait for it at once. It may have been taken by
     * now, then the descriptor is readable for nothing once.
     */
    if (is_first)
        raise_fd(events);
}

static void hand_out_notice(struct sm_events *events, struct sm_event *event)
{
    if (event->kind != SM_EVENT_NOTICE)
        return;
    for (size_t i = 0; i < SM_NOTICES_MAX; i++)
        if (event->text == events->notices[i])
            events->is_notice_used[i] = false;
    memcpy(events->pulled_notice, event->text, SM_NOTICE_SIZE);
    event->text = events->pulled_notice;
}

static void hand_out_error(struct sm_events *events, struct sm_event *event)
{
    if (!event->error)
        return;
    for (size_t i = 0; i < SM_EVENT_ERRORS_MAX; i++)
        if (event->error == &events->errors[i])
            events->is_error_used[i] = false;
    events->pulled_error = *event->error;
    event->error = &events->pulled_error;
}

/* Takes what is there. `is_awake` tells that a wake was due instead. */
static bool take(struct sm_events *events, struct sm_event *out, bool *is_awake)
{
    pthread_mutex_lock(&events->lock);
    bool is_taken = false;
    *is_awake = atomic_exchange(&events->is_wake_due, false);
    if (!*is_awake && events->count > 0) {
        *out = events->ring[events->first];
        events->first = (events->first + 1) % SM_EVENTS_MAX;
        events->count--;
        hand_out_notice(events, out);
        hand_out_error(events, out);
        is_taken = true;
    }
    if (events->count == 0)
        lower_fd(events);
    /* A wake between the exchange and the lowering must not be lost. */
    if (atomic_load(&events->is_wake_due))
        raise_fd(events);
    pthread_mutex_unlock(&events->lock);
    return is_taken;
}

static bool is_finished(struct sm_events *events)
{
    pthread_mutex_lock(&events->lock);
    bool is_finished = events->is_over && events->count == 0;
    pthread_mutex_unlock(&events->lock);
    return is_finished;
}

bool sm_events_wait(struct sm_events *events, int timeout_ms, struct sm_event *out)
{
    uint64_t deadline_us = sm_now_us() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000;
    for (;;) {
        bool is_awake;
        if (take(events, out, &is_awake))
            return true;
        uint64_t now_us = sm_now_us();
        if (is_awake || is_finished(events) || (timeout_ms >= 0 && now_us >= deadline_us))
            return false;
        int wait_ms = timeout_ms < 0 ? -1 : (int)((deadline_us - now_us + 999) / 1000);
        struct pollfd waiting = {.fd = events->fd, .events = POLLIN};
        (void)poll(&waiting, 1, wait_ms); /* an interruption shows in the next round */
    }
}

void sm_events_wake(struct sm_events *events)
{
    atomic_store(&events->is_wake_due, true);
    int saved = errno; /* we may be in a signal handler */
    raise_fd(events);
    errno = saved;
}
