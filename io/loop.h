/* SPDX-License-Identifier: MIT */
/*
 * What an event loop offers: watches on descriptors and one-shot timers. Two loops have this shape:
 * our own (io/epoll_loop.h) and the one a host lends to the server library.
 *
 * Callbacks run on the loop's thread. Inside any callback, every watch and timer of the loop may be
 * changed or removed, its own included; after a removal its callback is not called again.
 */
#ifndef SM_IO_LOOP_H
#define SM_IO_LOOP_H

#include <stdint.h>

#include "sumac/status.h"

/** Conditions of a descriptor, as a mask. Errors and hang-ups are reported as both. */
enum sm_io_events {
    SM_IO_READ = 1,
    SM_IO_WRITE = 2,
};

struct sm_watch; /* of the loop that made it */
struct sm_timer;

typedef void sm_watch_func(void *opaque, unsigned events);
typedef void sm_timer_func(void *opaque);

/** A loop's functions; each takes the loop's context first. NULL results mean out of memory. */
struct sm_loop_ops {
    struct sm_watch *(*watch_add)(void *context, int fd, unsigned events, sm_watch_func *func,
                                  void *opaque);
    void (*watch_update)(void *context, struct sm_watch *watch, unsigned events);
    void (*watch_remove)(void *context, struct sm_watch *watch);
    struct sm_timer *(*timer_add)(void *context, sm_timer_func *func, void *opaque);
    void (*timer_start)(void *context, struct sm_timer *timer, uint32_t delay_ms);
    void (*timer_cancel)(void *context, struct sm_timer *timer);
    void (*timer_remove)(void *context, struct sm_timer *timer);
};

/** A loop; a small value to be copied, borrowing its context. */
struct sm_loop {
    const struct sm_loop_ops *ops;
    void *context;
};

/** Watches `fd`, which stays the caller's, for `events` (0: for none yet). */
static inline struct sm_watch *sm_loop_watch_add(struct sm_loop loop, int fd, unsigned events,
                                                 sm_watch_func *func, void *opaque)
{
    return loop.ops->watch_add(loop.context, fd, events, func, opaque);
}

static inline void sm_loop_watch_update(struct sm_loop loop, struct sm_watch *watch,
                                        unsigned events)
{
    loop.ops->watch_update(loop.context, watch, events);
}

/** Ends a watch; must come before the descriptor is closed. NULL does nothing. */
static inline void sm_loop_watch_remove(struct sm_loop loop, struct sm_watch *watch)
{
    if (watch)
        loop.ops->watch_remove(loop.context, watch);
}

/** A timer that is not running. */
static inline struct sm_timer *sm_loop_timer_add(struct sm_loop loop, sm_timer_func *func,
                                                 void *opaque)
{
    return loop.ops->timer_add(loop.context, func, opaque);
}

/** Runs `timer` once after `delay_ms`, replacing an earlier start; 0 is the next iteration. */
static inline void sm_loop_timer_start(struct sm_loop loop, struct sm_timer *timer,
                                       uint32_t delay_ms)
{
    loop.ops->timer_start(loop.context, timer, delay_ms);
}

static inline void sm_loop_timer_cancel(struct sm_loop loop, struct sm_timer *timer)
{
    loop.ops->timer_cancel(loop.context, timer);
}

/** Ends and frees a timer. NULL does nothing. */
static inline void sm_loop_timer_remove(struct sm_loop loop, struct sm_timer *timer)
{
    if (timer)
        loop.ops->timer_remove(loop.context, timer);
}

#endif
