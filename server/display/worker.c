/* SPDX-License-Identifier: MIT */
/* The worker's thread, and the queue through which other threads ask it for things. */
#include "server/display/worker_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/log.h"
#include "server/session/main_queue.h"

/* ---- requests, on the side of the threads that make them ---- */

static void ring_bell(struct sm_worker *worker)
{
    uint64_t one = 1;
    while (write(worker->bell, &one, sizeof(one)) < 0 && errno == EINTR) {
        /* A full counter means that it rings already. */
    }
}

/* Queues `request` and waits until it was carried out. */
void sm_worker_call(struct sm_worker *worker, struct sm_worker_request *request)
{
    pthread_mutex_lock(&worker->lock);
    sm_list_append(&worker->requests, &request->link);
    ring_bell(worker);
    while (!request->is_done)
        pthread_cond_wait(&worker->done, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
}

void sm_worker_post(struct sm_worker *worker, const struct sm_worker_request *request)
{
    struct sm_worker_request *copy = malloc(sizeof(*copy));
    if (!copy) {
        /* Nothing may get lost, so without memory the caller waits. */
        struct sm_worker_request now = *request;
        sm_worker_call(worker, &now);
        return;
    }
    *copy = *request;
    copy->is_heap = true;
    pthread_mutex_lock(&worker->lock);
    sm_list_append(&worker->requests, &copy->link);
    pthread_mutex_unlock(&worker->lock);
    ring_bell(worker);
}

void sm_worker_wakeup(struct sm_worker *worker)
{
    if (!atomic_exchange(&worker->is_woken, true))
        ring_bell(worker);
}

void sm_worker_oom(struct sm_worker *worker)
{
    if (!atomic_exchange(&worker->is_oom, true))
        ring_bell(worker);
}

/* ---- the thread ---- */

static struct sm_worker_request *take_request(struct sm_worker *worker)
{
    struct sm_worker_request *request = NULL;
    pthread_mutex_lock(&worker->lock);
    if (!sm_list_is_empty(&worker->requests)) {
        request = SM_LIST_ITEM(worker->requests.next, struct sm_worker_request, link);
        sm_list_remove(&request->link);
    }
    pthread_mutex_unlock(&worker->lock);
    return request;
}

static void finish_request(struct sm_worker *worker, struct sm_worker_request *request)
{
    if (request->is_async && worker->config.device->async_complete)
        worker->config.device->async_complete(worker->config.device_context, request->cookie);
    if (request->is_heap) {
        free(request);
        return;
    }
    pthread_mutex_lock(&worker->lock);
    request->is_done = true;
    pthread_cond_broadcast(&worker->done);
    pthread_mutex_unlock(&worker->lock);
}

static void note(struct sm_worker *worker, enum sm_recorded_request request)
{
    if (worker->config.recorder)
        sm_recorder_request(worker->config.recorder, request);
}

static void run_requests(struct sm_worker *worker)
{
    struct sm_worker_request *request;
    while ((request = take_request(worker))) {
        note(worker, sm_worker_recorded_request(request));
        request->run(worker, request);
        finish_request(worker, request);
    }
}

static void on_bell(void *opaque, unsigned events)
{
    struct sm_worker *worker = opaque;
    uint64_t count;
    (void)events;
    worker->has_rung = true;
    while (read(worker->bell, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    /* The requests themselves wait for the turn's end: this may be a wait inside one of them. */
}

static void turn(struct sm_worker *worker)
{
    struct sm_screen *screen = &worker->screen;
    worker->has_rung = false;
    if (atomic_exchange(&worker->is_woken, false)) {
        note(worker, SM_RECORDED_WAKEUP);
        sm_screen_wake(screen);
    }
    run_requests(worker);
    if (atomic_exchange(&worker->is_oom, false)) {
        note(worker, SM_RECORDED_OOM);
        sm_screen_free_memory(screen);
    }
    int timeout_ms = sm_screen_process_rings(screen);
    sm_screen_reap(screen);
    /* A wait above may have heard the bell for something that came behind its turn. */
    if (!worker->is_quitting)
        (void)sm_epoll_loop_run_once(worker->loop, worker->has_rung ? 0 : timeout_ms);
}

static void *run(void *opaque)
{
    struct sm_worker *worker = opaque;
    while (!worker->is_quitting)
        turn(worker);
    return NULL;
}

static void wait_turn(void *opaque, int timeout_ms)
{
    struct sm_worker *worker = opaque;
    (void)sm_epoll_loop_run_once(worker->loop, timeout_ms);
}

/* ---- the primary, as others see it ---- */

static void tell_main(void *opaque)
{
    struct sm_worker *worker = opaque;
    if (worker->config.primary_changed)
        worker->config.primary_changed(worker->config.opaque);
}

static void primary_changed(void *opaque)
{
    struct sm_worker *worker = opaque;
    pthread_mutex_lock(&worker->primary_lock);
    worker->primary = worker->screen.primary;
    pthread_mutex_unlock(&worker->primary_lock);
    if (worker->config.main_queue)
        sm_main_queue_post_task(worker->config.main_queue, &worker->primary_task);
}

struct sm_worker_primary sm_worker_get_primary(const struct sm_worker *worker)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&worker->primary_lock;
    pthread_mutex_lock(lock);
    struct sm_worker_primary primary = worker->primary;
    pthread_mutex_unlock(lock);
    return primary;
}

/* ---- life ---- */

/* The host's signals are the host's affair; only those a fault raises reach the thread. */
static bool start_thread(struct sm_worker *worker)
{
    sigset_t blocked, former;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGSEGV);
    if (pthread_sigmask(SIG_SETMASK, &blocked, &former) != 0)
        return false;
    int error = pthread_create(&worker->thread, NULL, run, worker);
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (error)
        return false;
    (void)pthread_setname_np(worker->thread, "SPICE Worker");
    return true;
}

static enum sm_status start(struct sm_worker *worker)
{
    worker->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->bell < 0)
        return SM_ERR_IO;
    enum sm_status status = sm_epoll_loop_create(&worker->loop);
    if (status)
        return status;
    struct sm_loop loop = sm_epoll_loop_base(worker->loop);
    worker->bell_watch = sm_loop_watch_add(loop, worker->bell, SM_IO_READ, on_bell, worker);
    if (!worker->bell_watch)
        return SM_ERR_NOMEM;
    worker->screen.primary_changed = primary_changed;
    worker->screen.wait = wait_turn;
    worker->screen.opaque = worker;
    status = sm_screen_init(&worker->screen, &worker->config, loop);
    if (status)
        return status;
    worker->has_thread = start_thread(worker);
    return worker->has_thread ? SM_OK : SM_ERR_IO;
}

