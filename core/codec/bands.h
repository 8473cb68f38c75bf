/* SPDX-License-Identifier: MIT */
/*
 * Large pictures in horizontal bands. Each band is a picture of its own: encoded, sent and decoded
 * independently, so bands may go through as many threads as there are, each with an encoder or
 * decoder of its own, and the first pixels arrive sooner. What it costs in ratio is in
 * docs/performance.md.
 */
#ifndef SM_CORE_CODEC_BANDS_H
#define SM_CORE_CODEC_BANDS_H

#include "core/codec/codec.h"

enum {
    /** What a codec learns anew in each band weighs: none has fewer pixels than this, */
    SM_BAND_MIN_PIXELS = 1 << 17,
    /** and a third one is only made where each has so many. */
    SM_BAND_GOOD_PIXELS = 320 << 10,
    SM_BANDS_MAX = 64,
};

/** Visible rows `top` to `top + height` of the picture. */
struct sm_band {
    uint32_t top, height; /* pixels */
};

/**
 * Cuts `width` x `height` pixels into bands of nearly equal height, top first.
 *
 * @param wanted  as many as there are threads, or a small multiple; at most SM_BANDS_MAX are made
 * @return the number of bands, 1 to SM_BANDS_MAX; 0 if there are no pixels
 */
uint32_t sm_bands_plan(struct sm_band bands[SM_BANDS_MAX], uint32_t width, uint32_t height,
                       uint32_t wanted);

/** The rows of `band`, which lies in `in`, as a picture to be encoded; it borrows what `in` does.
 */
struct sm_pixels_in sm_band_source(const struct sm_pixels_in *in, struct sm_band band);

/** The rows of `band` in the memory of a whole picture, to be decoded to. */
struct sm_pixels sm_band_target(const struct sm_pixels *out, struct sm_band band);

#endif
