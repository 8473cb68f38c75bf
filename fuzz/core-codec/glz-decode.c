/* SPDX-License-Identifier: MIT */
/*
 * Sequences of GLZ images on two channels that share a window. No crash, no wait that another image
 * could not end; portable and processor-specific code agree, and the window stays within its bound.
 *
 * Input: images, each with a byte (1: second channel, 2: empty the window first), its size (16
 * bits, little-endian) and its data.
 */
#include "fuzz/support/fuzz.h"

#include <string.h>

#include "core/base/cpu.h"
#include "core/base/reader.h"
#include "core/codec/decoder.h"
#include "core/codec/glz/window.h"
#include "media/libs.h"

enum { WINDOW_PIXELS = 1 << 16, MAX_IMAGES = 64 };

struct side {
    struct sm_glz_window *window;
    struct sm_decoder *channels[2];
};

static void open_side(struct side *side, uint32_t cpu_flags)
{
    FUZZ_CHECK(sm_glz_window_create(&side->window, WINDOW_PIXELS, NULL) == SM_OK);
    for (int i = 0; i < 2; i++) {
        struct sm_decoder_config config = {
            .libs = &sm_media_codec_libs, .window = side->window, .cpu_flags = cpu_flags};
        FUZZ_CHECK(sm_decoder_create(&side->channels[i], &config) == SM_OK);
    }
}

static void close_side(struct side *side)
{
    for (int i = 0; i < 2; i++)
        sm_decoder_destroy(side->channels[i]);
    sm_glz_window_destroy(side->window);
}

static enum sm_status decode(struct side *side, unsigned channel,
                             const struct sm_codec_image *image, uint8_t **pixels)
{
    struct sm_decoder *decoder = side->channels[channel];
    enum sm_pixel_format format;
    enum sm_status status = sm_image_native_format(decoder, image, SM_PIXEL_XRGB32, &format);
    if (status != SM_OK || (uint64_t)image->width * image->height > WINDOW_PIXELS)
        return SM_ERR_PROTOCOL;
    *pixels = calloc((size_t)image->width * image->height, 4);
    struct sm_pixels out = {.data = *pixels,
                            .stride_bytes = (ptrdiff_t)image->width * 4,
                            .width = image->width,
                            .height = image->height,
                            .format = format};
    status = sm_image_decode(decoder, image, &out);
    if (status == SM_AGAIN) {
        FUZZ_CHECK(!sm_glz_window_is_settled(side->window, sm_decoder_awaited(decoder)));
        FUZZ_CHECK(sm_image_decode(decoder, image, &out) == SM_AGAIN);
        sm_decoder_cancel(decoder);
    }
    FUZZ_CHECK(sm_glz_window_used_bytes(side->window) <= 2 * 4 * (uint64_t)WINDOW_PIXELS);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_MAX_SIZE)
        return 0;
    struct side plain, fast;
    open_side(&plain, 0);
    open_side(&fast, sm_cpu_detect());
    struct sm_reader r = sm_reader((struct sm_bytes){data, size});
    for (int i = 0; i < MAX_IMAGES && sm_left(&r) > 3; i++) {
        uint8_t flags = sm_get_u8(&r);
        size_t length = sm_get_le16(&r);
        if (length > sm_left(&r))
            length = sm_left(&r);
        struct sm_bytes part = sm_get_bytes(&r, length);
        uint8_t *copy = malloc(length ? length : 1);
        if (length)
            memcpy(copy, part.data, length);
        struct sm_codec_image image = {.codec = SM_CODEC_GLZ, .data = {copy, length}};
        struct sm_reader head = sm_reader(image.data);
        sm_skip(&head, 9);
        image.width = sm_get_be32(&head);
        image.height = sm_get_be32(&head);
        if (flags & 2) {
            sm_glz_window_reset(plain.window);
            sm_glz_window_reset(fast.window);
        }
        uint8_t *pixels[2] = {NULL, NULL};
        enum sm_status status = decode(&plain, flags & 1, &image, &pixels[0]);
        FUZZ_CHECK(decode(&fast, flags & 1, &image, &pixels[1]) == status);
        if (status == SM_OK)
            FUZZ_CHECK(!memcmp(pixels[0], pixels[1], (size_t)image.width * image.height * 4));
        free(pixels[0]);
        free(pixels[1]);
        free(copy);
    }
    close_side(&plain);
    close_side(&fast);
    return 0;
}
