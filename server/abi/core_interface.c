/* SPDX-License-Identifier: MIT */
#include "server/abi/core_interface.h"

#include <stdlib.h>

/* Both kinds of mask have the same bits. */
_Static_assert((int)SM_IO_READ == SPICE_WATCH_EVENT_READ, "watch masks");
_Static_assert((int)SM_IO_WRITE == SPICE_WATCH_EVENT_WRITE, "watch masks");

/*
 * What the library holds as struct sm_watch and struct sm_timer. The host's own handles stay
 * inside: its callback has another shape, and a host may hand out NULL for all it likes.
 */
struct host_watch {
    SpiceWatch *watch;
    sm_watch_func *func;
    void *opaque;
    unsigned events;
};

struct host_timer {
    SpiceTimer *timer;
};

static void on_watch(int fd, int event, void *opaque)
{
    struct host_watch *watch = opaque;
    (void)fd;
    /* The host may have noted an event before we took it out of the mask. */
    unsigned events = (unsigned)event & watch->events;
    if (events)
        watch->func(watch->opaque, events); /* may have removed the watch */
}

static struct sm_watch *watch_add(void *context, int fd, unsigned events, sm_watch_func *func,
                                  void *opaque)
{
    SpiceCoreInterface *core = context;
    struct host_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (struct host_watch){.func = func, .opaque = opaque, .events = events};
    watch->watch = core->watch_add(fd, (int)events, on_watch, watch);
    return (void *)watch;
}

static void watch_update(void *context, struct sm_watch *handle, unsigned events)
{
    SpiceCoreInterface *core = context;
    struct host_watch *watch = (void *)handle;
    if (watch->events == events)
        return;
    watch->events = events;
    core->watch_update_mask(watch->watch, (int)events);
}

static void watch_remove(void *context, struct sm_watch *handle)
{
    SpiceCoreInterface *core = context;
    struct host_watch *watch = (void *)handle;
    core->watch_remove(watch->watch);
    free(watch);
}

static struct sm_timer *timer_add(void *context, sm_timer_func *func, void *opaque)
{
    SpiceCoreInterface *core = context;
    struct host_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return NULL;
    timer->timer = core->timer_add(func, opaque);
    return (void *)timer;
}

static void timer_start(void *context, struct sm_timer *handle, uint32_t delay_ms)
{
    SpiceCoreInterface *core = context;
    core->timer_start(((struct host_timer *)(void *)handle)->timer, delay_ms);
}

static void timer_cancel(void *context, struct sm_timer *handle)
{
    SpiceCoreInterface *core = context;
    core->timer_cancel(((struct host_timer *)(void *)handle)->timer);
}

static void timer_remove(void *context, struct sm_timer *handle)
{
    SpiceCoreInterface *core = context;
    struct host_timer *timer = (void *)handle;
    core->timer_remove(timer->timer);
    free(timer);
}

struct sm_loop sm_core_interface_loop(SpiceCoreInterface *core)
{
    static const struct sm_loop_ops ops = {
        .watch_add = watch_add,
        .watch_update = watch_update,
        .watch_remove = watch_remove,
        .timer_add = timer_add,
        .timer_start = timer_start,
        .timer_cancel = timer_cancel,
        .timer_remove = timer_remove,
    };
    return (struct sm_loop){.ops = &ops, .context = core};
}
