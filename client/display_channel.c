/* SPDX-License-Identifier: MIT */
#include "client/display_channel.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "core/base/cpu.h"
#include "io/clock.h"
#include "media/libs.h"
#include "media/video_loader.h"

enum {
    SURFACES_MAX = 1024,       /* ids of the reference server are below */
    SURFACES_MAX_PX = 1 << 27, /* 512 MiB at 4 bytes: 16384 × 8192 */
    WAIT_MS = 5000,            /* for an image that another channel is to bring */
    CACHE_ID = 1,              /* shared by all displays of a session, as is the window */
};

static uint32_t caps(const struct sm_session *session)
{
    (void)session;
    uint32_t codecs = 1u << SM_DISPLAY_CAP_MULTI_CODEC | 1u << SM_DISPLAY_CAP_CODEC_MJPEG;
    if (sm_video_module_exists())
        codecs |= 1u << SM_DISPLAY_CAP_CODEC_VP8 | 1u << SM_DISPLAY_CAP_CODEC_VP9 |
                  1u << SM_DISPLAY_CAP_CODEC_H264 | 1u << SM_DISPLAY_CAP_CODEC_H265 |
                  1u << SM_DISPLAY_CAP_CODEC_AV1;
    return codecs | 1u << SM_DISPLAY_CAP_SIZED_STREAM | 1u << SM_DISPLAY_CAP_MONITORS_CONFIG |
           1u << SM_DISPLAY_CAP_COMPOSITE | 1u << SM_DISPLAY_CAP_A8_SURFACE |
           1u << SM_DISPLAY_CAP_LZ4_COMPRESSION;
}

static enum sm_status make_canvas(struct sm_client_display *display,
                                  const struct sm_session *session)
{
    struct sm_canvas_config config = {
        .max_surfaces = SURFACES_MAX,
        .max_pixels = SURFACES_MAX_PX,
        .cache = session->shared.cache,
        .libs = &sm_media_codec_libs,
        .window = session->shared.window,
        .cpu_flags = sm_cpu_detect(),
    };
    struct sm_canvas *canvas = NULL;
    enum sm_status status = sm_canvas_create(&canvas, &config);
    pthread_mutex_lock(&display->lock);
    display->canvas = canvas;
    pthread_mutex_unlock(&display->lock);
    return status;
}

static enum sm_status make_client(struct sm_client_display *display,
                                  struct sm_client_channel *channel,
                                  const struct sm_link_client_event *link)
{
    const struct sm_session *session = channel->session;
    struct sm_display_client_config config = {
        .setup = sm_client_channel_setup(link),
        .pixmap_cache_id = CACHE_ID,
        .pixmap_cache_px = sm_session_cache_px(session),
        .glz_dictionary_id = CACHE_ID,
        .glz_dictionary_px = (int32_t)session->shared.window_px,
        .takes_descriptors = sm_transport_accept_fds(sm_pump_transport(channel->pump)) == SM_OK,
    };
    enum sm_status status = sm_display_client_create(&display->client, &config, sm_now_us());
    if (status != SM_OK || !session->settings.compression)
        return status;
    struct sm_display_msgc wish = {.type = SM_MSGC_DISPLAY_PREFERRED_COMPRESSION};
    wish.preferred_compression.image_compression =
        (enum sm_image_compression)session->settings.compression;
    return sm_display_client_send(display->client, &wish);
}

static void on_wait_timer(void *opaque);
static void destroy(struct sm_client_channel *channel);

static enum sm_status make_parts(struct sm_client_channel *channel,
                                 struct sm_client_display *display,
                                 const struct sm_link_client_event *link)
{
    enum sm_status status = sm_session_need_window(channel->session);
    if (status == SM_OK)
        status = make_canvas(display, channel->session);
    if (status == SM_OK)
        status = make_client(display, channel, link);
    if (status != SM_OK)
        return status;
    display->wait_timer =
        sm_loop_timer_add(sm_epoll_loop_base(channel->loop), on_wait_timer, channel);
    return display->wait_timer ? SM_OK : SM_ERR_NOMEM;
}

/* A first connection: others may look from its end on. */
static struct sm_client_display *create(void)
{
    struct sm_client_display *display = calloc(1, sizeof(*display));
    if (display) {
        pthread_mutex_init(&display->lock, NULL);
        display->changed_us = sm_now_us();
    }
    return display;
}

/* A lost line is back. What is shown stays until the server has sent it anew. */
static void set_aside(struct sm_client_channel *channel, struct sm_client_display *display)
{
    sm_display_client_destroy(display->client);
    display->client = NULL;
    if (display->wait_timer)
        sm_loop_timer_remove(sm_epoll_loop_base(channel->loop), display->wait_timer);
    display->wait_timer = NULL;
    display->is_drawing = display->is_held = false;
    pthread_mutex_lock(&display->lock);
    sm_streams_finish(&display->streams);
    display->streams = (struct sm_streams){.decoder = NULL};
    sm_gl_view_finish(&display->gl);
    bool is_worth = display->canvas && sm_canvas_surface(display->canvas, 0) &&
                    (display->is_marked || !display->last);
    struct sm_canvas *spare = is_worth ? display->last : display->canvas;
    if (is_worth)
        display->last = display->canvas;
    display->canvas = NULL;
    display->is_marked = false;
    pthread_mutex_unlock(&display->lock);
    sm_canvas_destroy(spare);
}

