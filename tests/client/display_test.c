/* SPDX-License-Identifier: MIT */
/* Displays of a session, against a server of our own making. */
#include "tests/support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"
#include "tests/client/sessions.h"

/* ---- Displays ---- */

static void a_display_is_ready_when_it_is_marked(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = show_blue};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 0, BLUE);
    struct sm_display_info info = {.is_ready = false};
    while (!info.is_ready) {
        assert_int_equal(sm_session_get_displays(session, &info, 1), 1);
        if (!info.is_ready)
            await_event(session, SM_EVENT_DISPLAY_CONFIG);
    }
    assert_int_equal(info.width, SIDE);
    assert_int_equal(info.monitor_count, 1);
    assert_int_equal(info.monitors[0].number, 0);
    assert_int_equal(info.monitors[0].area.right, SIDE);
    assert_int_equal(info.drawings, 1);
    assert_int_equal(info.failed_drawings, 0);
    struct sm_display_view view;
    sm_check_status(sm_display_lock(session, 9, &view), SM_ERR_STATE);
    sm_session_destroy(session);
    fake_server_stop(server);
}

enum { LARGE_SIDE = 64 /* so that a fill is worth waiting */ };

static void show_large_blue(struct fake_peer *peer)
{
    struct sm_display_msg create = {
        .type = SM_MSG_DISPLAY_SURFACE_CREATE,
        .surface_create = {.width = LARGE_SIDE,
                           .height = LARGE_SIDE,
                           .format = SM_SURFACE_FORMAT_32_XRGB,
                           .flags = SM_SURFACE_FLAG_PRIMARY},
    };
    fake_send_display(peer, &create);
    struct sm_display_msg fill = {.type = SM_MSG_DISPLAY_DRAW_FILL};
    fill.draw_fill.base.box = (struct sm_rect){0, 8, LARGE_SIDE, LARGE_SIDE};
    fill.draw_fill.brush.type = SM_BRUSH_TYPE_SOLID;
    fill.draw_fill.brush.color = BLUE;
    fill.draw_fill.ropd = SM_ROPD_OP_PUT;
    fake_send_display(peer, &fill);
    send_type(peer, SM_MSG_DISPLAY_MARK);
    fake_drain(peer);
}

static uint32_t view_pixel(const struct sm_display_view *view, size_t x, size_t y)
{
    uint32_t pixel;
    memcpy(&pixel, view->pixels + y * view->stride_bytes + x * sizeof(pixel), sizeof(pixel));
    return pixel & 0xffffff;
}

static void a_sparse_look_leaves_fills_to_the_reader(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = show_large_blue};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_display_info info = {.is_ready = false};
    while (!info.is_ready) {
        (void)await_event(session, SM_EVENT_DISPLAY_CONFIG);
        (void)sm_session_get_displays(session, &info, 1);
    }
    struct sm_display_view view;
    sm_check_status(sm_display_lock_sparse(session, 9, &view), SM_ERR_STATE);
    sm_check_status(sm_display_lock_sparse(session, 0, &view), SM_OK);
    assert_int_equal(view.fill_count, 1);
    assert_int_equal(view.fills[0].area.left, 0);
    assert_int_equal(view.fills[0].area.top, 8);
    assert_int_equal(view.fills[0].area.right, LARGE_SIDE);
    assert_int_equal(view.fills[0].area.bottom, LARGE_SIDE);
    assert_int_equal(view.fills[0].pixel & 0xffffff, BLUE);
    assert_int_equal(view_pixel(&view, 20, 20), 0);
    sm_display_unlock(session, 0);

    sm_check_status(sm_display_lock(session, 0, &view), SM_OK);
    assert_int_equal(view.fill_count, 0);
    assert_int_equal(view_pixel(&view, 20, 7), 0);
    assert_int_equal(view_pixel(&view, 20, 20), BLUE);
    sm_display_unlock(session, 0);
    sm_check_status(sm_display_lock_sparse(session, 0, &view), SM_OK);
    assert_int_equal(view.fill_count, 0); /* painted by now */
    sm_display_unlock(session, 0);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* Step 0 when the first messages of the client were as they should be. */
static void expect_wish(struct fake_peer *peer)
{
    uint16_t type = 0;
    uint8_t *body = NULL;
    uint32_t size = 0;
    while (type != SM_MSGC_DISPLAY_PREFERRED_COMPRESSION) {
        free(body);
        if (!fake_read(peer, &type, &body, &size))
            return;
    }
    if (size == 1 && body[0] == SM_IMAGE_COMPRESSION_LZ4)
        fake_step(peer, 0);
    free(body);
    fake_drain(peer);
}

