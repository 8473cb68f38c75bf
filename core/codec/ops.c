/* SPDX-License-Identifier: MIT */
#include "core/codec/ops.h"

#include "core/base/cpu.h"
#include "core/codec/x86.h"

void sm_codec_ops_init(struct sm_codec_ops *ops, uint32_t cpu_flags)
{
    *ops = (struct sm_codec_ops){
        .lz_pass = sm_lz_pass_c,
        .glz_pass = sm_glz_pass_c,
        .quic_decode_row = sm_quic_decode_row_c,
        .quic_encode_row = sm_quic_encode_row_c,
        .lz_compress = sm_lz_compress_c,
        .glz_compress = sm_glz_compress_c,
    };
#if SM_HAS_X86
    if (cpu_flags & SM_CPU_SSE41) {
        ops->lz_pass = sm_lz_pass_sse41;
        ops->glz_pass = sm_glz_pass_sse41;
        ops->lz_compress = sm_lz_compress_sse41;
        ops->glz_compress = sm_glz_compress_sse41;
        ops->quic_decode_row = sm_quic_decode_row_sse41;
        ops->quic_encode_row = sm_quic_encode_row_sse41;
    }
    if (cpu_flags & SM_CPU_AVX2) {
        ops->quic_decode_row = sm_quic_decode_row_avx2;
        ops->quic_encode_row = sm_quic_encode_row_avx2;
    }
#else
    (void)cpu_flags;
#endif
}
