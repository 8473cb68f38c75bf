/* SPDX-License-Identifier: MIT */
/* What each message of a display channel does, with the display's lock held. */
#include <string.h>
#include <time.h>

#include "client/display_channel.h"
#include "client/session_private.h"
#include "io/clock.h"
#include "media/video_loader.h"

void sm_client_display_changed(struct sm_client_channel *channel, struct sm_rect damage)
{
    struct sm_client_display *display = channel->self;
    display->changed_us = sm_now_us();
    if (!display->last) /* else it is not looked at yet */
        sm_damage_add(&display->damage, damage, display->changed_us);
}

void sm_client_display_tell(void *opaque, struct sm_rect damage)
{
    struct sm_client_channel *channel = opaque;
    struct sm_event event = {
        .kind = SM_EVENT_DISPLAY_DAMAGE,
        .channel = channel->kind,
        .channel_id = channel->id,
        .damage = damage,
    };
    sm_events_put(&channel->session->events, &event);
}

static void reconfigured(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    display->changed_us = sm_now_us();
    sm_damage_flush(&display->damage);
    sm_session_tell(channel->session, SM_EVENT_DISPLAY_CONFIG, channel);
}

void sm_client_display_left_out(struct sm_client_channel *channel, const char *why)
{
    struct sm_client_display *display = channel->self;
    display->failed_drawings++;
    sm_log_at(&channel->session->log, SM_LOG_WARNING, "display %u: a drawing was left out: %s",
              channel->id, why);
}

/* ---- Drawing ---- */

static bool is_drawing(uint16_t type)
{
    return type == SM_MSG_DISPLAY_COPY_BITS ||
           (type >= SM_MSG_DISPLAY_DRAW_FILL && type <= SM_MSG_DISPLAY_DRAW_ALPHA_BLEND) ||
           type == SM_MSG_DISPLAY_DRAW_COMPOSITE;
}

/* For people. What comes from a cache has come before. */
static const char *image_codec(const struct sm_image *image)
{
    switch (image->type) {
    case SM_IMAGE_TYPE_BITMAP:
        return "bitmap";
    case SM_IMAGE_TYPE_QUIC:
        return "QUIC";
    case SM_IMAGE_TYPE_LZ_PLT:
    case SM_IMAGE_TYPE_LZ_RGB:
        return "LZ";
    case SM_IMAGE_TYPE_GLZ_RGB:
        return "GLZ";
    case SM_IMAGE_TYPE_ZLIB_GLZ_RGB:
        return "GLZ, zlib";
    case SM_IMAGE_TYPE_JPEG:
    case SM_IMAGE_TYPE_JPEG_ALPHA:
        return "JPEG";
    case SM_IMAGE_TYPE_LZ4:
        return "LZ4";
    default:
        return NULL;
    }
}

