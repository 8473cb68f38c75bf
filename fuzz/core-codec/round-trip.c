/* SPDX-License-Identifier: MIT */
/*
 * decode(encode(x)) == x for every lossless codec and layout, portable and processor-specific; both
 * encoders of QUIC make the same bytes.
 *
 * Input: codec (index), layout (index), flags, width - 1, height - 1 (modulo 32), then instructions
 * that draw: an odd byte b stands for b / 2 + 1 bytes that follow, an even one for b / 2 + 1 bytes
 * copied from as far back as the next two bytes say (little-endian).
 */
#include "fuzz/support/fuzz.h"

#include <string.h>

#include "core/base/cpu.h"
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/codec/decoder.h"
#include "core/codec/encoder.h"
#include "core/codec/glz/dictionary.h"
#include "core/codec/glz/window.h"
#include "media/libs.h"

enum {
    WINDOW_PIXELS = 1 << 17,
    FLAG_BOTTOM_UP = 1,
    FLAG_PADDED = 2,
    FLAG_CHUNKED = 4,
    FLAG_FLAT_ALPHA = 8,
    ROUNDS = 3, /* the same picture a little shifted, for GLZ */
};

static const enum sm_image_codec CODECS[] = {
    SM_CODEC_BITMAP, SM_CODEC_QUIC,     SM_CODEC_LZ_PALETTE, SM_CODEC_LZ_RGB,
    SM_CODEC_GLZ,    SM_CODEC_ZLIB_GLZ, SM_CODEC_LZ4,
};

static const enum sm_pixel_format FORMATS[] = {
    SM_PIXEL_XRGB32,    SM_PIXEL_ARGB32,    SM_PIXEL_RGB24,     SM_PIXEL_RGB555,
    SM_PIXEL_A8,        SM_PIXEL_GRAY8,     SM_PIXEL_INDEX1_LE, SM_PIXEL_INDEX8,
    SM_PIXEL_INDEX1_BE, SM_PIXEL_INDEX4_LE, SM_PIXEL_INDEX4_BE,
};

static uint32_t palette_entries[SM_PALETTE_MAX_ENTRIES];

static void draw(uint8_t *out, size_t size, struct sm_reader *r)
{
    size_t done = 0;
    while (done < size) {
        uint8_t op = sm_get_u8(r);
        size_t count = op / 2 + 1u;
        if (count > size - done)
            count = size - done;
        size_t back = op & 1 ? 0 : sm_get_le16(r) % (done + 1);
        for (size_t i = 0; i < count; i++, done++)
            out[done] = op & 1 ? sm_get_u8(r) : back ? out[done - back] : 0;
        if (sm_left(r) == 0 && r->failed) {
            memset(out + done, done ? out[done - 1] : 0, size - done);
            break;
        }
    }
}

struct side {
    struct sm_glz_dictionary *dictionary;
    struct sm_glz_window *window;
    struct sm_encoder *encoder;
    struct sm_decoder *decoder;
    struct sm_writer out;
};

static void open_side(struct side *s, uint32_t cpu_flags, bool has_window)
{
    *s = (struct side){0};
    if (has_window) {
        FUZZ_CHECK(sm_glz_dictionary_create(&s->dictionary, WINDOW_PIXELS, 7, NULL) == SM_OK);
        FUZZ_CHECK(sm_glz_window_create(&s->window, WINDOW_PIXELS, NULL) == SM_OK);
    }
    struct sm_encoder_config encoder = {
        .libs = &sm_media_codec_libs, .dictionary = s->dictionary, .cpu_flags = cpu_flags};
    struct sm_decoder_config decoder = {
        .libs = &sm_media_codec_libs, .window = s->window, .cpu_flags = cpu_flags};
    FUZZ_CHECK(sm_encoder_create(&s->encoder, &encoder) == SM_OK);
    FUZZ_CHECK(sm_decoder_create(&s->decoder, &decoder) == SM_OK);
    sm_writer_init(&s->out, SIZE_MAX);
}

static void close_side(struct side *s)
{
    sm_encoder_destroy(s->encoder);
    sm_decoder_destroy(s->decoder);
    sm_glz_dictionary_destroy(s->dictionary);
    sm_glz_window_destroy(s->window);
    sm_writer_finish(&s->out);
}

/* The bytes of a pixel that must come back, given what the picture was. */
static uint32_t kept_bits(enum sm_image_codec codec, enum sm_pixel_format format)
{
    bool keeps_all = codec == SM_CODEC_BITMAP || codec == SM_CODEC_LZ4;
    switch (format) {
    case SM_PIXEL_XRGB32:
        return keeps_all ? 0xffffffff : 0xffffff;
    case SM_PIXEL_RGB555:
        return keeps_all ? 0xffff : 0x7fff;
    default:
        return 0xffffffff;
    }
}

static uint32_t index_at(const uint8_t *row, enum sm_pixel_format format, uint32_t x)
{
    switch (format) {
    case SM_PIXEL_INDEX1_LE:
        return row[x / 8] >> x % 8 & 1;
    case SM_PIXEL_INDEX1_BE:
        return row[x / 8] >> (7 - x % 8) & 1;
    case SM_PIXEL_INDEX4_LE:
        return row[x / 2] >> 4 * (x % 2) & 15;
    case SM_PIXEL_INDEX4_BE:
        return row[x / 2] >> 4 * (1 - x % 2) & 15;
    default:
        return row[x];
    }
}