static enum sm_status open_display(struct sm_client_channel *channel,
                                   const struct sm_link_client_event *link,
                                   struct sm_machine *machine)
{
    struct sm_client_display *display = channel->self;
    bool is_first = !display;
    if (is_first)
        display = create();
    if (!display)
        return SM_ERR_NOMEM;
    if (!is_first)
        set_aside(channel, display);
    enum sm_status status = make_parts(channel, display, link);
    if (status != SM_OK && is_first) {
        channel->self = display;
        destroy(channel);
        channel->self = NULL; /* others may look at what is there */
    }
    if (status != SM_OK)
        return status;
    channel->self = display;
    *machine = sm_display_client_machine(display->client);
    return SM_OK;
}

/* ---- Changes, with the display's lock held ---- */

void sm_client_display_changed(struct sm_client_channel *channel, struct sm_rect damage)
{
    struct sm_client_display *display = channel->self;
    display->changed_us = sm_now_us();
    if (display->last)
        return; /* it is not looked at yet */
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
    sm_session_tell(channel->session, SM_EVENT_DISPLAY_CONFIG, channel);
}

static void failed_drawing(struct sm_client_channel *channel, const char *why)
{
    struct sm_client_display *display = channel->self;
    display->failed_drawings++;
    sm_log_at(&channel->session->log, SM_LOG_WARNING, "display %u: a drawing was left out: %s",
              channel->id, why);
}

/* ---- Messages, with the display's lock held ---- */

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
    if (codec)
        display->codec = codec;
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
        failed_drawing(channel, sm_canvas_reason(display->canvas));
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

static void load_call(struct sm_client_channel *main, const void *argument)
{
    atomic_bool *is_loaded;
    (void)main;
    memcpy(&is_loaded, argument, sizeof(is_loaded));
    (void)sm_video_module_load();
    atomic_store(is_loaded, true);
}

/*
 * Our thread cannot open files any more, so main's loads the module of codecs. It answers soon, or
 * has us stop.
 */
