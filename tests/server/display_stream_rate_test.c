/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "core/wire/display.h"
#include "server/display/stream_rate.h"
#include "server/display/video_choice.h"

enum { FRAME_US = 33333, PIXELS = 1280 * 720 };

/* Offers `count` frames, of which one in `one_in` gets through. */
static uint64_t play(struct sm_stream_rate *rate, unsigned count, unsigned one_in, uint64_t line,
                     uint64_t now_us)
{
    for (unsigned i = 0; i < count; i++, now_us += FRAME_US) {
        sm_stream_rate_offer(rate, FRAME_US, now_us);
        if (i % one_in == 0)
            sm_stream_rate_sent(rate, rate->quality * 2000, 5000, line);
    }
    return now_us;
}

static void quality_falls_with_what_does_not_get_through_and_rises_again(void **state)
{
    (void)state;
    struct sm_stream_rate rate;
    sm_stream_rate_init(&rate, PIXELS, true, 0, -340, 0);
    unsigned first = rate.quality;
    uint64_t now_us = play(&rate, 300, 2, 0, 0);
    assert_true(rate.quality < first);
    assert_int_equal(rate.quality, 20); /* and not below */
    now_us = play(&rate, 3000, 1, 0, now_us);
    assert_int_equal(rate.quality, 85);
    (void)now_us;
}

static void known_line_decides(void **state)
{
    (void)state;
    struct sm_stream_rate rate;
    sm_stream_rate_init(&rate, PIXELS, true, 0, -340, 0);
    /* Frames are 2000 bytes a point of quality: 2 MB/s carry about 26 points at 30 a second. */
    (void)play(&rate, 300, 1, 2000000, 0);
    assert_in_range(rate.quality, 20, 32);
    sm_stream_rate_init(&rate, PIXELS, false, 0, -340, 0);
    (void)play(&rate, 30, 1, 500000, 0);
    assert_in_range(rate.bits_per_second, 3000000, 3300000);
}

static struct sm_msgc_display_stream_report late(int32_t margin_ms)
{
    return (struct sm_msgc_display_stream_report){
        .num_frames = 5, .last_frame_delay = margin_ms, .audio_delay = UINT32_MAX};
}

static void stamps_follow_the_clock_of_the_client(void **state)
{
    (void)state;
    static const int32_t clocks[] = {-400, 0, 130, -1200};
    for (unsigned i = 0; i < 4; i++) {
        struct sm_stream_rate rate;
        sm_stream_rate_init(&rate, PIXELS, true, 0, -340, 0);
        uint64_t now_us = 10000000;
        int32_t margin_ms = 0;
        for (unsigned window = 0; window < 200; window++, now_us += 5 * FRAME_US) {
            uint32_t stamp = sm_stream_rate_stamp(&rate, now_us);
            margin_ms = (int32_t)(stamp - (uint32_t)(now_us / 1000) - (uint32_t)clocks[i]);
            struct sm_msgc_display_stream_report report = late(margin_ms);
            sm_stream_rate_report(&rate, &report, now_us);
        }
        assert_true(margin_ms >= 10 && margin_ms <= 48);
    }
}

static void stamps_go_to_the_time_of_sound_when_there_is_some(void **state)
{
    (void)state;
    struct sm_stream_rate rate;
    sm_stream_rate_init(&rate, PIXELS, true, 0, -340, 0);
    struct sm_msgc_display_stream_report report = {.last_frame_delay = 200, .audio_delay = 150};
    for (unsigned i = 0; i < 10; i++)
        sm_stream_rate_report(&rate, &report, 0);
    assert_int_equal(sm_stream_rate_stamp(&rate, 5000000), 5000);
}

static void stamps_never_go_back_nor_are_zero(void **state)
{
    (void)state;
    struct sm_stream_rate rate;
    sm_stream_rate_init(&rate, PIXELS, true, 0, 0, 0);
    uint32_t last = sm_stream_rate_stamp(&rate, 1000000);
    for (unsigned i = 0; i < 100; i++) {
        struct sm_msgc_display_stream_report report = late(i % 2 ? INT32_MAX : INT32_MIN);
        sm_stream_rate_report(&rate, &report, 0);
        uint32_t stamp = sm_stream_rate_stamp(&rate, 1000000 + i * 1000);
        assert_true((int32_t)(stamp - last) > 0);
        last = stamp;
    }
    sm_stream_rate_init(&rate, PIXELS, true, 0, 0, 0);
    assert_int_not_equal(sm_stream_rate_stamp(&rate, 0), 0);
}

