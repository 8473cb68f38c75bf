/* SPDX-License-Identifier: MIT */
#include "server/display/gl_scanout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/list.h"
#include "core/base/math.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/pixel_buffer.h"
#include "server/display/gl_picture.h"
#include "server/display/gl_reader.h"
#include "server/display/screen.h"
#include "server/display/streams.h"

enum {
    /* Reading is as quick as a screen, and takes at most half of the worker's time; what is due
     * after a pause is read at once. */
    FRAME_US = 1000 * 1000 / 60,
    BURST_US = 2 * FRAME_US,
    /* A new buffer of the same size is read with its first draw; if none comes, after this. */
    SETTLE_MS = 50,
    /* What could not be read is tried again, each time after twice as long. */
    RETRY_MS = 20,
    RETRY_MAX_MS = 1000,
};

struct draw {
    struct sm_list link;
    struct sm_gl_area area;
    uint64_t cookie;
    bool is_outdated; /* the primary is newer */
};

struct sm_gl_scanout {
    struct sm_screen *screen;   /* borrowed */
    struct sm_gl_buffer buffer; /* its descriptor is owned */
    struct sm_list draws;       /* the first is at work, if `is_drawing` */
    bool is_drawing;
    bool is_advancing;
    bool is_shown;                 /* no primary is newer */
    struct sm_gl_picture *picture; /* owned; the screen's `gl_picture` is its surface */
    struct sm_gl_reader reader;
    bool has_noted;        /* how the buffer is read */
    struct sm_rect unread; /* of the buffer: new, or reading failed; read with the next draw */
    uint32_t retry_ms;     /* 0: the last time it could be read */
    bool is_reading;       /* the draw at work waits for its turn to be read */
    bool has_complained;   /* about this buffer or those before it that are no better */
    uint64_t next_read_us;
    struct sm_timer *timer; /* owned */
};

static struct draw *first_draw(struct sm_gl_scanout *gl)
{
    return SM_LIST_ITEM(gl->draws.next, struct draw, link);
}

static void complete_first(struct sm_gl_scanout *gl)
{
    struct draw *draw = first_draw(gl);
    uint64_t cookie = draw->cookie;
    sm_list_remove(&draw->link);
    free(draw);
    gl->is_drawing = gl->is_reading = false;
    const struct sm_worker_config *config = &gl->screen->config;
    if (config->device->async_complete)
        config->device->async_complete(config->device_context, cookie);
}

/* Whether a client is given the descriptor. */
static bool is_given_buffers(const struct sm_display_peer *client)
{
    return sm_display_peer_is_local(client) &&
           sm_display_peer_can(client, SM_DISPLAY_CAP_GL_SCANOUT);
}

/* ---- the pixels ---- */

static void complain(struct sm_gl_scanout *gl, const char *reason)
{
    if (gl->has_complained)
        return;
    gl->has_complained = true;
    sm_log_at(gl->screen->config.log, SM_LOG_WARNING,
              "GL scan-out of %u x %u pixels, format %.4s, cannot be read for clients on other "
              "machines: %s",
              gl->buffer.width, gl->buffer.height, (const char *)&gl->buffer.fourcc, reason);
}

/* The buffer can be read; `reason` says why not by the graphics card, if it is one's. */
static void be_content(struct sm_gl_scanout *gl, const char *reason)
{
    gl->has_complained = false;
    if (!reason || gl->has_noted)
        return;
    gl->has_noted = true;
    sm_log_at(gl->screen->config.log, SM_LOG_WARNING,
              "GL scan-out is read without EGL: %s; a picture whose memory lies in tiles will look "
              "scrambled to clients on other machines",
              reason);
}

static struct sm_rect whole_buffer(const struct sm_gl_scanout *gl)
{
    return (struct sm_rect){0, 0, (int32_t)gl->buffer.width, (int32_t)gl->buffer.height};
}

/* The smallest rectangle around both, of which empty ones do not count. */
static struct sm_rect box_of(struct sm_rect a, struct sm_rect b)
{
    if (sm_rect_is_empty(a) || sm_rect_is_empty(b))
        return sm_rect_is_empty(a) ? b : a;
    return (struct sm_rect){sm_min_i32(a.left, b.left), sm_min_i32(a.top, b.top),
                            sm_max_i32(a.right, b.right), sm_max_i32(a.bottom, b.bottom)};
}

