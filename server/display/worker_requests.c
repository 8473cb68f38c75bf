/* SPDX-License-Identifier: MIT */
/* The requests of server/display/worker.h: first what the thread does, then who asks for it. */
#include "core/base/math.h"
#include "io/log.h"
#include "server/display/streams.h"
#include "server/display/worker_internal.h"
#include "server/session/handover.h"

/* ---- memory slots ---- */

static void add_memslot(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_memslots_add(worker->screen.slots, &r->memslot);
}

static void del_memslot(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_memslots_del(worker->screen.slots, r->memslot.group, r->memslot.id);
}

static void reset_memslots(struct sm_worker *worker, struct sm_worker_request *r)
{
    (void)r;
    sm_memslots_reset(worker->screen.slots);
}

void sm_worker_add_memslot(struct sm_worker *worker, const struct sm_qxl_memslot *slot)
{
    sm_worker_call(worker, &(struct sm_worker_request){.run = add_memslot, .memslot = *slot});
}

void sm_worker_add_memslot_async(struct sm_worker *worker, const struct sm_qxl_memslot *slot,
                                 uint64_t cookie)
{
    sm_worker_post(worker,
                   &(struct sm_worker_request){
                       .run = add_memslot, .is_async = true, .cookie = cookie, .memslot = *slot});
}

void sm_worker_del_memslot(struct sm_worker *worker, uint32_t group, uint32_t id)
{
    sm_worker_post(worker, &(struct sm_worker_request){.run = del_memslot,
                                                       .memslot = {.group = group, .id = id}});
}

void sm_worker_reset_memslots(struct sm_worker *worker)
{
    sm_worker_post(worker, &(struct sm_worker_request){.run = reset_memslots});
}

/* ---- running ---- */

static void start(struct sm_worker *worker, struct sm_worker_request *r)
{
    struct sm_screen *screen = &worker->screen;
    (void)r;
    if (screen->is_running)
        return;
    screen->is_running = true;
    sm_screen_settle_clients(screen);
    sm_screen_wake(screen);
    sm_screen_report_capabilities(screen);
}

static void stop(struct sm_worker *worker, struct sm_worker_request *r)
{
    struct sm_screen *screen = &worker->screen;
    (void)r;
    if (!screen->is_running)
        return;
    screen->is_running = false;
    /* Messages to clients hold no guest memory, so nobody has to wait for them. */
    sm_surfaces_render_all(&screen->surfaces);
    sm_screen_push_clients(screen);
}

void sm_worker_start(struct sm_worker *worker)
{
    sm_worker_post(worker, &(struct sm_worker_request){.run = start});
}

void sm_worker_stop(struct sm_worker *worker)
{
    sm_worker_call(worker, &(struct sm_worker_request){.run = stop});
}

/* ---- update area ---- */

static struct sm_display_surface *render_area(struct sm_worker *worker, struct sm_worker_request *r)
{
    struct sm_screen *screen = &worker->screen;
    if (!screen->is_running)
        return NULL;
    sm_screen_drain_rings(screen);
    if (!sm_screen_render_area(screen, r->update.surface_id, r->update.area))
        return NULL;
    return sm_surfaces_find(&screen->surfaces, r->update.surface_id);
}

static void clear_dirty(struct sm_display_surface *surface)
{
    sm_region_finish(&surface->dirty);
    sm_region_init(&surface->dirty);
}

static void update_area(struct sm_worker *worker, struct sm_worker_request *r)
{
    struct sm_display_surface *surface = render_area(worker, r);
    uint32_t count = 0;
    const struct sm_rect *rects = surface ? sm_region_rects(&surface->dirty, &count) : NULL;
    for (uint32_t i = 0; r->update.dirty && i < r->update.dirty_count; i++)
        r->update.dirty[i] = i < count ? rects[i] : (struct sm_rect){0};
    if (surface && r->update.clear_dirty)
        clear_dirty(surface);
}

static void update_area_async(struct sm_worker *worker, struct sm_worker_request *r)
{
    struct sm_display_surface *surface = render_area(worker, r);
    uint32_t count = 0;
    const struct sm_rect *rects = surface ? sm_region_rects(&surface->dirty, &count) : NULL;
    if (worker->config.device->update_area_complete)
        worker->config.device->update_area_complete(worker->config.device_context,
                                                    r->update.surface_id, rects, count);
    if (surface && r->update.clear_dirty)
        clear_dirty(surface);
}

void sm_worker_update_area(struct sm_worker *worker, uint32_t surface_id, struct sm_rect area,
                           struct sm_rect *dirty, uint32_t dirty_count, bool clear_it)
{
    sm_worker_call(worker, &(struct sm_worker_request){.run = update_area,
                                                       .update = {.surface_id = surface_id,
                                                                  .area = area,
                                                                  .clear_dirty = clear_it,
                                                                  .dirty = dirty,
                                                                  .dirty_count = dirty_count}});
}

