/* SPDX-License-Identifier: MIT */
/* What drawing commands draw on: pixels that are owned, or that lie in the caller's memory. */
#ifndef SM_CORE_GFX_SURFACE_H
#define SM_CORE_GFX_SURFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "sumac/status.h"

/** Sides of a surface are 1 to this many pixels. */
enum { SM_SURFACE_MAX_SIDE = 1 << 16 };

/** Thread: one at a time per surface. */
struct sm_surface;

/**
 * Creates a surface whose pixels are all zero bits.
 *
 * @param out     receives the surface, untouched on failure; the caller owns it and releases it
 *                with sm_surface_destroy()
 * @param format  one that sm_surface_has_format() accepts
 * @param width   1 to SM_SURFACE_MAX_SIDE, in pixels; `height` likewise. A limit on their product
 *                is the caller's affair.
 * @return SM_OK; SM_ERR_LIMIT if format or a side is out of range; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_surface_create(struct sm_surface **out, enum sm_pixel_format format,
                                              uint32_t width, uint32_t height);

/**
 * Creates a surface on memory of the caller, which stays borrowed until the surface is destroyed.
 * Nothing is cleared. Rows may have any address and any distance of at least their size, also a
 * negative one.
 *
 * @return as sm_surface_create(); SM_ERR_LIMIT also if rows overlap
 */
SM_NODISCARD enum sm_status sm_surface_wrap(struct sm_surface **out,
                                            const struct sm_pixels *pixels);

/** Destroys `surface` and the rows it owns. NULL does nothing. */
void sm_surface_destroy(struct sm_surface *surface);

/** The pixels, top row first; borrowed until the surface is destroyed. */
const struct sm_pixels *sm_surface_pixels(const struct sm_surface *surface);

/** {0, 0, width, height}. */
struct sm_rect sm_surface_bounds(const struct sm_surface *surface);

/** True for the formats that can be drawn on: XRGB32, ARGB32, RGB555, RGB565 and A8. */
bool sm_surface_has_format(enum sm_pixel_format format);

#endif
