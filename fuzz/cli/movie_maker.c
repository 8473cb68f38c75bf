/* SPDX-License-Identifier: MIT */
/* Invariant: whatever the process that makes films is told, what it draws lies in the picture, and
 * all of it has come. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/movie_maker.h"
#include "fuzz/support/fuzz.h"
#include "media/movie.h"

enum { SIZE_MAX_BYTES = 4096 }; /* so all answers find room in a socket that nobody reads */

static const char *create(void **out, const struct sm_movie_setup *setup)
{
    size_t size = strlen(setup->path) + strlen(setup->name);
    *out = malloc(size + 1);
    return *out ? NULL : "out of memory";
}

static const char *draw(void *movie, const uint8_t *pixels, size_t stride_bytes, uint32_t width,
                        uint32_t height, struct sm_rect area)
{
    size_t size = (size_t)(area.bottom - area.top) * stride_bytes;
    FUZZ_CHECK(area.left >= 0 && area.top >= 0 && size > 0);
    FUZZ_CHECK(area.right <= (int64_t)width && area.bottom <= (int64_t)height);
    *(volatile char *)movie = (char)pixels[size - 1];
    return NULL;
}

static const char *show(void *movie, uint64_t at_us)
{
    (void)movie;
    return at_us > 1000 ? "too late" : NULL;
}

static const char *sound(void *movie, const int16_t *samples, size_t count, uint64_t at_us)
{
    if (count > 0)
        *(volatile char *)movie = (char)samples[2 * count - 1];
    return show(movie, at_us);
}

static const char *codec(const void *movie)
{
    (void)movie;
    return "none";
}

static const struct sm_movie_module SINK = {
    .version = SM_MOVIE_MODULE_VERSION,
    .create = create,
    .draw = draw,
    .show = show,
    .sound = sound,
    .finish = show,
    .codec = codec,
    .destroy = free,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    if (size > SIZE_MAX_BYTES || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return 0;
    if (send(ends[0], data, size, MSG_NOSIGNAL) == (ssize_t)size && shutdown(ends[0], SHUT_WR) == 0)
        cli_movie_maker_serve(ends[1], &SINK);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}
