/* SPDX-License-Identifier: MIT */
/* The hot loops of the codecs as a table: portable C, then what the processor does better. */
#ifndef SM_CORE_CODEC_OPS_H
#define SM_CORE_CODEC_OPS_H

#include <stdint.h>

#include "core/codec/glz/encode.h"
#include "core/codec/glz/glz.h"
#include "core/codec/lz/encode.h"
#include "core/codec/lz/lz.h"
#include "core/codec/quic/decode.h"
#include "core/codec/quic/encode.h"

/** Every override gives the same result as the portable function it replaces. */
struct sm_codec_ops {
    sm_lz_pass_fn *lz_pass;
    sm_glz_pass_fn *glz_pass;
    sm_quic_decode_row_fn *quic_decode_row;
    sm_quic_encode_row_fn *quic_encode_row;
    sm_lz_compress_fn *lz_compress;
    sm_glz_compress_fn *glz_compress;
};

/** Fills `ops` for the features `cpu_flags` (enum sm_cpu_flag); 0 gives portable C. */
void sm_codec_ops_init(struct sm_codec_ops *ops, uint32_t cpu_flags);

#endif
