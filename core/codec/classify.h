/* SPDX-License-Identifier: MIT */
/*
 * What kind of picture it is, from a look at some of its pixels, and what each codec would make of
 * it: the grounds on which a server chooses. Source: docs/codec.md, "The choice".
 */
#ifndef SM_CORE_CODEC_CLASSIFY_H
#define SM_CORE_CODEC_CLASSIFY_H

#include <stdint.h>

#include "core/codec/codec.h"
#include "sumac/status.h"

/** How photo-like a picture is, as the reference decides it. */
enum sm_graduality { SM_GRADUALITY_LOW, SM_GRADUALITY_MEDIUM, SM_GRADUALITY_HIGH };

/** The scores of some chunks of rows; add up those of all chunks. Zeroed at first. */
struct sm_graduality_score {
    double score;
    uint64_t samples;
};

/**
 * Adds the score of one chunk: `rows` tightly packed rows of RGB555, RGB24, XRGB32 or ARGB32
 * pixels. Other formats add nothing.
 */
void sm_graduality_add(struct sm_graduality_score *sum, enum sm_pixel_format format,
                       const uint8_t *pixels, uint32_t width, uint32_t rows);

enum sm_graduality sm_graduality_judge(const struct sm_graduality_score *sum,
                                       enum sm_pixel_format format);

/** Shares of the pixels looked at, in 1/65536, and means over them. */
struct sm_image_traits {
    uint64_t pixels;        /* of the whole picture */
    uint32_t bytes_a_pixel; /* of a raw bitmap */
    uint32_t sampled;       /* pixels looked at */
    uint32_t run;           /* the two to the left are alike, and so are the ones above */
    uint32_t left;          /* like the left one */
    uint32_t above;         /* not like the left one but the one above */
    uint32_t repeated;      /* neither, but seen before with its neighbour */
    uint32_t breaks;        /* where one kind of pixel follows another */
    uint32_t residual_bits; /* 256 times the bits that QUIC's residuals of a coded pixel want */
    uint32_t color_count;   /* different colours, at most SM_TRAITS_MAX_COLORS */
    bool has_alpha;
};

enum { SM_TRAITS_MAX_COLORS = 256 };

/**
 * Looks at every eighth row or so of `in`, at least a few thousand pixels.
 *
 * @return SM_OK; SM_ERR_STATE if `in` is not well formed or neither XRGB32, ARGB32 nor RGB24
 */
SM_NODISCARD enum sm_status sm_image_examine(const struct sm_pixels_in *in,
                                             struct sm_image_traits *traits);

/** What to expect of a codec, the time on one thread of the machine in docs/performance.md. */
struct sm_codec_estimate {
    uint64_t bytes;
    uint64_t encode_us, decode_us;
};

/** The expectation for QUIC, LZ_RGB, GLZ (of a picture seen the first time), LZ4, JPEG or BITMAP.
 */
struct sm_codec_estimate sm_codec_expect(const struct sm_image_traits *traits,
                                         enum sm_image_codec codec);

#endif
