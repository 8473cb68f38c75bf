/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "tests/server/support/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sm_test_host *current;

struct SpiceTimer {
    struct sm_timer *timer;
};

struct SpiceWatch {
    struct sm_watch *watch;
    int fd;
    SpiceWatchFunc func;
    void *opaque;
};

static struct sm_loop loop(void)
{
    return sm_epoll_loop_base(current->loop);
}

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    SpiceTimer *timer = calloc(1, sizeof(*timer));
    assert_non_null(timer);
    timer->timer = sm_loop_timer_add(loop(), func, opaque);
    return timer;
}

static void timer_start(SpiceTimer *timer, uint32_t ms)
{
    sm_loop_timer_start(loop(), timer->timer, ms);
}

static void timer_cancel(SpiceTimer *timer)
{
    sm_loop_timer_cancel(loop(), timer->timer);
}

static void timer_remove(SpiceTimer *timer)
{
    sm_loop_timer_remove(loop(), timer->timer);
    free(timer);
}

static void on_watch(void *opaque, unsigned events)
{
    SpiceWatch *watch = opaque;
    watch->func(watch->fd, (int)events, watch->opaque);
}

static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
    SpiceWatch *watch = calloc(1, sizeof(*watch));
    assert_non_null(watch);
    *watch = (SpiceWatch){.fd = fd, .func = func, .opaque = opaque};
    watch->watch = sm_loop_watch_add(loop(), fd, (unsigned)mask, on_watch, watch);
    return watch;
}

static void watch_update_mask(SpiceWatch *watch, int mask)
{
    sm_loop_watch_update(loop(), watch->watch, (unsigned)mask);
}

static void watch_remove(SpiceWatch *watch)
{
    sm_loop_watch_remove(loop(), watch->watch);
    free(watch);
}

static void channel_event(int event, SpiceChannelEventInfo *info)
{
    switch (event) {
    case SPICE_CHANNEL_EVENT_CONNECTED:
        current->connected++;
        current->last_info = info;
        assert_int_equal(info->flags, SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT);
        assert_int_equal(info->type, 0);
        break;
    case SPICE_CHANNEL_EVENT_INITIALIZED:
        current->initialized++;
        current->last_flags = info->flags;
        assert_int_not_equal(info->connection_id, 0);
        break;
    case SPICE_CHANNEL_EVENT_DISCONNECTED:
        current->disconnected++;
        if (current->last_info == info)
            current->last_info = NULL;
        break;
    default:
        fail_msg("event %d", event);
    }
}

void sm_test_host_init(struct sm_test_host *host)
{
    *host = (struct sm_test_host){
        .core =
            {
                .base = {.type = SPICE_INTERFACE_CORE,
                         .description = "test host",
                         .major_version = SPICE_INTERFACE_CORE_MAJOR,
                         .minor_version = SPICE_INTERFACE_CORE_MINOR},
                .timer_add = timer_add,
                .timer_start = timer_start,
                .timer_cancel = timer_cancel,
                .timer_remove = timer_remove,
                .watch_add = watch_add,
                .watch_update_mask = watch_update_mask,
                .watch_remove = watch_remove,
                .channel_event = channel_event,
            },
    };
    sm_check_status(sm_epoll_loop_create(&host->loop), SM_OK);
    current = host;
}

SpiceServer *sm_test_host_server(struct sm_test_host *host)
{
    sm_test_host_init(host);
    strcpy(host->folder, "/tmp/sumac-XXXXXX");
    assert_non_null(mkdtemp(host->folder));
    snprintf(host->path, sizeof(host->path), "%s/socket", host->folder);
    SpiceServer *server = spice_server_new();
    spice_server_set_addr(server, host->path, SPICE_ADDR_FLAG_UNIX_ONLY);
    return server;
}

void sm_test_host_finish(struct sm_test_host *host)
{
    sm_epoll_loop_destroy(host->loop);
    current = NULL;
    if (!host->folder[0])
        return;
    unlink(host->path);
    assert_int_equal(rmdir(host->folder), 0);
}

void sm_test_host_run(struct sm_test_host *host, int quiet_ms)
{
    while (sm_epoll_loop_run_once(host->loop, quiet_ms) > 0)
        ;
}
