/* SPDX-License-Identifier: MIT */
#include "core/codec/bitmap.h"

#include <string.h>

#include "core/codec/palette.h"
#include "core/codec/rows.h"
#include "core/codec/scratch.h"

enum sm_pixel_format sm_bitmap_native_format(const struct sm_codec_image *image,
                                             enum sm_pixel_format surface)
{
    switch (image->bitmap_format) {
    case SM_PIXEL_XRGB32:
    case SM_PIXEL_ARGB32:
    case SM_PIXEL_RGB555:
    case SM_PIXEL_A8:
        return image->bitmap_format;
    case SM_PIXEL_RGB24:
        return SM_PIXEL_XRGB32;
    case SM_PIXEL_INDEX1_LE: /* masks alone; no picture may have it, nor 4 bits in this order */
        return surface == SM_PIXEL_A1 ? SM_PIXEL_A1 : SM_PIXEL_NONE;
    case SM_PIXEL_INDEX1_BE:
        if (surface == SM_PIXEL_A1)
            return SM_PIXEL_A1;
        break;
    case SM_PIXEL_INDEX4_BE:
    case SM_PIXEL_INDEX8:
        break;
    default:
        return SM_PIXEL_NONE;
    }
    switch (surface) {
    case SM_PIXEL_XRGB32:
    case SM_PIXEL_ARGB32:
    case SM_PIXEL_RGB555:
        return surface;
    default:
        return SM_PIXEL_NONE;
    }
}

static void copy_bits_reversed(const uint8_t *in, size_t size, uint8_t *out)
{
    for (size_t i = 0; i < size; i++) {
        uint32_t v = in[i];
        v = (v & 0x55) << 1 | (v >> 1 & 0x55);
        v = (v & 0x33) << 2 | (v >> 2 & 0x33);
        out[i] = (uint8_t)(v << 4 | v >> 4);
    }
}

enum sm_status sm_bitmap_decode(const struct sm_codec_image *image, const struct sm_pixels *out,
                                uint8_t *row, const char **reason)
{
    enum sm_pixel_format format = image->bitmap_format;
    uint64_t row_bytes = sm_pixel_row_bytes(format, image->width);
    uint64_t stride = image->bitmap_stride_bytes;
    uint64_t needed =
        stride * (image->height - 1) + row_bytes; /* the last row's padding may lack */
    if (stride < row_bytes || needed > sm_chunks_size(image->chunks, image->chunk_count)) {
        *reason = "bitmap: fewer bytes than its rows need";
        return SM_ERR_PROTOCOL;
    }

    struct sm_colors colors;
    bool is_16bit = out->format == SM_PIXEL_RGB555;
    bool is_looked_up = sm_pixel_is_index(format) && out->format != SM_PIXEL_A1;
    if (is_looked_up) {
        if (!image->palette.entries || image->palette.count > SM_PALETTE_MAX_ENTRIES) {
            *reason = "bitmap: no usable palette";
            return SM_ERR_PROTOCOL;
        }
        sm_colors_init(&colors, &image->palette, format,
                       is_16bit ? SM_PALETTE_LOW16 : SM_PALETTE_AS_SENT);
    }

    struct sm_rows rows = {.chunks = image->chunks, .chunk_count = image->chunk_count};
    for (uint32_t y = 0; y < image->height; y++) {
        const uint8_t *from = sm_rows_take(&rows, (size_t)row_bytes, row);
        sm_rows_skip(&rows, (size_t)(stride - row_bytes));
        uint8_t *to = sm_pixels_row(out, image->is_top_down ? y : image->height - 1 - y);
        if (is_looked_up)
            sm_colors_row(&colors, format, from, image->width, to, is_16bit);
        else if (format == SM_PIXEL_RGB24)
            sm_widen_24_row(to, from, image->width);
        else if (format == SM_PIXEL_INDEX1_BE)
            copy_bits_reversed(from, (size_t)row_bytes, to);
        else
            memcpy(to, from, (size_t)row_bytes);
    }
    return SM_OK;
}

enum sm_status sm_bitmap_encode(struct sm_input *input, uint8_t *row, struct sm_writer *out)
{
    for (uint32_t y = 0; y < input->in->height && !out->failed; y++) {
        const uint8_t *from = sm_input_row(input, y, row);
        sm_put_bytes(out, (struct sm_bytes){from, input->row_bytes});
    }
    return sm_writer_status(out);
}
