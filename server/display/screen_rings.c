/* SPDX-License-Identifier: MIT */
/* Commands of the two rings: taken, carried out, given back. */
#include "core/base/math.h"
#include "io/clock.h"
#include "server/display/limits.h"
#include "server/display/screen.h"
#include "server/qxl/drawing.h"
#include "server/replay/recorder.h"

void sm_screen_release(struct sm_screen *screen, const struct sm_qxl_release *release)
{
    const struct sm_worker_config *config = &screen->config;
    if (config->device->release_resource)
        config->device->release_resource(config->device_context, *release);
}

void sm_screen_release_cursor(struct sm_screen *screen)
{
    if (!screen->has_cursor_command)
        return;
    screen->has_cursor_command = false;
    sm_screen_release(screen, &screen->cursor_command);
}

/*
 * Where a command is to be given back: nowhere if its header does not resolve, in which case
 * nothing can be done with it at all.
 */
static bool find_release(const struct sm_screen *screen, const struct sm_qxl_ring_command *command,
                         size_t header_size, struct sm_qxl_release *out)
{
    out->info = sm_memslots_resolve(screen->slots, command->address, header_size, command->group);
    out->group = command->group;
    return out->info;
}

/* ---- the display ring ---- */

static bool find_surface(const void *surfaces, uint32_t id, struct sm_surface_shape *out)
{
    const struct sm_display_surface *surface = sm_surfaces_find(surfaces, id);
    if (!surface)
        return false;
    *out = (struct sm_surface_shape){.width = surface->pixels.width,
                                     .height = surface->pixels.height,
                                     .format = surface->format};
    return true;
}

static void draw(struct sm_screen *screen, const struct sm_qxl_ring_command *command)
{
    struct sm_qxl_release release;
    if (!find_release(screen, command, sm_drawing_header_size(command->flags), &release))
        return;
    struct sm_drawing_source source = {
        .slots = screen->slots,
        .group = command->group,
        .flags = command->flags,
        .find_surface = find_surface,
        .surfaces = &screen->surfaces,
    };
    struct sm_drawing *drawing;
    enum sm_status status = sm_drawing_parse(&drawing, &source, command->address);
    /* All of it was copied, so the guest can have it back at once. */
    sm_screen_release(screen, &release);
    if (!status)
        sm_screen_add_drawing(screen, drawing);
}

static void update(struct sm_screen *screen, const struct sm_qxl_ring_command *command)
{
    struct sm_qxl_release release;
    struct sm_update_command update;
    size_t size =
        command->flags & SM_QXL_COMPAT ? SM_UPDATE_COMPAT_COMMAND_SIZE : SM_UPDATE_COMMAND_SIZE;
    if (!find_release(screen, command, size, &release))
        return;
    enum sm_status status = sm_update_command_parse(&update, screen->slots, command->group,
                                                    command->flags, command->address);
    if (!status) {
        (void)sm_screen_render_area(screen, update.surface_id, update.area);
        if (screen->config.device->notify_update)
            screen->config.device->notify_update(screen->config.device_context, update.update_id);
    }
    sm_screen_release(screen, &release);
}

static void message(struct sm_screen *screen, const struct sm_qxl_ring_command *command)
{
    struct sm_qxl_release release;
    if (!find_release(screen, command, SM_MESSAGE_COMMAND_SIZE, &release))
        return;
    (void)sm_message_command_check(screen->slots, command->group, command->address);
    sm_screen_release(screen, &release);
}

/* True if the surface now holds the command. */
static bool create_surface(struct sm_screen *screen, const struct sm_surface_command *command,
                           const struct sm_qxl_release *release, bool is_load)
{
    struct sm_display_surface *surface;
    if (sm_surfaces_find(&screen->surfaces, command->surface_id)) {
        sm_memslots_warn(screen->slots, "surface %u: avoiding creating a surface twice",
                         command->surface_id);
        return false;
    }
    bool keep_data = command->keep_data || is_load;
    if (sm_screen_add_surface(screen, command->surface_id, &command->memory, keep_data, &surface) !=
        SM_OK)
        return false;
    surface->has_create_command = true;
    surface->create_command = *release;
    if (!keep_data)
        sm_screen_announce_surface(screen, surface, false);
    return true;
}

