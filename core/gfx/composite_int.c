/* SPDX-License-Identifier: MIT */
#include "core/gfx/composite_rows.h"

#include <stddef.h>
#include <string.h>

#include "core/gfx/over.h"
#include "core/gfx/pixel.h"
#include "core/gfx/vector.h"

/* How much of an operand an operator keeps. */
enum factor {
    ZERO,
    ONE,
    ALPHA_D, /* the target's alpha */
    CLEAR_D, /* 255 less that */
    ALPHA_S, /* the source's alpha as the channel sees it */
    CLEAR_S,
};

struct factors {
    uint8_t s, d;
};

static const struct factors PORTER_DUFF[] = {
    [SM_GFX_COMPOSITE_CLEAR] = {ZERO, ZERO},
    [SM_GFX_COMPOSITE_SRC] = {ONE, ZERO},
    [SM_GFX_COMPOSITE_DST] = {ZERO, ONE},
    [SM_GFX_COMPOSITE_OVER] = {ONE, CLEAR_S},
    [SM_GFX_COMPOSITE_OVER_REVERSE] = {CLEAR_D, ONE},
    [SM_GFX_COMPOSITE_IN] = {ALPHA_D, ZERO},
    [SM_GFX_COMPOSITE_IN_REVERSE] = {ZERO, ALPHA_S},
    [SM_GFX_COMPOSITE_OUT] = {CLEAR_D, ZERO},
    [SM_GFX_COMPOSITE_OUT_REVERSE] = {ZERO, CLEAR_S},
    [SM_GFX_COMPOSITE_ATOP] = {ALPHA_D, CLEAR_S},
    [SM_GFX_COMPOSITE_ATOP_REVERSE] = {CLEAR_D, ALPHA_S},
    [SM_GFX_COMPOSITE_XOR] = {CLEAR_D, CLEAR_S},
    [SM_GFX_COMPOSITE_ADD] = {ONE, ONE},
};

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

static uint32_t factor_value(enum factor factor, uint32_t alpha_s, uint32_t alpha_d)
{
    switch (factor) {
    case ONE:
        return 255;
    case ALPHA_D:
        return alpha_d;
    case CLEAR_D:
        return 255 - alpha_d;
    case ALPHA_S:
        return alpha_s;
    case CLEAR_S:
        return 255 - alpha_s;
    default:
        return 0;
    }
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

static void porter_duff_row(uint32_t op, uint32_t *d, const uint32_t *s, uint32_t count)
{
    switch (op) {
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

void sm_gfx_composite_int_row(uint32_t op, uint32_t *d, const uint32_t *s, const uint32_t *alpha,
                              uint32_t count)
{
    if (op > SM_GFX_COMPOSITE_ADD)
        blend_row(op, d, s, alpha, count);
    else if (op == SM_GFX_COMPOSITE_SRC)
        memcpy(d, s, (size_t)count * sizeof(*d));
    else if (alpha && op != SM_GFX_COMPOSITE_ADD)
        porter_duff_row_by_channel(PORTER_DUFF[op], d, s, alpha, count);
    else if (op == SM_GFX_COMPOSITE_OVER)
        sm_gfx_over_row((uint8_t *)d, s, count);
    else
        porter_duff_row(op, d, s, count);
}