static void a_wish_for_a_compression_reaches_the_server(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}},
                                 .channel_count = 1,
                                 .display_caps = 1u << SM_DISPLAY_CAP_PREF_COMPRESSION,
                                 .display = expect_wish};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_compression(session, (enum sm_compression)8), SM_ERR_LIMIT);
    sm_check_status(sm_session_set_compression(session, SM_COMPRESSION_LZ4), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    fake_server_wait_step(server, 0);
    sm_check_status(sm_session_set_compression(session, SM_COMPRESSION_LZ), SM_ERR_STATE);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void show_monitors(struct fake_peer *peer)
{
    static const struct sm_head heads[] = {
        {.monitor_id = 0, .width = 10, .height = SIDE},
        {.monitor_id = 1, .x = 10, .width = 100, .height = 100}, /* beyond the surface */
        {.monitor_id = 2, .x = SIDE, .width = 5, .height = 5},   /* outside of it */
    };
    begin_display(peer);
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_MONITORS_CONFIG};
    msg.monitors_config.num_heads = 3;
    msg.monitors_config.max_allowed = 4;
    msg.monitors_config.heads = heads;
    fake_send_display(peer, &msg);
    fake_drain(peer);
}

static void monitors_are_parts_of_the_surface(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = show_monitors};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_display_info info = {.monitor_count = 0};
    while (info.monitor_count != 3) {
        await_event(session, SM_EVENT_DISPLAY_CONFIG);
        (void)sm_session_get_displays(session, &info, 1);
    }
    assert_int_equal(info.monitors[0].area.right, 10);
    assert_int_equal(info.monitors[1].area.left, 10);
    assert_int_equal(info.monitors[1].area.right, SIDE);
    assert_int_equal(info.monitors[1].area.bottom, SIDE);
    assert_int_equal(info.monitors[2].area.right, info.monitors[2].area.left);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void show_16_bits(struct fake_peer *peer)
{
    send_surface(peer, SM_SURFACE_FORMAT_16_555);
    send_fill(peer, 0x7c00);
    send_type(peer, SM_MSG_DISPLAY_MARK);
    fake_drain(peer);
}

static void surfaces_of_16_bits_are_shown_as_32(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = show_16_bits};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 0, RED);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* Display 1 uses an image before display 0 has brought it. */
static void bring_late(struct fake_peer *peer)
{
    begin_display(peer);
    if (peer->id == 1) {
        send_cached(peer, 7);
        fake_step(peer, 1);
    } else {
        fake_wait_step(peer, 1);
        usleep(50000);
        send_image(peer, 7, GREEN);
    }
    fake_drain(peer);
}

static void an_image_is_awaited_from_another_display(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_DISPLAY, 1}},
                                 .channel_count = 2,
                                 .display = bring_late};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 1, GREEN);
    await_pixel(session, 0, GREEN);
    struct sm_display_info info[2];
    assert_int_equal(sm_session_get_displays(session, info, 2), 2);
    assert_int_equal(info[1].failed_drawings, 0);
    assert_int_equal(info[1].channel_id, 1);
    assert_int_equal(info[1].monitors[0].number, 1);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void use_what_never_comes(struct fake_peer *peer)
{
    begin_display(peer);
    send_cached(peer, 7);
    send_fill(peer, RED);
    fake_drain(peer);
}

static void an_image_that_nobody_can_bring_is_not_awaited(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = use_what_never_comes};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 0, RED);
    struct sm_display_info info;
    assert_int_equal(sm_session_get_displays(session, &info, 1), 1);
    assert_int_equal(info.failed_drawings, 1);
    assert_int_equal(info.drawings, 3);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* Display 0 keeps a red image as its fourth message and replaces it by a green one as its sixth;
 * display 1 must not use it before. */
static void wait_for_display_0(struct fake_peer *peer)
{
    begin_display(peer);
    if (peer->id == 1) {
        struct sm_wait_for_channel waits[] = {
            {SM_CHANNEL_DISPLAY, 0, 6}, {SM_CHANNEL_DISPLAY, 99, 1000}, /* nobody: not waited for */
        };
        struct sm_display_msg msg = {.type = SM_MSG_WAIT_FOR_CHANNELS};
        msg.wait_for_channels.num_waits = 2;
        msg.wait_for_channels.waits = waits;
        fake_wait_step(peer, 0);
        usleep(50000);
        fake_send_display(peer, &msg);
        send_cached(peer, 7);
        fake_step(peer, 1);
    } else {
        struct sm_resource_id red = {.type = SM_RESOURCE_TYPE_PIXMAP, .id = 7};
        struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_INVAL_LIST};
        msg.inval_list.num_resources = 1;
        msg.inval_list.resources = &red;
        send_image(peer, 7, RED);
        fake_step(peer, 0);
        fake_wait_step(peer, 1);
        usleep(50000);
        fake_send_display(peer, &msg);
        send_image(peer, 7, GREEN);
    }
    fake_drain(peer);
}

