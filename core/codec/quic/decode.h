/* SPDX-License-Identifier: MIT */
/* QUIC images to pixels. */
#ifndef SM_CORE_CODEC_QUIC_DECODE_H
#define SM_CORE_CODEC_QUIC_DECODE_H

#include "core/base/pixels.h"
#include "core/codec/quic/quic.h"
#include "core/codec/scratch.h"

struct sm_codec_ops;

/** A bit cursor; once the stream has ended it delivers zeros. */
struct sm_quic_bits {
    uint64_t bits; /* the next ones, from the most significant down */
    int32_t count; /* of them that are valid */
    uint32_t wrong;
    uint64_t missing;         /* bits delivered after the end */
    const uint8_t *pos, *end; /* borrowed: whole words not loaded yet */
};

/** Decodes one row of one plane. Errors are noted in `bits`; memory is never overrun. */
typedef void sm_quic_decode_row_fn(struct sm_quic_bits *bits, const struct sm_quic_family *family,
                                   struct sm_quic_plane *plane, enum sm_quic_plane_kind kind,
                                   const struct sm_quic_row *row);
sm_quic_decode_row_fn sm_quic_decode_row_c;
sm_quic_decode_row_fn sm_quic_decode_row_sse41; /* only on x86 */
sm_quic_decode_row_fn sm_quic_decode_row_avx2;  /* likewise */

/** What the decoder object lends. */
struct sm_quic_context {
    const struct sm_codec_ops *ops;
    const struct sm_quic_tables *tables;
    struct sm_quic_plane *planes; /* two */
    struct sm_scratch *scratch;   /* three rows */
    const char **reason;          /* set on failure */
};

/** Decodes to `out`: the type's format, for RGB16 also XRGB32. Rows are visible top first. */
SM_NODISCARD enum sm_status sm_quic_decode(const struct sm_quic_context *context,
                                           struct sm_bytes data, const struct sm_pixels *out);

#endif
