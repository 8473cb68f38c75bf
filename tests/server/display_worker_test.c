/* SPDX-License-Identifier: MIT */
/* The worker with a scripted device and clients played by the client machines. */
#include "tests/support/check.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/types.h"
#include "io/clock.h"
#include "tests/server/support/device.h"
#include "tests/server/support/watcher.h"

enum { WIDTH = 64, HEIGHT = 48, MEMORY_SIZE = 8 << 20 };

struct fixture {
    struct sm_test_device device;
    struct sm_test_watcher watcher, other;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    sm_test_device_init(&f->device, MEMORY_SIZE);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sm_test_device_finish(&f->device);
    if (f->watcher.loop || f->watcher.socket > 0)
        sm_test_watcher_finish(&f->watcher);
    if (f->other.loop)
        sm_test_watcher_finish(&f->other);
    free(f);
    return 0;
}

static void watch(struct fixture *f)
{
    sm_test_watch_display(&f->watcher, f->device.worker, &sm_test_watcher_default);
}

/* Starts a device with a client that has seen the start sequence. */
static void begin(struct fixture *f)
{
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    watch(f);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
}

static const uint8_t *primary_pixels(const struct fixture *f)
{
    return f->device.guest.memory;
}

/* Renders the primary into guest memory and compares it with the client's picture. */
static void check_same_picture(struct fixture *f)
{
    sm_worker_update_area(f->device.worker, 0, (struct sm_rect){0, 0, WIDTH, HEIGHT}, NULL, 0,
                          true);
    sm_test_watcher_check_pixels(&f->watcher, 0, primary_pixels(f));
}

static struct sm_rect all(void)
{
    return (struct sm_rect){0, 0, WIDTH, HEIGHT};
}

/* ---- the start ---- */

static void new_client_gets_the_picture_in_order(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, true);
    watch(f);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    const uint16_t expected[] = {SM_MSG_DISPLAY_INVAL_ALL_PALETTES, SM_MSG_DISPLAY_SURFACE_CREATE,
                                 SM_MSG_DISPLAY_DRAW_COPY, SM_MSG_DISPLAY_MONITORS_CONFIG,
                                 SM_MSG_DISPLAY_MARK};
    uint32_t first = sm_test_watcher_index(&f->watcher, expected[0]);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(f->watcher.types[first + i], expected[i]);
    assert_int_equal(f->watcher.created.flags, SM_SURFACE_FLAG_PRIMARY);
    assert_int_equal(f->watcher.first_head.width, WIDTH);
    sm_test_watcher_check_pixels(&f->watcher, 0, primary_pixels(f));
}

static void client_before_the_primary_gets_it_when_it_comes(void **state)
{
    struct fixture *f = *state;
    watch(f);
    sm_test_watcher_run(&f->watcher, 50);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_SURFACE_CREATE), 0);
    sm_test_device_start(&f->device, WIDTH, HEIGHT, true);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    sm_test_watcher_check_pixels(&f->watcher, 0, primary_pixels(f));
    struct sm_worker_primary primary = sm_worker_get_primary(f->device.worker);
    assert_true(primary.exists && primary.mouse_mode);
    assert_int_equal(primary.width, WIDTH);
}

static void capabilities_are_what_all_clients_have(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_true(f->device.has_client);
    assert_int_equal(f->device.caps[0], 0x0f);
    struct sm_test_watcher_options poor = {.connection_id = 2,
                                           .channel_caps = 1u << SM_DISPLAY_CAP_MONITORS_CONFIG};
    sm_test_watch_display(&f->other, f->device.worker, &poor);
    sm_test_watcher_await(&f->other, SM_MSG_DISPLAY_MARK, 1);
    assert_int_equal(f->device.caps[0], 0x02);
    sm_worker_disconnect(f->device.worker, 2);
    assert_int_equal(f->device.caps[0], 0x0f);
    sm_worker_disconnect(f->device.worker, 1);
    assert_int_equal(f->device.caps[0], 0);
    assert_false(f->device.has_client);
}

/* ---- drawings ---- */

static void drawings_arrive_in_order_and_are_given_back_once(void **state)
{
    struct fixture *f = *state;
    begin(f);
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
    check_same_picture(f);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(sm_test_device_released(&f->device, addresses[i]), 1);
    assert_int_equal(sm_test_device_released(&f->device, copied), 1);
}

static void smooth_images_go_as_lz_and_raw_if_so_configured(void **state)
{
    struct fixture *f = *state;
    begin(f);
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
    check_same_picture(f);
}

