/* SPDX-License-Identifier: MIT */
/* Sessions against a server of our own making, which does what real ones rarely do. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"
#include "tests/support/failmalloc.h"

enum {
    PATIENCE_MS = 10000, /* for what must happen */
    RED = 0xff0000,
    GREEN = 0x00ff00,
    BLUE = 0x0000ff,
    SIDE = 16,
};

/* ---- What the tests do with a session ---- */

static struct sm_session *create(const char *uri)
{
    struct sm_address *address = NULL;
    sm_check_status(sm_address_parse(&address, uri, NULL), SM_OK);
    struct sm_session *session = NULL;
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_address_destroy(address);
    return session;
}

static struct sm_session *connect_to(const struct fake_server *server)
{
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    return session;
}

/* Takes events until one of `kind`; fails the test if it does not come. */
static struct sm_event await_event(struct sm_session *session, enum sm_event_kind kind)
{
    struct sm_event event;
    uint64_t until_us = sm_now_us() + PATIENCE_MS * 1000;
    while (sm_now_us() < until_us) {
        if (!sm_session_wait_event(session, PATIENCE_MS, &event))
            break;
        if (event.kind == kind)
            return event;
        if (event.kind == SM_EVENT_CLOSED)
            fail_msg("the session closed while waiting for event %d: %s", kind, event.error->cause);
    }
    fail_msg("event %d did not come", kind);
    return event;
}

static struct sm_event await_channel(struct sm_session *session, enum sm_event_kind kind,
                                     enum sm_channel_kind channel)
{
    struct sm_event event;
    do {
        event = await_event(session, kind);
    } while (event.channel != channel);
    return event;
}

static uint32_t pixel(struct sm_session *session, uint8_t display, uint32_t x, uint32_t y)
{
    struct sm_display_view view;
    if (sm_display_lock(session, display, &view) != SM_OK)
        return UINT32_MAX;
    const uint8_t *at = view.pixels + y * view.stride_bytes + (size_t)x * 4;
    uint32_t value = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
    sm_display_unlock(session, display);
    return value;
}

static void await_pixel(struct sm_session *session, uint8_t display, uint32_t expected)
{
    uint64_t until_us = sm_now_us() + PATIENCE_MS * 1000;
    while (sm_now_us() < until_us) {
        struct sm_event event;
        if (pixel(session, display, 1, 1) == expected)
            return;
        (void)!sm_session_wait_event(session, 20, &event);
    }
    fail_msg("display %u: pixel is %06x, not %06x", display, pixel(session, display, 1, 1),
             expected);
}

static void check_closed(struct sm_session *session, enum sm_error_kind kind)
{
    struct sm_event event = await_event(session, SM_EVENT_CLOSED);
    if (event.error->kind != kind)
        fail_msg("closed for %s (%s), not for %s", sm_error_kind_name(event.error->kind),
                 event.error->cause, sm_error_kind_name(kind));
    assert_false(sm_session_wait_event(session, 0, &event));
}

/* ---- What the server draws ---- */

static void send_surface(struct fake_peer *peer, uint32_t format)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_SURFACE_CREATE};
    msg.surface_create.width = msg.surface_create.height = SIDE;
    msg.surface_create.format = format;
    msg.surface_create.flags = 1;
    fake_send_display(peer, &msg);
}

static const struct sm_rect WHOLE = {0, 0, SIDE, SIDE};

static void send_fill(struct fake_peer *peer, uint32_t colour)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_FILL};
    msg.draw_fill.base.box = WHOLE;
    msg.draw_fill.brush.type = SM_BRUSH_TYPE_SOLID;
    msg.draw_fill.brush.color = colour;
    msg.draw_fill.ropd = SM_ROPD_OP_PUT;
    fake_send_display(peer, &msg);
}

static void send_type(struct fake_peer *peer, uint16_t type)
{
    fake_send_display(peer, &(struct sm_display_msg){.type = type});
}

static void send_copy(struct fake_peer *peer, const struct sm_image *image)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY};
    msg.draw_copy.base.box = WHOLE;
    msg.draw_copy.src_bitmap = image;
    msg.draw_copy.src_area = WHOLE;
    msg.draw_copy.ropd = SM_ROPD_OP_PUT;
    fake_send_display(peer, &msg);
}

/* Draws a plain image that is to be kept under `id`. */
static void send_image(struct fake_peer *peer, uint64_t id, uint32_t colour)
{
    static _Thread_local uint32_t pixels[SIDE * SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++)
        pixels[i] = colour;
    struct sm_image image = {.id = id,
                             .type = SM_IMAGE_TYPE_BITMAP,
                             .flags = SM_IMAGE_FLAG_CACHE_ME,
                             .width = SIDE,
                             .height = SIDE};
    image.bitmap = (struct sm_bitmap){.format = SM_BITMAP_FORMAT_32BIT,
                                      .flags = SM_BITMAP_FLAG_TOP_DOWN,
                                      .x = SIDE,
                                      .y = SIDE,
                                      .stride = SIDE * 4,
                                      .data = {(const uint8_t *)pixels, sizeof(pixels)}};
    send_copy(peer, &image);
}

