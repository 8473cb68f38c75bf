/* SPDX-License-Identifier: MIT */
/* The LZ pass in portable C. */
#include "core/codec/lz/pass.h"
#include "core/codec/lz/here.h"

bool sm_lz_pass_c(struct sm_reader *r, enum sm_lz_unit unit, uint8_t *out, size_t count)
{
    return lz_pass_any(r, unit, lz_expand_bgr_here, out, count);
}
