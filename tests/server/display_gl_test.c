/* SPDX-License-Identifier: MIT */
/* The host's GL buffer: its descriptor for local clients, its pixels for all others. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/gfx/fourcc.h"
#include "core/wire/display.h"
#include "io/socket.h"
#include "tests/server/support/stage.h"

enum { WIDTH = 150, HEIGHT = 100, STRIDE = 640, XR24 = 0x34325258 };

/* A buffer as a driver would make it, and what is to be seen of it. */
struct buffer {
    int fd;
    uint8_t *memory;
    bool is_y0_top;
    uint8_t seen[HEIGHT * WIDTH * 4]; /* XRGB32, top row first */
};

static void paint(struct buffer *buffer, struct sm_rect area, uint32_t seed)
{
    for (int32_t y = area.top; y < area.bottom; y++)
        for (int32_t x = area.left; x < area.right; x++) {
            uint32_t row = (uint32_t)(buffer->is_y0_top ? y : HEIGHT - 1 - y);
            uint32_t pixel = ((uint32_t)x * 7919 + (uint32_t)y * 104729 + seed * 31) * 2654435761u;
            uint8_t *to = buffer->memory + row * STRIDE + (uint32_t)x * 4;
            memcpy(to, &pixel, 4);
            memcpy(buffer->seen + ((size_t)y * WIDTH + (size_t)x) * 4, &pixel, 4);
        }
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 2048; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static const struct sm_rect ALL = {0, 0, WIDTH, HEIGHT};

static void make_buffer(struct buffer *buffer, bool is_y0_top)
{
    buffer->fd = memfd_create("buffer", MFD_CLOEXEC);
    assert_true(buffer->fd >= 0);
    assert_int_equal(ftruncate(buffer->fd, STRIDE * HEIGHT), 0);
    buffer->memory = mmap(NULL, STRIDE * HEIGHT, PROT_READ | PROT_WRITE, MAP_SHARED, buffer->fd, 0);
    assert_true(buffer->memory != MAP_FAILED);
    buffer->is_y0_top = is_y0_top;
    paint(buffer, ALL, 1);
}

static void free_buffer(struct buffer *buffer)
{
    (void)munmap(buffer->memory, STRIDE * HEIGHT);
    (void)close(buffer->fd);
}

static void scan_out(struct sm_test_stage *f, const struct buffer *buffer)
{
    sm_worker_gl_scanout(f->device.worker, dup(buffer->fd), WIDTH, HEIGHT, STRIDE, XR24,
                         buffer->is_y0_top);
}

static void draw(struct sm_test_stage *f, struct sm_rect area, uint64_t cookie)
{
    sm_worker_gl_draw_async(f->device.worker, (uint32_t)area.left, (uint32_t)area.top,
                            (uint32_t)sm_rect_width(area), (uint32_t)sm_rect_height(area), cookie);
    sm_test_device_wait_completed(&f->device, cookie);
}

/* Waits for the picture: the messages that bring it are on their way. */
static void check_seen(struct sm_test_watcher *watcher, const struct buffer *buffer)
{
    sm_test_watcher_await_pixels(watcher, 0, buffer->seen);
}

static uint32_t pixels_sent(struct sm_test_watcher *watcher)
{
    return sm_test_watcher_count(watcher, SM_MSG_DISPLAY_DRAW_COPY);
}

static void remote_client_sees_the_pixels(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_stage_begin(f);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    assert_int_equal(f->watcher.created.width, WIDTH);
    assert_int_equal(f->watcher.created.height, HEIGHT);
    assert_int_equal(f->watcher.first_head.width, WIDTH);
    assert_int_equal(f->watcher.first_head.height, HEIGHT);
    check_seen(&f->watcher, &buffer);
    const struct sm_rect area = {10, 20, 90, 70};
    paint(&buffer, area, 2);
    draw(f, area, 5);
    check_seen(&f->watcher, &buffer);
    assert_false(sm_test_lines_have(&f->device.lines, "cannot be read"));
    free_buffer(&buffer);
}

static void rows_may_lie_bottom_first(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, false);
    sm_test_stage_begin(f);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    check_seen(&f->watcher, &buffer);
    const struct sm_rect area = {0, 10, WIDTH, 20};
    paint(&buffer, area, 2);
    draw(f, area, 5);
    check_seen(&f->watcher, &buffer);
    const struct sm_rect mirrored = {0, HEIGHT - 20, WIDTH, HEIGHT - 10};
    paint(&buffer, area, 3);
    draw(f, mirrored, 6); /* counted from the other end */
    check_seen(&f->watcher, &buffer);
    free_buffer(&buffer);
}

