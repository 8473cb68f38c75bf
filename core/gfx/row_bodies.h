/* SPDX-License-Identifier: MIT */
/*
 * The rows of struct sm_gfx_ops, written once for any number of lanes: rows.c and rows_avx2.c make
 * functions of them. Private to core/gfx.
 */
#ifndef SM_CORE_GFX_ROW_BODIES_H
#define SM_CORE_GFX_ROW_BODIES_H

#include <stdint.h>
#include <string.h>

#include "core/gfx/composite.h"
#include "core/gfx/factors.h"
#include "core/gfx/pixel.h"
#include "core/gfx/vector.h"

SM_GFX_INLINE void fill_row_body(uint8_t *d, uint32_t pattern, size_t size)
{
    sm_gfx_v32 wide = sm_gfx_vsplat(pattern);
    size_t i = 0;
    for (; i + 8 * SM_GFX_LANES <= size; i += 8 * SM_GFX_LANES) {
        sm_gfx_vstore(d + i, wide);
        sm_gfx_vstore(d + i + 4 * SM_GFX_LANES, wide);
    }
    for (; i < size; i++)
        d[i] = (uint8_t)(pattern >> 8 * (i & 3));
}

SM_GFX_INLINE void scale_alpha_row_body(uint32_t *pixels, uint32_t alpha, uint32_t count)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES)
        sm_gfx_vstore(pixels + i, sm_gfx_vmul4(sm_gfx_vload(pixels + i), sm_gfx_vsplat(alpha)));
    for (; i < count; i++)
        pixels[i] = sm_gfx_mul4(pixels[i], alpha);
}

SM_GFX_INLINE void cover_row_body(uint32_t *pixels, const uint8_t *coverage, uint32_t count)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES)
        sm_gfx_vstore(pixels + i,
                      sm_gfx_vmul4(sm_gfx_vload(pixels + i), sm_gfx_vload_bytes(coverage + i)));
    for (; i < count; i++)
        pixels[i] = sm_gfx_mul4(pixels[i], coverage[i]);
}

SM_GFX_INLINE void mask_row_body(uint32_t *s, const uint32_t *mask, uint32_t count)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES)
        sm_gfx_vstore(s + i, sm_gfx_vmul4(sm_gfx_vload(s + i), sm_gfx_vload(mask + i) >> 24));
    for (; i < count; i++)
        s[i] = sm_gfx_mul4(s[i], mask[i] >> 24);
}

SM_GFX_INLINE void over_lanes(uint8_t *d, sm_gfx_v32 s)
{
    sm_gfx_vstore(d, sm_gfx_vadd4(s, sm_gfx_vmul4(sm_gfx_vload(d), 255 - (s >> 24))));
}

SM_GFX_INLINE void over_row_body(uint8_t *d, const uint32_t *s, uint32_t count)
{
    const uint64_t opaque = 0xff000000ff000000;
    uint32_t i = 0;
    for (; i + 2 * SM_GFX_LANES <= count; i += 2 * SM_GFX_LANES, d += 8 * SM_GFX_LANES) {
        sm_gfx_v32 first = sm_gfx_vload(s + i), second = sm_gfx_vload(s + i + SM_GFX_LANES);
        sm_gfx_v32 common = first & second, any = first | second;
        uint64_t both = ~(uint64_t)0, either = 0;
        for (unsigned k = 0; k < SM_GFX_LANES / 2; k++) {
            uint64_t two;
            memcpy(&two, (const uint8_t *)&common + 8 * k, sizeof(two));
            both &= two;
            memcpy(&two, (const uint8_t *)&any + 8 * k, sizeof(two));
            either |= two;
        }
        if ((both & opaque) == opaque) { /* most pixels are opaque or clear */
            sm_gfx_vstore(d, first);
            sm_gfx_vstore(d + 4 * SM_GFX_LANES, second);
        } else if (either != 0) {
            over_lanes(d, first);
            over_lanes(d + 4 * SM_GFX_LANES, second);
        }
    }
    for (; i < count; i++, d += 4)
        sm_gfx_put(d, 4, sm_gfx_add4(s[i], sm_gfx_mul4(sm_gfx_load(d, 4), 255 - (s[i] >> 24))));
}

SM_GFX_INLINE sm_gfx_v32 part_of(enum factor factor, sm_gfx_v32 p, sm_gfx_v32 alpha_s,
                                 sm_gfx_v32 alpha_d)
{
    switch (factor) {
    case ONE:
        return p;
    case ALPHA_D:
        return sm_gfx_vmul4(p, alpha_d);
    case CLEAR_D:
        return sm_gfx_vmul4(p, 255 - alpha_d);
    case ALPHA_S:
        return sm_gfx_vmul4(p, alpha_s);
    case CLEAR_S:
        return sm_gfx_vmul4(p, 255 - alpha_s);
    default:
        return (sm_gfx_v32){0};
    }
}

/* The factors are constants in each caller. */
SM_GFX_INLINE void porter_duff_body(struct factors f, uint32_t *d, const uint32_t *s,
                                    uint32_t count)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES) {
        sm_gfx_v32 from = sm_gfx_vload(s + i), to = sm_gfx_vload(d + i);
        sm_gfx_v32 alpha_s = from >> 24, alpha_d = to >> 24;
        sm_gfx_vstore(d + i, sm_gfx_vadd4(part_of(f.s, from, alpha_s, alpha_d),
                                          part_of(f.d, to, alpha_s, alpha_d)));
    }
    for (; i < count; i++) {
        uint32_t alpha_s = s[i] >> 24, alpha_d = d[i] >> 24;
        d[i] = sm_gfx_add4(sm_gfx_mul4(s[i], factor_value(f.s, alpha_s, alpha_d)),
                           sm_gfx_mul4(d[i], factor_value(f.d, alpha_s, alpha_d)));
    }
}

SM_GFX_INLINE void compose_row_body(uint32_t op, uint32_t *d, const uint32_t *s, uint32_t count)
{
    switch (op) {
    case SM_GFX_COMPOSITE_OVER:
        over_row_body((uint8_t *)d, s, count);
        break;
    case SM_GFX_COMPOSITE_IN:
        porter_duff_body((struct factors){ALPHA_D, ZERO}, d, s, count);
        break;
    case SM_GFX_COMPOSITE_IN_REVERSE:
        porter_duff_body((struct factors){ZERO, ALPHA_S}, d, s, count);
        break;
    case SM_GFX_COMPOSITE_OUT_REVERSE:
        porter_duff_body((struct factors){ZERO, CLEAR_S}, d, s, count);
        break;
    case SM_GFX_COMPOSITE_ADD:
        porter_duff_body((struct factors){ONE, ONE}, d, s, count);
        break;
    default: /* the rest are rare enough to choose their factors pixel by pixel */
        porter_duff_body(PORTER_DUFF[op], d, s, count);
        break;
    }
}

#endif
