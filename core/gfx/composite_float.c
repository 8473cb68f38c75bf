/* SPDX-License-Identifier: MIT */
/*
 * Operators that are defined in real numbers: computed in single precision, at the formats' own
 * depths, to within one step of the reference. Source: docs/gfx.md, "Float operators".
 */
#include "core/gfx/composite_rows.h"

#include <math.h>

#include "core/gfx/pixel.h"

/* Channels from 0 to 1. */
struct color {
    float a, c[3]; /* red, green, blue */
};

/* The four numbers a channel is made from. */
struct terms {
    float s, a; /* masked source, and its alpha as this channel sees it */
    float d, b; /* target and its alpha */
};

enum factor {
    ZERO,
    ONE,
    Q_CLEAR_D_BY_S,    /* (1-b)/a, 1 if a is 0 */
    Q_CLEAR_S_BY_D,    /* (1-a)/b, 1 if b is 0 */
    LESS_CLEAR_D_BY_S, /* 1-(1-b)/a, 0 if a is 0 */
    LESS_CLEAR_S_BY_D, /* 1-(1-a)/b, 0 if b is 0 */
    Q_D_BY_S,          /* b/a, 1 if a is 0 */
    Q_S_BY_D,          /* a/b, 1 if b is 0 */
    LESS_D_BY_S,       /* 1-b/a, 0 if a is 0 */
    LESS_S_BY_D,       /* 1-a/b, 0 if b is 0 */
};

struct factors {
    uint8_t s, d;
};

/* From DISJOINT_OVER and from CONJOINT_OVER on. */
static const struct factors DISJOINT[] = {
    {ONE, Q_CLEAR_S_BY_D},
    {Q_CLEAR_D_BY_S, ONE},
    {LESS_CLEAR_D_BY_S, ZERO},
    {ZERO, LESS_CLEAR_S_BY_D},
    {Q_CLEAR_D_BY_S, ZERO},
    {ZERO, Q_CLEAR_S_BY_D},
    {LESS_CLEAR_D_BY_S, Q_CLEAR_S_BY_D},
    {Q_CLEAR_D_BY_S, LESS_CLEAR_S_BY_D},
    {Q_CLEAR_D_BY_S, Q_CLEAR_S_BY_D},
};
static const struct factors CONJOINT[] = {
    {ONE, LESS_S_BY_D},      {LESS_D_BY_S, ONE},      {Q_D_BY_S, ZERO},
    {ZERO, Q_S_BY_D},        {LESS_D_BY_S, ZERO},     {ZERO, LESS_S_BY_D},
    {Q_D_BY_S, LESS_S_BY_D}, {LESS_D_BY_S, Q_S_BY_D}, {LESS_D_BY_S, LESS_S_BY_D},
};
static const struct factors SATURATE = {Q_CLEAR_D_BY_S, ONE};

static bool is_hsl(uint32_t op)
{
    return op >= SM_GFX_COMPOSITE_HSL_HUE && op <= SM_GFX_COMPOSITE_HSL_LUMINOSITY;
}

bool sm_gfx_composite_is_float(uint32_t op)
{
    return op == SM_GFX_COMPOSITE_SATURATE ||
           (op >= SM_GFX_COMPOSITE_DISJOINT_OVER && op <= SM_GFX_COMPOSITE_DISJOINT_XOR) ||
           (op >= SM_GFX_COMPOSITE_CONJOINT_OVER && op <= SM_GFX_COMPOSITE_CONJOINT_XOR) ||
           op == SM_GFX_COMPOSITE_COLOR_DODGE || op == SM_GFX_COMPOSITE_COLOR_BURN ||
           op == SM_GFX_COMPOSITE_SOFT_LIGHT || is_hsl(op);
}

