/* SPDX-License-Identifier: MIT */
#include "server/display/peer_migration.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/channel/display/server.h"
#include "core/wire/migration.h"

enum { MAX_ENCODERS = 4 };

enum sm_status sm_peer_state_build(struct sm_writer *w, const struct sm_peer_state *state,
                                   bool has_lossy)
{
    struct sm_migration_surface *surfaces =
        sm_alloc_array(state->surface_count + 1, sizeof(*surfaces));
    if (!surfaces)
        return SM_ERR_NOMEM;
    for (uint32_t i = 0; i < state->surface_count; i++) {
        const struct sm_peer_surface *from = &state->surfaces[i];
        surfaces[i] = (struct sm_migration_surface){.id = from->id,
                                                    .lossy_left = from->lossy.left,
                                                    .lossy_top = from->lossy.top,
                                                    .lossy_right = from->lossy.right,
                                                    .lossy_bottom = from->lossy.bottom};
    }
    struct sm_migration_surfaces list = {.num_surfaces = state->surface_count,
                                         .surfaces = surfaces};
    struct sm_migration_msg msg = {.type = SM_MIGRATION_DISPLAY};
    msg.display = (struct sm_migration_display){
        .magic = SM_MIGRATION_MAGIC_DISPLAY,
        .version = SM_MIGRATION_VERSION,
        .message_serial = state->serial,
        .low_bandwidth = state->is_low_bandwidth,
        .pixmap_cache_id = state->cache_id,
        .pixmap_cache_size = (int64_t)state->cache_px,
        .is_freezer = state->empties_cache,
        .glz_dictionary_id = state->glz_id,
        .glz_size = state->glz_window_px,
        .glz_max_encoders = MAX_ENCODERS,
        /* Of none, 0: a reference target that is told of the number before it shows nothing. */
        .glz_last_image_id = state->glz_next_id ? state->glz_next_id - 1 : 0,
        .surfaces = &list,
    };
    memcpy(msg.display.pixmap_cache_clients, state->cache_serials, sizeof(state->cache_serials));
    enum sm_status status =
        sm_migration_msg_build(w, &msg, has_lossy ? SM_MIGRATION_CONTEXT_LOSSY : 0);
    free(surfaces);
    return status;
}

/* No surface has pixels beyond. */
static bool is_area(struct sm_rect rect)
{
    const int32_t limit = UINT16_MAX + 1;
    return rect.left >= 0 && rect.top >= 0 && rect.right <= limit && rect.bottom <= limit;
}

/* Each surface once, with an id that can be. */
static enum sm_status take_surfaces(struct sm_peer_state *out, struct sm_arena *arena,
                                    const struct sm_migration_surfaces *list)
{
    uint8_t seen[SM_SURFACES_MAX / 8] = {0};
    struct sm_peer_surface *surfaces = sm_arena_alloc(arena, list->num_surfaces, sizeof(*surfaces));
    if (!surfaces)
        return sm_arena_failure(arena);
    for (uint32_t i = 0; i < list->num_surfaces; i++) {
        const struct sm_migration_surface *from = &list->surfaces[i];
        if (from->id >= SM_SURFACES_MAX || (seen[from->id / 8] >> (from->id % 8) & 1))
            return SM_ERR_PROTOCOL;
        seen[from->id / 8] |= (uint8_t)(1u << (from->id % 8));
        surfaces[i] = (struct sm_peer_surface){
            .id = from->id,
            .lossy = {from->lossy_left, from->lossy_top, from->lossy_right, from->lossy_bottom}};
        if (!sm_rect_is_empty(surfaces[i].lossy) && !is_area(surfaces[i].lossy))
            return SM_ERR_PROTOCOL;
    }
    out->surface_count = list->num_surfaces;
    out->surfaces = surfaces;
    return SM_OK;
}

/* The data do not say which layout they have; the long one, where surfaces fill it, is larger. */
static enum sm_status parse(struct sm_migration_msg *msg, struct sm_bytes data,
                            struct sm_arena *arena)
{
    enum sm_status status = sm_migration_msg_parse(msg, SM_MIGRATION_DISPLAY, data,
                                                   SM_MIGRATION_CONTEXT_LOSSY, arena, NULL);
    if (status != SM_ERR_PROTOCOL)
        return status;
    return sm_migration_msg_parse(msg, SM_MIGRATION_DISPLAY, data, 0, arena, NULL);
}

enum sm_status sm_peer_state_parse(struct sm_peer_state *out, struct sm_bytes data,
                                   struct sm_arena *arena)
{
    struct sm_migration_msg msg;
    enum sm_status status = parse(&msg, data, arena);
    if (status != SM_OK)
        return status;
    const struct sm_migration_display *from = &msg.display;
    if (from->glz_size > SM_DISPLAY_MAX_GLZ_PX)
        return SM_ERR_LIMIT;
    if (from->glz_last_image_id == UINT64_MAX)
        return SM_ERR_PROTOCOL; /* no image could follow */
    struct sm_peer_state state = {
        .serial = from->message_serial,
        .is_low_bandwidth = from->low_bandwidth,
        .cache_id = from->pixmap_cache_id,
        .glz_id = from->glz_dictionary_id,
        .cache_px = from->pixmap_cache_size > 0 ? (uint64_t)from->pixmap_cache_size : 0,
        .empties_cache = from->is_freezer,
        .glz_window_px = from->glz_size,
        .glz_next_id = from->glz_last_image_id + 1,
    };
    memcpy(state.cache_serials, from->pixmap_cache_clients, sizeof(state.cache_serials));
    status = take_surfaces(&state, arena, from->surfaces);
    if (status == SM_OK)
        *out = state;
    return status;
}
