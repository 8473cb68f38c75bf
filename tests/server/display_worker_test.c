/* SPDX-License-Identifier: MIT */
/* The worker and what a host asks of it, with a scripted device. */
#include "tests/support/check.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/types.h"
#include "io/clock.h"
#include "tests/server/support/stage.h"

/* ---- the start ---- */

static void new_client_gets_the_picture_in_order(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, true);
    sm_test_stage_watch(f);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    const uint16_t expected[] = {SM_MSG_DISPLAY_INVAL_ALL_PALETTES, SM_MSG_DISPLAY_SURFACE_CREATE,
                                 SM_MSG_DISPLAY_DRAW_COPY, SM_MSG_DISPLAY_MONITORS_CONFIG,
                                 SM_MSG_DISPLAY_MARK};
    uint32_t first = sm_test_watcher_index(&f->watcher, expected[0]);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(f->watcher.types[first + i], expected[i]);
    assert_int_equal(f->watcher.created.flags, SM_SURFACE_FLAG_PRIMARY);
    assert_int_equal(f->watcher.first_head.width, TEST_STAGE_WIDTH);
    sm_test_watcher_check_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
}

static void client_before_the_primary_gets_it_when_it_comes(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_watch(f);
    sm_test_watcher_run(&f->watcher, 50);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_SURFACE_CREATE), 0);
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, true);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    sm_test_watcher_check_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
    struct sm_worker_primary primary = sm_worker_get_primary(f->device.worker);
    assert_true(primary.exists && primary.mouse_mode);
    assert_int_equal(primary.width, TEST_STAGE_WIDTH);
}

static void capabilities_are_what_all_clients_have(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
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

/* ---- update area ---- */

static void update_area_writes_all_rectangles_asked_for(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 1);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(20, 20, 24, 24), 2);
    struct sm_rect dirty[4];
    memset(dirty, 0x77, sizeof(dirty));
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), dirty, 4, false);
    assert_true(sm_rect_equal(dirty[0], (struct sm_rect){0, 0, 4, 4}));
    assert_true(sm_rect_equal(dirty[1], (struct sm_rect){20, 20, 24, 24}));
    assert_true(sm_rect_is_empty(dirty[2]) && sm_rect_is_empty(dirty[3]));
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), dirty, 1, true);
    assert_true(sm_rect_equal(dirty[0], (struct sm_rect){0, 0, 4, 4}));
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), dirty, 1, true);
    assert_true(sm_rect_is_empty(dirty[0]));
}

static void update_area_renders_only_up_to_what_it_needs(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 0x111111);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(20, 20, 24, 24), 0x222222);
    sm_test_device_wait_released(&f->device, 2);
    sm_worker_update_area(f->device.worker, 0, (struct sm_rect){0, 0, 5, 5}, NULL, 0, false);
    assert_int_equal(sm_test_stage_pixels(f)[0], 0x11);
    assert_int_equal(sm_test_stage_pixels(f)[(20 * TEST_STAGE_WIDTH + 20) * 4], 0);
    sm_worker_update_area(f->device.worker, 0, (struct sm_rect){23, 23, 99, 99}, NULL, 0, false);
    assert_int_equal(sm_test_stage_pixels(f)[(20 * TEST_STAGE_WIDTH + 20) * 4], 0x22);
}

static void host_that_never_clears_gets_a_rectangle_around_all(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    for (int i = 0; i < 200; i++) {
        int x = i % 32 * 2, y = i / 32 * 2;
        (void)sm_test_device_fill(&f->device, 0, sm_test_rect(x, y, x + 1, y + 1), 1);
    }
    struct sm_rect dirty[2];
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), dirty, 2, false);
    assert_true(sm_rect_equal(sm_rect_intersect(dirty[0], sm_test_stage_area()), dirty[0]));
    assert_true(sm_rect_width(dirty[0]) * sm_rect_height(dirty[0]) > 100);
    sm_worker_update_area_async(f->device.worker, 0, sm_test_stage_area(), true, 1);
    sm_test_device_wait_completed(&f->device, 1);
    assert_in_range(f->device.updated_count, 1, 128);
}

