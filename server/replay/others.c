/* SPDX-License-Identifier: MIT */
/* Recorded commands that draw nothing themselves: surfaces, pointers, updates, messages. */
#include "server/replay/command.h"

#include <stdlib.h>

static QXLPHYSICAL read_cursor_shape(struct sm_replay_builder *b)
{
    QXLCursorHeader header = {0};
    header.unique = sm_recording_u64(b->in, "header.unique");
    header.type = (uint16_t)sm_recording_int(b->in, "header.type");
    header.width = (uint16_t)sm_recording_int(b->in, "header.width");
    header.height = (uint16_t)sm_recording_int(b->in, "header.height");
    header.hot_spot_x = (uint16_t)sm_recording_int(b->in, "header.hot_spot_x");
    header.hot_spot_y = (uint16_t)sm_recording_int(b->in, "header.hot_spot_y");
    uint32_t data_size = (uint32_t)sm_recording_int(b->in, "data_size");
    size_t size;
    QXLCursor *cursor = sm_replay_read_chunks(b, "cursor", sizeof(*cursor), &size);
    if (cursor) {
        cursor->header = header;
        cursor->data_size = data_size;
    }
    return (uintptr_t)cursor;
}

QXLCursorCmd *sm_replay_read_cursor(struct sm_replay_builder *b)
{
    QXLCursorCmd *cursor = sm_replay_alloc(b, sizeof(*cursor));
    if (!cursor)
        return NULL;
    sm_recording_word(b->in, "cursor_cmd");
    cursor->type = (uint8_t)sm_recording_int(b->in, "type");
    switch (cursor->type) {
    case QXL_CURSOR_SET:
        cursor->u.set.position = sm_replay_read_point16(b);
        cursor->u.set.visible = (uint8_t)sm_recording_int(b->in, "u.set.visible");
        cursor->u.set.shape = read_cursor_shape(b);
        break;
    case QXL_CURSOR_MOVE:
        cursor->u.position = sm_replay_read_point16(b);
        break;
    case QXL_CURSOR_TRAIL:
        cursor->u.trail.length = (uint16_t)sm_recording_int(b->in, "u.trail.length");
        cursor->u.trail.frequency = (uint16_t)sm_recording_int(b->in, "u.trail.frequency");
        break;
    default:
        break;
    }
    return cursor;
}

/* Pixels of a new surface: recorded, or room of the right size. */
static QXLPHYSICAL read_surface_data(struct sm_replay_builder *b, const QXLSurfaceCmd *surface)
{
    const QXLSurface *create = &surface->u.surface_create;
    uint64_t size = (uint64_t)create->height * (uint64_t)llabs(create->stride);
    if (size > SM_RECORDING_ITEM_MAX)
        b->in->failed = true;
    void *data = sm_replay_alloc(b, b->in->failed ? 0 : (size_t)size);
    if (data && (surface->flags & QXL_SURF_FLAG_KEEP_DATA))
        sm_recording_binary_into(b->in, "data", data, (size_t)size);
    return (uintptr_t)data;
}

QXLSurfaceCmd *sm_replay_read_surface(struct sm_replay_builder *b)
{
    QXLSurfaceCmd *surface = sm_replay_alloc(b, sizeof(*surface));
    if (!surface)
        return NULL;
    sm_recording_word(b->in, "surface_cmd");
    int64_t id = sm_recording_int(b->in, "surface_id");
    surface->type = (uint8_t)sm_recording_int(b->in, "type");
    surface->flags = (uint32_t)sm_recording_int(b->in, "flags");
    if (surface->type == QXL_SURFACE_CMD_DESTROY) {
        surface->surface_id = sm_replay_surface_destroy(b, id);
        return surface;
    }
    QXLSurface *create = &surface->u.surface_create;
    create->format = (uint32_t)sm_recording_int(b->in, "u.surface_create.format");
    create->width = (uint32_t)sm_recording_int(b->in, "u.surface_create.width");
    create->height = (uint32_t)sm_recording_int(b->in, "u.surface_create.height");
    create->stride = (int32_t)sm_recording_int(b->in, "u.surface_create.stride");
    create->data = read_surface_data(b, surface);
    surface->surface_id = sm_replay_surface_create(b, id);
    return surface;
}

QXLUpdateCmd *sm_replay_read_update(struct sm_replay_builder *b)
{
    QXLUpdateCmd *update = sm_replay_alloc(b, sizeof(*update));
    if (!update)
        return NULL;
    sm_recording_word(b->in, "update");
    update->area = sm_replay_read_rect(b, "area");
    update->update_id = (uint32_t)sm_recording_int(b->in, "update_id");
    update->surface_id =
        (uint32_t)sm_replay_surface_id(b->surfaces, sm_recording_int(b->in, "surface_id"));
    return update;
}

/* The arena's zeros behind the text are the terminator that the recording leaves out. */
QXLMessage *sm_replay_read_message(struct sm_replay_builder *b)
{
    size_t size;
    struct sm_arena *arena = &b->command->arena;
    const uint8_t *text = sm_recording_binary(b->in, "message", arena, 0, &size);
    QXLMessage *message = sm_replay_alloc(b, sizeof(*message) + size + 1);
    for (size_t i = 0; message && text && i < size; i++)
        message->data[i] = text[i];
    return message;
}
