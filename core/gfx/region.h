/* SPDX-License-Identifier: MIT */
/*
 * A set of pixels, kept as disjoint rectangles with exact arithmetic. The rectangles are sorted in
 * bands: all rectangles of a band have the same top and bottom, bands go from top to bottom, a
 * band's rectangles from left to right without touching, and bands that could be one are one. So
 * equal sets have equal rectangles.
 */
#ifndef SM_CORE_GFX_REGION_H
#define SM_CORE_GFX_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "sumac/status.h"

/** More rectangles than this are refused with SM_ERR_LIMIT, whatever asks for them. */
enum { SM_REGION_MAX_RECTS = 1 << 18 };

/**
 * Zeroed memory is an empty region; a region of one rectangle needs no heap. Read the members
 * through the functions. Thread: one at a time for changes, any number of readers.
 */
struct sm_region {
    struct sm_rect bounds; /* the smallest rectangle around all; all zero if empty */
    struct sm_rect *rects; /* owned; NULL while there is at most one, which is `bounds` */
    uint32_t count;
};

/** An empty region. */
static inline void sm_region_init(struct sm_region *region)
{
    *region = (struct sm_region){0};
}

/** The pixels of `rect`, none if it is empty. */
static inline void sm_region_init_rect(struct sm_region *region, struct sm_rect rect)
{
    *region = (struct sm_region){0};
    if (!sm_rect_is_empty(rect)) {
        region->bounds = rect;
        region->count = 1;
    }
}

/** Releases the memory and leaves an empty region that may be used again. */
void sm_region_finish(struct sm_region *region);

static inline bool sm_region_is_empty(const struct sm_region *region)
{
    return region->count == 0;
}

static inline struct sm_rect sm_region_bounds(const struct sm_region *region)
{
    return region->bounds;
}

/** The rectangles, borrowed until the region changes; `count` receives their number. */
static inline const struct sm_rect *sm_region_rects(const struct sm_region *region, uint32_t *count)
{
    *count = region->count;
    return region->rects ? region->rects : &region->bounds;
}

/*
 * The functions below return SM_OK, SM_ERR_NOMEM, or SM_ERR_LIMIT if the result would have more
 * than SM_REGION_MAX_RECTS rectangles; on failure `out` keeps its value. `out` is initialised and
 * may be one of the operands.
 */

SM_NODISCARD enum sm_status sm_region_copy(struct sm_region *out, const struct sm_region *from);
SM_NODISCARD enum sm_status sm_region_union(struct sm_region *out, const struct sm_region *a,
                                            const struct sm_region *b);
SM_NODISCARD enum sm_status sm_region_intersect(struct sm_region *out, const struct sm_region *a,
                                                const struct sm_region *b);
/** The pixels of `a` that are not in `b`. */
SM_NODISCARD enum sm_status sm_region_subtract(struct sm_region *out, const struct sm_region *a,
                                               const struct sm_region *b);

SM_NODISCARD enum sm_status sm_region_union_rect(struct sm_region *out, struct sm_rect rect);
SM_NODISCARD enum sm_status sm_region_intersect_rect(struct sm_region *out, struct sm_rect rect);
SM_NODISCARD enum sm_status sm_region_subtract_rect(struct sm_region *out, struct sm_rect rect);

/**
 * The pixels inside `within` of any of `count` rectangles, which may be empty, inverted, overlap
 * and lie anywhere. Costs O(n log n) for lists that do not explode into more rectangles.
 */
SM_NODISCARD enum sm_status sm_region_from_rects(struct sm_region *out, const struct sm_rect *rects,
                                                 size_t count, struct sm_rect within);

/** Moves every pixel by (dx, dy); what leaves the 32-bit range on the way is cut off. */
void sm_region_translate(struct sm_region *region, int32_t dx, int32_t dy);

bool sm_region_contains_point(const struct sm_region *region, int32_t x, int32_t y);

/** True if every pixel of `rect` is in the region; an empty `rect` always is. */
bool sm_region_contains_rect(const struct sm_region *region, struct sm_rect rect);

/** True if a pixel of `rect` is in the region. */
bool sm_region_overlaps_rect(const struct sm_region *region, struct sm_rect rect);

/** True if a pixel is in both. */
bool sm_region_overlaps(const struct sm_region *a, const struct sm_region *b);

bool sm_region_equal(const struct sm_region *a, const struct sm_region *b);

/** How many pixels the region has. */
uint64_t sm_region_area(const struct sm_region *region);

#endif
