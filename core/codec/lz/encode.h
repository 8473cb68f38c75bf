/* SPDX-License-Identifier: MIT */
/* Pixels to LZ images. The format leaves the choice of matches to us. */
#ifndef SM_CORE_CODEC_LZ_ENCODE_H
#define SM_CORE_CODEC_LZ_ENCODE_H

#include "core/base/writer.h"
#include "core/codec/block.h"
#include "core/codec/input.h"
#include "core/codec/lz/lz.h"
#include "core/codec/scratch.h"

struct sm_codec_ops;

enum {
    SM_LZ_SHORT_BITS = 13,
    SM_LZ_LONG_BITS = 14,
    SM_LZ_GOOD_LENGTH = 24, /* units; no better one is looked for */
};

/** Where groups of units were seen last. Zeroed at first; passes leave it for the next one. */
struct sm_lz_table {
    uint32_t base; /* added to positions: what is below it belongs to earlier passes */
    uint32_t short_slots[1 << SM_LZ_SHORT_BITS];
    uint32_t long_slots[1 << SM_LZ_LONG_BITS];
};

/**
 * Writes the tokens of a pass over `count` units (BYTES, 555 or BGR) of sm_lz_unit_size() bytes
 * each; SM_MATCH_SLACK bytes behind them can be read. Units must be equal in all their bytes to
 * match.
 *
 * @return false once the writer has failed
 */
typedef bool sm_lz_compress_fn(struct sm_lz_table *table, const uint8_t *units, size_t count,
                               enum sm_lz_unit unit, struct sm_block *block);
sm_lz_compress_fn sm_lz_compress_c;
sm_lz_compress_fn sm_lz_compress_sse41; /* only on x86 */

/** What the encoder object lends. */
struct sm_lz_encode_context {
    const struct sm_codec_ops *ops;
    struct sm_lz_table *table;
    struct sm_block *block;
    struct sm_scratch *scratch; /* all pixels, one after another */
    struct sm_scratch *cut_row; /* a row of the input */
};

/** The type that pixels of `format` are sent as; 0 if there is none. */
uint32_t sm_lz_type_for(enum sm_pixel_format format);

/** Appends an LZ image of `input`, whose format has a type, to `out`. */
SM_NODISCARD enum sm_status sm_lz_encode(const struct sm_lz_encode_context *context,
                                         struct sm_input *input, struct sm_writer *out);

/** Appends the XXXA image of the alpha of `input`, ARGB32, to `out`. */
SM_NODISCARD enum sm_status sm_lz_encode_alpha(const struct sm_lz_encode_context *context,
                                               struct sm_input *input, struct sm_writer *out);

#endif
