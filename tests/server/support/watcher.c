/* SPDX-License-Identifier: MIT */
#include "tests/server/support/watcher.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/codec/glz/window.h"
#include "core/wire/types.h"
#include "io/clock.h"
#include "io/socket.h"
#include "media/libs.h"
#include "server/session/handover.h"
#include "tests/support/check.h"

const struct sm_test_watcher_options sm_test_watcher_default = {
    .connection_id = 1,
    .channel_caps = 1u << SM_DISPLAY_CAP_SIZED_STREAM | 1u << SM_DISPLAY_CAP_MONITORS_CONFIG |
                    1u << SM_DISPLAY_CAP_COMPOSITE | 1u << SM_DISPLAY_CAP_A8_SURFACE,
};

static void on_handover_closed(void *opaque)
{
    struct sm_test_watcher *watcher = opaque;
    atomic_store(&watcher->handover_closed, true);
}

static void note_copy(struct sm_test_watcher *watcher, const struct sm_display_msg *msg)
{
    const struct sm_image *image = msg->draw_copy.src_bitmap;
    watcher->image_types[image->type]++;
    watcher->last_box = msg->draw_copy.base.box;
    /* Nothing may claim to be cached that the worker does not keep a book of. */
    assert_int_equal(image->flags & ~SM_IMAGE_FLAG_HIGH_BITS_SET, 0);
}

static bool is_canvas_message(uint16_t type)
{
    return type == SM_MSG_DISPLAY_SURFACE_CREATE || type == SM_MSG_DISPLAY_SURFACE_DESTROY ||
           type == SM_MSG_DISPLAY_INVAL_ALL_PALETTES;
}

static void take_display(struct sm_test_watcher *watcher, const struct sm_display_msg *msg)
{
    if (msg->type == SM_MSG_DISPLAY_DRAW_COPY)
        note_copy(watcher, msg);
    if (msg->type == SM_MSG_DISPLAY_SURFACE_CREATE)
        watcher->created = msg->surface_create;
    if (msg->type == SM_MSG_DISPLAY_MONITORS_CONFIG) {
        watcher->monitors = msg->monitors_config;
        watcher->first_head = msg->monitors_config.heads[0];
    }
    sm_test_cinema_take(&watcher->cinema, watcher->canvas, msg);
    if (is_canvas_message(msg->type))
        sm_check_status(sm_canvas_apply(watcher->canvas, msg), SM_OK);
    else if (msg->type >= SM_MSG_DISPLAY_DRAW_FILL && msg->type <= SM_MSG_DISPLAY_DRAW_ALPHA_BLEND)
        sm_check_status(sm_canvas_draw(watcher->canvas, msg, NULL), SM_OK);
    else if (msg->type == SM_MSG_DISPLAY_COPY_BITS || msg->type == SM_MSG_DISPLAY_DRAW_COMPOSITE)
        sm_check_status(sm_canvas_draw(watcher->canvas, msg, NULL), SM_OK);
}

static void note_type(struct sm_test_watcher *watcher, uint16_t type)
{
    assert_true(watcher->count < TEST_WATCHER_MAX_TYPES);
    watcher->types[watcher->count++] = type;
}

static void on_activity(void *opaque)
{
    struct sm_test_watcher *watcher = opaque;
    if (watcher->display) {
        struct sm_display_client_event event;
        while (sm_display_client_next(watcher->display, &event) == SM_OK) {
            note_type(watcher, event.msg->type);
            take_display(watcher, event.msg);
        }
        return;
    }
    struct sm_cursor_client_event event;
    while (sm_cursor_client_next(watcher->cursor, &event) == SM_OK)
        note_type(watcher, event.msg->type);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_test_watcher *watcher = opaque;
    if (status != SM_ERR_IO)
        fail_msg("the client gave up: %s", reason);
    watcher->is_closed = true;
}

