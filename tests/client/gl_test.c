/* SPDX-License-Identifier: MIT */
/* The host's GL buffer, whose descriptor comes over the unix socket. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/types.h"
#include "io/clock.h"
#include "sumac/address.h"
#include "sumac/display.h"
#include "sumac/session.h"
#include "tests/client/fake_server.h"

enum { WIDTH = 20, HEIGHT = 10, STRIDE = 128, PATIENCE_US = SM_TEST_PATIENCE_S * 1000 * 1000 };

static int make_buffer(uint32_t color)
{
    int fd = memfd_create("buffer", MFD_CLOEXEC);
    for (uint32_t i = 0; i < STRIDE * HEIGHT / 4; i++)
        if (write(fd, &color, 4) != 4)
            abort();
    return fd;
}

static void send_scanout(struct fake_peer *peer, int fd, uint32_t fourcc)
{
    fake_send_display(peer, &(struct sm_display_msg){
                                .type = SM_MSG_DISPLAY_GL_SCANOUT_UNIX,
                                .gl_scanout_unix = {.width = WIDTH,
                                                    .height = HEIGHT,
                                                    .stride = STRIDE,
                                                    .drm_fourcc_format = fourcc,
                                                    .flags = SM_GL_SCANOUT_FLAG_Y0TOP},
                            });
    if (fourcc == 0)
        return;
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec vector = {.iov_base = (void *)(uintptr_t) "@", .iov_len = 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.room;
        message.msg_controllen = sizeof(control.room);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    (void)sendmsg(peer->fd, &message, MSG_NOSIGNAL); /* the client may have gone */
}

static void send_draw(struct fake_peer *peer, uint32_t width)
{
    fake_send_display(peer,
                      &(struct sm_display_msg){.type = SM_MSG_DISPLAY_GL_DRAW,
                                               .gl_draw = {.x = 0, .w = width, .h = UINT32_MAX}});
}

/* As every server does: nothing is said before INIT. */
static void begin(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    if (fake_read(peer, &type, &body, &size))
        free(body);
}

/* Reads until the client says that it has drawn; false at the end. */
static bool await_drawn(struct fake_peer *peer)
{
    uint16_t type = 0;
    uint8_t *body;
    uint32_t size;
    while (type != SM_MSGC_DISPLAY_GL_DRAW_DONE && fake_read(peer, &type, &body, &size))
        free(body);
    return type == SM_MSGC_DISPLAY_GL_DRAW_DONE;
}

static uint32_t pixel(struct sm_session *session, uint32_t x, uint32_t y)
{
    struct sm_display_view view;
    if (sm_display_lock(session, 0, &view) != SM_OK)
        return UINT32_MAX;
    uint32_t value = UINT32_MAX;
    if (x < view.width && y < view.height)
        memcpy(&value, view.pixels + y * view.stride_bytes + (size_t)x * 4, 4);
    sm_display_unlock(session, 0);
    return value & 0xffffff;
}

static void await_pixel(struct sm_session *session, uint32_t x, uint32_t y, uint32_t expected)
{
    struct sm_event event;
    uint64_t end_us = sm_now_us() + PATIENCE_US;
    while (pixel(session, x, y) != expected && sm_now_us() < end_us)
        (void)sm_session_wait_event(session, 50, &event);
    assert_int_equal(pixel(session, x, y), expected);
}

static struct sm_session *connect_to(struct fake_server *server)
{
    struct sm_session *session = NULL;
    struct sm_address *address = NULL;
    sm_check_status(sm_address_parse(&address, fake_server_uri(server), NULL), SM_OK);
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    sm_address_destroy(address);
    return session;
}

static void create_primary(struct fake_peer *peer)
{
    fake_send_display(peer, &(struct sm_display_msg){
                                .type = SM_MSG_DISPLAY_SURFACE_CREATE,
                                .surface_create = {.width = 5,
                                                   .height = 5,
                                                   .format = SM_SURFACE_FORMAT_32_XRGB,
                                                   .flags = SM_SURFACE_FLAG_PRIMARY},
                            });
    fake_send_display(peer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
}

/* The steps of the test that a script waits for. */
enum { SAW_FIRST, SAW_SECOND, SAW_DRAW, SAW_PRIMARY };

static void show_buffers(struct fake_peer *peer)
{
    int first = make_buffer(0x112233), second = make_buffer(0x445566);
    begin(peer);
    send_scanout(peer, first, 0x34325258);
    fake_wait_step(peer, SAW_FIRST);
    send_scanout(peer, second, 0x34324258); /* red and blue the other way round */
    fake_wait_step(peer, SAW_SECOND);
    const uint32_t black = 0;
    if (pwrite(second, &black, 4, STRIDE) != 4 || pwrite(second, &black, 4, STRIDE + 40) != 4)
        abort();
    send_draw(peer, 10); /* and not the second of these pixels */
    if (await_drawn(peer))
        fake_step(peer, SAW_DRAW);
    fake_wait_step(peer, SAW_PRIMARY);
    create_primary(peer);
    close(first);
    close(second);
    fake_drain(peer);
}

static void buffer_is_a_picture_like_any_other(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = show_buffers};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_display_info info;
    struct fake_peer test = {.server = server};
    await_pixel(session, 3, 3, 0x112233);
    assert_int_equal(sm_session_get_displays(session, &info, 1), 1);
    assert_true(info.is_ready && info.width == WIDTH && info.height == HEIGHT);
    assert_int_equal(info.monitor_count, 1);
    assert_int_equal(info.monitors[0].area.right, WIDTH);
    fake_step(&test, SAW_FIRST);
    await_pixel(session, 3, 3, 0x665544);
    fake_step(&test, SAW_SECOND);
    fake_wait_step(&test, SAW_DRAW);
    await_pixel(session, 0, 1, 0);
    assert_int_equal(pixel(session, 10, 1), 0x665544);
    assert_int_equal(pixel(session, 0, 2), 0x665544);
    fake_step(&test, SAW_PRIMARY);
    await_pixel(session, 4, 4, 0);
    assert_int_equal(pixel(session, 10, 1), 0xffffff); /* it is smaller now */
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void show_rubbish(struct fake_peer *peer)
{
    int ends[2], small = make_buffer(1);
    if (pipe(ends) < 0 || ftruncate(small, STRIDE) < 0)
        abort();
    const int fds[] = {ends[0], small, -1};
    begin(peer);
    for (int i = 0; i < 3; i++) {
        send_scanout(peer, fds[i], 0x34325258);
        send_draw(peer, UINT32_MAX);
        if (!await_drawn(peer))
            return;
    }
    send_scanout(peer, -1, 0);
    for (int i = 0; i < 100; i++) /* descriptors that nobody asked for */
        send_scanout(peer, small, 0x3231564e);
    send_draw(peer, 5);
    if (!await_drawn(peer))
        return;
    int good = make_buffer(0xabcdef);
    send_scanout(peer, good, 0x34325258);
    close(good);
    close(small);
    close(ends[0]);
    close(ends[1]);
    fake_drain(peer);
}

static void buffer_that_cannot_be_read_is_answered_all_the_same(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = show_rubbish};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 3, 3, 0xabcdef);
    struct sm_display_info info;
    assert_int_equal(sm_session_get_displays(session, &info, 1), 1);
    assert_true(info.failed_drawings >= 3);
    sm_session_destroy(session);
    fake_server_stop(server);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_is_a_picture_like_any_other),
        cmocka_unit_test(buffer_that_cannot_be_read_is_answered_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
