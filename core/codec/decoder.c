/* SPDX-License-Identifier: MIT */
#include "core/codec/decoder.h"

#include <stdlib.h>

#include "core/base/reader.h"
#include "core/codec/bitmap.h"
#include "core/codec/glz/decode.h"
#include "core/codec/jpeg.h"
#include "core/codec/lz/decode.h"
#include "core/codec/lz/lz.h"
#include "core/codec/lz4.h"
#include "core/codec/ops.h"
#include "core/codec/quic/decode.h"
#include "core/codec/scratch.h"

struct sm_decoder {
    struct sm_codec_libs libs;
    uint64_t max_pixels;
    struct sm_codec_ops ops;
    const char *reason;                 /* static */
    struct sm_quic_tables *quic_tables; /* owned, like the planes made when first needed */
    struct sm_quic_plane *quic_planes;

    struct sm_glz_window *window; /* borrowed */
    struct sm_glz_job glz;        /* an image that waits, if any */
    void *jpeg, *zlib, *lz4;      /* owned states of the libraries */

    struct sm_scratch gathered; /* compressed data that came in chunks */
    struct sm_scratch inflated; /* a GLZ image out of its zlib stream, until it is decoded */
    size_t inflated_size;       /* of it; 0: there is none */
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
    decoder->window = config->window;
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
    sm_glz_job_finish(&decoder->glz);
    if (decoder->jpeg)
        decoder->libs.jpeg->destroy(decoder->jpeg);
    if (decoder->zlib)
        decoder->libs.zlib->destroy(decoder->zlib);
    if (decoder->lz4)
        decoder->libs.lz4->destroy(decoder->lz4);
    sm_scratch_finish(&decoder->gathered);
    sm_scratch_finish(&decoder->inflated);
    sm_scratch_finish(&decoder->linear);
    free(decoder->quic_tables);
    free(decoder->quic_planes);
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

enum { PEEK_SIZE = SM_GLZ_HEADER_SIZE }; /* the longest header that tells a format */

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

static enum sm_pixel_format quic_native_format(struct sm_bytes head)
{
    struct sm_quic_header header;
    const char *reason;
    if (sm_quic_parse_header(&header, head, &reason) != SM_OK)
        return SM_PIXEL_NONE;
    return sm_quic_format(header.type);
}

static enum sm_pixel_format glz_native_format(struct sm_bytes head)
{
    struct sm_reader r = sm_reader(head);
    struct sm_glz_header header;
    const char *reason;
    if (sm_glz_parse_header(&header, &r, &reason) != SM_OK)
        return SM_PIXEL_NONE;
    return header.type == SM_LZ_RGBA ? SM_PIXEL_ARGB32 : SM_PIXEL_XRGB32;
}

static enum sm_status open_zlib(struct sm_decoder *decoder)
{
    if (!decoder->libs.zlib)
        return fail(decoder, SM_ERR_STATE, "zlib_glz: built without zlib");
    if (!decoder->zlib)
        decoder->zlib = decoder->libs.zlib->create();
    return decoder->zlib ? SM_OK : SM_ERR_NOMEM;
}

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

/* The head of what is inside a zlib stream. */
static enum sm_status inflate_head(struct sm_decoder *decoder, const struct sm_codec_image *image,
                                   uint8_t room[PEEK_SIZE], struct sm_bytes *head)
{
    struct sm_codec_image whole = *image;
    struct sm_bytes piece;
    enum sm_status status = gather(decoder, &whole, &piece);
    if (status == SM_OK)
        status = open_zlib(decoder);
    if (status == SM_OK)
        status = decoder->libs.zlib->inflate_head(decoder->zlib, piece, room, SM_GLZ_HEADER_SIZE);
    *head = (struct sm_bytes){.data = room, .size = SM_GLZ_HEADER_SIZE};
    return status;
}

enum sm_status sm_image_native_format(struct sm_decoder *decoder,
                                      const struct sm_codec_image *image,
                                      enum sm_pixel_format surface, enum sm_pixel_format *format)
{
    uint8_t room[PEEK_SIZE];
    struct sm_bytes head = image->data;
    decoder->reason = "";
    if (image->codec == SM_CODEC_ZLIB_GLZ) {
        enum sm_status status = inflate_head(decoder, image, room, &head);
        if (status != SM_OK)
            return fail(decoder, status, "zlib_glz: no header inside");
    } else if (image->chunk_count) {
        size_t size = sm_chunks_copy(image->chunks, image->chunk_count, room, sizeof(room));
        head = (struct sm_bytes){.data = room, .size = size};
    }