static const struct sm_pump_callbacks CALLBACKS = {
    .on_activity = on_activity,
    .on_closed = on_closed,
};

/* Makes a pair of sockets; gives one end to the worker as a handover. */
static struct sm_channel_handover *make_handover(struct sm_test_watcher *watcher,
                                                 const struct sm_test_watcher_options *options,
                                                 uint8_t type, int *mine)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct sm_channel_handover *handover = calloc(1, sizeof(*handover));
    *handover = (struct sm_channel_handover){
        .connection_id = options->connection_id,
        .channel_type = type,
        .channel_caps = options->channel_caps,
        .has_mini_header = true,
        .is_unix = options->is_unix,
        .jpeg = options->jpeg,
        .zlib_glz = options->zlib_glz,
        .is_low_bandwidth = options->is_low_bandwidth,
        .closed = on_handover_closed,
        .opaque = watcher,
    };
    sm_check_status(sm_socket_transport(&handover->transport, pair[0]), SM_OK);
    *mine = pair[1];
    return handover;
}

static void start(struct sm_test_watcher *watcher, int fd, struct sm_machine machine)
{
    struct sm_transport *transport;
    sm_check_status(sm_epoll_loop_create(&watcher->loop), SM_OK);
    sm_check_status(sm_socket_transport(&transport, fd), SM_OK);
    sm_check_status(sm_pump_create(&watcher->pump, sm_epoll_loop_base(watcher->loop), transport,
                                   machine, (struct sm_bytes){0}, &CALLBACKS, watcher),
                    SM_OK);
}

void sm_test_watch_display(struct sm_test_watcher *watcher, struct sm_worker *worker,
                           const struct sm_test_watcher_options *options)
{
    int fd;
    memset(watcher, 0, sizeof(*watcher));
    watcher->socket = -1;
    sm_worker_connect_display(worker, make_handover(watcher, options, SM_CHANNEL_DISPLAY, &fd));
    if (options->is_silent) {
        watcher->socket = fd;
        return;
    }
    struct sm_display_client_config config = {
        .setup = {.has_mini_header = true,
                  .channel_caps = UINT32_MAX, /* of the server */
                  .is_local = options->is_unix},
        .glz_dictionary_px = options->glz_px,
        .takes_descriptors = options->is_unix,
    };
    if (options->glz_px)
        sm_check_status(sm_glz_window_create(&watcher->window, (uint32_t)options->glz_px, NULL),
                        SM_OK);
    sm_check_status(sm_display_client_create(&watcher->display, &config, sm_now_us()), SM_OK);
    struct sm_canvas_config canvas = {.max_surfaces = 1024,
                                      .max_pixels = 1 << 26,
                                      .libs = &sm_media_codec_libs,
                                      .window = watcher->window};
    sm_check_status(sm_canvas_create(&watcher->canvas, &canvas), SM_OK);
    start(watcher, fd, sm_display_client_machine(watcher->display));
}

void sm_test_watch_cursor(struct sm_test_watcher *watcher, struct sm_worker *worker,
                          const struct sm_test_watcher_options *options)
{
    int fd;
    memset(watcher, 0, sizeof(*watcher));
    watcher->socket = -1;
    sm_worker_connect_cursor(worker, make_handover(watcher, options, SM_CHANNEL_CURSOR, &fd));
    struct sm_cursor_client_config config = {.setup = {.has_mini_header = true}};
    sm_check_status(sm_cursor_client_create(&watcher->cursor, &config, sm_now_us()), SM_OK);
    start(watcher, fd, sm_cursor_client_machine(watcher->cursor));
}

void sm_test_watcher_finish(struct sm_test_watcher *watcher)
{
    sm_pump_destroy(watcher->pump);
    sm_display_client_destroy(watcher->display);
    sm_cursor_client_destroy(watcher->cursor);
    sm_canvas_destroy(watcher->canvas);
    sm_glz_window_destroy(watcher->window);
    sm_test_cinema_finish(&watcher->cinema);
    sm_epoll_loop_destroy(watcher->loop);
    if (watcher->socket >= 0)
        (void)close(watcher->socket);
    watcher->pump = NULL;
}

