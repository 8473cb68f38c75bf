/* SPDX-License-Identifier: MIT */
/* Drawings and surfaces on their way from a scripted device to a client. */
#include "tests/support/check.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/types.h"
#include "io/clock.h"
#include "tests/server/support/stage.h"

/* ---- drawings ---- */

static void drawings_arrive_in_order_and_are_given_back_once(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    uint64_t addresses[40];
    for (unsigned i = 0; i < 40; i++)
        addresses[i] = sm_test_device_fill(
            &f->device, 0, sm_test_rect((int)i, (int)i / 2, (int)i + 20, 40), i * 0x010305);
    QXLDrawable copy = sm_test_drawable(QXL_DRAW_COPY, 0, sm_test_rect(5, 6, 37, 38));
    copy.u.copy.src_bitmap = sm_test_device_image(&f->device, 32, 32, 5);
    copy.u.copy.src_area = sm_test_rect(0, 0, 32, 32);
    copy.u.copy.rop_descriptor = 8;
    uint64_t copied = sm_test_device_draw(&f->device, &copy);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY, 2);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL), 40);
    sm_test_stage_check_picture(f);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(sm_test_device_released(&f->device, addresses[i]), 1);
    assert_int_equal(sm_test_device_released(&f->device, copied), 1);
}

static void smooth_images_go_as_lz_and_raw_if_so_configured(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    QXLDrawable copy = sm_test_drawable(QXL_DRAW_COPY, 0, sm_test_rect(0, 0, 32, 32));
    uint64_t image = sm_test_device_image(&f->device, 32, 32, 5);
    QXLImage *head = sm_test_guest_at(&f->device.guest, image);
    uint8_t *pixels = (uint8_t *)sm_test_guest_at(&f->device.guest, head->bitmap.data) + 20;
    memset(pixels, 0x55, 32 * 32 * 4);
    copy.u.copy.src_bitmap = image;
    copy.u.copy.src_area = sm_test_rect(0, 0, 32, 32);
    copy.u.copy.rop_descriptor = 8;
    uint32_t lz = f->watcher.image_types[SM_IMAGE_TYPE_LZ_RGB];
    (void)sm_test_device_draw(&f->device, &copy);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY, 2);
    assert_int_equal(f->watcher.image_types[SM_IMAGE_TYPE_LZ_RGB], lz + 1);
    sm_worker_set_compression(f->device.worker, SM_COMPRESSION_OFF);
    (void)sm_test_device_draw(&f->device, &copy);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY, 3);
    assert_int_equal(f->watcher.image_types[SM_IMAGE_TYPE_LZ_RGB], lz + 1);
    sm_test_stage_check_picture(f);
}

static void bad_commands_are_given_back_once_or_not_at_all(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    uint64_t bad_box = sm_test_device_fill(
        &f->device, 0, sm_test_rect(0, 0, TEST_STAGE_WIDTH + 1, TEST_STAGE_HEIGHT), 1);
    uint64_t bad_surface = sm_test_device_fill(&f->device, 9, sm_test_rect(0, 0, 1, 1), 1);
    sm_test_device_submit(&f->device, SM_QXL_DRAW, 0x123456789abcdef);
    sm_test_device_submit(&f->device, 77, bad_box);
    QXLMessage message = {.release_info = {0}};
    uint64_t text = sm_test_guest_put(&f->device.guest, &message, sizeof(message));
    (void)sm_test_guest_put(&f->device.guest, "hello", 6);
    sm_test_device_submit(&f->device, SM_QXL_MESSAGE, text);
    uint64_t good = sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 5, 5), 0xff);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 1);
    assert_int_equal(sm_test_device_released(&f->device, bad_box), 1);
    assert_int_equal(sm_test_device_released(&f->device, bad_surface), 1);
    assert_int_equal(sm_test_device_released(&f->device, text), 1);
    assert_int_equal(sm_test_device_released(&f->device, good), 1);
    assert_int_equal(f->device.release_count, 4);
    sm_test_lines_check(&f->device.lines, "command of unknown type 77 in the display ring");
}

static void self_bitmap_is_the_picture_before(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 8, 8), 0x112233);
    QXLDrawable opaque = sm_test_drawable(QXL_DRAW_OPAQUE, 0, sm_test_rect(8, 0, 16, 8));
    opaque.self_bitmap = 1;
    opaque.self_bitmap_area = sm_test_rect(0, 0, 8, 8);
    opaque.u.opaque.src_area = sm_test_rect(0, 0, 8, 8);
    opaque.u.opaque.brush = (QXLBrush){.type = 1, .u.color = 0xffffff};
    opaque.u.opaque.rop_descriptor = 0x20; /* brush AND source */
    (void)sm_test_device_draw(&f->device, &opaque);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 8, 8), 0x445566);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_OPAQUE, 1);
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), NULL, 0, true);
    sm_test_watcher_await_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
    const uint8_t expected[] = {0x33, 0x22, 0x11};
    assert_memory_equal(sm_test_stage_pixels(f) + (size_t)9 * 4, expected, 3);
}

