/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/codec/decoder.h"
#include "media/libs.h"
#include "media/video_loader.h"

enum { WIDTH = 320, HEIGHT = 192, FRAMES = 12 };

static const enum sm_video_kind MODULE_KINDS[] = {SM_VIDEO_VP8, SM_VIDEO_H264, SM_VIDEO_VP9,
                                                  SM_VIDEO_AV1};

/* Soft shapes that move by two pixels a frame. */
static void draw(struct sm_pixels *p, unsigned frame)
{
    for (uint32_t y = 0; y < p->height; y++) {
        uint8_t *row = sm_pixels_row(p, y);
        for (uint32_t x = 0; x < p->width; x++) {
            double u = x + 2.0 * frame, v = y;
            row[4 * x] = (uint8_t)(128 + 90 * sin(u / 23) * cos(v / 31));
            row[4 * x + 1] = (uint8_t)(128 + 80 * sin((u + v) / 40));
            row[4 * x + 2] = (uint8_t)(128 + 70 * cos(u / 17 - v / 50));
            row[4 * x + 3] = 0;
        }
    }
}

static struct sm_pixels make_picture(uint32_t width, uint32_t height)
{
    struct sm_pixels p = {.data = malloc((size_t)width * height * 4),
                          .stride_bytes = (ptrdiff_t)width * 4,
                          .width = width,
                          .height = height,
                          .format = SM_PIXEL_XRGB32};
    assert_non_null(p.data);
    return p;
}

/* Over what both pictures have. */
static double psnr(const struct sm_pixels *a, const struct sm_pixels *b)
{
    double sum = 0;
    uint32_t width = a->width < b->width ? a->width : b->width;
    uint32_t height = a->height < b->height ? a->height : b->height;
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *p = sm_pixels_row(a, y), *q = sm_pixels_row(b, y);
        for (uint32_t x = 0; x < width; x++) {
            for (unsigned c = 0; c < 3; c++) {
                double d = (double)p[4 * x + c] - q[4 * x + c];
                sum += d * d;
            }
        }
    }
    return 10 * log10(255.0 * 255.0 / (sum / ((double)width * height * 3) + 1e-9));
}

static const struct sm_video_setup SETUP = {
    .width = WIDTH, .height = HEIGHT, .fps = 30, .bits_per_second = 1500000, .threads = 2};

static const struct sm_video_module *load(void)
{
    const struct sm_video_module *module = sm_video_module_load();
    assert_non_null(module);
    return module;
}

static void every_codec_comes_back_like_what_went_in(void **state)
{
    (void)state;
    const struct sm_video_module *module = load();
    for (unsigned i = 0; i < sizeof(MODULE_KINDS) / sizeof(MODULE_KINDS[0]); i++) {
        const struct sm_video_encoder_ops *e = module->find_encoder(MODULE_KINDS[i]);
        const struct sm_video_decoder_ops *d = module->find_decoder(MODULE_KINDS[i]);
        assert_non_null(e);
        assert_non_null(d);
        assert_false(e->is_intra);
        void *encoder, *decoder;
        sm_check_status(e->create(&encoder, &SETUP), SM_OK);
        sm_check_status(d->create(&decoder, NULL), SM_OK);
        struct sm_pixels picture = make_picture(WIDTH, HEIGHT), shown;
        for (unsigned frame = 0; frame < FRAMES; frame++) {
            struct sm_video_order order = {.bits_per_second = SETUP.bits_per_second,
                                           .is_key = frame == 0};
            struct sm_bytes data;
            draw(&picture, frame);
            /* Nothing is held back on either side. */
            sm_check_status(e->encode(encoder, &picture, &order, &data), SM_OK);
            sm_check_status(d->decode(decoder, data, &shown), SM_OK);
            assert_int_equal(shown.width, WIDTH);
            assert_int_equal(shown.height, HEIGHT);
            double quality = psnr(&picture, &shown);
            if (quality < 32)
                fail_msg("codec %d, frame %u: %.1f dB", (int)MODULE_KINDS[i], frame, quality);
        }
        free(picture.data);
        e->destroy(encoder);
        d->destroy(decoder);
    }
}

