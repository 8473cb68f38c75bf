/* SPDX-License-Identifier: MIT */
/*
 * Writing a film: pictures and sound into a file of one of the usual kinds. What does it lives in a
 * module of its own, like the other video codecs, so that only who records loads libavformat. It
 * exports a struct sm_movie_module named SM_MOVIE_MODULE_SYMBOL.
 *
 * Every function that can fail returns NULL, or a reason for people: static, or valid until the
 * next call for this movie. Thread: one at a time per movie.
 */
#ifndef SM_MEDIA_MOVIE_H
#define SM_MEDIA_MOVIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/geometry.h"

#define SM_MOVIE_MODULE_FILE   "libsumac-movie.so"
#define SM_MOVIE_MODULE_SYMBOL "sm_movie_module"

enum {
    SM_MOVIE_MODULE_VERSION = 2,
    SM_MOVIE_SOUND_RATE = 48000, /* frames a second, of two channels */
    SM_MOVIE_EDGE_BYTES = 64,    /* scalers read in blocks */
};

enum sm_movie_codec {
    SM_MOVIE_CODEC_AUTO = 0, /* what suits the kind of file */
    SM_MOVIE_CODEC_H264 = 1,
    SM_MOVIE_CODEC_VP8 = 2,
    SM_MOVIE_CODEC_VP9 = 3,
};

struct sm_movie_setup {
    const char *path; /* to be written */
    const char *name; /* what the file will be called: its ending tells the kind (mkv, mp4, webm) */
    enum sm_movie_codec codec;
    uint32_t width, height; /* of the pictures, 16 to 16384 */
    uint32_t fps;           /* at most so many */
    bool has_sound;
};

struct sm_movie_module {
    uint32_t version;
    /** @param out  receives the movie, released with destroy(); untouched on failure */
    const char *(*create)(void **out, const struct sm_movie_setup *setup);
    /**
     * Takes over the pixels of `area` (32 bits each: blue, green, red, one of no meaning), whose
     * sides are even or the picture's own, of a picture of `width` × `height`. Another size than
     * the movie's is fitted into it: such pictures, and the first of the movie's size after them,
     * come whole, in strips as wide as they, from top to bottom. Up to SM_MOVIE_EDGE_BYTES behind
     * the last row may be read.
     */
    const char *(*draw)(void *movie, const uint8_t *pixels, size_t stride_bytes, uint32_t width,
                        uint32_t height, struct sm_rect area);
    /** Shows what was drawn from `at_us` on, counted from the beginning; times must grow. */
    const char *(*show)(void *movie, uint64_t at_us);
    /** Plays `count` frames of SM_MOVIE_SOUND_RATE (left and right) from about `at_us` on. */
    const char *(*sound)(void *movie, const int16_t *samples, size_t count, uint64_t at_us);
    /** Ends the film at `at_us`. */
    const char *(*finish)(void *movie, uint64_t at_us);
    /** The name of the video codec, for reports; static. */
    const char *(*codec)(const void *movie);
    void (*destroy)(void *movie);
};

#endif
