/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "tests/client/sessions.h"

#include "io/clock.h"

/* ---- What the tests do with a session ---- */

struct sm_session *create(const char *uri)
{
    struct sm_address *address = NULL;
    sm_check_status(sm_address_parse(&address, uri, NULL), SM_OK);
    struct sm_session *session = NULL;
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_address_destroy(address);
    return session;
}

struct sm_session *connect_to(const struct fake_server *server)
{
    struct sm_session *session = create(fake_server_uri(server));
    sm_check_status(sm_session_connect(session, NULL), SM_OK);
    return session;
}

/* Takes events until one of `kind`; fails the test if it does not come. */
struct sm_event await_event(struct sm_session *session, enum sm_event_kind kind)
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

struct sm_event await_channel(struct sm_session *session, enum sm_event_kind kind,
                              enum sm_channel_kind channel)
{
    struct sm_event event;
    do {
        event = await_event(session, kind);
    } while (event.channel != channel);
    return event;
}

uint32_t pixel(struct sm_session *session, uint8_t display, uint32_t x, uint32_t y)
{
    struct sm_display_view view;
    if (sm_display_lock(session, display, &view) != SM_OK)
        return UINT32_MAX;
    const uint8_t *at = view.pixels + y * view.stride_bytes + (size_t)x * 4;
    uint32_t value = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
    sm_display_unlock(session, display);
    return value;
}

void await_pixel(struct sm_session *session, uint8_t display, uint32_t expected)
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

void check_closed(struct sm_session *session, enum sm_error_kind kind)
{
    struct sm_event event = await_event(session, SM_EVENT_CLOSED);
    if (event.error->kind != kind)
        fail_msg("closed for %s (%s), not for %s", sm_error_kind_name(event.error->kind),
                 event.error->cause, sm_error_kind_name(kind));
    assert_false(sm_session_wait_event(session, 0, &event));
}

/* ---- What the server draws ---- */

void send_surface(struct fake_peer *peer, uint32_t format)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_SURFACE_CREATE};
    msg.surface_create.width = msg.surface_create.height = SIDE;
    msg.surface_create.format = format;
    msg.surface_create.flags = 1;
    fake_send_display(peer, &msg);
}

const struct sm_rect WHOLE = {0, 0, SIDE, SIDE};

void send_fill(struct fake_peer *peer, uint32_t colour)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_FILL};
    msg.draw_fill.base.box = WHOLE;
    msg.draw_fill.brush.type = SM_BRUSH_TYPE_SOLID;
    msg.draw_fill.brush.color = colour;
    msg.draw_fill.ropd = SM_ROPD_OP_PUT;
    fake_send_display(peer, &msg);
}

void send_type(struct fake_peer *peer, uint16_t type)
{
    fake_send_display(peer, &(struct sm_display_msg){.type = type});
}

void send_copy(struct fake_peer *peer, const struct sm_image *image)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY};
    msg.draw_copy.base.box = WHOLE;
    msg.draw_copy.src_bitmap = image;
    msg.draw_copy.src_area = WHOLE;
    msg.draw_copy.ropd = SM_ROPD_OP_PUT;
    fake_send_display(peer, &msg);
}

/* Draws a plain image that is to be kept under `id`. */
void send_image(struct fake_peer *peer, uint64_t id, uint32_t colour)
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

void send_cached(struct fake_peer *peer, uint64_t id)
{
    struct sm_image image = {
        .id = id, .type = SM_IMAGE_TYPE_FROM_CACHE, .width = SIDE, .height = SIDE};
    send_copy(peer, &image);
}

void begin_display(struct fake_peer *peer)
{
    send_surface(peer, SM_SURFACE_FORMAT_32_XRGB);
    send_fill(peer, BLUE);
    send_type(peer, SM_MSG_DISPLAY_MARK);
}

void show_blue(struct fake_peer *peer)
{
    begin_display(peer);
    fake_drain(peer);
}
