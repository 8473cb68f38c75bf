/* SPDX-License-Identifier: MIT */
/*
 * The events of a session on their way from its channels to whoever pulls them. Putting never
 * allocates: events about the same thing are merged, so their number is bounded.
 */
#ifndef SM_CLIENT_EVENTS_H
#define SM_CLIENT_EVENTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "sumac/session.h"

enum {
    SM_EVENTS_MAX = 512,
    SM_NOTICES_MAX = 16,
    SM_NOTICE_SIZE = 256,     /* bytes with the NUL */
    SM_EVENT_ERRORS_MAX = 64, /* that wait, besides that of CLOSED */
};

/** Thread: any, except sm_events_wait(), which one thread at a time calls. */
struct sm_events {
    pthread_mutex_t lock;
    int fd; /* eventfd: readable while events wait or a wake is due */
    atomic_bool is_wake_due;
    struct sm_event ring[SM_EVENTS_MAX];
    size_t first, count;
    size_t dropped; /* for want of room */
    bool is_over;   /* CLOSED was put: nothing may follow */
    char notices[SM_NOTICES_MAX][SM_NOTICE_SIZE];
    bool is_notice_used[SM_NOTICES_MAX];
    struct sm_error errors[SM_EVENT_ERRORS_MAX], closed_error;
    bool is_error_used[SM_EVENT_ERRORS_MAX];
    char pulled_notice[SM_NOTICE_SIZE]; /* of the event handed out last */
    struct sm_error pulled_error;       /* likewise */
};

/** @return SM_OK; SM_ERR_IO if the kernel gives no descriptor */
SM_NODISCARD enum sm_status sm_events_init(struct sm_events *events);
void sm_events_finish(struct sm_events *events);

/**
 * Puts `event` last, or merges it with one that waits. A NOTICE's text is copied and cut, an
 * error is copied; what has no room for these is dropped. Nothing follows a CLOSED.
 */
void sm_events_put(struct sm_events *events, const struct sm_event *event);

/** See sm_session_wait_event(). */
bool sm_events_wait(struct sm_events *events, int timeout_ms, struct sm_event *out);

/** See sm_session_wake(). */
void sm_events_wake(struct sm_events *events);

#endif
