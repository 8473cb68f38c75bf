/* SPDX-License-Identifier: MIT */
/*
 * Video streams. The input is a run of messages: u16 type, u16 size, body. Invariant: whatever a
 * server sends, only the surface is painted, and all memory is given back.
 */
#include <stdint.h>
#include <stdlib.h>

#include "client/streams.h"
#include "core/base/arena.h"
#include "core/base/reader.h"

enum {
    SIDE = 64,
    ARENA_BYTES = 1 << 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(struct sm_streams *streams, struct sm_canvas *canvas, uint16_t type,
                 struct sm_bytes body, struct sm_arena *arena)
{
    struct sm_display_msg msg;
    if (!sm_streams_is_theirs(type) || sm_display_msg_parse(&msg, type, body, arena, NULL) != SM_OK)
        return;
    struct sm_region damage;
    uint32_t refused = 0;
    sm_region_init(&damage);
    (void)!sm_streams_take(streams, canvas, &msg, &damage, &refused);
    struct sm_rect bounds = sm_region_bounds(&damage);
    if (bounds.left < 0 || bounds.top < 0 || bounds.right > SIDE || bounds.bottom > SIDE)
        abort();
    sm_region_finish(&damage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sm_canvas *canvas;
    struct sm_canvas_config config = {.max_surfaces = 2, .max_pixels = 2 * SIDE * SIDE};
    if (sm_canvas_create(&canvas, &config) != SM_OK)
        return 0;
    struct sm_streams streams = {.decoder = NULL};
    struct sm_arena arena = {.blocks = NULL};
    sm_arena_init(&arena, ARENA_BYTES);
    if (sm_canvas_surface_create(canvas, 0, SM_SURFACE_FORMAT_32_XRGB, SIDE, SIDE) == SM_OK) {
        struct sm_reader reader = sm_reader((struct sm_bytes){data, size});
        while (sm_left(&reader) >= 4) {
            uint16_t type = sm_get_le16(&reader);
            uint16_t body_size = sm_get_le16(&reader);
            struct sm_bytes body = sm_get_bytes(&reader, body_size);
            take(&streams, canvas, type, body, &arena);
            sm_arena_reset(&arena);
        }
    }
    sm_streams_finish(&streams);
    sm_canvas_destroy(canvas);
    sm_arena_finish(&arena);
    return 0;
}
