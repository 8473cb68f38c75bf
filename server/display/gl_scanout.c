/* SPDX-License-Identifier: MIT */
#include "server/display/gl_scanout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/list.h"
#include "io/log.h"
#include "server/display/screen.h"

struct draw {
    struct sm_list link;
    struct sm_gl_area area;
    uint64_t cookie;
};

struct sm_gl_scanout {
    struct sm_screen *screen;   /* borrowed */
    struct sm_gl_buffer buffer; /* its descriptor is owned */
    struct sm_list draws;       /* the first is with the clients */
    bool is_drawing;
    bool is_advancing;
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
    gl->is_drawing = false;
    const struct sm_worker_config *config = &gl->screen->config;
    if (config->device->async_complete)
        config->device->async_complete(config->device_context, cookie);
}

/* A client that cannot show the buffer would freeze; it has to go, as clients expect. */
static bool can_show(struct sm_display_peer *client)
{
    if (sm_display_peer_is_local(client) && sm_display_peer_can(client, SM_DISPLAY_CAP_GL_SCANOUT))
        return true;
    sm_display_peer_close(client, "cannot show a GL scan-out, disconnecting");
    return false;
}

static bool any_awaited(struct sm_gl_scanout *gl)
{
    struct sm_list *clients = &gl->screen->clients;
    SM_LIST_FOR (link, clients) {
        if (sm_display_peer_owes_gl_draw(sm_display_peer_of(link)))
            return true;
    }
    return false;
}

static void start_first(struct sm_gl_scanout *gl)
{
    struct sm_gl_area area = first_draw(gl)->area;
    struct sm_display_msg msg = {
        .type = SM_MSG_DISPLAY_GL_DRAW,
        .gl_draw = {.x = area.x, .y = area.y, .w = area.width, .h = area.height},
    };
    gl->is_drawing = true;
    SM_LIST_FOR (link, &gl->screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (!sm_display_peer_is_ready(client) || !can_show(client))
            continue;
        sm_display_peer_set_owes_gl_draw(client, true);
        sm_display_peer_queue_msg(client, &msg);
        sm_display_peer_push(client);
    }
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
        if (any_awaited(gl))
            break;
        complete_first(gl);
    }
    gl->is_advancing = false;
}

static void show_to(struct sm_gl_scanout *gl, struct sm_display_peer *client)
{
    if (gl->buffer.fd < 0 || !sm_display_peer_is_ready(client) || !can_show(client))
        return;
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
    sm_display_peer_queue_scanout(client, &msg, fd);
}

void sm_gl_scanout_set(struct sm_gl_scanout *gl, const struct sm_gl_buffer *buffer)
{
    if (gl->buffer.fd >= 0)
        (void)close(gl->buffer.fd);
    gl->buffer = *buffer;
    SM_LIST_FOR (link, &gl->screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        show_to(gl, client);
        sm_display_peer_push(client);
    }
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

void sm_gl_scanout_welcome(struct sm_gl_scanout *gl, struct sm_display_peer *client)
{
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

enum sm_status sm_gl_scanout_create(struct sm_gl_scanout **out, struct sm_screen *screen)
{
    struct sm_gl_scanout *gl = calloc(1, sizeof(*gl));
    if (!gl)
        return SM_ERR_NOMEM;
    gl->screen = screen;
    gl->buffer.fd = -1;
    sm_list_init(&gl->draws);
    *out = gl;
    return SM_OK;
}

void sm_gl_scanout_destroy(struct sm_gl_scanout *gl)
{
    if (!gl)
        return;
    while (!sm_list_is_empty(&gl->draws))
        complete_first(gl);
    if (gl->buffer.fd >= 0)
        (void)close(gl->buffer.fd);
    free(gl);
}