static void client_that_cannot_composite_gets_pixels(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    struct sm_test_watcher_options poor = {.connection_id = 1,
                                           .channel_caps = 1u << SM_DISPLAY_CAP_MONITORS_CONFIG};
    sm_test_watch_display(&f->watcher, f->device.worker, &poor);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    QXLDrawable composite = sm_test_drawable(QXL_DRAW_COMPOSITE, 0, sm_test_rect(0, 0, 16, 16));
    composite.u.composite.flags = QXL_OP_SOURCE;
    composite.u.composite.src = sm_test_device_image(&f->device, 16, 16, 3);
    (void)sm_test_device_draw(&f->device, &composite);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY, 2);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_COMPOSITE), 0);
    sm_test_stage_check_picture(f);
}

/* ---- surfaces ---- */

static QXLDrawable copy_of_surface(struct sm_test_stage *f, uint32_t from, uint32_t to, QXLRect box)
{
    QXLImage image = {.descriptor = {.type = SM_IMAGE_TYPE_SURFACE},
                      .surface_image = {.surface_id = from}};
    QXLDrawable copy = sm_test_drawable(QXL_DRAW_COPY, to, box);
    copy.surfaces_dest[0] = (int32_t)from;
    copy.u.copy.src_bitmap = sm_test_guest_put(&f->device.guest, &image, sizeof(image));
    copy.u.copy.src_area = sm_test_rect(0, 0, box.right - box.left, box.bottom - box.top);
    copy.u.copy.rop_descriptor = 8;
    return copy;
}

static void reader_sees_its_source_as_it_was(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    (void)sm_test_device_create_surface(&f->device, 5, 16, 16, SM_SURFACE_FORMAT_32_XRGB, 0);
    (void)sm_test_device_fill(&f->device, 5, sm_test_rect(0, 0, 16, 16), 0x0000ff);
    QXLDrawable copy = copy_of_surface(f, 5, 0, sm_test_rect(0, 0, 16, 16));
    (void)sm_test_device_draw(&f->device, &copy);
    (void)sm_test_device_fill(&f->device, 5, sm_test_rect(0, 0, 16, 16), 0x00ff00);
    QXLDrawable second = copy_of_surface(f, 5, 0, sm_test_rect(16, 0, 32, 16));
    (void)sm_test_device_draw(&f->device, &second);
    (void)sm_test_device_destroy_surface(&f->device, 5);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY, 1);
    sm_test_stage_check_picture(f);
    const uint8_t blue[] = {0xff, 0, 0}, green[] = {0, 0xff, 0};
    assert_memory_equal(sm_test_stage_pixels(f), blue, 3);
    assert_memory_equal(sm_test_stage_pixels(f) + (size_t)16 * 4, green, 3);
}

static void surface_keeps_its_create_command_until_it_is_destroyed(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    uint64_t create =
        sm_test_device_create_surface(&f->device, 5, 16, 16, SM_SURFACE_FORMAT_32_ARGB, 0);
    uint64_t twice =
        sm_test_device_create_surface(&f->device, 5, 16, 16, SM_SURFACE_FORMAT_32_ARGB, 0);
    sm_test_device_wait_released(&f->device, 1);
    assert_int_equal(sm_test_device_released(&f->device, twice), 1);
    assert_int_equal(sm_test_device_released(&f->device, create), 0);
    uint64_t destroy = sm_test_device_destroy_surface(&f->device, 5);
    sm_test_device_wait_released(&f->device, 3);
    assert_int_equal(f->device.releases[1], create);
    assert_int_equal(f->device.releases[2], destroy);
    uint64_t unknown = sm_test_device_destroy_surface(&f->device, 5);
    uint64_t zero = sm_test_device_destroy_surface(&f->device, 0);
    uint64_t high = sm_test_device_destroy_surface(&f->device, 1024);
    sm_test_device_wait_released(&f->device, 6);
    assert_int_equal(sm_test_device_released(&f->device, unknown), 1);
    assert_int_equal(sm_test_device_released(&f->device, zero), 1);
    assert_int_equal(sm_test_device_released(&f->device, high), 1);
    sm_test_lines_check(&f->device.lines, "avoiding creating a surface twice");
}