static void send_cached(struct fake_peer *peer, uint64_t id)
{
    struct sm_image image = {
        .id = id, .type = SM_IMAGE_TYPE_FROM_CACHE, .width = SIDE, .height = SIDE};
    send_copy(peer, &image);
}

static void begin_display(struct fake_peer *peer)
{
    send_surface(peer, SM_SURFACE_FORMAT_32_XRGB);
    send_fill(peer, BLUE);
    send_type(peer, SM_MSG_DISPLAY_MARK);
}

static void show_blue(struct fake_peer *peer)
{
    begin_display(peer);
    fake_drain(peer);
}

/* ---- Connecting ---- */

static void a_session_tells_what_the_server_told(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_PLAYBACK, 0}},
                                 .channel_count = 2,
                                 .display = show_blue};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_event(session, SM_EVENT_CONNECTED);
    struct sm_session_info info;
    sm_session_get_info(session, &info);
    assert_true(info.is_connected);
    assert_int_equal(info.session_id, FAKE_SESSION_ID);
    assert_string_equal(info.name, "a fake? machine"); /* nothing that moves a terminal's cursor */
    assert_true(info.has_multi_media_time);

    struct sm_channel_info channels[8];
    assert_int_equal(sm_session_get_channels(session, channels, 8), 3);
    assert_int_equal(channels[0].kind, SM_CHANNEL_KIND_MAIN);
    assert_true(channels[0].is_open);
    assert_int_equal(channels[1].kind, SM_CHANNEL_KIND_DISPLAY);
    assert_true(channels[1].is_wanted);
    assert_int_equal(channels[2].kind, SM_CHANNEL_KIND_PLAYBACK);
    assert_false(channels[2].is_wanted);
    assert_int_equal(sm_session_get_channels(session, NULL, 0), 3);

    await_channel(session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_DISPLAY);
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_get_info(session, &info);
    assert_false(info.is_connected);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void check_password(const struct fake_server *server, const char *password,
                           enum sm_error_kind expected)
{
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_password(session, password), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    sm_check_status(sm_session_set_password(session, "late"), SM_ERR_STATE);
    sm_check_status(sm_session_connect(session, NULL), SM_ERR_STATE);
    if (expected == SM_ERROR_NONE)
        await_event(session, SM_EVENT_CONNECTED);
    else
        check_closed(session, expected);
    sm_session_destroy(session);
}

static void passwords_are_right_wrong_or_missing(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.password = "secret"});
    check_password(server, "secret", SM_ERROR_NONE);
    check_password(server, "Secret", SM_ERROR_PASSWORD_WRONG);
    check_password(server, "", SM_ERROR_PASSWORD_NEEDED);
    check_password(server, NULL, SM_ERROR_PASSWORD_NEEDED);
    fake_server_stop(server);
}

static void a_password_that_is_too_long_is_refused_at_once(void **state)
{
    (void)state;
    struct sm_session *session = create("spice+unix:///nowhere");
    char password[62];
    memset(password, 'x', 61);
    password[61] = 0;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    sm_check_status(sm_session_set_password(session, password), SM_OK);
    sm_check_status(sm_session_connect(session, &error), SM_ERR_LIMIT);
    assert_int_equal(error.kind, SM_ERROR_PASSWORD_WRONG);
    sm_session_destroy(session);
}

static void a_refusal_is_told_by_its_kind(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        enum sm_error_kind kind;
    } cases[] = {
        {SM_LINK_ERR_NEED_SECURED, SM_ERROR_TLS_NEEDED},
        {SM_LINK_ERR_NEED_UNSECURED, SM_ERROR_TLS_REFUSED},
        {SM_LINK_ERR_VERSION_MISMATCH, SM_ERROR_VERSION},
        {SM_LINK_ERR_INVALID_DATA, SM_ERROR_PROTOCOL},
        {SM_LINK_ERR_CHANNEL_NOT_AVAILABLE, SM_ERROR_NO_CHANNEL},
        {0x7fffffff, SM_ERROR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake_server *server =
            fake_server_start(&(struct fake_script){.link_error = cases[i].code});
        struct sm_session *session = connect_to(server);
        check_closed(session, cases[i].kind);
        sm_session_destroy(session);
        fake_server_stop(server);
    }
}

