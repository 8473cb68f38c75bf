/* SPDX-License-Identifier: MIT */
/*
 * Where on a device's primary surface somebody looks: where a client's pointer or the guest's own
 * was last. What a slow client missed there is sent first.
 */
#ifndef SM_SERVER_DISPLAY_FOCUS_H
#define SM_SERVER_DISPLAY_FOCUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"

struct sm_region;

/** Zeroed it is nowhere. Thread: any. */
struct sm_focus {
    _Atomic uint64_t place; /* private: 1, x, y in 2 + 31 + 31 bits; 0: none */
};

/** Coordinates beyond 2^31 − 1 are cut off. */
static inline void sm_focus_set(struct sm_focus *focus, uint32_t x, uint32_t y)
{
    uint64_t left = x < INT32_MAX ? x : INT32_MAX, top = y < INT32_MAX ? y : INT32_MAX;
    atomic_store_explicit(&focus->place, UINT64_C(1) << 62 | left << 31 | top,
                          memory_order_relaxed);
}

/** False if it is nowhere. */
static inline bool sm_focus_get(const struct sm_focus *focus, struct sm_point *out)
{
    uint64_t place = atomic_load_explicit(&focus->place, memory_order_relaxed);
    *out = (struct sm_point){.x = (int32_t)(place >> 31 & INT32_MAX),
                             .y = (int32_t)(place & INT32_MAX)};
    return place != 0;
}

/**
 * The part of `region` that is nearest: of a tile of at most 512 x 256, or `max_pixels`.
 *
 * @param focus  NULL: nowhere
 * @return false, and `piece` as it was, if the focus is nowhere or the region empty
 */
bool sm_focus_nearest(const struct sm_focus *focus, const struct sm_region *region,
                      uint32_t max_pixels, struct sm_rect *piece);

#endif