static void bad_commands_are_given_back_once_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    begin(f);
    uint64_t bad_box = sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, WIDTH + 1, HEIGHT), 1);
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
    struct fixture *f = *state;
    begin(f);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 8, 8), 0x112233);
    QXLDrawable opaque = sm_test_drawable(QXL_DRAW_OPAQUE, 0, sm_test_rect(8, 0, 16, 8));
    opaque.self_bitmap = 1;
    opaque.self_bitmap_area = sm_test_rect(0, 0, 8, 8);
    opaque.u.opaque.src_area = sm_test_rect(0, 0, 8, 8);
    opaque.u.opaque.brush = (QXLBrush){.type = 1, .u.color = 0xffffff};
    opaque.u.opaque.rop_descriptor = 0x20; /* brush AND source */
    (void)sm_test_device_draw(&f->device, &opaque);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 8, 8), 0x445566);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 2);
    check_same_picture(f);
    const uint8_t expected[] = {0x33, 0x22, 0x11};
    assert_memory_equal(primary_pixels(f) + (size_t)9 * 4, expected, 3);
}

static void client_that_cannot_composite_gets_pixels(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
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
    check_same_picture(f);
}

/* ---- surfaces ---- */

static QXLDrawable copy_of_surface(struct fixture *f, uint32_t from, uint32_t to, QXLRect box)
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
    struct fixture *f = *state;
    begin(f);
    (void)sm_test_device_create_surface(&f->device, 5, 16, 16, SM_SURFACE_FORMAT_32_XRGB, 0);
    (void)sm_test_device_fill(&f->device, 5, sm_test_rect(0, 0, 16, 16), 0x0000ff);
    QXLDrawable copy = copy_of_surface(f, 5, 0, sm_test_rect(0, 0, 16, 16));
    (void)sm_test_device_draw(&f->device, &copy);
    (void)sm_test_device_fill(&f->device, 5, sm_test_rect(0, 0, 16, 16), 0x00ff00);
    QXLDrawable second = copy_of_surface(f, 5, 0, sm_test_rect(16, 0, 32, 16));
    (void)sm_test_device_draw(&f->device, &second);
    (void)sm_test_device_destroy_surface(&f->device, 5);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY, 1);
    check_same_picture(f);
    const uint8_t blue[] = {0xff, 0, 0}, green[] = {0, 0xff, 0};
    assert_memory_equal(primary_pixels(f), blue, 3);
    assert_memory_equal(primary_pixels(f) + (size_t)16 * 4, green, 3);
}

static void surface_keeps_its_create_command_until_it_is_destroyed(void **state)
{
    struct fixture *f = *state;
    begin(f);
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
    struct fixture *f = *state;
    begin(f);
    for (uint32_t i = 0; i < 5; i++) {
        (void)sm_test_device_create_surface(&f->device, 5, 16 + i, 16, SM_SURFACE_FORMAT_32_XRGB,
                                            0);
        (void)sm_test_device_fill(&f->device, 5, sm_test_rect(0, 0, 16, 16), 0x10 * i);
        QXLDrawable copy = copy_of_surface(f, 5, 0, sm_test_rect(0, 0, 16, 16));
        (void)sm_test_device_draw(&f->device, &copy);
        (void)sm_test_device_destroy_surface(&f->device, 5);
    }
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_SURFACE_DESTROY, 5);
    const uint16_t round[] = {SM_MSG_DISPLAY_SURFACE_CREATE, SM_MSG_DISPLAY_DRAW_FILL,
                              SM_MSG_DISPLAY_DRAW_COPY, SM_MSG_DISPLAY_SURFACE_DESTROY};
    uint32_t start = f->watcher.count - 20;
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(f->watcher.types[start + i], round[i % 4]);
    check_same_picture(f);
}

static void kept_surface_is_shown_when_it_is_first_used(void **state)
{
    struct fixture *f = *state;
    begin(f);
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
    check_same_picture(f);
    assert_int_equal(primary_pixels(f)[0], 0x5a);
}

static void late_client_gets_surfaces_on_demand(void **state)
{
    struct fixture *f = *state;
    begin(f);
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
    check_same_picture(f);
    sm_test_watcher_check_pixels(&f->other, 0, primary_pixels(f));
}

static void destroying_all_surfaces_gives_everything_back(void **state)
{
    struct fixture *f = *state;
    begin(f);
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
    struct fixture *f = *state;
    begin(f);
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
    struct fixture *f = *state;
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
    bad[5].address = sm_test_guest_address(MEMORY_SIZE - 16 * 128 + 1);
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

/* ---- update area ---- */

static void update_area_writes_all_rectangles_asked_for(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 1);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(20, 20, 24, 24), 2);
    struct sm_rect dirty[4];
    memset(dirty, 0x77, sizeof(dirty));
    sm_worker_update_area(f->device.worker, 0, all(), dirty, 4, false);
    assert_true(sm_rect_equal(dirty[0], (struct sm_rect){0, 0, 4, 4}));
    assert_true(sm_rect_equal(dirty[1], (struct sm_rect){20, 20, 24, 24}));
    assert_true(sm_rect_is_empty(dirty[2]) && sm_rect_is_empty(dirty[3]));
    sm_worker_update_area(f->device.worker, 0, all(), dirty, 1, true);
    assert_true(sm_rect_equal(dirty[0], (struct sm_rect){0, 0, 4, 4}));
    sm_worker_update_area(f->device.worker, 0, all(), dirty, 1, true);
    assert_true(sm_rect_is_empty(dirty[0]));
}

