/* SPDX-License-Identifier: MIT */
/* The LZ and GLZ passes for processors that shuffle bytes. */
#include "core/codec/x86.h"

#if SM_HAS_X86

SM_SSE41_BEGIN

#include "core/codec/glz/compress.h"
#include "core/codec/glz/pass.h"
#include "core/codec/lz/shuffle.h"

bool sm_lz_pass_sse41(struct sm_reader *r, enum sm_lz_unit unit, uint8_t *out, size_t count)
{
    return lz_pass_any(r, unit, lz_expand_bgr_shuffled, out, count);
}

enum sm_glz_result sm_glz_pass_sse41(struct sm_glz_pass *pass, enum sm_lz_unit unit)
{
    return glz_pass_any(pass, unit, lz_expand_bgr_shuffled);
}

bool sm_lz_compress_sse41(struct sm_lz_table *table, const uint8_t *units, size_t count,
                          enum sm_lz_unit unit, struct sm_block *block)
{
    return lz_compress_any(table, units, count, unit, lz_pack_bgr_shuffled, block);
}

bool sm_glz_compress_sse41(struct sm_glz_search *search, enum sm_lz_unit unit,
                           struct sm_block *block, struct sm_glz_references *references)
{
    return glz_compress_any(search, unit, lz_pack_bgr_shuffled, block, references);
}

SM_SSE41_END

#else
typedef int sm_lz_has_no_sse41; /* a file must hold something */
#endif