void sm_worker_update_area_async(struct sm_worker *worker, uint32_t surface_id, struct sm_rect area,
                                 bool clear_it, uint64_t cookie)
{
    sm_worker_post(
        worker, &(struct sm_worker_request){
                    .run = update_area_async,
                    .is_async = true,
                    .cookie = cookie,
                    .update = {.surface_id = surface_id, .area = area, .clear_dirty = clear_it}});
}

/* ---- surfaces ---- */

static void create_primary(struct sm_worker *worker, struct sm_worker_request *r)
{
    struct sm_screen *screen = &worker->screen;
    sm_screen_create_primary(screen, &r->primary);
    if (worker->config.recorder && screen->primary.exists)
        sm_recorder_primary(worker->config.recorder, screen->slots, &r->primary, r->is_async);
}

static void destroy_primary(struct sm_worker *worker, struct sm_worker_request *r)
{
    (void)r;
    sm_screen_destroy_primary(&worker->screen);
}

static void destroy_surface_wait(struct sm_worker *worker, struct sm_worker_request *r)
{
    if (!r->is_async) /* the asynchronous form takes the rings as they are */
        sm_screen_drain_rings(&worker->screen);
    sm_screen_finish_drawing(&worker->screen, r->surface_id);
}

static void destroy_surfaces(struct sm_worker *worker, struct sm_worker_request *r)
{
    (void)r;
    sm_screen_destroy_surfaces(&worker->screen);
}

static void flush_surfaces(struct sm_worker *worker, struct sm_worker_request *r)
{
    (void)r;
    sm_screen_drain_rings(&worker->screen);
    sm_surfaces_render_all(&worker->screen.surfaces);
}

void sm_worker_create_primary(struct sm_worker *worker, const struct sm_qxl_primary *primary)
{
    sm_worker_call(worker, &(struct sm_worker_request){.run = create_primary, .primary = *primary});
}

void sm_worker_create_primary_async(struct sm_worker *worker, const struct sm_qxl_primary *primary,
                                    uint64_t cookie)
{
    sm_worker_post(worker, &(struct sm_worker_request){.run = create_primary,
                                                       .is_async = true,
                                                       .cookie = cookie,
                                                       .primary = *primary});
}

void sm_worker_destroy_primary(struct sm_worker *worker)
{
    sm_worker_call(worker, &(struct sm_worker_request){.run = destroy_primary});
}

void sm_worker_destroy_primary_async(struct sm_worker *worker, uint64_t cookie)
{
    sm_worker_post(worker, &(struct sm_worker_request){
                               .run = destroy_primary, .is_async = true, .cookie = cookie});
}

void sm_worker_destroy_surface_wait(struct sm_worker *worker, uint32_t surface_id)
{
    sm_worker_call(
        worker, &(struct sm_worker_request){.run = destroy_surface_wait, .surface_id = surface_id});
}

void sm_worker_destroy_surface_async(struct sm_worker *worker, uint32_t surface_id, uint64_t cookie)
{
    sm_worker_post(worker, &(struct sm_worker_request){.run = destroy_surface_wait,
                                                       .is_async = true,
                                                       .cookie = cookie,
                                                       .surface_id = surface_id});
}

void sm_worker_destroy_surfaces(struct sm_worker *worker)
{
    sm_worker_call(worker, &(struct sm_worker_request){.run = destroy_surfaces});
}

void sm_worker_destroy_surfaces_async(struct sm_worker *worker, uint64_t cookie)
{
    sm_worker_post(worker, &(struct sm_worker_request){
                               .run = destroy_surfaces, .is_async = true, .cookie = cookie});
}

void sm_worker_flush_surfaces_async(struct sm_worker *worker, uint64_t cookie)
{
    sm_worker_post(worker, &(struct sm_worker_request){
                               .run = flush_surfaces, .is_async = true, .cookie = cookie});
}

/* ---- the rest of a device ---- */

static void reset_image_cache(struct sm_worker *worker, struct sm_worker_request *r)
{
    (void)worker;
    (void)r; /* no decoded images are kept yet; what counts is the place in the order */
}

static void reset_cursor(struct sm_worker *worker, struct sm_worker_request *r)
{
    (void)r;
    sm_screen_release_cursor(&worker->screen);
    sm_pointer_reset(worker->screen.pointer);
}

static void loadvm_commands(struct sm_worker *worker, struct sm_worker_request *r)
{
    for (uint32_t i = 0; i < r->load.count; i++)
        sm_screen_load_command(&worker->screen, &r->load.commands[i]);
}

static void monitors_config(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_screen_set_monitors(&worker->screen, r->monitors.address, r->monitors.group);
}

static void driver_unload(struct sm_worker *worker, struct sm_worker_request *r)
{
    (void)r;
    worker->screen.guest_manages_monitors = false;
}

