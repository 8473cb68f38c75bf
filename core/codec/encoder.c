/* SPDX-License-Identifier: MIT */
#include "core/codec/encoder.h"

#include <stdlib.h>

#include "core/codec/bitmap.h"
#include "core/codec/block.h"
#include "core/codec/glz/encode.h"
#include "core/codec/input.h"
#include "core/codec/jpeg.h"
#include "core/codec/lz/encode.h"
#include "core/codec/lz4.h"
#include "core/codec/ops.h"
#include "core/codec/quic/encode.h"
#include "core/codec/scratch.h"

enum {
    DEFAULT_JPEG_QUALITY = 85,
    ZLIB_LEVEL = 3,
    ZLIB_LEAST_BYTES = 100, /* below, it is not worth a try */
    KEPT_AT_REST = 1 << 20, /* bytes of each scratch memory */
};

struct sm_encoder {
    struct sm_codec_libs libs;
    struct sm_glz_dictionary *dictionary; /* borrowed */
    uint64_t max_pixels;
    unsigned jpeg_quality;
    struct sm_codec_ops ops;
    struct sm_quic_tables quic_tables;
    struct sm_quic_plane quic_planes[2];
    struct sm_block block;
    struct sm_lz_table lz_table;
    struct sm_glz_references references;
    void *jpeg, *zlib, *lz4; /* owned states of the libraries */

    struct sm_scratch pixels;     /* rows in the form a codec works on */
    struct sm_scratch cut_row;    /* a row of the input that is in several chunks */
    struct sm_scratch compressed; /* what a library writes */
    struct sm_writer glz;         /* a GLZ image before it is deflated */
};

enum sm_status sm_encoder_create(struct sm_encoder **out, const struct sm_encoder_config *config)
{
    if (config->max_pixels > SM_CODEC_MAX_PIXELS || config->jpeg_quality > 100)
        return SM_ERR_LIMIT;
    struct sm_encoder *encoder = calloc(1, sizeof(*encoder));
    if (!encoder)
        return SM_ERR_NOMEM;
    if (config->libs)
        encoder->libs = *config->libs;
    encoder->dictionary = config->dictionary;
    encoder->max_pixels = config->max_pixels ? config->max_pixels : SM_CODEC_MAX_PIXELS;
    encoder->jpeg_quality = config->jpeg_quality ? config->jpeg_quality : DEFAULT_JPEG_QUALITY;
    sm_codec_ops_init(&encoder->ops, config->cpu_flags);
    sm_quic_tables_init(&encoder->quic_tables);
    sm_writer_init(&encoder->glz, SIZE_MAX);
    *out = encoder;
    return SM_OK;
}

void sm_encoder_destroy(struct sm_encoder *encoder)
{
    if (!encoder)
        return;
    if (encoder->jpeg)
        encoder->libs.jpeg->destroy(encoder->jpeg);
    if (encoder->zlib)
        encoder->libs.zlib->destroy(encoder->zlib);
    if (encoder->lz4)
        encoder->libs.lz4->destroy(encoder->lz4);
    sm_scratch_finish(&encoder->pixels);
    sm_scratch_finish(&encoder->cut_row);
    sm_scratch_finish(&encoder->compressed);
    sm_scratch_finish(&encoder->references.room);
    sm_writer_finish(&encoder->glz);
    free(encoder);
}

void sm_encoder_trim(struct sm_encoder *encoder)
{
    sm_scratch_trim_to(&encoder->pixels, KEPT_AT_REST);
    sm_scratch_trim_to(&encoder->compressed, KEPT_AT_REST);
    sm_scratch_trim_to(&encoder->references.room, KEPT_AT_REST);
}

void sm_encoder_set_dictionary(struct sm_encoder *encoder, struct sm_glz_dictionary *dictionary)
{
    encoder->dictionary = dictionary;
}

static enum sm_status encode_quic(struct sm_encoder *encoder, struct sm_input *input,
                                  struct sm_writer *out)
{
    struct sm_quic_encode_context context = {
        .ops = &encoder->ops,
        .tables = &encoder->quic_tables,
        .planes = encoder->quic_planes,
        .block = &encoder->block,
        .scratch = &encoder->pixels,
    };
    return sm_quic_encode(&context, input, out);
}

static enum sm_status encode_bitmap(struct sm_encoder *encoder, struct sm_input *input,
                                    struct sm_encoded *info, struct sm_writer *out)
{
    uint8_t *row = sm_scratch_need(&encoder->cut_row, input->row_bytes);
    info->stride_bytes = (uint32_t)input->row_bytes;
    return row ? sm_bitmap_encode(input, row, out) : SM_ERR_NOMEM;
}

static struct sm_lz_encode_context lz_context(struct sm_encoder *encoder)
{
    return (struct sm_lz_encode_context){
        .ops = &encoder->ops,
        .table = &encoder->lz_table,
        .block = &encoder->block,
        .scratch = &encoder->pixels,
        .cut_row = &encoder->cut_row,
    };
}