static void only_what_changed_is_sent(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_stage_begin(f);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    check_seen(&f->watcher, &buffer);
    uint32_t before = pixels_sent(&f->watcher);
    draw(f, ALL, 5); /* announced, and nothing is different */
    const struct sm_rect corner = {140, 90, 144, 94};
    paint(&buffer, corner, 2);
    draw(f, ALL, 6);
    check_seen(&f->watcher, &buffer);
    assert_int_equal(pixels_sent(&f->watcher), before + 1);
    struct sm_rect sent = f->watcher.last_box;
    assert_true(sm_rect_contains(sent, corner));
    assert_true(sm_rect_width(sent) <= 64 && sm_rect_height(sent) <= 64);
    free_buffer(&buffer);
}

static void late_client_sees_the_buffer_and_nothing_else(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    scan_out(f, &buffer);
    draw(f, ALL, 1); /* nobody looks: done at once */
    sm_test_stage_watch(f);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    check_seen(&f->watcher, &buffer);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_SURFACE_CREATE), 1);
    free_buffer(&buffer);
}

static void primary_comes_back_when_gl_is_off(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_stage_begin(f);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    /* What the guest draws meanwhile is not shown, and not lost. */
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(3, 4, 30, 40), 0x123456);
    sm_test_device_wait_released(&f->device, 1);
    paint(&buffer, ALL, 7);
    draw(f, ALL, 1);
    check_seen(&f->watcher, &buffer);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL), 0);
    sm_worker_gl_scanout(f->device.worker, -1, 0, 0, 0, 0, false);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 3);
    assert_int_equal(f->watcher.first_head.width, TEST_STAGE_WIDTH);
    sm_test_stage_check_picture(f);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 9, 9), 0x654321);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 1);
    sm_test_stage_check_picture(f);
    free_buffer(&buffer);
}

static void what_the_host_did_last_is_shown(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_stage_begin(f);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    sm_worker_destroy_primary(f->device.worker);
    check_seen(&f->watcher, &buffer);
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, true);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 3);
    uint8_t kept[TEST_STAGE_WIDTH * TEST_STAGE_HEIGHT * 4]; /* as sm_test_device_start() fills it */
    for (size_t i = 0; i < sizeof(kept); i++)
        kept[i] = (uint8_t)(i * 7 + i / 251);
    sm_test_watcher_await_pixels(&f->watcher, 0, kept);
    paint(&buffer, ALL, 9);
    draw(f, ALL, 1);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 4);
    check_seen(&f->watcher, &buffer);
    sm_worker_destroy_surfaces(f->device.worker);
    draw(f, ALL, 2);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 5);
    check_seen(&f->watcher, &buffer);
    free_buffer(&buffer);
}

