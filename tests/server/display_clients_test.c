/* SPDX-License-Identifier: MIT */
/* Clients of the worker: the pointer they see, what they do wrong, GL. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/types.h"
#include "io/clock.h"
#include "server/display/limits.h"
#include "tests/server/support/stage.h"

/* ---- the pointer ---- */

static uint64_t put_cursor(struct sm_test_stage *f, uint8_t type, int16_t x, int16_t y,
                           uint64_t unique)
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
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
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
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
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
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
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

static void slow_client_gets_the_newest_shape_only(void **state)
{
    struct sm_test_stage *f = *state;
    enum { COUNT = 200 };
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    sm_test_watch_cursor(&f->watcher, f->device.worker, &sm_test_watcher_default);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_INIT, 1);
    /* From here it reads nothing: shapes must not pile up for it. */
    for (unsigned i = 0; i < COUNT; i++) {
        (void)put_cursor(f, QXL_CURSOR_SET, (int16_t)i, 6, 42 + i);
        (void)put_cursor(f, QXL_CURSOR_MOVE, (int16_t)(i + 1), 6, 0);
    }
    sm_test_device_wait_released(&f->device, 2 * COUNT - 1);
    for (unsigned i = 0;
         i < 100 * SM_TEST_PATIENCE_S && sm_cursor_client_view(f->watcher.cursor).x != COUNT; i++)
        sm_test_watcher_run(&f->watcher, 10);
    assert_int_equal(sm_cursor_client_view(f->watcher.cursor).x, COUNT);
    assert_in_range(sm_test_watcher_count(&f->watcher, SM_MSG_CURSOR_SET), 1, COUNT / 2);
}

/* ---- clients that misbehave ---- */

static void await_handover_closed(struct sm_test_watcher *watcher)
{
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (!atomic_load(&watcher->handover_closed) && sm_now_us() < end_us)
        usleep(1000);
    assert_true(atomic_load(&watcher->handover_closed));
}

static void clients_that_come_back_to_break_rules_do_not_fill_the_log(void **state)
{
    struct sm_test_stage *f = *state;
    enum { COUNT = 60, MOST = 2 * SM_DISPLAY_COMPLAINTS }; /* of both kinds, in a period */
    uint64_t start_us = sm_now_us();
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    for (unsigned i = 0; i < 2 * COUNT; i++) {
        struct sm_test_watcher watcher;
        if (i % 2)
            sm_test_watch_display(&watcher, f->device.worker, &sm_test_watcher_default);
        else
            sm_test_watch_cursor(&watcher, f->device.worker, &sm_test_watcher_default);
        const uint8_t unknown[6] = {0xff, 0xff};
        int fd = sm_pump_transport(watcher.pump)->fd;
        assert_int_equal(write(fd, unknown, sizeof(unknown)), sizeof(unknown));
        await_handover_closed(&watcher);
        sm_test_watcher_finish(&watcher);
    }
    unsigned lines = 0;
    for (const char *at = f->device.lines.text; (at = strstr(at, "unknown")); at++)
        lines++;
    uint64_t periods = 1 + (sm_now_us() - start_us) / SM_DISPLAY_COMPLAINTS_US;
    assert_in_range(lines, 2, MOST * periods);
}

static void queue_of_a_stuck_pointer_has_an_end(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    sm_test_watch_cursor(&f->watcher, f->device.worker, &sm_test_watcher_default);
    sm_test_watcher_await(&f->watcher, SM_MSG_CURSOR_INIT, 1);
    for (unsigned i = 0; i < 2000; i++) /* as a guest can make the host do */
        sm_worker_reset_cursor(f->device.worker);
    await_handover_closed(&f->watcher);
    sm_test_lines_check(&f->device.lines, "does not read, disconnecting");
}

static void queue_of_a_stuck_display_has_an_end(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    struct sm_qxl_primary primary = {.width = TEST_STAGE_WIDTH,
                                     .height = TEST_STAGE_HEIGHT,
                                     .stride_bytes = 4 * TEST_STAGE_WIDTH,
                                     .format = SM_SURFACE_FORMAT_32_XRGB,
                                     .address = sm_test_guest_address(0),
                                     .group = TEST_GUEST_GROUP};
    for (unsigned i = 0; i < 8000 && !atomic_load(&f->watcher.handover_closed); i++)
        sm_worker_create_primary(f->device.worker, &primary); /* as a guest can make the host do */
    await_handover_closed(&f->watcher);
    sm_test_lines_check(&f->device.lines, "does not read, disconnecting");
}

static void slow_client_holds_up_nobody_and_gets_the_last_picture(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    sm_test_stage_watch(f);
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
    sm_worker_update_area(f->device.worker, 0, sm_test_stage_area(), NULL, 0,
                          true); /* empties the ring */
    pthread_mutex_lock(&f->device.lock);
    uint32_t taken = f->device.display.consumed;
    pthread_mutex_unlock(&f->device.lock);
    assert_int_equal(taken, COUNT);
    sm_worker_stop(f->device.worker);
    sm_worker_destroy_surface_wait(f->device.worker, 0);
    assert_int_equal(f->device.release_count, COUNT);

    sm_test_watcher_await_pixels(&f->watcher, 0, sm_test_stage_pixels(f));
    assert_true(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_COPY) < COUNT);
}

static void dead_client_leaves_the_others_alone(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
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
    sm_test_stage_check_picture(f);
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (!atomic_load(&f->other.handover_closed) && sm_now_us() < end_us)
        usleep(1000);
    assert_true(atomic_load(&f->other.handover_closed));
}

static void client_without_init_is_waited_for_by_nobody(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
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
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
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
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    const uint8_t init[6 + 14] = {101, 0, 14};
    ssize_t written = write(sm_pump_transport(f->watcher.pump)->fd, init, sizeof(init));
    assert_int_equal(written, sizeof(init));
    sm_test_watcher_await_close(&f->watcher);
}

static void client_settings_are_taken_or_refused(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_stage_begin(f);
    const uint8_t good[] = {103, 0, 1, 0, 0, 0, SM_COMPRESSION_OFF};
    const uint8_t unknown[] = {103, 0, 1, 0, 0, 0, 200};
    int fd = sm_pump_transport(f->watcher.pump)->fd;
    assert_int_equal(write(fd, good, sizeof(good)), sizeof(good));
    assert_int_equal(write(fd, unknown, sizeof(unknown)), sizeof(unknown));
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 5, 5), 1);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 1);
    sm_test_lines_await(&f->device.lines, "unknown preferred compression ignored");
    const uint8_t done[] = {104, 0, 0, 0, 0, 0};
    assert_int_equal(write(fd, done, sizeof(done)), sizeof(done));
    sm_test_watcher_await_close(&f->watcher);
    sm_test_lines_check(&f->device.lines, "an answer to a GL drawing that was not sent");
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sm_test_stage_set_up, sm_test_stage_tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(pointer_is_shown_moved_and_hidden),
        TEST(client_mode_needs_no_moves),
        TEST(late_cursor_client_gets_the_state),
        TEST(slow_client_gets_the_newest_shape_only),
        TEST(clients_that_come_back_to_break_rules_do_not_fill_the_log),
        TEST(queue_of_a_stuck_pointer_has_an_end),
        TEST(queue_of_a_stuck_display_has_an_end),
        TEST(slow_client_holds_up_nobody_and_gets_the_last_picture),
        TEST(dead_client_leaves_the_others_alone),
        TEST(client_without_init_is_waited_for_by_nobody),
        TEST(disconnecting_has_happened_on_return),
        TEST(second_init_ends_the_connection),
        TEST(client_settings_are_taken_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
