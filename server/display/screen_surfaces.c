/* SPDX-License-Identifier: MIT */
/* Surfaces come and go, are rendered, and are arranged as monitors. */
#include "core/base/math.h"
#include "io/log.h"
#include "server/display/screen.h"
#include "server/display/streams.h"

enum sm_status sm_screen_add_surface(struct sm_screen *screen, uint32_t id,
                                     const struct sm_surface_memory *memory, bool keep_data,
                                     struct sm_display_surface **out)
{
    struct sm_pixels pixels;
    enum sm_status status = sm_surface_memory_resolve(&pixels, screen->slots, memory);
    if (status)
        return status;
    if (!keep_data)
        sm_surface_memory_clear(&pixels);
    status = sm_surfaces_add(&screen->surfaces, out, id, memory->format, &pixels);
    sm_screen_outdate(screen, id);
    if (status)
        sm_memslots_warn(screen->slots, "surface %u of %u x %u pixels not created: %s", id,
                         memory->width, memory->height, sm_status_name(status));
    return status;
}

void sm_screen_remove_surface(struct sm_screen *screen, struct sm_display_surface *surface)
{
    uint32_t id = surface->id;
    bool has_create = surface->has_create_command, has_destroy = surface->has_destroy_command;
    struct sm_qxl_release create = surface->create_command, destroy = surface->destroy_command;
    if (id == 0 && screen->streams && !screen->gl_picture)
        sm_streams_forget(screen->streams);
    sm_surfaces_remove(&screen->surfaces, surface); /* readers still use its memory */
    sm_screen_outdate(screen, id);
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (!sm_display_peer_is_ready(client) || !sm_display_peer_knows(client, id) ||
            !sm_screen_sees(client, id))
            continue;
        sm_display_peer_queue_msg(client,
                                  &(struct sm_display_msg){.type = SM_MSG_DISPLAY_SURFACE_DESTROY,
                                                           .surface_destroy = {.surface_id = id}});
        sm_display_peer_set_knows(client, id, false);
    }
    if (has_create)
        sm_screen_release(screen, &create);
    if (has_destroy)
        sm_screen_release(screen, &destroy);
}

static void set_primary(struct sm_screen *screen, const struct sm_worker_primary *primary)
{
    screen->primary = *primary;
    if (screen->primary_changed)
        screen->primary_changed(screen->opaque);
}

/* Until a driver arranges monitors there is one, the primary itself. */
static void one_monitor(struct sm_screen *screen, uint32_t width, uint32_t height)
{
    struct sm_monitors *monitors = &screen->monitors;
    monitors->max_allowed = sm_max_u32(monitors->max_allowed, 1);
    monitors->count = 1;
    monitors->heads[0] = (struct sm_head){.width = width, .height = height};
}

void sm_screen_create_primary(struct sm_screen *screen, const struct sm_qxl_primary *primary)
{
    struct sm_display_surface *old = sm_surfaces_find(&screen->surfaces, 0);
    sm_gl_scanout_yield(screen->gl);
    if (old) {
        sm_screen_remove_surface(screen, old);
        set_primary(screen, &(struct sm_worker_primary){0});
    }
    struct sm_surface_memory memory = {
        .format = primary->format,
        .width = primary->width,
        .height = primary->height,
        .stride_bytes = primary->stride_bytes,
        .address = primary->address,
        .group = primary->group,
    };
    struct sm_display_surface *surface;
    if (sm_screen_add_surface(screen, 0, &memory, primary->keep_data, &surface) != SM_OK)
        return;
    one_monitor(screen, primary->width, primary->height);
    sm_screen_announce_surface(screen, surface, primary->keep_data);
    if (!screen->guest_manages_monitors)
        sm_screen_tell_monitors(screen);
    sm_screen_tell_all(screen, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
    sm_screen_push_clients(screen);
    sm_pointer_announce(screen->pointer);
    set_primary(screen, &(struct sm_worker_primary){.exists = true,
                                                    .width = primary->width,
                                                    .height = primary->height,
                                                    .mouse_mode = primary->mouse_mode});
}

void sm_screen_destroy_primary(struct sm_screen *screen)
{
    struct sm_display_surface *surface = sm_surfaces_find(&screen->surfaces, 0);
    if (!surface) {
        sm_memslots_warn(screen->slots, "double destroy of primary surface");
        return;
    }
    sm_screen_drain_rings(screen);
    surface = sm_surfaces_find(&screen->surfaces, 0);
    if (surface)
        sm_screen_remove_surface(screen, surface);
    sm_screen_release_cursor(screen);
    sm_pointer_reset(screen->pointer);
    sm_screen_push_clients(screen);
    set_primary(screen, &(struct sm_worker_primary){0});
}

void sm_screen_destroy_surfaces(struct sm_screen *screen)
{
    sm_screen_drain_rings(screen);
    sm_gl_scanout_yield(screen->gl);
    for (uint32_t id = 0; id < screen->surfaces.limit; id++) {
        if (screen->surfaces.table[id])
            sm_screen_remove_surface(screen, screen->surfaces.table[id]);
    }
    SM_LIST_FOR (link, &screen->clients)
        sm_display_peer_renew_images(sm_display_peer_of(link));
    sm_screen_tell_all(screen, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_INVAL_ALL_PALETTES});
    sm_screen_tell_all(screen, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_STREAM_DESTROY_ALL});
    sm_screen_release_cursor(screen);
    sm_pointer_reset(screen->pointer);
    sm_screen_push_clients(screen);
    if (screen->primary.exists)
        set_primary(screen, &(struct sm_worker_primary){0});
}

void sm_screen_finish_drawing(struct sm_screen *screen, uint32_t surface_id)
{
    struct sm_display_surface *surface = sm_surfaces_find(&screen->surfaces, surface_id);
    if (!surface) {
        sm_memslots_warn(screen->slots, "surface %u does not exist", surface_id);
        return;
    }
    sm_surfaces_render_readers(&screen->surfaces, surface);
    sm_surfaces_render(&screen->surfaces, surface);
}

bool sm_screen_render_area(struct sm_screen *screen, uint32_t surface_id, struct sm_rect area)
{
    struct sm_display_surface *surface = sm_surfaces_find(&screen->surfaces, surface_id);
    if (!surface) {
        sm_memslots_warn(screen->slots, "surface %u does not exist", surface_id);
        return false;
    }
    sm_surfaces_render_area(&screen->surfaces, surface, area);
    return true;
}

void sm_screen_set_monitors(struct sm_screen *screen, uint64_t address, uint32_t group)
{
    struct sm_monitors monitors;
    bool is_readable;
    enum sm_status status =
        sm_monitors_parse(&monitors, screen->slots, group, address, &is_readable);
    if (is_readable)
        screen->guest_manages_monitors = true;
    if (status)
        return;
    uint32_t limit = atomic_load(&screen->max_monitors);
    monitors.count = sm_min_u32(monitors.count, limit);
    monitors.max_allowed = sm_min_u32(monitors.max_allowed, limit);
    screen->monitors = monitors;
    sm_screen_tell_monitors(screen);
    sm_screen_push_clients(screen);
}