static void what_encodes_has_a_name(void **state)
{
    (void)state;
    const struct sm_video_module *module = load();
    const struct sm_video_encoder_ops *e = module->find_encoder(SM_VIDEO_H264);
    struct sm_video_setup setup = SETUP;
    void *encoder;
    sm_check_status(e->create(&encoder, &setup), SM_OK);
    assert_string_equal(e->name(encoder), "libx264");
    e->destroy(encoder);
    setup.card = module->open_card();
    sm_check_status(e->create(&encoder, &setup), SM_OK);
    const char *name = e->name(encoder);
    /* Without a graphics card the processor, and nobody hears of it. */
    if (!setup.card)
        assert_string_equal(name, "libx264");
    else
        assert_true(strcmp(name, "libx264") == 0 || strcmp(name, "h264_vaapi") == 0);
    module->close_card(setup.card); /* the encoder keeps what it needs */
    struct sm_pixels picture = make_picture(WIDTH, HEIGHT);
    struct sm_video_order order = {.bits_per_second = SETUP.bits_per_second, .is_key = true};
    struct sm_bytes data;
    draw(&picture, 0);
    sm_check_status(e->encode(encoder, &picture, &order, &data), SM_OK);
    free(picture.data);
    e->destroy(encoder);
    module->close_card(NULL);
}

static unsigned nodes_looked_at;

/* The module's, too: a program's symbols come before those of the libraries it loads. */
__attribute__((visibility("default"))) int access(const char *path, int mode)
{
    nodes_looked_at += strncmp(path, "/dev/dri/", strlen("/dev/dri/")) == 0;
    return faccessat(AT_FDCWD, path, mode, 0);
}

static void card_is_looked_for_once(void **state)
{
    (void)state;
    const struct sm_video_module *module = load();
    const struct sm_video_encoder_ops *e = module->find_encoder(SM_VIDEO_H264);
    struct sm_video_setup setup = SETUP;
    nodes_looked_at = 0;
    setup.card = module->open_card();
    assert_true(nodes_looked_at > 0);
    unsigned once = nodes_looked_at;
    for (unsigned i = 0; i < 3; i++) {
        void *encoder;
        sm_check_status(e->create(&encoder, &setup), SM_OK);
        e->destroy(encoder);
    }
    assert_int_equal(nodes_looked_at, once);
    module->close_card(setup.card);
}

static void mjpeg_takes_rows_in_either_order(void **state)
{
    (void)state;
    void *encoder;
    struct sm_decoder *decoder;
    struct sm_decoder_config config = {.libs = &sm_media_codec_libs, .max_pixels = 1 << 24};
    sm_check_status(sm_media_mjpeg.create(&encoder, &SETUP), SM_OK);
    sm_check_status(sm_decoder_create(&decoder, &config), SM_OK);
    struct sm_pixels picture = make_picture(WIDTH, HEIGHT), shown = make_picture(WIDTH, HEIGHT);
    size_t sizes[2];
    for (unsigned quality = 40; quality <= 80; quality += 40) {
        struct sm_video_order order = {.quality = quality};
        for (unsigned flipped = 0; flipped < 2; flipped++) {
            struct sm_pixels in = picture;
            if (flipped) {
                in.data += (HEIGHT - 1) * in.stride_bytes;
                in.stride_bytes = -in.stride_bytes;
            }
            draw(&in, 5);
            struct sm_bytes data;
            sm_check_status(sm_media_mjpeg.encode(encoder, &in, &order, &data), SM_OK);
            sm_check_status(sm_mjpeg_decode(decoder, data, &shown), SM_OK);
            assert_true(psnr(&in, &shown) > 32);
            sizes[flipped] = data.size;
        }
        assert_int_equal(sizes[0], sizes[1]);
    }
    free(picture.data);
    free(shown.data);
    sm_media_mjpeg.destroy(encoder);
    sm_decoder_destroy(decoder);
}

static void rate_is_followed(void **state)
{
    (void)state;
    const struct sm_video_module *module = load();
    for (unsigned i = 0; i < sizeof(MODULE_KINDS) / sizeof(MODULE_KINDS[0]); i++) {
        const struct sm_video_encoder_ops *e = module->find_encoder(MODULE_KINDS[i]);
        size_t sums[2] = {0};
        void *encoder;
        sm_check_status(e->create(&encoder, &SETUP), SM_OK);
        struct sm_pixels picture = make_picture(WIDTH, HEIGHT);
        uint32_t noise = 1;
        for (unsigned frame = 0; frame < 240; frame++) {
            struct sm_video_order order = {.bits_per_second = frame < 90 ? 1500000 : 400000};
            struct sm_bytes data = {0};
            draw(&picture, frame);
            for (size_t at = 0; at < (size_t)WIDTH * HEIGHT * 4; at++) {
                noise = noise * 1664525 + 1013904223;
                picture.data[at] = (uint8_t)(picture.data[at] + (noise >> 28));
            }
            enum sm_status status = e->encode(encoder, &picture, &order, &data);
            assert_true(status == SM_OK || status == SM_AGAIN);
            size_t size = status == SM_OK ? data.size : 0;
            sums[0] += frame >= 30 && frame < 90 ? size : 0;
            sums[1] += frame >= 180 ? size : 0;
        }
        /* Two seconds each: 375 and 100 kB were asked for. */
        if (sums[0] > 500000 || sums[1] > 160000 || sums[1] * 2 > sums[0])
            fail_msg("codec %d: %zu, then %zu bytes", (int)MODULE_KINDS[i], sums[0], sums[1]);
        free(picture.data);
        e->destroy(encoder);
    }
}

