/* SPDX-License-Identifier: MIT */
/* Laying rows of channels over each other. Private to core/gfx. */
#ifndef SM_CORE_GFX_OVER_H
#define SM_CORE_GFX_OVER_H

#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/ops.h"

/** Lays `count` pixels over the target; the top byte of XRGB32 is treated as an alpha. */
void sm_gfx_over_target(const struct sm_gfx_ops *ops, const struct sm_pixels *target, int32_t x,
                        int32_t y, uint32_t count, const uint32_t *s);

/**
 * What blending on XRGB32 ends with: if the top byte at the top-left corner of `box`, cut to the
 * target, is 0xFF, then all top bytes in it become 0. Source: docs/gfx.md, "Meaning-free bits".
 */
void sm_gfx_clear_top(const struct sm_pixels *target, struct sm_rect box);

#endif
