/* SPDX-License-Identifier: MIT */
/*
 * Images of every codec but GLZ. No crash; portable and processor-specific code agree, and so do
 * data in one piece and in three.
 *
 * Input: codec (index), flags, width - 1 and height - 1 (16 bits each, little-endian), extra (32
 * bits: bitmap stride or size of the JPEG part), palette entries - 1, then the data.
 */
#include "fuzz/support/fuzz.h"

#include <string.h>

#include "core/base/cpu.h"
#include "core/base/reader.h"
#include "core/codec/decoder.h"
#include "media/libs.h"

enum {
    MAX_PIXELS = 1 << 16,
    FLAG_TOP_DOWN = 1,
    FLAG_555 = 2,         /* the target surface, and the palette */
    FLAG_HEADER_SIZE = 4, /* take the dimensions from the codec's own header */
    FLAG_NEGATIVE = 8,    /* rows of the output lie bottom first */
    FLAG_PADDED = 16,
    FLAG_WIDE = 32, /* 16-bit pixels to XRGB32 */
};

static const enum sm_image_codec CODECS[] = {
    SM_CODEC_BITMAP, SM_CODEC_QUIC, SM_CODEC_LZ_PALETTE, SM_CODEC_LZ_RGB,
    SM_CODEC_LZ4,    SM_CODEC_JPEG, SM_CODEC_JPEG_ALPHA,
};

static uint32_t palette_entries[SM_PALETTE_MAX_ENTRIES];

static void take_header_size(struct sm_codec_image *image)
{
    struct sm_reader r = sm_reader(image->data);
    if (image->codec == SM_CODEC_QUIC) {
        sm_skip(&r, 12);
        image->width = sm_get_le32(&r);
        image->height = sm_get_le32(&r);
    } else {
        if (image->codec == SM_CODEC_JPEG_ALPHA)
            sm_skip(&r, image->jpeg_size);
        sm_skip(&r, 12);
        image->width = sm_get_be32(&r);
        image->height = sm_get_be32(&r);
    }
}

struct result {
    enum sm_status status;
    uint8_t *pixels; /* owned, whole */
    size_t size;
};

static struct result decode(const struct sm_codec_image *image, uint32_t cpu_flags, uint8_t flags)
{
    struct sm_decoder_config config = {
        .libs = &sm_media_codec_libs, .max_pixels = MAX_PIXELS, .cpu_flags = cpu_flags};
    struct sm_decoder *decoder;
    FUZZ_CHECK(sm_decoder_create(&decoder, &config) == SM_OK);
    struct result result = {0};
    enum sm_pixel_format format;
    result.status = sm_image_native_format(
        decoder, image, flags & FLAG_555 ? SM_PIXEL_RGB555 : SM_PIXEL_XRGB32, &format);
    uint64_t count = (uint64_t)image->width * image->height;
    if (result.status == SM_OK && count > 0 && count <= MAX_PIXELS) {
        if (format == SM_PIXEL_RGB555 && flags & FLAG_WIDE && image->codec != SM_CODEC_BITMAP &&
            image->codec != SM_CODEC_LZ4)
            format = SM_PIXEL_XRGB32;
        size_t stride = (size_t)sm_pixel_row_bytes(format, image->width);
        if (flags & FLAG_PADDED)
            stride += 4;
        result.size = stride * image->height;
        result.pixels = calloc(1, result.size);
        struct sm_pixels out = {.data = result.pixels,
                                .stride_bytes = (ptrdiff_t)stride,
                                .width = image->width,
                                .height = image->height,
                                .format = format};
        if (flags & FLAG_NEGATIVE) {
            out.data += stride * (image->height - 1);
            out.stride_bytes = -out.stride_bytes;
        }
        result.status = sm_image_decode(decoder, image, &out);
    }
    sm_decoder_destroy(decoder);
    return result;
}

static uint8_t *exact_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 11 };
    if (size < HEAD || size > FUZZ_MAX_SIZE)
        return 0;
    for (uint32_t i = 0; i < SM_PALETTE_MAX_ENTRIES; i++)
        palette_entries[i] = i * 0x9e3779b1u;
    uint8_t flags = data[1];
    struct sm_codec_image image = {
        .codec = CODECS[data[0] % (sizeof(CODECS) / sizeof(CODECS[0]))],
        .width = 1 + (data[2] | (uint32_t)data[3] << 8),
        .height = 1 + (data[4] | (uint32_t)data[5] << 8),
        .is_top_down = flags & FLAG_TOP_DOWN,
        .bitmap_format = sm_bitmap_format(flags >> 4),
        .palette = {.entries = palette_entries, .is_555 = flags & FLAG_555},
    };
    image.bitmap_stride_bytes = image.jpeg_size =
        data[6] | (uint32_t)data[7] << 8 | (uint32_t)data[8] << 16 | (uint32_t)data[9] << 24;
    image.palette.count = 1u + data[10];
    size_t rest = size - HEAD;
    uint8_t *copy = exact_copy(data + HEAD, rest);
    image.data = (struct sm_bytes){copy, rest};
    if (flags & FLAG_HEADER_SIZE)
        take_header_size(&image);

    struct result plain = decode(&image, 0, flags);
    size_t first = rest / 3, second = rest / 2;
    struct sm_bytes chunks[3] = {
        {exact_copy(copy, first), first},
        {exact_copy(copy + first, second - first), second - first},
        {exact_copy(copy + second, rest - second), rest - second},
    };
    image.data = (struct sm_bytes){0};
    image.chunks = chunks;
    image.chunk_count = 3;
    struct result fast = decode(&image, sm_cpu_detect(), flags);
    FUZZ_CHECK(plain.status == fast.status);
    if (plain.status == SM_OK && plain.pixels)
        FUZZ_CHECK(plain.size == fast.size && memcmp(plain.pixels, fast.pixels, fast.size) == 0);

    free(plain.pixels);
    free(fast.pixels);
    free(copy);
    for (size_t i = 0; i < 3; i++)
        free((uint8_t *)(uintptr_t)chunks[i].data);
    return 0;
}
