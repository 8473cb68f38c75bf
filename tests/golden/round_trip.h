/* SPDX-License-Identifier: MIT */
/* Our encoders held against a vector's picture. */
#ifndef SM_TESTS_GOLDEN_ROUND_TRIP_H
#define SM_TESTS_GOLDEN_ROUND_TRIP_H

#include "tests/golden/vector.h"

/** Bytes of compressed data: what we made and what the vectors have. */
struct round_trip_sizes {
    uint64_t ours, theirs;
};

/** An encoder and a decoder that share nothing but the stream; for GLZ both have their window. */
struct round_trip;

/**
 * Ends the program without memory.
 *
 * @param has_size_limit  what is encoded may be 1 % larger than the vector, unless that was
 *                        assembled by hand
 */
struct round_trip *round_trip_create(uint32_t cpu_flags, uint32_t window_pixels,
                                     bool has_size_limit);
void round_trip_destroy(struct round_trip *trip);

/** True if there is a lossless encoder for what `v` shows. */
bool round_trip_applies(const struct vector *v);

/**
 * Encodes the picture of `v` with its codec; the data must be the vector's if that is exact, and
 * must decode to the picture again, and keep the size limit if there is one.
 *
 * @return NULL, or what went wrong, static
 */
const char *round_trip_run(struct round_trip *trip, const struct vector *v,
                           struct round_trip_sizes *sizes);

#endif