static const char *video_codec(unsigned type)
{
    static const char *const names[] = {
        [SM_VIDEO_CODEC_MJPEG] = "MJPEG", [SM_VIDEO_CODEC_VP8] = "VP8",
        [SM_VIDEO_CODEC_H264] = "H.264",  [SM_VIDEO_CODEC_VP9] = "VP9",
        [SM_VIDEO_CODEC_H265] = "H.265",  [SM_VIDEO_CODEC_AV1] = "AV1",
    };
    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

/* Which codec is at work, for those who look at the line. */
static void note_codec(struct sm_client_display *display, const struct sm_display_msg *msg)
{
    const char *codec = NULL;
    if (msg->type == SM_MSG_DISPLAY_DRAW_COPY)
        codec = image_codec(msg->draw_copy.src_bitmap);
    else if (msg->type == SM_MSG_DISPLAY_STREAM_CREATE)
        display->stream_codec = video_codec(msg->stream_create.codec_type);
    else if (msg->type == SM_MSG_DISPLAY_STREAM_DATA ||
             msg->type == SM_MSG_DISPLAY_STREAM_DATA_SIZED)
        codec = display->stream_codec;
    if (!codec)
        return;
    display->codec = codec;
    display->is_on_card = false; /* but for a frame that is */
}

/* SM_AGAIN: the drawing waits for an image. */
static enum sm_status draw(struct sm_client_channel *channel, const struct sm_display_msg *msg)
{
    struct sm_client_display *display = channel->self;
    struct sm_region damage;
    sm_region_init(&damage);
    note_codec(display, msg);
    enum sm_status status = sm_canvas_draw(display->canvas, msg, &damage);
    if (status != SM_AGAIN)
        display->drawings++;
    /* Every drawing message begins with its base. */
    if (msg->copy_bits.base.surface_id == 0 && !display->gl.is_shown &&
        !sm_region_is_empty(&damage))
        sm_client_display_changed(channel, sm_region_bounds(&damage));
    sm_region_finish(&damage);
    if (status == SM_ERR_PROTOCOL || status == SM_ERR_LIMIT) {
        sm_client_display_left_out(channel, sm_canvas_reason(display->canvas));
        return SM_OK;
    }
    return status;
}

static void refuse_stream(struct sm_client_display *display, uint32_t id)
{
    struct sm_display_msgc report = {
        .type = SM_MSGC_DISPLAY_STREAM_REPORT,
        .stream_report = {.stream_id = id, .num_drops = UINT32_MAX},
    };
    /* If it does not go out now, the stream's next frame brings us here again. */
    (void)!sm_display_client_send(display->client, &report);
}

static void load_module(struct sm_client_display *display)
{
    if (atomic_load(&display->is_module_loaded))
        return; /* asked twice */
    display->module = sm_video_module_load();
    display->card = display->module ? display->module->open_card() : NULL;
    atomic_store(&display->is_module_loaded, true);
}

static void load_call(struct sm_client_channel *main, const void *argument)
{
    struct sm_client_display *display;
    (void)main;
    memcpy(&display, argument, sizeof(display));
    load_module(display);
}

/*
 * Our thread cannot open files any more, so main's loads the module of codecs and opens the
 * graphics card. It answers soon, or has us stop; it ends before displays do.
 */
static void have_module_loaded(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    atomic_bool *is_loaded = &display->is_module_loaded;
    if (!channel->is_confined)
        load_module(display);
    else if (!atomic_load(is_loaded) &&
             sm_client_channel_post(channel->session->channels[0], load_call, &display,
                                    sizeof(display)) != SM_OK)
        return;
    static const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    while (!atomic_load(is_loaded) && !atomic_load(&channel->is_stopped))
        (void)nanosleep(&pause, NULL);
    if (!atomic_load(is_loaded))
        return;
    display->streams.module = display->module;
    display->streams.card = display->card;
}

static enum sm_status take_stream(struct sm_client_channel *channel,
                                  const struct sm_display_msg *msg)
{
    struct sm_client_display *display = channel->self;
    struct sm_region damage;
    sm_region_init(&damage);
    if (msg->type == SM_MSG_DISPLAY_STREAM_CREATE &&
        msg->stream_create.codec_type != SM_VIDEO_CODEC_MJPEG)
        have_module_loaded(channel);
    uint32_t refused = 0;
    note_codec(display, msg);
    enum sm_status status =
        sm_streams_take(&display->streams, display->canvas, msg, &damage, &refused);
    if (msg->type == SM_MSG_DISPLAY_STREAM_DATA || msg->type == SM_MSG_DISPLAY_STREAM_DATA_SIZED)
        display->is_on_card = display->streams.is_on_card;
    if (!sm_region_is_empty(&damage))
        sm_client_display_changed(channel, sm_region_bounds(&damage));
    sm_region_finish(&damage);
    if (status == SM_ERR_STATE) {
        refuse_stream(display, refused);
        return SM_OK;
    }
    if (status == SM_ERR_PROTOCOL || status == SM_ERR_LIMIT) {
        sm_client_display_left_out(channel, "a stream's message made no sense");
        return SM_OK;
    }
    return status;
}

/* Source: docs/wire/display.md, MONITORS_CONFIG: no heads, no message; too many are cut. */
static void take_monitors(struct sm_client_channel *channel,
                          const struct sm_msg_display_monitors_config *config)
{
    struct sm_client_display *display = channel->self;
    uint32_t allowed = config->max_allowed ? config->max_allowed : 1;
    uint32_t count = config->num_heads < allowed ? config->num_heads : allowed;
    if (count == 0)
        return;
    display->head_count = count < SM_MONITORS_MAX ? count : SM_MONITORS_MAX;
    for (size_t i = 0; i < display->head_count; i++)
        display->heads[i] = config->heads[i];
    reconfigured(channel);
}

/* Creating, destroying and the caches. A message about the primary changes what is shown. */
static enum sm_status apply(struct sm_client_channel *channel, const struct sm_display_msg *msg)
{
    struct sm_client_display *display = channel->self;
    enum sm_status status = sm_canvas_apply(display->canvas, msg);
    if (status == SM_ERR_NOMEM)
        return status;
    if (status != SM_OK) {
        sm_client_display_left_out(channel, sm_canvas_reason(display->canvas));
        return SM_OK;
    }
    switch (msg->type) {
    case SM_MSG_DISPLAY_SURFACE_CREATE:
        if (msg->surface_create.surface_id == 0) {
            sm_gl_view_finish(&display->gl);
            reconfigured(channel);
        }
        break;
    case SM_MSG_DISPLAY_SURFACE_DESTROY:
        if (msg->surface_destroy.surface_id == 0) {
            display->is_marked = display->gl.is_shown;
            reconfigured(channel);
        }
        break;
    case SM_MSG_DISPLAY_RESET:
        sm_gl_view_finish(&display->gl);
        display->is_marked = false;
        reconfigured(channel);
        break;
    case SM_MSG_DISPLAY_MODE:
        display->head_count = 0;
        reconfigured(channel);
        break;
    default:
        break;
    }
    return SM_OK;
}

static enum sm_status take_scanout(struct sm_client_channel *channel,
                                   const struct sm_msg_display_gl_scanout_unix *msg)
{
    struct sm_client_display *display = channel->self;
    struct sm_gl_view *gl = &display->gl;
    bool was_shown =
        gl->is_shown && gl->pixels.width == msg->width && gl->pixels.height == msg->height;
    const char *reason = "";
    int fd = msg->drm_fourcc_format ? sm_transport_take_fd(sm_pump_transport(channel->pump)) : -1;
    enum sm_status status = sm_gl_view_take(gl, msg, fd, &reason);
    if (status == SM_ERR_NOMEM)
        return status;
    if (status != SM_OK)
        sm_client_display_left_out(channel, reason);
    if (was_shown && gl->is_shown) {
        sm_client_display_changed(
            channel, (struct sm_rect){0, 0, (int32_t)msg->width, (int32_t)msg->height});
        return SM_OK;
    }
    display->is_marked = true;
    display->head_count = 0; /* they were the former picture's */
    reconfigured(channel);
    return SM_OK;
}

/* The guest waits for the answer, whatever became of the picture. */
static enum sm_status draw_scanout(struct sm_client_channel *channel,
                                   const struct sm_msg_display_gl_draw *msg)
{
    struct sm_client_display *display = channel->self;
    struct sm_rect damage;
    if (sm_gl_view_draw(&display->gl, msg, &damage) != SM_OK)
        sm_client_display_left_out(channel, "the memory of the GL buffer went away");
    display->drawings++;
    if (!sm_rect_is_empty(damage))
        sm_client_display_changed(channel, damage);
    const struct sm_display_msgc done = {.type = SM_MSGC_DISPLAY_GL_DRAW_DONE};
    enum sm_status status = sm_display_client_send(display->client, &done);
    return status == SM_AGAIN ? SM_ERR_LIMIT : status;
}

static void mark(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (!sm_canvas_surface(display->canvas, 0))
        return; /* a mark without a primary says nothing */
    display->is_marked = true;
    if (display->last) { /* now there is something to look at in its place */
        const struct sm_pixels *pixels = sm_surface_pixels(sm_canvas_surface(display->canvas, 0));
        sm_canvas_destroy(display->last);
        display->last = NULL;
        struct sm_rect all = {0, 0, (int32_t)pixels->width, (int32_t)pixels->height};
        sm_client_display_changed(channel, all);
    }
    reconfigured(channel);
}

enum sm_status sm_client_display_take(struct sm_client_channel *channel,
                                      const struct sm_display_msg *msg)
{
    if (is_drawing(msg->type))
        return draw(channel, msg);
    if (sm_streams_is_theirs(msg->type))
        return take_stream(channel, msg);
    switch (msg->type) {
    case SM_MSG_DISPLAY_MARK:
        mark(channel);
        return SM_OK;
    case SM_MSG_DISPLAY_GL_SCANOUT_UNIX:
        return take_scanout(channel, &msg->gl_scanout_unix);
    case SM_MSG_DISPLAY_GL_DRAW:
        return draw_scanout(channel, &msg->gl_draw);
    case SM_MSG_DISPLAY_MONITORS_CONFIG:
        take_monitors(channel, &msg->monitors_config);
        return SM_OK;
    case SM_MSG_DISPLAY_MODE:
    case SM_MSG_DISPLAY_RESET:
    case SM_MSG_DISPLAY_SURFACE_CREATE:
    case SM_MSG_DISPLAY_SURFACE_DESTROY:
    case SM_MSG_DISPLAY_INVAL_LIST:
    case SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS:
    case SM_MSG_DISPLAY_INVAL_PALETTE:
    case SM_MSG_DISPLAY_INVAL_ALL_PALETTES:
        return apply(channel, msg);
    default: /* base messages, and what nobody sends to a client of our capabilities */
        return SM_OK;
    }
}
