/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/cpu.h"
#include "core/base/math.h"
#include "core/codec/bands.h"
#include "core/codec/classify.h"
#include "tests/core/codec/pictures.h"

static const enum sm_image_codec CODECS[] = {
    SM_CODEC_BITMAP, SM_CODEC_QUIC, SM_CODEC_LZ_RGB, SM_CODEC_GLZ, SM_CODEC_LZ4, SM_CODEC_ZLIB_GLZ,
};

enum { WINDOW = 1 << 20 };

static void a_full_writer_is_left_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < SM_COUNT_OF(CODECS); i++) {
        struct pair pair;
        pair_open(&pair, WINDOW, 0);
        uint8_t *bytes;
        struct sm_pixels_in in = picture_make(SM_PIXEL_XRGB32, 64, 64, 1, &bytes);
        struct sm_writer out;
        sm_writer_init(&out, 200);
        sm_put_be32(&out, 0xdeadbeef);
        struct sm_encoded info = {.glz_id = 4711};
        enum sm_image_codec codec = CODECS[i];
        sm_check_status(sm_image_encode(pair.encoder, &codec, &in, &info, &out), SM_ERR_LIMIT);
        assert_int_equal(out.size, 4);
        assert_false(out.failed);
        assert_int_equal(info.glz_id, 4711);
        assert_int_equal(sm_glz_dictionary_next_id(pair.dictionary), 0); /* no number is spent */
        sm_writer_finish(&out);

        sm_writer_init(&out, SIZE_MAX); /* and the next one decodes as if nothing had been */
        struct sm_codec_image image = pair_encode(&pair, CODECS[i], &in, &out);
        uint8_t *pixels;
        size_t size;
        sm_check_status(pair_decode(&pair, &image, &pixels, &size), SM_OK);
        sm_check_bytes(((struct sm_bytes){pixels, size}), in.data);
        free(pixels);
        sm_writer_finish(&out);
        free(bytes);
        pair_close(&pair);
    }
}

static void what_cannot_be_encoded_is_refused(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 0, 0);
    uint8_t *bytes;
    struct sm_pixels_in in = picture_make(SM_PIXEL_XRGB32, 10, 10, 1, &bytes);
    struct sm_writer out;
    sm_writer_init(&out, SIZE_MAX);
    struct sm_encoded info;
    enum sm_image_codec codec = SM_CODEC_GLZ; /* there is no dictionary */
    sm_check_status(sm_image_encode(pair.encoder, &codec, &in, &info, &out), SM_ERR_STATE);
    codec = SM_CODEC_LZ_PALETTE;
    sm_check_status(sm_image_encode(pair.encoder, &codec, &in, &info, &out), SM_ERR_STATE);
    codec = SM_CODEC_QUIC;
    in.data.size--;
    sm_check_status(sm_image_encode(pair.encoder, &codec, &in, &info, &out), SM_ERR_STATE);
    in.data.size++;
    in.stride_bytes = 39;
    sm_check_status(sm_image_encode(pair.encoder, &codec, &in, &info, &out), SM_ERR_STATE);
    in.stride_bytes = 40;
    in.skip_bytes = 1;
    sm_check_status(sm_image_encode(pair.encoder, &codec, &in, &info, &out), SM_ERR_STATE);
    in.skip_bytes = 0;
    in.width = 0;
    sm_check_status(sm_image_encode(pair.encoder, &codec, &in, &info, &out), SM_ERR_STATE);
    sm_writer_finish(&out);
    free(bytes);
    pair_close(&pair);
}

/* One picture through both pairs: the same bytes, and from them the same pixels. */
static void compare_pairs(struct pair *plain, struct pair *fast, enum sm_image_codec codec,
                          const struct sm_pixels_in *in)
{
    struct sm_writer out[2];
    sm_writer_init(&out[0], SIZE_MAX);
    sm_writer_init(&out[1], SIZE_MAX);
    uint8_t *pixels[2];
    size_t size;
    struct sm_codec_image image = pair_encode(plain, codec, in, &out[0]);
    pair_encode(fast, codec, in, &out[1]);
    sm_check_bytes(sm_writer_bytes(&out[1]), sm_writer_bytes(&out[0]));
    sm_check_status(pair_decode(plain, &image, &pixels[0], &size), SM_OK);
    sm_check_status(pair_decode(fast, &image, &pixels[1], &size), SM_OK);
    sm_check_bytes(((struct sm_bytes){pixels[1], size}), ((struct sm_bytes){pixels[0], size}));
    if (size == in->data.size) /* else 16 or 24 bits came out as 32 */
        sm_check_bytes(((struct sm_bytes){pixels[0], size}), in->data);
    free(pixels[0]);
    free(pixels[1]);
    sm_writer_finish(&out[0]);
    sm_writer_finish(&out[1]);
}

