/* SPDX-License-Identifier: MIT */
/* Turns drawings into pixels of surfaces in guest memory. */
#ifndef SM_SERVER_DISPLAY_RENDERER_H
#define SM_SERVER_DISPLAY_RENDERER_H

#include <stdint.h>

#include "core/base/pixels.h"
#include "sumac/status.h"

struct sm_drawing;
struct sm_region;
struct sm_memslots;

/** Thread: the worker's. */
struct sm_renderer;

/** @param slots  borrowed: warnings go where its warnings go */
SM_NODISCARD enum sm_status sm_renderer_create(struct sm_renderer **out,
                                               const struct sm_memslots *slots);

/** NULL does nothing. */
void sm_renderer_destroy(struct sm_renderer *renderer);

/**
 * Makes `pixels`, borrowed until the surface is removed, the surface `id`. A surface of single bits
 * is accepted, but drawing on it does nothing.
 *
 * @return SM_OK; SM_ERR_LIMIT for a surface too large to be drawn on; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_renderer_add_surface(struct sm_renderer *renderer, uint32_t id,
                                                    const struct sm_pixels *pixels);

void sm_renderer_remove_surface(struct sm_renderer *renderer, uint32_t id);

/**
 * Renders a drawing whose sources are complete. What cannot be rendered is a warning and leaves
 * the target as it is.
 *
 * @param part  of what it writes, all that is to be drawn; NULL for everything
 */
void sm_renderer_draw(struct sm_renderer *renderer, const struct sm_drawing *drawing,
                      const struct sm_region *part);

#endif
