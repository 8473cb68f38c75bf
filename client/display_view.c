/* SPDX-License-Identifier: MIT */
/* Looking at displays from other threads. */
#include <stdlib.h>
#include <string.h>

#include "client/display_channel.h"
#include "client/session_private.h"
#include "io/clock.h"

enum { BYTES_A_PIXEL = 4 };

struct sm_canvas *sm_client_display_shown(const struct sm_client_display *display)
{
    return display->last ? display->last : display->canvas;
}

static const struct sm_pixels *primary(const struct sm_client_display *display)
{
    if (display->gl.is_shown)
        return &display->gl.pixels;
    const struct sm_canvas *canvas = sm_client_display_shown(display);
    const struct sm_surface *surface = canvas ? sm_canvas_surface(canvas, 0) : NULL;
    return surface ? sm_surface_pixels(surface) : NULL;
}

/* Source: docs/client.md, "Displays". */
static uint32_t number_of(uint8_t channel_id, uint32_t monitor_id)
{
    return channel_id == 0 ? monitor_id : channel_id + monitor_id;
}

static struct sm_monitor monitor_of(uint8_t channel_id, const struct sm_head *head,
                                    const struct sm_pixels *pixels)
{
    struct sm_monitor monitor = {
        .number = number_of(channel_id, head->monitor_id),
        .id = head->monitor_id,
    };
    if (head->x >= pixels->width || head->y >= pixels->height)
        return monitor;
    uint32_t width = pixels->width - head->x, height = pixels->height - head->y;
    monitor.area.left = (int32_t)head->x;
    monitor.area.top = (int32_t)head->y;
    monitor.area.right = (int32_t)(head->x + (head->width < width ? head->width : width));
    monitor.area.bottom = (int32_t)(head->y + (head->height < height ? head->height : height));
    return monitor;
}

/* With the display's lock held. */
static size_t list_monitors(struct sm_monitor *out, uint8_t channel_id,
                            const struct sm_client_display *display, const struct sm_pixels *pixels)
{
    if (!pixels)
        return 0;
    if (display->head_count == 0) {
        struct sm_head whole = {.width = pixels->width, .height = pixels->height};
        out[0] = monitor_of(channel_id, &whole, pixels);
        return 1;
    }
    for (size_t i = 0; i < display->head_count; i++)
        out[i] = monitor_of(channel_id, &display->heads[i], pixels);
    return display->head_count;
}

static void fill_info(struct sm_display_info *info, struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    pthread_mutex_lock(&display->lock);
    const struct sm_pixels *pixels = primary(display);
    *info = (struct sm_display_info){
        .channel_id = channel->id,
        .has_surface = pixels != NULL,
        .is_ready = pixels && (display->is_marked || display->last),
        .width = pixels ? pixels->width : 0,
        .height = pixels ? pixels->height : 0,
        .drawings = display->drawings,
        .failed_drawings = display->failed_drawings,
        .quiet_us = sm_now_us() - display->changed_us,
        .codec = display->codec ? display->codec : "",
        .is_on_card = display->is_on_card,
    };
    info->monitor_count = list_monitors(info->monitors, channel->id, display, pixels);
    pthread_mutex_unlock(&display->lock);
}

/* Open, or without its line for a while: then its last picture is there. */
static bool is_shown(const struct sm_client_channel *channel)
{
    const struct sm_session *session = channel->session;
    return channel->state == SM_CLIENT_CHANNEL_OPEN ||
           (channel->was_opened && atomic_load(&session->comeback.is_due));
}

/* The open display channels, by id. */
static size_t list_displays(struct sm_session *session, struct sm_client_channel **out)
{
    size_t count = 0;
    pthread_mutex_lock(&session->lock);
    for (unsigned id = 0; id <= UINT8_MAX; id++)
        for (size_t i = 0; i < session->channel_count; i++) {
            struct sm_client_channel *channel = session->channels[i];
            if (channel->kind == SM_CHANNEL_KIND_DISPLAY && channel->id == id && is_shown(channel))
                out[count++] = channel;
        }
    pthread_mutex_unlock(&session->lock);
    return count;
}

size_t sm_session_get_displays(struct sm_session *session, struct sm_display_info *out, size_t room)
{
    struct sm_client_channel *channels[SM_SESSION_CHANNELS_MAX];
    size_t count = list_displays(session, channels);
    for (size_t i = 0; i < count && i < room; i++)
        fill_info(&out[i], channels[i]);
    return count;
}

static uint32_t widen_5(uint32_t value)
{
    return value << 3 | value >> 2;
}

static uint32_t widen_6(uint32_t value)
{
    return value << 2 | value >> 4;
}

static uint32_t widen_pixel(uint16_t pixel, enum sm_pixel_format format)
{
    if (format == SM_PIXEL_RGB565)
        return widen_5(pixel >> 11) << 16 | widen_6(pixel >> 5 & 0x3f) << 8 | widen_5(pixel & 0x1f);
    return widen_5(pixel >> 10 & 0x1f) << 16 | widen_5(pixel >> 5 & 0x1f) << 8 |
           widen_5(pixel & 0x1f);
}

