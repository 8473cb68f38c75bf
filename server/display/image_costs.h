/* SPDX-License-Identifier: MIT */
/*
 * What each codec makes of a picture and how long it takes, here and now: the expectation of
 * core/codec/classify.h, put right by what came of it lately on this machine and with these
 * pictures. So the codec can be chosen whose picture is there first. Source: docs/display.md,
 * "The choice by cost".
 */
#ifndef SM_SERVER_DISPLAY_IMAGE_COSTS_H
#define SM_SERVER_DISPLAY_IMAGE_COSTS_H

#include <stdint.h>

#include "core/codec/classify.h"

enum { SM_IMAGE_COSTS_CODECS = 8 };

/** What was expected, and what it was; halved now and then, so that the last count most. */
struct sm_image_cost {
    uint64_t expected_bytes, bytes;
    uint64_t expected_us, us;
};

/** Of one worker. Zeroed at first. Thread: the worker's. */
struct sm_image_costs {
    struct sm_image_cost of[SM_IMAGE_COSTS_CODECS]; /* private */
};

/**
 * What is said of `codec` in general. Of GLZ that it is no larger than LZ, for what it knows of
 * earlier pictures is not in the traits; and of zlib that it takes a third off.
 */
struct sm_codec_estimate sm_image_costs_general(const struct sm_image_traits *traits,
                                                enum sm_image_codec codec);

/** What to expect of `codec`; `costs` may be NULL: as it is said in general. */
struct sm_codec_estimate sm_image_costs_expect(const struct sm_image_costs *costs,
                                               const struct sm_image_traits *traits,
                                               enum sm_image_codec codec);

/**
 * A picture was encoded.
 *
 * @param expected  by sm_image_costs_general()
 */
void sm_image_costs_learn(struct sm_image_costs *costs, enum sm_image_codec codec,
                          const struct sm_codec_estimate *expected, uint64_t bytes, uint64_t us);

/** Until the picture is there, in microseconds, on a line of so many bytes a second. */
uint64_t sm_image_costs_arrival_us(const struct sm_codec_estimate *estimate,
                                   uint64_t bytes_per_second);

#endif
