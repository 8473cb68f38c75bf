/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "tests/core/codec/pictures.h"

#include <stdlib.h>
#include <string.h>

#include "media/libs.h"

void picture_draw(uint8_t *out, size_t size, uint32_t seed)
{
    struct sm_test_random random = {.state = 0x123456789u + seed};
    size_t done = 0;
    while (done < size) {
        uint32_t what = sm_test_random_next(&random);
        size_t count = 1 + (what >> 8) % 60, back = 4 * (1 + (what >> 16) % 200);
        for (size_t i = 0; i < count && done < size; i++, done++) {
            if (what % 4 == 0)
                out[done] = (uint8_t)sm_test_random_next(&random);
            else if (what % 4 == 1 && done >= back)
                out[done] = out[done - back];
            else
                out[done] = done >= 4 ? out[done - 4] : (uint8_t)(0x50 + done);
        }
    }
}

struct sm_pixels_in picture_make(enum sm_pixel_format format, uint32_t width, uint32_t height,
                                 uint32_t seed, uint8_t **bytes)
{
    size_t stride = (size_t)sm_pixel_row_bytes(format, width);
    *bytes = malloc(stride * height);
    assert_non_null(*bytes);
    picture_draw(*bytes, stride * height, seed);
    if (format == SM_PIXEL_RGB555) { /* bit 15 would be lost, and the comparison with it */
        for (size_t i = 1; i < stride * height; i += 2)
            (*bytes)[i] &= 0x7f;
    } else if (format == SM_PIXEL_XRGB32) {
        for (size_t i = 3; i < stride * height; i += 4)
            (*bytes)[i] = 0;
    }
    return (struct sm_pixels_in){
        .format = format,
        .width = width,
        .height = height,
        .is_top_down = true,
        .stride_bytes = (uint32_t)stride,
        .data = {*bytes, stride * height},
    };
}

void pair_open(struct pair *pair, uint32_t window_pixels, uint32_t cpu_flags)
{
    *pair = (struct pair){0};
    if (window_pixels) {
        sm_check_status(sm_glz_dictionary_create(&pair->dictionary, window_pixels, 0, NULL), SM_OK);
        sm_check_status(sm_glz_window_create(&pair->window, window_pixels, NULL), SM_OK);
    }
    struct sm_encoder_config encoder = {
        .libs = &sm_media_codec_libs, .dictionary = pair->dictionary, .cpu_flags = cpu_flags};
    struct sm_decoder_config decoder = {
        .libs = &sm_media_codec_libs, .window = pair->window, .cpu_flags = cpu_flags};
    sm_check_status(sm_encoder_create(&pair->encoder, &encoder), SM_OK);
    sm_check_status(sm_decoder_create(&pair->decoder, &decoder), SM_OK);
}

void pair_close(struct pair *pair)
{
    sm_encoder_destroy(pair->encoder);
    sm_decoder_destroy(pair->decoder);
    sm_glz_dictionary_destroy(pair->dictionary);
    sm_glz_window_destroy(pair->window);
}

struct sm_codec_image pair_encode(struct pair *pair, enum sm_image_codec codec,
                                  const struct sm_pixels_in *in, struct sm_writer *out)
{
    struct sm_encoded info;
    struct sm_codec_image image = {.codec = codec, .width = in->width, .height = in->height};
    sm_check_status(sm_image_encode(pair->encoder, &image.codec, in, &info, out), SM_OK);
    image.data = sm_writer_bytes(out);
    image.is_top_down = info.is_top_down;
    image.bitmap_format = in->format;
    image.bitmap_stride_bytes = info.stride_bytes;
    image.inflated_size = info.inflated_size;
    image.jpeg_size = info.jpeg_size;
    return image;
}

enum sm_status pair_decode(struct pair *pair, const struct sm_codec_image *image, uint8_t **pixels,
                           size_t *size)
{
    *pixels = NULL;
    enum sm_pixel_format format;
    enum sm_status status = sm_image_native_format(pair->decoder, image, SM_PIXEL_XRGB32, &format);
    if (status != SM_OK)
        return status;
    size_t stride = (size_t)sm_pixel_row_bytes(format, image->width);
    *size = stride * image->height;
    *pixels = malloc(*size);
    if (!*pixels)
        return SM_ERR_NOMEM;
    struct sm_pixels out = {.data = *pixels,
                            .stride_bytes = (ptrdiff_t)stride,
                            .width = image->width,
                            .height = image->height,
                            .format = format};
    return sm_image_decode(pair->decoder, image, &out);
}
