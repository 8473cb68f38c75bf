/* SPDX-License-Identifier: MIT */
/*
 * A few threads that decode images before their turn, shared by the displays of a session. They are
 * started for the first job, and can open nothing (io/sandbox.h). Source: docs/client.md, "Decoding
 * ahead".
 */
#ifndef SM_CLIENT_DECODE_POOL_H
#define SM_CLIENT_DECODE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/channel/canvas/ahead.h"
#include "core/codec/libs.h"
#include "sumac/status.h"

enum { SM_DECODE_THREADS_MAX = 4 };

/** Thread: any. */
struct sm_decode_pool;

enum sm_decode_state {
    SM_DECODE_IDLE,
    SM_DECODE_QUEUED,
    SM_DECODE_RUNNING,
    SM_DECODE_DONE,
};

/** An image to be decoded; where it lies is the submitter's affair. */
struct sm_decode_job {
    struct sm_ahead_image image; /* what it borrows stays until the job is done or cancelled */
    int bell;                    /* an eventfd that rings when an awaited job is done; borrowed */
    struct sm_picture *picture; /* the result, held; NULL: it failed, and fails again in its turn */
    /* The pool's: */
    struct sm_list link;
    enum sm_decode_state state;
    bool is_awaited;
};

/** How many threads are a good number here: 0 on one processor, else 2 to 4. */
unsigned sm_decode_threads_default(void);

/**
 * @param threads  1 to SM_DECODE_THREADS_MAX; with fewer, if not all can be started
 * @param libs     borrowed; see sm_decoder_config
 * @return SM_OK; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_decode_pool_create(struct sm_decode_pool **out, unsigned threads,
                                                  const struct sm_codec_libs *libs,
                                                  uint32_t cpu_flags);

/** Ends the threads. No job may be under way. NULL does nothing. */
void sm_decode_pool_destroy(struct sm_decode_pool *pool);

/** How many threads there are to be. */
unsigned sm_decode_pool_threads(const struct sm_decode_pool *pool);

/**
 * Has `job`, whose image and bell are set, decoded; first come, first served.
 *
 * @return false if no thread could be started: it is not taken
 */
bool sm_decode_submit(struct sm_decode_pool *pool, struct sm_decode_job *job);

/** True if the job is done; else its bell will ring. */
bool sm_decode_await(struct sm_decode_pool *pool, struct sm_decode_job *job);

/**
 * Takes the job back, in whatever state it is, and lets its picture go. A thread that is at it is
 * waited for: no longer than one image takes.
 */
void sm_decode_cancel(struct sm_decode_pool *pool, struct sm_decode_job *job);

#endif
