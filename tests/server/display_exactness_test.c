/* SPDX-License-Identifier: MIT */
/* A worker whose client is sent JPEG: nearly right at once, exactly once it is still. */
#include "tests/support/check.h"

#include <string.h>

#include "core/wire/types.h"
#include "tests/server/support/doodle.h"
#include "tests/server/support/stage.h"

enum { WIDTH = 200, HEIGHT = 150, SEEDS = 12, DRAWINGS = 60 };

static const struct sm_test_doodle_surface SURFACES[] = {{0, WIDTH, HEIGHT}, {1, 120, 90}};

/* Smooth, so that a photograph is seen in it. */
static uint64_t put_photograph(struct sm_test_stage *f, uint8_t format)
{
    uint64_t address = sm_test_device_image(&f->device, WIDTH, HEIGHT, 1);
    QXLImage *image = sm_test_guest_at(&f->device.guest, address);
    image->bitmap.format = format;
    uint8_t *at =
        (uint8_t *)sm_test_guest_at(&f->device.guest, image->bitmap.data) + sizeof(QXLDataChunk);
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++, at += 4) {
            uint32_t pixel = (x * 3 + y) % 256 | (x + y * 2) % 256 << 8 | (x + y) % 256 << 16;
            memcpy(at, &pixel, 4);
        }
    }
    return address;
}

static void draw(struct sm_test_stage *f, uint64_t image)
{
    QXLRect all = sm_test_rect(0, 0, WIDTH, HEIGHT);
    QXLDrawable copy = sm_test_drawable(QXL_DRAW_COPY, 0, all);
    copy.u.copy.src_bitmap = image;
    copy.u.copy.src_area = all;
    copy.u.copy.rop_descriptor = 8;
    (void)sm_test_device_draw(&f->device, &copy);
}

static void begin_on(struct sm_test_stage *f, enum sm_worker_compression setting,
                     enum sm_wan_compression when, bool is_low_bandwidth)
{
    struct sm_test_watcher_options options = sm_test_watcher_default;
    options.glz_px = 1 << 20;
    options.jpeg = options.zlib_glz = when;
    options.is_low_bandwidth = is_low_bandwidth;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    sm_worker_set_compression(f->device.worker, setting);
    sm_test_watch_display(&f->watcher, f->device.worker, &options);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
}

static void begin(struct sm_test_stage *f, enum sm_worker_compression setting,
                  enum sm_wan_compression when)
{
    begin_on(f, setting, when, false);
}

static void check_picture(struct sm_test_stage *f)
{
    struct sm_rect all = {0, 0, WIDTH, HEIGHT};
    sm_worker_update_area(f->device.worker, 0, all, NULL, 0, true);
    sm_test_watcher_await_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
}

/* Drawings that come and what they look like, until a picture of `type` has come. */
static void await_image(struct sm_test_stage *f, uint8_t type)
{
    for (unsigned i = 0; f->watcher.image_types[type] == 0 && i < 10 * SM_TEST_PATIENCE_S; i++)
        sm_test_watcher_run(&f->watcher, 100);
    assert_in_range(f->watcher.image_types[type], 1, UINT32_MAX);
}

static void a_photograph_is_jpeg_and_then_exact(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, SM_COMPRESSION_AUTO_GLZ, SM_WAN_ALWAYS);
    draw(f, put_photograph(f, SM_BITMAP_FORMAT_32BIT));
    await_image(f, SM_IMAGE_TYPE_JPEG);
    check_picture(f);
}

static void one_with_alpha_keeps_its_alpha_exactly(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, SM_COMPRESSION_AUTO_GLZ, SM_WAN_ALWAYS);
    draw(f, put_photograph(f, SM_BITMAP_FORMAT_RGBA));
    await_image(f, SM_IMAGE_TYPE_JPEG_ALPHA);
    check_picture(f);
}

static void without_leave_nothing_is_lossy(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, SM_COMPRESSION_AUTO_GLZ, SM_WAN_NEVER);
    draw(f, put_photograph(f, SM_BITMAP_FORMAT_32BIT));
    check_picture(f);
    assert_int_equal(f->watcher.image_types[SM_IMAGE_TYPE_JPEG], 0);
}

static void left_to_us_the_line_decides(void **state)
{
    struct sm_test_stage *f = *state;
    begin_on(f, SM_COMPRESSION_AUTO_GLZ, SM_WAN_AUTO, true);
    uint64_t photograph = put_photograph(f, SM_BITMAP_FORMAT_32BIT);
    draw(f, photograph);
    await_image(f, SM_IMAGE_TYPE_JPEG);
    check_picture(f);
}

