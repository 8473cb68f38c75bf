/* SPDX-License-Identifier: MIT */
/* Pixels to QUIC images, byte for byte what the reference makes of them. */
#ifndef SM_CORE_CODEC_QUIC_ENCODE_H
#define SM_CORE_CODEC_QUIC_ENCODE_H

#include "core/base/writer.h"
#include "core/codec/block.h"
#include "core/codec/input.h"
#include "core/codec/quic/quic.h"
#include "core/codec/scratch.h"

struct sm_codec_ops;

/** Bits on their way out. */
struct sm_quic_sink {
    struct sm_block *block;
    uint64_t bits;  /* the newest one lowest */
    uint32_t count; /* of them, below 32 between pixels */
};

/** A row under way: `row` plus what the encoder prepares for it. */
struct sm_quic_encode_row {
    struct sm_quic_row row;
    uint32_t *folded; /* of all components, for each column */
};

/** Encodes one row of one plane. False once the writer has failed. */
typedef bool sm_quic_encode_row_fn(struct sm_quic_sink *sink, const struct sm_quic_family *family,
                                   struct sm_quic_plane *plane, enum sm_quic_plane_kind kind,
                                   const struct sm_quic_encode_row *row);
sm_quic_encode_row_fn sm_quic_encode_row_c;
sm_quic_encode_row_fn sm_quic_encode_row_sse41; /* only on x86 */
sm_quic_encode_row_fn sm_quic_encode_row_avx2;  /* likewise */

/** What the encoder object lends. */
struct sm_quic_encode_context {
    const struct sm_codec_ops *ops;
    const struct sm_quic_tables *tables;
    struct sm_quic_plane *planes; /* two */
    struct sm_block *block;
    struct sm_scratch *scratch; /* five rows */
};

/** True for the layouts QUIC can carry. */
bool sm_quic_can_encode(enum sm_pixel_format format);

/** Appends an image of `input` to `out`; `*out` is in pieces on failure. */
SM_NODISCARD enum sm_status sm_quic_encode(const struct sm_quic_encode_context *context,
                                           struct sm_input *input, struct sm_writer *out);

#endif