/* Reads an area, and what could not be read before; without success it is tried again later. */
static void read_pixels(struct sm_gl_scanout *gl, struct sm_rect area, struct sm_region *changed)
{
    area = box_of(area, gl->unread);
    enum sm_status status = sm_gl_picture_read(gl->picture, area, changed);
    if (status == SM_OK) {
        gl->unread = (struct sm_rect){0, 0, 0, 0};
        gl->retry_ms = 0;
        return;
    }
    complain(gl, status == SM_ERR_NOMEM ? "out of memory" : "its memory went away");
    gl->unread = area;
    gl->retry_ms = gl->retry_ms ? sm_min_u32(gl->retry_ms * 2, RETRY_MAX_MS) : RETRY_MS;
    sm_loop_timer_start(gl->screen->loop, gl->timer, gl->retry_ms);
}

/* Reads an area of the buffer, at most so often, and shows what changed. */
static void read_area(struct sm_gl_scanout *gl, struct sm_rect area)
{
    struct sm_region changed;
    uint32_t count;
    if (!gl->picture)
        return;
    uint64_t begin_us = sm_now_us();
    sm_region_init(&changed);
    read_pixels(gl, area, &changed);
    uint64_t end_us = sm_now_us();
    uint64_t cost_us = (end_us - begin_us) * 2 > FRAME_US ? (end_us - begin_us) * 2 : FRAME_US;
    if (gl->next_read_us + BURST_US < begin_us)
        gl->next_read_us = begin_us - BURST_US;
    gl->next_read_us += cost_us;
    const struct sm_rect *rects = sm_region_rects(&changed, &count);
    for (uint32_t i = 0; i < count; i++)
        sm_screen_draw_gl_picture(gl->screen, rects[i]);
    sm_region_finish(&changed);
    sm_screen_push_clients(gl->screen);
}

static void drop_picture(struct sm_gl_scanout *gl, bool restore)
{
    if (!gl->picture)
        return;
    sm_streams_forget(gl->screen->streams);
    SM_LIST_FOR (link, &gl->screen->clients)
        sm_screen_hide_gl_picture(gl->screen, sm_display_peer_of(link), restore);
    gl->screen->gl_picture = NULL;
    sm_gl_picture_destroy(gl->picture);
    gl->picture = NULL;
    gl->unread = (struct sm_rect){0, 0, 0, 0};
    gl->retry_ms = 0;
}

/* Makes a picture of the buffer, and reads all of it. */
static void make_picture(struct sm_gl_scanout *gl)
{
    const char *reason = "out of memory";
    struct sm_region changed;
    enum sm_status status = sm_gl_picture_create(&gl->picture, &gl->buffer, &gl->reader);
    if (status) {
        complain(gl, status == SM_ERR_LIMIT ? "its size is absurd" : reason);
        return;
    }
    gl->screen->gl_picture = sm_gl_picture_surface(gl->picture);
    sm_streams_forget(gl->screen->streams);
    status = sm_gl_picture_follow(gl->picture, &gl->buffer, &reason);
    if (status) {
        complain(gl, reason);
        return;
    }
    be_content(gl, reason);
    sm_region_init(&changed);
    read_pixels(gl, whole_buffer(gl), &changed);
    sm_region_finish(&changed);
}

static void show_picture_to(struct sm_gl_scanout *gl, struct sm_display_peer *client)
{
    if (!gl->picture)
        make_picture(gl);
    if (gl->picture && !sm_display_peer_shows_gl_picture(client))
        sm_screen_show_gl_picture(gl->screen, client);
}

static bool has_watchers(const struct sm_gl_scanout *gl)
{
    SM_LIST_FOR (link, &gl->screen->clients) {
        const struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_ready(client) && !is_given_buffers(client))
            return true;
    }
    return false;
}

/* A buffer of the same size takes the place of the one before. */
static bool follow(struct sm_gl_scanout *gl)
{
    const char *reason;
    enum sm_status status = sm_gl_picture_follow(gl->picture, &gl->buffer, &reason);
    if (status == SM_ERR_STATE)
        return false;
    if (status)
        complain(gl, reason);
    else
        be_content(gl, reason);
    gl->unread = status == SM_OK ? whole_buffer(gl) : (struct sm_rect){0, 0, 0, 0};
    gl->retry_ms = 0;
    if (status == SM_OK && !gl->is_reading)
        sm_loop_timer_start(gl->screen->loop, gl->timer, SETTLE_MS);
    return true;
}