/* What was lossy of a surface is forgotten with it, and not sent to the next of its number. */
static void a_surface_that_goes_takes_its_losses_along(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, SM_COMPRESSION_QUIC, SM_WAN_ALWAYS);
    uint64_t photograph = put_photograph(f, SM_BITMAP_FORMAT_32BIT);
    await_image(f, SM_IMAGE_TYPE_QUIC); /* the first picture of the primary, put right */
    for (unsigned i = 0; i < 3; i++) {
        uint32_t jpegs = f->watcher.image_types[SM_IMAGE_TYPE_JPEG];
        uint64_t create = sm_test_device_create_surface(&f->device, 1, WIDTH, HEIGHT, 32, 0);
        sm_test_device_submit(&f->device, QXL_CMD_SURFACE, create);
        QXLRect all = sm_test_rect(0, 0, WIDTH, HEIGHT);
        QXLDrawable copy = sm_test_drawable(QXL_DRAW_COPY, 1, all);
        copy.u.copy.src_bitmap = photograph;
        copy.u.copy.src_area = all;
        copy.u.copy.rop_descriptor = 8;
        (void)sm_test_device_draw(&f->device, &copy);
        while (f->watcher.image_types[SM_IMAGE_TYPE_JPEG] == jpegs && !f->watcher.is_closed)
            sm_test_watcher_run(&f->watcher, 10);
        uint32_t destroyed = sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY);
        uint64_t destroy = sm_test_device_destroy_surface(&f->device, 1);
        sm_test_device_submit(&f->device, QXL_CMD_SURFACE, destroy);
        /* Until then it may be made good, on a machine that takes its time. */
        sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY, destroyed + 1);
        uint32_t before = f->watcher.image_types[SM_IMAGE_TYPE_QUIC];
        create = sm_test_device_create_surface(&f->device, 1, 16, 16, 32, 0);
        sm_test_device_submit(&f->device, QXL_CMD_SURFACE, create);
        sm_test_watcher_run(&f->watcher, 500);
        assert_false(f->watcher.is_closed);
        assert_int_equal(f->watcher.image_types[SM_IMAGE_TYPE_QUIC], before);
        destroy = sm_test_device_destroy_surface(&f->device, 1);
        sm_test_device_submit(&f->device, QXL_CMD_SURFACE, destroy);
    }
    draw(f, photograph);
    check_picture(f);
}

static void text_is_never_lossy_and_deflated(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, SM_COMPRESSION_AUTO_GLZ, SM_WAN_ALWAYS);
    uint64_t address = sm_test_device_image(&f->device, WIDTH, HEIGHT, 1);
    QXLImage *image = sm_test_guest_at(&f->device.guest, address);
    uint8_t *at =
        (uint8_t *)sm_test_guest_at(&f->device.guest, image->bitmap.data) + sizeof(QXLDataChunk);
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++, at += 4) {
        uint32_t pixel = (i * 7 + i / WIDTH * 3) % 11 < 4 ? 0x202020 : 0xffffff;
        memcpy(at, &pixel, 4);
    }
    draw(f, address);
    await_image(f, SM_IMAGE_TYPE_ZLIB_GLZ_RGB);
    check_picture(f);
    assert_int_equal(f->watcher.image_types[SM_IMAGE_TYPE_JPEG], 0);
}

/* All kinds of drawings on and out of lossy areas, every image large enough being JPEG. */
static void whatever_is_drawn_becomes_exact(void **state)
{
    struct sm_test_stage *f = *state;
    begin(f, SM_COMPRESSION_QUIC, SM_WAN_ALWAYS);
    uint64_t address = sm_test_device_create_surface(&f->device, 1, 120, 90, 32, 0);
    sm_test_device_submit(&f->device, QXL_CMD_SURFACE, address);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sm_test_doodle doodle = {.guest = &f->device.guest,
                                        .random = {seed * 104729},
                                        .surfaces = SURFACES,
                                        .surface_count = 2,
                                        .copy_in = 6};
        for (unsigned i = 0; i < DRAWINGS; i++) {
            QXLDrawable d = sm_test_doodle_next(&doodle);
            (void)sm_test_device_draw(&f->device, &d);
            if (i % 8 == 0) /* some are sent before the next is drawn */
                sm_test_watcher_run(&f->watcher, 2);
        }
        check_picture(f);
    }
    assert_in_range(f->watcher.image_types[SM_IMAGE_TYPE_JPEG], SEEDS, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_photograph_is_jpeg_and_then_exact, sm_test_stage_set_up,
                                        sm_test_stage_tear_down),
        cmocka_unit_test_setup_teardown(one_with_alpha_keeps_its_alpha_exactly,
                                        sm_test_stage_set_up, sm_test_stage_tear_down),
        cmocka_unit_test_setup_teardown(without_leave_nothing_is_lossy, sm_test_stage_set_up,
                                        sm_test_stage_tear_down),
        cmocka_unit_test_setup_teardown(left_to_us_the_line_decides, sm_test_stage_set_up,
                                        sm_test_stage_tear_down),
        cmocka_unit_test_setup_teardown(a_surface_that_goes_takes_its_losses_along,
                                        sm_test_stage_set_up, sm_test_stage_tear_down),
        cmocka_unit_test_setup_teardown(text_is_never_lossy_and_deflated, sm_test_stage_set_up,
                                        sm_test_stage_tear_down),
        cmocka_unit_test_setup_teardown(whatever_is_drawn_becomes_exact, sm_test_stage_set_up,
                                        sm_test_stage_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
