/* SPDX-License-Identifier: MIT */
#include "tests/server/support/onlooker.h"

#include "core/channel/canvas/canvas.h"
#include "core/channel/cursor/client.h"
#include "core/channel/display/client.h"
#include "core/wire/types.h"
#include "io/clock.h"
#include "io/pump.h"
#include "io/socket.h"
#include "tests/support/check.h"

static bool is_drawing(uint16_t type)
{
    return type == SM_MSG_DISPLAY_COPY_BITS ||
           (type >= SM_MSG_DISPLAY_DRAW_FILL && type <= SM_MSG_DISPLAY_DRAW_ALPHA_BLEND) ||
           type == SM_MSG_DISPLAY_DRAW_COMPOSITE;
}

static bool is_of_surfaces(uint16_t type)
{
    return type == SM_MSG_DISPLAY_SURFACE_CREATE || type == SM_MSG_DISPLAY_SURFACE_DESTROY;
}

/* What is drawn is the guest's affair; that it can be drawn without harm is ours. */
static void execute(struct sm_test_onlooker *onlooker, const struct sm_display_msg *msg)
{
    enum sm_status status = SM_OK;
    if (is_of_surfaces(msg->type))
        status = sm_canvas_apply(onlooker->canvas, msg);
    else if (is_drawing(msg->type))
        status = sm_canvas_draw(onlooker->canvas, msg, NULL);
    if (status == SM_AGAIN)
        fail_msg("seed %llu: a message waits for an image that was never sent",
                 (unsigned long long)onlooker->seed);
}

static void on_activity(void *opaque)
{
    struct sm_test_onlooker *onlooker = opaque;
    enum sm_status status = SM_OK;
    while (status == SM_OK) {
        struct sm_display_client_event drawing;
        struct sm_cursor_client_event pointer;
        status = onlooker->display ? sm_display_client_next(onlooker->display, &drawing)
                                   : sm_cursor_client_next(onlooker->cursor, &pointer);
        if (status == SM_OK && onlooker->display)
            execute(onlooker, drawing.msg);
        onlooker->messages += status == SM_OK;
    }
    if (status < 0)
        fail_msg("seed %llu: the server sent something malformed: %s",
                 (unsigned long long)onlooker->seed,
                 sm_channel_reason(onlooker->display ? sm_display_client_channel(onlooker->display)
                                                     : sm_cursor_client_channel(onlooker->cursor)));
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_test_onlooker *onlooker = opaque;
    if (status != SM_ERR_IO)
        fail_msg("seed %llu: the client gave up: %s", (unsigned long long)onlooker->seed, reason);
    onlooker->is_closed = true;
}

static const struct sm_pump_callbacks CALLBACKS = {
    .on_activity = on_activity,
    .on_closed = on_closed,
};

static void start_pump(struct sm_test_onlooker *onlooker, struct sm_epoll_loop *loop, int fd,
                       struct sm_machine machine)
{
    struct sm_transport *transport;
    sm_check_status(sm_socket_transport(&transport, fd), SM_OK);
    sm_check_status(sm_pump_create(&onlooker->pump, sm_epoll_loop_base(loop), transport, machine,
                                   (struct sm_bytes){0}, &CALLBACKS, onlooker),
                    SM_OK);
}

void sm_test_onlooker_start_display(struct sm_test_onlooker *onlooker, struct sm_epoll_loop *loop,
                                    int fd, uint64_t seed)
{
    onlooker->seed = seed;
    struct sm_display_client_config config = {.setup = {.has_mini_header = true}};
    sm_check_status(sm_display_client_create(&onlooker->display, &config, sm_now_us()), SM_OK);
    struct sm_canvas_config canvas = {.max_surfaces = 1024, .max_pixels = 1 << 26};
    sm_check_status(sm_canvas_create(&onlooker->canvas, &canvas), SM_OK);
    start_pump(onlooker, loop, fd, sm_display_client_machine(onlooker->display));
}

void sm_test_onlooker_start_cursor(struct sm_test_onlooker *onlooker, struct sm_epoll_loop *loop,
                                   int fd, uint64_t seed)
{
    onlooker->seed = seed;
    struct sm_cursor_client_config config = {.setup = {.has_mini_header = true}};
    sm_check_status(sm_cursor_client_create(&onlooker->cursor, &config, sm_now_us()), SM_OK);
    start_pump(onlooker, loop, fd, sm_cursor_client_machine(onlooker->cursor));
}

void sm_test_onlooker_finish(struct sm_test_onlooker *onlooker)
{
    sm_pump_destroy(onlooker->pump);
    sm_display_client_destroy(onlooker->display);
    sm_cursor_client_destroy(onlooker->cursor);
    sm_canvas_destroy(onlooker->canvas);
    *onlooker = (struct sm_test_onlooker){0};
}