static void drawing_that_reads_the_primary_comes_as_pixels(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_stage_begin(f);
    (void)sm_test_device_create_surface(&f->device, 3, 40, 40, SM_SURFACE_FORMAT_32_XRGB, 0);
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 40, 40), 0xc0ffee);
    (void)sm_test_device_fill(&f->device, 3, sm_test_rect(0, 0, 40, 40), 0x000001);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL, 2);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    QXLImage surface = {.descriptor = {.type = SM_IMAGE_TYPE_SURFACE,
                                       .width = TEST_STAGE_WIDTH,
                                       .height = TEST_STAGE_HEIGHT}};
    uint64_t image = sm_test_guest_put(&f->device.guest, &surface, sizeof(surface));
    QXLDrawable copy = sm_test_drawable(QXL_DRAW_COPY, 3, sm_test_rect(0, 0, 40, 40));
    copy.surfaces_dest[0] = 0;
    copy.surfaces_rects[0] = sm_test_rect(0, 0, 40, 40);
    copy.u.copy.src_bitmap = image;
    copy.u.copy.src_area = sm_test_rect(0, 0, 40, 40);
    copy.u.copy.rop_descriptor = SM_ROPD_OP_PUT;
    (void)sm_test_device_draw(&f->device, &copy);
    uint8_t expected[40 * 40 * 4];
    for (size_t i = 0; i < sizeof(expected); i += 4)
        memcpy(expected + i, (uint8_t[]){0xee, 0xff, 0xc0, 0}, 4);
    sm_test_watcher_await_pixels(&f->watcher, 3, expected);
    check_seen(&f->watcher, &buffer);
    free_buffer(&buffer);
}

static void film_in_the_buffer_is_a_stream(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_worker_set_streaming(f->device.worker, SM_STREAMING_ALL);
    sm_test_stage_begin(f);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    const struct sm_rect box = {64, 0, 128, 64};
    for (unsigned i = 0;
         i < 1500 && sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_STREAM_DATA) < 10; i++) {
        paint(&buffer, box, 10 + i);
        draw(f, ALL, 100 + i);
        sm_test_watcher_run(&f->watcher, 15);
    }
    assert_true(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_STREAM_DATA) >= 10);
    assert_int_equal(f->watcher.cinema.films[0].created.dest.left, 64);
    check_seen(&f->watcher, &buffer); /* exact when it stands still */
    sm_worker_gl_scanout(f->device.worker, -1, 0, 0, 0, 0, false);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 3);
    sm_test_stage_check_picture(f);
    free_buffer(&buffer);
}

static void many_buffers_a_second_cost_nobody_anything(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffers[2];
    make_buffer(&buffers[0], true);
    make_buffer(&buffers[1], true);
    sm_test_stage_begin(f);
    unsigned before = 0;
    for (unsigned i = 0; i < 400; i++) {
        paint(&buffers[i % 2], (struct sm_rect){0, 0, 20, 20}, i);
        scan_out(f, &buffers[i % 2]);
        if (i % 10 == 0)
            draw(f, (struct sm_rect){0, 0, 20, 20}, i);
        if (i == 100)
            before = open_descriptors();
        if (i % 50 == 0)
            sm_test_watcher_run(&f->watcher, 20);
    }
    sm_worker_reset_image_cache(f->device.worker); /* behind them in the queue */
    assert_in_range(open_descriptors(), before - 2, before + 2);
    check_seen(&f->watcher, &buffers[1]); /* also without a draw */
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_SURFACE_CREATE), 2);
    free_buffer(&buffers[0]);
    free_buffer(&buffers[1]);
}

static void check_refused(struct sm_test_stage *f, int fd, uint32_t width, uint32_t height,
                          uint32_t stride_bytes, uint32_t fourcc, const char *words)
{
    static uint64_t cookie = 1000;
    sm_test_lines_clear(&f->device.lines);
    for (unsigned i = 0; i < 3; i++) {
        sm_worker_gl_scanout(f->device.worker, dup(fd), width, height, stride_bytes, fourcc, true);
        sm_worker_gl_draw_async(f->device.worker, 0, 0, UINT32_MAX, UINT32_MAX, ++cookie);
        sm_test_device_wait_completed(&f->device, cookie);
    }
    sm_test_lines_check(&f->device.lines, words);
    assert_int_equal(f->device.lines.count, 1); /* said once */
    /* One that is in order ends the matter. */
    struct buffer good;
    make_buffer(&good, true);
    scan_out(f, &good);
    draw(f, ALL, ++cookie);
    check_seen(&f->watcher, &good);
    free_buffer(&good);
}

