/* SPDX-License-Identifier: MIT */
/* Decodes images of every codec through one door. */
#ifndef SM_CORE_CODEC_DECODER_H
#define SM_CORE_CODEC_DECODER_H

#include <stdint.h>

#include "core/base/pixels.h"
#include "core/codec/codec.h"
#include "core/codec/libs.h"
#include "sumac/status.h"

struct sm_glz_window;

/** Holds scratch memory and library contexts. Thread: one at a time per decoder. */
struct sm_decoder;

struct sm_decoder_config {
    const struct sm_codec_libs *libs; /* NULL: without JPEG, zlib and LZ4 */
    struct sm_glz_window *window;     /* NULL: without GLZ; outlives the decoder */
    uint64_t max_pixels;              /* of one image; 0 means SM_CODEC_MAX_PIXELS */
    uint32_t cpu_flags;               /* of sm_cpu_detect(), or 0 */
};

/** @return SM_OK; SM_ERR_LIMIT if `max_pixels` is above SM_CODEC_MAX_PIXELS; SM_ERR_NOMEM */
SM_NODISCARD enum sm_status sm_decoder_create(struct sm_decoder **out,
                                              const struct sm_decoder_config *config);

/** Destroys `decoder`; an image it waited for is dropped. NULL does nothing. */
void sm_decoder_destroy(struct sm_decoder *decoder);

/**
 * The format in which an image comes out, known from its header; ask before allocating.
 *
 * Palette bitmaps take the format of the target surface (XRGB32, ARGB32 or RGB555); bitmaps of one
 * bit come out as A1, without looking at a palette, if `surface` is A1: a mask. QUIC and LZ
 * images of 16 bits are RGB555 and LZ4 ones of 24 bits RGB24; sm_image_decode() also accepts XRGB32
 * for them. GRAY8 comes out of the one QUIC type that no picture may have: refuse it.
 *
 * @param surface  the format of the target surface; only palette bitmaps look at it
 * @return SM_OK; SM_ERR_PROTOCOL if the header says nothing usable; for ZLIB_GLZ, whose header is
 *         compressed, also SM_ERR_STATE without the library and SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_image_native_format(struct sm_decoder *decoder,
                                                   const struct sm_codec_image *image,
                                                   enum sm_pixel_format surface,
                                                   enum sm_pixel_format *format);

/**
 * Decodes `image` to `out`: caller's memory of exactly the image's dimensions and of its native
 * format. The top byte of XRGB32 is 0, except where LZ4, bitmaps and their palettes carry one.
 *
 * @return SM_OK;
 *         SM_AGAIN if a GLZ image refers to one that is not there yet, see sm_decoder_awaited();
 *         SM_ERR_PROTOCOL if the data is malformed, SM_ERR_LIMIT if it is too large: the contents
 *         of `out` are then undefined, but never foreign memory;
 *         SM_ERR_STATE if `out` does not fit or a library or the window is missing; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_image_decode(struct sm_decoder *decoder,
                                            const struct sm_codec_image *image,
                                            const struct sm_pixels *out);

/**
 * After SM_AGAIN: the id of the GLZ image that is missing. Let other channels decode, and when
 * sm_glz_window_is_settled() says so call sm_image_decode() again with the same image; decoding
 * goes on where it stopped. Or give up with sm_decoder_cancel().
 */
uint64_t sm_decoder_awaited(const struct sm_decoder *decoder);

/** Drops a GLZ image that waits. Harmless if none does. */
void sm_decoder_cancel(struct sm_decoder *decoder);

/** Why the last call failed, in words; static, "" if it did not. */
const char *sm_decoder_reason(const struct sm_decoder *decoder);

/**
 * The dimensions of a video frame (MJPEG), which are the JPEG's own.
 *
 * @return SM_OK; SM_ERR_PROTOCOL; SM_ERR_LIMIT if it has more pixels than `max_pixels`;
 *         SM_ERR_STATE without the library; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_mjpeg_size(struct sm_decoder *decoder, struct sm_bytes frame,
                                          uint32_t *width, uint32_t *height);

/**
 * Decodes a video frame to `out`, XRGB32 of exactly the frame's dimensions; the top byte is 0xFF.
 * Frames need no Huffman tables. Rows are in the JPEG's order: a bottom-up stream gives an `out`
 * with a negative stride. Returns as sm_image_decode().
 */
SM_NODISCARD enum sm_status sm_mjpeg_decode(struct sm_decoder *decoder, struct sm_bytes frame,
                                            const struct sm_pixels *out);

#endif