void sm_worker_reset_image_cache(struct sm_worker *worker)
{
    sm_worker_call(worker, &(struct sm_worker_request){.run = reset_image_cache});
}

void sm_worker_reset_cursor(struct sm_worker *worker)
{
    sm_worker_call(worker, &(struct sm_worker_request){.run = reset_cursor});
}

void sm_worker_loadvm_commands(struct sm_worker *worker, const struct sm_qxl_ring_command *commands,
                               uint32_t count)
{
    sm_worker_call(worker,
                   &(struct sm_worker_request){.run = loadvm_commands,
                                               .load = {.commands = commands, .count = count}});
}

void sm_worker_monitors_config_async(struct sm_worker *worker, uint64_t address, uint32_t group,
                                     uint64_t cookie)
{
    sm_worker_post(worker,
                   &(struct sm_worker_request){.run = monitors_config,
                                               .is_async = true,
                                               .cookie = cookie,
                                               .monitors = {.address = address, .group = group}});
}

void sm_worker_driver_unload(struct sm_worker *worker)
{
    sm_worker_post(worker, &(struct sm_worker_request){.run = driver_unload});
}

void sm_worker_note_pointer(struct sm_worker *worker, uint32_t x, uint32_t y)
{
    sm_focus_set(&worker->screen.focus, x, y);
}

void sm_worker_set_max_monitors(struct sm_worker *worker, uint32_t max_monitors)
{
    atomic_store(&worker->screen.max_monitors, sm_max_u32(max_monitors, 1));
}

/* ---- GL ---- */

static void gl_scanout(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_gl_scanout_set(worker->screen.gl, &r->buffer);
}

static void gl_draw(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_gl_scanout_draw(worker->screen.gl, &r->area, r->cookie);
}

void sm_worker_gl_scanout(struct sm_worker *worker, int fd, uint32_t width, uint32_t height,
                          uint32_t stride_bytes, uint32_t fourcc, bool is_y0_top)
{
    atomic_store(&worker->scanout_exists, fd >= 0);
    sm_worker_post(worker, &(struct sm_worker_request){.run = gl_scanout,
                                                       .buffer = {.fd = fd,
                                                                  .width = width,
                                                                  .height = height,
                                                                  .stride_bytes = stride_bytes,
                                                                  .fourcc = fourcc,
                                                                  .is_y0_top = is_y0_top}});
}

void sm_worker_gl_draw_async(struct sm_worker *worker, uint32_t x, uint32_t y, uint32_t width,
                             uint32_t height, uint64_t cookie)
{
    if (!atomic_load(&worker->scanout_exists)) {
        sm_log_at(worker->config.log, SM_LOG_WARNING, "GL draw without a scan-out");
        if (worker->config.device->async_complete)
            worker->config.device->async_complete(worker->config.device_context, cookie);
        return;
    }
    /* Completed by the clients, not by having been carried out. */
    sm_worker_post(worker, &(struct sm_worker_request){
                               .run = gl_draw, .cookie = cookie, .area = {x, y, width, height}});
}

/* ---- clients and settings ---- */

static void connect_display(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_screen_connect(&worker->screen, r->handover);
}

static void connect_cursor(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_pointer_connect(worker->screen.pointer, r->handover);
    if (worker->screen.is_running)
        sm_pointer_settle(worker->screen.pointer);
}

static void disconnect(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_screen_disconnect(&worker->screen, r->connection_id);
}

static void migrate_display(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_screen_migrate_display(&worker->screen, r->connection_id);
}

static void migrate_cursor(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_pointer_migrate(worker->screen.pointer, r->connection_id);
}

static void set_compression(struct sm_worker *worker, struct sm_worker_request *r)
{
    struct sm_screen *screen = &worker->screen;
    screen->compression = (enum sm_worker_compression)r->setting;
    SM_LIST_FOR (link, &screen->clients)
        sm_display_peer_set_compression(sm_display_peer_of(link), screen->compression);
}

static void set_streaming(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_streams_set_mode(worker->screen.streams, (enum sm_worker_streaming)r->setting);
}

static void set_video_codecs(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_streams_set_codecs(worker->screen.streams, &r->codecs);
}

static void set_mouse_mode(struct sm_worker *worker, struct sm_worker_request *r)
{
    sm_pointer_set_mode(worker->screen.pointer, (enum sm_worker_mouse_mode)r->setting);
}

void sm_worker_connect_display(struct sm_worker *worker, struct sm_channel_handover *handover)
{
    sm_worker_post(worker,
                   &(struct sm_worker_request){.run = connect_display, .handover = handover});
}

void sm_worker_connect_cursor(struct sm_worker *worker, struct sm_channel_handover *handover)
{
    sm_worker_post(worker,
                   &(struct sm_worker_request){.run = connect_cursor, .handover = handover});
}

