/* SPDX-License-Identifier: MIT */
/* A drawing on its way: waiting to be rendered, and in the queues of clients. */
#ifndef SM_SERVER_DISPLAY_DRAWABLE_H
#define SM_SERVER_DISPLAY_DRAWABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/list.h"
#include "server/display/footprint.h"
#include "server/qxl/drawing.h"

struct sm_display_surface;
struct sm_drawable;

/** What all drawables of a worker together hold. */
struct sm_drawable_budget {
    size_t used_bytes;
    uint32_t count;
};

/** One of the surfaces a pending drawable reads. */
struct sm_drawable_source {
    struct sm_display_surface *surface; /* borrowed: it outlives its pending readers */
    struct sm_drawable *drawable;       /* whose source this is */
    struct sm_list reader_link;         /* in surface->readers, while pending */
};

/** Held by a surface's pending list and by client queues. Thread: the worker's. */
struct sm_drawable {
    const struct sm_drawing *drawing; /* owned */
    struct sm_footprint footprint;    /* owned */
    struct sm_drawable_budget *budget;
    uint32_t refs;
    bool is_rendered;
    /* Set before it is queued: puts right what was sent lossily; goes in one message. */
    bool must_be_exact, must_be_whole;

    /* While pending: */
    struct sm_display_surface *target;
    struct sm_region visible;    /* of what it writes: what later ones do not cover */
    struct sm_list surface_link; /* in target->pending, oldest first */
    struct sm_list all_link;     /* in the pending list of the whole worker */
    struct sm_drawable_source sources[SM_DRAWING_MAX_DEPENDENCIES];
    uint32_t source_count;
};

/**
 * @param drawing   taken on success
 * @param surfaces  that exist when it is drawn; borrowed for the call
 * @return a drawable held once by the caller; NULL if out of memory
 */
struct sm_drawable *sm_drawable_create(struct sm_drawing *drawing,
                                       struct sm_drawable_budget *budget,
                                       const struct sm_footprint_source *surfaces);

struct sm_drawable *sm_drawable_ref(struct sm_drawable *drawable);

/** NULL does nothing. */
void sm_drawable_unref(struct sm_drawable *drawable);

#endif
