/* SPDX-License-Identifier: MIT */
/*
 * Sessions that show two devices at once, several of them, one of which comes in the middle: guests
 * draw at random, and in the end everybody shows what is in the guests' memory.
 */
#include "tests/support/check.h"

#include <signal.h>
#include <stdlib.h>

#include "core/wire/types.h"
#include "io/clock.h"
#include "server/display/client_shares.h"
#include "server/display/encode_pool.h"
#include "tests/server/support/device.h"
#include "tests/server/support/doodle.h"
#include "tests/server/support/member.h"

enum {
    DEVICES = TEST_MEMBER_DISPLAYS,
    MAX_MEMBERS = 3,
    WIDTH = 64,
    HEIGHT = 48,
    MEMORY = 16 << 20,
    BATCH = 25,
    OFF_SCREEN = 3,
    KEPT_PX = 48 * 32, /* of an image that clients may keep */
};

static const struct sm_test_doodle_surface SHAPES[1 + OFF_SCREEN] = {
    {0, WIDTH, HEIGHT}, {1, 24, 24}, {2, 40, 30}, {3, 16, 30}};

struct play {
    struct sm_client_shares *shares;
    struct sm_encode_pool *pool;
    struct sm_test_device devices[DEVICES];
    struct sm_test_doodle doodles[DEVICES];
    size_t memory_used[DEVICES]; /* by what stays */
    uint32_t submitted[DEVICES];
    struct sm_test_member members[MAX_MEMBERS];
    uint32_t member_count;
};

static void start_device(struct play *play, uint32_t i, enum sm_worker_compression compression,
                         uint32_t seed)
{
    struct sm_test_device *device = &play->devices[i];
    sm_test_device_init_as(device, MEMORY, (uint8_t)i, play->pool, play->shares, compression);
    sm_test_device_start(device, WIDTH, HEIGHT, false);
    for (uint32_t s = 1; s <= OFF_SCREEN; s++)
        (void)sm_test_device_create_surface(device, SHAPES[s].id, SHAPES[s].width, SHAPES[s].height,
                                            SM_SURFACE_FORMAT_32_XRGB, 0);
    play->memory_used[i] = device->guest.used;
    play->doodles[i] = (struct sm_test_doodle){.guest = &device->guest,
                                               .random = {.state = seed * 31 + i + 1},
                                               .surfaces = SHAPES,
                                               .surface_count = 1 + OFF_SCREEN,
                                               .copy_in = 6,
                                               .kept_in = 2};
}

static void start(struct play *play, enum sm_worker_compression compression, uint32_t seed)
{
    const struct sm_encode_pool_config pool = {.threads = 2, .inline_bytes = 1};
    sm_check_status(sm_client_shares_create(&play->shares), SM_OK);
    sm_check_status(sm_encode_pool_create(&play->pool, &pool), SM_OK);
    for (uint32_t i = 0; i < DEVICES; i++)
        start_device(play, i, compression, seed);
}

static void finish(struct play *play)
{
    for (uint32_t i = 0; i < DEVICES; i++)
        sm_test_device_finish(&play->devices[i]);
    for (uint32_t i = 0; i < play->member_count; i++)
        sm_test_member_finish(&play->members[i]);
    sm_client_shares_unref(play->shares);
    sm_encode_pool_unref(play->pool);
    free(play);
}

static void add_member(struct play *play, struct sm_test_member_options options)
{
    struct sm_test_member *member = &play->members[play->member_count++];
    options.connection_id = play->member_count;
    sm_test_member_init(member, &options);
    for (uint32_t i = 0; i < DEVICES; i++)
        sm_test_member_join(member, play->devices[i].worker);
}

/* Some drawings on each device; afterwards the guests have their memory back. */
static void draw(struct play *play)
{
    for (uint32_t i = 0; i < DEVICES; i++) {
        struct sm_test_device *device = &play->devices[i];
        device->guest.used = play->memory_used[i];
        for (uint32_t n = 0; n < BATCH; n++) {
            QXLDrawable d = sm_test_doodle_next(&play->doodles[i]);
            (void)sm_test_device_draw(device, &d);
        }
        play->submitted[i] += BATCH;
        sm_test_device_wait_released(device, play->submitted[i]);
    }
}

/* Each member gets on by a random number of steps, perhaps none: some are slow. */
static void run_members(struct play *play)
{
    for (uint32_t i = 0; i < play->member_count; i++) {
        for (uint32_t steps = sm_test_doodle_pick(&play->doodles[0], 4); steps > 0; steps--)
            sm_test_member_run(&play->members[i], 0);
    }
}

static bool all_show(struct play *play)
{
    bool all = true;
    for (uint32_t m = 0; m < play->member_count; m++)
        for (uint32_t i = 0; i < DEVICES; i++)
            all = sm_test_member_shows(&play->members[m], i, play->devices[i].guest.memory) && all;
    return all;
}

