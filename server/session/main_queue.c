/* SPDX-License-Identifier: MIT */
#include "server/session/main_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct sm_main_queue {
    struct sm_loop loop;
    struct sm_watch *watch;
    int event_fd;
    pthread_t main_thread;
    pthread_mutex_t lock; /* guards the list and every task's private members */
    struct sm_list tasks;
    bool is_signalled; /* the descriptor is readable already */
};

/* A task made by sm_main_queue_post(): it frees itself. */
struct posted {
    struct sm_main_task task;
    void (*func)(void *opaque);
    void *opaque;
};

static void run_posted(void *opaque)
{
    struct posted *posted = opaque;
    struct posted copy = *posted;
    free(posted);
    copy.func(copy.opaque);
}

static struct sm_main_task *take_first(struct sm_main_queue *queue)
{
    struct sm_main_task *task = NULL;
    pthread_mutex_lock(&queue->lock);
    if (!sm_list_is_empty(&queue->tasks)) {
        task = SM_LIST_ITEM(queue->tasks.next, struct sm_main_task, link);
        sm_list_remove(&task->link);
        task->is_queued = false;
    }
    pthread_mutex_unlock(&queue->lock);
    return task;
}

void sm_main_queue_run(struct sm_main_queue *queue)
{
    /* Work that queues itself again waits for the next turn: a mark ends this one. It is no work,
     * so it wakes nobody. A run inside this one, or the queue's end, may take it out. */
    struct sm_main_task mark = {.is_queued = true};
    pthread_mutex_lock(&queue->lock);
    sm_list_append(&queue->tasks, &mark.link);
    pthread_mutex_unlock(&queue->lock);
    while (mark.is_queued) {
        struct sm_main_task *task = take_first(queue);
        if (task->func)
            task->func(task->opaque);
    }
}

static void on_event(void *opaque, unsigned events)
{
    struct sm_main_queue *queue = opaque;
    (void)events;
    uint64_t count;
    pthread_mutex_lock(&queue->lock);
    /* Empty after a spurious wake-up; nothing to do about it either way. */
    ssize_t got = read(queue->event_fd, &count, sizeof(count));
    (void)got;
    queue->is_signalled = false;
    pthread_mutex_unlock(&queue->lock);
    sm_main_queue_run(queue);
}

enum sm_status sm_main_queue_create(struct sm_main_queue **out, struct sm_loop loop)
{
    struct sm_main_queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return SM_ERR_NOMEM;
    queue->loop = loop;
    queue->main_thread = pthread_self();
    pthread_mutex_init(&queue->lock, NULL);
    sm_list_init(&queue->tasks);
    queue->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->event_fd < 0) {
        sm_main_queue_destroy(queue);
        return SM_ERR_IO;
    }
    queue->watch = sm_loop_watch_add(loop, queue->event_fd, SM_IO_READ, on_event, queue);
    if (!queue->watch) {
        sm_main_queue_destroy(queue);
        return SM_ERR_NOMEM;
    }
    *out = queue;
    return SM_OK;
}

void sm_main_queue_destroy(struct sm_main_queue *queue)
{
    if (!queue)
        return;
    sm_loop_watch_remove(queue->loop, queue->watch);
    if (queue->event_fd >= 0)
        close(queue->event_fd);
    struct sm_main_task *task;
    while ((task = take_first(queue)))
        if (task->func == run_posted)
            free(task->opaque);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

enum sm_status sm_main_queue_post(struct sm_main_queue *queue, void (*func)(void *opaque),
                                  void *opaque)
{
    struct posted *posted = calloc(1, sizeof(*posted));
    if (!posted)
        return SM_ERR_NOMEM;
    *posted = (struct posted){.func = func, .opaque = opaque};
    posted->task = (struct sm_main_task){.func = run_posted, .opaque = posted};
    sm_main_queue_post_task(queue, &posted->task);
    return SM_OK;
}

void sm_main_queue_post_task(struct sm_main_queue *queue, struct sm_main_task *task)
{
    pthread_mutex_lock(&queue->lock);
    if (!task->is_queued) {
        task->is_queued = true;
        sm_list_append(&queue->tasks, &task->link);
    }
    if (!queue->is_signalled) {
        uint64_t one = 1;
        queue->is_signalled = write(queue->event_fd, &one, sizeof(one)) == sizeof(one);
    }
    pthread_mutex_unlock(&queue->lock);
}

void sm_main_queue_cancel_task(struct sm_main_queue *queue, struct sm_main_task *task)
{
    pthread_mutex_lock(&queue->lock);
    if (task->is_queued) {
        task->is_queued = false;
        sm_list_remove(&task->link);
    }
    pthread_mutex_unlock(&queue->lock);
}

bool sm_main_queue_is_main_thread(const struct sm_main_queue *queue)
{
    return pthread_equal(queue->main_thread, pthread_self()) != 0;
}