static void a_display_waits_for_another_s_messages(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_DISPLAY, 1}},
                                 .channel_count = 2,
                                 .display = wait_for_display_0};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 1, GREEN);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void wait_for_ever(struct fake_peer *peer)
{
    begin_display(peer);
    struct sm_wait_for_channel waits[] = {{SM_CHANNEL_MAIN, 0, 1000000}};
    struct sm_display_msg msg = {.type = SM_MSG_WAIT_FOR_CHANNELS};
    msg.wait_for_channels.num_waits = 1;
    msg.wait_for_channels.waits = waits;
    fake_send_display(peer, &msg);
    send_fill(peer, RED);
    fake_drain(peer);
}

static void a_wait_without_end_does_not_hold_up_the_session_s_end(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = wait_for_ever};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 0, BLUE);
    usleep(50000);
    assert_int_equal(pixel(session, 0, 1, 1), BLUE); /* the fill behind the wait was not drawn */
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* A stream of a codec we cannot show must be refused, or the server would never draw there. */
static void offer_vp8(struct fake_peer *peer)
{
    begin_display(peer);
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_STREAM_CREATE};
    msg.stream_create.id = 3;
    msg.stream_create.codec_type = SM_VIDEO_CODEC_VP8;
    msg.stream_create.stream_width = msg.stream_create.src_width = SIDE;
    msg.stream_create.stream_height = msg.stream_create.src_height = SIDE;
    msg.stream_create.dest = WHOLE;
    fake_send_display(peer, &msg);
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    while (fake_read(peer, &type, &body, &size)) {
        bool is_refusal = type == SM_MSGC_DISPLAY_STREAM_REPORT && size == 32 && body[0] == 3 &&
                          body[20] == 0xff && body[16] == 0;
        free(body);
        if (is_refusal)
            send_fill(peer, GREEN);
    }
}

static void a_stream_that_cannot_be_shown_is_refused(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = offer_vp8};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 0, GREEN);
    sm_session_destroy(session);
    fake_server_stop(server);
}

/* ---- Rights ---- */

/* What a line in the log finds that was written by the thread that decodes. */
struct finding {
    atomic_bool was_there;
    atomic_int open_error, socket_error;
};

static void try_to_open(void *opaque, enum sm_session_log_level level, const char *text)
{
    struct finding *finding = opaque;
    (void)level;
    if (!strstr(text, "a drawing was left out"))
        return;
    int fd = open("/dev/null", O_RDONLY);
    atomic_store(&finding->open_error, fd < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    atomic_store(&finding->socket_error, fd < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
    atomic_store(&finding->was_there, true);
}

static void a_thread_that_decodes_opens_nothing(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = use_what_never_comes};
    struct fake_server *server = fake_server_start(&script);
    struct finding finding = {.was_there = false};
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_log(session, try_to_open, &finding, SM_SESSION_LOG_DEBUG),
                    SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    uint64_t until_us = sm_now_us() + PATIENCE_MS * 1000;
    while (!atomic_load(&finding.was_there) && sm_now_us() < until_us) {
        struct sm_event event;
        (void)!sm_session_wait_event(session, 20, &event);
    }
    assert_true(atomic_load(&finding.was_there));
    struct sm_channel_info channels[2];
    assert_int_equal(sm_session_get_channels(session, channels, 2), 2);
    bool is_confined = channels[1].is_confined;
    assert_false(channels[0].is_confined);
    sm_session_destroy(session);
    fake_server_stop(server);
    if (!is_confined)
        skip(); /* the kernel has no filters */
    assert_int_equal(atomic_load(&finding.open_error), EPERM);
    assert_int_equal(atomic_load(&finding.socket_error), EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_display_is_ready_when_it_is_marked),
        cmocka_unit_test(a_sparse_look_leaves_fills_to_the_reader),
        cmocka_unit_test(a_wish_for_a_compression_reaches_the_server),
        cmocka_unit_test(monitors_are_parts_of_the_surface),
        cmocka_unit_test(surfaces_of_16_bits_are_shown_as_32),
        cmocka_unit_test(an_image_is_awaited_from_another_display),
        cmocka_unit_test(an_image_that_nobody_can_bring_is_not_awaited),
        cmocka_unit_test(a_display_waits_for_another_s_messages),
        cmocka_unit_test(a_wait_without_end_does_not_hold_up_the_session_s_end),
        cmocka_unit_test(a_stream_that_cannot_be_shown_is_refused),
        cmocka_unit_test(a_thread_that_decodes_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