static void update_area_renders_only_up_to_what_it_needs(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 0x111111);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(20, 20, 24, 24), 0x222222);
    sm_test_device_wait_released(&f->device, 2);
    sm_worker_update_area(f->device.worker, 0, (struct sm_rect){0, 0, 5, 5}, NULL, 0, false);
    assert_int_equal(primary_pixels(f)[0], 0x11);
    assert_int_equal(primary_pixels(f)[(20 * WIDTH + 20) * 4], 0);
    sm_worker_update_area(f->device.worker, 0, (struct sm_rect){23, 23, 99, 99}, NULL, 0, false);
    assert_int_equal(primary_pixels(f)[(20 * WIDTH + 20) * 4], 0x22);
}

static void host_that_never_clears_gets_a_rectangle_around_all(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    for (int i = 0; i < 200; i++) {
        int x = i % 32 * 2, y = i / 32 * 2;
        (void)sm_test_device_fill(&f->device, 0, sm_test_rect(x, y, x + 1, y + 1), 1);
    }
    struct sm_rect dirty[2];
    sm_worker_update_area(f->device.worker, 0, all(), dirty, 2, false);
    assert_true(sm_rect_equal(sm_rect_intersect(dirty[0], all()), dirty[0]));
    assert_true(sm_rect_width(dirty[0]) * sm_rect_height(dirty[0]) > 100);
    sm_worker_update_area_async(f->device.worker, 0, all(), true, 1);
    sm_test_device_wait_completed(&f->device, 1);
    assert_in_range(f->device.updated_count, 1, 128);
}

static void asynchronous_requests_are_completed_whatever_they_ask(void **state)
{
    struct fixture *f = *state;
    struct sm_worker *worker = f->device.worker;
    struct sm_qxl_memslot slot = {.group = 99};
    uint64_t cookie = 1;
    sm_worker_update_area_async(worker, 0, all(), true, cookie++); /* stopped, no surface */
    sm_worker_add_memslot_async(worker, &slot, cookie++);
    sm_worker_destroy_primary_async(worker, cookie++);
    sm_worker_destroy_surface_async(worker, 12345678, cookie++);
    sm_worker_destroy_surfaces_async(worker, cookie++);
    sm_worker_flush_surfaces_async(worker, cookie++);
    sm_worker_monitors_config_async(worker, UINT64_MAX, 99, cookie++);
    sm_worker_gl_draw_async(worker, 0, 0, 1, 1, cookie++);
    sm_worker_start(worker);
    sm_worker_update_area_async(worker, 7, all(), true, cookie++);
    sm_worker_update_area_async(worker, 0, (struct sm_rect){9, 9, -9, -9}, true, cookie++);
    sm_worker_stop(worker);
    for (uint64_t i = 1; i < cookie; i++)
        sm_test_device_wait_completed(&f->device, i);
    assert_int_equal(f->device.cookie_count, cookie - 1);
}

static void asynchronous_update_reports_before_it_completes(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(1, 2, 4, 4), 1);
    sm_worker_update_area_async(f->device.worker, 0, all(), true, 5);
    sm_test_device_wait_completed(&f->device, 5);
    assert_int_equal(f->device.updated_calls, 1);
    assert_int_equal(f->device.updated_count, 1);
    assert_true(sm_rect_equal(f->device.updated[0], (struct sm_rect){1, 2, 4, 4}));
}

static void update_command_renders_and_notifies(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 0x333333);
    QXLUpdateCmd update = {.area = sm_test_rect(0, 0, 8, 8), .update_id = 17};
    uint64_t address = sm_test_guest_put(&f->device.guest, &update, sizeof(update));
    sm_test_device_submit(&f->device, SM_QXL_UPDATE, address);
    update.area = sm_test_rect(5, 5, -5, -5);
    update.update_id = 18;
    sm_test_device_submit(&f->device, SM_QXL_UPDATE,
                          sm_test_guest_put(&f->device.guest, &update, sizeof(update)));
    sm_test_device_wait_released(&f->device, 3);
    assert_int_equal(primary_pixels(f)[0], 0x33);
    assert_int_equal(f->device.update_count, 2);
    assert_int_equal(f->device.updates[0], 17);
    assert_int_equal(f->device.updates[1], 18);
}

