/* SPDX-License-Identifier: MIT */
#include "core/codec/quic/encode.h"

#include <string.h>

#include "core/codec/ops.h"

/* The type a layout is sent as; 0 if there is none. */
static uint32_t type_for(enum sm_pixel_format format)
{
    switch (format) {
    case SM_PIXEL_GRAY8:
        return SM_QUIC_GRAY;
    case SM_PIXEL_RGB555:
        return SM_QUIC_RGB16;
    case SM_PIXEL_RGB24:
        return SM_QUIC_RGB24;
    case SM_PIXEL_XRGB32:
        return SM_QUIC_RGB32;
    case SM_PIXEL_ARGB32:
        return SM_QUIC_RGBA;
    default:
        return 0;
    }
}

bool sm_quic_can_encode(enum sm_pixel_format format)
{
    return type_for(format) != 0;
}

/* A row as words with a component in each byte. */
static void load_row(uint32_t *out, const uint8_t *row, enum sm_pixel_format format, uint32_t width)
{
    if (format == SM_PIXEL_GRAY8) {
        for (uint32_t x = 0; x < width; x++)
            out[x] = row[x];
    } else if (format == SM_PIXEL_RGB555) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t v = (uint32_t)row[2 * (size_t)x] | (uint32_t)row[2 * (size_t)x + 1] << 8;
            out[x] = (v & 0x7c00) << 6 | (v & 0x03e0) << 3 | (v & 0x001f);
        }
    } else {
        sm_row_to_words(out, row, format, width);
    }
}

static enum sm_quic_plane_kind first_plane(uint32_t type)
{
    if (type == SM_QUIC_GRAY)
        return SM_QUIC_GRAY8;
    return type == SM_QUIC_RGB16 ? SM_QUIC_COLORS5 : SM_QUIC_COLORS8;
}

/* Fills the last word with zeros, and adds the one that decoders load in advance. */
static void finish(struct sm_quic_sink *sink)
{
    struct sm_block *block = sink->block;
    sm_block_ready(block);
    if (sink->count > 0) {
        uint32_t word = (uint32_t)(sink->bits << (64 - sink->count) >> 32);
        for (uint32_t i = 0; i < 4; i++)
            *block->pos++ = (uint8_t)(word >> 8 * i);
    }
    memset(block->pos, 0, 4);
    block->pos += 4;
}

enum sm_status sm_quic_encode(const struct sm_quic_encode_context *context, struct sm_input *input,
                              struct sm_writer *out)
{
    const struct sm_pixels_in *in = input->in;
    uint32_t type = type_for(in->format);
    size_t row_words = (size_t)in->width + 1;
    uint32_t *room =
        (uint32_t *)(void *)sm_scratch_need(context->scratch, 5 * row_words * sizeof(uint32_t));
    if (!room)
        return SM_ERR_NOMEM;
    memset(room, 0, row_words * sizeof(uint32_t));
    uint32_t *const rows[2] = {room + row_words, room + 2 * row_words};
    struct sm_quic_encode_row encode = {
        .row = {.residuals = room + 1, .width = in->width},
        .folded = room + 3 * row_words,
    };
    uint8_t *cut_row = (uint8_t *)(room + 4 * row_words);

    sm_put_le32(out, SM_QUIC_MAGIC);
    sm_put_le32(out, SM_QUIC_VERSION);
    sm_put_le32(out, type);
    sm_put_le32(out, in->width);
    sm_put_le32(out, in->height);

    enum sm_quic_plane_kind kind = first_plane(type);
    const struct sm_quic_family *family =
        kind == SM_QUIC_COLORS5 ? &context->tables->depth5 : &context->tables->depth8;
    sm_quic_plane_init(&context->planes[0], family);
    sm_quic_plane_init(&context->planes[1], family);
    sm_block_init(context->block, out);
    struct sm_quic_sink sink = {.block = context->block};
    sm_quic_encode_row_fn *encode_row = context->ops->quic_encode_row;
    for (uint32_t y = 0; y < in->height && !out->failed; y++) {
        encode.row.above = encode.row.pixels;
        encode.row.pixels = rows[y & 1];
        load_row(rows[y & 1], sm_input_row(input, sm_input_visible(input, y), cut_row), in->format,
                 in->width);
        if (!encode_row(&sink, family, &context->planes[0], kind, &encode) ||
            (type == SM_QUIC_RGBA &&
             !encode_row(&sink, family, &context->planes[1], SM_QUIC_ALPHA8, &encode)))
            break;
    }
    finish(&sink);
    sm_block_flush(context->block);
    return sm_writer_status(out);
}
