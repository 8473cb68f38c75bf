/* SPDX-License-Identifier: MIT */
#include "bench/host/movie.h"

#include <stdlib.h>

#include "bench/codec/corpus.h"

enum {
    ROOM = 256, /* the camera goes so far to each side */
    STEP_X = 3, /* pixels a frame */
    STEP_Y = 1,
};

struct sm_bench_movie {
    struct sm_bench_movie_config config;
    uint32_t stride_px;
    uint32_t pixels[];
};

struct sm_bench_movie *sm_bench_movie_create(const struct sm_bench_movie_config *config)
{
    uint32_t width = config->width + ROOM, height = config->height + ROOM;
    struct sm_bench_movie *movie = malloc(sizeof(*movie) + (size_t)width * height * 4);
    if (!movie)
        return NULL;
    movie->config = *config;
    movie->stride_px = width;
    corpus_draw(CORPUS_PHOTO, movie->pixels, width, height);
    return movie;
}

void sm_bench_movie_destroy(struct sm_bench_movie *movie)
{
    free(movie);
}

/* To and fro between 0 and ROOM. */
static uint32_t swing(uint32_t way)
{
    uint32_t at = way % (2 * ROOM);
    return at < ROOM ? at : 2 * ROOM - at;
}

void sm_bench_movie_show(const struct sm_bench_movie *movie, struct sm_bench_screen *screen,
                         uint32_t number)
{
    const struct sm_bench_movie_config *c = &movie->config;
    const uint32_t *frame =
        movie->pixels + (size_t)swing(number * STEP_Y) * movie->stride_px + swing(number * STEP_X);
    uint32_t top = 0;
    for (uint32_t i = 1; i <= c->strips; i++) {
        uint32_t bottom = (uint32_t)((uint64_t)c->height * i / c->strips);
        sm_bench_screen_put(screen, c->x, c->y + top, c->width, bottom - top,
                            frame + (size_t)top * movie->stride_px, movie->stride_px);
        top = bottom;
    }
    sm_bench_screen_wake(screen);
}
