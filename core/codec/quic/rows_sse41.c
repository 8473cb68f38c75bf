/* SPDX-License-Identifier: MIT */
/* The QUIC rows for processors that have SSE4.1 but not AVX2. */
#include "core/codec/x86.h"

#if SM_HAS_X86

#include <smmintrin.h>

SM_SSE41_BEGIN

#include "core/codec/quic/decode_body.h"
#include "core/codec/quic/encode_body.h"
#include "core/codec/quic/learn_sse41.h"

void sm_quic_decode_row_sse41(struct sm_quic_bits *bits, const struct sm_quic_family *family,
                              struct sm_quic_plane *plane, enum sm_quic_plane_kind kind,
                              const struct sm_quic_row *row)
{
    quic_decode_row_any(bits, family, quic_learn_sse41, plane, kind, row);
}

bool sm_quic_encode_row_sse41(struct sm_quic_sink *sink, const struct sm_quic_family *family,
                              struct sm_quic_plane *plane, enum sm_quic_plane_kind kind,
                              const struct sm_quic_encode_row *row)
{
    return quic_encode_row_any(sink, family, quic_learn_sse41, plane, kind, row);
}

SM_SSE41_END

#else
typedef int sm_quic_has_no_sse41; /* a file must hold something */
#endif