static void a_silent_server_is_given_up_or_left_at_once(void **state)
{
    (void)state;
    struct fake_server *server = fake_server_start(&(struct fake_script){.never_replies = true});
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_set_timeout(session, 100), SM_OK);
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    check_closed(session, SM_ERROR_NOT_SPICE);
    sm_session_destroy(session);

    uint64_t start_us = sm_now_us();
    session = connect_to(server);
    sm_session_destroy(session);
    assert_true(sm_now_us() - start_us < 2000000);
    fake_server_stop(server);
}

static void a_session_that_was_not_connected_can_be_closed(void **state)
{
    (void)state;
    struct sm_session *session = create("spice://host:1");
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_destroy(session);
    sm_session_destroy(NULL);
}

/* The threads of a session count their own allocations; here it is the caller's turn. */
static void connect_without_memory(void *context)
{
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    if (sm_address_parse(&address, context, NULL) != SM_OK)
        return;
    if (sm_session_create(&session, address) == SM_OK) {
        struct sm_error error = {.kind = SM_ERROR_NONE};
        enum sm_status status = sm_session_set_password(session, "secret");
        if (status == SM_OK)
            status = sm_session_connect(session, &error);
        assert_true(status == SM_OK || status == SM_ERR_NOMEM);
        if (status != SM_OK && error.kind != SM_ERROR_NONE)
            assert_int_equal(error.kind, SM_ERROR_NOMEM);
        sm_session_destroy(session);
    }
    sm_address_destroy(address);
}

static void every_failing_allocation_of_the_caller_is_survived(void **state)
{
    (void)state;
    char missing[] = "spice+unix:///does/not/exist?";
    sm_failmalloc_each(connect_without_memory, missing);
}

static void a_wake_ends_a_wait_without_an_event(void **state)
{
    (void)state;
    struct sm_session *session = create("spice://host:1");
    struct sm_event event;
    sm_session_wake(session);
    uint64_t start_us = sm_now_us();
    assert_false(sm_session_wait_event(session, PATIENCE_MS, &event));
    assert_true(sm_now_us() - start_us < PATIENCE_MS * 500);
    assert_false(sm_session_wait_event(session, 10, &event)); /* one wake, one end */
    sm_session_destroy(session);
}

/* ---- Channels that end ---- */

static void end_display(struct fake_peer *peer)
{
    begin_display(peer);
}

static void a_channel_may_end_without_the_session(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}, {SM_CHANNEL_INPUTS, 0}},
                                 .channel_count = 2,
                                 .display = end_display,
                                 .inputs = fake_drain};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_event event =
        await_channel(session, SM_EVENT_CHANNEL_CLOSED, SM_CHANNEL_KIND_DISPLAY);
    assert_int_equal(event.error->kind, SM_ERROR_CLOSED);
    assert_int_equal(pixel(session, 0, 1, 1), BLUE); /* the last picture stays */
    struct sm_session_info info;
    sm_session_get_info(session, &info);
    assert_true(info.is_connected);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void end_main(struct fake_peer *peer)
{
    fake_wait_step(peer, 0);
    (void)shutdown(peer->fd, 2);
}

static void show_then_end_main(struct fake_peer *peer)
{
    begin_display(peer);
    fake_step(peer, 0);
    fake_drain(peer);
}

static void the_end_of_main_ends_everything(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}},
                                 .channel_count = 1,
                                 .display = show_then_end_main,
                                 .main_too = end_main};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    check_closed(session, SM_ERROR_CLOSED);
    struct sm_channel_info channels[4];
    size_t count = sm_session_get_channels(session, channels, 4);
    for (size_t i = 0; i < count; i++)
        assert_false(channels[i].is_open);
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void send_rubbish(struct fake_peer *peer)
{
    begin_display(peer);
    /* A fill whose body is cut: a known type that cannot be parsed. */
    static const uint8_t rubbish[] = {0x2e, 0x01, 3, 0, 0, 0, 1, 2, 3};
    (void)!write(peer->fd, rubbish, sizeof(rubbish));
    fake_drain(peer);
}

static void a_channel_that_breaks_the_protocol_is_closed(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_DISPLAY, 0}}, .channel_count = 1, .display = send_rubbish};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_event event =
        await_channel(session, SM_EVENT_CHANNEL_CLOSED, SM_CHANNEL_KIND_DISPLAY);
    assert_int_equal(event.error->kind, SM_ERROR_PROTOCOL);
    sm_session_destroy(session);
    fake_server_stop(server);
}

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

/* ---- Input ---- */

static atomic_uint keys_down, keys_up;

static void count_keys(struct fake_peer *peer)
{
    struct sm_inputs_msg msg = {.type = SM_MSG_INPUTS_INIT};
    msg.init.keyboard_modifiers = 2;
    fake_send_inputs(peer, &msg);
    usleep(20000); /* a slow server: the client must not end before we have read all */
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    while (fake_read(peer, &type, &body, &size)) {
        keys_down += type == SM_MSGC_INPUTS_KEY_DOWN;
        keys_up += type == SM_MSGC_INPUTS_KEY_UP;
        free(body);
    }
}

