/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "media/libs.h"
#include "tests/core/codec/pictures.h"
#include "tests/support/failmalloc.h"

static const struct {
    enum sm_image_codec codec;
    enum sm_pixel_format format;
} KINDS[] = {
    {SM_CODEC_BITMAP, SM_PIXEL_XRGB32},     {SM_CODEC_QUIC, SM_PIXEL_XRGB32},
    {SM_CODEC_QUIC, SM_PIXEL_ARGB32},       {SM_CODEC_QUIC, SM_PIXEL_RGB555},
    {SM_CODEC_LZ_RGB, SM_PIXEL_XRGB32},     {SM_CODEC_LZ_RGB, SM_PIXEL_ARGB32},
    {SM_CODEC_LZ_RGB, SM_PIXEL_RGB555},     {SM_CODEC_LZ_RGB, SM_PIXEL_A8},
    {SM_CODEC_LZ4, SM_PIXEL_XRGB32},        {SM_CODEC_GLZ, SM_PIXEL_XRGB32},
    {SM_CODEC_GLZ, SM_PIXEL_ARGB32},        {SM_CODEC_ZLIB_GLZ, SM_PIXEL_XRGB32},
    {SM_CODEC_JPEG_ALPHA, SM_PIXEL_ARGB32},
};

enum { WINDOW = 1 << 16 };

static void decoders_refuse_every_truncation(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < SM_COUNT_OF(KINDS); kind++) {
        struct pair pair;
        pair_open(&pair, WINDOW, 0);
        uint8_t *bytes;
        struct sm_pixels_in in =
            picture_make(KINDS[kind].format, PICTURE_WIDTH, PICTURE_HEIGHT, 1, &bytes);
        struct sm_writer out;
        sm_writer_init(&out, SIZE_MAX);
        struct sm_codec_image image = pair_encode(&pair, KINDS[kind].codec, &in, &out);
        for (size_t size = 0; size < out.size; size++) {
            image.data = sm_test_copy(out.data, size); /* exact, for ASan */
            uint8_t *pixels;
            size_t pixels_size;
            enum sm_status status = pair_decode(&pair, &image, &pixels, &pixels_size);
            free(pixels);
            sm_test_free_copies();
            if (status == SM_OK)
                fail_msg("%s decodes from %zu of %zu bytes", sm_codec_name(image.codec), size,
                         out.size);
        }
        sm_writer_finish(&out);
        free(bytes);
        pair_close(&pair);
    }
}

static void trailing_bytes_are_refused_where_an_end_is_known(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < SM_COUNT_OF(KINDS); kind++) {
        struct pair pair;
        pair_open(&pair, WINDOW, 0);
        uint8_t *bytes, *pixels;
        struct sm_pixels_in in =
            picture_make(KINDS[kind].format, PICTURE_WIDTH, PICTURE_HEIGHT, 2, &bytes);
        struct sm_writer out;
        sm_writer_init(&out, SIZE_MAX);
        struct sm_codec_image image = pair_encode(&pair, KINDS[kind].codec, &in, &out);
        bool may_follow = image.codec == SM_CODEC_BITMAP || image.codec == SM_CODEC_QUIC ||
                          image.codec == SM_CODEC_GLZ;
        sm_put_u8(&out, 0);
        image.data = sm_writer_bytes(&out);
        size_t size;
        sm_check_status(pair_decode(&pair, &image, &pixels, &size),
                        may_follow ? SM_OK : SM_ERR_PROTOCOL);
        free(pixels);
        sm_writer_finish(&out);
        free(bytes);
        pair_close(&pair);
    }
}

struct failing {
    struct sm_pixels_in in;
    enum sm_image_codec codec;
    struct sm_codec_image image; /* encoded beforehand */
    bool is_encoding;
};