/* The pixel at x of a source row as it must come out. */
static uint32_t expected(const uint8_t *row, enum sm_image_codec codec, enum sm_pixel_format format,
                         uint32_t x)
{
    uint32_t v = 0;
    if (sm_pixel_is_index(format)) {
        uint32_t entry = palette_entries[index_at(row, format, x)];
        return codec == SM_CODEC_BITMAP ? entry : entry & 0xffffff;
    }
    uint32_t bytes = sm_pixel_bits(format) / 8;
    for (uint32_t i = 0; i < bytes; i++)
        v |= (uint32_t)row[(size_t)x * bytes + i] << 8 * i;
    v &= kept_bits(codec, format);
    bool is_glz = codec == SM_CODEC_GLZ || codec == SM_CODEC_ZLIB_GLZ;
    if (is_glz && format == SM_PIXEL_RGB555) {
        uint32_t wide = (v & 0x7c00) << 9 | (v & 0x3e0) << 6 | (v & 31) << 3;
        v = wide | (wide >> 5 & 0x070707);
    }
    return v;
}

static void compare(const struct sm_codec_image *image, const struct sm_pixels_in *in,
                    enum sm_image_codec codec, const uint8_t *source, const struct sm_pixels *out)
{
    uint32_t out_bytes = sm_pixel_bits(out->format) / 8;
    for (uint32_t y = 0; y < image->height; y++) {
        uint32_t memory_y = in->is_top_down ? y : image->height - 1 - y;
        const uint8_t *row = source + (size_t)memory_y * in->stride_bytes;
        for (uint32_t x = 0; x < image->width; x++) {
            uint32_t got = 0;
            memcpy(&got, sm_pixels_row(out, y) + (size_t)x * out_bytes, out_bytes);
            FUZZ_CHECK(got == expected(row, codec, in->format, x));
        }
    }
}

static void trip(struct side *s, enum sm_image_codec codec, const struct sm_pixels_in *in,
                 const uint8_t *source)
{
    struct sm_encoded info;
    struct sm_codec_image image = {.codec = codec, .width = in->width, .height = in->height};
    sm_writer_reset(&s->out);
    FUZZ_CHECK(sm_image_encode(s->encoder, &image.codec, in, &info, &s->out) == SM_OK);
    FUZZ_CHECK(s->out.size <= sm_encode_bound(codec, in));
    image.data = sm_writer_bytes(&s->out);
    image.is_top_down = info.is_top_down;
    image.bitmap_format = in->format;
    image.bitmap_stride_bytes = info.stride_bytes;
    image.inflated_size = info.inflated_size;
    image.palette =
        (struct sm_codec_palette){.entries = palette_entries, .count = SM_PALETTE_MAX_ENTRIES};
    enum sm_pixel_format format;
    enum sm_status status = sm_image_native_format(s->decoder, &image, SM_PIXEL_XRGB32, &format);
    if (codec == SM_CODEC_BITMAP && status == SM_ERR_PROTOCOL)
        return; /* layouts that no picture may have */
    FUZZ_CHECK(status == SM_OK);
    size_t stride = (size_t)sm_pixel_row_bytes(format, in->width);
    uint8_t *pixels = malloc(stride * in->height);
    struct sm_pixels out = {.data = pixels,
                            .stride_bytes = (ptrdiff_t)stride,
                            .width = in->width,
                            .height = in->height,
                            .format = format};
    FUZZ_CHECK(sm_image_decode(s->decoder, &image, &out) == SM_OK);
    compare(&image, in, codec, source, &out);
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5 || size > FUZZ_MAX_SIZE)
        return 0;
    for (uint32_t i = 0; i < SM_PALETTE_MAX_ENTRIES; i++)
        palette_entries[i] = i * 0x9e3779b1u;
    enum sm_image_codec codec = CODECS[data[0] % (sizeof(CODECS) / sizeof(CODECS[0]))];
    struct sm_pixels_in in = {
        .format = FORMATS[data[1] % (sizeof(FORMATS) / sizeof(FORMATS[0]))],
        .width = 1u + data[3],
        .height = 1u + data[4] % 32,
        .is_top_down = !(data[2] & FLAG_BOTTOM_UP),
    };
    if (!sm_codec_can_encode(codec, in.format))
        return 0;
    uint32_t padding = data[2] & FLAG_PADDED ? 5 : 0;
    in.stride_bytes = (uint32_t)sm_pixel_row_bytes(in.format, in.width) + padding;
    size_t needed = (size_t)in.stride_bytes * in.height - padding;
    uint8_t *source = malloc(needed);
    struct sm_reader r = sm_reader((struct sm_bytes){data + 5, size - 5});
    draw(source, needed, &r);
    if (data[2] & FLAG_FLAT_ALPHA && sm_pixel_bits(in.format) == 32) {
        for (size_t i = 3; i < needed; i += 4)
            source[i] = 0xff;
    }
    size_t cut = needed / 3;
    struct sm_bytes chunks[3] = {{source, cut}, {source, 0}, {source + cut, needed - cut}};
    if (data[2] & FLAG_CHUNKED) {
        in.chunks = chunks;
        in.chunk_count = 3;
    } else {
        in.data = (struct sm_bytes){source, needed};
    }

    struct side plain, fast;
    bool is_glz = codec == SM_CODEC_GLZ || codec == SM_CODEC_ZLIB_GLZ;
    open_side(&plain, 0, is_glz);
    open_side(&fast, sm_cpu_detect(), is_glz);
    int rounds = is_glz ? ROUNDS : 1;
    for (int i = 0; i < rounds; i++) {
        trip(&plain, codec, &in, source);
        trip(&fast, codec, &in, source);
        if (codec == SM_CODEC_QUIC)
            FUZZ_CHECK(plain.out.size == fast.out.size &&
                       memcmp(plain.out.data, fast.out.data, fast.out.size) == 0);
        memmove(source + needed / 5, source, needed - needed / 5);
    }
    close_side(&plain);
    close_side(&fast);
    free(source);
    return 0;
}
