/* SPDX-License-Identifier: MIT */
/*
 * Reading pictures through a transform: positions in 16.16 fixed point, nearest or linear
 * filtering, and what lies outside. Private to core/gfx. Source: docs/gfx.md, "Sampling".
 */
#ifndef SM_CORE_GFX_SAMPLE_H
#define SM_CORE_GFX_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"

enum sm_gfx_repeat {
    SM_GFX_REPEAT_NONE = 0, /* outside is transparent black */
    SM_GFX_REPEAT_NORMAL = 1,
    SM_GFX_REPEAT_PAD = 2,
    SM_GFX_REPEAT_REFLECT = 3,
};

/** Maps positions to picture positions, in 16.16; the third row is 0 0 1. */
struct sm_gfx_transform {
    int64_t t00, t01, t02, t10, t11, t12; /* each in 32 bits, but t02 and t12 may take 48 */
};

/** The transform that changes nothing. */
#define SM_GFX_IDENTITY ((struct sm_gfx_transform){.t00 = 65536, .t11 = 65536})

struct sm_gfx_sampler {
    struct sm_pixels pixels; /* borrowed; a format that surfaces can have */
    struct sm_gfx_transform transform;
    bool is_linear;
    enum sm_gfx_repeat repeat;
};

/** True if positions are picture pixels as they are. */
bool sm_gfx_sampler_is_plain(const struct sm_gfx_sampler *sampler);

/**
 * True if all positions that `extents` leads to can be computed; else the command must draw
 * nothing. `extents` are positions before the transform, half-open.
 */
bool sm_gfx_sampler_reaches(const struct sm_gfx_sampler *sampler, int64_t left, int64_t top,
                            int64_t right, int64_t bottom);

/** Channels at `count` positions from (px, py) on, which sm_gfx_sampler_reaches() approved. */
void sm_gfx_sample_row(const struct sm_gfx_sampler *sampler, int32_t px, int32_t py, uint32_t count,
                       uint32_t *out);

/** A position in the picture, 16.16. */
struct sm_gfx_position {
    int64_t x, y;
};

/** Where the centre of (px, py) lies in the picture. */
struct sm_gfx_position sm_gfx_sampler_position(const struct sm_gfx_sampler *sampler, int64_t px,
                                               int64_t py);

/** The pixel that stands at (column, row), repeated if need be; false if it is outside. */
bool sm_gfx_sampler_pixel(const struct sm_gfx_sampler *sampler, int64_t column, int64_t row,
                          int32_t *x, int32_t *y);

/** True if the sample at (px, py) comes from inside the picture (nearest, without repeat). */
bool sm_gfx_sampler_is_inside(const struct sm_gfx_sampler *sampler, int32_t px, int32_t py);

#endif
