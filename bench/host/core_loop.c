/* SPDX-License-Identifier: MIT */
#include "bench/host/core_loop.h"

#include <stdlib.h>

struct SpiceWatch {
    struct sm_watch *watch;
    int fd;
    SpiceWatchFunc func;
    void *opaque;
};

static struct sm_epoll_loop *the_loop; /* the interface's functions have no context */

static struct sm_loop base(void)
{
    return sm_epoll_loop_base(the_loop);
}

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    return (SpiceTimer *)sm_loop_timer_add(base(), func, opaque);
}

static void timer_start(SpiceTimer *timer, uint32_t ms)
{
    sm_loop_timer_start(base(), (struct sm_timer *)timer, ms);
}

static void timer_cancel(SpiceTimer *timer)
{
    sm_loop_timer_cancel(base(), (struct sm_timer *)timer);
}

static void timer_remove(SpiceTimer *timer)
{
    sm_loop_timer_remove(base(), (struct sm_timer *)timer);
}

static void on_watch(void *opaque, unsigned events)
{
    SpiceWatch *watch = opaque;
    watch->func(watch->fd, (int)events, watch->opaque); /* the masks have the same values */
}

static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
    SpiceWatch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (SpiceWatch){.fd = fd, .func = func, .opaque = opaque};
    watch->watch = sm_loop_watch_add(base(), fd, (unsigned)mask, on_watch, watch);
    return watch;
}

static void watch_update_mask(SpiceWatch *watch, int mask)
{
    sm_loop_watch_update(base(), watch->watch, (unsigned)mask);
}

static void watch_remove(SpiceWatch *watch)
{
    sm_loop_watch_remove(base(), watch->watch);
    free(watch); /* on_watch() does not touch it after the callback */
}

static SpiceCoreInterface core = {
    .base = {.type = SPICE_INTERFACE_CORE,
             .description = "bench",
             .major_version = SPICE_INTERFACE_CORE_MAJOR,
             .minor_version = SPICE_INTERFACE_CORE_MINOR},
    .timer_add = timer_add,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .timer_remove = timer_remove,
    .watch_add = watch_add,
    .watch_update_mask = watch_update_mask,
    .watch_remove = watch_remove,
};

SpiceCoreInterface *sm_bench_core_interface(struct sm_epoll_loop *loop)
{
    the_loop = loop;
    return &core;
}
