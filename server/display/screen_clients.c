/* SPDX-License-Identifier: MIT */
/* What clients are told: surfaces before they are used, drawings in order, pictures when needed. */
#include <stdlib.h>
#include <string.h>

#include "core/codec/codec.h"
#include "core/gfx/convert.h"
#include "core/wire/types.h"
#include "io/log.h"
#include "server/display/limits.h"
#include "server/display/screen.h"
#include "server/display/streams.h"
#include "server/session/handover.h"

enum { IMAGE_GROUP_SERVER = 2 }; /* the low half of the ids of images made here */

static uint64_t next_image_id(struct sm_screen *screen)
{
    return (uint64_t)++screen->next_image << 32 | IMAGE_GROUP_SERVER;
}

static struct sm_rect whole(const struct sm_display_surface *surface)
{
    return (struct sm_rect){0, 0, (int32_t)surface->pixels.width, (int32_t)surface->pixels.height};
}

static struct sm_drawable *make_drawable(struct sm_screen *screen, struct sm_drawing *drawing)
{
    struct sm_footprint_source surfaces = sm_surfaces_for_footprints(&screen->surfaces);
    return sm_drawable_create(drawing, &screen->budget, &surfaces);
}

static struct sm_pixels pixels_of(const void *surface, uint32_t id)
{
    (void)id;
    return ((const struct sm_display_surface *)surface)->pixels;
}

struct sm_drawable *sm_screen_take_pixels(struct sm_screen *screen,
                                          const struct sm_display_surface *surface,
                                          struct sm_rect area, bool in_pages)
{
    struct sm_snapshot taken;
    struct sm_drawing *drawing;
    if (sm_surface_snapshot(&taken, surface, area, in_pages) != SM_OK)
        return NULL;
    if (sm_drawing_create_copy(&drawing, surface->id, area, next_image_id(screen), taken.format,
                               taken.flags, taken.pixels, taken.stride_bytes,
                               taken.page_bytes) != SM_OK) {
        sm_snapshot_finish(&taken);
        return NULL;
    }
    const struct sm_footprint_source source = {.find = pixels_of, .surfaces = surface};
    struct sm_drawable *drawable = sm_drawable_create(drawing, &screen->budget, &source);
    if (!drawable)
        sm_drawing_destroy(drawing);
    return drawable;
}

/* What is asked of pixels that are queued. */
enum { PLAIN = 0, EXACT = 1, WHOLE = 2 };

enum {
    LARGE_BYTES = 4 << 20, /* of a picture after which the memory is tidied */
    PAGES_PX = 256 << 10,  /* of a whole surface: more than a piece of what was missed */
};

static bool is_rare(struct sm_rect area, unsigned asked)
{
    return asked & WHOLE && sm_rect_width(area) * sm_rect_height(area) >= PAGES_PX;
}

/* Queues the current pixels of an area, everything pending on the surface being rendered. */
static void queue_pixels(struct sm_screen *screen, struct sm_display_peer *client,
                         struct sm_display_surface *surface, struct sm_rect area, unsigned asked)
{
    if (surface->pixels.format == SM_PIXEL_A1)
        return;
    struct sm_drawable *drawable =
        sm_screen_take_pixels(screen, surface, area, is_rare(area, asked));
    if (!drawable) {
        sm_display_peer_close(client, "out of memory");
        return;
    }
    drawable->must_be_exact = asked & EXACT;
    drawable->must_be_whole = asked & WHOLE;
    if (drawable->drawing->size_bytes >= LARGE_BYTES)
        sm_screen_tidy_later(screen);
    sm_display_peer_queue_drawable(client, drawable);
    sm_drawable_unref(drawable);
}

/* Whether a client can have such a surface at all; nobody draws on single bits, here neither. */
static bool can_have(const struct sm_display_peer *client, const struct sm_display_surface *surface)
{
    if (surface->format == SM_SURFACE_FORMAT_1_A)
        return false;
    return surface->format != SM_SURFACE_FORMAT_8_A ||
           sm_display_peer_can(client, SM_DISPLAY_CAP_A8_SURFACE);
}

/* Such a one comes in pieces, as what was missed does, and what reads it comes as pixels, too. */
static bool is_too_large(const struct sm_display_surface *surface)
{
    const struct sm_pixels *pixels = &surface->pixels;
    return surface->id != 0 &&
           (uint64_t)pixels->width * pixels->height >
               SM_DISPLAY_MAX_PICTURE_BYTES * 8ull / sm_pixel_bits(pixels->format);
}

