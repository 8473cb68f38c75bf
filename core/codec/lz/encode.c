/* SPDX-License-Identifier: MIT */
#include "core/codec/lz/encode.h"

#include <string.h>

#include "core/codec/match.h"
#include "core/codec/ops.h"

uint32_t sm_lz_type_for(enum sm_pixel_format format)
{
    switch (format) {
    case SM_PIXEL_INDEX1_LE:
        return SM_LZ_PLT1_LE;
    case SM_PIXEL_INDEX1_BE:
        return SM_LZ_PLT1_BE;
    case SM_PIXEL_INDEX4_LE:
        return SM_LZ_PLT4_LE;
    case SM_PIXEL_INDEX4_BE:
        return SM_LZ_PLT4_BE;
    case SM_PIXEL_INDEX8:
        return SM_LZ_PLT8;
    case SM_PIXEL_RGB555:
        return SM_LZ_RGB16;
    case SM_PIXEL_RGB24:
        return SM_LZ_RGB24;
    case SM_PIXEL_XRGB32:
        return SM_LZ_RGB32;
    case SM_PIXEL_ARGB32:
        return SM_LZ_RGBA;
    case SM_PIXEL_A8:
        return SM_LZ_A8;
    default:
        return 0;
    }
}

static void put_header(struct sm_writer *out, const struct sm_input *input, uint32_t type)
{
    sm_put_be32(out, SM_LZ_MAGIC);
    sm_put_be32(out, SM_LZ_VERSION);
    sm_put_be32(out, type);
    sm_put_be32(out, input->in->width);
    sm_put_be32(out, input->in->height);
    sm_put_be32(out, sm_lz_stride(type, input->in->width));
    sm_put_be32(out, input->in->is_top_down);
}

/* A row as units of the pass; what must not count is 0. */
static void load_units(uint8_t *out, const uint8_t *row, const struct sm_input *input,
                       enum sm_lz_unit unit)
{
    uint32_t width = input->in->width;
    switch (unit) {
    case SM_LZ_BGR:
        if (input->in->format == SM_PIXEL_RGB24)
            sm_row_to_words((uint32_t *)(void *)out, row, SM_PIXEL_RGB24, width);
        else
            sm_row_to_words((uint32_t *)(void *)out, row, SM_PIXEL_XRGB32, width);
        break;
    case SM_LZ_555:
        for (uint32_t x = 0; x < width; x++) {
            out[2 * (size_t)x] = row[2 * (size_t)x];
            out[2 * (size_t)x + 1] = row[2 * (size_t)x + 1] & 0x7f;
        }
        break;
    case SM_LZ_ALPHA:
        for (uint32_t x = 0; x < width; x++)
            out[x] = row[4 * (size_t)x + 3];
        break;
    default:
        memcpy(out, row, input->row_bytes);
        break;
    }
}

/* One pass over the whole picture, in the order of its rows in memory. */
static enum sm_status compress(const struct sm_lz_encode_context *context, struct sm_input *input,
                               enum sm_lz_unit unit, struct sm_writer *out)
{
    bool is_alpha = unit == SM_LZ_ALPHA;
    size_t row_units = unit == SM_LZ_BYTES ? input->row_bytes : input->in->width;
    size_t row_size = row_units * (is_alpha ? 1 : sm_lz_unit_size(unit));
    size_t size = row_size * input->in->height;
    uint8_t *units = sm_scratch_need(context->scratch, size + SM_MATCH_SLACK);
    uint8_t *cut_row = sm_scratch_need(context->cut_row, input->row_bytes);
    if (!units || !cut_row)
        return SM_ERR_NOMEM;
    memset(units + size, 0, SM_MATCH_SLACK);
    for (uint32_t y = 0; y < input->in->height; y++)
        load_units(units + y * row_size, sm_input_row(input, y, cut_row), input, unit);
    sm_block_init(context->block, out);
    if (context->ops->lz_compress(context->table, units, row_units * input->in->height,
                                  is_alpha ? SM_LZ_BYTES : unit, context->block))
        sm_block_flush(context->block);
    return sm_writer_status(out);
}

enum sm_status sm_lz_encode(const struct sm_lz_encode_context *context, struct sm_input *input,
                            struct sm_writer *out)
{
    uint32_t type = sm_lz_type_for(input->in->format);
    put_header(out, input, type);
    enum sm_lz_unit unit = SM_LZ_BGR;
    if (type == SM_LZ_RGB16)
        unit = SM_LZ_555;
    else if (sm_lz_type_is_palette(type) || type == SM_LZ_A8)
        unit = SM_LZ_BYTES;
    enum sm_status status = compress(context, input, unit, out);
    if (status == SM_OK && type == SM_LZ_RGBA)
        status = compress(context, input, SM_LZ_ALPHA, out);
    return status;
}

enum sm_status sm_lz_encode_alpha(const struct sm_lz_encode_context *context,
                                  struct sm_input *input, struct sm_writer *out)
{
    put_header(out, input, SM_LZ_XXXA);
    return compress(context, input, SM_LZ_ALPHA, out);
}