/* ---- draws ---- */

static bool any_awaited(struct sm_gl_scanout *gl)
{
    struct sm_list *clients = &gl->screen->clients;
    SM_LIST_FOR (link, clients) {
        if (sm_display_peer_owes_gl_draw(sm_display_peer_of(link)))
            return true;
    }
    return false;
}

static struct sm_rect rect_of(const struct sm_gl_area *area)
{
    uint64_t right = (uint64_t)area->x + area->width, bottom = (uint64_t)area->y + area->height;
    return (struct sm_rect){
        (int32_t)sm_min_u32(area->x, INT32_MAX), (int32_t)sm_min_u32(area->y, INT32_MAX),
        (int32_t)sm_min_u64(right, INT32_MAX), (int32_t)sm_min_u64(bottom, INT32_MAX)};
}

static void read_draw(struct sm_gl_scanout *gl)
{
    gl->is_reading = false;
    read_area(gl, rect_of(&first_draw(gl)->area));
}

static void show(struct sm_gl_scanout *gl);

static void start_first(struct sm_gl_scanout *gl)
{
    struct sm_gl_area area = first_draw(gl)->area;
    struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_GL_DRAW,
        .gl_draw = {.x = area.x, .y = area.y, .w = area.width, .h = area.height},
    };
    gl->is_drawing = true;
    if (!gl->is_shown && gl->buffer.fd >= 0 && !first_draw(gl)->is_outdated)
        show(gl);
    SM_LIST_FOR (link, &gl->screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (!sm_display_peer_is_ready(client) || !is_given_buffers(client))
            continue;
        sm_display_peer_set_owes_gl_draw(client, true);
        sm_display_peer_queue_msg(client, &msg);
        sm_display_peer_push(client);
    }
    if (!gl->picture)
        return;
    uint64_t now_us = sm_now_us();
    gl->is_reading = true;
    if (now_us >= gl->next_read_us)
        read_draw(gl);
    else
        sm_loop_timer_start(gl->screen->loop, gl->timer,
                            (uint32_t)((gl->next_read_us - now_us + 999) / 1000));
}

/* Completes draws that nobody is awaited for, and starts the next ones. */
static void advance(struct sm_gl_scanout *gl)
{
    if (gl->is_advancing)
        return;
    gl->is_advancing = true;
    while (!sm_list_is_empty(&gl->draws)) {
        if (!gl->is_drawing)
            start_first(gl);
        if (gl->is_reading || any_awaited(gl))
            break;
        complete_first(gl);
    }
    gl->is_advancing = false;
}

static void on_timer(void *opaque)
{
    struct sm_gl_scanout *gl = opaque;
    if (gl->is_reading)
        read_draw(gl);
    else if (!sm_rect_is_empty(gl->unread))
        read_area(gl, (struct sm_rect){0, 0, 0, 0});
    advance(gl);
}

/* ---- the buffer ---- */

static void give_buffer_to(struct sm_gl_scanout *gl, struct sm_display_peer *client)
{
    int fd = fcntl(gl->buffer.fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        sm_log_at(gl->screen->config.log, SM_LOG_WARNING, "GL scan-out not passed on: %s",
                  strerror(errno));
        return;
    }
    struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_GL_SCANOUT_UNIX,
        .gl_scanout_unix = {.width = gl->buffer.width,
                            .height = gl->buffer.height,
                            .stride = gl->buffer.stride_bytes,
                            .drm_fourcc_format = gl->buffer.fourcc,
                            .flags = gl->buffer.is_y0_top ? SM_GL_SCANOUT_FLAG_Y0TOP : 0},
    };
    /* It does not see films on the primary below. */
    sm_streams_remove_client(gl->screen->streams, client);
    sm_display_peer_queue_scanout(client, &msg, fd);
}

static void show_to(struct sm_gl_scanout *gl, struct sm_display_peer *client)
{
    if (!sm_display_peer_is_ready(client))
        return;
    if (is_given_buffers(client))
        give_buffer_to(gl, client);
    else
        show_picture_to(gl, client);
}

static void show(struct sm_gl_scanout *gl)
{
    gl->is_shown = true;
    SM_LIST_FOR (link, &gl->screen->clients)
        show_to(gl, sm_display_peer_of(link));
}