static void odd_sizes_are_encoded_and_small_ones_refused(void **state)
{
    (void)state;
    const struct sm_video_module *module = load();
    for (unsigned i = 0; i < sizeof(MODULE_KINDS) / sizeof(MODULE_KINDS[0]); i++) {
        const struct sm_video_encoder_ops *e = module->find_encoder(MODULE_KINDS[i]);
        struct sm_video_setup setup = SETUP;
        setup.width = 173;
        setup.height = 99;
        void *encoder;
        sm_check_status(e->create(&encoder, &setup), SM_OK);
        struct sm_pixels picture = make_picture(setup.width, setup.height);
        struct sm_bytes data;
        draw(&picture, 0);
        struct sm_video_order order = {.bits_per_second = SETUP.bits_per_second, .is_key = true};
        sm_check_status(e->encode(encoder, &picture, &order, &data), SM_OK);
        picture.width--;
        sm_check_status(e->encode(encoder, &picture, &order, &data), SM_ERR_STATE);
        free(picture.data);
        e->destroy(encoder);
        setup.width = 8;
        sm_check_status(e->create(&encoder, &setup), SM_ERR_LIMIT);
        setup.width = SM_VIDEO_MAX_SIDE + 1;
        sm_check_status(e->create(&encoder, &setup), SM_ERR_LIMIT);
    }
    assert_null(module->find_encoder((enum sm_video_kind)0));
    assert_null(module->find_encoder((enum sm_video_kind)200));
    assert_null(module->find_decoder((enum sm_video_kind)200));
}

static void damaged_data_is_survived(void **state)
{
    (void)state;
    const struct sm_video_module *module = load();
    for (unsigned i = 0; i < sizeof(MODULE_KINDS) / sizeof(MODULE_KINDS[0]); i++) {
        const struct sm_video_encoder_ops *e = module->find_encoder(MODULE_KINDS[i]);
        const struct sm_video_decoder_ops *d = module->find_decoder(MODULE_KINDS[i]);
        void *encoder, *decoder;
        sm_check_status(e->create(&encoder, &SETUP), SM_OK);
        sm_check_status(d->create(&decoder, NULL), SM_OK);
        struct sm_pixels picture = make_picture(WIDTH, HEIGHT), shown;
        struct sm_video_order order = {.bits_per_second = SETUP.bits_per_second, .is_key = true};
        struct sm_bytes data;
        draw(&picture, 0);
        sm_check_status(e->encode(encoder, &picture, &order, &data), SM_OK);
        for (size_t size = 0; size < data.size; size += 1 + data.size / 40)
            (void)!d->decode(decoder, sm_test_copy(data.data, size), &shown);
        for (size_t at = 0; at < data.size; at += 1 + data.size / 60) {
            struct sm_bytes copy = sm_test_copy(data.data, data.size);
            ((uint8_t *)(uintptr_t)copy.data)[at] ^= 0x55;
            (void)!d->decode(decoder, copy, &shown);
        }
        sm_check_status(d->decode(decoder, data, &shown), SM_OK); /* a key frame mends all */
        assert_true(psnr(&picture, &shown) > 32);
        sm_test_free_copies();
        free(picture.data);
        e->destroy(encoder);
        d->destroy(decoder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_comes_back_like_what_went_in),
        cmocka_unit_test(what_encodes_has_a_name),
        cmocka_unit_test(card_is_looked_for_once),
        cmocka_unit_test(mjpeg_takes_rows_in_either_order),
        cmocka_unit_test(rate_is_followed),
        cmocka_unit_test(odd_sizes_are_encoded_and_small_ones_refused),
        cmocka_unit_test(damaged_data_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