static void reused_id_is_destroyed_before_it_is_created(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    for (uint32_t i = 0; i < 5; i++) {
        (void)sm_test_device_create_surface(&f->device, 5, 16 + i, 16, SM_SURFACE_FORMAT_32_XRGB,
                                            0);
        (void)sm_test_device_fill(&f->device, 5, sm_test_rect(0, 0, 16, 16), 0x10 * i);
        int32_t left = 12 * (int32_t)i; /* none covers another */
        QXLDrawable copy = copy_of_surface(f, 5, 0, sm_test_rect(left, 0, left + 16, 16));
        (void)sm_test_device_draw(&f->device, &copy);
        (void)sm_test_device_destroy_surface(&f->device, 5);
    }
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY, 5);
    const uint16_t round[] = {SM_MSG_DISPLAY_SURFACE_CREATE, SM_MSG_DISPLAY_DRAW_FILL,
                              SM_MSG_DISPLAY_DRAW_COPY, SM_MSG_DISPLAY_SURFACE_DESTROY};
    uint32_t start = f->watcher.count - 20;
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(f->watcher.types[start + i], round[i % 4]);
    sm_test_stage_check_picture(f);
}

static void kept_surface_is_shown_when_it_is_first_used(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    uint64_t create = sm_test_device_create_surface(&f->device, 5, 16, 16,
                                                    SM_SURFACE_FORMAT_32_XRGB, 1 /* keep */);
    QXLSurfaceCmd *command = sm_test_guest_at(&f->device.guest, create);
    memset(sm_test_guest_at(&f->device.guest, command->u.surface_create.data), 0x5a, 16 * 16 * 4);
    sm_test_watcher_run(&f->watcher, 50);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_SURFACE_CREATE), 1);
    QXLDrawable copy = copy_of_surface(f, 5, 0, sm_test_rect(0, 0, 16, 16));
    (void)sm_test_device_draw(&f->device, &copy);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_SURFACE_CREATE, 2);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY, 3);
    sm_test_stage_check_picture(f);
    assert_int_equal(sm_test_stage_pixels(f)[0], 0x5a);
}

static int no_stage(void **state)
{
    *state = calloc(1, sizeof(struct sm_test_stage));
    return 0;
}

static void huge_surface_comes_in_pieces(void **state)
{
    enum { SIDE = 2080 }; /* 16.5 MiB */
    struct sm_test_stage *f = *state;
    sm_test_device_init(&f->device, 32 << 20);
    sm_test_stage_begin(f);
    uint64_t create = sm_test_device_create_surface(&f->device, 5, SIDE, SIDE,
                                                    SM_SURFACE_FORMAT_32_XRGB, 1 /* keep */);
    QXLSurfaceCmd *command = sm_test_guest_at(&f->device.guest, create);
    uint8_t *pixels = sm_test_guest_at(&f->device.guest, command->u.surface_create.data);
    for (size_t i = 0; i < (size_t)SIDE * SIDE * 4; i++)
        pixels[i] = (uint8_t)(i / 512);
    QXLDrawable copy = copy_of_surface(f, 5, 0, sm_test_rect(0, 0, 16, 16));
    (void)sm_test_device_draw(&f->device, &copy);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_SURFACE_CREATE, 2);
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), NULL, 0, true);
    sm_test_watcher_await_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
    sm_test_watcher_await_pixels(&f->watcher, 5, pixels);
    assert_true(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY) > 10);
    /* From now on it is like any other. */
    copy = copy_of_surface(f, 5, 0, sm_test_rect(16, 16, 32, 32));
    uint32_t surfaces = f->watcher.image_types[SM_IMAGE_TYPE_SURFACE];
    (void)sm_test_device_draw(&f->device, &copy);
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), NULL, 0, true);
    sm_test_watcher_await_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
    assert_int_equal(f->watcher.image_types[SM_IMAGE_TYPE_SURFACE], surfaces + 1);
}

static void surface_of_single_bits_is_nobodys(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    (void)sm_test_device_create_surface(&f->device, 5, 16, 16, SM_SURFACE_FORMAT_1_A, 0);
    (void)sm_test_device_fill(&f->device, 5, sm_test_rect(0, 0, 16, 16), 1);
    QXLDrawable copy = copy_of_surface(f, 5, 0, sm_test_rect(0, 0, 16, 16));
    (void)sm_test_device_draw(&f->device, &copy);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(20, 20, 30, 30), 0x336699);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 1);
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), NULL, 0, true);
    sm_test_watcher_await_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_SURFACE_CREATE), 1);
}

