/* SPDX-License-Identifier: MIT */
#include "server/display/image_costs.h"

#include <stdbool.h>

enum {
    /* So much of what is said in general counts beside what was learnt. */
    PRIOR_BYTES = 64 << 10,
    PRIOR_US = 2000,
    /* And at most so much of the past, that is some dozens of pictures. */
    MEMORY_BYTES = 1 << 20,
    MEMORY_US = 50 * 1000,
    FORGET = 64, /* with each picture this part is forgotten of codecs that were not used */
    SECOND_US = 1000 * 1000,
};

static int index_of(enum sm_image_codec codec)
{
    switch (codec) {
    case SM_CODEC_QUIC:
        return 0;
    case SM_CODEC_LZ_RGB:
        return 1;
    case SM_CODEC_GLZ:
        return 2;
    case SM_CODEC_ZLIB_GLZ:
        return 3;
    case SM_CODEC_LZ4:
        return 4;
    case SM_CODEC_JPEG:
        return 5;
    case SM_CODEC_JPEG_ALPHA:
        return 6;
    case SM_CODEC_BITMAP:
        return 7;
    case SM_CODEC_LZ_PALETTE:
        break;
    }
    return -1;
}

struct sm_codec_estimate sm_image_costs_general(const struct sm_image_traits *traits,
                                                enum sm_image_codec codec)
{
    struct sm_codec_estimate estimate = sm_codec_expect(traits, codec);
    if (codec != SM_CODEC_GLZ && codec != SM_CODEC_ZLIB_GLZ)
        return estimate;
    uint64_t lz = sm_codec_expect(traits, SM_CODEC_LZ_RGB).bytes;
    if (lz < estimate.bytes)
        estimate.bytes = lz;
    if (codec == SM_CODEC_ZLIB_GLZ)
        estimate.bytes -= estimate.bytes / 3;
    return estimate;
}

static uint64_t scaled(uint64_t value, uint64_t is, uint64_t was_expected, uint64_t prior)
{
    return value * (is + prior) / (was_expected + prior);
}

struct sm_codec_estimate sm_image_costs_expect(const struct sm_image_costs *costs,
                                               const struct sm_image_traits *traits,
                                               enum sm_image_codec codec)
{
    struct sm_codec_estimate estimate = sm_image_costs_general(traits, codec);
    int index = index_of(codec);
    if (!costs || index < 0)
        return estimate;
    const struct sm_image_cost *cost = &costs->of[index];
    estimate.bytes = scaled(estimate.bytes, cost->bytes, cost->expected_bytes, PRIOR_BYTES);
    estimate.encode_us = scaled(estimate.encode_us, cost->us, cost->expected_us, PRIOR_US);
    return estimate;
}

static void shrink(struct sm_image_cost *cost, uint64_t part)
{
    cost->expected_bytes -= cost->expected_bytes / part;
    cost->bytes -= cost->bytes / part;
    cost->expected_us -= cost->expected_us / part;
    cost->us -= cost->us / part;
}

void sm_image_costs_learn(struct sm_image_costs *costs, enum sm_image_codec codec,
                          const struct sm_codec_estimate *expected, uint64_t bytes, uint64_t us)
{
    int index = index_of(codec);
    if (index < 0)
        return;
    for (int i = 0; i < SM_IMAGE_COSTS_CODECS; i++)
        if (i != index)
            shrink(&costs->of[i], FORGET);
    struct sm_image_cost *cost = &costs->of[index];
    cost->expected_bytes += expected->bytes;
    cost->bytes += bytes;
    /* A thread that had to wait for the processor says nothing about the codec. */
    uint64_t most_us = 8 * expected->encode_us + PRIOR_US;
    cost->expected_us += expected->encode_us;
    cost->us += us < most_us ? us : most_us;
    while (cost->expected_bytes > MEMORY_BYTES || cost->expected_us > MEMORY_US)
        shrink(cost, 2);
}

uint64_t sm_image_costs_arrival_us(const struct sm_codec_estimate *estimate,
                                   uint64_t bytes_per_second)
{
    uint64_t line_us = bytes_per_second ? estimate->bytes * SECOND_US / bytes_per_second : 0;
    return estimate->encode_us + line_us + estimate->decode_us;
}
