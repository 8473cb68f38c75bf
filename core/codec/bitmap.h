/* SPDX-License-Identifier: MIT */
/* Uncompressed images. Source: docs/codec.md, "Bitmap". */
#ifndef SM_CORE_CODEC_BITMAP_H
#define SM_CORE_CODEC_BITMAP_H

#include "core/base/writer.h"
#include "core/codec/codec.h"
#include "core/codec/input.h"

/** The format a bitmap comes out in; SM_PIXEL_NONE if it cannot be a picture on `surface`. */
enum sm_pixel_format sm_bitmap_native_format(const struct sm_codec_image *image,
                                             enum sm_pixel_format surface);

/**
 * Writes the rows of `image`, given as chunks, to `out`, whose dimensions and format fit.
 *
 * @param row     room for one row of the bitmap, sm_pixel_row_bytes() of its format
 * @param reason  set on failure
 */
SM_NODISCARD enum sm_status sm_bitmap_decode(const struct sm_codec_image *image,
                                             const struct sm_pixels *out, uint8_t *row,
                                             const char **reason);

/** Appends the rows of `input`, in memory order and tightly packed. `row` as above. */
SM_NODISCARD enum sm_status sm_bitmap_encode(struct sm_input *input, uint8_t *row,
                                             struct sm_writer *out);

#endif