static void stopped_worker_takes_nothing_and_renders_everything(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 0x333333);
    sm_test_device_wait_released(&f->device, 1);
    sm_worker_stop(f->device.worker);
    assert_int_equal(primary_pixels(f)[0], 0x33);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 0x444444);
    sm_worker_wakeup(f->device.worker);
    sm_worker_oom(f->device.worker);
    sm_worker_reset_image_cache(f->device.worker);
    assert_int_equal(f->device.release_count, 1);
    assert_int_equal(f->device.flush_count, 0);
    sm_worker_start(f->device.worker);
    sm_test_device_wait_released(&f->device, 2);
}

static void out_of_memory_publishes_releases(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 1);
    sm_worker_oom(f->device.worker);
    sm_test_device_wait_released(&f->device, 1);
    sm_worker_reset_image_cache(f->device.worker);
    sm_worker_reset_image_cache(f->device.worker);
    assert_int_equal(f->device.flush_count, 1);
}

/* ---- the pointer ---- */

static uint64_t put_cursor(struct fixture *f, uint8_t type, int16_t x, int16_t y, uint64_t unique)
{
    QXLCursorCmd command = {.type = type};
    if (type == QXL_CURSOR_SET) {
        uint8_t shape[sizeof(QXLCursor) + 8 * 8 * 4] = {0};
        QXLCursor head = {.header = {.unique = unique, .type = 0, .width = 8, .height = 8},
                          .data_size = 8 * 8 * 4,
                          .chunk = {.data_size = 8 * 8 * 4}};
        memcpy(shape, &head, sizeof(head));
        memset(shape + sizeof(head), 0x99, 8 * 8 * 4);
        command.u.set.shape = sm_test_guest_put(&f->device.guest, shape, sizeof(shape));
        command.u.set.position = (QXLPoint16){x, y};
        command.u.set.visible = 1;
    } else if (type == QXL_CURSOR_TRAIL) {
        command.u.trail.length = 3;
    } else {
        command.u.position = (QXLPoint16){x, y};
    }
    uint64_t address = sm_test_guest_put(&f->device.guest, &command, sizeof(command));
    sm_test_device_submit_cursor(&f->device, address);
    return address;
}

static void pointer_is_shown_moved_and_hidden(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    sm_test_watch_cursor(&f->watcher, f->device.worker, &sm_test_watcher_default);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_INIT, 1);
    uint64_t first = put_cursor(f, QXL_CURSOR_SET, 5, 6, 42);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_SET, 1);
    struct sm_cursor_view view = sm_cursor_client_view(f->watcher.cursor);
    assert_true(view.is_visible);
    assert_int_equal(view.x, 5);
    assert_int_equal(view.shape->width, 8);
    assert_int_equal(sm_test_device_released(&f->device, first), 0);
    uint64_t move = put_cursor(f, QXL_CURSOR_MOVE, 15, 16, 0);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_MOVE, 1);
    assert_int_equal(sm_cursor_client_view(f->watcher.cursor).y, 16);
    assert_int_equal(sm_test_device_released(&f->device, move), 1);
    (void)put_cursor(f, QXL_CURSOR_HIDE, 0, 0, 0);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_HIDE, 1);
    assert_false(sm_cursor_client_view(f->watcher.cursor).is_visible);
    (void)put_cursor(f, QXL_CURSOR_TRAIL, 0, 0, 0);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_TRAIL, 1);
    (void)put_cursor(f, QXL_CURSOR_SET, 1, 1, 42); /* known by now */
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_SET, 2);
    assert_int_equal(sm_cursor_client_view(f->watcher.cursor).shape->width, 8);
    assert_int_equal(sm_test_device_released(&f->device, first), 1);
    uint64_t bad = put_cursor(f, 9, 0, 0, 0);
    sm_test_device_wait_released(&f->device, 5);
    assert_int_equal(sm_test_device_released(&f->device, bad), 1);
    sm_worker_reset_cursor(f->device.worker);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_RESET, 1);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_CURSOR_INVAL_ALL), 1);
}

static void client_mode_needs_no_moves(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    sm_worker_set_mouse_mode(f->device.worker, SM_WORKER_MOUSE_CLIENT);
    sm_test_watch_cursor(&f->watcher, f->device.worker, &sm_test_watcher_default);
    (void)put_cursor(f, QXL_CURSOR_MOVE, 15, 16, 0);
    (void)put_cursor(f, QXL_CURSOR_HIDE, 0, 0, 0);
    (void)put_cursor(f, QXL_CURSOR_MOVE, 25, 26, 0); /* shows it again */
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_HIDE, 1);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_MOVE, 1);
    assert_int_equal(sm_cursor_client_view(f->watcher.cursor).x, 25);
}