enum sm_status sm_worker_create(struct sm_worker **out, const struct sm_worker_config *config)
{
    struct sm_worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return SM_ERR_NOMEM;
    worker->config = *config;
    worker->bell = -1;
    worker->primary_task = (struct sm_main_task){.func = tell_main, .opaque = worker};
    pthread_mutex_init(&worker->lock, NULL);
    pthread_mutex_init(&worker->primary_lock, NULL);
    pthread_cond_init(&worker->done, NULL);
    sm_list_init(&worker->requests);
    sm_list_init(&worker->screen.clients);
    enum sm_status status = start(worker);
    if (status) {
        sm_worker_destroy(worker);
        return status;
    }
    *out = worker;
    return SM_OK;
}

static void quit(struct sm_worker *worker, struct sm_worker_request *request)
{
    (void)request;
    worker->is_quitting = true;
}

void sm_worker_destroy(struct sm_worker *worker)
{
    if (!worker)
        return;
    if (worker->has_thread) {
        struct sm_worker_request request = {.run = quit};
        sm_worker_call(worker, &request);
        (void)pthread_join(worker->thread, NULL);
    }
    if (worker->config.main_queue)
        sm_main_queue_cancel_task(worker->config.main_queue, &worker->primary_task);
    worker->screen.primary_changed = NULL; /* the host knows */
    sm_screen_finish(&worker->screen);
    if (worker->loop)
        sm_loop_watch_remove(sm_epoll_loop_base(worker->loop), worker->bell_watch);
    sm_epoll_loop_destroy(worker->loop);
    if (worker->bell >= 0)
        (void)close(worker->bell);
    pthread_cond_destroy(&worker->done);
    pthread_mutex_destroy(&worker->primary_lock);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
