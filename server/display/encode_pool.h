/* SPDX-License-Identifier: MIT */
/*
 * A few threads that encode, shared by all workers and clients of a server. A job is submitted on a
 * worker's thread, run on any, and comes back to the inbox of the worker that submitted it. Jobs of
 * one lane run one at a time, in the order they were submitted.
 *
 * Nobody waits for a client here, and only an inbox that ends waits for a job: the one that runs.
 */
#ifndef SM_SERVER_DISPLAY_ENCODE_POOL_H
#define SM_SERVER_DISPLAY_ENCODE_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/list.h"
#include "io/loop.h"
#include "sumac/status.h"

struct sm_encoder;

enum { SM_ENCODE_POOL_MAX_THREADS = 16 };

/** Thread: any. */
struct sm_encode_pool;

/** Where a worker learns that jobs are done. Thread: the worker's. */
struct sm_encode_inbox;

/** Jobs in a row. It has to live until the last of them is done or dropped. */
struct sm_encode_lane {
    struct sm_list waiting; /* private: guarded by the pool */
    bool is_busy;           /* private: one of its jobs runs, or is in line to */
};

void sm_encode_lane_init(struct sm_encode_lane *lane);

/** Embedded in what is encoded. The first three are the submitter's, set before. */
struct sm_encode_job {
    /** Any thread; may read only what does not change until the job is done or dropped. */
    void (*run)(struct sm_encode_job *job, struct sm_encoder *encoder);
    /** Frees a job that was abandoned. Inbox's thread, out of any of the functions below. */
    void (*drop)(struct sm_encode_job *job);
    struct sm_encode_lane *lane; /* NULL: in any order */

    struct sm_list link;           /* private */
    struct sm_encode_inbox *inbox; /* private */
    int state;                     /* private */
    bool is_abandoned;             /* private */
    _Atomic bool is_done;          /* private */
};

struct sm_encode_pool_config {
    unsigned threads;    /* 0: one a processor, at most 4; else up to SM_ENCODE_POOL_MAX_THREADS */
    size_t inline_bytes; /* raw images below are not worth handing over; 0: a good default */
};

/**
 * Creates a pool, held once by the caller. Its threads ("SPICE Encoder", the host's signals
 * blocked) start with the first job.
 *
 * @return SM_OK; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_encode_pool_create(struct sm_encode_pool **out,
                                                  const struct sm_encode_pool_config *config);

struct sm_encode_pool *sm_encode_pool_ref(struct sm_encode_pool *pool);

/** The last one ends the threads; all inboxes are gone by then. NULL does nothing. */
void sm_encode_pool_unref(struct sm_encode_pool *pool);

unsigned sm_encode_pool_threads(const struct sm_encode_pool *pool);
size_t sm_encode_pool_inline_bytes(const struct sm_encode_pool *pool);

/**
 * @param pool     held until the inbox is destroyed
 * @param on_done  called from `loop` after one or more jobs are done
 * @return SM_OK; SM_ERR_NOMEM; SM_ERR_IO if there is no descriptor to be had
 */
SM_NODISCARD enum sm_status sm_encode_inbox_create(struct sm_encode_inbox **out,
                                                   struct sm_encode_pool *pool, struct sm_loop loop,
                                                   void (*on_done)(void *opaque), void *opaque);

/**
 * Drops the abandoned jobs, waiting for one that runs. All jobs are done or abandoned by now.
 * NULL does nothing.
 */
void sm_encode_inbox_destroy(struct sm_encode_inbox *inbox);

/** The inbox's pool, borrowed. */
struct sm_encode_pool *sm_encode_inbox_pool(struct sm_encode_inbox *inbox);

/**
 * Has `job` run. It is the pool's until it is done.
 *
 * @return false if no thread can be had: nothing was done, run it yourself
 */
bool sm_encode_submit(struct sm_encode_inbox *inbox, struct sm_encode_job *job);

/** True once the job has run: it is the submitter's again. */
static inline bool sm_encode_job_is_done(const struct sm_encode_job *job)
{
    return atomic_load_explicit(&job->is_done, memory_order_acquire);
}

/** Nobody wants a submitted job any more: drop() is called, now or when it has run. */
void sm_encode_abandon(struct sm_encode_job *job);

#endif