static void input_is_delivered_before_the_session_ends(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct fake_script script = {
        .channels = {{SM_CHANNEL_INPUTS, 0}}, .channel_count = 1, .inputs = count_keys};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    keys_down = keys_up = 0;
    sm_check_status(sm_session_send_key(session, 0x1e, true), SM_ERR_STATE);
    await_channel(session, SM_EVENT_CHANNEL_OPEN, SM_CHANNEL_KIND_INPUTS);
    struct sm_key_chord chord = {.keys = {SM_KEY_LEFT_SHIFT, 0x1e}, .count = 2};
    for (int i = 0; i < COUNT; i++)
        sm_check_status(sm_session_send_chord(session, &chord), SM_OK);
    sm_session_close(session);
    check_closed(session, SM_ERROR_NONE);
    sm_session_destroy(session);
    fake_server_stop(server);
    assert_int_equal(keys_down, 2 * COUNT);
    assert_int_equal(keys_up, 2 * COUNT);
}

static void lock_keys_are_told(void **state)
{
    (void)state;
    struct fake_script script = {
        .channels = {{SM_CHANNEL_INPUTS, 0}}, .channel_count = 1, .inputs = count_keys};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    struct sm_session_info info = {.keyboard_leds = 0};
    while (info.keyboard_leds != 2) {
        await_event(session, SM_EVENT_INFO);
        sm_session_get_info(session, &info);
    }
    sm_session_destroy(session);
    fake_server_stop(server);
}

static void input_out_of_range_is_refused(void **state)
{
    (void)state;
    struct fake_script script = {.channels = {{SM_CHANNEL_INPUTS, 0}, {SM_CHANNEL_DISPLAY, 0}},
                                 .channel_count = 2,
                                 .mouse_mode = SM_MOUSE_MODE_CLIENT,
                                 .display = show_blue,
                                 .inputs = count_keys};
    struct fake_server *server = fake_server_start(&script);
    struct sm_session *session = connect_to(server);
    await_pixel(session, 0, BLUE);
    struct sm_channel_info channels[3] = {{.is_open = false}};
    while (!channels[1].is_open) {
        (void)sm_session_get_channels(session, channels, 3);
        usleep(1000);
    }
    struct sm_key_chord none = {.count = 0}, bad = {.keys = {0}, .count = 1};
    sm_check_status(sm_session_send_key(session, 0, true), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_key(session, 0x80, true), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_chord(session, &none), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_chord(session, &bad), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_leds(session, 8), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_button(session, (enum sm_button)0, true), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_button(session, (enum sm_button)8, true), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_position(session, 0, SIDE - 1, SIDE - 1), SM_OK);
    sm_check_status(sm_session_send_position(session, 0, SIDE, 0), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_position(session, 5, 0, 0), SM_ERR_LIMIT);
    sm_check_status(sm_session_send_motion(session, 1, 1), SM_ERR_STATE); /* mode client */
    sm_session_destroy(session);
    fake_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_tells_what_the_server_told),
        cmocka_unit_test(passwords_are_right_wrong_or_missing),
        cmocka_unit_test(a_password_that_is_too_long_is_refused_at_once),
        cmocka_unit_test(a_refusal_is_told_by_its_kind),
        cmocka_unit_test(a_silent_server_is_given_up_or_left_at_once),
        cmocka_unit_test(a_session_that_was_not_connected_can_be_closed),
        cmocka_unit_test(every_failing_allocation_of_the_caller_is_survived),
        cmocka_unit_test(a_wake_ends_a_wait_without_an_event),
        cmocka_unit_test(a_channel_may_end_without_the_session),
        cmocka_unit_test(the_end_of_main_ends_everything),
        cmocka_unit_test(a_channel_that_breaks_the_protocol_is_closed),
        cmocka_unit_test(a_display_is_ready_when_it_is_marked),
        cmocka_unit_test(monitors_are_parts_of_the_surface),
        cmocka_unit_test(surfaces_of_16_bits_are_shown_as_32),
        cmocka_unit_test(an_image_is_awaited_from_another_display),
        cmocka_unit_test(an_image_that_nobody_can_bring_is_not_awaited),
        cmocka_unit_test(a_display_waits_for_another_s_messages),
        cmocka_unit_test(a_wait_without_end_does_not_hold_up_the_session_s_end),
        cmocka_unit_test(a_stream_that_cannot_be_shown_is_refused),
        cmocka_unit_test(input_is_delivered_before_the_session_ends),
        cmocka_unit_test(lock_keys_are_told),
        cmocka_unit_test(input_out_of_range_is_refused),
    };
    return cmocka_run_group_tests_name("client session", tests, NULL, NULL);
}
