/* SPDX-License-Identifier: MIT */
/*
 * The bitwise drawing commands: fill, copy, move, ternary operations and colour-keyed copies. All
 * work on stored pixel values, the meaning-free bits included, and write only inside the area.
 *
 * Everywhere in core/gfx: `target` has a format that sm_surface_has_format() accepts, the area lies
 * inside it, and sources do not share memory with it unless said otherwise. A combination that has
 * no meaning draws nothing. Source: docs/gfx.md.
 */
#ifndef SM_CORE_GFX_DRAW_H
#define SM_CORE_GFX_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/area.h"
#include "core/gfx/ops.h"
#include "core/gfx/region.h"
#include "core/gfx/rop.h"

enum sm_gfx_brush_type {
    SM_GFX_BRUSH_NONE, /* the value 0 */
    SM_GFX_BRUSH_SOLID,
    SM_GFX_BRUSH_TILE,
};

struct sm_gfx_brush {
    enum sm_gfx_brush_type type;
    uint32_t color;        /* SOLID: a stored pixel value, cut to the target's width */
    struct sm_pixels tile; /* TILE: borrowed; as many bits a pixel as the target */
    int32_t x, y;          /* TILE: where a tile's top-left corner lies, in target coordinates */
};

/**
 * A picture of which `area` is brought to the command's box: one to one if both have the same
 * size, else scaled (mirrored, if a side of `area` is inverted). Parts of `area` outside the
 * picture leave the target alone, or are transparent black when scaled.
 */
struct sm_gfx_source {
    struct sm_pixels pixels; /* borrowed */
    struct sm_rect area;
    bool is_linear; /* how to scale: mixing neighbours, or taking the nearest */
};

/** target = op(brush, target). */
void sm_gfx_fill(const struct sm_gfx_ops *ops, const struct sm_pixels *target,
                 const struct sm_gfx_area *area, const struct sm_gfx_brush *brush,
                 enum sm_gfx_op op);

/** target = op(source, target); `box` is the unclipped destination of the source's area. */
void sm_gfx_copy(const struct sm_pixels *target, const struct sm_gfx_area *area, struct sm_rect box,
                 const struct sm_gfx_source *source, enum sm_gfx_op op);

/** Each pixel of `region` becomes what was at (x - dx, y - dy), if that is inside the target. */
void sm_gfx_move(const struct sm_pixels *target, const struct sm_region *region, int64_t dx,
                 int64_t dy);

/**
 * target = code(brush, source, target), `code` as in sm_gfx_rop3_row(). The source must cover the
 * box; targets of 16 and 32 bits only.
 */
void sm_gfx_rop3(const struct sm_pixels *target, const struct sm_gfx_area *area, struct sm_rect box,
                 const struct sm_gfx_source *source, const struct sm_gfx_brush *brush,
                 uint8_t code);

/** Copies what differs from `key`, a 0x00RRGGBB colour that is reduced to the target's format. */
void sm_gfx_copy_keyed(const struct sm_pixels *target, const struct sm_gfx_area *area,
                       struct sm_rect box, const struct sm_gfx_source *source, uint32_t key);

/** True if the source's area and `box` differ in size, so that the command scales. */
bool sm_gfx_source_is_scaled(const struct sm_gfx_source *source, struct sm_rect box);

#endif