static void late_cursor_client_gets_the_state(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    uint64_t set = put_cursor(f, QXL_CURSOR_SET, 5, 6, 42);
    (void)put_cursor(f, QXL_CURSOR_MOVE, 7, 8, 0);
    sm_test_device_wait_released(&f->device, 1);
    sm_test_watch_cursor(&f->watcher, f->device.worker, &sm_test_watcher_default);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_INIT, 1);
    struct sm_cursor_view view = sm_cursor_client_view(f->watcher.cursor);
    assert_true(view.is_visible);
    assert_int_equal(view.x, 7);
    assert_non_null(view.shape);
    /* Destroying the device gives the shape's command back. */
    assert_int_equal(sm_test_device_released(&f->device, set), 0);
    sm_worker_destroy(f->device.worker);
    f->device.worker = NULL;
    assert_int_equal(sm_test_device_released(&f->device, set), 1);
}

/* ---- monitors, snapshots ---- */

static uint64_t put_monitors(struct fixture *f, uint16_t count, uint16_t max_allowed)
{
    uint8_t bytes[4 + 3 * sizeof(QXLHead)] = {0};
    QXLMonitorsConfig head = {.count = count, .max_allowed = max_allowed};
    QXLHead heads[] = {{.id = 0, .width = 0, .height = 10},
                       {.id = 1, .width = 30, .height = 20, .x = 4},
                       {.id = 2, .width = 30, .height = 20, .x = 40}};
    memcpy(bytes, &head, 4);
    memcpy(bytes + 4, heads, sizeof(heads));
    return sm_test_guest_put(&f->device.guest, bytes, sizeof(bytes));
}

static void monitors_are_told_also_while_stopped(void **state)
{
    struct fixture *f = *state;
    begin(f);
    sm_worker_stop(f->device.worker);
    sm_worker_monitors_config_async(f->device.worker, put_monitors(f, 3, 4), TEST_GUEST_GROUP, 1);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MONITORS_CONFIG, 2);
    sm_test_device_wait_completed(&f->device, 1);
    assert_int_equal(f->watcher.monitors.num_heads, 2); /* the one without a width is left out */
    assert_int_equal(f->watcher.monitors.max_allowed, 4);
    assert_int_equal(f->watcher.first_head.monitor_id, 1);

    sm_worker_set_max_monitors(f->device.worker, 2);
    sm_worker_monitors_config_async(f->device.worker, put_monitors(f, 3, 4), TEST_GUEST_GROUP, 2);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MONITORS_CONFIG, 3);
    assert_int_equal(f->watcher.monitors.num_heads, 1);
    assert_int_equal(f->watcher.monitors.max_allowed, 2);

    sm_worker_monitors_config_async(f->device.worker, put_monitors(f, 0, 4), TEST_GUEST_GROUP, 3);
    sm_worker_monitors_config_async(f->device.worker, put_monitors(f, 3, 2), TEST_GUEST_GROUP, 4);
    sm_worker_monitors_config_async(f->device.worker, put_monitors(f, 4, 4), TEST_GUEST_GROUP, 5);
    sm_worker_monitors_config_async(f->device.worker, sm_test_guest_address(MEMORY_SIZE - 31),
                                    TEST_GUEST_GROUP, 6);
    for (uint64_t cookie = 3; cookie <= 6; cookie++)
        sm_test_device_wait_completed(&f->device, cookie);
}

static void primary_says_nothing_once_the_guest_arranges_monitors(void **state)
{
    struct fixture *f = *state;
    begin(f);
    sm_worker_monitors_config_async(f->device.worker, put_monitors(f, 2, 2), TEST_GUEST_GROUP, 1);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MONITORS_CONFIG, 2);
    struct sm_qxl_primary primary = {.width = 32,
                                     .height = 16,
                                     .stride_bytes = 128,
                                     .format = SM_SURFACE_FORMAT_32_XRGB,
                                     .address = sm_test_guest_address(0),
                                     .group = TEST_GUEST_GROUP};
    sm_worker_create_primary(f->device.worker, &primary);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_MONITORS_CONFIG), 2);
    sm_worker_driver_unload(f->device.worker);
    sm_worker_create_primary(f->device.worker, &primary);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 3);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_MONITORS_CONFIG), 3);
}

