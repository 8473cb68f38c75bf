/* SPDX-License-Identifier: MIT */
#include "io/epoll_loop.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/list.h"
#include "io/clock.h"

enum { EVENTS_A_ROUND = 64 };

struct sm_watch {
    struct sm_list link; /* in `watches`, or in `graveyard` once removed */
    int fd;
    unsigned events;
    bool is_removed, is_registered;
    sm_watch_func *func;
    void *opaque;
};

struct sm_timer {
    struct sm_list link; /* in `timers`, soonest first, while running; else alone */
    uint64_t due_us;
    sm_timer_func *func;
    void *opaque;
};

struct posted {
    struct sm_list link;
    void (*func)(void *opaque);
    void *opaque;
};

struct sm_epoll_loop {
    int epoll_fd, wake_fd;
    struct sm_list watches;
    struct sm_list graveyard; /* removed watches that the running round may still name */
    struct sm_list timers;
    struct sm_list idle_timers;
    pthread_mutex_t lock; /* guards the two below */
    struct sm_list posts;
    bool is_stopped;
};

static void wake(struct sm_epoll_loop *loop)
{
    uint64_t one = 1;
    ssize_t ignored = write(loop->wake_fd, &one, sizeof(one)); /* full means awake already */
    (void)ignored;
}

static uint32_t epoll_mask(unsigned events)
{
    return (events & SM_IO_READ ? (uint32_t)EPOLLIN : 0) |
           (events & SM_IO_WRITE ? (uint32_t)EPOLLOUT : 0);
}

/*
 * A watch for nothing is taken out of the kernel's set: a hang-up is reported whether asked for or
 * not, and would spin the loop of a connection that is not being read.
 */
static bool apply(struct sm_epoll_loop *loop, struct sm_watch *watch)
{
    struct epoll_event event = {.events = epoll_mask(watch->events), .data.ptr = watch};
    if (watch->events == 0) {
        if (watch->is_registered)
            epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, &event);
        watch->is_registered = false;
        return true;
    }
    int how = watch->is_registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    watch->is_registered = epoll_ctl(loop->epoll_fd, how, watch->fd, &event) == 0;
    return watch->is_registered;
}

static struct sm_watch *watch_add(void *context, int fd, unsigned events, sm_watch_func *func,
                                  void *opaque)
{
    struct sm_epoll_loop *loop = context;
    struct sm_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (struct sm_watch){.fd = fd, .events = events, .func = func, .opaque = opaque};
    if (!apply(loop, watch)) {
        free(watch);
        return NULL;
    }
    sm_list_append(&loop->watches, &watch->link);
    return watch;
}

static void watch_update(void *context, struct sm_watch *watch, unsigned events)
{
    if (watch->events == events)
        return;
    watch->events = events;
    apply(context, watch);
}

static void watch_remove(void *context, struct sm_watch *watch)
{
    struct sm_epoll_loop *loop = context;
    watch->events = 0;
    apply(loop, watch);
    watch->is_removed = true;
    sm_list_remove(&watch->link);
    sm_list_append(&loop->graveyard, &watch->link);
}

static struct sm_timer *timer_add(void *context, sm_timer_func *func, void *opaque)
{
    struct sm_epoll_loop *loop = context;
    struct sm_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return NULL;
    *timer = (struct sm_timer){.func = func, .opaque = opaque};
    sm_list_append(&loop->idle_timers, &timer->link);
    return timer;
}

static void timer_cancel(void *context, struct sm_timer *timer)
{
    struct sm_epoll_loop *loop = context;
    sm_list_remove(&timer->link);
    sm_list_append(&loop->idle_timers, &timer->link);
}

static void timer_start(void *context, struct sm_timer *timer, uint32_t delay_ms)
{
    struct sm_epoll_loop *loop = context;
    sm_list_remove(&timer->link);
    timer->due_us = sm_now_us() + (uint64_t)delay_ms * 1000;
    struct sm_list *at = loop->timers.prev; /* most timers are the latest */
    while (at != &loop->timers && SM_LIST_ITEM(at, struct sm_timer, link)->due_us > timer->due_us)
        at = at->prev;
    sm_list_insert(at, &timer->link);
}

static void timer_remove(void *context, struct sm_timer *timer)
{
    (void)context;
    sm_list_remove(&timer->link);
    free(timer);
}

static const struct sm_loop_ops OPS = {
    .watch_add = watch_add,
    .watch_update = watch_update,
    .watch_remove = watch_remove,
    .timer_add = timer_add,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .timer_remove = timer_remove,
};

enum sm_status sm_epoll_loop_create(struct sm_epoll_loop **out)
{
    struct sm_epoll_loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return SM_ERR_NOMEM;
    sm_list_init(&loop->watches);
    sm_list_init(&loop->graveyard);
    sm_list_init(&loop->timers);
    sm_list_init(&loop->idle_timers);
    sm_list_init(&loop->posts);
    pthread_mutex_init(&loop->lock, NULL);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0) {
        sm_epoll_loop_destroy(loop);
        return SM_ERR_IO;
    }
    *out = loop;
    return SM_OK;
}

static void free_watches(struct sm_list *head)
{
    SM_LIST_FOR (link, head)
        free(SM_LIST_ITEM(link, struct sm_watch, link));
    sm_list_init(head);
}