    enum sm_pixel_format native = SM_PIXEL_NONE;
    switch (image->codec) {
    case SM_CODEC_BITMAP:
        native = sm_bitmap_native_format(image, surface);
        break;
    case SM_CODEC_QUIC:
        native = quic_native_format(head);
        break;
    case SM_CODEC_LZ_PALETTE:
    case SM_CODEC_LZ_RGB:
        native = lz_native_format(head, image->codec == SM_CODEC_LZ_PALETTE);
        break;
    case SM_CODEC_GLZ:
    case SM_CODEC_ZLIB_GLZ:
        native = glz_native_format(head);
        break;
    case SM_CODEC_LZ4:
        native = sm_lz4_native_format(head);
        break;
    case SM_CODEC_JPEG:
        native = SM_PIXEL_XRGB32;
        break;
    case SM_CODEC_JPEG_ALPHA:
        native = SM_PIXEL_ARGB32;
        break;
    }
    if (native == SM_PIXEL_NONE)
        return fail(decoder, SM_ERR_PROTOCOL, "image: no format known for its pixels");
    *format = native;
    return SM_OK;
}

/* ---- decoding ---- */

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

static enum sm_status decode_quic(struct sm_decoder *decoder, const struct sm_codec_image *image,
                                  const struct sm_pixels *out)
{
    if (!decoder->quic_tables) {
        decoder->quic_tables = calloc(1, sizeof(*decoder->quic_tables));
        if (!decoder->quic_tables)
            return SM_ERR_NOMEM;
        sm_quic_tables_init(decoder->quic_tables);
    }
    if (!decoder->quic_planes)
        decoder->quic_planes = calloc(2, sizeof(*decoder->quic_planes));
    if (!decoder->quic_planes)
        return SM_ERR_NOMEM;
    struct sm_quic_context context = {
        .ops = &decoder->ops,
        .tables = decoder->quic_tables,
        .planes = decoder->quic_planes,
        .scratch = &decoder->linear,
        .reason = &decoder->reason,
    };
    return sm_quic_decode(&context, image->data, out);
}

static enum sm_status decode_glz(struct sm_decoder *decoder, struct sm_bytes data,
                                 const struct sm_pixels *out)
{
    if (!decoder->window)
        return fail(decoder, SM_ERR_STATE, "glz: no window");
    return sm_glz_decode(&decoder->glz, decoder->window, &decoder->ops, data, out,
                         &decoder->reason);
}

/* Source: docs/codec.md, "Zlib": what literals alone would need bounds what may be claimed. */
static uint64_t glz_size_max(const struct sm_codec_image *image)
{
    uint64_t pixels = (uint64_t)image->width * image->height;
    return SM_GLZ_HEADER_SIZE + 2 * (4 * pixels + pixels / SM_LZ_MAX_LITERALS + 2);
}

static enum sm_status decode_zlib_glz(struct sm_decoder *decoder,
                                      const struct sm_codec_image *image,
                                      const struct sm_pixels *out)
{
    size_t size = image->inflated_size;
    if (size > glz_size_max(image))
        return fail(decoder, SM_ERR_PROTOCOL, "zlib_glz: larger inside than any image of its size");
    if (decoder->glz.image && decoder->inflated_size != size)
        return fail(decoder, SM_ERR_STATE, "zlib_glz: another image than the one that waits");
    if (!decoder->glz.image) { /* one that waits is inflated already */
        enum sm_status status = open_zlib(decoder);
        if (status != SM_OK)
            return status;
        uint8_t *inflated = sm_scratch_need(&decoder->inflated, size);
        if (!inflated)
            return SM_ERR_NOMEM;
        status = decoder->libs.zlib->inflate(decoder->zlib, image->data, inflated, size);
        if (status != SM_OK)
            return fail(decoder, status, "zlib_glz: not one stream of the size announced");
        decoder->inflated_size = size;
    }
    return decode_glz(decoder, (struct sm_bytes){decoder->inflated.data, size}, out);
}

static enum sm_status decode_lz4(struct sm_decoder *decoder, const struct sm_codec_image *image,
                                 const struct sm_pixels *out)
{
    const struct sm_lz4_lib *lib = decoder->libs.lz4;
    if (!lib)
        return fail(decoder, SM_ERR_STATE, "lz4: built without LZ4");
    if (!decoder->lz4)
        decoder->lz4 = lib->create();
    if (!decoder->lz4)
        return SM_ERR_NOMEM;
    return sm_lz4_decode(lib, decoder->lz4, image->data, out, &decoder->linear, &decoder->reason);
}

static enum sm_status open_jpeg(struct sm_decoder *decoder)
{
    if (!decoder->libs.jpeg)
        return fail(decoder, SM_ERR_STATE, "jpeg: built without JPEG");
    if (!decoder->jpeg)
        decoder->jpeg = decoder->libs.jpeg->create();
    return decoder->jpeg ? SM_OK : SM_ERR_NOMEM;
}

static enum sm_status decode_jpeg(struct sm_decoder *decoder, struct sm_bytes data,
                                  const struct sm_pixels *out, enum sm_jpeg_quality_mode mode,
                                  uint8_t top)
{
    enum sm_status status = open_jpeg(decoder);
    if (status != SM_OK)
        return status;
    return sm_jpeg_decode(decoder->libs.jpeg, decoder->jpeg, data, out, mode, top,
                          &decoder->reason);
}

static enum sm_status decode_jpeg_alpha(struct sm_decoder *decoder,
                                        const struct sm_codec_image *image,
                                        const struct sm_pixels *out)
{
    if (out->format != SM_PIXEL_ARGB32)
        return fail(decoder, SM_ERR_STATE, "jpeg_alpha: pixels of the wrong format to decode to");
    if (image->jpeg_size > image->data.size)
        return fail(decoder, SM_ERR_PROTOCOL, "jpeg_alpha: the JPEG is larger than all of it");
    struct sm_bytes color = {.data = image->data.data, .size = image->jpeg_size};
    struct sm_bytes alpha = {.data = image->data.data + image->jpeg_size,
                             .size = image->data.size - image->jpeg_size};
    enum sm_status status = decode_jpeg(decoder, color, out, SM_JPEG_ACCURATE, 0);
    if (status != SM_OK)
        return status;
    struct sm_lz_context context = {
        .ops = &decoder->ops, .scratch = &decoder->linear, .reason = &decoder->reason};
    return sm_lz_decode_alpha(&context, alpha, image->is_top_down, out);
}

static enum sm_status decode_compressed(struct sm_decoder *decoder,
                                        const struct sm_codec_image *image,
                                        const struct sm_pixels *out)
{
    switch (image->codec) {
    case SM_CODEC_BITMAP:
        break;
    case SM_CODEC_QUIC:
        return decode_quic(decoder, image, out);
    case SM_CODEC_LZ_PALETTE:
    case SM_CODEC_LZ_RGB:
        return decode_lz(decoder, image, out);
    case SM_CODEC_GLZ:
        return decode_glz(decoder, image->data, out);
    case SM_CODEC_ZLIB_GLZ:
        return decode_zlib_glz(decoder, image, out);
    case SM_CODEC_LZ4:
        return decode_lz4(decoder, image, out);
    case SM_CODEC_JPEG:
        if (out->format != SM_PIXEL_XRGB32)
            return fail(decoder, SM_ERR_STATE, "jpeg: pixels of the wrong format to decode to");
        return decode_jpeg(decoder, image->data, out, SM_JPEG_ACCURATE, 0);
    case SM_CODEC_JPEG_ALPHA:
        return decode_jpeg_alpha(decoder, image, out);
    }
    return fail(decoder, SM_ERR_PROTOCOL, "image: unknown codec");
}

static void trim(struct sm_decoder *decoder)
{
    sm_scratch_trim(&decoder->gathered);
    sm_scratch_trim(&decoder->linear);
    if (!decoder->glz.image) { /* else it waits */
        sm_scratch_trim(&decoder->inflated);
        decoder->inflated_size = 0;
    }
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
    struct sm_bytes piece = image->data;
    enum sm_status status;
    if (image->codec == SM_CODEC_BITMAP) { /* walks its chunks */
        if (image->chunk_count == 0) {
            whole.chunks = &piece;
            whole.chunk_count = 1;
        }
        status = decode_bitmap(decoder, &whole, out);
    } else {
        status = gather(decoder, &whole, &piece);
        if (status == SM_OK)
            status = decode_compressed(decoder, &whole, out);
    }
    trim(decoder);
    return status;
}

uint64_t sm_decoder_awaited(const struct sm_decoder *decoder)
{
    return decoder->glz.pass.awaited;
}

void sm_decoder_cancel(struct sm_decoder *decoder)
{
    sm_glz_job_finish(&decoder->glz);
    trim(decoder);
}

/* ---- video frames ---- */

enum sm_status sm_mjpeg_size(struct sm_decoder *decoder, struct sm_bytes frame, uint32_t *width,
                             uint32_t *height)
{
    decoder->reason = "";
    enum sm_status status = open_jpeg(decoder);
    if (status != SM_OK)
        return status;
    uint32_t w, h;
    status = decoder->libs.jpeg->read_size(decoder->jpeg, frame, &w, &h);
    if (status != SM_OK)
        return fail(decoder, status, "mjpeg: no JPEG header");
    if ((uint64_t)w * h > decoder->max_pixels)
        return fail(decoder, SM_ERR_LIMIT, "mjpeg: more pixels than allowed");
    *width = w;
    *height = h;
    return SM_OK;
}

enum sm_status sm_mjpeg_decode(struct sm_decoder *decoder, struct sm_bytes frame,
                               const struct sm_pixels *out)
{
    uint32_t width, height;
    enum sm_status status = sm_mjpeg_size(decoder, frame, &width, &height);
    if (status != SM_OK)
        return status;
    struct sm_codec_image claimed = {.width = width, .height = height};
    if (out->format != SM_PIXEL_XRGB32 || !fits(&claimed, out))
        return fail(decoder, SM_ERR_STATE, "mjpeg: the memory to decode to does not fit");
    return decode_jpeg(decoder, frame, out, SM_JPEG_FAST, 0xff);
}