static void buffer_that_cannot_be_read_is_one_line_and_the_guest_goes_on(void **state)
{
    struct sm_test_stage *f = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int fd = memfd_create("small", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, 64 * 256), 0);
    sm_test_stage_begin(f);
    check_refused(f, ends[0], 64, 48, 256, XR24, "its descriptor holds no memory");
    check_refused(f, fd, 64, 65, 256, XR24, "its memory is smaller than the picture");
    check_refused(f, fd, 64, 48, 255, XR24, "its rows are shorter");
    check_refused(f, fd, 64, 1, UINT32_MAX, XR24, "absurdly long");
    check_refused(f, fd, 64, 48, 256, sm_fourcc("NV12"), "format NV12");
    check_refused(f, fd, UINT32_MAX, UINT32_MAX, UINT32_MAX, XR24, "its size is absurd");
    check_refused(f, fd, 0, 48, 256, XR24, "its size is absurd");
    check_refused(f, fd, 16384, 16384, 65536, XR24, "its size is absurd");
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(fd);
}

static void buffer_that_shrinks_is_no_signal(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_stage_begin(f);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    check_seen(&f->watcher, &buffer);
    assert_int_equal(ftruncate(buffer.fd, STRIDE * 10), 0);
    draw(f, ALL, 1);
    sm_test_lines_check(&f->device.lines, "its memory went away");
    assert_int_equal(ftruncate(buffer.fd, STRIDE * HEIGHT), 0);
    paint(&buffer, ALL, 5);
    draw(f, ALL, 2);
    check_seen(&f->watcher, &buffer);
    free_buffer(&buffer);
}

static void what_failed_to_be_read_is_read_again(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    const struct sm_rect area = {10, 20, 90, 70};
    const off_t first = STRIDE * 10, size = STRIDE * HEIGHT;
    make_buffer(&buffer, true);
    sm_test_stage_begin(f);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 2);
    check_seen(&f->watcher, &buffer);
    paint(&buffer, area, 2);
    uint8_t *rest = malloc((size_t)(size - first));
    assert_non_null(rest);
    memcpy(rest, buffer.memory + first, (size_t)(size - first));
    assert_int_equal(ftruncate(buffer.fd, first), 0);
    draw(f, area, 1);
    sm_test_lines_check(&f->device.lines, "its memory went away");
    /* Written, not mapped: the file is no longer than what is in it. Nobody draws any more. */
    assert_int_equal(pwrite(buffer.fd, rest, (size_t)(size - first), first), size - first);
    check_seen(&f->watcher, &buffer);
    free(rest);
    free_buffer(&buffer);
}

static void watch_locally(struct sm_test_stage *f, struct sm_test_watcher *watcher, uint32_t id)
{
    struct sm_test_watcher_options local = sm_test_watcher_default;
    local.is_unix = true;
    local.connection_id = id;
    local.channel_caps |= 1u << SM_DISPLAY_CAP_GL_SCANOUT;
    sm_test_watch_display(watcher, f->device.worker, &local);
    sm_test_watcher_await(watcher, SM_MSG_DISPLAY_MARK, 1);
}

static void local_and_remote_client_see_it_each_in_its_way(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_stage_begin(f);
    watch_locally(f, &f->other, 2);
    scan_out(f, &buffer);
    sm_test_watcher_await(&f->other, SM_MSG_DISPLAY_GL_SCANOUT_UNIX, 1);
    check_seen(&f->watcher, &buffer);
    paint(&buffer, ALL, 4);
    sm_worker_gl_draw_async(f->device.worker, 0, 0, WIDTH, HEIGHT, 50);
    check_seen(&f->watcher, &buffer);
    sm_test_watcher_await(&f->other, SM_MSG_DISPLAY_GL_DRAW, 1);
    assert_int_equal(sm_test_device_completed(&f->device, 50), 0); /* the local one draws yet */
    struct sm_display_msgc done = {.type = SM_MSGC_DISPLAY_GL_DRAW_DONE};
    sm_check_status(sm_display_client_send(f->other.display, &done), SM_OK);
    sm_pump_kick(f->other.pump);
    sm_test_watcher_run(&f->other, 1);
    sm_test_device_wait_completed(&f->device, 50);
    /* The primary below is drawn on for the local one alone. */
    (void)sm_test_device_fill(&f->device, 0, sm_test_rect(0, 0, 9, 9), 5);
    sm_test_watcher_await(&f->other, SM_MSG_DISPLAY_DRAW_FILL, 1);
    paint(&buffer, ALL, 6);
    sm_worker_disconnect(f->device.worker, 2);
    draw(f, ALL, 51);
    check_seen(&f->watcher, &buffer);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_DRAW_FILL), 0);
    assert_int_equal(sm_test_watcher_count(&f->watcher, SM_MSG_DISPLAY_GL_DRAW), 0);
    free_buffer(&buffer);
}

