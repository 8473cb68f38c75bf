/* SPDX-License-Identifier: MIT */
#include "core/gfx/rows.h"

#include "core/base/cpu.h"
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

const struct sm_gfx_ops sm_gfx_ops_c = {
    .scale_alpha_row = scale_alpha_row,
    .cover_row = cover_row,
    .mask_row = mask_row,
    .over_row = over_row,
    .compose_row = compose_row,
    .fill_row = fill_row,
};

void sm_gfx_ops_init(struct sm_gfx_ops *ops, uint32_t cpu_flags)
{
    *ops = sm_gfx_ops_c;
#if defined(__x86_64__)
    if (cpu_flags & SM_CPU_AVX2)
        *ops = sm_gfx_ops_avx2;
#else
    (void)cpu_flags;
#endif
}