void sm_worker_disconnect(struct sm_worker *worker, uint32_t connection_id)
{
    sm_worker_call(worker,
                   &(struct sm_worker_request){.run = disconnect, .connection_id = connection_id});
}

void sm_worker_migrate_display(struct sm_worker *worker, uint32_t connection_id)
{
    sm_worker_post(worker, &(struct sm_worker_request){.run = migrate_display,
                                                       .connection_id = connection_id});
}

void sm_worker_migrate_cursor(struct sm_worker *worker, uint32_t connection_id)
{
    sm_worker_post(
        worker, &(struct sm_worker_request){.run = migrate_cursor, .connection_id = connection_id});
}

void sm_worker_set_compression(struct sm_worker *worker, enum sm_worker_compression compression)
{
    sm_worker_post(
        worker, &(struct sm_worker_request){.run = set_compression, .setting = (int)compression});
}

void sm_worker_set_streaming(struct sm_worker *worker, enum sm_worker_streaming streaming)
{
    sm_worker_post(worker,
                   &(struct sm_worker_request){.run = set_streaming, .setting = (int)streaming});
}

void sm_worker_set_video_codecs(struct sm_worker *worker, const struct sm_video_list *codecs)
{
    sm_worker_post(worker, &(struct sm_worker_request){.run = set_video_codecs, .codecs = *codecs});
}

void sm_worker_set_mouse_mode(struct sm_worker *worker, enum sm_worker_mouse_mode mode)
{
    sm_worker_post(worker,
                   &(struct sm_worker_request){.run = set_mouse_mode, .setting = (int)mode});
}

/* ---- recording ---- */

enum sm_recorded_request sm_worker_recorded_request(const struct sm_worker_request *request)
{
    static const struct {
        void (*run)(struct sm_worker *worker, struct sm_worker_request *request);
        enum sm_recorded_request waited_for, asynchronous;
    } KINDS[] = {
        {add_memslot, SM_RECORDED_ADD_MEMSLOT, SM_RECORDED_ADD_MEMSLOT_ASYNC},
        {del_memslot, SM_RECORDED_DEL_MEMSLOT, SM_RECORDED_NONE},
        {reset_memslots, SM_RECORDED_RESET_MEMSLOTS, SM_RECORDED_NONE},
        {start, SM_RECORDED_START, SM_RECORDED_NONE},
        {stop, SM_RECORDED_STOP, SM_RECORDED_NONE},
        {update_area, SM_RECORDED_UPDATE, SM_RECORDED_NONE},
        {update_area_async, SM_RECORDED_NONE, SM_RECORDED_UPDATE_ASYNC},
        {create_primary, SM_RECORDED_CREATE_PRIMARY, SM_RECORDED_CREATE_PRIMARY_ASYNC},
        {destroy_primary, SM_RECORDED_DESTROY_PRIMARY, SM_RECORDED_DESTROY_PRIMARY_ASYNC},
        {destroy_surface_wait, SM_RECORDED_DESTROY_SURFACE_WAIT, SM_RECORDED_DESTROY_SURFACE_ASYNC},
        {destroy_surfaces, SM_RECORDED_DESTROY_SURFACES, SM_RECORDED_DESTROY_SURFACES_ASYNC},
        {flush_surfaces, SM_RECORDED_NONE, SM_RECORDED_FLUSH_SURFACES_ASYNC},
        {reset_image_cache, SM_RECORDED_RESET_IMAGE_CACHE, SM_RECORDED_NONE},
        {reset_cursor, SM_RECORDED_RESET_CURSOR, SM_RECORDED_NONE},
        {loadvm_commands, SM_RECORDED_LOADVM_COMMANDS, SM_RECORDED_NONE},
        {monitors_config, SM_RECORDED_NONE, SM_RECORDED_MONITORS_CONFIG_ASYNC},
        {driver_unload, SM_RECORDED_DRIVER_UNLOAD, SM_RECORDED_NONE},
        {gl_scanout, SM_RECORDED_GL_SCANOUT, SM_RECORDED_NONE},
        {gl_draw, SM_RECORDED_GL_DRAW_ASYNC, SM_RECORDED_NONE},
        {set_compression, SM_RECORDED_SET_COMPRESSION, SM_RECORDED_NONE},
        {set_streaming, SM_RECORDED_SET_STREAMING, SM_RECORDED_NONE},
        {set_mouse_mode, SM_RECORDED_SET_MOUSE_MODE, SM_RECORDED_NONE},
    };
    for (size_t i = 0; i < SM_COUNT_OF(KINDS); i++)
        if (KINDS[i].run == request->run)
            return request->is_async ? KINDS[i].asynchronous : KINDS[i].waited_for;
    return SM_RECORDED_NONE; /* clients come and go; that is no part of a recording */
}