static void late_client_gets_surfaces_on_demand(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    (void)sm_test_device_create_surface(&f->device, 5, 16, 16, SM_SURFACE_FORMAT_32_ARGB, 0);
    (void)sm_test_device_fill(&f->device, 5, sm_test_rect(0, 0, 16, 16), 0x81828384);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 1);
    struct sm_test_watcher_options late = sm_test_watcher_default;
    late.connection_id = 2;
    sm_test_watch_display(&f->other, f->device.worker, &late);
    sm_test_watcher_await(&f->other, SM_MSG_DISPLAY_MARK, 1);
    assert_int_equal(sm_test_watcher_count(&f->other, SM_MSG_DISPLAY_SURFACE_CREATE), 1);
    QXLDrawable copy = copy_of_surface(f, 5, 0, sm_test_rect(0, 0, 16, 16));
    (void)sm_test_device_draw(&f->device, &copy);
    sm_test_watcher_await(&f->other, SM_MSG_DISPLAY_DRAW_COPY, 3);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY, 2);
    sm_test_stage_check_picture(f);
    sm_test_watcher_check_pixels(&f->other, 0, sm_test_stage_pixels(f));
}

static void destroying_all_surfaces_gives_everything_back(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    uint64_t five =
        sm_test_device_create_surface(&f->device, 5, 16, 16, SM_SURFACE_FORMAT_32_XRGB, 0);
    uint64_t six =
        sm_test_device_create_surface(&f->device, 6, 16, 16, SM_SURFACE_FORMAT_32_XRGB, 0);
    sm_worker_destroy_surfaces(f->device.worker);
    assert_int_equal(sm_test_device_released(&f->device, five), 1);
    assert_int_equal(sm_test_device_released(&f->device, six), 1);
    assert_false(sm_worker_get_primary(f->device.worker).exists);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_STREAM_DESTROY_ALL, 1);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY), 3);
}

static void mode_change_destroys_and_creates(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    sm_worker_destroy_primary(f->device.worker);
    sm_worker_destroy_primary(f->device.worker);
    sm_test_lines_check(&f->device.lines, "double destroy of primary surface");
    struct sm_qxl_primary primary = {.width = 32,
                                     .height = 16,
                                     .stride_bytes = -128,
                                     .format = SM_SURFACE_FORMAT_32_XRGB,
                                     .address = sm_test_guest_address(0),
                                     .group = TEST_GUEST_GROUP};
    sm_worker_create_primary_async(f->device.worker, &primary, 99);
    sm_test_device_wait_completed(&f->device, 99);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 1, 1), 0xabcdef);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 1);
    assert_int_equal(f->watcher.created.width, 32);
    sm_worker_update_area(f->device.worker, 0, (struct sm_rect){0, 0, 32, 16}, NULL, 0, false);
    const uint8_t pixel[] = {0xef, 0xcd, 0xab};
    assert_memory_equal(f->device.guest.memory + (size_t)15 * 128, pixel, 3);
}

static void bad_primaries_are_completed_but_not_made(void **state)
{
    struct sm_test_stage *f = *state;
    struct sm_qxl_primary good = {.width = 32,
                                  .height = 16,
                                  .stride_bytes = 128,
                                  .format = SM_SURFACE_FORMAT_32_XRGB,
                                  .address = sm_test_guest_address(0),
                                  .group = TEST_GUEST_GROUP};
    struct sm_qxl_primary bad[8];
    for (unsigned i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].format = 0;
    bad[1].width = 0;
    bad[2].height = 0;
    bad[3].stride_bytes = 127;
    bad[4].stride_bytes = INT32_MIN;
    bad[5].address = sm_test_guest_address(TEST_STAGE_MEMORY - 16 * 128 + 1);
    bad[6].height = UINT32_MAX;
    bad[7].group = 7;
    for (unsigned i = 0; i < 8; i++) {
        sm_worker_create_primary_async(f->device.worker, &bad[i], 100 + i);
        sm_test_device_wait_completed(&f->device, 100 + i);
        assert_false(sm_worker_get_primary(f->device.worker).exists);
    }
    bad[5].address--;
    sm_worker_create_primary(f->device.worker, &bad[5]);
    assert_true(sm_worker_get_primary(f->device.worker).exists);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sm_test_stage_set_up, sm_test_stage_tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(drawings_arrive_in_order_and_are_given_back_once),
        TEST(smooth_images_go_as_lz_and_raw_if_so_configured),
        TEST(bad_commands_are_given_back_once_or_not_at_all),
        TEST(self_bitmap_is_the_picture_before),
        TEST(client_that_cannot_composite_gets_pixels),
        TEST(reader_sees_its_source_as_it_was),
        TEST(surface_keeps_its_create_command_until_it_is_destroyed),
        TEST(reused_id_is_destroyed_before_it_is_created),
        TEST(kept_surface_is_shown_when_it_is_first_used),
        cmocka_unit_test_setup_teardown(huge_surface_comes_in_pieces, no_stage,
                                        sm_test_stage_tear_down),
        TEST(surface_of_single_bits_is_nobodys),
        TEST(late_client_gets_surfaces_on_demand),
        TEST(destroying_all_surfaces_gives_everything_back),
        TEST(mode_change_destroys_and_creates),
        TEST(bad_primaries_are_completed_but_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
