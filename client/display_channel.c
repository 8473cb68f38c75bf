/* SPDX-License-Identifier: MIT */
/* The life of a display channel: made, set aside when its line is lost, ended. */
#include "client/display_channel.h"

#include <stdlib.h>

#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "core/base/cpu.h"
#include "io/clock.h"
#include "media/libs.h"
#include "media/video_loader.h"

enum {
    SURFACES_MAX = 1024,       /* ids of the reference server are below */
    SURFACES_MAX_PX = 1 << 27, /* 512 MiB at 4 bytes: 16384 × 8192 */
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

static struct sm_picture *find_decoded(void *opaque, const struct sm_image *image)
{
    struct sm_client_display *display = opaque;
    return sm_ahead_take(&display->ahead, image);
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
        .images = {.decoded = find_decoded, .context = display},
        .cpu_flags = sm_cpu_detect(),
        .has_lazy_fills = true,
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

static void destroy(struct sm_client_channel *channel);

static enum sm_status make_parts(struct sm_client_channel *channel,
                                 struct sm_client_display *display,
                                 const struct sm_link_client_event *link)
{
    enum sm_status status = sm_session_need_shared(channel->session);
    if (status == SM_OK)
        status = make_canvas(display, channel->session);
    if (status == SM_OK)
        status = make_client(display, channel, link);
    if (status != SM_OK)
        return status;
    struct sm_loop loop = sm_epoll_loop_base(channel->loop);
    display->wait_timer = sm_loop_timer_add(loop, sm_client_display_waited, channel);
    if (!display->wait_timer ||
        sm_damage_begin(&display->damage, loop, sm_client_display_tell, channel) != SM_OK)
        return SM_ERR_NOMEM;
    struct sm_decode_pool *pool = channel->session->shared.pool;
    /* Without it images are decoded in their turn. */
    if (pool &&
        sm_ahead_begin(&display->ahead, pool, loop, sm_client_display_decoded, channel) != SM_OK)
        sm_log_at(&channel->session->log, SM_LOG_WARNING, "display %u: nothing is decoded ahead",
                  channel->id);
    return SM_OK;
}

/* A first connection: others may look from its end on. */
static struct sm_client_display *create(void)
{
    struct sm_client_display *display = calloc(1, sizeof(*display));
    if (display) {
        pthread_mutex_init(&display->lock, NULL);
        display->ahead.bell = -1;
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
    sm_damage_end(&display->damage);
    display->is_drawing = display->is_held = display->is_decoding = false;
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

static struct sm_channel *base(const struct sm_client_channel *channel)
{
    const struct sm_client_display *display = channel->self;
    return sm_display_client_channel(display->client);
}

static void destroy(struct sm_client_channel *channel)
{
    struct sm_client_display *display = channel->self;
    if (!display)
        return;
    if (display->wait_timer)
        sm_loop_timer_remove(sm_epoll_loop_base(channel->loop), display->wait_timer);
    sm_damage_end(&display->damage);
    sm_display_client_destroy(display->client);
    sm_streams_finish(&display->streams);
    if (display->card)
        display->module->close_card(display->card);
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
    .activity = sm_client_display_activity,
    .base = base,
    .resume = sm_client_display_resume,
    .settle = sm_client_display_settle,
    .closed = sm_client_display_closed,
    .keeps_self = true,
    .is_confined = true,
    .destroy = destroy,
};