static enum sm_status encode_lz(struct sm_encoder *encoder, struct sm_input *input,
                                struct sm_writer *out)
{
    struct sm_lz_encode_context context = lz_context(encoder);
    return sm_lz_encode(&context, input, out);
}

static enum sm_status encode_glz(struct sm_encoder *encoder, struct sm_input *input,
                                 struct sm_encoded *info, struct sm_writer *out)
{
    struct sm_glz_encode_context context = {
        .ops = &encoder->ops,
        .block = &encoder->block,
        .cut_row = &encoder->cut_row,
        .references = &encoder->references,
    };
    return sm_glz_encode(&context, encoder->dictionary, input, out, &info->glz_id);
}

/* Deflates `glz` to `out` if that makes it smaller, else copies it and says so in `codec`. */
static enum sm_status deflate_glz(struct sm_encoder *encoder, struct sm_bytes glz,
                                  enum sm_image_codec *codec, struct sm_encoded *info,
                                  struct sm_writer *out)
{
    const struct sm_zlib_lib *lib = encoder->libs.zlib;
    size_t size = 0;
    uint8_t *room = NULL;
    if (glz.size >= ZLIB_LEAST_BYTES)
        room = sm_scratch_need(&encoder->compressed, glz.size);
    if (room && lib->deflate(encoder->zlib, glz, ZLIB_LEVEL, room, glz.size - 1, &size) == SM_OK) {
        info->inflated_size = (uint32_t)glz.size;
        sm_put_bytes(out, (struct sm_bytes){room, size});
    } else {
        *codec = SM_CODEC_GLZ;
        sm_put_bytes(out, glz);
    }
    return sm_writer_status(out);
}

static enum sm_status encode_zlib_glz(struct sm_encoder *encoder, enum sm_image_codec *codec,
                                      struct sm_input *input, struct sm_encoded *info,
                                      struct sm_writer *out)
{
    if (!encoder->zlib)
        encoder->zlib = encoder->libs.zlib->create();
    if (!encoder->zlib)
        return SM_ERR_NOMEM;
    /* Room for the worst case first: once the image has its number it has to be sent. */
    size_t size_before = out->size;
    size_t bound = (size_t)sm_encode_bound(SM_CODEC_GLZ, input->in);
    if (!sm_put_room(out, bound))
        return sm_writer_status(out);
    out->size = size_before;

    sm_writer_reset(&encoder->glz);
    enum sm_status status = encode_glz(encoder, input, info, &encoder->glz);
    if (status == SM_OK)
        status = deflate_glz(encoder, sm_writer_bytes(&encoder->glz), codec, info, out);
    if (encoder->glz.capacity > SM_SCRATCH_KEPT_BYTES)
        sm_writer_finish(&encoder->glz);
    return status;
}

static enum sm_status encode_lz4(struct sm_encoder *encoder, struct sm_input *input,
                                 struct sm_writer *out)
{
    if (!encoder->lz4)
        encoder->lz4 = encoder->libs.lz4->create();
    if (!encoder->lz4)
        return SM_ERR_NOMEM;
    return sm_lz4_encode(encoder->libs.lz4, encoder->lz4, input, &encoder->pixels,
                         &encoder->compressed, out);
}

static enum sm_status encode_jpeg(struct sm_encoder *encoder, struct sm_input *input,
                                  unsigned quality, enum sm_jpeg_quality_mode mode,
                                  struct sm_writer *out)
{
    if (!encoder->jpeg)
        encoder->jpeg = encoder->libs.jpeg->create();
    if (!encoder->jpeg)
        return SM_ERR_NOMEM;
    return sm_jpeg_encode(encoder->libs.jpeg, encoder->jpeg, input, quality, mode, &encoder->pixels,
                          out);
}

static enum sm_status encode_jpeg_alpha(struct sm_encoder *encoder, struct sm_input *input,
                                        struct sm_encoded *info, struct sm_writer *out)
{
    size_t size_before = out->size;
    enum sm_status status =
        encode_jpeg(encoder, input, encoder->jpeg_quality, SM_JPEG_ACCURATE, out);
    if (status != SM_OK)
        return status;
    info->jpeg_size = (uint32_t)(out->size - size_before);
    struct sm_lz_encode_context context = lz_context(encoder);
    return sm_lz_encode_alpha(&context, input, out);
}

bool sm_codec_can_encode(enum sm_image_codec codec, enum sm_pixel_format format)
{
    switch (codec) {
    case SM_CODEC_BITMAP:
        return sm_bitmap_format_number(format) != 0;
    case SM_CODEC_QUIC:
        return sm_quic_can_encode(format);
    case SM_CODEC_LZ_PALETTE:
        return sm_pixel_is_index(format);
    case SM_CODEC_LZ_RGB:
        return sm_lz_type_for(format) != 0 && !sm_pixel_is_index(format);
    case SM_CODEC_GLZ:
    case SM_CODEC_ZLIB_GLZ:
        return sm_glz_can_encode(format);
    case SM_CODEC_LZ4:
        return sm_lz4_can_encode(format);
    case SM_CODEC_JPEG:
        return sm_jpeg_can_encode(format);
    case SM_CODEC_JPEG_ALPHA:
        return format == SM_PIXEL_ARGB32;
    }
    return false;
}

