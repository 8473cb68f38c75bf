/* SPDX-License-Identifier: MIT */
/*
 * What a client that fell behind has missed: not the drawings, but where they drew. It gets the
 * pixels that are there by then, so nobody watches history. Source: docs/display.md, "Flow".
 */
#ifndef SM_SERVER_DISPLAY_BACKLOG_H
#define SM_SERVER_DISPLAY_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/list.h"
#include "server/display/focus.h"
#include "sumac/status.h"

/** Thread: the worker's. */
struct sm_backlog {
    const struct sm_focus *focus; /* borrowed, may be NULL: on surface 0; set it after init */
    bool was_near;                /* private: the last piece was chosen for being near that */
    struct sm_list surfaces;      /* private: what was missed of each, the one to send next first */
};

void sm_backlog_init(struct sm_backlog *backlog);
void sm_backlog_finish(struct sm_backlog *backlog);

bool sm_backlog_is_empty(const struct sm_backlog *backlog);

/** How many pixels were missed, on all surfaces. */
uint64_t sm_backlog_pixels(const struct sm_backlog *backlog);

/** Adds an area. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_backlog_add(struct sm_backlog *backlog, uint32_t surface_id,
                                           struct sm_rect area);

/** The surface is gone, and what was missed of it. */
void sm_backlog_forget(struct sm_backlog *backlog, uint32_t surface_id);

/**
 * Takes a piece out of the backlog, to be sent now. Every second one is the nearest to the focus,
 * as long as there is one; the others come from one surface after the other, from top to bottom and
 * then again. So an area that changes all the time does not hold up the rest.
 *
 * @param max_pixels  of the piece, roughly: at least one row is taken
 * @return false if there is nothing
 */
bool sm_backlog_take(struct sm_backlog *backlog, uint32_t max_pixels, uint32_t *surface_id,
                     struct sm_rect *area);

#endif
