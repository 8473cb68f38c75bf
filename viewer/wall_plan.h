/* SPDX-License-Identifier: MIT */
/* Where monitors are beside each other, and how they share a row. */
#ifndef SM_VIEWER_WALL_PLAN_H
#define SM_VIEWER_WALL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/geometry.h"

enum { SM_WALL_PLAN_MAX = 16, SM_WALL_SIDE_MIN = 64 /* pixels a monitor may be asked to have */ };

struct sm_wall_plan {
    size_t count;
    struct {
        int channel_id;      /* of the display; negative: there is no picture yet */
        struct sm_rect area; /* in the display's surface */
    } monitors[SM_WALL_PLAN_MAX];
    /* What sm_wall_plan() finds: */
    struct sm_rect places[SM_WALL_PLAN_MAX]; /* on the wall, in guest pixels */
    int width, height;                       /* of the wall */
};

/**
 * Finds the places of `monitors`: those of a display as they are in it, displays beside each other,
 * left to right.
 */
void sm_wall_plan(struct sm_wall_plan *plan);

/**
 * Shares `width` among monitors in one row, in proportion to the widths they have.
 *
 * @param widths  receives `plan->count` widths, which add up to `width`
 * @return false if they are not in one row, or one would be smaller than SM_WALL_SIDE_MIN
 */
bool sm_wall_plan_split(const struct sm_wall_plan *plan, int width, int *widths);

#endif
