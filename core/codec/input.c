/* SPDX-License-Identifier: MIT */
#include "core/codec/input.h"

#include <string.h>

#include "core/codec/palette.h"

enum sm_status sm_input_init(struct sm_input *input, const struct sm_pixels_in *in,
                             uint64_t max_pixels)
{
    uint64_t row_bytes = sm_pixel_row_bytes(in->format, in->width);
    if (in->width == 0 || in->height == 0 || row_bytes == 0 || in->stride_bytes < row_bytes)
        return SM_ERR_STATE;
    if (in->width > SM_CODEC_MAX_SIDE || in->height > SM_CODEC_MAX_SIDE ||
        (uint64_t)in->width * in->height > max_pixels)
        return SM_ERR_LIMIT;
    *input = (struct sm_input){.in = in, .row_bytes = (size_t)row_bytes, .piece = in->data};
    input->rows.chunks = in->chunk_count ? in->chunks : &input->piece;
    input->rows.chunk_count = in->chunk_count ? in->chunk_count : 1;
    uint64_t needed = (uint64_t)in->stride_bytes * (in->height - 1) + row_bytes;
    uint64_t size = sm_chunks_size(input->rows.chunks, input->rows.chunk_count);
    if (in->skip_bytes > size || size - in->skip_bytes < needed)
        return SM_ERR_STATE;
    return SM_OK;
}

const uint8_t *sm_input_row(struct sm_input *input, uint32_t y, uint8_t *room)
{
    sm_rows_seek(&input->rows, input->in->skip_bytes + (uint64_t)y * input->in->stride_bytes);
    return sm_rows_take(&input->rows, input->row_bytes, room);
}

const uint8_t *sm_input_packed(struct sm_input *input, struct sm_scratch *scratch)
{
    if (input->rows.chunk_count == 1 && input->in->stride_bytes == input->row_bytes)
        return input->rows.chunks[0].data + input->in->skip_bytes;
    uint8_t *packed = sm_scratch_need(scratch, input->row_bytes * input->in->height);
    for (uint32_t y = 0; packed && y < input->in->height; y++) {
        uint8_t *to = packed + y * input->row_bytes;
        const uint8_t *row = sm_input_row(input, y, to);
        if (row != to)
            memcpy(to, row, input->row_bytes);
    }
    return packed;
}

static void clear_top_bytes(uint32_t *out, const uint8_t *row, uint32_t width)
{
    typedef uint32_t pixels __attribute__((vector_size(16)));
    uint32_t x = 0;
    for (; x + 4 <= width; x += 4) {
        pixels v;
        memcpy(&v, row + 4 * (size_t)x, sizeof(v));
        v &= 0xffffff;
        memcpy(out + x, &v, sizeof(v));
    }
    for (; x < width; x++) {
        uint32_t v;
        memcpy(&v, row + 4 * (size_t)x, 4);
        out[x] = v & 0xffffff;
    }
}

void sm_row_to_words(uint32_t *out, const uint8_t *row, enum sm_pixel_format format, uint32_t width)
{
    switch (format) {
    case SM_PIXEL_RGB24:
        sm_widen_24_row((uint8_t *)out, row, width);
        break;
    case SM_PIXEL_XRGB32:
        clear_top_bytes(out, row, width);
        break;
    default:
        memcpy(out, row, 4 * (size_t)width);
        break;
    }
}
