/* SPDX-License-Identifier: MIT */
/* Whole GLZ images, which may have to wait for others. */
#ifndef SM_CORE_CODEC_GLZ_DECODE_H
#define SM_CORE_CODEC_GLZ_DECODE_H

#include "core/base/pixels.h"
#include "core/codec/glz/glz.h"
#include "core/codec/glz/store.h"

struct sm_codec_ops;

enum {
    SM_GLZ_HELD_IMAGES = 16, /* a power of two */
};

/** The image a decoder is at, from its header until it is in the window. Zeroed: none. */
struct sm_glz_job {
    struct sm_glz_image *image; /* owned; NULL: none */
    struct sm_glz_header header;
    uint64_t epoch;
    size_t data_size; /* of the stream, to know it again */
    struct sm_glz_pass pass;
    bool is_in_alpha;
    /* Sources in use, by the low bits of their ids: one look at the window for many matches. */
    struct sm_glz_image *held[SM_GLZ_HELD_IMAGES];
    struct sm_glz_window *window; /* borrowed */
};

/**
 * Begins or continues to decode `data` to `out` (XRGB32, or ARGB32 for RGBA), and puts the image
 * into the window.
 *
 * @return SM_AGAIN: job->pass.awaited is missing, call again; else the job is over
 */
SM_NODISCARD enum sm_status sm_glz_decode(struct sm_glz_job *job, struct sm_glz_window *window,
                                          const struct sm_codec_ops *ops, struct sm_bytes data,
                                          const struct sm_pixels *out, const char **reason);

/** Drops what was begun. */
void sm_glz_job_finish(struct sm_glz_job *job);

#endif
