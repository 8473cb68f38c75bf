/* SPDX-License-Identifier: MIT */
/*
 * Fills that are painted when somebody looks. A desktop that scrolls clears each line, and the next
 * page covers what was cleared before it was seen: such a fill is never painted at all. Those that
 * wait do not overlap, so the order in which they are painted does not matter. Private to
 * core/channel/canvas. Source: docs/client.md, "Fills that nobody sees".
 */
#ifndef SM_CORE_CHANNEL_CANVAS_LAZY_FILLS_H
#define SM_CORE_CHANNEL_CANVAS_LAZY_FILLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/channel/canvas/canvas.h"

enum {
    SM_LAZY_FILL_MIN_PX = 1024, /* smaller ones are painted sooner than remembered */
};

struct sm_lazy_fill {
    struct sm_rect rect; /* within its surface; not empty */
    uint32_t surface_id;
    uint32_t color; /* a stored pixel value */
};

/** Zeroed memory: none. */
struct sm_lazy_fills {
    struct sm_lazy_fill fills[SM_CANVAS_FILLS_MAX];
    size_t count;
};

/** A fill of `rect`, which lies within the surface; painted at once if that is cheaper. */
void sm_lazy_fill(struct sm_canvas *canvas, uint32_t surface_id, struct sm_rect rect,
                  uint32_t color);

/** All pixels of `rect` have other values now, whatever they were: no fill shows there any more. */
void sm_lazy_fills_cover(struct sm_canvas *canvas, uint32_t surface_id, struct sm_rect rect);

/** Pixels of `rect` are about to be read, or changed in part: paints the fills that touch it. */
void sm_lazy_fills_settle(struct sm_canvas *canvas, uint32_t surface_id, struct sm_rect rect);

/** Paints the fills of a surface. */
void sm_lazy_fills_settle_surface(struct sm_canvas *canvas, uint32_t surface_id);

/** Paints all. */
void sm_lazy_fills_settle_all(struct sm_canvas *canvas);

/** Those of a surface, not painted: `out` has room for SM_CANVAS_FILLS_MAX. Returns how many. */
size_t sm_lazy_fills_of(const struct sm_canvas *canvas, uint32_t surface_id,
                        struct sm_canvas_fill *out);

/** A surface goes away: its fills are forgotten. */
void sm_lazy_fills_forget(struct sm_canvas *canvas, uint32_t surface_id);

#endif