/* Everything from creation to destruction; a leak is seen by ASan, a crash by everybody. */
static void run_failing(void *context)
{
    struct failing *f = context;
    struct sm_glz_window *window = NULL;
    struct sm_glz_dictionary *dictionary = NULL;
    struct sm_encoder *encoder = NULL;
    struct sm_decoder *decoder = NULL;
    struct sm_writer out;
    sm_writer_init(&out, SIZE_MAX);
    uint8_t *pixels = NULL;
    struct pair pair = {0};
    if (f->is_encoding) {
        struct sm_encoder_config config = {.libs = NULL};
        if (sm_glz_dictionary_create(&dictionary, WINDOW, 0, NULL) == SM_OK) {
            config.dictionary = dictionary;
            config.libs = &sm_media_codec_libs;
            if (sm_encoder_create(&encoder, &config) == SM_OK) {
                struct sm_encoded info;
                enum sm_image_codec codec = f->codec;
                enum sm_status status = sm_image_encode(encoder, &codec, &f->in, &info, &out);
                if (status != SM_OK)
                    assert_int_equal(out.size, 0);
                /* libjpeg-turbo says only that it failed */
                assert_true(status == SM_OK || status == SM_ERR_NOMEM || status == SM_ERR_LIMIT);
            }
        }
    } else if (sm_glz_window_create(&window, WINDOW, NULL) == SM_OK) {
        struct sm_decoder_config config = {.libs = &sm_media_codec_libs, .window = window};
        if (sm_decoder_create(&decoder, &config) == SM_OK) {
            size_t size;
            pair.decoder = decoder;
            enum sm_status status = pair_decode(&pair, &f->image, &pixels, &size);
            assert_true(status == SM_OK || status == SM_ERR_NOMEM || status == SM_ERR_PROTOCOL);
        }
    }
    free(pixels);
    sm_encoder_destroy(encoder);
    sm_decoder_destroy(decoder);
    sm_glz_dictionary_destroy(dictionary);
    sm_glz_window_destroy(window);
    sm_writer_finish(&out);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < SM_COUNT_OF(KINDS); kind++) {
        struct pair pair;
        pair_open(&pair, WINDOW, 0);
        uint8_t *bytes;
        struct failing f = {.codec = KINDS[kind].codec};
        f.in = picture_make(KINDS[kind].format, PICTURE_WIDTH, PICTURE_HEIGHT, 3, &bytes);
        struct sm_writer out;
        sm_writer_init(&out, SIZE_MAX);
        f.image = pair_encode(&pair, f.codec, &f.in, &out);
        sm_failmalloc_each(run_failing, &f);
        f.is_encoding = true;
        sm_failmalloc_each(run_failing, &f);
        sm_writer_finish(&out);
        free(bytes);
        pair_close(&pair);
    }
}

static void chunks_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < SM_COUNT_OF(KINDS); kind++) {
        struct pair pair;
        pair_open(&pair, WINDOW, 0);
        uint8_t *bytes, *whole, *cut;
        struct sm_pixels_in in =
            picture_make(KINDS[kind].format, PICTURE_WIDTH, PICTURE_HEIGHT, 4, &bytes);
        struct sm_writer out;
        sm_writer_init(&out, SIZE_MAX);
        struct sm_codec_image image = pair_encode(&pair, KINDS[kind].codec, &in, &out);
        size_t size;
        sm_check_status(pair_decode(&pair, &image, &whole, &size), SM_OK);

        struct sm_bytes chunks[64];
        size_t part = out.size / 61 + 1, count = 0;
        for (size_t at = 0; at < out.size; at += part)
            chunks[count++] = sm_test_copy(out.data + at, sm_min_size(part, out.size - at));
        image.data = (struct sm_bytes){0};
        image.chunks = chunks;
        image.chunk_count = count;
        if (pair.window)
            sm_glz_window_reset(pair.window); /* or its id would be there already */
        sm_check_status(pair_decode(&pair, &image, &cut, &size), SM_OK);
        sm_check_bytes(((struct sm_bytes){cut, size}), ((struct sm_bytes){whole, size}));
        free(whole);
        free(cut);
        sm_test_free_copies();
        sm_writer_finish(&out);
        free(bytes);
        pair_close(&pair);
    }
}

static void memory_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 0, 0);
    uint8_t *bytes;
    struct sm_pixels_in in = picture_make(SM_PIXEL_XRGB32, 20, 10, 5, &bytes);
    struct sm_writer w;
    sm_writer_init(&w, SIZE_MAX);
    struct sm_codec_image image = pair_encode(&pair, SM_CODEC_LZ_RGB, &in, &w);
    uint8_t room[20 * 10 * 4];
    struct sm_pixels good = {room, 80, 20, 10, SM_PIXEL_XRGB32};
    sm_check_status(sm_image_decode(pair.decoder, &image, &good), SM_OK);

    struct sm_pixels out = good;
    out.width = 19;
    sm_check_status(sm_image_decode(pair.decoder, &image, &out), SM_ERR_STATE);
    out = good;
    out.stride_bytes = 79;
    sm_check_status(sm_image_decode(pair.decoder, &image, &out), SM_ERR_STATE);
    out = good;
    out.format = SM_PIXEL_RGB555;
    sm_check_status(sm_image_decode(pair.decoder, &image, &out), SM_ERR_STATE);
    image.codec = SM_CODEC_GLZ; /* there is no window */
    sm_check_status(sm_image_decode(pair.decoder, &image, &good), SM_ERR_STATE);
    image.codec = (enum sm_image_codec)77;
    sm_check_status(sm_image_decode(pair.decoder, &image, &good), SM_ERR_PROTOCOL);
    sm_writer_finish(&w);
    free(bytes);
    pair_close(&pair);
}

