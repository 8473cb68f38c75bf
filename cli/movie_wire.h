/* SPDX-License-Identifier: MIT */
/*
 * What `sumac` and the process that makes its film say to each other over a socket: a head, then
 * its data. Both ends are the same program, so structs travel as they are. BEGIN, SHOW, SOUND and
 * FINISH are answered, as is the start; DRAW is not, a failure of it is the next answer's.
 */
#ifndef SM_CLI_MOVIE_WIRE_H
#define SM_CLI_MOVIE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "cli/failure.h"
#include "media/movie.h"

enum cli_movie_verb {
    CLI_MOVIE_BEGIN = 1,  /* data: the path, then the name */
    CLI_MOVIE_DRAW = 2,   /* data: the rows of `area`, nothing between them */
    CLI_MOVIE_SHOW = 3,   /* at_us */
    CLI_MOVIE_SOUND = 4,  /* at_us; data: samples */
    CLI_MOVIE_FINISH = 5, /* at_us */
};

struct cli_movie_head {
    enum cli_movie_verb verb;
    uint32_t width, height; /* of the picture, or of the film that begins */
    struct sm_rect area;    /* of what is drawn */
    uint64_t at_us;
    uint32_t size[2]; /* of data: of samples and the path in bytes; and of the name */
    enum sm_movie_codec codec;
    uint32_t fps;
    bool has_sound;
};

struct cli_movie_answer {
    bool is_good;
    char text[SM_ERROR_TEXT_SIZE]; /* the codec's name when the film has begun, or the reason */
    char cure[SM_ERROR_TEXT_SIZE]; /* of a failed start */
};

/** Waits for all of `size` bytes; false if the other end has gone. */
bool cli_movie_receive(int fd, void *to, size_t size);

/** Sends `parts`, which are used up; false if the other end has gone. */
bool cli_movie_send(int fd, struct iovec *parts, size_t count);

#endif