static float clamp01(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static float quotient(float x, float y, float if_zero)
{
    return y == 0 ? if_zero : clamp01(x / y);
}

static float less_quotient(float x, float y)
{
    return y == 0 ? 0 : clamp01(1 - x / y);
}

static float factor_value(enum factor factor, float a, float b)
{
    switch (factor) {
    case ONE:
        return 1;
    case Q_CLEAR_D_BY_S:
        return quotient(1 - b, a, 1);
    case Q_CLEAR_S_BY_D:
        return quotient(1 - a, b, 1);
    case LESS_CLEAR_D_BY_S:
        return less_quotient(1 - b, a);
    case LESS_CLEAR_S_BY_D:
        return less_quotient(1 - a, b);
    case Q_D_BY_S:
        return quotient(b, a, 1);
    case Q_S_BY_D:
        return quotient(a, b, 1);
    case LESS_D_BY_S:
        return less_quotient(b, a);
    case LESS_S_BY_D:
        return less_quotient(a, b);
    default:
        return 0;
    }
}

static float combined(struct factors f, struct terms t)
{
    float sum = t.s * factor_value(f.s, t.a, t.b) + t.d * factor_value(f.d, t.a, t.b);
    return sum < 1 ? sum : 1;
}

static struct factors factors_of(uint32_t op)
{
    if (op == SM_GFX_COMPOSITE_SATURATE)
        return SATURATE;
    return op < SM_GFX_COMPOSITE_CONJOINT_OVER ? DISJOINT[op - SM_GFX_COMPOSITE_DISJOINT_OVER]
                                               : CONJOINT[op - SM_GFX_COMPOSITE_CONJOINT_OVER];
}

static float color_dodge(struct terms t)
{
    if (t.d == 0)
        return 0;
    if (t.d * t.a >= t.a * t.b - t.s * t.b || t.a - t.s == 0)
        return t.a * t.b;
    return t.a * t.a * t.d / (t.a - t.s);
}

static float color_burn(struct terms t)
{
    if (t.d >= t.b)
        return t.a * t.b;
    if (t.a * (t.b - t.d) >= t.s * t.b || t.s == 0)
        return 0;
    return t.a * (t.b - t.a * (t.b - t.d) / t.s);
}

static float soft_light(struct terms t)
{
    if (t.b == 0)
        return t.d * t.a;
    if (2 * t.s <= t.a)
        return t.d * t.a - t.d * (t.b - t.d) * (t.a - 2 * t.s) / t.b;
    if (4 * t.d <= t.b)
        return t.d * t.a + (2 * t.s - t.a) * t.d * ((16 * t.d / t.b - 12) * t.d / t.b + 3);
    return t.d * t.a + (sqrtf(t.d * t.b) - t.d) * (2 * t.s - t.a);
}

static float separable(uint32_t op, struct terms t)
{
    float f = op == SM_GFX_COMPOSITE_COLOR_DODGE  ? color_dodge(t)
              : op == SM_GFX_COMPOSITE_COLOR_BURN ? color_burn(t)
                                                  : soft_light(t);
    return (1 - t.a) * t.d + (1 - t.b) * t.s + f;
}

/* The HSL modes work on triples. */
struct triple {
    float c[3];
};

static float max3(struct triple t)
{
    float m = t.c[0] > t.c[1] ? t.c[0] : t.c[1];
    return m > t.c[2] ? m : t.c[2];
}

static float min3(struct triple t)
{
    float m = t.c[0] < t.c[1] ? t.c[0] : t.c[1];
    return m < t.c[2] ? m : t.c[2];
}

static float luminance(struct triple t)
{
    return t.c[0] * 0.3f + t.c[1] * 0.59f + t.c[2] * 0.11f;
}

static float saturation(struct triple t)
{
    return max3(t) - min3(t);
}

static struct triple scaled(struct triple t, float by)
{
    return (struct triple){{t.c[0] * by, t.c[1] * by, t.c[2] * by}};
}

/* `t` with the luminance `wanted`, pressed into 0..alpha. */
static struct triple with_luminance(struct triple t, float alpha, float wanted)
{
    float shift = wanted - luminance(t);
    for (unsigned i = 0; i < 3; i++)
        t.c[i] += shift;
    float l = luminance(t), low = min3(t), high = max3(t);
    for (unsigned i = 0; i < 3 && low < 0; i++)
        t.c[i] = l - low == 0 ? 0 : l + (t.c[i] - l) * l / (l - low);
    for (unsigned i = 0; i < 3 && high > alpha; i++)
        t.c[i] = high - l == 0 ? alpha : l + (t.c[i] - l) * (alpha - l) / (high - l);
    return t;
}

/* `t` spread so that its saturation is `wanted` and its smallest channel 0. */
static struct triple with_saturation(struct triple t, float wanted)
{
    float low = min3(t), high = max3(t);
    if (high == low)
        return (struct triple){{0, 0, 0}};
    for (unsigned i = 0; i < 3; i++)
        t.c[i] = t.c[i] == high ? wanted : (t.c[i] - low) * wanted / (high - low);
    return t;
}

static struct triple hsl(uint32_t op, struct triple s, float a, struct triple d, float b)
{
    switch (op) {
    case SM_GFX_COMPOSITE_HSL_HUE:
        return with_luminance(with_saturation(scaled(s, b), saturation(d) * a), a * b,
                              luminance(d) * a);
    case SM_GFX_COMPOSITE_HSL_SATURATION:
        return with_luminance(with_saturation(scaled(d, a), saturation(s) * b), a * b,
                              luminance(d) * a);
    case SM_GFX_COMPOSITE_HSL_COLOR:
        return with_luminance(scaled(s, b), a * b, luminance(d) * a);
    default: /* LUMINOSITY */
        return with_luminance(scaled(d, a), a * b, luminance(s) * b);
    }
}

static float depth5(uint32_t v)
{
    return (float)(v & 31) * (1.0f / 31);
}

static float depth8(uint32_t v)
{
    return (float)(v & 255) * (1.0f / 255);
}

static struct color color_of(enum sm_pixel_format format, uint32_t v)
{
    switch (format) {
    case SM_PIXEL_RGB555:
        return (struct color){1, {depth5(v >> 10), depth5(v >> 5), depth5(v)}};
    case SM_PIXEL_RGB565:
        return (struct color){1, {depth5(v >> 11), (float)(v >> 5 & 63) * (1.0f / 63), depth5(v)}};
    case SM_PIXEL_A8:
        return (struct color){depth8(v), {0, 0, 0}};
    case SM_PIXEL_ARGB32:
        return (struct color){depth8(v >> 24), {depth8(v >> 16), depth8(v >> 8), depth8(v)}};
    default:
        return (struct color){1, {depth8(v >> 16), depth8(v >> 8), depth8(v)}};
    }
}

static struct color tap(const struct sm_gfx_sampler *s, int64_t column, int64_t row)
{
    int32_t x = 0, y = 0;
    if (!sm_gfx_sampler_pixel(s, column, row, &x, &y))
        return (struct color){0};
    return color_of(s->pixels.format,
                    sm_gfx_load(sm_gfx_at(&s->pixels, x, y), sm_gfx_pixel_bytes(s->pixels.format)));
}

static void add_weighted(struct color *sum, struct color c, float weight)
{
    sum->a += c.a * weight;
    for (unsigned i = 0; i < 3; i++)
        sum->c[i] += c.c[i] * weight;
}

static struct color sample(const struct sm_gfx_operand *operand, int32_t i, int32_t j)
{
    const struct sm_gfx_sampler *s = &operand->sampler;
    struct sm_gfx_position at =
        sm_gfx_sampler_position(s, (int64_t)operand->x + i, (int64_t)operand->y + j);
    if (!s->is_linear || sm_gfx_sampler_is_plain(s))
        return tap(s, (at.x - 1) >> 16, (at.y - 1) >> 16);
    int64_t x = at.x - 32768, y = at.y - 32768;
    int64_t column = x >> 16, row = y >> 16;
    float fx = (float)(x & 65535) / 65536, fy = (float)(y & 65535) / 65536;
    struct color sum = {0};
    add_weighted(&sum, tap(s, column, row), (1 - fx) * (1 - fy));
    add_weighted(&sum, tap(s, column + 1, row), fx * (1 - fy));
    add_weighted(&sum, tap(s, column, row + 1), (1 - fx) * fy);
    add_weighted(&sum, tap(s, column + 1, row + 1), fx * fy);
    return sum;
}

static uint32_t byte_of(float v)
{
    uint32_t u = (uint32_t)(clamp01(v) * 256);
    return u - (u >> 8);
}

static uint32_t channels_of(struct color c)
{
    return sm_gfx_argb(byte_of(c.a), byte_of(c.c[0]), byte_of(c.c[1]), byte_of(c.c[2]));
}

static struct color compose_hsl(uint32_t op, struct color s, struct color d)
{
    struct triple cs = {{s.c[0], s.c[1], s.c[2]}}, cd = {{d.c[0], d.c[1], d.c[2]}};
    struct triple f = hsl(op, cs, s.a, cd, d.a);
    struct color result = {.a = s.a + d.a - s.a * d.a};
    for (unsigned i = 0; i < 3; i++)
        result.c[i] = (1 - s.a) * d.c[i] + (1 - d.a) * s.c[i] + f.c[i];
    return result;
}

/* `alpha` has the source's alpha as each channel sees it. */
static struct color compose(uint32_t op, struct color s, struct color alpha, struct color d)
{
    if (is_hsl(op))
        return compose_hsl(op, s, d);
    struct color result;
    if (op >= SM_GFX_COMPOSITE_MULTIPLY) {
        result.a = s.a + d.a - s.a * d.a;
        for (unsigned i = 0; i < 3; i++)
            result.c[i] = separable(op, (struct terms){s.c[i], alpha.c[i], d.c[i], d.a});
        return result;
    }
    struct factors f = factors_of(op);
    result.a = combined(f, (struct terms){s.a, alpha.a, d.a, d.a});
    for (unsigned i = 0; i < 3; i++)
        result.c[i] = combined(f, (struct terms){s.c[i], alpha.c[i], d.c[i], d.a});
    return result;
}

static struct color uniform(float v)
{
    return (struct color){v, {v, v, v}};
}

static struct color product(struct color p, struct color q)
{
    return (struct color){p.a * q.a, {p.c[0] * q.c[0], p.c[1] * q.c[1], p.c[2] * q.c[2]}};
}

void sm_gfx_composite_float_row(const struct sm_gfx_composite *c, const struct sm_pixels *target,
                                int32_t x, int32_t y, int32_t i, int32_t j, uint32_t count)
{
    if (c->has_mask && c->has_component_alpha && is_hsl(c->op))
        return; /* has no meaning, and draws nothing in the reference either */
    uint32_t bytes = sm_gfx_pixel_bytes(target->format);
    for (uint32_t n = 0; n < count; n++, x++, i++) {
        struct color s = sample(&c->source, i, j), alpha = uniform(s.a);
        if (c->has_mask) {
            struct color mask = sample(&c->mask, i, j);
            if (!c->has_component_alpha)
                mask = uniform(mask.a);
            alpha = product(alpha, mask);
            s = product(s, mask);
        }
        uint8_t *at = sm_gfx_at(target, x, y);
        struct color d = color_of(target->format, sm_gfx_load(at, bytes));
        sm_gfx_put(at, bytes,
                   sm_gfx_store(target->format, channels_of(compose(c->op, s, alpha, d))));
    }
}