/* A surface of 16 bits as one of 32, in memory that the display keeps until it is unlocked. */
static enum sm_status convert(struct sm_client_display *display, const struct sm_pixels *pixels)
{
    size_t stride_bytes = (size_t)pixels->width * BYTES_A_PIXEL;
    uint8_t *converted = malloc(stride_bytes * pixels->height);
    if (!converted)
        return SM_ERR_NOMEM;
    for (uint32_t y = 0; y < pixels->height; y++) {
        const uint8_t *from = sm_pixels_row(pixels, y);
        uint8_t *to = converted + y * stride_bytes;
        for (uint32_t x = 0; x < pixels->width; x++) {
            uint16_t pixel = (uint16_t)(from[2 * x] | from[2 * x + 1] << 8);
            uint32_t wide = widen_pixel(pixel, pixels->format);
            to[4 * x] = (uint8_t)wide;
            to[4 * x + 1] = (uint8_t)(wide >> 8);
            to[4 * x + 2] = (uint8_t)(wide >> 16);
            to[4 * x + 3] = 0;
        }
    }
    free(display->converted);
    display->converted = converted;
    return SM_OK;
}

/* What is not painted is told, if the reader can do with that; else painted. */
static size_t take_fills(struct sm_client_display *display, const struct sm_pixels *pixels,
                         bool is_sparse)
{
    struct sm_canvas *canvas = sm_client_display_shown(display);
    if (display->gl.is_shown)
        return 0;
    if (!is_sparse || sm_pixel_bits(pixels->format) != 32) {
        sm_canvas_settle(canvas);
        return 0;
    }
    struct sm_canvas_fill fills[SM_CANVAS_FILLS_MAX];
    size_t count = sm_canvas_fills(canvas, 0, fills);
    for (size_t i = 0; i < count; i++)
        display->fills[i] = (struct sm_display_fill){fills[i].rect, fills[i].color};
    return count;
}

/* With the display's lock held. */
static enum sm_status fill_view(struct sm_display_view *view, struct sm_client_channel *channel,
                                bool is_sparse)
{
    struct sm_client_display *display = channel->self;
    const struct sm_pixels *pixels = primary(display);
    if (!pixels)
        return SM_ERR_STATE;
    size_t fill_count = take_fills(display, pixels, is_sparse);
    const uint8_t *first = pixels->data;
    size_t stride_bytes = (size_t)pixels->stride_bytes;
    if (pixels->format == SM_PIXEL_RGB555 || pixels->format == SM_PIXEL_RGB565) {
        enum sm_status status = convert(display, pixels);
        if (status != SM_OK)
            return status;
        first = display->converted;
        stride_bytes = (size_t)pixels->width * BYTES_A_PIXEL;
    } else if (pixels->format != SM_PIXEL_XRGB32 && pixels->format != SM_PIXEL_ARGB32) {
        return SM_ERR_STATE; /* alpha alone is no picture */
    }
    view->pixels = first;
    view->stride_bytes = stride_bytes;
    view->width = pixels->width;
    view->height = pixels->height;
    view->monitor_count = list_monitors(view->monitors, channel->id, display, pixels);
    view->fills = display->fills;
    view->fill_count = fill_count;
    return SM_OK;
}

static struct sm_client_display *find_display(struct sm_session *session, uint8_t channel_id,
                                              struct sm_client_channel **channel)
{
    *channel = sm_session_find(session, SM_CHANNEL_KIND_DISPLAY, channel_id);
    if (!*channel)
        return NULL;
    pthread_mutex_lock(&session->lock);
    bool was_opened = (*channel)->was_opened;
    pthread_mutex_unlock(&session->lock);
    return was_opened ? (*channel)->self : NULL;
}

static enum sm_status lock(struct sm_session *session, uint8_t channel_id,
                           struct sm_display_view *view, bool is_sparse)
{
    struct sm_client_channel *channel;
    struct sm_client_display *display = find_display(session, channel_id, &channel);
    if (!display)
        return SM_ERR_STATE;
    pthread_mutex_lock(&display->lock);
    enum sm_status status = fill_view(view, channel, is_sparse);
    if (status != SM_OK)
        pthread_mutex_unlock(&display->lock);
    return status;
}

enum sm_status sm_display_lock(struct sm_session *session, uint8_t channel_id,
                               struct sm_display_view *view)
{
    return lock(session, channel_id, view, false);
}

enum sm_status sm_display_lock_sparse(struct sm_session *session, uint8_t channel_id,
                                      struct sm_display_view *view)
{
    return lock(session, channel_id, view, true);
}

void sm_display_unlock(struct sm_session *session, uint8_t channel_id)
{
    struct sm_client_channel *channel;
    struct sm_client_display *display = find_display(session, channel_id, &channel);
    if (!display)
        return;
    free(display->converted);
    display->converted = NULL;
    pthread_mutex_unlock(&display->lock);
}