static void snapshot_is_loaded_while_stopped(void **state)
{
    struct fixture *f = *state;
    struct sm_test_device *device = &f->device;
    uint64_t pixels = sm_test_guest_put(&device->guest, NULL, 16 * 16 * 4);
    memset(sm_test_guest_at(&device->guest, pixels), 0x3c, 16 * 16 * 4);
    QXLSurfaceCmd create = {
        .surface_id = 3,
        .u.surface_create = {
            .format = 32, .width = 16, .height = 16, .stride = 64, .data = pixels}};
    struct sm_qxl_ring_command commands[] = {
        {.address = sm_test_guest_put(&device->guest, &create, sizeof(create)),
         .type = SM_QXL_SURFACE,
         .group = TEST_GUEST_GROUP},
        {.address = 1, .type = SM_QXL_SURFACE, .group = TEST_GUEST_GROUP},
        {.address = 1, .type = SM_QXL_DRAW, .group = TEST_GUEST_GROUP},
    };
    sm_worker_loadvm_commands(device->worker, commands, 3);
    assert_int_equal(device->release_count, 0);
    assert_int_equal(*(uint8_t *)sm_test_guest_at(&device->guest, pixels), 0x3c);
    sm_test_lines_check(&device->lines, "recorded command of unknown type 1");
    sm_worker_destroy_surfaces(device->worker);
    assert_int_equal(sm_test_device_released(device, commands[0].address), 1);
}

/* ---- clients that misbehave ---- */

static void slow_client_holds_up_nobody_and_gets_the_last_picture(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    watch(f);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    /* From here it reads nothing, for far more pictures than its socket holds. */
    enum { COUNT = 400, PICTURES = 8 };
    uint64_t pictures[PICTURES];
    for (unsigned i = 0; i < PICTURES; i++)
        pictures[i] = sm_test_device_image(&f->device, 64, 48, (uint8_t)(9 + i));
    QXLDrawable copy = sm_test_drawable(QXL_DRAW_COPY, 0, sm_test_rect(0, 0, 64, 48));
    copy.u.copy.src_area = sm_test_rect(0, 0, 64, 48);
    copy.u.copy.rop_descriptor = 8;
    for (unsigned i = 0; i < COUNT; i++) {
        copy.u.copy.src_bitmap = pictures[i % PICTURES];
        (void)sm_test_device_draw(&f->device, &copy);
    }
    sm_worker_update_area(f->device.worker, 0, all(), NULL, 0, true); /* empties the ring */
    pthread_mutex_lock(&f->device.lock);
    uint32_t taken = f->device.display.consumed;
    pthread_mutex_unlock(&f->device.lock);
    assert_int_equal(taken, COUNT);
    sm_worker_stop(f->device.worker);
    sm_worker_destroy_surface_wait(f->device.worker, 0);
    assert_int_equal(f->device.release_count, COUNT);

    sm_test_watcher_await_pixels(&f->watcher, 0, primary_pixels(f));
    assert_true(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY) < COUNT);
}

static void dead_client_leaves_the_others_alone(void **state)
{
    struct fixture *f = *state;
    begin(f);
    struct sm_test_watcher_options second = sm_test_watcher_default;
    second.connection_id = 2;
    sm_test_watch_display(&f->other, f->device.worker, &second);
    sm_test_watcher_await(&f->other, SM_MSG_DISPLAY_MARK, 1);
    for (int i = 0; i < 20; i++)
        (void)sm_test_device_fill(&f->device, 0, sm_test_rect(i, 0, i + 5, 5), (uint32_t)i);
    sm_pump_destroy(f->other.pump); /* closes its socket while things are on the way */
    f->other.pump = NULL;
    for (int i = 0; i < 20; i++)
        (void)sm_test_device_fill(&f->device, 0, sm_test_rect(i, 9, i + 5, 15), (uint32_t)i);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 40);
    check_same_picture(f);
    uint64_t end_us = sm_now_us() + 5 * 1000 * 1000;
    while (!atomic_load(&f->other.handover_closed) && sm_now_us() < end_us)
        usleep(1000);
    assert_true(atomic_load(&f->other.handover_closed));
}

static void client_without_init_is_waited_for_by_nobody(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    struct sm_test_watcher_options silent = sm_test_watcher_default;
    silent.is_silent = true;
    sm_test_watch_display(&f->watcher, f->device.worker, &silent);
    for (int i = 0; i < 200; i++)
        (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 5, 5), (uint32_t)i);
    sm_test_device_wait_released(&f->device, 200);
    sm_worker_stop(f->device.worker);
}

static void disconnecting_has_happened_on_return(void **state)
{
    struct fixture *f = *state;
    begin(f);
    sm_test_watch_cursor(&f->other, f->device.worker, &sm_test_watcher_default);
    sm_worker_disconnect(f->device.worker, 7);
    assert_false(atomic_load(&f->watcher.handover_closed));
    sm_worker_disconnect(f->device.worker, 1);
    assert_true(atomic_load(&f->watcher.handover_closed));
    assert_true(atomic_load(&f->other.handover_closed));
    sm_test_watcher_await_close(&f->watcher);
}

static void second_init_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    begin(f);
    const uint8_t init[6 + 14] = {101, 0, 14};
    ssize_t written = write(sm_pump_transport(f->watcher.pump)->fd, init, sizeof(init));
    assert_int_equal(written, sizeof(init));
    sm_test_watcher_await_close(&f->watcher);
}

