/* SPDX-License-Identifier: MIT */
/* The QUIC row decoder in portable C. */
#include "core/codec/quic/decode_body.h"

void sm_quic_decode_row_c(struct sm_quic_bits *bits, const struct sm_quic_family *family,
                          struct sm_quic_plane *plane, enum sm_quic_plane_kind kind,
                          const struct sm_quic_row *row)
{
    quic_decode_row_any(bits, family, quic_learn_c, plane, kind, row);
}