void sm_screen_queue_surface(struct sm_screen *screen, struct sm_display_peer *client,
                             struct sm_display_surface *surface, bool with_pixels)
{
    sm_display_peer_queue_msg(
        client, &(struct sm_display_msg){
                    .type = SM_MSG_DISPLAY_SURFACE_CREATE,
                    .surface_create = {.surface_id = surface->id,
                                       .width = surface->pixels.width,
                                       .height = surface->pixels.height,
                                       .format = surface->format,
                                       .flags = surface->id == 0 ? SM_SURFACE_FLAG_PRIMARY : 0}});
    sm_display_peer_set_knows(client, surface->id, true);
    if (!with_pixels)
        return;
    if (is_too_large(surface)) {
        sm_display_peer_queue_missed(client, surface->id, whole(surface));
        return;
    }
    sm_surfaces_render(&screen->surfaces, surface);
    /* There are clients that take the first drawing for the whole picture. And what other drawings
     * read had better be right. */
    queue_pixels(screen, client, surface, whole(surface), surface->id == 0 ? WHOLE : WHOLE | EXACT);
}

/* Makes a client know a surface that a drawing needs; false if it cannot. */
static bool make_known(struct sm_screen *screen, struct sm_display_peer *client,
                       struct sm_display_surface *surface)
{
    if (sm_display_peer_knows(client, surface->id))
        return true;
    if (!can_have(client, surface))
        return false;
    sm_screen_queue_surface(screen, client, surface, true);
    return true;
}

void sm_screen_announce_surface(struct sm_screen *screen, struct sm_display_surface *surface,
                                bool with_pixels)
{
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_ready(client) && can_have(client, surface))
            sm_screen_queue_surface(screen, client, surface, with_pixels);
    }
}

void sm_screen_tell_all(struct sm_screen *screen, const struct sm_display_msg *msg)
{
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_ready(client))
            sm_display_peer_queue_msg(client, msg);
    }
}

/* ---- monitors ---- */

void sm_screen_queue_monitors(struct sm_display_peer *client, const struct sm_monitors *monitors)
{
    if (!sm_display_peer_can(client, SM_DISPLAY_CAP_MONITORS_CONFIG))
        return;
    struct sm_head heads[SM_MAX_HEADS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < monitors->count; i++) {
        if (monitors->heads[i].width != 0 && monitors->heads[i].height != 0)
            heads[count++] = monitors->heads[i];
    }
    if (count == 0)
        return;
    sm_display_peer_queue_msg(
        client,
        &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MONITORS_CONFIG,
                                 .monitors_config = {.num_heads = count,
                                                     .max_allowed = (uint16_t)monitors->max_allowed,
                                                     .heads = heads}});
}

void sm_screen_tell_monitors(struct sm_screen *screen)
{
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_ready(client))
            sm_screen_queue_monitors(client, &screen->monitors);
    }
}

/* ---- drawings ---- */

/* Snapshots the area of the target that stands for the drawing's absent images. */
static bool resolve_self_bitmap(struct sm_screen *screen, struct sm_display_surface *target,
                                struct sm_drawing *drawing)
{
    if (!drawing->has_self_bitmap)
        return true;
    sm_surfaces_render_area(&screen->surfaces, target, drawing->self_area);
    struct sm_snapshot taken;
    if (sm_surface_snapshot(&taken, target, drawing->self_area, false) != SM_OK)
        return false;
    if (sm_drawing_set_self_bitmap(drawing, next_image_id(screen), taken.format, taken.flags,
                                   taken.pixels, taken.stride_bytes) == SM_OK)
        return true;
    sm_snapshot_finish(&taken);
    return false;
}

/* Whether a client can carry out a drawing, once it knows the surfaces, which it is made to. */
static bool prepare_client(struct sm_screen *screen, struct sm_display_peer *client,
                           const struct sm_drawing *drawing)
{
    bool can = (drawing->msg.type != SM_MSG_DISPLAY_DRAW_COMPOSITE ||
                sm_display_peer_can(client, SM_DISPLAY_CAP_COMPOSITE)) &&
               !sm_streams_disturb(screen->streams, client, drawing);
    for (uint32_t i = 0; can && i < drawing->dependency_count; i++) {
        struct sm_display_surface *source =
            sm_surfaces_find(&screen->surfaces, drawing->dependencies[i].surface_id);
        can = source && sm_screen_sees(client, source->id) && make_known(screen, client, source);
    }
    return can;
}

