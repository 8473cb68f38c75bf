/* SPDX-License-Identifier: MIT */
#include "tests/golden/round_trip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/writer.h"
#include "core/codec/decoder.h"
#include "core/codec/encoder.h"
#include "core/codec/glz/dictionary.h"
#include "core/codec/glz/window.h"
#include "media/libs.h"

struct round_trip {
    struct sm_glz_dictionary *dictionary;
    struct sm_glz_window *window;
    struct sm_encoder *encoder;
    struct sm_decoder *decoder;
    bool has_size_limit;
};

enum { MAX_PERCENT = 101 }; /* of the size that the vector's own encoder made */

struct round_trip *round_trip_create(uint32_t cpu_flags, uint32_t window_pixels,
                                     bool has_size_limit)
{
    struct round_trip *trip = calloc(1, sizeof(*trip));
    if (!trip || sm_glz_dictionary_create(&trip->dictionary, window_pixels, 0, NULL) != SM_OK ||
        sm_glz_window_create(&trip->window, window_pixels, NULL) != SM_OK)
        exit(2);
    struct sm_encoder_config encoder = {
        .libs = &sm_media_codec_libs, .dictionary = trip->dictionary, .cpu_flags = cpu_flags};
    struct sm_decoder_config decoder = {
        .libs = &sm_media_codec_libs, .window = trip->window, .cpu_flags = cpu_flags};
    if (sm_encoder_create(&trip->encoder, &encoder) != SM_OK ||
        sm_decoder_create(&trip->decoder, &decoder) != SM_OK)
        exit(2);
    trip->has_size_limit = has_size_limit;
    return trip;
}

void round_trip_destroy(struct round_trip *trip)
{
    sm_encoder_destroy(trip->encoder);
    sm_decoder_destroy(trip->decoder);
    sm_glz_dictionary_destroy(trip->dictionary);
    sm_glz_window_destroy(trip->window);
    free(trip);
}

/* The layout to encode from; the raw form of some types is another one. */
static enum sm_pixel_format source_format(const struct vector *v)
{
    if (v->raw_format != SM_PIXEL_XRGB32)
        return v->raw_format;
    const char *type = json_text(v->json, "pixel_type", "");
    if (strcmp(type, "rgb24") == 0)
        return SM_PIXEL_RGB24;
    if (strcmp(type, "rgb16") == 0)
        return SM_PIXEL_RGB555;
    return SM_PIXEL_XRGB32;
}

bool round_trip_applies(const struct vector *v)
{
    return !v->is_bad && !v->is_lossy && v->image.codec != SM_CODEC_LZ_PALETTE &&
           !sm_pixel_is_index(v->image.bitmap_format) &&
           sm_codec_can_encode(v->image.codec, source_format(v));
}

static void convert_row(uint8_t *out, const uint8_t *row, const struct vector *v,
                        enum sm_pixel_format format)
{
    uint32_t width = v->image.width;
    if (format == v->raw_format) {
        memcpy(out, row, (size_t)sm_pixel_row_bytes(format, width));
    } else if (format == SM_PIXEL_RGB24) {
        for (uint32_t x = 0; x < width; x++)
            memcpy(out + 3 * (size_t)x, row + 4 * (size_t)x, 3);
    } else {
        for (uint32_t x = 0; x < width; x++) {
            const uint8_t *p = row + 4 * (size_t)x;
            unsigned value = (unsigned)(p[2] >> 3) << 10 | (unsigned)(p[1] >> 3) << 5 | p[0] >> 3;
            out[2 * (size_t)x] = (uint8_t)value;
            out[2 * (size_t)x + 1] = (uint8_t)(value >> 8);
        }
    }
}

