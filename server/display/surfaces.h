/* SPDX-License-Identifier: MIT */
/*
 * The surfaces of a display: pixels in guest memory, and the drawings on them that nobody needed to
 * see in memory yet. Drawings are rendered late, oldest first.
 *
 * The order that makes this right: when a drawing is added to a surface, pending drawings on other
 * surfaces that read it are rendered first. So whatever is pending on a surface is older than every
 * pending reader of it, and rendering a drawing needs nothing but its sources rendered completely.
 * Readers of readers are older still, which is why the recursion ends. Source: docs/display.md.
 */
#ifndef SM_SERVER_DISPLAY_SURFACES_H
#define SM_SERVER_DISPLAY_SURFACES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/pixels.h"
#include "core/gfx/region.h"
#include "server/display/drawable.h"
#include "server/qxl/device.h"
#include "sumac/status.h"

struct sm_renderer;

enum {
    /** More surfaces than this no device has. */
    SM_SURFACES_MAX = 1024,
    /** At this many pending drawings, or bytes of them, the oldest are rendered. */
    SM_SURFACES_MAX_PENDING = 1000,
    SM_SURFACES_MAX_PENDING_BYTES = 12 << 20,
};

/** Thread: the worker's. */
struct sm_display_surface {
    uint32_t id;
    uint32_t format;         /* wire surface format */
    struct sm_pixels pixels; /* guest memory, top row first */
    struct sm_list pending;  /* drawables onto it that are not rendered, oldest first */
    struct sm_list readers;  /* sources of drawables pending on other surfaces */
    struct sm_region dirty;  /* rendered since update_area cleared it */
    bool is_announced;       /* clients heard of it when it was made */
    bool has_create_command, has_destroy_command;
    struct sm_qxl_release create_command, destroy_command; /* given back with the surface */
};

struct sm_surfaces {
    struct sm_display_surface *table[SM_SURFACES_MAX]; /* owned; NULL where there is none */
    uint32_t limit;                                    /* ids are below it */
    struct sm_list pending;                            /* all pending drawables by age */
    uint32_t pending_count;
    size_t pending_bytes;
    struct sm_renderer *renderer; /* borrowed */
};

void sm_surfaces_init(struct sm_surfaces *surfaces, uint32_t limit, struct sm_renderer *renderer);

/** What footprints are measured with; borrowed like `surfaces`. */
struct sm_footprint_source sm_surfaces_for_footprints(const struct sm_surfaces *surfaces);

/** NULL if there is none. */
struct sm_display_surface *sm_surfaces_find(const struct sm_surfaces *surfaces, uint32_t id);

/**
 * Adds a surface on guest memory.
 *
 * @param id  below the limit and free
 * @return SM_OK; SM_ERR_NOMEM; SM_ERR_LIMIT if it is too large to be drawn on
 */
SM_NODISCARD enum sm_status sm_surfaces_add(struct sm_surfaces *surfaces,
                                            struct sm_display_surface **out, uint32_t id,
                                            uint32_t format, const struct sm_pixels *pixels);

/**
 * Removes a surface: drawings that read it are rendered, drawings onto it forgotten. What it held
 * of the guest's commands is the caller's to give back, before the call.
 */
void sm_surfaces_remove(struct sm_surfaces *surfaces, struct sm_display_surface *surface);

/** Renders what is pending on other surfaces and reads `surface`. */
void sm_surfaces_render_readers(struct sm_surfaces *surfaces, struct sm_display_surface *surface);

/** Forgets what is pending on `surface`, which nobody reads. */
void sm_surfaces_drop_pending(struct sm_surfaces *surfaces, struct sm_display_surface *surface);

/**
 * Adds a drawing to its target, which exists; holds it until it is rendered, or nothing of it can
 * be seen any more. Older ones that it covers are let go.
 */
void sm_surfaces_add_drawable(struct sm_surfaces *surfaces, struct sm_drawable *drawable);

/** Renders everything pending on `surface`. */
void sm_surfaces_render(struct sm_surfaces *surfaces, struct sm_display_surface *surface);

/** Renders everything up to the newest drawing that touches `area`. */
void sm_surfaces_render_area(struct sm_surfaces *surfaces, struct sm_display_surface *surface,
                             struct sm_rect area);

/** Renders everything on all surfaces. */
void sm_surfaces_render_all(struct sm_surfaces *surfaces);

/** Renders up to `count` of the oldest drawings; returns how many. */
uint32_t sm_surfaces_render_oldest(struct sm_surfaces *surfaces, uint32_t count);

/** Pixels as they were: a wire bitmap, top row first. */
struct sm_snapshot {
    uint8_t *pixels;       /* owned: malloc, or of io/pages.h */
    size_t page_bytes;     /* 0: malloc */
    uint32_t stride_bytes; /* of a row */
    uint8_t format, flags; /* of a wire bitmap; of a wire image */
};

/**
 * Copies an area, inside the surface, out of its pixels; what is pending is the caller's affair.
 *
 * @param in_pages  it is large, and rarely made: the memory had better not stay with us
 * @return SM_OK; SM_ERR_NOMEM; SM_ERR_LIMIT for surfaces of single bits
 */
SM_NODISCARD enum sm_status sm_surface_snapshot(struct sm_snapshot *out,
                                                const struct sm_display_surface *surface,
                                                struct sm_rect area, bool in_pages);

void sm_snapshot_finish(struct sm_snapshot *snapshot);

#endif
