/* SPDX-License-Identifier: MIT */
/* Encodes pixels with any codec through one door. */
#ifndef SM_CORE_CODEC_ENCODER_H
#define SM_CORE_CODEC_ENCODER_H

#include <stdint.h>

#include "core/base/writer.h"
#include "core/codec/codec.h"
#include "core/codec/libs.h"
#include "sumac/status.h"

struct sm_glz_dictionary;

/** Holds scratch memory and library contexts. Thread: one at a time per encoder. */
struct sm_encoder;

struct sm_encoder_config {
    const struct sm_codec_libs *libs;     /* NULL: without JPEG, zlib and LZ4 */
    struct sm_glz_dictionary *dictionary; /* NULL: without GLZ; outlives the encoder */
    uint64_t max_pixels;                  /* of one image; 0 means SM_CODEC_MAX_PIXELS */
    unsigned jpeg_quality;                /* 1 to 100; 0 means 85 */
    uint32_t cpu_flags;                   /* of sm_cpu_detect(), or 0 */
};

/** What the message around the data has to say. Fields that a codec does not name are 0. */
struct sm_encoded {
    bool is_top_down;       /* BITMAP, LZ_PALETTE, JPEG_ALPHA: the flag of that name */
    uint32_t stride_bytes;  /* BITMAP: of the rows written */
    uint32_t inflated_size; /* ZLIB_GLZ */
    uint32_t jpeg_size;     /* JPEG_ALPHA */
    uint64_t glz_id;        /* GLZ, ZLIB_GLZ: send every one, on each channel in this order */
};

/** @return SM_OK; SM_ERR_LIMIT if a number is out of range; SM_ERR_NOMEM */
SM_NODISCARD enum sm_status sm_encoder_create(struct sm_encoder **out,
                                              const struct sm_encoder_config *config);

/** Destroys `encoder`. NULL does nothing. */
void sm_encoder_destroy(struct sm_encoder *encoder);

/** Gives back what large images left it of scratch memory; for an encoder with nothing to do. */
void sm_encoder_trim(struct sm_encoder *encoder);

/** From now on uses `dictionary`, borrowed; NULL: without GLZ. For encoders that several share. */
void sm_encoder_set_dictionary(struct sm_encoder *encoder, struct sm_glz_dictionary *dictionary);

/** True if `codec` can carry pixels of `format` at all, the libraries being there. */
bool sm_codec_can_encode(enum sm_image_codec codec, enum sm_pixel_format format);

/**
 * Appends the compressed data area of `in` to `out`.
 *
 * The ceiling of `out` bounds the result: give it the size of the raw bitmap, and an image that
 * does not shrink ends early with SM_ERR_LIMIT. A GLZ image that fails is taken out of the
 * dictionary again, its number goes to the next one. ZLIB_GLZ wants room for the worst case
 * beforehand, sm_encode_bound() of GLZ; if it does not shrink it leaves plain GLZ, see the `codec`
 * parameter.
 *
 * @param codec  what to use; receives what was used: SM_CODEC_GLZ if ZLIB_GLZ did not shrink
 * @param info   receives what the message says besides
 * @return SM_OK; on any failure `out` is as it was:
 *         SM_ERR_LIMIT if the result or the image is too large; SM_ERR_STATE if `in` is not well
 *         formed, if the codec cannot carry its format, or a library or the dictionary is missing;
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_image_encode(struct sm_encoder *encoder, enum sm_image_codec *codec,
                                            const struct sm_pixels_in *in, struct sm_encoded *info,
                                            struct sm_writer *out);

/** Bytes that `codec` never exceeds for pixels like `in`; 0 if it cannot carry them. */
uint64_t sm_encode_bound(enum sm_image_codec codec, const struct sm_pixels_in *in);

/** Appends one video frame (MJPEG) of `quality` 1 to 100 to `out`. Returns as sm_image_encode(). */
SM_NODISCARD enum sm_status sm_mjpeg_encode(struct sm_encoder *encoder,
                                            const struct sm_pixels_in *in, unsigned quality,
                                            struct sm_writer *out);

#endif
