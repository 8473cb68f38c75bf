/* SPDX-License-Identifier: MIT */
#include "server/session/errands.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum state {
    AT_HOME, /* the owner's: never sent, or done() was called */
    WAITING, /* for a thread */
    RUNNING,
    BACK, /* its task is in the main queue */
};

struct sm_errands {
    pthread_mutex_t lock; /* guards everything below, and every errand's private members */
    struct sm_main_queue *queue;
    unsigned max_threads, thread_count;
    bool is_ending;
    struct sm_list waiting; /* oldest first */
};

static void free_errands(struct sm_errands *errands)
{
    pthread_mutex_destroy(&errands->lock);
    free(errands);
}

static void come_back(void *opaque)
{
    struct sm_errand *errand = opaque;
    pthread_mutex_lock(&errand->errands->lock);
    errand->state = AT_HOME;
    pthread_mutex_unlock(&errand->errands->lock);
    errand->done(errand);
}

/* Runs the first that waits; the lock is held, but not meanwhile. */
static void run_first(struct sm_errands *errands)
{
    struct sm_errand *errand = SM_LIST_ITEM(errands->waiting.next, struct sm_errand, link);
    sm_list_remove(&errand->link);
    errand->state = RUNNING;
    pthread_mutex_unlock(&errands->lock);
    errand->run(errand);
    pthread_mutex_lock(&errands->lock);
    if (!errand->is_dropped) {
        errand->state = BACK;
        sm_main_queue_post_task(errands->queue, &errand->task);
        return;
    }
    pthread_mutex_unlock(&errands->lock);
    errand->free(errand);
    pthread_mutex_lock(&errands->lock);
}

static void *work(void *opaque)
{
    struct sm_errands *errands = opaque;
    pthread_mutex_lock(&errands->lock);
    while (!sm_list_is_empty(&errands->waiting))
        run_first(errands);
    bool is_last = --errands->thread_count == 0 && errands->is_ending;
    pthread_mutex_unlock(&errands->lock);
    if (is_last)
        free_errands(errands);
    return NULL;
}

/* Nobody waits for it, and the host's signals are not for it. */
static bool start_thread(struct sm_errands *errands)
{
    pthread_t id;
    pthread_attr_t attributes;
    sigset_t all, former;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &former);
    bool is_started = pthread_create(&id, &attributes, work, errands) == 0;
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    pthread_attr_destroy(&attributes);
    return is_started;
}

enum sm_status sm_errands_create(struct sm_errands **out, struct sm_main_queue *queue,
                                 unsigned max_threads)
{
    struct sm_errands *errands = calloc(1, sizeof(*errands));
    if (!errands)
        return SM_ERR_NOMEM;
    errands->queue = queue;
    errands->max_threads = max_threads;
    sm_list_init(&errands->waiting);
    pthread_mutex_init(&errands->lock, NULL);
    *out = errands;
    return SM_OK;
}

void sm_errands_destroy(struct sm_errands *errands)
{
    if (!errands)
        return;
    pthread_mutex_lock(&errands->lock);
    errands->is_ending = true;
    bool is_last = errands->thread_count == 0;
    pthread_mutex_unlock(&errands->lock);
    if (is_last)
        free_errands(errands);
}

enum sm_status sm_errands_send(struct sm_errands *errands, struct sm_errand *errand)
{
    enum sm_status status = SM_OK;
    pthread_mutex_lock(&errands->lock);
    errand->errands = errands;
    errand->task = (struct sm_main_task){.func = come_back, .opaque = errand};
    errand->state = WAITING;
    sm_list_append(&errands->waiting, &errand->link);
    if (errands->thread_count < errands->max_threads && start_thread(errands))
        errands->thread_count++;
    if (errands->thread_count == 0) {
        sm_list_remove(&errand->link);
        errand->state = AT_HOME;
        status = SM_ERR_NOMEM;
    }
    pthread_mutex_unlock(&errands->lock);
    return status;
}

void sm_errand_drop(struct sm_errand *errand)
{
    struct sm_errands *errands = errand->errands;
    if (!errands) { /* it was never sent */
        errand->free(errand);
        return;
    }
    pthread_mutex_lock(&errands->lock);
    bool is_running = errand->state == RUNNING;
    if (errand->state == WAITING)
        sm_list_remove(&errand->link);
    errand->is_dropped = true;
    pthread_mutex_unlock(&errands->lock);
    if (is_running)
        return; /* its thread frees it */
    sm_main_queue_cancel_task(errands->queue, &errand->task);
    errand->free(errand);
}
