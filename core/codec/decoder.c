/* SPDX-License-Identifier: MIT */
#include "core/codec/decoder.h"

#include <stdlib.h>

#include "core/base/reader.h"
#include "core/codec/bitmap.h"
#include "core/codec/lz/decode.h"
#include "core/codec/lz/lz.h"
#include "core/codec/ops.h"
#include "core/codec/scratch.h"

struct sm_decoder {
    struct sm_codec_libs libs;
    uint64_t max_pixels;
    struct sm_codec_ops ops;
    const char *reason; /* static */

    struct sm_scratch gathered; /* compressed data that came in chunks */
    struct sm_scratch linear;   /* pixels in stream order */
};

enum sm_status sm_decoder_create(struct sm_decoder **out, const struct sm_decoder_config *config)
{
    if (config->max_pixels > SM_CODEC_MAX_PIXELS)
        return SM_ERR_LIMIT;
    struct sm_decoder *decoder = calloc(1, sizeof(*decoder));
    if (!decoder)
        return SM_ERR_NOMEM;
    if (config->libs)
        decoder->libs = *config->libs;
    decoder->max_pixels = config->max_pixels ? config->max_pixels : SM_CODEC_MAX_PIXELS;
    decoder->reason = "";
    sm_codec_ops_init(&decoder->ops, config->cpu_flags);
    *out = decoder;
    return SM_OK;
}

void sm_decoder_destroy(struct sm_decoder *decoder)
{
    if (!decoder)
        return;
    sm_scratch_finish(&decoder->gathered);
    sm_scratch_finish(&decoder->linear);
    free(decoder);
}

const char *sm_decoder_reason(const struct sm_decoder *decoder)
{
    return decoder->reason;
}

static enum sm_status fail(struct sm_decoder *decoder, enum sm_status status, const char *why)
{
    decoder->reason = why;
    return status;
}

/* ---- what comes out ---- */

enum { PEEK_SIZE = SM_LZ_HEADER_SIZE }; /* the longest header that tells a format */

static enum sm_pixel_format lz_native_format(struct sm_bytes head, bool is_palette)
{
    struct sm_reader r = sm_reader(head);
    struct sm_lz_header header;
    const char *reason;
    if (sm_lz_parse_header(&header, &r, &reason) != SM_OK || header.type == SM_LZ_XXXA ||
        sm_lz_type_is_palette(header.type) != is_palette)
        return SM_PIXEL_NONE;
    return is_palette ? SM_PIXEL_XRGB32 : sm_lz_format(header.type);
}

enum sm_status sm_image_native_format(const struct sm_codec_image *image,
                                      enum sm_pixel_format surface, enum sm_pixel_format *format)
{
    uint8_t room[PEEK_SIZE];
    struct sm_bytes head = image->data;
    if (image->chunk_count) {
        size_t size = sm_chunks_copy(image->chunks, image->chunk_count, room, sizeof(room));
        head = (struct sm_bytes){.data = room, .size = size};
    }

    enum sm_pixel_format native = SM_PIXEL_NONE;
    switch (image->codec) {
    case SM_CODEC_BITMAP:
        native = sm_bitmap_native_format(image, surface);
        break;
    case SM_CODEC_LZ_PALETTE:
    case SM_CODEC_LZ_RGB:
        native = lz_native_format(head, image->codec == SM_CODEC_LZ_PALETTE);
        break;
    default:
        break;
    }
    if (native == SM_PIXEL_NONE)
        return SM_ERR_PROTOCOL;
    *format = native;
    return SM_OK;
}

/* ---- decoding ---- */

/* `image` with its data both in one piece and as a list of one chunk; `piece` holds the chunk. */
static enum sm_status gather(struct sm_decoder *decoder, struct sm_codec_image *image,
                             struct sm_bytes *piece)
{
    if (image->chunk_count == 0) {
        *piece = image->data;
    } else if (image->chunk_count == 1) {
        *piece = image->chunks[0];
    } else {
        size_t size = sm_chunks_size(image->chunks, image->chunk_count);
        uint8_t *data = sm_scratch_need(&decoder->gathered, size);
        if (!data)
            return SM_ERR_NOMEM;
        sm_chunks_copy(image->chunks, image->chunk_count, data, size);
        *piece = (struct sm_bytes){.data = data, .size = size};
    }
    image->data = *piece;
    image->chunks = piece;
    image->chunk_count = 1;
    return SM_OK;
}

static bool fits(const struct sm_codec_image *image, const struct sm_pixels *out)
{
    uint64_t row_bytes = sm_pixel_row_bytes(out->format, out->width);
    uint64_t stride = (uint64_t)(out->stride_bytes < 0 ? -out->stride_bytes : out->stride_bytes);
    return out->data && out->width == image->width && out->height == image->height &&
           row_bytes > 0 && (stride >= row_bytes || out->height == 1);
}

static enum sm_status decode_bitmap(struct sm_decoder *decoder, const struct sm_codec_image *image,
                                    const struct sm_pixels *out)
{
    if (sm_bitmap_native_format(image, out->format) != out->format)
        return fail(decoder, SM_ERR_STATE, "bitmap: pixels of the wrong format to decode to");
    size_t row_bytes = (size_t)sm_pixel_row_bytes(image->bitmap_format, image->width);
    uint8_t *row = sm_scratch_need(&decoder->linear, row_bytes);
    return row ? sm_bitmap_decode(image, out, row, &decoder->reason) : SM_ERR_NOMEM;
}

static enum sm_status decode_lz(struct sm_decoder *decoder, const struct sm_codec_image *image,
                                const struct sm_pixels *out)
{
    struct sm_lz_context context = {
        .ops = &decoder->ops, .scratch = &decoder->linear, .reason = &decoder->reason};
    const struct sm_codec_palette *palette =
        image->codec == SM_CODEC_LZ_PALETTE ? &image->palette : NULL;
    return sm_lz_decode(&context, image->data, palette, out);
}

enum sm_status sm_image_decode(struct sm_decoder *decoder, const struct sm_codec_image *image,
                               const struct sm_pixels *out)
{
    decoder->reason = "";
    if (image->width == 0 || image->height == 0 || image->width > SM_CODEC_MAX_SIDE ||
        image->height > SM_CODEC_MAX_SIDE)
        return fail(decoder, SM_ERR_PROTOCOL, "image: no pixels, or a side too long");
    if ((uint64_t)image->width * image->height > decoder->max_pixels)
        return fail(decoder, SM_ERR_LIMIT, "image: more pixels than allowed");
    if (!fits(image, out))
        return fail(decoder, SM_ERR_STATE, "image: the memory to decode to does not fit");

    struct sm_codec_image whole = *image;
    struct sm_bytes piece;
    enum sm_status status;
    if (image->codec == SM_CODEC_BITMAP) { /* walks its chunks */
        if (image->chunk_count == 0) {
            whole.chunks = &whole.data;
            whole.chunk_count = 1;
        }
        status = decode_bitmap(decoder, &whole, out);
    } else {
        status = gather(decoder, &whole, &piece);
        if (status != SM_OK)
            return status;
        switch (image->codec) {
        case SM_CODEC_LZ_PALETTE:
        case SM_CODEC_LZ_RGB:
            status = decode_lz(decoder, &whole, out);
            break;
        default:
            status = fail(decoder, SM_ERR_PROTOCOL, "image: unknown codec");
            break;
        }
    }
    sm_scratch_trim(&decoder->gathered);
    sm_scratch_trim(&decoder->linear);
    return status;
}
