/* SPDX-License-Identifier: MIT */
/*
 * Where one client sees pixels that are only nearly right, because they were sent as JPEG. What is
 * kept here follows the order of sending. Drawings must not make large errors of small ones, and
 * what has not changed for a while is to be put right. Source: docs/display.md, "Lossy areas".
 */
#ifndef SM_SERVER_DISPLAY_LOSSY_H
#define SM_SERVER_DISPLAY_LOSSY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/list.h"
#include "core/gfx/region.h"
#include "server/display/focus.h"
#include "sumac/status.h"

struct sm_display_msg;
struct sm_drawing;
struct sm_footprint;

/** Zeroed by sm_lossy_init(). Thread: the worker's. */
struct sm_lossy {
    struct sm_list surfaces; /* private: those with such areas, the primary first */
};

void sm_lossy_init(struct sm_lossy *lossy);
void sm_lossy_finish(struct sm_lossy *lossy);

/** True if all is exact. */
bool sm_lossy_is_empty(const struct sm_lossy *lossy);

/** Whether the source of a drawing may be sent lossily at all, wherever it draws. */
bool sm_lossy_suits(const struct sm_display_msg *msg);

/**
 * Whether the client may carry out a drawing. False: it would combine lossy pixels with others, or
 * take them for something else than colours to show; send the pixels that come of it instead.
 */
bool sm_lossy_admits(const struct sm_lossy *lossy, const struct sm_drawing *drawing);

/**
 * A drawing is sent.
 *
 * @param footprint  its own
 * @param part       of the surface: other parts of the drawing are sent by themselves
 * @param is_lossy   its source is
 * @return SM_OK; SM_ERR_NOMEM: what is kept is no longer right
 */
SM_NODISCARD enum sm_status sm_lossy_note(struct sm_lossy *lossy, const struct sm_drawing *drawing,
                                          const struct sm_footprint *footprint, struct sm_rect part,
                                          bool is_lossy);

/** Something else is shown there lossily, such as a frame of a stream. Status as above. */
SM_NODISCARD enum sm_status sm_lossy_add(struct sm_lossy *lossy, uint32_t surface_id,
                                         struct sm_rect area);

/** The surface is gone. */
void sm_lossy_forget(struct sm_lossy *lossy, uint32_t surface_id);

/** Where the surface is lossy; NULL for nowhere. Borrowed until the next change. */
const struct sm_region *sm_lossy_region(const struct sm_lossy *lossy, uint32_t surface_id);

/** Time passes: what was not lossily drawn since the last but one call is still. */
void sm_lossy_tick(struct sm_lossy *lossy);

/**
 * Finds a piece that is still, to be sent exactly; it stays here until that is noted. Of the
 * primary it is the one nearest to where somebody looks.
 *
 * @param focus       where that is; may be NULL
 * @param max_pixels  of the piece, roughly: at least one row is taken
 * @return false if there is none
 */
bool sm_lossy_find_still(const struct sm_lossy *lossy, const struct sm_focus *focus,
                         uint32_t max_pixels, uint32_t *surface_id, struct sm_rect *area);

#endif
