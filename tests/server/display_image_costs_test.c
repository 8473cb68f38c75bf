/* SPDX-License-Identifier: MIT */
/* What was expected and what it was; and whose picture is there first. */
#include "tests/support/check.h"

#include "core/codec/classify.h"
#include "media/libs.h"
#include "server/display/glz_share.h"
#include "server/display/image_costs.h"
#include "server/display/image_policy.h"

enum { SIDE = 256 };

static uint32_t pixels[SIDE * SIDE];

/* Many colours without order, in a few places twice. */
static void draw_noise(void)
{
    struct sm_test_random random = {7};
    for (uint32_t i = 0; i < SIDE * SIDE; i++)
        pixels[i] = sm_test_random_next(&random) & 0xffffff;
}

/* Lines of text of two colours. */
static void draw_text(void)
{
    for (uint32_t i = 0; i < SIDE * SIDE; i++)
        pixels[i] = (i * i / 7 + i / SIDE) % 5 < 2 && i / SIDE % 16 > 4 ? 0x202020 : 0xffffff;
}

/* Neighbours differ by one or two, and no row is like the other. */
static void draw_gradient(void)
{
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        uint32_t x = i % SIDE, y = i / SIDE;
        pixels[i] = (x + y * 3 / 2) % 256 | (x * 2 + y) / 2 % 256 << 8 | (x + y * 2) / 3 << 16;
    }
}

static struct sm_image image(void)
{
    return (struct sm_image){.type = SM_IMAGE_TYPE_BITMAP,
                             .width = SIDE,
                             .height = SIDE,
                             .bitmap = {.format = SM_BITMAP_FORMAT_32BIT,
                                        .flags = SM_BITMAP_FLAG_TOP_DOWN,
                                        .x = SIDE,
                                        .y = SIDE,
                                        .stride = SIDE * 4,
                                        .data = {(uint8_t *)pixels, sizeof(pixels)}}};
}

static struct sm_image_traits traits_now(void)
{
    struct sm_image from = image();
    struct sm_pixels_in in = sm_image_policy_pixels(&from.bitmap);
    struct sm_image_traits traits;
    sm_check_status(sm_image_examine(&in, &traits), SM_OK);
    return traits;
}

static void what_came_of_it_is_expected_next(void **state)
{
    (void)state;
    struct sm_image_costs costs = {0};
    draw_text();
    struct sm_image_traits traits = traits_now();
    struct sm_codec_estimate said = sm_image_costs_general(&traits, SM_CODEC_GLZ);
    struct sm_codec_estimate lz = sm_image_costs_general(&traits, SM_CODEC_LZ_RGB);
    assert_true(sm_image_costs_expect(&costs, &traits, SM_CODEC_GLZ).bytes == said.bytes);
    assert_true(sm_image_costs_expect(NULL, &traits, SM_CODEC_GLZ).bytes == said.bytes);
    for (unsigned i = 0; i < 200; i++) /* a tenth of the bytes, in twice the time */
        sm_image_costs_learn(&costs, SM_CODEC_GLZ, &said, said.bytes / 10, said.encode_us * 2);
    struct sm_codec_estimate now = sm_image_costs_expect(&costs, &traits, SM_CODEC_GLZ);
    assert_in_range(now.bytes, said.bytes / 10, said.bytes / 4);
    assert_in_range(now.encode_us, said.encode_us * 3 / 2, said.encode_us * 2);
    /* nothing was learnt of others, and what is not used is forgotten again */
    assert_true(sm_image_costs_expect(&costs, &traits, SM_CODEC_LZ_RGB).bytes == lz.bytes);
    for (unsigned i = 0; i < 1000; i++)
        sm_image_costs_learn(&costs, SM_CODEC_LZ_RGB, &lz, lz.bytes, lz.encode_us);
    now = sm_image_costs_expect(&costs, &traits, SM_CODEC_GLZ);
    assert_in_range(now.bytes, said.bytes * 9 / 10, said.bytes);
}