/* Those on their way here see what was drawn meanwhile as soon as they can. */
static void note_missed(struct sm_screen *screen, const struct sm_drawing *drawing, uint32_t id)
{
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_arriving(client))
            sm_display_peer_queue_missed(client, id, drawing->bounds);
    }
}

static void queue_for_clients(struct sm_screen *screen, struct sm_display_surface *target,
                              struct sm_drawable *drawable, const struct sm_stream_verdict *verdict)
{
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (!sm_display_peer_is_ready(client) || !sm_display_peer_knows(client, target->id) ||
            !sm_screen_sees(client, target->id) || sm_streams_carry(verdict, client))
            continue;
        if (sm_display_peer_wants_pixels(client)) {
            sm_surfaces_render(&screen->surfaces, target);
            queue_pixels(screen, client, target, drawable->drawing->bounds, PLAIN);
        } else {
            sm_display_peer_queue_drawable(client, drawable);
        }
    }
}

void sm_screen_add_drawing(struct sm_screen *screen, struct sm_drawing *drawing)
{
    uint32_t id = drawing->msg.draw_fill.base.surface_id;
    struct sm_display_surface *target = sm_surfaces_find(&screen->surfaces, id);
    if (!resolve_self_bitmap(screen, target, drawing)) {
        sm_memslots_warn(screen->slots, "drawing dropped: no self bitmap");
        sm_drawing_destroy(drawing);
        return;
    }
    /* Pictures of surfaces a client does not know yet show them as they are before. */
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_ready(client) && sm_screen_sees(client, id) &&
            make_known(screen, client, target))
            sm_display_peer_set_wants_pixels(client, !prepare_client(screen, client, drawing));
    }
    struct sm_drawable *drawable = make_drawable(screen, drawing);
    if (!drawable) {
        sm_memslots_warn(screen->slots, "drawing dropped: out of memory");
        sm_drawing_destroy(drawing);
        return;
    }
    /* Films are looked for in what is shown, and with a GL buffer that is not the primary. */
    struct sm_stream_verdict verdict = {.stream = NULL};
    if (!screen->gl_picture)
        verdict = sm_streams_look(screen->streams, drawing);
    note_missed(screen, drawing, id);
    sm_surfaces_add_drawable(&screen->surfaces, drawable);
    queue_for_clients(screen, target, drawable, &verdict);
    if (!screen->gl_picture)
        sm_streams_drawn(screen->streams, &verdict, drawable);
    sm_drawable_unref(drawable);
}

/* ---- streams ---- */

static enum sm_status take_picture(void *context, struct sm_rect area, uint8_t **memory,
                                   struct sm_pixels *pixels)
{
    struct sm_screen *screen = context;
    struct sm_display_surface *primary =
        screen->gl_picture ? screen->gl_picture : sm_surfaces_find(&screen->surfaces, 0);
    if (!primary || !sm_rect_contains(whole(primary), area))
        return SM_ERR_STATE;
    sm_surfaces_render_area(&screen->surfaces, primary, area);
    struct sm_snapshot snapshot;
    enum sm_status status = sm_surface_snapshot(&snapshot, primary, area, false);
    if (status)
        return status;
    struct sm_pixels taken = {.data = snapshot.pixels,
                              .stride_bytes = (ptrdiff_t)snapshot.stride_bytes,
                              .width = (uint32_t)sm_rect_width(area),
                              .height = (uint32_t)sm_rect_height(area),
                              .format = sm_bitmap_format(snapshot.format)};
    if (taken.format != SM_PIXEL_XRGB32 && taken.format != SM_PIXEL_ARGB32) {
        struct sm_pixels wide = taken;
        wide.format = SM_PIXEL_XRGB32;
        wide.stride_bytes = (ptrdiff_t)taken.width * 4;
        wide.data = malloc((size_t)taken.width * 4 * taken.height);
        if (wide.data)
            sm_gfx_convert(&wide, &taken);
        sm_snapshot_finish(&snapshot);
        taken = wide;
    }
    if (!taken.data)
        return SM_ERR_NOMEM;
    *memory = taken.data;
    *pixels = taken;
    return SM_OK;
}

const struct sm_stream_host sm_screen_stream_host = {.take_picture = take_picture};

/* ---- flow ---- */