static void check_pictures(struct play *play)
{
    const struct sm_rect all = {0, 0, WIDTH, HEIGHT};
    for (uint32_t i = 0; i < DEVICES; i++)
        sm_worker_update_area(play->devices[i].worker, 0, all, NULL, 0, true);
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (!all_show(play) && sm_now_us() < end_us) {
        for (uint32_t m = 0; m < play->member_count; m++)
            sm_test_member_run(&play->members[m], 5);
    }
    for (uint32_t m = 0; m < play->member_count; m++) {
        for (uint32_t i = 0; i < DEVICES; i++) {
            assert_false(play->members[m].displays[i].is_closed);
            if (!sm_test_member_shows(&play->members[m], i, play->devices[i].guest.memory))
                fail_msg("member %u shows another picture of display %u", m, i);
        }
    }
}

static struct play *perform(enum sm_worker_compression compression, uint32_t members,
                            struct sm_test_member_options options, uint32_t seed)
{
    struct play *play = calloc(1, sizeof(*play));
    assert_non_null(play);
    start(play, compression, seed);
    add_member(play, options);
    if (members > 2)
        add_member(play, options);
    for (uint32_t batch = 0; batch < 40; batch++) {
        if (batch == 20 && members > 1)
            add_member(play, options);
        draw(play);
        run_members(play);
    }
    check_pictures(play);
    return play;
}

static void one_session_shows_two_displays(void **state)
{
    (void)state;
    struct play *play =
        perform(SM_COMPRESSION_LZ, 1, (struct sm_test_member_options){.cache_px = 1 << 20}, 1);
    const struct sm_test_member *member = &play->members[0];
    assert_true(member->image_types[SM_IMAGE_TYPE_FROM_CACHE] > 0);
    assert_true(member->palettes_from_cache > 0);
    assert_int_equal(member->invalidations, 0);
    finish(play);
}

static void images_that_do_not_fit_are_dropped_in_turn(void **state)
{
    (void)state;
    struct play *play =
        perform(SM_COMPRESSION_LZ4, 1, (struct sm_test_member_options){.cache_px = 4 * KEPT_PX}, 2);
    const struct sm_test_member *member = &play->members[0];
    assert_true(member->image_types[SM_IMAGE_TYPE_FROM_CACHE] > 0);
    assert_true(member->invalidations > 0);
    assert_true(member->waits > 0);
    finish(play);
}

static void one_of_two_displays_uses_the_dictionary(void **state)
{
    (void)state;
    struct play *play =
        perform(SM_COMPRESSION_GLZ, 1, (struct sm_test_member_options){.glz_px = 1 << 20}, 3);
    const struct sm_test_member *member = &play->members[0];
    assert_true(member->image_types[SM_IMAGE_TYPE_GLZ_RGB] > 0);
    assert_int_equal(member->image_types[SM_IMAGE_TYPE_FROM_CACHE], 0);
    finish(play);
}

static void three_sessions_and_one_that_comes_late_show_the_same(void **state)
{
    (void)state;
    const enum sm_worker_compression settings[] = {SM_COMPRESSION_OFF, SM_COMPRESSION_AUTO_GLZ,
                                                   SM_COMPRESSION_QUIC};
    for (uint32_t i = 0; i < 3; i++)
        finish(perform(settings[i], 3,
                       (struct sm_test_member_options){.cache_px = 6 * KEPT_PX, .glz_px = 1 << 18},
                       10 + i));
}

static void lossy_images_are_kept_and_made_good(void **state)
{
    (void)state;
    struct play *play =
        perform(SM_COMPRESSION_QUIC, 1,
                (struct sm_test_member_options){.cache_px = 16 * KEPT_PX, .is_lossy = true}, 5);
    const struct sm_test_member *member = &play->members[0];
    assert_true(member->image_types[SM_IMAGE_TYPE_JPEG] > 0);
    finish(play);
}

static void session_goes_on_without_one_of_its_displays(void **state)
{
    (void)state;
    struct play *play = calloc(1, sizeof(*play));
    start(play, SM_COMPRESSION_GLZ, 4);
    add_member(play, (struct sm_test_member_options){.cache_px = 6 * KEPT_PX, .glz_px = 1 << 18});
    struct sm_test_member *member = &play->members[0];
    for (uint32_t batch = 0; batch < 10; batch++) {
        draw(play);
        sm_test_member_run(member, 5);
    }
    check_pictures(play);
    sm_worker_disconnect(play->devices[1].worker, 1);
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (!member->displays[1].is_closed && sm_now_us() < end_us)
        sm_test_member_run(member, 5);
    assert_true(member->displays[1].is_closed);
    for (uint32_t batch = 0; batch < 10; batch++) {
        draw(play);
        sm_test_member_run(member, 5);
    }
    sm_worker_update_area(play->devices[0].worker, 0, (struct sm_rect){0, 0, WIDTH, HEIGHT}, NULL,
                          0, true);
    while (!sm_test_member_shows(member, 0, play->devices[0].guest.memory) && sm_now_us() < end_us)
        sm_test_member_run(member, 5);
    assert_true(sm_test_member_shows(member, 0, play->devices[0].guest.memory));
    finish(play);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_session_shows_two_displays),
        cmocka_unit_test(images_that_do_not_fit_are_dropped_in_turn),
        cmocka_unit_test(one_of_two_displays_uses_the_dictionary),
        cmocka_unit_test(three_sessions_and_one_that_comes_late_show_the_same),
        cmocka_unit_test(lossy_images_are_kept_and_made_good),
        cmocka_unit_test(session_goes_on_without_one_of_its_displays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
