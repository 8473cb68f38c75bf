/* SPDX-License-Identifier: MIT */
/*
 * Work for the main context, handed over from any thread and never waited for: a worker that
 * waited for the main thread while the main thread waits for it would freeze the machine.
 */
#ifndef SM_SERVER_SESSION_MAIN_QUEUE_H
#define SM_SERVER_SESSION_MAIN_QUEUE_H

#include <stdbool.h>

#include "core/base/list.h"
#include "io/loop.h"
#include "sumac/status.h"

struct sm_main_queue;

/**
 * Work that cannot fail to be queued, because its room lives in the caller's object. Set func and
 * opaque, zero the rest; it must live until func was called or the task was cancelled.
 */
struct sm_main_task {
    void (*func)(void *opaque); /* called once per posting, on the main thread */
    void *opaque;
    bool is_queued;      /* private to the queue, guarded by its lock */
    struct sm_list link; /* likewise */
};

/**
 * Creates a queue that runs its work from `loop`.
 *
 * @param out   receives the queue, untouched on failure; release with sm_main_queue_destroy()
 * @param loop  must outlive the queue; the calling thread is remembered as the main thread
 * @return SM_OK; SM_ERR_NOMEM; SM_ERR_IO if no descriptor could be had
 */
SM_NODISCARD enum sm_status sm_main_queue_create(struct sm_main_queue **out, struct sm_loop loop);

/** Forgets what is still queued and frees the queue. NULL does nothing. Thread: main context. */
void sm_main_queue_destroy(struct sm_main_queue *queue);

/**
 * Queues func(opaque) behind everything queued before. Thread: any; returns at once.
 *
 * @return SM_OK; SM_ERR_NOMEM, and then nothing will be called
 */
SM_NODISCARD enum sm_status sm_main_queue_post(struct sm_main_queue *queue,
                                               void (*func)(void *opaque), void *opaque);

/** Queues `task` unless it already waits. Thread: any; returns at once; cannot fail. */
void sm_main_queue_post_task(struct sm_main_queue *queue, struct sm_main_task *task);

/** Takes `task` out again if it waits. Thread: main context. */
void sm_main_queue_cancel_task(struct sm_main_queue *queue, struct sm_main_task *task);

/** Whether the caller runs on the thread that created the queue. Thread: any. */
bool sm_main_queue_is_main_thread(const struct sm_main_queue *queue);

/** Runs what is queued by now, instead of waiting for the loop. Thread: main context. */
void sm_main_queue_run(struct sm_main_queue *queue);

#endif
