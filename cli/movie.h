/* SPDX-License-Identifier: MIT */
/*
 * A film that is made by a process of its own, our program a second time: encoders and the hundred
 * libraries that come with them stay out of the process that talks to the machine, and each of the
 * two is small. A failure of the encoder, or its end, is a reason like any other.
 *
 * Functions that return text return NULL, or a reason for people, valid until the next call.
 */
#ifndef SM_CLI_MOVIE_H
#define SM_CLI_MOVIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/failure.h"
#include "media/movie.h"

struct cli_movie;

/** Starts the process. On failure `out` is untouched, and `failure` says why. */
bool cli_movie_start(struct cli_movie **out, struct cli_failure *failure);

/** Begins the film; `codec` receives the name of the video codec. */
const char *cli_movie_begin(struct cli_movie *movie, const struct sm_movie_setup *setup,
                            char *codec, size_t codec_size);

/**
 * Takes over what is inside `dirty` of a picture of `width` × `height` pixels: 32 bits each, blue,
 * green, red, one of no meaning. Another size than the film's is fitted into it.
 */
const char *cli_movie_draw(struct cli_movie *movie, const uint8_t *pixels, size_t stride_bytes,
                           uint32_t width, uint32_t height, struct sm_rect dirty);

/** As in struct sm_movie_module. */
const char *cli_movie_show(struct cli_movie *movie, uint64_t at_us);
const char *cli_movie_sound(struct cli_movie *movie, const int16_t *samples, size_t count,
                            uint64_t at_us);
const char *cli_movie_finish(struct cli_movie *movie, uint64_t at_us);

/** What to do if the process has ended of itself, borrowed until the next call; else NULL. */
const char *cli_movie_cure(const struct cli_movie *movie);

/** Ends the process and waits for it. NULL does nothing. */
void cli_movie_destroy(struct cli_movie *movie);

#endif
