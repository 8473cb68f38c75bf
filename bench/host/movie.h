/* SPDX-License-Identifier: MIT */
/* A film for benches: a camera that moves over a photograph. */
#ifndef SM_BENCH_HOST_MOVIE_H
#define SM_BENCH_HOST_MOVIE_H

#include <stdint.h>

#include "bench/host/screen.h"

struct sm_bench_movie;

/** What is shown where. */
struct sm_bench_movie_config {
    uint32_t x, y, width, height; /* on the primary */
    uint32_t strips;              /* a frame is drawn in so many, at least 1 */
};

/** Draws the photograph. NULL if there is no memory. */
struct sm_bench_movie *sm_bench_movie_create(const struct sm_bench_movie_config *config);

/** NULL does nothing. */
void sm_bench_movie_destroy(struct sm_bench_movie *movie);

/** Queues frame `number`. Main thread. */
void sm_bench_movie_show(const struct sm_bench_movie *movie, struct sm_bench_screen *screen,
                         uint32_t number);

#endif
