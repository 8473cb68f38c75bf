/* SPDX-License-Identifier: MIT */
/* The shape of a pointer as pixels. Source: docs/channel.md, "Cursor shapes". */
#ifndef SM_CORE_CHANNEL_CURSOR_SHAPE_H
#define SM_CORE_CHANNEL_CURSOR_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/wire/cursor.h"
#include "sumac/status.h"

enum { SM_CURSOR_MAX_PIXELS = 1 << 20 };

/** Shared and never changed once made: viewer, cache and machine may hold it at the same time. */
struct sm_cursor_shape {
    uint32_t refs; /* not atomic: holders are of one thread */
    uint64_t unique;
    uint16_t width, height; /* pixels; 0 for a shape of nothing */
    uint16_t hot_x, hot_y;  /* at most width and height */
    /**
     * width × height pixels, 0xAARRGGBB with the colour premultiplied by alpha, top row first, no
     * padding.
     */
    uint32_t *pixels; /* owned */
    /**
     * Some pixels invert what is below, which no such image can do: those of a monochrome shape are
     * black with a white edge, those of a colour shape a translucent checker.
     */
    bool has_inverted;
};

/**
 * Decodes the shape of `cursor`, which carries its data (not FROM_CACHE, not NONE). Colours of type
 * ALPHA are taken as not premultiplied, as the reference client takes them.
 *
 * @param out  receives the shape with one reference; untouched on failure
 * @return SM_OK; SM_ERR_PROTOCOL if there are too few bytes for the size, or the type is unknown;
 *         SM_ERR_LIMIT for more than SM_CURSOR_MAX_PIXELS; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_cursor_shape_create(struct sm_cursor_shape **out,
                                                   const struct sm_cursor *cursor);

struct sm_cursor_shape *sm_cursor_shape_ref(struct sm_cursor_shape *shape);

/** NULL does nothing. */
void sm_cursor_shape_unref(struct sm_cursor_shape *shape);

/** Bytes a shape of `type` (of enum sm_cursor_type) and size has at least; 0 for an unknown type.
 */
uint64_t sm_cursor_shape_bytes(uint8_t type, uint32_t width, uint32_t height);

#endif