/* Whether this encoder has what `codec` needs besides pixels. */
static bool is_equipped(const struct sm_encoder *encoder, enum sm_image_codec codec)
{
    switch (codec) {
    case SM_CODEC_GLZ:
        return encoder->dictionary;
    case SM_CODEC_ZLIB_GLZ:
        return encoder->dictionary && encoder->libs.zlib;
    case SM_CODEC_LZ4:
        return encoder->libs.lz4;
    case SM_CODEC_JPEG:
    case SM_CODEC_JPEG_ALPHA:
        return encoder->libs.jpeg;
    default:
        return true;
    }
}

static enum sm_status encode(struct sm_encoder *encoder, enum sm_image_codec *codec,
                             struct sm_input *input, struct sm_encoded *info, struct sm_writer *out)
{
    switch (*codec) {
    case SM_CODEC_BITMAP:
        return encode_bitmap(encoder, input, info, out);
    case SM_CODEC_QUIC:
        return encode_quic(encoder, input, out);
    case SM_CODEC_LZ_PALETTE:
    case SM_CODEC_LZ_RGB:
        return encode_lz(encoder, input, out);
    case SM_CODEC_GLZ:
        return encode_glz(encoder, input, info, out);
    case SM_CODEC_ZLIB_GLZ:
        return encode_zlib_glz(encoder, codec, input, info, out);
    case SM_CODEC_LZ4:
        return encode_lz4(encoder, input, out);
    case SM_CODEC_JPEG:
        return encode_jpeg(encoder, input, encoder->jpeg_quality, SM_JPEG_ACCURATE, out);
    case SM_CODEC_JPEG_ALPHA:
        return encode_jpeg_alpha(encoder, input, info, out);
    }
    return SM_ERR_STATE;
}

/* Runs after every image, whatever became of it. */
static enum sm_status settle(struct sm_encoder *encoder, enum sm_status status, size_t size_before,
                             struct sm_writer *out)
{
    if (status != SM_OK) { /* whoever called finds the writer as it was */
        out->size = size_before;
        out->failed = out->hit_limit = false;
    }
    sm_scratch_trim(&encoder->pixels);
    sm_scratch_trim(&encoder->compressed);
    sm_scratch_trim(&encoder->references.room);
    return status;
}

enum sm_status sm_image_encode(struct sm_encoder *encoder, enum sm_image_codec *codec,
                               const struct sm_pixels_in *in, struct sm_encoded *info,
                               struct sm_writer *out)
{
    struct sm_input input;
    enum sm_status status = sm_input_init(&input, in, encoder->max_pixels);
    if (status == SM_OK &&
        (!sm_codec_can_encode(*codec, in->format) || !is_equipped(encoder, *codec)))
        status = SM_ERR_STATE;
    if (status == SM_OK)
        status = sm_writer_status(out);
    if (status != SM_OK)
        return status;
    size_t size_before = out->size;
    struct sm_encoded made = {.is_top_down = in->is_top_down};
    status = encode(encoder, codec, &input, &made, out);
    if (status == SM_OK)
        *info = made;
    return settle(encoder, status, size_before, out);
}

uint64_t sm_encode_bound(enum sm_image_codec codec, const struct sm_pixels_in *in)
{
    if (!sm_codec_can_encode(codec, in->format))
        return 0;
    uint64_t pixels = (uint64_t)in->width * in->height;
    uint64_t raw = sm_pixel_row_bytes(in->format, in->width) * in->height;
    uint64_t literal_bytes = raw + pixels / SM_LZ_MAX_LITERALS * 2 + SM_GLZ_HEADER_SIZE + 8;
    switch (codec) {
    case SM_CODEC_BITMAP:
        return raw;
    case SM_CODEC_QUIC: /* no code is longer than 26 bits, and a run costs at most 17 */
        return SM_QUIC_HEADER_SIZE + pixels * 18 + 8;
    case SM_CODEC_LZ4:
        return raw + raw / 255 + 64;
    case SM_CODEC_JPEG: /* each 8 x 8 block of three components, with a codeword for everything */
    case SM_CODEC_JPEG_ALPHA:
        return (uint64_t)(in->width + 15) * (in->height + 15) * 6 + 2048 + literal_bytes;
    default:
        return literal_bytes;
    }
}

enum sm_status sm_mjpeg_encode(struct sm_encoder *encoder, const struct sm_pixels_in *in,
                               unsigned quality, struct sm_writer *out)
{
    struct sm_input input;
    enum sm_status status = sm_input_init(&input, in, encoder->max_pixels);
    if (status == SM_OK &&
        (!encoder->libs.jpeg || !sm_jpeg_can_encode(in->format) || quality == 0 || quality > 100))
        status = SM_ERR_STATE;
    if (status == SM_OK)
        status = sm_writer_status(out);
    if (status != SM_OK)
        return status;
    size_t size_before = out->size;
    status = encode_jpeg(encoder, &input, quality, SM_JPEG_FAST, out);
    return settle(encoder, status, size_before, out);
}
