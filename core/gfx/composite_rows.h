/* SPDX-License-Identifier: MIT */
/* The arithmetic of composition, row by row. Private to core/gfx. */
#ifndef SM_CORE_GFX_COMPOSITE_ROWS_H
#define SM_CORE_GFX_COMPOSITE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "core/gfx/composite.h"
#include "core/gfx/ops.h"

/** True if sm_gfx_composite_int_row() knows `op`; after sm_gfx_composite_basic(). */
bool sm_gfx_composite_is_int(uint32_t op);

/** True if sm_gfx_composite_float_row() knows `op`. */
bool sm_gfx_composite_is_float(uint32_t op);

/**
 * d = op(s, d) in bytes.
 *
 * @param s      the source, masked already
 * @param alpha  for each channel the source's alpha, masked likewise; NULL if it is that of `s`
 */
void sm_gfx_composite_int_row(const struct sm_gfx_ops *ops, uint32_t op, uint32_t *d,
                              const uint32_t *s, const uint32_t *alpha, uint32_t count);

/**
 * Composes `count` target pixels from (x, y) on in single precision; (i, j) are positions relative
 * to the box.
 */
void sm_gfx_composite_float_row(const struct sm_gfx_composite *composite,
                                const struct sm_pixels *target, int32_t x, int32_t y, int32_t i,
                                int32_t j, uint32_t count);

#endif
