/* SPDX-License-Identifier: MIT */
/* The pixels an encoder is given, checked, row by row in the form its codec works on. */
#ifndef SM_CORE_CODEC_INPUT_H
#define SM_CORE_CODEC_INPUT_H

#include "core/codec/codec.h"
#include "core/codec/rows.h"
#include "core/codec/scratch.h"

/** A checked picture. Rows may be asked for in any order; neighbours are cheap. */
struct sm_input {
    const struct sm_pixels_in *in; /* borrowed */
    struct sm_bytes piece;         /* `in->data`, if there are no chunks */
    size_t row_bytes;
    struct sm_rows rows;
};

/** @return SM_OK; SM_ERR_STATE if `in` is not well formed; SM_ERR_LIMIT above `max_pixels` */
SM_NODISCARD enum sm_status sm_input_init(struct sm_input *input, const struct sm_pixels_in *in,
                                          uint64_t max_pixels);

/** Row `y` in memory order; `room` has `row_bytes` for rows that are cut. */
const uint8_t *sm_input_row(struct sm_input *input, uint32_t y, uint8_t *room);

/** All rows in one piece and tightly packed: the input itself, or a copy in `scratch`; NULL without
 * memory. */
const uint8_t *sm_input_packed(struct sm_input *input, struct sm_scratch *scratch);

/** The row in memory that is visible at `y`. */
static inline uint32_t sm_input_visible(const struct sm_input *input, uint32_t y)
{
    return input->in->is_top_down ? y : input->in->height - 1 - y;
}

/** A row of XRGB32 or RGB24 pixels as words with the top byte 0; of ARGB32 as it is. */
void sm_row_to_words(uint32_t *out, const uint8_t *row, enum sm_pixel_format format,
                     uint32_t width);

#endif