static void asynchronous_requests_are_completed_whatever_they_ask(void **state)
{
    struct sm_test_stage *f = *state;
    struct sm_worker *worker = f->device.worker;
    struct sm_qxl_memslot slot = {.group = 99};
    uint64_t cookie = 1;
    sm_worker_update_area_async(worker, 0, sm_test_stage_area(), true,
                                cookie++); /* stopped, no surface */
    sm_worker_add_memslot_async(worker, &slot, cookie++);
    sm_worker_destroy_primary_async(worker, cookie++);
    sm_worker_destroy_surface_async(worker, 12345678, cookie++);
    sm_worker_destroy_surfaces_async(worker, cookie++);
    sm_worker_flush_surfaces_async(worker, cookie++);
    sm_worker_monitors_config_async(worker, UINT64_MAX, 99, cookie++);
    sm_worker_gl_draw_async(worker, 0, 0, 1, 1, cookie++);
    sm_worker_start(worker);
    sm_worker_update_area_async(worker, 7, sm_test_stage_area(), true, cookie++);
    sm_worker_update_area_async(worker, 0, (struct sm_rect){9, 9, -9, -9}, true, cookie++);
    sm_worker_stop(worker);
    for (uint64_t i = 1; i < cookie; i++)
        sm_test_device_wait_completed(&f->device, i);
    assert_int_equal(f->device.cookie_count, cookie - 1);
}

static void asynchronous_update_reports_before_it_completes(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(1, 2, 4, 4), 1);
    sm_worker_update_area_async(f->device.worker, 0, sm_test_stage_area(), true, 5);
    sm_test_device_wait_completed(&f->device, 5);
    assert_int_equal(f->device.updated_calls, 1);
    assert_int_equal(f->device.updated_count, 1);
    assert_true(sm_rect_equal(f->device.updated[0], (struct sm_rect){1, 2, 4, 4}));
}

static void update_command_renders_and_notifies(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 0x333333);
    QXLUpdateCmd update = {.area = sm_test_rect(0, 0, 8, 8), .update_id = 17};
    uint64_t address = sm_test_guest_put(&f->device.guest, &update, sizeof(update));
    sm_test_device_submit(&f->device, SM_QXL_UPDATE, address);
    update.area = sm_test_rect(5, 5, -5, -5);
    update.update_id = 18;
    sm_test_device_submit(&f->device, SM_QXL_UPDATE,
                          sm_test_guest_put(&f->device.guest, &update, sizeof(update)));
    sm_test_device_wait_released(&f->device, 3);
    assert_int_equal(sm_test_stage_pixels(f)[0], 0x33);
    assert_int_equal(f->device.update_count, 2);
    assert_int_equal(f->device.updates[0], 17);
    assert_int_equal(f->device.updates[1], 18);
}

static void stopped_worker_takes_nothing_and_renders_everything(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 0x333333);
    sm_test_device_wait_released(&f->device, 1);
    sm_worker_stop(f->device.worker);
    assert_int_equal(sm_test_stage_pixels(f)[0], 0x33);
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
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 4, 4), 1);
    sm_worker_oom(f->device.worker);
    sm_test_device_wait_released(&f->device, 1);
    sm_worker_reset_image_cache(f->device.worker);
    sm_worker_reset_image_cache(f->device.worker);
    assert_int_equal(f->device.flush_count, 1);
}

/* ---- monitors, snapshots ---- */

static uint64_t put_monitors(struct sm_test_stage *f, uint16_t count, uint16_t max_allowed)
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
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
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
    sm_worker_monitors_config_async(f->device.worker, sm_test_guest_address(TEST_STAGE_MEMORY - 31),
                                    TEST_GUEST_GROUP, 6);
    for (uint64_t cookie = 3; cookie <= 6; cookie++)
        sm_test_device_wait_completed(&f->device, cookie);
}

static void primary_says_nothing_once_the_guest_arranges_monitors(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
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
    struct sm_test_stage *f = *state;
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

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sm_test_stage_set_up, sm_test_stage_tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(new_client_gets_the_picture_in_order),
        TEST(client_before_the_primary_gets_it_when_it_comes),
        TEST(capabilities_are_what_all_clients_have),
        TEST(update_area_writes_all_rectangles_asked_for),
        TEST(update_area_renders_only_up_to_what_it_needs),
        TEST(host_that_never_clears_gets_a_rectangle_around_all),
        TEST(asynchronous_requests_are_completed_whatever_they_ask),
        TEST(asynchronous_update_reports_before_it_completes),
        TEST(update_command_renders_and_notifies),
        TEST(stopped_worker_takes_nothing_and_renders_everything),
        TEST(out_of_memory_publishes_releases),
        TEST(monitors_are_told_also_while_stopped),
        TEST(primary_says_nothing_once_the_guest_arranges_monitors),
        TEST(snapshot_is_loaded_while_stopped),
        cmocka_unit_test(device_without_functions_is_survived),
        cmocka_unit_test(impossible_devices_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