void sm_screen_push_clients(struct sm_screen *screen)
{
    SM_LIST_FOR (link, &screen->clients)
        sm_display_peer_push(sm_display_peer_of(link));
}

static bool is_behind(const struct sm_display_peer *client, bool while_draining)
{
    uint32_t count = while_draining ? SM_DISPLAY_MAX_DRAIN_QUEUE : SM_DISPLAY_MAX_QUEUE;
    size_t bytes = while_draining ? SM_DISPLAY_MAX_DRAIN_BYTES : SM_DISPLAY_MAX_QUEUE_BYTES;
    return sm_display_peer_queue_count(client) > count ||
           sm_display_peer_queue_bytes(client) > bytes;
}

bool sm_screen_is_blocked(const struct sm_screen *screen, bool while_draining)
{
    for (struct sm_list *link = screen->clients.next; link != &screen->clients; link = link->next) {
        if (is_behind(sm_display_peer_of(link), while_draining))
            return true;
    }
    return false;
}

void sm_screen_close_slow(struct sm_screen *screen)
{
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (is_behind(client, true))
            sm_display_peer_close(client,
                                  "has been unresponsive for more than 30000 ms, disconnecting");
    }
}

/* ---- clients come and go ---- */

static void on_ready(void *opaque, struct sm_display_peer *client)
{
    struct sm_screen *screen = opaque;
    struct sm_display_surface *primary = sm_surfaces_find(&screen->surfaces, 0);
    if (primary && !sm_gl_scanout_has_pixels_for(screen->gl, client)) {
        sm_display_peer_queue_msg(
            client, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_INVAL_ALL_PALETTES});
        sm_screen_queue_surface(screen, client, primary, true);
        sm_screen_queue_monitors(client, &screen->monitors);
        sm_display_peer_queue_msg(client, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
    }
    sm_streams_add_client(screen->streams, client);
    sm_gl_scanout_welcome(screen->gl, client);
}

/*
 * A client that came from another server has the surfaces that this machine had there; it goes on
 * with them.
 */
static void settle(struct sm_screen *screen, struct sm_display_peer *client)
{
    for (uint32_t id = 0; id < SM_SURFACES_MAX; id++)
        if (sm_display_peer_knows(client, id) && !sm_surfaces_find(&screen->surfaces, id))
            sm_display_peer_outdate(client, id);
    sm_display_peer_settle(client);
    struct sm_display_surface *primary = sm_surfaces_find(&screen->surfaces, 0);
    bool is_new = primary && !sm_display_peer_knows(client, 0);
    if (is_new)
        sm_screen_queue_surface(screen, client, primary, true);
    if (primary)
        sm_screen_queue_monitors(client, &screen->monitors);
    if (is_new)
        sm_display_peer_queue_msg(client, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
    sm_streams_add_client(screen->streams, client);
    sm_gl_scanout_welcome(screen->gl, client);
    sm_display_peer_push(client);
}

static void on_resumed(void *opaque, struct sm_display_peer *client)
{
    struct sm_screen *screen = opaque;
    if (screen->is_running)
        settle(screen, client);
}

void sm_screen_settle_clients(struct sm_screen *screen)
{
    sm_pointer_settle(screen->pointer);
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_arriving(client) && sm_display_peer_is_resumed(client))
            settle(screen, client);
    }
}

void sm_screen_outdate(struct sm_screen *screen, uint32_t surface_id)
{
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (screen->is_running && sm_display_peer_is_arriving(client))
            sm_display_peer_outdate(client, surface_id);
    }
}

void sm_screen_migrate_display(struct sm_screen *screen, uint32_t connection_id)
{
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_connection_id(client) != connection_id)
            continue;
        sm_streams_dismiss_client(screen->streams, client);
        sm_display_peer_migrate(client);
    }
}

static void on_gl_draw_done(void *opaque, struct sm_display_peer *client)
{
    struct sm_screen *screen = opaque;
    sm_gl_scanout_draw_done(screen->gl, client);
}

static void on_closed(void *opaque, struct sm_display_peer *client)
{
    struct sm_screen *screen = opaque;
    screen->has_closed_clients = true;
    sm_gl_scanout_forget(screen->gl, client);
}

