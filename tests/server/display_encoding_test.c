/* SPDX-License-Identifier: MIT */
/* Large pictures on their way through the threads that encode: order, bands, clients that leave. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/types.h"
#include "tests/server/support/stage.h"

enum { WIDTH = 1024, HEIGHT = 680, KINDS = 3, ROUNDS = 6 };

static uint32_t pixel_of(unsigned kind, uint32_t x, uint32_t y, struct sm_test_random *random)
{
    if (kind == 0) /* text */
        return (x * 7 + y * 3) % 11 < 4 ? 0x202020 : 0xffffff;
    if (kind == 1) /* a photograph, to a codec */
        return ((x * 3 + y) % 256) | ((x + y * 2) % 256) << 8 | ((x + y) / 8 % 256) << 16;
    return sm_test_random_next(random) & 0xffffff; /* nothing makes this smaller */
}

static uint64_t put_image(struct sm_test_stage *f, unsigned kind)
{
    struct sm_test_random random = {.state = kind + 1};
    uint64_t address = sm_test_device_image(&f->device, WIDTH, HEIGHT, kind);
    QXLImage *image = sm_test_guest_at(&f->device.guest, address);
    uint8_t *at =
        (uint8_t *)sm_test_guest_at(&f->device.guest, image->bitmap.data) + sizeof(QXLDataChunk);
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++, at += 4) {
            uint32_t pixel = pixel_of(kind, x, y, &random);
            memcpy(at, &pixel, 4);
        }
    }
    return address;
}

static void draw(struct sm_test_stage *f, uint64_t image, int32_t left, int32_t top, int32_t width,
                 int32_t height)
{
    QXLDrawable copy =
        sm_test_drawable(QXL_DRAW_COPY, 0, sm_test_rect(left, top, left + width, top + height));
    copy.u.copy.src_bitmap = image;
    copy.u.copy.src_area = sm_test_rect(0, 0, width, height);
    copy.u.copy.rop_descriptor = 8;
    (void)sm_test_device_draw(&f->device, &copy);
}

/* Large and small ones that cover each other, so that any other order is another picture. */
static void draw_all(struct sm_test_stage *f, const uint64_t *images)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            int32_t at = (int32_t)(round * 10 + kind * 20);
            draw(f, images[kind], 0, 0, WIDTH, HEIGHT);
            (void)sm_test_device_fill(&f->device, 0, sm_test_rect(at, at, at + 300, at + 40),
                                      at * 77);
            draw(f, images[(kind + 1) % KINDS], at, at, 30, 30);
        }
    }
}

static void begin(struct sm_test_stage *f, uint64_t *images, enum sm_worker_compression setting)
{
    struct sm_test_watcher_options options = sm_test_watcher_default;
    options.glz_px = 1 << 22;
    options.channel_caps |= 1u << SM_DISPLAY_CAP_LZ4_COMPRESSION;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    sm_worker_set_compression(f->device.worker, setting);
    for (unsigned kind = 0; kind < KINDS; kind++)
        images[kind] = put_image(f, kind);
    sm_test_watch_display(&f->watcher, f->device.worker, &options);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
}

static void check_picture(struct sm_test_stage *f)
{
    struct sm_rect all = {0, 0, WIDTH, HEIGHT};
    sm_worker_update_area(f->device.worker, 0, all, NULL, 0, true);
    sm_test_watcher_await_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
}

static void check_setting(void **state, enum sm_worker_compression setting)
{
    struct sm_test_stage *f = *state;
    uint64_t images[KINDS];
    begin(f, images, setting);
    draw_all(f, images);
    check_picture(f);
    /* Alone, a large picture comes in bands. */
    uint32_t before = sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY);
    draw(f, images[0], 0, 0, WIDTH, HEIGHT);
    check_picture(f);
    assert_true(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY) >= before + 2);
}

static void pictures_arrive_in_order_with_glz(void **state)
{
    check_setting(state, SM_COMPRESSION_GLZ);
    struct sm_test_stage *f = *state;
    assert_true(f->watcher.image_types[SM_IMAGE_TYPE_GLZ_RGB] > 0);
}

static void pictures_arrive_in_order_with_auto_glz(void **state)
{
    check_setting(state, SM_COMPRESSION_AUTO_GLZ);
    struct sm_test_stage *f = *state;
    assert_true(f->watcher.image_types[SM_IMAGE_TYPE_GLZ_RGB] > 0);
}

static void pictures_arrive_in_order_with_quic(void **state)
{
    check_setting(state, SM_COMPRESSION_QUIC);
}

static void pictures_arrive_in_order_with_lz(void **state)
{
    check_setting(state, SM_COMPRESSION_LZ);
}

static void pictures_arrive_in_order_with_lz4(void **state)
{
    check_setting(state, SM_COMPRESSION_LZ4);
}

static void pictures_arrive_in_order_uncompressed(void **state)
{
    check_setting(state, SM_COMPRESSION_OFF);
}

static void client_that_leaves_takes_its_pictures_along(void **state)
{
    struct sm_test_stage *f = *state;
    uint64_t images[KINDS];
    begin(f, images, SM_COMPRESSION_GLZ);
    for (unsigned i = 0; i < 20; i++) {
        struct sm_test_watcher_options options = sm_test_watcher_default;
        options.glz_px = 1 << 22;
        options.connection_id = 2;
        sm_test_watch_display(&f->other, f->device.worker, &options);
        sm_test_watcher_run(&f->other, i % 3);
        draw(f, images[i % KINDS], 0, 0, WIDTH, HEIGHT);
        if (i % 2)
            sm_worker_disconnect(f->device.worker, 2);
        sm_test_watcher_finish(&f->other);
        f->other = (struct sm_test_watcher){.socket = -1};
    }
    check_picture(f);
}

static void worker_that_ends_takes_its_pictures_along(void **state)
{
    struct sm_test_stage *f = *state;
    uint64_t images[KINDS];
    begin(f, images, SM_COMPRESSION_AUTO_GLZ);
    draw_all(f, images);
    sm_test_watcher_run(&f->watcher, 1);
    sm_worker_destroy(f->device.worker);
    f->device.worker = NULL;
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sm_test_stage_set_up, sm_test_stage_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pictures_arrive_in_order_with_glz),
        TEST(pictures_arrive_in_order_with_auto_glz),
        TEST(pictures_arrive_in_order_with_quic),
        TEST(pictures_arrive_in_order_with_lz),
        TEST(pictures_arrive_in_order_with_lz4),
        TEST(pictures_arrive_in_order_uncompressed),
        TEST(client_that_leaves_takes_its_pictures_along),
        TEST(worker_that_ends_takes_its_pictures_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