static void local_client_without_the_capability_gets_pixels(void **state)
{
    struct sm_test_stage *f = *state;
    struct buffer buffer;
    make_buffer(&buffer, true);
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    struct sm_test_watcher_options local = sm_test_watcher_default;
    local.is_unix = true;
    sm_test_watch_display(&f->watcher, f->device.worker, &local);
    sm_test_watcher_await(&f->watcher, SM_MSG_DISPLAY_MARK, 1);
    scan_out(f, &buffer);
    check_seen(&f->watcher, &buffer);
    free_buffer(&buffer);
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
    for (int i = 0; i < 100 * SM_TEST_PATIENCE_S && got != 1; i++) {
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
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    watch_locally(f, &f->watcher, 1);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    sm_pump_set_reading(f->watcher.pump, false);
    sm_worker_gl_scanout(f->device.worker, pipe_ends[0], 64, 48, 256, 0x34325258, true);
    /* The message of 20 bytes with its header, then the byte: read by hand. */
    int fd = sm_pump_transport(f->watcher.pump)->fd;
    uint8_t message[26];
    ssize_t got = 0;
    for (int i = 0; i < 100 * SM_TEST_PATIENCE_S && got < 26; i++) {
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

static void stuck_client_does_not_use_up_the_hosts_descriptors(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    watch_locally(f, &f->watcher, 1);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    unsigned before = open_descriptors();
    for (unsigned i = 0; i < 900; i++) { /* from here the client reads nothing */
        sm_worker_gl_scanout(f->device.worker, dup(pipe_ends[0]), 64, 48, 256, 0x34325258, true);
        sm_worker_reset_image_cache(f->device.worker); /* waits for what is before it */
    }
    assert_in_range(open_descriptors(), before, before + 8);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
}

static void destroyed_worker_completes_its_draws(void **state)
{
    struct sm_test_stage *f = *state;
    sm_test_device_start(&f->device, TEST_STAGE_WIDTH, TEST_STAGE_HEIGHT, false);
    watch_locally(f, &f->watcher, 1);
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

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sm_test_stage_set_up, sm_test_stage_tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(remote_client_sees_the_pixels),
        TEST(rows_may_lie_bottom_first),
        TEST(only_what_changed_is_sent),
        TEST(late_client_sees_the_buffer_and_nothing_else),
        TEST(primary_comes_back_when_gl_is_off),
        TEST(what_the_host_did_last_is_shown),
        TEST(drawing_that_reads_the_primary_comes_as_pixels),
        TEST(film_in_the_buffer_is_a_stream),
        TEST(many_buffers_a_second_cost_nobody_anything),
        TEST(buffer_that_cannot_be_read_is_one_line_and_the_guest_goes_on),
        TEST(buffer_that_shrinks_is_no_signal),
        TEST(what_failed_to_be_read_is_read_again),
        TEST(local_and_remote_client_see_it_each_in_its_way),
        TEST(local_client_without_the_capability_gets_pixels),
        TEST(local_client_gets_the_buffer_and_answers_draws),
        TEST(stuck_client_does_not_use_up_the_hosts_descriptors),
        TEST(destroyed_worker_completes_its_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
