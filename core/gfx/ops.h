/* SPDX-License-Identifier: MIT */
/* The hot rows of fills and blending as a table: portable C, then what the processor does better.
 */
#ifndef SM_CORE_GFX_OPS_H
#define SM_CORE_GFX_OPS_H

#include <stddef.h>
#include <stdint.h>

/** Every override gives the same result as the portable function it replaces. */
struct sm_gfx_ops {
    /** Each pixel times `alpha` / 255, all channels. */
    void (*scale_alpha_row)(uint32_t *pixels, uint32_t alpha, uint32_t count);
    /** Each pixel times its coverage / 255, all channels. */
    void (*cover_row)(uint32_t *pixels, const uint8_t *coverage, uint32_t count);
    /** Each pixel times the alpha of its mask pixel / 255, all channels. */
    void (*mask_row)(uint32_t *pixels, const uint32_t *mask, uint32_t count);
    /** d = s + d * (255 - alpha of s) / 255, saturated; `d` are 32-bit pixels at any address. */
    void (*over_row)(uint8_t *d, const uint32_t *s, uint32_t count);
    /** d = op(s, d), `op` being SM_GFX_COMPOSITE_CLEAR to SM_GFX_COMPOSITE_ADD. */
    void (*compose_row)(uint32_t op, uint32_t *d, const uint32_t *s, uint32_t count);
    /** `size` bytes at any address become `pattern`, lowest byte first, over and over. */
    void (*fill_row)(uint8_t *d, uint32_t pattern, size_t size);
};

/** Fills `ops` for the features `cpu_flags` (enum sm_cpu_flag); 0 gives portable C. */
void sm_gfx_ops_init(struct sm_gfx_ops *ops, uint32_t cpu_flags);

#endif
