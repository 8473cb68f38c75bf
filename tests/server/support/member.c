/* SPDX-License-Identifier: MIT */
#include "tests/server/support/member.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/channel/canvas/image_cache.h"
#include "core/codec/glz/window.h"
#include "core/wire/types.h"
#include "io/clock.h"
#include "io/socket.h"
#include "media/libs.h"
#include "server/session/handover.h"
#include "tests/support/check.h"

void sm_test_member_init(struct sm_test_member *member,
                         const struct sm_test_member_options *options)
{
    *member = (struct sm_test_member){.options = *options};
    sm_check_status(sm_epoll_loop_create(&member->loop), SM_OK);
    const struct sm_image_cache_config cache = {.max_pixels = (uint64_t)options->cache_px * 2};
    if (options->cache_px)
        sm_check_status(sm_image_cache_create(&member->cache, &cache), SM_OK);
    if (options->glz_px)
        sm_check_status(sm_glz_window_create(&member->window, (uint32_t)options->glz_px, NULL),
                        SM_OK);
}

void sm_test_member_finish(struct sm_test_member *member)
{
    for (uint32_t i = 0; i < member->display_count; i++) {
        struct sm_test_member_display *display = &member->displays[i];
        sm_pump_destroy(display->pump);
        sm_display_client_destroy(display->client);
        sm_canvas_destroy(display->canvas);
    }
    sm_image_cache_destroy(member->cache);
    sm_glz_window_destroy(member->window);
    sm_epoll_loop_destroy(member->loop);
}

/* ---- what comes ---- */

static const struct sm_display_client_event *event_of(const struct sm_test_member_display *display)
{
    return &display->event;
}

/* Whether the other displays have got as far as a wait wants. */
static bool is_over(const struct sm_test_member *member, const struct sm_display_msg *msg)
{
    const struct sm_msg_wait_for_channels *wait = &msg->wait_for_channels;
    assert_int_equal(msg->type, SM_MSG_WAIT_FOR_CHANNELS);
    for (uint32_t i = 0; i < wait->num_waits; i++) {
        assert_int_equal(wait->waits[i].channel_type, SM_CHANNEL_DISPLAY);
        uint8_t id = wait->waits[i].channel_id;
        if (id >= member->display_count)
            continue;
        struct sm_display_client *other = member->displays[id].client;
        if (sm_channel_handled_serial(sm_display_client_channel(other)) <
            wait->waits[i].message_serial)
            return false;
    }
    return true;
}

static void note_image(struct sm_test_member *member, const struct sm_display_msg *msg)
{
    if (msg->type != SM_MSG_DISPLAY_DRAW_COPY)
        return;
    const struct sm_image *image = msg->draw_copy.src_bitmap;
    member->image_types[image->type]++;
    uint8_t flags =
        image->type == SM_IMAGE_TYPE_BITMAP ? image->bitmap.flags : image->palette_flags;
    member->palettes_from_cache += (flags & SM_BITMAP_FLAG_PAL_FROM_CACHE) != 0;
}

/* False if it has to be done again later. */
static bool deal_with(struct sm_test_member_display *display)
{
    struct sm_test_member *member = display->member;
    const struct sm_display_msg *msg = event_of(display)->msg;
    switch (msg->type) {
    case SM_MSG_WAIT_FOR_CHANNELS:
        if (!is_over(member, msg))
            return false;
        member->waits++;
        sm_channel_release(sm_display_client_channel(display->client));
        return true;
    case SM_MSG_DISPLAY_INVAL_LIST:
        member->invalidations++;
        sm_check_status(sm_canvas_apply(display->canvas, msg), SM_OK);
        return true;
    case SM_MSG_DISPLAY_SURFACE_CREATE:
    case SM_MSG_DISPLAY_SURFACE_DESTROY:
    case SM_MSG_DISPLAY_INVAL_PALETTE:
    case SM_MSG_DISPLAY_INVAL_ALL_PALETTES:
        sm_check_status(sm_canvas_apply(display->canvas, msg), SM_OK);
        return true;
    default:
        break;
    }
    if (msg->type != SM_MSG_DISPLAY_COPY_BITS && msg->type != SM_MSG_DISPLAY_DRAW_COMPOSITE &&
        (msg->type < SM_MSG_DISPLAY_DRAW_FILL || msg->type > SM_MSG_DISPLAY_DRAW_ALPHA_BLEND))
        return true;
    enum sm_status status = sm_canvas_draw(display->canvas, msg, NULL);
    if (status == SM_AGAIN)
        return false;
    if (status != SM_OK)
        fail_msg("message %u: %s", msg->type, sm_canvas_reason(display->canvas));
    note_image(member, msg);
    return true;
}

