/* SPDX-License-Identifier: MIT */
/* LZ4 images: raw rows in blocks that the library codes. Source: docs/codec.md, "LZ4". */
#ifndef SM_CORE_CODEC_LZ4_H
#define SM_CORE_CODEC_LZ4_H

#include "core/base/pixels.h"
#include "core/base/writer.h"
#include "core/codec/input.h"
#include "core/codec/libs.h"
#include "core/codec/scratch.h"

/** The layout that the head of an image announces; SM_PIXEL_NONE if it is not one of LZ4's. */
enum sm_pixel_format sm_lz4_native_format(struct sm_bytes head);

/** Decodes to `out`, whose format must be the one announced. `scratch` holds 24-bit rows, or all
 * rows if they do not lie one after another in `out`. */
SM_NODISCARD enum sm_status sm_lz4_decode(const struct sm_lz4_lib *lib, void *state,
                                          struct sm_bytes data, const struct sm_pixels *out,
                                          struct sm_scratch *scratch, const char **reason);

/** True for the layouts LZ4 images can carry. */
bool sm_lz4_can_encode(enum sm_pixel_format format);

/** Appends an image of `input` in one block. `packed` and `block` lend room. */
SM_NODISCARD enum sm_status sm_lz4_encode(const struct sm_lz4_lib *lib, void *state,
                                          struct sm_input *input, struct sm_scratch *packed,
                                          struct sm_scratch *block, struct sm_writer *out);

#endif
