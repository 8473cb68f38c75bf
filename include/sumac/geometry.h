/* SPDX-License-Identifier: MIT */
/* Points and rectangles, in pixels. x grows to the right, y downwards; rectangles are half-open. */
#ifndef SUMAC_GEOMETRY_H
#define SUMAC_GEOMETRY_H

#include <stdint.h>

struct sm_point {
    int32_t x, y;
};

/** left <= x < right and top <= y < bottom; inverted or equal sides mean empty. */
struct sm_rect {
    int32_t left, top, right, bottom;
};

#endif