static bool destroy_surface(struct sm_screen *screen, uint32_t id,
                            const struct sm_qxl_release *release)
{
    struct sm_display_surface *surface = sm_surfaces_find(&screen->surfaces, id);
    if (!surface) {
        sm_memslots_warn(screen->slots, "surface %u to be destroyed does not exist", id);
        return false;
    }
    surface->has_destroy_command = true;
    surface->destroy_command = *release;
    sm_screen_remove_surface(screen, surface);
    return true;
}

static void change_surface(struct sm_screen *screen, const struct sm_qxl_ring_command *command,
                           bool is_load)
{
    struct sm_qxl_release release;
    struct sm_surface_command surface;
    if (!find_release(screen, command, SM_SURFACE_COMMAND_SIZE, &release))
        return;
    bool is_held = false;
    if (sm_surface_command_parse(&surface, screen->slots, command->group, command->address) ==
        SM_OK) {
        if (surface.surface_id == 0 || surface.surface_id >= screen->surfaces.limit)
            sm_memslots_warn(screen->slots, "surface id %u is out of range", surface.surface_id);
        else if (surface.is_create)
            is_held = create_surface(screen, &surface, &release, is_load);
        else
            is_held = destroy_surface(screen, surface.surface_id, &release);
    }
    if (!is_held)
        sm_screen_release(screen, &release);
}

static void take_display_command(struct sm_screen *screen,
                                 const struct sm_qxl_ring_command *command)
{
    switch (command->type) {
    case SM_QXL_DRAW:
        draw(screen, command);
        break;
    case SM_QXL_UPDATE:
        update(screen, command);
        break;
    case SM_QXL_MESSAGE:
        message(screen, command);
        break;
    case SM_QXL_SURFACE:
        change_surface(screen, command, false);
        break;
    default:
        sm_memslots_warn(screen->slots, "command of unknown type %u in the display ring",
                         command->type);
        break;
    }
}

/* ---- the cursor ring ---- */

static void take_cursor_command(struct sm_screen *screen, const struct sm_qxl_ring_command *command)
{
    if (command->type != SM_QXL_CURSOR) {
        sm_memslots_warn(screen->slots, "command of unknown type %u in the cursor ring",
                         command->type);
        return;
    }
    struct sm_qxl_release release;
    struct sm_cursor_command cursor;
    if (!find_release(screen, command, SM_CURSOR_COMMAND_SIZE, &release))
        return;
    enum sm_status status =
        sm_cursor_command_parse(&cursor, screen->slots, command->group, command->address);
    if (status || cursor.type != SM_CURSOR_SET) {
        sm_screen_release(screen, &release);
    } else {
        sm_screen_release_cursor(screen);
        screen->cursor_command = release;
        screen->has_cursor_command = true;
    }
    if (!status && cursor.type == SM_CURSOR_MOVE && cursor.position.x >= 0 &&
        cursor.position.y >= 0)
        sm_focus_set(&screen->focus, (uint32_t)cursor.position.x, (uint32_t)cursor.position.y);
    if (!status)
        sm_pointer_command(screen->pointer, &cursor);
}

/* ---- pulling ---- */

struct ring {
    struct sm_ring_state *state;
    bool (*get)(void *device, struct sm_qxl_ring_command *out);
    bool (*ask)(void *device);
    void (*take)(struct sm_screen *screen, const struct sm_qxl_ring_command *command);
};

static struct ring display_ring(struct sm_screen *screen)
{
    const struct sm_qxl_device_ops *device = screen->config.device;
    return (struct ring){&screen->display_ring, device->get_command, device->req_cmd_notification,
                         take_display_command};
}

static struct ring cursor_ring(struct sm_screen *screen)
{
    const struct sm_qxl_device_ops *device = screen->config.device;
    return (struct ring){&screen->cursor_ring, device->get_cursor_command,
                         device->req_cursor_notification, take_cursor_command};
}