static void have_module_loaded(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    atomic_bool *is_loaded = &display->is_module_loaded;
    if (display->has_asked_for_module || !channel->is_confined)
        return;
    display->has_asked_for_module = true;
    if (sm_client_channel_post(channel->session->channels[0], load_call, &is_loaded,
                               sizeof(is_loaded)) != SM_OK)
        return;
    static const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    while (!atomic_load(is_loaded) && !atomic_load(&channel->is_stopped))
        (void)nanosleep(&pause, NULL);
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
    if (!sm_region_is_empty(&damage))
        sm_client_display_changed(channel, sm_region_bounds(&damage));
    sm_region_finish(&damage);
    if (status == SM_ERR_STATE) {
        refuse_stream(display, refused);
        return SM_OK;
    }
    if (status == SM_ERR_PROTOCOL || status == SM_ERR_LIMIT) {
        failed_drawing(channel, "a stream's message made no sense");
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
        failed_drawing(channel, sm_canvas_reason(display->canvas));
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
        failed_drawing(channel, reason);
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
        failed_drawing(channel, "the memory of the GL buffer went away");
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

static enum sm_status take_message(struct sm_client_channel *channel,
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

static enum sm_status locked(struct sm_client_channel *channel,
                             enum sm_status (*func)(struct sm_client_channel *channel,
                                                    const struct sm_display_msg *msg),
                             const struct sm_display_msg *msg)
{
    struct sm_client_display *display = channel->self;
    pthread_mutex_lock(&display->lock);
    enum sm_status status = func(channel, msg);
    pthread_mutex_unlock(&display->lock);
    return status;
}

/* ---- Waiting for other channels ---- */

static void begin_wait(struct sm_client_channel *channel)
{
    if (!atomic_exchange(&channel->is_waiting, true))
        atomic_fetch_add(&channel->session->waiting_count, 1);
}

static void end_wait(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (atomic_exchange(&channel->is_waiting, false))
        atomic_fetch_sub(&channel->session->waiting_count, 1);
    if (display->wait_timer)
        sm_loop_timer_cancel(sm_epoll_loop_base(channel->loop), display->wait_timer);
}

/* Another display channel that may still bring an image. */
static bool has_company(const struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    bool has = false;
    pthread_mutex_lock(&session->lock);
    for (size_t i = 0; i < session->channel_count; i++)
        has = has || (session->channels[i] != channel &&
                      session->channels[i]->kind == SM_CHANNEL_KIND_DISPLAY &&
                      session->channels[i]->state != SM_CLIENT_CHANNEL_CLOSED);
    pthread_mutex_unlock(&session->lock);
    return has;
}

static void give_up_drawing(struct sm_client_channel *channel, const char *why)
{
    struct sm_client_display *display = channel->self;
    pthread_mutex_lock(&display->lock);
    sm_canvas_cancel(display->canvas);
    display->drawings++;
    failed_drawing(channel, why);
    pthread_mutex_unlock(&display->lock);
    display->is_drawing = false;
}

/* The drawing at work wants an image that is not there. SM_AGAIN: it waits. */
static enum sm_status wait_for_image(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (!has_company(channel)) {
        give_up_drawing(channel, "it uses an image that the server never sent");
        return SM_OK;
    }
    begin_wait(channel);
    /* It may have come before we began to wait. */
    enum sm_status status = locked(channel, draw, display->event.msg);
    if (status == SM_AGAIN)
        sm_loop_timer_start(sm_epoll_loop_base(channel->loop), display->wait_timer, WAIT_MS);
    return status;
}

/* Source: docs/wire/base.md, WAIT_FOR_CHANNELS: a channel that does not exist is not waited for. */
static bool is_reached(struct sm_session *session, const struct sm_wait_for_channel *wait,
                       const struct sm_client_channel *ourselves)
{
    struct sm_client_channel *other =
        sm_session_find(session, (enum sm_channel_kind)wait->channel_type, wait->channel_id);
    if (!other || other == ourselves)
        return true;
    pthread_mutex_lock(&session->lock);
    bool is_gone = other->state == SM_CLIENT_CHANNEL_CLOSED;
    pthread_mutex_unlock(&session->lock);
    return is_gone || atomic_load(&other->handled_serial) >= wait->message_serial;
}

static bool are_reached(const struct sm_client_channel *channel, const struct sm_display_msg *msg)
{
    bool is_inval = msg->type == SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS;
    uint32_t count = is_inval ? msg->inval_all_pixmaps.num_waits : msg->wait_for_channels.num_waits;
    const struct sm_wait_for_channel *waits =
        is_inval ? msg->inval_all_pixmaps.waits : msg->wait_for_channels.waits;
    for (uint32_t i = 0; i < count; i++)
        if (!is_reached(channel->session, &waits[i], channel))
            return false;
    return true;
}

/* ---- The thread ---- */

/* Goes on with the event at work. SM_OK: it is done; SM_AGAIN: it waits. */
static enum sm_status work(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (display->is_held) {
        begin_wait(channel);
        if (!are_reached(channel, display->event.msg))
            return SM_AGAIN;
        display->is_held = false;
    }
    display->is_drawing = true;
    enum sm_status status = locked(channel, take_message, display->event.msg);
    if (status == SM_AGAIN)
        status = wait_for_image(channel);
    if (status == SM_AGAIN)
        return status;
    display->is_drawing = false;
    end_wait(channel);
    if (display->event.is_wait)
        sm_channel_release(sm_display_client_channel(display->client));
    return status;
}

static enum sm_status activity(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    enum sm_status status = SM_OK;
    if (display->is_held || display->is_drawing)
        return SM_OK; /* only resume() goes on */
    while ((status = sm_display_client_next(display->client, &display->event)) == SM_OK) {
        display->is_held = display->event.is_wait;
        status = work(channel);
        if (status != SM_OK)
            return status;
        sm_client_channel_handled(channel, display->event.serial);
    }
    return status;
}

static void fail(struct sm_client_channel *channel, enum sm_status status, const char *why)
{
    struct sm_error error;
    sm_reason_channel(&error, &channel->attempt, status, why);
    sm_client_channel_fail(channel, &error);
}

static struct sm_channel *base(const struct sm_client_channel *channel)
{
    const struct sm_client_display *display = channel->self;
    return sm_display_client_channel(display->client);
}

static void resume(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    enum sm_status status = SM_OK;
    if (display->is_held || display->is_drawing) {
        status = work(channel);
        if (status == SM_AGAIN)
            return;
        if (status == SM_OK)
            sm_client_channel_handled(channel, display->event.serial);
    }
    if (status == SM_OK)
        status = activity(channel);
    if (status < 0)
        fail(channel, status, sm_channel_reason(base(channel)));
}

static void on_wait_timer(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    struct sm_client_display *display = channel->self;
    if (channel->is_over || !display->is_drawing)
        return;
    give_up_drawing(channel, "an image it uses did not come in time");
    end_wait(channel);
    sm_client_channel_handled(channel, display->event.serial);
    resume(channel);
    sm_client_channel_kick(channel);
}

static void closed(struct sm_client_channel *channel)
{
    if (channel->self)
        end_wait(channel);
}

static void destroy(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (!display)
        return;
    if (display->wait_timer)
        sm_loop_timer_remove(sm_epoll_loop_base(channel->loop), display->wait_timer);
    sm_display_client_destroy(display->client);
    sm_streams_finish(&display->streams);
    sm_gl_view_finish(&display->gl);
    sm_canvas_destroy(display->canvas);
    sm_canvas_destroy(display->last);
    pthread_mutex_destroy(&display->lock);
    free(display->converted);
    free(display);
}

const struct sm_client_channel_ops sm_display_channel_ops = {
    .caps = caps,
    .open = open_display,
    .activity = activity,
    .base = base,
    .resume = resume,
    .closed = closed,
    .keeps_self = true,
    .is_confined = true,
    .destroy = destroy,
};