static void overrides_make_what_portable_code_makes(void **state)
{
    (void)state;
    static const enum sm_pixel_format FORMATS[] = {SM_PIXEL_XRGB32, SM_PIXEL_ARGB32,
                                                   SM_PIXEL_RGB555, SM_PIXEL_RGB24, SM_PIXEL_GRAY8};
    static const enum sm_image_codec WITH_OVERRIDES[] = {SM_CODEC_QUIC, SM_CODEC_LZ_RGB,
                                                         SM_CODEC_GLZ};
    const uint32_t here = sm_cpu_detect();
    const uint32_t kinds[] = {here, here & SM_CPU_SSE41}; /* each kind of override */
    for (size_t kind = 0; kind < SM_COUNT_OF(kinds); kind++) {
        struct pair plain, fast;
        pair_open(&plain, 1 << 20, 0);
        pair_open(&fast, 1 << 20, kinds[kind]);
        struct sm_test_random random = {.state = 99};
        for (uint32_t round = 0; round < 200; round++) {
            uint32_t width = 1 + sm_test_random_next(&random) % 300;
            uint32_t height = 1 + sm_test_random_next(&random) % 60;
            uint8_t *bytes;
            struct sm_pixels_in in =
                picture_make(FORMATS[round % SM_COUNT_OF(FORMATS)], width, height, round, &bytes);
            for (size_t i = 0; i < SM_COUNT_OF(WITH_OVERRIDES); i++) {
                if (sm_codec_can_encode(WITH_OVERRIDES[i], in.format))
                    compare_pairs(&plain, &fast, WITH_OVERRIDES[i], &in);
            }
            free(bytes);
        }
        pair_close(&plain);
        pair_close(&fast);
    }
}

static void alpha_of_another_image_is_found_again(void **state)
{
    (void)state;
    enum { SIDE = 40, PIXELS = SIDE * SIDE, ROWS_APART = 3 };
    struct pair pair;
    pair_open(&pair, 1 << 16, sm_cpu_detect());
    struct sm_test_random random = {.state = 7};
    static uint8_t alpha[PIXELS + ROWS_APART * SIDE];
    for (size_t i = 0; i < sizeof(alpha); i++)
        alpha[i] = (uint8_t)sm_test_random_next(&random);

    struct sm_writer out;
    sm_writer_init(&out, SIZE_MAX);
    for (size_t image = 0; image < 2; image++) { /* other colours, and the alpha a bit further on */
        static uint8_t bytes[PIXELS * 4];
        for (size_t i = 0; i < PIXELS; i++) {
            uint32_t color = sm_test_random_next(&random);
            memcpy(bytes + 4 * i, &color, 3);
            bytes[4 * i + 3] = alpha[i + image * ROWS_APART * SIDE];
        }
        struct sm_pixels_in in = {.format = SM_PIXEL_ARGB32,
                                  .width = SIDE,
                                  .height = SIDE,
                                  .is_top_down = true,
                                  .stride_bytes = SIDE * 4,
                                  .data = {bytes, sizeof(bytes)}};
        uint8_t *pixels;
        size_t size;
        sm_writer_reset(&out);
        struct sm_codec_image encoded = pair_encode(&pair, SM_CODEC_GLZ, &in, &out);
        sm_check_status(pair_decode(&pair, &encoded, &pixels, &size), SM_OK);
        sm_check_bytes(((struct sm_bytes){pixels, size}), in.data);
        free(pixels);
    }
    size_t colors = PIXELS * 3 + PIXELS / 32;
    assert_true(out.size < colors + PIXELS / 4); /* only the rows that are new cost anything */
    sm_writer_finish(&out);
    pair_close(&pair);
}