static void client_settings_are_taken_or_refused(void **state)
{
    struct fixture *f = *state;
    begin(f);
    const uint8_t good[] = {103, 0, 1, 0, 0, 0, SM_COMPRESSION_OFF};
    const uint8_t unknown[] = {103, 0, 1, 0, 0, 0, 200};
    int fd = sm_pump_transport(f->watcher.pump)->fd;
    assert_int_equal(write(fd, good, sizeof(good)), sizeof(good));
    assert_int_equal(write(fd, unknown, sizeof(unknown)), sizeof(unknown));
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 5, 5), 1);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 1);
    sm_test_lines_check(&f->device.lines, "unknown preferred compression ignored");
    const uint8_t done[] = {104, 0, 0, 0, 0, 0};
    assert_int_equal(write(fd, done, sizeof(done)), sizeof(done));
    sm_test_watcher_await_close(&f->watcher);
    sm_test_lines_check(&f->device.lines, "an answer to a GL drawing that was not sent");
}

/* ---- GL ---- */

static void remote_client_of_a_gl_display_is_disconnected(void **state)
{
    struct fixture *f = *state;
    begin(f);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    sm_worker_gl_scanout(f->device.worker, pipe_ends[0], 64, 48, 256, 0x34325258, true);
    sm_test_watcher_await_close(&f->watcher);
    sm_test_lines_check(&f->device.lines, "cannot show a GL scan-out, disconnecting");
    sm_worker_gl_draw_async(f->device.worker, 0, 0, 1, 1, 5);
    sm_test_device_wait_completed(&f->device, 5);
    sm_worker_gl_scanout(f->device.worker, -1, 0, 0, 0, 0, false);
    sm_worker_reset_image_cache(f->device.worker);    /* behind it in the queue */
    assert_int_equal(write(pipe_ends[1], "", 1), -1); /* nobody holds the reading end */
    (void)close(pipe_ends[1]);
    sm_worker_gl_draw_async(f->device.worker, 0, 0, 1, 1, 6);
    assert_int_equal(sm_test_device_completed(&f->device, 6), 1); /* before the call returned */
}

static int receive_fd(int socket)
{
    char byte = 0;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room)};
    ssize_t got = -1;
    for (int i = 0; i < 500 && got != 1; i++) {
        got = recvmsg(socket, &message, 0);
        usleep(10000);
    }
    assert_int_equal(got, 1);
    assert_int_equal(byte, '@');
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    assert_non_null(header);
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

static void local_client_gets_the_buffer_and_answers_draws(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    struct sm_test_watcher_options local = sm_test_watcher_default;
    local.is_unix = true;
    local.channel_caps |= 1u << SM_DISPLAY_CAP_GL_SCANOUT;
    sm_test_watch_display(&f->watcher, f->device.worker, &local);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    sm_pump_set_reading(f->watcher.pump, false);
    sm_worker_gl_scanout(f->device.worker, pipe_ends[0], 64, 48, 256, 0x34325258, true);
    /* The message of 20 bytes with its header, then the byte: read by hand. */
    int fd = sm_pump_transport(f->watcher.pump)->fd;
    uint8_t message[26];
    ssize_t got = 0;
    for (int i = 0; i < 500 && got < 26; i++) {
        ssize_t n = recv(fd, message + got, sizeof(message) - (size_t)got, 0);
        got += n > 0 ? n : 0;
        usleep(10000);
    }
    assert_int_equal(got, 26);
    assert_int_equal(message[0] | message[1] << 8, SM_MSG_DISPLAY_GL_SCANOUT_UNIX);
    int received = receive_fd(fd);
    assert_int_equal(write(pipe_ends[1], "x", 1), 1);
    char byte = 0;
    assert_int_equal(read(received, &byte, 1), 1); /* it is that pipe */
    assert_int_equal(byte, 'x');
    (void)close(received);
    (void)close(pipe_ends[1]);

    sm_pump_set_reading(f->watcher.pump, true);
    sm_worker_gl_draw_async(f->device.worker, 1, 2, 3, 4, 50);
    sm_worker_gl_draw_async(f->device.worker, 1, 2, 3, 4, 51);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_GL_DRAW, 1);
    assert_int_equal(sm_test_device_completed(&f->device, 50), 0);
    struct sm_display_msgc done = {.type = SM_MSGC_DISPLAY_GL_DRAW_DONE};
    sm_check_status(sm_display_client_send(f->watcher.display, &done), SM_OK);
    sm_pump_kick(f->watcher.pump);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_GL_DRAW, 2);
    assert_int_equal(sm_test_device_completed(&f->device, 50), 1);
    assert_int_equal(sm_test_device_completed(&f->device, 51), 0);
    sm_worker_disconnect(f->device.worker, 1); /* nobody is left to wait for */
    sm_test_device_wait_completed(&f->device, 51);
}