/* The primary is shown again; local clients see that by its messages. */
static void hide(struct sm_gl_scanout *gl, bool restore)
{
    if (!gl->is_shown)
        return;
    gl->is_shown = false;
    drop_picture(gl, restore);
    SM_LIST_FOR (link, &gl->screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (!sm_display_peer_is_ready(client) || !is_given_buffers(client))
            continue;
        sm_streams_remove_client(gl->screen->streams, client);
        sm_streams_add_client(gl->screen->streams, client);
    }
    gl->is_reading = false; /* there is nothing to be read any more */
    SM_LIST_FOR (link, &gl->draws)
        SM_LIST_ITEM(link, struct draw, link)->is_outdated = true;
    advance(gl);
}

void sm_gl_scanout_set(struct sm_gl_scanout *gl, const struct sm_gl_buffer *buffer)
{
    int old_fd = gl->buffer.fd;
    if (gl->picture)
        sm_gl_picture_let_go(gl->picture);
    gl->buffer = *buffer;
    if (buffer->fd < 0) {
        hide(gl, true);
    } else {
        struct sm_pixel_layout layout = {.width = buffer->width, .height = buffer->height};
        if (gl->picture && !follow(gl))
            drop_picture(gl, !sm_pixel_layout_is_sane(&layout));
        show(gl);
    }
    if (old_fd >= 0)
        (void)close(old_fd);
    if (!gl->picture)
        gl->is_reading = false;
    sm_screen_push_clients(gl->screen);
    advance(gl);
}

void sm_gl_scanout_yield(struct sm_gl_scanout *gl)
{
    hide(gl, false);
}

void sm_gl_scanout_draw(struct sm_gl_scanout *gl, const struct sm_gl_area *area, uint64_t cookie)
{
    const struct sm_worker_config *config = &gl->screen->config;
    struct draw *draw = calloc(1, sizeof(*draw));
    if (!draw) { /* the guest must go on, with or without the picture */
        if (config->device->async_complete)
            config->device->async_complete(config->device_context, cookie);
        return;
    }
    draw->area = *area;
    draw->cookie = cookie;
    sm_list_append(&gl->draws, &draw->link);
    advance(gl);
}

bool sm_gl_scanout_has_pixels_for(struct sm_gl_scanout *gl, const struct sm_display_peer *client)
{
    if (!gl->is_shown || is_given_buffers(client))
        return false;
    if (!gl->picture)
        make_picture(gl);
    return gl->picture;
}

void sm_gl_scanout_welcome(struct sm_gl_scanout *gl, struct sm_display_peer *client)
{
    if (gl->is_shown)
        show_to(gl, client);
}

void sm_gl_scanout_draw_done(struct sm_gl_scanout *gl, struct sm_display_peer *client)
{
    if (!sm_display_peer_owes_gl_draw(client)) {
        sm_display_peer_close(client, "GL draw done that was not asked for");
        return;
    }
    sm_display_peer_set_owes_gl_draw(client, false);
    advance(gl);
}

void sm_gl_scanout_forget(struct sm_gl_scanout *gl, struct sm_display_peer *client)
{
    sm_display_peer_set_owes_gl_draw(client, false);
    advance(gl);
}

void sm_gl_scanout_tidy(struct sm_gl_scanout *gl)
{
    if (has_watchers(gl))
        return;
    drop_picture(gl, false);
    gl->is_reading = false;
    advance(gl);
}

enum sm_status sm_gl_scanout_create(struct sm_gl_scanout **out, struct sm_screen *screen)
{
    struct sm_gl_scanout *gl = calloc(1, sizeof(*gl));
    if (!gl)
        return SM_ERR_NOMEM;
    gl->screen = screen;
    gl->buffer.fd = -1;
    sm_list_init(&gl->draws);
    gl->timer = sm_loop_timer_add(screen->loop, on_timer, gl);
    if (!gl->timer) {
        free(gl);
        return SM_ERR_NOMEM;
    }
    *out = gl;
    return SM_OK;
}

void sm_gl_scanout_destroy(struct sm_gl_scanout *gl)
{
    if (!gl)
        return;
    while (!sm_list_is_empty(&gl->draws))
        complete_first(gl);
    sm_loop_timer_remove(gl->screen->loop, gl->timer);
    gl->screen->gl_picture = NULL;
    sm_gl_picture_destroy(gl->picture);
    sm_gl_reader_finish(&gl->reader);
    if (gl->buffer.fd >= 0)
        (void)close(gl->buffer.fd);
    free(gl);
}