static void limits_hold_before_anything_is_allocated(void **state)
{
    (void)state;
    struct sm_decoder_config config = {.max_pixels = 100};
    struct sm_decoder *decoder;
    sm_check_status(sm_decoder_create(&decoder, &config), SM_OK);
    uint8_t room[101 * 4];
    struct sm_pixels out = {room, 101 * 4, 101, 1, SM_PIXEL_XRGB32};
    struct sm_codec_image image = {.codec = SM_CODEC_QUIC, .width = 101, .height = 1};
    sm_check_status(sm_image_decode(decoder, &image, &out), SM_ERR_LIMIT);
    image.width = out.width = UINT32_MAX;
    image.height = out.height = UINT32_MAX;
    sm_check_status(sm_image_decode(decoder, &image, &out), SM_ERR_PROTOCOL);
    image.width = out.width = 0;
    sm_check_status(sm_image_decode(decoder, &image, &out), SM_ERR_PROTOCOL);
    sm_decoder_destroy(decoder);
    config.max_pixels = (uint64_t)SM_CODEC_MAX_PIXELS + 1;
    sm_check_status(sm_decoder_create(&decoder, &config), SM_ERR_LIMIT);
}

static void palettes_follow_the_target(void **state)
{
    (void)state;
    static const uint32_t ENTRIES[] = {0xff102030, 0x7fff, 0x00aabbcc};
    static const uint8_t ROW[] = {0x12, 0x3f}; /* indices 1 2 3 15, high nibble first */
    struct sm_decoder_config config = {0};
    struct sm_decoder *decoder;
    sm_check_status(sm_decoder_create(&decoder, &config), SM_OK);
    struct sm_codec_image image = {
        .codec = SM_CODEC_BITMAP,
        .width = 4,
        .height = 1,
        .data = SM_TEST_BYTES(ROW),
        .bitmap_format = SM_PIXEL_INDEX4_BE,
        .bitmap_stride_bytes = 2,
        .palette = {.entries = ENTRIES, .count = 3},
    };
    uint32_t wide[4];
    struct sm_pixels out = {(uint8_t *)wide, 16, 4, 1, SM_PIXEL_ARGB32};
    sm_check_status(sm_image_decode(decoder, &image, &out), SM_OK);
    assert_int_equal(wide[0], 0x7fff);
    assert_int_equal(wide[1], 0x00aabbcc);
    assert_int_equal(wide[2], 0); /* beyond the palette */
    assert_int_equal(wide[3], 0);
    uint16_t narrow[4];
    out = (struct sm_pixels){(uint8_t *)narrow, 8, 4, 1, SM_PIXEL_RGB555};
    sm_check_status(sm_image_decode(decoder, &image, &out), SM_OK);
    assert_int_equal(narrow[0], 0x7fff);
    assert_int_equal(narrow[1], 0xbbcc);
    image.palette.entries = NULL;
    sm_check_status(sm_image_decode(decoder, &image, &out), SM_ERR_PROTOCOL);
    sm_decoder_destroy(decoder);
}

static void masks_come_out_least_bit_first(void **state)
{
    (void)state;
    static const uint8_t ROW[] = {0x80, 0x01};
    struct sm_decoder_config config = {0};
    struct sm_decoder *decoder;
    sm_check_status(sm_decoder_create(&decoder, &config), SM_OK);
    struct sm_codec_image image = {.codec = SM_CODEC_BITMAP,
                                   .width = 16,
                                   .height = 1,
                                   .data = SM_TEST_BYTES(ROW),
                                   .bitmap_format = SM_PIXEL_INDEX1_BE,
                                   .bitmap_stride_bytes = 2};
    uint8_t bits[2];
    struct sm_pixels out = {bits, 2, 16, 1, SM_PIXEL_A1};
    sm_check_status(sm_image_decode(decoder, &image, &out), SM_OK);
    assert_int_equal(bits[0], 0x01);
    assert_int_equal(bits[1], 0x80);
    image.bitmap_format = SM_PIXEL_INDEX1_LE;
    sm_check_status(sm_image_decode(decoder, &image, &out), SM_OK);
    assert_int_equal(bits[0], 0x80);
    enum sm_pixel_format format; /* but no picture may have that order */
    sm_check_status(sm_image_native_format(decoder, &image, SM_PIXEL_XRGB32, &format),
                    SM_ERR_PROTOCOL);
    sm_decoder_destroy(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoders_refuse_every_truncation),
        cmocka_unit_test(trailing_bytes_are_refused_where_an_end_is_known),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(chunks_may_be_cut_anywhere),
        cmocka_unit_test(memory_that_does_not_fit_is_refused),
        cmocka_unit_test(limits_hold_before_anything_is_allocated),
        cmocka_unit_test(palettes_follow_the_target),
        cmocka_unit_test(masks_come_out_least_bit_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
