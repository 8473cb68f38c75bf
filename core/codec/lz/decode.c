/* SPDX-License-Identifier: MIT */
#include "core/codec/lz/decode.h"

#include <string.h>

#include "core/codec/palette.h"

static enum sm_status fail(const struct sm_lz_context *context, enum sm_status status,
                           const char *why)
{
    *context->reason = why;
    return status;
}

/* The row of `out` that row `y` of the stream belongs to. */
static uint8_t *stream_row(const struct sm_pixels *out, bool is_top_down, uint32_t y)
{
    return sm_pixels_row(out, is_top_down ? y : out->height - 1 - y);
}

/*
 * Matches cross row ends, so a pass needs its rows one after another in stream order. If `out` is
 * not laid out so, decode beside it and let the caller copy.
 */
static uint8_t *linear_memory(const struct sm_lz_context *context, const struct sm_pixels *out,
                              bool is_top_down, size_t row_bytes)
{
    ptrdiff_t wanted = is_top_down ? (ptrdiff_t)row_bytes : -(ptrdiff_t)row_bytes;
    if (out->stride_bytes == wanted || out->height == 1)
        return stream_row(out, is_top_down, 0);
    return sm_scratch_need(context->scratch, row_bytes * out->height);
}

static void copy_rows(const struct sm_pixels *out, bool is_top_down, const uint8_t *linear,
                      size_t row_bytes)
{
    if (linear == stream_row(out, is_top_down, 0))
        return;
    for (uint32_t y = 0; y < out->height; y++)
        memcpy(stream_row(out, is_top_down, y), linear + y * row_bytes, row_bytes);
}

/* Reads a header that must describe an image like `out`. */
static enum sm_status read_header(const struct sm_lz_context *context, struct sm_reader *r,
                                  const struct sm_pixels *out, struct sm_lz_header *header)
{
    enum sm_status status = sm_lz_parse_header(header, r, context->reason);
    if (status != SM_OK)
        return status;
    if (header->width != out->width || header->height != out->height)
        return fail(context, SM_ERR_PROTOCOL, "lz: dimensions differ from the descriptor's");
    return SM_OK;
}

static enum sm_status decode_palette(const struct sm_lz_context *context, struct sm_reader *r,
                                     const struct sm_lz_header *header,
                                     const struct sm_codec_palette *palette,
                                     const struct sm_pixels *out)
{
    if (!palette->entries || palette->count == 0 || palette->count > SM_PALETTE_MAX_ENTRIES)
        return fail(context, SM_ERR_PROTOCOL, "lz: no usable palette");
    size_t size = (size_t)header->stride_bytes * header->height;
    uint8_t *packed = sm_scratch_need(context->scratch, size);
    if (!packed)
        return SM_ERR_NOMEM;
    if (!context->ops->lz_pass(r, SM_LZ_BYTES, packed, size))
        return fail(context, SM_ERR_PROTOCOL, "lz: malformed tokens");

    enum sm_pixel_format format = sm_lz_format(header->type);
    struct sm_colors colors;
    sm_colors_init(&colors, palette, format, SM_PALETTE_OPAQUE);
    for (uint32_t y = 0; y < header->height; y++) {
        sm_colors_row(&colors, format, packed + (size_t)y * header->stride_bytes, header->width,
                      stream_row(out, header->is_top_down, y), false);
    }
    return SM_OK;
}

static enum sm_lz_unit unit_for(enum sm_lz_type type, const struct sm_pixels *out)
{
    if (type == SM_LZ_A8)
        return SM_LZ_BYTES;
    if (type == SM_LZ_RGB16)
        return out->format == SM_PIXEL_RGB555 ? SM_LZ_555 : SM_LZ_555_WIDENED;
    return SM_LZ_BGR;
}

static enum sm_status decode_pixels(const struct sm_lz_context *context, struct sm_reader *r,
                                    const struct sm_lz_header *header, const struct sm_pixels *out)
{
    enum sm_lz_unit unit = unit_for(header->type, out);
    size_t row_bytes = header->width * sm_lz_unit_size(unit);
    size_t count = (size_t)header->width * header->height;
    uint8_t *linear = linear_memory(context, out, header->is_top_down, row_bytes);
    if (!linear)
        return SM_ERR_NOMEM;
    if (!context->ops->lz_pass(r, unit, linear, count) ||
        (header->type == SM_LZ_RGBA && !context->ops->lz_pass(r, SM_LZ_ALPHA, linear, count)))
        return fail(context, SM_ERR_PROTOCOL, "lz: malformed tokens");
    copy_rows(out, header->is_top_down, linear, row_bytes);
    return SM_OK;
}

enum sm_status sm_lz_decode(const struct sm_lz_context *context, struct sm_bytes data,
                            const struct sm_codec_palette *palette, const struct sm_pixels *out)
{
    struct sm_reader r = sm_reader(data);
    struct sm_lz_header header;
    enum sm_status status = read_header(context, &r, out, &header);
    if (status != SM_OK)
        return status;
    if (sm_lz_type_is_palette(header.type) != (palette != NULL) || header.type == SM_LZ_XXXA)
        return fail(context, SM_ERR_PROTOCOL, "lz: a type that this image cannot have");

    enum sm_pixel_format native = palette ? SM_PIXEL_XRGB32 : sm_lz_format(header.type);
    bool is_widened = native == SM_PIXEL_RGB555 && out->format == SM_PIXEL_XRGB32;
    if (out->format != native && !is_widened)
        return fail(context, SM_ERR_STATE, "lz: pixels of the wrong format to decode to");

    status = palette ? decode_palette(context, &r, &header, palette, out)
                     : decode_pixels(context, &r, &header, out);
    if (status == SM_OK && sm_left(&r) != 0)
        return fail(context, SM_ERR_PROTOCOL, "lz: bytes after the last token");
    return status;
}

enum sm_status sm_lz_decode_alpha(const struct sm_lz_context *context, struct sm_bytes data,
                                  bool is_top_down, const struct sm_pixels *out)
{
    struct sm_reader r = sm_reader(data);
    struct sm_lz_header header;
    enum sm_status status = read_header(context, &r, out, &header);
    if (status != SM_OK)
        return status;
    if (header.type != SM_LZ_XXXA || header.is_top_down != is_top_down)
        return fail(context, SM_ERR_PROTOCOL, "lz: not the alpha of this image");

    size_t count = (size_t)header.width * header.height;
    uint8_t *alpha = sm_scratch_need(context->scratch, count);
    if (!alpha)
        return SM_ERR_NOMEM;
    if (!context->ops->lz_pass(&r, SM_LZ_BYTES, alpha, count) || sm_left(&r) != 0)
        return fail(context, SM_ERR_PROTOCOL, "lz: malformed alpha tokens");
    for (uint32_t y = 0; y < header.height; y++) {
        uint8_t *row = stream_row(out, is_top_down, y);
        for (uint32_t x = 0; x < header.width; x++)
            row[4 * (size_t)x + 3] = alpha[(size_t)y * header.width + x];
    }
    return SM_OK;
}