uint32_t sm_test_watcher_count(const struct sm_test_watcher *watcher, uint16_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < watcher->count; i++)
        count += watcher->types[i] == type;
    return count;
}

uint32_t sm_test_watcher_index(const struct sm_test_watcher *watcher, uint16_t type)
{
    for (uint32_t i = 0; i < watcher->count; i++) {
        if (watcher->types[i] == type)
            return i;
    }
    return UINT32_MAX;
}

void sm_test_watcher_await(struct sm_test_watcher *watcher, uint16_t type, uint32_t times)
{
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (sm_test_watcher_count(watcher, type) < times) {
        if (sm_now_us() > end_us || watcher->is_closed)
            fail_msg("%u messages of type %u came instead of %u, %u in all%s",
                     sm_test_watcher_count(watcher, type), type, times, watcher->count,
                     watcher->is_closed ? "; connection closed" : "");
        (void)sm_epoll_loop_run_once(watcher->loop, 50);
    }
}

void sm_test_watcher_await_close(struct sm_test_watcher *watcher)
{
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (!watcher->is_closed) {
        if (sm_now_us() > end_us)
            fail_msg("the server did not close the connection");
        (void)sm_epoll_loop_run_once(watcher->loop, 50);
    }
}

void sm_test_watcher_run(struct sm_test_watcher *watcher, unsigned ms)
{
    uint64_t end_us = sm_now_us() + (uint64_t)ms * 1000;
    while (sm_now_us() < end_us)
        (void)sm_epoll_loop_run_once(watcher->loop, 10);
}

static bool shows(struct sm_test_watcher *watcher, uint32_t surface_id, const uint8_t *expected)
{
    const struct sm_surface *surface = sm_canvas_surface(watcher->canvas, surface_id);
    if (!surface)
        return false;
    const struct sm_pixels *pixels = sm_surface_pixels(surface);
    for (uint32_t y = 0; y < pixels->height; y++) {
        const uint8_t *row = sm_pixels_row(pixels, y);
        for (uint32_t x = 0; x < pixels->width; x++)
            if (memcmp(row + 4 * x, expected + ((size_t)y * pixels->width + x) * 4, 3) != 0)
                return false;
    }
    return true;
}

void sm_test_watcher_await_pixels(struct sm_test_watcher *watcher, uint32_t surface_id,
                                  const uint8_t *expected)
{
    uint64_t end_us = sm_now_us() + SM_TEST_PATIENCE_S * 1000000ull;
    while (!shows(watcher, surface_id, expected) && sm_now_us() < end_us && !watcher->is_closed)
        (void)sm_epoll_loop_run_once(watcher->loop, 50);
    sm_test_watcher_check_pixels(watcher, surface_id, expected);
}

void sm_test_watcher_check_pixels(struct sm_test_watcher *watcher, uint32_t surface_id,
                                  const uint8_t *expected)
{
    const struct sm_surface *surface = sm_canvas_surface(watcher->canvas, surface_id);
    assert_non_null(surface);
    const struct sm_pixels *pixels = sm_surface_pixels(surface);
    for (uint32_t y = 0; y < pixels->height; y++) {
        const uint8_t *row = sm_pixels_row(pixels, y);
        for (uint32_t x = 0; x < pixels->width; x++) {
            const uint8_t *want = expected + ((size_t)y * pixels->width + x) * 4;
            if (memcmp(row + 4 * x, want, 3) != 0)
                fail_msg("surface %u, pixel %u,%u is %02x%02x%02x instead of %02x%02x%02x",
                         surface_id, x, y, row[4 * x + 2], row[4 * x + 1], row[4 * x], want[2],
                         want[1], want[0]);
        }
    }
}