static bool make_progress(struct sm_test_member_display *display)
{
    bool has_progress = false;
    for (;;) {
        if (!display->has_event &&
            sm_display_client_next(display->client, &display->event) != SM_OK)
            return has_progress;
        display->has_event = !deal_with(display);
        if (display->has_event)
            return has_progress;
        has_progress = true;
    }
}

/* What one display does may be what another waits for. */
static void make_all_progress(struct sm_test_member *member)
{
    bool has_progress = true;
    while (has_progress) {
        has_progress = false;
        for (uint32_t i = 0; i < member->display_count; i++)
            has_progress = make_progress(&member->displays[i]) || has_progress;
    }
}

static void on_activity(void *opaque)
{
    struct sm_test_member_display *display = opaque;
    make_all_progress(display->member);
}

static void on_closed(void *opaque, enum sm_status status, const char *reason)
{
    struct sm_test_member_display *display = opaque;
    if (status != SM_ERR_IO)
        fail_msg("the client gave up: %s", reason);
    display->is_closed = true;
}

static const struct sm_pump_callbacks CALLBACKS = {
    .on_activity = on_activity,
    .on_closed = on_closed,
};

void sm_test_member_run(struct sm_test_member *member, int ms)
{
    (void)sm_epoll_loop_run_once(member->loop, ms);
    make_all_progress(member);
    /* One that was released from a wait has messages, and perhaps acknowledgements to write. */
    for (uint32_t i = 0; i < member->display_count; i++)
        if (!member->displays[i].is_closed)
            sm_pump_kick(member->displays[i].pump);
}

/* ---- joining ---- */

static void on_handover_closed(void *opaque)
{
    (void)opaque;
}

static int hand_over(struct sm_test_member *member, struct sm_worker *worker, uint8_t channel_id)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct sm_channel_handover *handover = calloc(1, sizeof(*handover));
    *handover = (struct sm_channel_handover){
        .connection_id = member->options.connection_id,
        .channel_type = SM_CHANNEL_DISPLAY,
        .channel_id = channel_id,
        .channel_caps = 1u << SM_DISPLAY_CAP_MONITORS_CONFIG | 1u << SM_DISPLAY_CAP_COMPOSITE |
                        1u << SM_DISPLAY_CAP_A8_SURFACE | 1u << SM_DISPLAY_CAP_LZ4_COMPRESSION,
        .has_mini_header = true,
        .jpeg = member->options.is_lossy ? SM_WAN_ALWAYS : SM_WAN_NEVER,
        .closed = on_handover_closed,
    };
    sm_check_status(sm_socket_transport(&handover->transport, pair[0]), SM_OK);
    sm_worker_connect_display(worker, handover);
    return pair[1];
}

void sm_test_member_join(struct sm_test_member *member, struct sm_worker *worker)
{
    assert_in_range(member->display_count, 0, TEST_MEMBER_DISPLAYS - 1);
    uint8_t id = (uint8_t)member->display_count++;
    struct sm_test_member_display *display = &member->displays[id];
    display->member = member;
    const struct sm_display_client_config config = {
        .setup = {.has_mini_header = true},
        .pixmap_cache_id = 1,
        .pixmap_cache_px = member->options.cache_px,
        .glz_dictionary_id = 1,
        .glz_dictionary_px = member->options.glz_px,
    };
    sm_check_status(sm_display_client_create(&display->client, &config, sm_now_us()), SM_OK);
    const struct sm_canvas_config canvas = {.max_surfaces = 1024,
                                            .max_pixels = 1 << 26,
                                            .cache = member->cache,
                                            .libs = &sm_media_codec_libs,
                                            .window = member->window};
    sm_check_status(sm_canvas_create(&display->canvas, &canvas), SM_OK);
    struct sm_transport *transport;
    sm_check_status(sm_socket_transport(&transport, hand_over(member, worker, id)), SM_OK);
    sm_check_status(sm_pump_create(&display->pump, sm_epoll_loop_base(member->loop), transport,
                                   sm_display_client_machine(display->client), (struct sm_bytes){0},
                                   &CALLBACKS, display),
                    SM_OK);
}

bool sm_test_member_shows(const struct sm_test_member *member, uint32_t display,
                          const uint8_t *pixels)
{
    const struct sm_surface *surface = sm_canvas_surface(member->displays[display].canvas, 0);
    if (!surface)
        return false;
    const struct sm_pixels *shown = sm_surface_pixels(surface);
    for (uint32_t y = 0; y < shown->height; y++) {
        const uint8_t *row = sm_pixels_row(shown, y);
        for (uint32_t x = 0; x < shown->width; x++)
            if (memcmp(row + 4 * x, pixels + ((size_t)y * shown->width + x) * 4, 3) != 0)
                return false;
    }
    return true;
}