static void bands_put_together_are_the_picture(void **state)
{
    (void)state;
    enum { WIDTH = 700, HEIGHT = 1405 };
    for (int is_top_down = 0; is_top_down < 2; is_top_down++) {
        struct pair pair;
        pair_open(&pair, 0, sm_cpu_detect());
        uint8_t *bytes, *decoded = calloc(WIDTH * HEIGHT, 4);
        assert_non_null(decoded);
        struct sm_pixels_in in = picture_make(SM_PIXEL_XRGB32, WIDTH, HEIGHT, 8, &bytes);
        in.is_top_down = is_top_down;
        struct sm_pixels target = {decoded, WIDTH * 4, WIDTH, HEIGHT, SM_PIXEL_XRGB32};
        if (!is_top_down) {
            target.data += (size_t)WIDTH * 4 * (HEIGHT - 1);
            target.stride_bytes = -target.stride_bytes;
        }
        struct sm_band bands[SM_BANDS_MAX];
        uint32_t count = sm_bands_plan(bands, WIDTH, HEIGHT, 3);
        assert_int_equal(count, 3);
        uint32_t next = 0;
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(bands[i].top, next);
            next += bands[i].height;
            struct sm_pixels_in part = sm_band_source(&in, bands[i]);
            struct sm_pixels out = sm_band_target(&target, bands[i]);
            struct sm_writer w;
            sm_writer_init(&w, SIZE_MAX);
            struct sm_codec_image image =
                pair_encode(&pair, i % 2 ? SM_CODEC_LZ_RGB : SM_CODEC_QUIC, &part, &w);
            sm_check_status(sm_image_decode(pair.decoder, &image, &out), SM_OK);
            sm_writer_finish(&w);
        }
        assert_int_equal(next, HEIGHT);
        sm_check_bytes(((struct sm_bytes){decoded, WIDTH * HEIGHT * 4}), in.data);
        free(decoded);
        free(bytes);
        pair_close(&pair);
    }
}

static void bands_are_never_too_small(void **state)
{
    (void)state;
    struct sm_band bands[SM_BANDS_MAX];
    assert_int_equal(sm_bands_plan(bands, 64, 64, 8), 1);
    assert_int_equal(bands[0].height, 64);
    assert_int_equal(sm_bands_plan(bands, 0, 64, 8), 0);
    assert_int_equal(sm_bands_plan(bands, 1920, 1080, 0), 1);
    assert_int_equal(sm_bands_plan(bands, 1920, 1080, 1000), 6);
    assert_int_equal(sm_bands_plan(bands, 512, 511, 8), 1);
    assert_int_equal(sm_bands_plan(bands, 512, 512, 8), 2);
    assert_int_equal(sm_bands_plan(bands, 1 << 24, 2, 64), 2);
}

/* Flat words on white, or noise on a slow blend. */
static void draw_kind(uint8_t *bytes, uint32_t width, uint32_t height, bool is_photo)
{
    struct sm_test_random random = {.state = 5};
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint8_t *p = bytes + 4 * ((size_t)y * width + x);
            uint32_t letter = x / 6 * 7 + y / 12 * 13;
            bool is_ink = (letter * 2654435761u >> (x % 6 + y % 12) & 1) && x % 6 && y % 12 > 3;
            for (uint32_t c = 0; c < 3; c++)
                p[c] = is_photo ? (uint8_t)((x + y) / 8 + sm_test_random_next(&random) % 7)
                       : is_ink ? 0x20
                                : 0xff;
            p[3] = 0;
        }
    }
}

