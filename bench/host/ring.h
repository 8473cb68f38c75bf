/* SPDX-License-Identifier: MIT */
/*
 * The two command rings of a device without a guest: queues that one side fills and one empties. As
 * with a guest's, whoever fills them rings the bell only if the other side has asked for it.
 */
#ifndef SM_BENCH_HOST_RING_H
#define SM_BENCH_HOST_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "spice-server/spice.h"

enum sm_bench_ring_name { SM_BENCH_DISPLAY_RING = 0, SM_BENCH_CURSOR_RING = 1 };

/** Thread: any. */
struct sm_bench_rings {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t moved;
    struct sm_list queues[2];
    unsigned queued, most; /* commands in both */
    bool is_asked_for[2];  /* the next command is to be told of */
    uint64_t put, released;
};

/** @param most  commands at which sm_bench_rings_put() waits until half are gone; at least 2 */
void sm_bench_rings_init(struct sm_bench_rings *rings, unsigned most);

/** Appends a command, waiting for room unless `at_once`. True if it is to be told of. */
bool sm_bench_rings_put(struct sm_bench_rings *rings, const QXLCommandExt *command, bool at_once);

/** Asks to be told of the next command; 0 if there is one already. */
int sm_bench_rings_ask(struct sm_bench_rings *rings, enum sm_bench_ring_name ring);

/** Takes the first command; 0 if there is none. */
int sm_bench_rings_take(struct sm_bench_rings *rings, enum sm_bench_ring_name ring,
                        QXLCommandExt *out);

int sm_bench_rings_is_empty(struct sm_bench_rings *rings, enum sm_bench_ring_name ring);

/** Counts a command given back. */
void sm_bench_rings_note_release(struct sm_bench_rings *rings);

/** Commands given back so far. */
uint64_t sm_bench_rings_released(struct sm_bench_rings *rings);

#endif