static void one_late_thread_says_little(void **state)
{
    (void)state;
    struct sm_image_costs costs = {0};
    draw_text();
    struct sm_image_traits traits = traits_now();
    struct sm_codec_estimate said = sm_image_costs_general(&traits, SM_CODEC_LZ_RGB);
    for (unsigned i = 0; i < 50; i++)
        sm_image_costs_learn(&costs, SM_CODEC_LZ_RGB, &said, said.bytes, said.encode_us);
    sm_image_costs_learn(&costs, SM_CODEC_LZ_RGB, &said, said.bytes, 10000000);
    assert_in_range(sm_image_costs_expect(&costs, &traits, SM_CODEC_LZ_RGB).encode_us,
                    said.encode_us, said.encode_us * 4);
}

static void arrival_is_time_and_bytes(void **state)
{
    (void)state;
    struct sm_codec_estimate e = {.bytes = 100000, .encode_us = 700, .decode_us = 300};
    assert_int_equal(sm_image_costs_arrival_us(&e, 1000000), 101000);
    assert_int_equal(sm_image_costs_arrival_us(&e, 100000000), 2000);
    assert_int_equal(sm_image_costs_arrival_us(&e, 0), 1000);
}

static enum sm_image_codec chosen(struct sm_image_receiver receiver)
{
    struct sm_image from = image();
    return sm_image_policy_choose(&receiver, &from).codec;
}

static void a_setting_is_a_command(void **state)
{
    (void)state;
    static const struct {
        enum sm_worker_compression setting;
        enum sm_image_codec codec;
    } CASES[] = {{SM_COMPRESSION_OFF, SM_CODEC_BITMAP},
                 {SM_COMPRESSION_QUIC, SM_CODEC_QUIC},
                 {SM_COMPRESSION_LZ, SM_CODEC_LZ_RGB},
                 {SM_COMPRESSION_LZ4, SM_CODEC_LZ4}};
    void (*const draw[])(void) = {draw_noise, draw_text, draw_gradient};
    for (unsigned d = 0; d < 3; d++) {
        draw[d]();
        for (unsigned i = 0; i < 4; i++)
            for (uint64_t rate = 10000; rate <= 1000000000; rate *= 10)
                assert_int_equal(chosen((struct sm_image_receiver){.compression = CASES[i].setting,
                                                                   .has_lz4 = true,
                                                                   .rate_bytes_s = rate}),
                                 CASES[i].codec);
    }
}

static void auto_takes_what_is_there_first(void **state)
{
    (void)state;
    struct sm_image_costs costs = {0};
    struct sm_image_receiver receiver = {
        .compression = SM_COMPRESSION_AUTO_LZ, .rate_bytes_s = 250000, .costs = &costs};
    draw_gradient();
    assert_int_equal(chosen(receiver), SM_CODEC_QUIC);
    draw_text();
    assert_int_equal(chosen(receiver), SM_CODEC_LZ_RGB);
    /* here LZ turns out ten times as large as it is said to be */
    struct sm_image_traits traits = traits_now();
    struct sm_codec_estimate said = sm_image_costs_general(&traits, SM_CODEC_LZ_RGB);
    for (unsigned i = 0; i < 100; i++)
        sm_image_costs_learn(&costs, SM_CODEC_LZ_RGB, &said, said.bytes * 10, said.encode_us);
    assert_int_not_equal(chosen(receiver), SM_CODEC_LZ_RGB);
    /* and a client without LZ4 is never sent it */
    assert_int_not_equal(chosen(receiver), SM_CODEC_LZ4);
}

static void glz_is_not_given_up_for_what_it_does_not_know_yet(void **state)
{
    (void)state;
    struct sm_glz_share *share;
    sm_check_status(sm_glz_share_create(&share, 1 << 20, 0), SM_OK);
    draw_text();
    struct sm_image_receiver receiver = {
        .compression = SM_COMPRESSION_AUTO_GLZ, .has_lz4 = true, .glz = share};
    for (uint64_t rate = 10000; rate <= 1000000000; rate *= 10) {
        receiver.rate_bytes_s = rate;
        receiver.wants_zlib = rate < 1000000;
        assert_int_equal(chosen(receiver), receiver.wants_zlib ? SM_CODEC_ZLIB_GLZ : SM_CODEC_GLZ);
    }
    sm_glz_share_unref(share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_of_it_is_expected_next),
        cmocka_unit_test(one_late_thread_says_little),
        cmocka_unit_test(arrival_is_time_and_bytes),
        cmocka_unit_test(a_setting_is_a_command),
        cmocka_unit_test(auto_takes_what_is_there_first),
        cmocka_unit_test(glz_is_not_given_up_for_what_it_does_not_know_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