static void free_timers(struct sm_list *head)
{
    SM_LIST_FOR (link, head)
        free(SM_LIST_ITEM(link, struct sm_timer, link));
    sm_list_init(head);
}

void sm_epoll_loop_destroy(struct sm_epoll_loop *loop)
{
    if (!loop)
        return;
    free_watches(&loop->watches);
    free_watches(&loop->graveyard);
    free_timers(&loop->timers);
    free_timers(&loop->idle_timers);
    SM_LIST_FOR (link, &loop->posts)
        free(SM_LIST_ITEM(link, struct posted, link));
    pthread_mutex_destroy(&loop->lock);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    free(loop);
}

struct sm_loop sm_epoll_loop_base(struct sm_epoll_loop *loop)
{
    return (struct sm_loop){.ops = &OPS, .context = loop};
}

static bool is_stopped(struct sm_epoll_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    bool stopped = loop->is_stopped;
    pthread_mutex_unlock(&loop->lock);
    return stopped;
}

static struct posted *take_post(struct sm_epoll_loop *loop)
{
    struct posted *post = NULL;
    pthread_mutex_lock(&loop->lock);
    if (!sm_list_is_empty(&loop->posts)) {
        post = SM_LIST_ITEM(loop->posts.next, struct posted, link);
        sm_list_remove(&post->link);
    }
    pthread_mutex_unlock(&loop->lock);
    return post;
}

static unsigned run_posts(struct sm_epoll_loop *loop)
{
    unsigned count = 0;
    struct posted *post;
    while (!is_stopped(loop) && (post = take_post(loop))) {
        post->func(post->opaque);
        free(post);
        count++;
    }
    return count;
}

/*
 * Timers due now are set apart first: one that restarts itself at once must not hold the loop. A
 * callback may still cancel or remove any of them.
 */
static unsigned run_timers(struct sm_epoll_loop *loop)
{
    struct sm_list due;
    sm_list_init(&due);
    uint64_t now = sm_now_us();
    SM_LIST_FOR (link, &loop->timers) {
        if (SM_LIST_ITEM(link, struct sm_timer, link)->due_us > now)
            break;
        sm_list_remove(link);
        sm_list_append(&due, link);
    }
    unsigned count = 0;
    while (!sm_list_is_empty(&due) && !is_stopped(loop)) {
        struct sm_timer *timer = SM_LIST_ITEM(due.next, struct sm_timer, link);
        timer_cancel(loop, timer);
        timer->func(timer->opaque);
        count++;
    }
    while (!sm_list_is_empty(&due)) { /* stopped: they stay the first */
        struct sm_list *last = due.prev;
        sm_list_remove(last);
        sm_list_insert(&loop->timers, last);
    }
    return count;
}

static int wait_ms(const struct sm_epoll_loop *loop, int timeout_ms)
{
    if (sm_list_is_empty(&loop->timers))
        return timeout_ms;
    uint64_t now = sm_now_us();
    uint64_t due = SM_LIST_ITEM(loop->timers.next, struct sm_timer, link)->due_us;
    uint64_t left_ms = due <= now ? 0 : (due - now + 999) / 1000;
    if (timeout_ms >= 0 && left_ms > (uint64_t)timeout_ms)
        return timeout_ms;
    return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

static unsigned run_watch(struct sm_watch *watch, uint32_t happened)
{
    unsigned events = 0;
    if (happened & (EPOLLIN | EPOLLHUP | EPOLLERR))
        events |= SM_IO_READ;
    if (happened & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        events |= SM_IO_WRITE;
    events &= watch->events; /* a callback of this round may have changed its mind */
    if (watch->is_removed || events == 0)
        return 0;
    watch->func(watch->opaque, events);
    return 1;
}

unsigned sm_epoll_loop_run_once(struct sm_epoll_loop *loop, int timeout_ms)
{
    if (is_stopped(loop))
        return 0;
    unsigned count = run_timers(loop) + run_posts(loop);

    struct epoll_event events[EVENTS_A_ROUND];
    int got =
        epoll_wait(loop->epoll_fd, events, EVENTS_A_ROUND, count ? 0 : wait_ms(loop, timeout_ms));
    for (int i = 0; i < got && !is_stopped(loop); i++) {
        if (events[i].data.ptr) {
            count += run_watch(events[i].data.ptr, events[i].events);
        } else {
            uint64_t drained;
            ssize_t ignored = read(loop->wake_fd, &drained, sizeof(drained));
            (void)ignored;
        }
    }
    free_watches(&loop->graveyard);
    return count + run_timers(loop) + run_posts(loop);
}

void sm_epoll_loop_run(struct sm_epoll_loop *loop)
{
    while (!is_stopped(loop))
        sm_epoll_loop_run_once(loop, -1);
    pthread_mutex_lock(&loop->lock);
    loop->is_stopped = false;
    pthread_mutex_unlock(&loop->lock);
}

void sm_epoll_loop_stop(struct sm_epoll_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->is_stopped = true;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
}

enum sm_status sm_epoll_loop_post(struct sm_epoll_loop *loop, void (*func)(void *opaque),
                                  void *opaque)
{
    struct posted *post = malloc(sizeof(*post));
    if (!post)
        return SM_ERR_NOMEM;
    *post = (struct posted){.func = func, .opaque = opaque};
    pthread_mutex_lock(&loop->lock);
    sm_list_append(&loop->posts, &post->link);
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
    return SM_OK;
}
