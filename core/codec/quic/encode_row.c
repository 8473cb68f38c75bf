/* SPDX-License-Identifier: MIT */
/* The QUIC row encoder in portable C. */
#include "core/codec/quic/encode_body.h"

bool sm_quic_encode_row_c(struct sm_quic_sink *sink, const struct sm_quic_family *family,
                          struct sm_quic_plane *plane, enum sm_quic_plane_kind kind,
                          const struct sm_quic_encode_row *row)
{
    return quic_encode_row_any(sink, family, quic_learn_c, plane, kind, row);
}
