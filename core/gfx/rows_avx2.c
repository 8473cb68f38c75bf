/* SPDX-License-Identifier: MIT */
/* Eight pixels at once. Nothing but the table leads here, so the whole file is compiled for AVX2.
 */
#include "core/gfx/rows.h"

#if defined(__x86_64__)

#include <string.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#define SM_GFX_LANES 8
#include "core/gfx/row_bodies.h"

static void fill_row(uint8_t *d, uint32_t pattern, size_t size)
{
    fill_row_body(d, pattern, size);
}

static void scale_alpha_row(uint32_t *pixels, uint32_t alpha, uint32_t count)
{
    scale_alpha_row_body(pixels, alpha, count);
}

static void cover_row(uint32_t *pixels, const uint8_t *coverage, uint32_t count)
{
    cover_row_body(pixels, coverage, count);
}

static void mask_row(uint32_t *pixels, const uint32_t *mask, uint32_t count)
{
    mask_row_body(pixels, mask, count);
}

static void over_row(uint8_t *d, const uint32_t *s, uint32_t count)
{
    over_row_body(d, s, count);
}

static void compose_row(uint32_t op, uint32_t *d, const uint32_t *s, uint32_t count)
{
    compose_row_body(op, d, s, count);
}

const struct sm_gfx_ops sm_gfx_ops_avx2 = {
    .scale_alpha_row = scale_alpha_row,
    .cover_row = cover_row,
    .mask_row = mask_row,
    .over_row = over_row,
    .compose_row = compose_row,
    .fill_row = fill_row,
};

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
