/* SPDX-License-Identifier: MIT */
#include "core/gfx/composite_rows.h"

#include <stddef.h>
#include <string.h>

#include "core/gfx/factors.h"
#include "core/gfx/pixel.h"

bool sm_gfx_composite_is_int(uint32_t op)
{
    switch (op) {
    case SM_GFX_COMPOSITE_MULTIPLY:
    case SM_GFX_COMPOSITE_SCREEN:
    case SM_GFX_COMPOSITE_OVERLAY:
    case SM_GFX_COMPOSITE_DARKEN:
    case SM_GFX_COMPOSITE_LIGHTEN:
    case SM_GFX_COMPOSITE_HARD_LIGHT:
    case SM_GFX_COMPOSITE_DIFFERENCE:
    case SM_GFX_COMPOSITE_EXCLUSION:
        return true;
    default:
        return op <= SM_GFX_COMPOSITE_ADD;
    }
}

static uint32_t channel(uint32_t p, unsigned shift)
{
    return p >> shift & 255;
}

static void porter_duff_row_by_channel(struct factors f, uint32_t *d, const uint32_t *s,
                                       const uint32_t *alpha, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t result = 0, alpha_d = d[i] >> 24;
        for (unsigned shift = 0; shift < 32; shift += 8) {
            uint32_t alpha_s = channel(alpha[i], shift);
            uint32_t sum = sm_gfx_mul(channel(s[i], shift), factor_value(f.s, alpha_s, alpha_d)) +
                           sm_gfx_mul(channel(d[i], shift), factor_value(f.d, alpha_s, alpha_d));
            result |= sm_gfx_saturate(sum) << shift;
        }
        d[i] = result;
    }
}

static uint32_t div255(uint32_t v)
{
    return (v + 128 + ((v + 128) >> 8)) >> 8;
}

static int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t max_i32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* The blend function; s, d are colours, a, b the alphas of source and target. */
static int32_t blended(uint32_t op, int32_t s, int32_t d, int32_t a, int32_t b)
{
    switch (op) {
    case SM_GFX_COMPOSITE_SCREEN:
        return s * b + d * a - s * d;
    case SM_GFX_COMPOSITE_OVERLAY:
        return 2 * d < b ? 2 * s * d : a * b - 2 * (b - d) * (a - s);
    case SM_GFX_COMPOSITE_DARKEN:
        return min_i32(s * b, d * a);
    case SM_GFX_COMPOSITE_LIGHTEN:
        return max_i32(s * b, d * a);
    case SM_GFX_COMPOSITE_HARD_LIGHT:
        return 2 * s < a ? 2 * s * d : a * b - 2 * (b - d) * (a - s);
    case SM_GFX_COMPOSITE_DIFFERENCE:
        return s * b > d * a ? s * b - d * a : d * a - s * b;
    default: /* EXCLUSION */
        return s * b + d * a - 2 * s * d;
    }
}

static uint32_t blend_channel(uint32_t op, uint32_t s, uint32_t d, uint32_t a, uint32_t b)
{
    int32_t sum = (int32_t)((255 - a) * d + (255 - b) * s) +
                  blended(op, (int32_t)s, (int32_t)d, (int32_t)a, (int32_t)b);
    /* Sums are unsigned in the reference: what is below 0 counts as far too large. */
    return div255(sum < 0 || sum > 65025 ? 65025 : (uint32_t)sum);
}

static uint32_t multiply_channel(uint32_t s, uint32_t d, uint32_t a, uint32_t b)
{
    uint32_t sum = sm_gfx_saturate(sm_gfx_mul(s, 255 - b) + sm_gfx_mul(d, 255 - a));
    return sm_gfx_saturate(sum + sm_gfx_mul(d, s));
}

static uint32_t blend_pixel(uint32_t op, uint32_t s, uint32_t d, uint32_t alpha)
{
    uint32_t b = d >> 24, a = s >> 24, result = 0;
    if (op == SM_GFX_COMPOSITE_MULTIPLY) {
        for (unsigned shift = 0; shift < 32; shift += 8)
            result |=
                multiply_channel(channel(s, shift), channel(d, shift), channel(alpha, shift), b)
                << shift;
        return result;
    }
    result = div255(255 * b + 255 * a - a * b) << 24;
    for (unsigned shift = 0; shift < 24; shift += 8)
        result |= blend_channel(op, channel(s, shift), channel(d, shift), channel(alpha, shift), b)
                  << shift;
    return result;
}

static void blend_row(uint32_t op, uint32_t *d, const uint32_t *s, const uint32_t *alpha,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        d[i] = blend_pixel(op, s[i], d[i], alpha ? alpha[i] : (s[i] >> 24) * 0x01010101);
}

void sm_gfx_composite_int_row(const struct sm_gfx_ops *ops, uint32_t op, uint32_t *d,
                              const uint32_t *s, const uint32_t *alpha, uint32_t count)
{
    if (op > SM_GFX_COMPOSITE_ADD)
        blend_row(op, d, s, alpha, count);
    else if (op == SM_GFX_COMPOSITE_SRC)
        memcpy(d, s, (size_t)count * sizeof(*d));
    else if (alpha && op != SM_GFX_COMPOSITE_ADD)
        porter_duff_row_by_channel(PORTER_DUFF[op], d, s, alpha, count);
    else
        ops->compose_row(op, d, s, count);
}