static void the_choice_knows_text_from_photographs(void **state)
{
    (void)state;
    enum { WIDTH = 400, HEIGHT = 300 };
    for (int is_photo = 0; is_photo < 2; is_photo++) {
        struct pair pair;
        pair_open(&pair, 0, 0);
        uint8_t *bytes;
        struct sm_pixels_in in = picture_make(SM_PIXEL_XRGB32, WIDTH, HEIGHT, 1, &bytes);
        draw_kind(bytes, WIDTH, HEIGHT, is_photo);
        struct sm_image_traits traits;
        sm_check_status(sm_image_examine(&in, &traits), SM_OK);
        uint64_t quic = sm_codec_expect(&traits, SM_CODEC_QUIC).bytes;
        uint64_t lz = sm_codec_expect(&traits, SM_CODEC_LZ_RGB).bytes;
        assert_true(is_photo ? quic < lz : lz < quic);
        if (is_photo)
            assert_int_equal(traits.color_count, SM_TRAITS_MAX_COLORS);
        else
            assert_int_equal(traits.color_count, 2);

        static const enum sm_image_codec EXPECTED[] = {SM_CODEC_QUIC, SM_CODEC_LZ_RGB};
        for (size_t i = 0; i < SM_COUNT_OF(EXPECTED); i++) {
            struct sm_writer out;
            sm_writer_init(&out, SIZE_MAX);
            pair_encode(&pair, EXPECTED[i], &in, &out);
            uint64_t expected = sm_codec_expect(&traits, EXPECTED[i]).bytes;
            if (expected > 3 * out.size || out.size > 3 * expected)
                fail_msg("%s: %zu bytes, expected %llu", sm_codec_name(EXPECTED[i]), out.size,
                         (unsigned long long)expected);
            sm_writer_finish(&out);
        }
        struct sm_graduality_score score = {0};
        sm_graduality_add(&score, in.format, bytes, WIDTH, HEIGHT);
        assert_int_equal(sm_graduality_judge(&score, in.format),
                         is_photo ? SM_GRADUALITY_HIGH : SM_GRADUALITY_LOW);
        free(bytes);
        pair_close(&pair);
    }
}

static void video_frames_come_back_close(void **state)
{
    (void)state;
    enum { WIDTH = 64, HEIGHT = 48 };
    struct pair pair;
    pair_open(&pair, 0, 0);
    uint8_t *bytes, *decoded = calloc(WIDTH * HEIGHT, 4);
    assert_non_null(decoded);
    struct sm_pixels_in in = picture_make(SM_PIXEL_XRGB32, WIDTH, HEIGHT, 1, &bytes);
    for (uint32_t i = 0; i < WIDTH * HEIGHT * 4; i++)
        bytes[i] = i % 4 == 3 ? 0 : (uint8_t)(i / 4 % WIDTH * 2 + i / 4 / WIDTH);
    struct sm_writer out;
    sm_writer_init(&out, SIZE_MAX);
    sm_check_status(sm_mjpeg_encode(pair.encoder, &in, 90, &out), SM_OK);
    sm_check_status(sm_mjpeg_encode(pair.encoder, &in, 101, &out), SM_ERR_STATE);
    uint32_t width, height;
    sm_check_status(sm_mjpeg_size(pair.decoder, sm_writer_bytes(&out), &width, &height), SM_OK);
    assert_int_equal(width, WIDTH);
    assert_int_equal(height, HEIGHT);
    struct sm_pixels target = {decoded, WIDTH * 4, WIDTH, HEIGHT, SM_PIXEL_XRGB32};
    sm_check_status(sm_mjpeg_decode(pair.decoder, sm_writer_bytes(&out), &target), SM_OK);
    uint64_t error = 0;
    for (uint32_t i = 0; i < WIDTH * HEIGHT * 4; i++) {
        if (i % 4 == 3)
            assert_int_equal(decoded[i], 0xff);
        else
            error += (uint64_t)abs(decoded[i] - bytes[i]);
    }
    assert_true(error < (uint64_t)WIDTH * HEIGHT * 3 * 4);
    target.width = 63;
    sm_check_status(sm_mjpeg_decode(pair.decoder, sm_writer_bytes(&out), &target), SM_ERR_STATE);
    sm_writer_finish(&out);
    free(bytes);
    free(decoded);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_writer_is_left_as_it_was),
        cmocka_unit_test(what_cannot_be_encoded_is_refused),
        cmocka_unit_test(overrides_make_what_portable_code_makes),
        cmocka_unit_test(alpha_of_another_image_is_found_again),
        cmocka_unit_test(bands_put_together_are_the_picture),
        cmocka_unit_test(bands_are_never_too_small),
        cmocka_unit_test(the_choice_knows_text_from_photographs),
        cmocka_unit_test(video_frames_come_back_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
