/* SPDX-License-Identifier: MIT */
/* The LZ encoder's pass in portable C. */
#include "core/codec/lz/compress.h"
#include "core/codec/lz/here.h"

bool sm_lz_compress_c(struct sm_lz_table *table, const uint8_t *units, size_t count,
                      enum sm_lz_unit unit, struct sm_block *block)
{
    return lz_compress_any(table, units, count, unit, lz_pack_bgr_here, block);
}
