/* SPDX-License-Identifier: MIT */
/*
 * The images of a display that are decoded before their turn: which, how many, and where the
 * results wait. Source: docs/client.md, "Decoding ahead".
 */
#ifndef SM_CLIENT_DISPLAY_AHEAD_H
#define SM_CLIENT_DISPLAY_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/decode_pool.h"
#include "core/channel/canvas/canvas.h"
#include "core/channel/display/client.h"
#include "io/loop.h"

enum {
    SM_AHEAD_JOBS_MAX = 2 * SM_DECODE_THREADS_MAX,
    SM_AHEAD_MAX_PX = 1 << 24,   /* of all images under way: 64 MiB; two screens of 4K */
    SM_AHEAD_MAX_SIZE = 8 << 20, /* bytes of their messages */
};

struct sm_ahead_job {
    uint64_t turn; /* of its message: the server chooses serials */
    uint64_t pixels;
    size_t size;
    struct sm_decode_job job;
};

/** Zeroed memory, but for `bell`, which is −1: nothing is decoded ahead. Thread: the channel's. */
struct sm_ahead {
    struct sm_decode_pool *pool; /* borrowed; NULL: nothing is decoded ahead */
    int bell;                    /* owned eventfd */
    struct sm_loop loop;
    struct sm_watch *watch; /* owned: of the bell */
    void (*on_done)(void *opaque);
    void *opaque;
    struct sm_ahead_job jobs[SM_AHEAD_JOBS_MAX]; /* a ring, in the order of messages */
    size_t first, count, max_count;
    uint64_t pixels; /* of all */
    size_t size;     /* likewise */
};

/**
 * Makes `ahead`, which is zeroed, ready for a connection.
 *
 * @param on_done  called on the loop's thread when the job that sm_ahead_is_ready() said no about
 *                 is done; perhaps also without a reason
 * @return SM_OK; SM_ERR_IO, SM_ERR_NOMEM: nothing is decoded ahead
 */
SM_NODISCARD enum sm_status sm_ahead_begin(struct sm_ahead *ahead, struct sm_decode_pool *pool,
                                           struct sm_loop loop, void (*on_done)(void *opaque),
                                           void *opaque);

/** Takes all jobs back; then nothing is decoded ahead. Harmless if nothing was begun. */
void sm_ahead_end(struct sm_ahead *ahead);

/**
 * Looks at what has come, and has decoded what is worth it.
 *
 * @param unfed  bytes that have come and that `client` has not seen
 */
void sm_ahead_look(struct sm_ahead *ahead, struct sm_display_client *client,
                   const struct sm_canvas *canvas, size_t unfed);

/** False if the image of the message of `turn` is being decoded: on_done() follows. */
bool sm_ahead_is_ready(struct sm_ahead *ahead, uint64_t turn);

/** The picture of `image`, if the message whose turn it is brought it and it was decoded; held. */
struct sm_picture *sm_ahead_take(struct sm_ahead *ahead, const struct sm_image *image);

/** The message of `turn` is dealt with: its job is forgotten. */
void sm_ahead_release(struct sm_ahead *ahead, uint64_t turn);

#endif
