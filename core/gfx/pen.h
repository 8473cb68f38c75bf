/* SPDX-License-Identifier: MIT */
/* What lines are painted with: runs of pixels, cut to the region. Private to core/gfx. */
#ifndef SM_CORE_GFX_PEN_H
#define SM_CORE_GFX_PEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "core/gfx/draw.h"
#include "core/gfx/region.h"
#include "sumac/status.h"

struct sm_gfx_pen {
    const struct sm_pixels *target;
    const struct sm_region *region; /* not empty */
    const struct sm_gfx_brush *brush;
    enum sm_gfx_op op;
    int64_t steps_left; /* at 0 the command stops drawing */

    /* Pixels collected to be painted once: a bit for each of the region's bounds. */
    bool collects;
    uint8_t *bits; /* owned; NULL until needed */
    uint32_t stride_bytes;
    int32_t first_y, last_y; /* rows that have bits; none if first_y > last_y */
};

/** Releases what collecting took. */
void sm_gfx_pen_finish(struct sm_gfx_pen *pen);

/** Paints or collects the pixels left <= x < right of row y that are in the region. */
void sm_gfx_pen_run(struct sm_gfx_pen *pen, int64_t left, int64_t right, int64_t y);

/** From now on pixels are collected. @return SM_OK, SM_ERR_NOMEM */
SM_NODISCARD enum sm_status sm_gfx_pen_collect(struct sm_gfx_pen *pen);

/** Paints what was collected, each pixel once, and stops collecting. */
void sm_gfx_pen_flush(struct sm_gfx_pen *pen);

#endif