static void late_frames_make_it_worse_once_stamps_have_settled(void **state)
{
    (void)state;
    struct sm_stream_rate rate;
    sm_stream_rate_init(&rate, PIXELS, false, 8000000, -340, 0);
    uint64_t before = rate.bits_per_second;
    struct sm_msgc_display_stream_report report = late(-300);
    sm_stream_rate_report(&rate, &report, 1000000);
    assert_int_equal(rate.bits_per_second, before);
    sm_stream_rate_report(&rate, &report, 4000000);
    sm_stream_rate_report(&rate, &report, 4100000); /* the same trouble */
    assert_int_equal(rate.bits_per_second, before / 4 * 3);
    for (unsigned i = 0; i < 1000; i++)
        sm_stream_rate_report(&rate, &report, 10000000 + i * 2000000ull);
    assert_int_equal(rate.bits_per_second, 128 << 10);
}

/* ---- which codec ---- */

static const uint32_t CAPS = 1u << SM_DISPLAY_CAP_MULTI_CODEC | 1u << SM_DISPLAY_CAP_CODEC_MJPEG |
                             1u << SM_DISPLAY_CAP_CODEC_VP8 | 1u << SM_DISPLAY_CAP_CODEC_H264;

static void check_choice(const struct sm_video_list *allowed, const struct sm_video_client *client,
                         const uint8_t *expected, uint32_t count)
{
    struct sm_video_list list = sm_video_choose(allowed, client);
    assert_int_equal(list.count, count);
    assert_memory_equal(list.codecs, expected, count);
}

static void hosts_order_counts_unless_the_client_has_one(void **state)
{
    (void)state;
    const struct sm_video_list allowed = {
        .codecs = {SM_VIDEO_CODEC_VP9, SM_VIDEO_CODEC_VP8, SM_VIDEO_CODEC_H264}, .count = 3};
    struct sm_video_client client = {.caps = CAPS};
    check_choice(&allowed, &client, (uint8_t[]){2, 3, 1}, 3);
    static const uint8_t WISHES[] = {9, SM_VIDEO_CODEC_H264, SM_VIDEO_CODEC_H264,
                                     0, SM_VIDEO_CODEC_VP9,  255};
    client.preferred = sm_video_list_of((struct sm_bytes){WISHES, sizeof(WISHES)});
    assert_int_equal(client.preferred.count, 2);
    check_choice(&allowed, &client, (uint8_t[]){3, 2, 1}, 3);
    client.caps &= ~(1u << SM_DISPLAY_CAP_CODEC_MJPEG);
    check_choice(&allowed, &client, (uint8_t[]){3, 2}, 2);
    client.caps &= ~(1u << SM_DISPLAY_CAP_MULTI_CODEC);
    check_choice(&allowed, &client, (uint8_t[]){1}, 1);
}

static void narrow_lines_put_jpeg_last_where_nobody_asked_for_an_order(void **state)
{
    (void)state;
    struct sm_video_list allowed = sm_video_list_automatic();
    struct sm_video_client client = {.caps = CAPS};
    check_choice(&allowed, &client, (uint8_t[]){1, 3, 2}, 3);
    client.is_narrow = true;
    check_choice(&allowed, &client, (uint8_t[]){3, 2, 1}, 3);
    client.preferred = (struct sm_video_list){.codecs = {SM_VIDEO_CODEC_MJPEG}, .count = 1};
    check_choice(&allowed, &client, (uint8_t[]){1, 3, 2}, 3);
    client.preferred.count = 0;
    allowed.is_automatic = false;
    check_choice(&allowed, &client, (uint8_t[]){1, 3, 2}, 3);
}

static void list_of_a_hostile_client_is_bounded(void **state)
{
    (void)state;
    uint8_t wishes[255];
    for (unsigned i = 0; i < sizeof(wishes); i++)
        wishes[i] = (uint8_t)i;
    struct sm_video_list list = sm_video_list_of((struct sm_bytes){wishes, sizeof(wishes)});
    assert_int_equal(list.count, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quality_falls_with_what_does_not_get_through_and_rises_again),
        cmocka_unit_test(known_line_decides),
        cmocka_unit_test(stamps_follow_the_clock_of_the_client),
        cmocka_unit_test(stamps_go_to_the_time_of_sound_when_there_is_some),
        cmocka_unit_test(stamps_never_go_back_nor_are_zero),
        cmocka_unit_test(late_frames_make_it_worse_once_stamps_have_settled),
        cmocka_unit_test(hosts_order_counts_unless_the_client_has_one),
        cmocka_unit_test(narrow_lines_put_jpeg_last_where_nobody_asked_for_an_order),
        cmocka_unit_test(list_of_a_hostile_client_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