/* A piece of what a client missed, or saw lossily, as it is now. */
static void queue_area(void *opaque, struct sm_display_peer *client, uint32_t surface_id,
                       struct sm_rect area, bool must_be_exact)
{
    struct sm_screen *screen = opaque;
    struct sm_display_surface *surface = sm_screen_surface_of(screen, client, surface_id);
    if (!surface)
        return;
    area = sm_rect_intersect(area, whole(surface));
    if (sm_rect_is_empty(area))
        return;
    sm_surfaces_render_area(&screen->surfaces, surface, area);
    queue_pixels(screen, client, surface, area, must_be_exact ? EXACT : PLAIN);
}

static void on_stream_report(void *opaque, struct sm_display_peer *client,
                             const struct sm_msgc_display_stream_report *report)
{
    struct sm_screen *screen = opaque;
    sm_streams_report(screen->streams, client, report);
}

static void on_codecs_preferred(void *opaque, struct sm_display_peer *client,
                                struct sm_bytes codecs)
{
    struct sm_screen *screen = opaque;
    sm_streams_prefer(screen->streams, client, codecs);
}

static const struct sm_display_peer_callbacks CLIENT_CALLBACKS = {
    .on_ready = on_ready,
    .on_resumed = on_resumed,
    .on_gl_draw_done = on_gl_draw_done,
    .on_closed = on_closed,
    .queue_pixels = queue_area,
    .on_stream_report = on_stream_report,
    .on_codecs_preferred = on_codecs_preferred,
};

void sm_screen_report_capabilities(struct sm_screen *screen)
{
    const struct sm_qxl_device_ops *device = screen->config.device;
    if (!screen->is_running || !device->set_client_capabilities)
        return;
    uint8_t caps[SM_QXL_CAPABILITY_BYTES] = {0};
    const enum sm_display_cap told[] = {SM_DISPLAY_CAP_SIZED_STREAM, SM_DISPLAY_CAP_MONITORS_CONFIG,
                                        SM_DISPLAY_CAP_COMPOSITE, SM_DISPLAY_CAP_A8_SURFACE};
    bool has_client = false;
    for (unsigned i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        caps[told[i] / 8] |= (uint8_t)(1u << told[i] % 8);
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_closed(client))
            continue;
        has_client = true;
        for (unsigned i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
            if (!sm_display_peer_can(client, told[i]))
                caps[told[i] / 8] &= (uint8_t) ~(1u << told[i] % 8);
        }
    }
    if (!has_client)
        memset(caps, 0, sizeof(caps));
    device->set_client_capabilities(screen->config.device_context, has_client, caps);
}

void sm_screen_connect(struct sm_screen *screen, struct sm_channel_handover *handover)
{
    struct sm_display_peer_config config = {
        .loop = screen->loop,
        .log = screen->config.log,
        .complaints = &screen->complaints,
        .callbacks = &CLIENT_CALLBACKS,
        .opaque = screen,
        .shares = screen->shares,
        .focus = &screen->focus,
        .compression = screen->compression,
        .encoder = screen->encoder,
        .costs = &screen->costs,
        .input_us = screen->config.input_us,
        .inbox = screen->inbox,
    };
    struct sm_display_peer *client;
    enum sm_status status = sm_display_peer_create(&client, &config, handover);
    if (status) {
        sm_log_at(screen->config.log, SM_LOG_WARNING, "display client not served: %s",
                  sm_status_name(status));
        return;
    }
    sm_list_append(&screen->clients, sm_display_peer_link(client));
    sm_screen_report_capabilities(screen);
}

static void destroy_client(struct sm_screen *screen, struct sm_display_peer *client)
{
    sm_list_remove(sm_display_peer_link(client));
    sm_gl_scanout_forget(screen->gl, client);
    sm_streams_remove_client(screen->streams, client);
    sm_display_peer_destroy(client);
    sm_gl_scanout_tidy(screen->gl);
}

void sm_screen_disconnect(struct sm_screen *screen, uint32_t connection_id)
{
    bool has_left = false;
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_connection_id(client) != connection_id)
            continue;
        destroy_client(screen, client);
        has_left = true;
    }
    sm_pointer_disconnect(screen->pointer, connection_id);
    if (has_left)
        sm_screen_report_capabilities(screen);
}

void sm_screen_reap(struct sm_screen *screen)
{
    sm_pointer_reap(screen->pointer);
    if (!screen->has_closed_clients)
        return;
    screen->has_closed_clients = false;
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (sm_display_peer_is_closed(client))
            destroy_client(screen, client);
    }
    sm_screen_report_capabilities(screen);
}