/* Rows in the order of the vector, a little apart from each other. Owned by the caller. */
static struct sm_pixels_in make_source(const struct vector *v, uint8_t **owned)
{
    enum { PADDING = 4 };
    struct sm_pixels_in in = {
        .format = source_format(v),
        .width = v->image.width,
        .height = v->image.height,
        .is_top_down = json_bool(v->json, "top_down", true),
    };
    size_t row_bytes = (size_t)sm_pixel_row_bytes(in.format, in.width);
    in.stride_bytes = (uint32_t)row_bytes + PADDING;
    in.data.size = (size_t)in.stride_bytes * in.height - PADDING;
    *owned = malloc(in.data.size);
    if (!*owned)
        exit(2);
    in.data.data = *owned;
    for (uint32_t y = 0; y < in.height; y++) {
        uint32_t visible = in.is_top_down ? y : in.height - 1 - y;
        convert_row(*owned + (size_t)y * in.stride_bytes,
                    v->raw.data + (size_t)visible * v->raw_stride, v, in.format);
    }
    return in;
}

static bool rows_equal(const uint8_t *a, const uint8_t *b, size_t size, enum sm_pixel_format format)
{
    if (format != SM_PIXEL_RGB555)
        return memcmp(a, b, size) == 0;
    for (size_t i = 0; i < size; i++) { /* bit 15 means nothing, and encoders may drop it */
        if ((a[i] ^ b[i]) & (i % 2 ? 0x7f : 0xff))
            return false;
    }
    return true;
}

/* Decodes what was encoded, bottom row first in memory, and compares. */
static const char *decode_again(struct round_trip *trip, const struct vector *v,
                                const struct sm_codec_image *image)
{
    enum sm_pixel_format format;
    if (sm_image_native_format(trip->decoder, image, SM_PIXEL_XRGB32, &format) != SM_OK)
        return "what it encodes to has no native format";
    if (format == SM_PIXEL_RGB24)
        format = v->raw_format;
    if (format != v->raw_format)
        return "what it encodes to has another native format";
    size_t row_bytes = (size_t)sm_pixel_row_bytes(format, image->width);
    uint8_t *memory = malloc(row_bytes * image->height);
    if (!memory)
        exit(2);
    struct sm_pixels out = {
        .data = memory + row_bytes * (image->height - 1),
        .stride_bytes = -(ptrdiff_t)row_bytes,
        .width = image->width,
        .height = image->height,
        .format = format,
    };
    const char *trouble = NULL;
    if (sm_image_decode(trip->decoder, image, &out) != SM_OK)
        trouble = sm_decoder_reason(trip->decoder);
    for (uint32_t y = 0; !trouble && y < image->height; y++) {
        const uint8_t *wanted = v->raw.data + (size_t)y * v->raw_stride;
        if (!rows_equal(sm_pixels_row(&out, y), wanted, row_bytes, format))
            trouble = "what it encodes to decodes to another picture";
    }
    free(memory);
    return trouble;
}

static bool is_too_large(const struct round_trip *trip, const struct vector *v, size_t size)
{
    bool is_of_an_encoder = !json_get(v->json, "hand");
    return trip->has_size_limit && is_of_an_encoder && size * 100 > v->bin.size * MAX_PERCENT;
}

const char *round_trip_run(struct round_trip *trip, const struct vector *v,
                           struct round_trip_sizes *sizes)
{
    uint8_t *owned;
    struct sm_pixels_in in = make_source(v, &owned);
    struct sm_writer out;
    sm_writer_init(&out, SIZE_MAX);
    struct sm_codec_image image = v->image;
    struct sm_encoded info;
    enum sm_status status = sm_image_encode(trip->encoder, &image.codec, &in, &info, &out);
    const char *trouble = NULL;
    image.data = sm_writer_bytes(&out);
    if (status != SM_OK)
        trouble = sm_status_name(status);
    else if (v->is_encoder_exact &&
             (out.size != v->bin.size || memcmp(out.data, v->bin.data, out.size) != 0))
        trouble = "the bytes are not those of the vector";
    if (!trouble) {
        image.is_top_down = info.is_top_down;
        image.bitmap_format = in.format;
        image.bitmap_stride_bytes = info.stride_bytes;
        image.inflated_size = info.inflated_size;
        trouble = decode_again(trip, v, &image);
        if (!trouble && is_too_large(trip, v, out.size))
            trouble = "more than 1 % larger than the vector";
        sizes->ours += out.size;
        sizes->theirs += v->bin.size;
    }
    sm_writer_finish(&out);
    free(owned);
    return trouble;
}
