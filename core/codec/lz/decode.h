/* SPDX-License-Identifier: MIT */
/* Whole LZ images: header, passes, rows in the caller's order. */
#ifndef SM_CORE_CODEC_LZ_DECODE_H
#define SM_CORE_CODEC_LZ_DECODE_H

#include "core/base/pixels.h"
#include "core/codec/codec.h"
#include "core/codec/lz/lz.h"
#include "core/codec/ops.h"
#include "core/codec/scratch.h"

/** What the image decoders need from the decoder object. */
struct sm_lz_context {
    const struct sm_codec_ops *ops;
    struct sm_scratch *scratch; /* for images whose rows do not lie one after another */
    const char **reason;        /* set on failure */
};

/**
 * Decodes LZ_RGB (`palette` NULL) or LZ_PALETTE data to `out`: XRGB32, ARGB32, A8 or RGB555 as the
 * type in the header says, XRGB32 also for 16-bit types.
 */
SM_NODISCARD enum sm_status sm_lz_decode(const struct sm_lz_context *context, struct sm_bytes data,
                                         const struct sm_codec_palette *palette,
                                         const struct sm_pixels *out);

/** Decodes the alpha part of JPEG_ALPHA into the top bytes of `out`, ARGB32. */
SM_NODISCARD enum sm_status sm_lz_decode_alpha(const struct sm_lz_context *context,
                                               struct sm_bytes data, bool is_top_down,
                                               const struct sm_pixels *out);

#endif