static void destroyed_worker_completes_its_draws(void **state)
{
    struct fixture *f = *state;
    sm_test_device_start(&f->device, WIDTH, HEIGHT, false);
    struct sm_test_watcher_options local = sm_test_watcher_default;
    local.is_unix = true;
    local.channel_caps |= 1u << SM_DISPLAY_CAP_GL_SCANOUT;
    sm_test_watch_display(&f->watcher, f->device.worker, &local);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    sm_worker_gl_scanout(f->device.worker, pipe_ends[0], 64, 48, 256, 0x34325258, true);
    sm_worker_gl_draw_async(f->device.worker, 1, 2, 3, 4, 50);
    sm_worker_destroy(f->device.worker);
    f->device.worker = NULL;
    assert_int_equal(sm_test_device_completed(&f->device, 50), 1);
    assert_true(atomic_load(&f->watcher.handover_closed));
    (void)close(pipe_ends[1]);
}

/* ---- life ---- */

static void device_without_functions_is_survived(void **state)
{
    (void)state;
    static const struct sm_qxl_device_ops nothing = {0};
    struct sm_worker_config config = {.device = &nothing, .info = sm_test_guest_info};
    struct sm_worker *worker = NULL;
    sm_check_status(sm_worker_create(&worker, &config), SM_OK);
    sm_worker_start(worker);
    sm_worker_wakeup(worker);
    sm_worker_oom(worker);
    sm_worker_update_area_async(worker, 0, (struct sm_rect){0, 0, 1, 1}, true, 1);
    sm_worker_gl_draw_async(worker, 0, 0, 0, 0, 2);
    sm_worker_stop(worker);
    sm_worker_destroy(worker);
    sm_worker_destroy(NULL);
}

static void impossible_devices_are_refused(void **state)
{
    (void)state;
    struct sm_worker_config config = {.device = &sm_test_device_ops, .info = sm_test_guest_info};
    config.info.group_count = 0;
    struct sm_worker *worker = NULL;
    sm_check_status(sm_worker_create(&worker, &config), SM_ERR_LIMIT);
    assert_null(worker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(new_client_gets_the_picture_in_order),
        TEST(client_before_the_primary_gets_it_when_it_comes),
        TEST(capabilities_are_what_all_clients_have),
        TEST(drawings_arrive_in_order_and_are_given_back_once),
        TEST(smooth_images_go_as_lz_and_raw_if_so_configured),
        TEST(bad_commands_are_given_back_once_or_not_at_all),
        TEST(self_bitmap_is_the_picture_before),
        TEST(client_that_cannot_composite_gets_pixels),
        TEST(reader_sees_its_source_as_it_was),
        TEST(surface_keeps_its_create_command_until_it_is_destroyed),
        TEST(reused_id_is_destroyed_before_it_is_created),
        TEST(kept_surface_is_shown_when_it_is_first_used),
        TEST(late_client_gets_surfaces_on_demand),
        TEST(destroying_all_surfaces_gives_everything_back),
        TEST(mode_change_destroys_and_creates),
        TEST(bad_primaries_are_completed_but_not_made),
        TEST(update_area_writes_all_rectangles_asked_for),
        TEST(update_area_renders_only_up_to_what_it_needs),
        TEST(host_that_never_clears_gets_a_rectangle_around_all),
        TEST(asynchronous_requests_are_completed_whatever_they_ask),
        TEST(asynchronous_update_reports_before_it_completes),
        TEST(update_command_renders_and_notifies),
        TEST(stopped_worker_takes_nothing_and_renders_everything),
        TEST(out_of_memory_publishes_releases),
        TEST(pointer_is_shown_moved_and_hidden),
        TEST(client_mode_needs_no_moves),
        TEST(late_cursor_client_gets_the_state),
        TEST(monitors_are_told_also_while_stopped),
        TEST(primary_says_nothing_once_the_guest_arranges_monitors),
        TEST(snapshot_is_loaded_while_stopped),
        TEST(slow_client_holds_up_nobody_and_gets_the_last_picture),
        TEST(dead_client_leaves_the_others_alone),
        TEST(client_without_init_is_waited_for_by_nobody),
        TEST(disconnecting_has_happened_on_return),
        TEST(second_init_ends_the_connection),
        TEST(client_settings_are_taken_or_refused),
        TEST(remote_client_of_a_gl_display_is_disconnected),
        TEST(local_client_gets_the_buffer_and_answers_draws),
        TEST(destroyed_worker_completes_its_draws),
        cmocka_unit_test(device_without_functions_is_survived),
        cmocka_unit_test(impossible_devices_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