static bool take_one(struct sm_screen *screen, const struct ring *ring)
{
    struct sm_qxl_ring_command command;
    if (!ring->get || !ring->get(screen->config.device_context, &command))
        return false;
    ring->state->empty_looks = 0;
    if (screen->config.recorder)
        sm_recorder_command(screen->config.recorder, screen->slots, &command);
    ring->take(screen, &command);
    return true;
}

/* The ring was found empty. True if it is worth looking again at once. */
static bool note_empty(struct sm_screen *screen, const struct ring *ring)
{
    if (ring->state->empty_looks == 0) {
        ring->state->empty_looks = 1;
        return false;
    }
    if (ring->state->empty_looks > 1)
        return false;
    if (ring->ask && !ring->ask(screen->config.device_context))
        return true;
    ring->state->empty_looks = 2;
    return false;
}

static bool process_cursor_ring(struct sm_screen *screen)
{
    struct ring ring = cursor_ring(screen);
    uint64_t end_us = sm_now_us() + SM_DISPLAY_SLICE_US;
    while (!sm_pointer_is_blocked(screen->pointer)) {
        if (!take_one(screen, &ring) && !note_empty(screen, &ring))
            return true;
        if (sm_now_us() >= end_us)
            return false;
    }
    return true;
}

/* False if there is more to be done at once. */
static bool process_display_ring(struct sm_screen *screen)
{
    struct ring ring = display_ring(screen);
    uint64_t end_us = sm_now_us() + SM_DISPLAY_SLICE_US;
    while (!sm_screen_is_blocked(screen, false)) {
        if (!take_one(screen, &ring) && !note_empty(screen, &ring))
            return true;
        if (sm_now_us() >= end_us)
            return false;
    }
    return true;
}

int sm_screen_process_rings(struct sm_screen *screen)
{
    if (!screen->is_running)
        return -1;
    bool is_done = process_cursor_ring(screen);
    is_done = process_display_ring(screen) && is_done;
    sm_screen_push_clients(screen);
    if (!is_done)
        return 0;
    bool is_polling = screen->display_ring.empty_looks == 1 || screen->cursor_ring.empty_looks == 1;
    return is_polling ? SM_DISPLAY_RING_POLL_MS : -1;
}

void sm_screen_wake(struct sm_screen *screen)
{
    screen->display_ring.empty_looks = 0;
    screen->cursor_ring.empty_looks = 0;
}

void sm_screen_load_command(struct sm_screen *screen, const struct sm_qxl_ring_command *command)
{
    if (command->type == SM_QXL_SURFACE)
        change_surface(screen, command, true);
    else if (command->type == SM_QXL_CURSOR)
        take_cursor_command(screen, command);
    else
        sm_memslots_warn(screen->slots, "recorded command of unknown type %u", command->type);
}

/* Waits until no client is too far behind, at most until `end_us`; then they are disconnected. */
static void wait_for_clients(struct sm_screen *screen, uint64_t end_us)
{
    while (sm_screen_is_blocked(screen, true)) {
        if (sm_now_us() >= end_us) {
            sm_screen_close_slow(screen);
            return;
        }
        screen->wait(screen->opaque, SM_DISPLAY_POLL_MS);
        sm_screen_push_clients(screen);
    }
}

void sm_screen_drain_rings(struct sm_screen *screen)
{
    if (!screen->is_running)
        return;
    struct ring rings[] = {cursor_ring(screen), display_ring(screen)};
    uint64_t end_us = sm_now_us() + SM_DISPLAY_DRAIN_TIMEOUT_US;
    for (unsigned i = 0; i < SM_COUNT_OF(rings); i++) {
        uint32_t count = 0;
        while (take_one(screen, &rings[i])) {
            if (++count == SM_DISPLAY_MAX_DRAIN_COMMANDS) {
                sm_memslots_warn(screen->slots, "ring does not become empty");
                break;
            }
            wait_for_clients(screen, end_us);
        }
    }
    sm_screen_push_clients(screen);
}

void sm_screen_free_memory(struct sm_screen *screen)
{
    const struct sm_worker_config *config = &screen->config;
    if (!screen->is_running)
        return;
    sm_screen_drain_rings(screen);
    /* Drawings hold no guest memory, so beyond what was just released there is nothing to free. */
    if (config->device->flush_resources)
        (void)config->device->flush_resources(config->device_context);
}
