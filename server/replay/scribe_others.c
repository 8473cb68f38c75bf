/* SPDX-License-Identifier: MIT */
/* Commands that draw nothing themselves, written down. others.c reads them. */
#include "server/replay/scribe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/qxl/commands.h"
#include "server/replay/recording.h"

static void record_shape(struct sm_scribe *r, uint64_t address)
{
    QXLCursor cursor;
    if (!sm_scribe_copy(r, address, &cursor, sizeof(cursor)))
        return;
    const QXLCursorHeader *header = &cursor.header;
    sm_scribe_text(r, "header.unique %" PRIu64 "\nheader.type %d\n", header->unique, header->type);
    sm_scribe_text(r, "header.width %d\nheader.height %d\n", header->width, header->height);
    sm_scribe_text(r, "header.hot_spot_x %d\nheader.hot_spot_y %d\n", header->hot_spot_x,
                   header->hot_spot_y);
    sm_scribe_text(r, "data_size %d\n", (int32_t)cursor.data_size);
    sm_scribe_chunks(r, "cursor", address + offsetof(QXLCursor, chunk), SIZE_MAX);
}

void sm_scribe_cursor(struct sm_scribe *r, uint64_t address)
{
    QXLCursorCmd cursor = {0};
    if (!sm_scribe_copy(r, address, &cursor, offsetof(QXLCursorCmd, device_data)))
        return;
    sm_scribe_text(r, "cursor_cmd\ntype %d\n", cursor.type);
    switch (cursor.type) {
    case QXL_CURSOR_SET:
        sm_scribe_point16(r, cursor.u.set.position);
        sm_scribe_text(r, "u.set.visible %d\n", cursor.u.set.visible);
        record_shape(r, cursor.u.set.shape);
        break;
    case QXL_CURSOR_MOVE:
        sm_scribe_point16(r, cursor.u.position);
        break;
    case QXL_CURSOR_TRAIL:
        sm_scribe_text(r, "u.trail.length %d\nu.trail.frequency %d\n", cursor.u.trail.length,
                       cursor.u.trail.frequency);
        break;
    case QXL_CURSOR_HIDE:
        break;
    default:
        r->failed = true;
        break;
    }
}

void sm_scribe_update(struct sm_scribe *r, uint64_t address)
{
    QXLUpdateCmd update = {0};
    if (r->is_compat) { /* as long, without the surface's id */
        QXLCompatUpdateCmd old;
        if (!sm_scribe_copy(r, address, &old, sizeof(old)))
            return;
        update.area = old.area;
        update.update_id = old.update_id;
    } else if (!sm_scribe_copy(r, address, &update, sizeof(update))) {
        return;
    }
    sm_scribe_text(r, "update\n");
    sm_scribe_rect(r, "area", &update.area);
    sm_scribe_text(r, "update_id %d\nsurface_id %d\n", (int32_t)update.update_id,
                   (int32_t)update.surface_id);
}

/* Text up to its zero, which has to be there. */
void sm_scribe_message(struct sm_scribe *r, uint64_t address)
{
    enum { LONGEST = 100000 };
    address += sizeof(QXLMessage);
    size_t room = sm_memslots_room(r->slots, address, r->group);
    if (room > LONGEST)
        room = LONGEST;
    const uint8_t *text = room ? sm_memslots_resolve(r->slots, address, room, r->group) : NULL;
    const uint8_t *end = text ? memchr(text, 0, room) : NULL; /* reads no further than that */
    if (end)
        sm_scribe_binary(r, "message", address, (size_t)(end - text));
    else
        r->failed = true;
}

void sm_scribe_surface(struct sm_scribe *r, uint64_t address)
{
    QXLSurfaceCmd surface;
    if (!sm_scribe_copy(r, address, &surface, sizeof(surface)))
        return;
    sm_scribe_text(r, "surface_cmd\nsurface_id %d\ntype %d\nflags %d\n",
                   (int32_t)surface.surface_id, surface.type, (int32_t)surface.flags);
    if (surface.type == QXL_SURFACE_CMD_DESTROY)
        return;
    const QXLSurface *create = &surface.u.surface_create;
    uint64_t size = (uint64_t)create->height * (uint64_t)llabs(create->stride);
    if (surface.type != QXL_SURFACE_CMD_CREATE || (int32_t)surface.surface_id <= 0 ||
        size > SM_RECORDING_ITEM_MAX) {
        r->failed = true; /* nor would a reader take it */
        return;
    }
    sm_scribe_text(r, "u.surface_create.format %d\nu.surface_create.width %d\n",
                   (int32_t)create->format, (int32_t)create->width);
    sm_scribe_text(r, "u.surface_create.height %d\nu.surface_create.stride %d\n",
                   (int32_t)create->height, create->stride);
    if (surface.flags & QXL_SURF_FLAG_KEEP_DATA)
        sm_scribe_binary(r, "data", create->data, (size_t)size);
}
