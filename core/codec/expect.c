/* SPDX-License-Identifier: MIT */
/* From traits to expectations: bits and time for each kind of pixel, fitted to bench/codec. */
#include "core/codec/classify.h"

/* Time for each kind of pixel, in 1/1024 ns. Source: docs/performance.md, "Codecs". */
struct cost {
    uint32_t always; /* of every pixel */
    uint32_t coded;  /* and of those that are no run or match */
};

struct speed {
    struct cost encode, decode;
};

static const struct speed QUIC_SPEED = {{900, 6000}, {400, 8000}};
static const struct speed LZ_SPEED = {{1000, 2500}, {300, 500}};
static const struct speed GLZ_SPEED = {{1100, 3500}, {500, 700}};
static const struct speed LZ4_SPEED = {{700, 4000}, {300, 300}};
static const struct speed JPEG_SPEED = {{4500, 0}, {3500, 0}};
static const struct speed RAW_SPEED = {{200, 0}, {200, 0}};

static uint64_t part(uint64_t pixels, uint32_t share)
{
    return pixels * share >> 16;
}

static uint64_t microseconds(struct cost cost, uint64_t pixels, uint64_t coded)
{
    return (pixels * cost.always + coded * cost.coded) / 1024 / 1000;
}

static struct sm_codec_estimate estimate(const struct speed *speed, uint64_t bytes, uint64_t pixels,
                                         uint64_t coded)
{
    return (struct sm_codec_estimate){
        .bytes = bytes,
        .encode_us = microseconds(speed->encode, pixels, coded),
        .decode_us = microseconds(speed->decode, pixels, coded),
    };
}

struct sm_codec_estimate sm_codec_expect(const struct sm_image_traits *t, enum sm_image_codec codec)
{
    uint64_t raw = t->pixels * t->bytes_a_pixel;
    uint64_t coded = t->pixels - part(t->pixels, t->run);
    uint64_t matched =
        part(t->pixels, t->left) + part(t->pixels, t->above) + part(t->pixels, t->repeated);
    uint64_t literals = matched < t->pixels ? t->pixels - matched : 0;
    uint64_t tokens = part(t->pixels, t->breaks);
    uint64_t alpha = t->has_alpha ? t->pixels / 16 : 0; /* mostly flat */
    uint64_t lengths = t->pixels / 255;                 /* of long runs, at least */
    switch (codec) {
    case SM_CODEC_QUIC:
        return estimate(&QUIC_SPEED,
                        (coded * t->residual_bits / 256 + tokens * 2) / 8 + lengths + alpha + 64,
                        t->pixels, coded);
    case SM_CODEC_LZ_RGB:
        return estimate(&LZ_SPEED, literals * 3 + literals / 32 + tokens + lengths + alpha + 64,
                        t->pixels, literals + tokens);
    case SM_CODEC_GLZ:
    case SM_CODEC_ZLIB_GLZ:
        return estimate(&GLZ_SPEED,
                        literals * 3 + literals / 32 + tokens * 3 / 2 + lengths + alpha + 64,
                        t->pixels, literals + tokens);
    case SM_CODEC_LZ4:
        return estimate(&LZ4_SPEED, literals * t->bytes_a_pixel + tokens * 3 / 2 + raw / 255 + 64,
                        t->pixels, literals + tokens);
    case SM_CODEC_JPEG:
    case SM_CODEC_JPEG_ALPHA: /* sharp edges cost, smooth areas do not */
        return estimate(&JPEG_SPEED, t->pixels / 24 + coded * t->residual_bits / 256 / 48 + 640,
                        t->pixels, 0);
    case SM_CODEC_BITMAP:
    case SM_CODEC_LZ_PALETTE:
        break;
    }
    return estimate(&RAW_SPEED, raw, t->pixels, 0);
}
