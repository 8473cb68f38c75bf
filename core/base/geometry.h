/* SPDX-License-Identifier: MIT */
/* What can be asked of rectangles. The types are public: include/sumac/geometry.h. */
#ifndef SM_CORE_BASE_GEOMETRY_H
#define SM_CORE_BASE_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/geometry.h"

static inline bool sm_rect_is_empty(struct sm_rect r)
{
    return r.left >= r.right || r.top >= r.bottom;
}

/** The common part of `a` and `b`; empty (perhaps inverted) if there is none. */
static inline struct sm_rect sm_rect_intersect(struct sm_rect a, struct sm_rect b)
{
    return (struct sm_rect){
        .left = a.left > b.left ? a.left : b.left,
        .top = a.top > b.top ? a.top : b.top,
        .right = a.right < b.right ? a.right : b.right,
        .bottom = a.bottom < b.bottom ? a.bottom : b.bottom,
    };
}

/** The smallest rectangle that holds both; an empty one counts for nothing. */
static inline struct sm_rect sm_rect_unite(struct sm_rect a, struct sm_rect b)
{
    if (sm_rect_is_empty(a))
        return b;
    if (sm_rect_is_empty(b))
        return a;
    return (struct sm_rect){
        .left = a.left < b.left ? a.left : b.left,
        .top = a.top < b.top ? a.top : b.top,
        .right = a.right > b.right ? a.right : b.right,
        .bottom = a.bottom > b.bottom ? a.bottom : b.bottom,
    };
}

/** True if every point of `inner` is in `outer`; an empty `inner` always is. */
static inline bool sm_rect_contains(struct sm_rect outer, struct sm_rect inner)
{
    return sm_rect_is_empty(inner) || (inner.left >= outer.left && inner.top >= outer.top &&
                                       inner.right <= outer.right && inner.bottom <= outer.bottom);
}

static inline bool sm_rect_equal(struct sm_rect a, struct sm_rect b)
{
    return a.left == b.left && a.top == b.top && a.right == b.right && a.bottom == b.bottom;
}

/** Width in 64 bits, so that hostile sides cannot overflow; negative if inverted. */
static inline int64_t sm_rect_width(struct sm_rect r)
{
    return (int64_t)r.right - r.left;
}

static inline int64_t sm_rect_height(struct sm_rect r)
{
    return (int64_t)r.bottom - r.top;
}

#endif
