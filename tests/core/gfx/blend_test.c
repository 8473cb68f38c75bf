/* SPDX-License-Identifier: MIT */
/* Blending, text and composition against the slow way. */
#include "tests/support/check.h"

#include <string.h>

#include "core/base/cpu.h"
#include "core/gfx/blend.h"
#include "core/gfx/composite.h"
#include "core/gfx/convert.h"
#include "tests/core/gfx/oracle.h"
#include "tests/support/failmalloc.h"

enum { ROUNDS = 1500 };

static uint32_t saturated(uint32_t v)
{
    return v < 255 ? v : 255;
}

static struct sm_rect bounds_of(const struct sm_pixels *p)
{
    return (struct sm_rect){0, 0, (int32_t)p->width, (int32_t)p->height};
}

/* Bits whose value matters on a format: not the top byte of XRGB32. */
static uint32_t meaning(enum sm_pixel_format format)
{
    return format == SM_PIXEL_XRGB32   ? 0x00ffffff
           : format == SM_PIXEL_RGB555 ? 0x00007fff
                                       : 0xffffffff;
}

static struct oracle_color color_at(const struct sm_pixels *p, int32_t x, int32_t y)
{
    if (x < 0 || y < 0 || x >= (int32_t)p->width || y >= (int32_t)p->height)
        return (struct oracle_color){0};
    return oracle_fetch(p->format, oracle_load(p, x, y));
}

static uint32_t over_channel(uint32_t s, uint32_t d, uint32_t alpha)
{
    return saturated(s + oracle_mul(d, 255 - alpha));
}

static struct oracle_color over(struct oracle_color s, struct oracle_color d)
{
    return (struct oracle_color){over_channel(s.a, d.a, s.a), over_channel(s.r, d.r, s.a),
                                 over_channel(s.g, d.g, s.a), over_channel(s.b, d.b, s.a)};
}

static struct oracle_color times(struct oracle_color c, uint32_t m)
{
    return (struct oracle_color){oracle_mul(c.a, m), oracle_mul(c.r, m), oracle_mul(c.g, m),
                                 oracle_mul(c.b, m)};
}

static void alpha_blend_rounds_twice(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 11};
    for (int round = 0; round < ROUNDS; round++) {
        struct sm_pixels target = oracle_picture(&random, oracle_format(&random));
        struct sm_pixels expected = oracle_clone(&target);
        struct sm_gfx_source source = {.pixels = oracle_picture(&random, oracle_format(&random))};
        struct sm_rect box = bounds_of(&target);
        int32_t left = oracle_between(&random, -9, 9), top = oracle_between(&random, -9, 9);
        source.area = (struct sm_rect){left, top, left + box.right, top + box.bottom};
        uint32_t alpha = (uint32_t)oracle_between(&random, 0, 3) * 85;
        struct sm_region region;
        sm_region_init_rect(&region, box);
        for (int32_t y = 0; alpha && y < box.bottom; y++) {
            for (int32_t x = 0; x < box.right; x++) {
                struct oracle_color s = times(color_at(&source.pixels, x + left, y + top), alpha);
                struct oracle_color d = oracle_fetch(target.format, oracle_load(&target, x, y));
                oracle_put(&expected, x, y, oracle_store(target.format, over(s, d)));
            }
        }
        sm_gfx_alpha_blend(oracle_ops(), &target, &region, box, &source, alpha, false);
        oracle_check_equal(&target, &expected, meaning(target.format), "alpha blend");
        sm_test_free_copies();
    }
}

static uint32_t factor(uint32_t op, bool of_source, uint32_t alpha_s, uint32_t alpha_d)
{
    enum { O, I, AD, CD, AS, CS };
    static const uint8_t table[13][2] = {{O, O},   {I, O},   {O, I},  {I, CS}, {CD, I},
                                         {AD, O},  {O, AS},  {CD, O}, {O, CS}, {AD, CS},
                                         {CD, AS}, {CD, CS}, {I, I}};
    const uint32_t values[] = {0, 255, alpha_d, 255 - alpha_d, alpha_s, 255 - alpha_s};
    return values[table[op][of_source ? 0 : 1]];
}

static uint32_t composed(uint32_t op, uint32_t s, uint32_t d, uint32_t alpha_s, uint32_t alpha_d)
{
    return saturated(oracle_mul(s, factor(op, true, alpha_s, alpha_d)) +
                     oracle_mul(d, factor(op, false, alpha_s, alpha_d)));
}

static struct oracle_color compose(uint32_t op, struct oracle_color s, struct oracle_color d,
                                   const struct oracle_color *mask, bool by_channel)
{
    struct oracle_color alpha = {s.a, s.a, s.a, s.a};
    if (mask) {
        struct oracle_color m = *mask;
        if (!by_channel)
            m = (struct oracle_color){m.a, m.a, m.a, m.a};
        s = (struct oracle_color){oracle_mul(s.a, m.a), oracle_mul(s.r, m.r), oracle_mul(s.g, m.g),
                                  oracle_mul(s.b, m.b)};
        alpha = (struct oracle_color){oracle_mul(m.a, alpha.a), oracle_mul(m.r, alpha.a),
                                      oracle_mul(m.g, alpha.a), oracle_mul(m.b, alpha.a)};
    }
    return (struct oracle_color){
        composed(op, s.a, d.a, alpha.a, d.a), composed(op, s.r, d.r, alpha.r, d.a),
        composed(op, s.g, d.g, alpha.g, d.a), composed(op, s.b, d.b, alpha.b, d.a)};
}

static struct sm_gfx_operand operand(const struct sm_pixels *p, int32_t x, int32_t y)
{
    return (struct sm_gfx_operand){
        .sampler = {.pixels = *p, .transform = SM_GFX_IDENTITY}, .x = x, .y = y};
}

static void composition_follows_porter_and_duff(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 12};
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct sm_pixels target = oracle_picture(&random, oracle_format(&random));
        struct sm_pixels expected = oracle_clone(&target);
        struct sm_pixels source = oracle_picture(&random, oracle_format(&random));
        struct sm_pixels mask = oracle_picture(&random, oracle_format(&random));
        int32_t sx = oracle_between(&random, -5, 5), mx = oracle_between(&random, -5, 5);
        struct sm_gfx_composite c = {
            .op = round % 13,
            .source = operand(&source, sx, 2),
            .mask = operand(&mask, mx, -1),
            .has_mask = round % 3 != 0,
            .has_component_alpha = round % 3 == 2,
        };
        struct sm_region region;
        sm_region_init_rect(&region, bounds_of(&target));
        for (int32_t y = 0; y < (int32_t)target.height; y++) {
            for (int32_t x = 0; x < (int32_t)target.width; x++) {
                struct oracle_color m = color_at(&mask, x + mx, y - 1);
                struct oracle_color d = oracle_fetch(target.format, oracle_load(&target, x, y));
                struct oracle_color result = compose(c.op, color_at(&source, x + sx, y + 2), d,
                                                     c.has_mask ? &m : NULL, c.has_component_alpha);
                oracle_put(&expected, x, y, oracle_store(target.format, result));
            }
        }
        sm_gfx_composite(oracle_ops(), &target, &region, bounds_of(&target), &c);
        oracle_check_equal(&target, &expected, meaning(target.format), "composite");
        sm_test_free_copies();
    }
}

/* Colours as real numbers, at the format's own depth. */
struct real {
    double a, c[3];
};

static struct real real_at(const struct sm_pixels *p, int32_t x, int32_t y)
{
    if (x < 0 || y < 0 || x >= (int32_t)p->width || y >= (int32_t)p->height)
        return (struct real){0};
    uint32_t v = oracle_load(p, x, y);
    switch (p->format) {
    case SM_PIXEL_RGB555:
        return (struct real){1, {(v >> 10 & 31) / 31.0, (v >> 5 & 31) / 31.0, (v & 31) / 31.0}};
    case SM_PIXEL_RGB565:
        return (struct real){1, {(v >> 11 & 31) / 31.0, (v >> 5 & 63) / 63.0, (v & 31) / 31.0}};
    case SM_PIXEL_A8:
        return (struct real){v / 255.0, {0, 0, 0}};
    default:
        return (struct real){p->format == SM_PIXEL_ARGB32 ? (v >> 24) / 255.0 : 1,
                             {(v >> 16 & 255) / 255.0, (v >> 8 & 255) / 255.0, (v & 255) / 255.0}};
    }
}

static double limited(double v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static double quotient(double x, double y)
{
    return y == 0 ? 1 : limited(x / y);
}

static double less(double x, double y)
{
    return y == 0 ? 0 : limited(1 - x / y);
}

/* The nine operators of a family, in their order on the wire. */
static double real_operator(uint32_t op, double s, double a, double d, double b)
{
    if (op == SM_GFX_COMPOSITE_SATURATE)
        return s * quotient(1 - b, a) + d;
    bool is_conjoint = op >= SM_GFX_COMPOSITE_CONJOINT_OVER;
    double out_s = is_conjoint ? less(b, a) : quotient(1 - b, a);
    double out_d = is_conjoint ? less(a, b) : quotient(1 - a, b);
    double in_s = is_conjoint ? quotient(b, a) : less(1 - b, a);
    double in_d = is_conjoint ? quotient(a, b) : less(1 - a, b);
    switch (op & 15) {
    case 3:
        return s + d * out_d;
    case 4:
        return s * out_s + d;
    case 5:
        return s * in_s;
    case 6:
        return d * in_d;
    case 7:
        return s * out_s;
    case 8:
        return d * out_d;
    case 9:
        return s * in_s + d * out_d;
    case 10:
        return s * out_s + d * in_d;
    default:
        return s * out_s + d * out_d;
    }
}

static uint32_t real_byte(double v)
{
    uint32_t u = (uint32_t)(limited(v) * 256);
    return u - (u >> 8);
}

static bool is_near(uint32_t actual, double expected)
{
    return actual <= real_byte(expected + 1.5 / 255) && real_byte(expected - 1.5 / 255) <= actual;
}

/* On a 32-bit target, so that a step of the result is a step of a channel. */
static void real_operators_are_right_within_a_step(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 16};
    for (uint32_t round = 0; round < 600; round++) {
        static const uint8_t families[] = {0x13, 0x23};
        struct sm_pixels target = oracle_picture(&random, SM_PIXEL_ARGB32);
        struct sm_pixels before = oracle_clone(&target);
        struct sm_pixels source = oracle_picture(&random, oracle_format(&random));
        struct sm_pixels mask = oracle_picture(&random, oracle_format(&random));
        bool by_channel = round % 3 == 2;
        struct sm_gfx_composite c = {
            .op = round % 19 == 18 ? 13 : families[round % 2] + round / 2 % 9,
            .source = operand(&source, 1, 0),
            .mask = operand(&mask, 0, 1),
            .has_mask = round % 3 != 0,
            .has_component_alpha = by_channel,
        };
        struct sm_region region;
        sm_region_init_rect(&region, bounds_of(&target));
        sm_gfx_composite(oracle_ops(), &target, &region, bounds_of(&target), &c);
        for (int32_t y = 0; y < (int32_t)target.height; y++) {
            for (int32_t x = 0; x < (int32_t)target.width; x++) {
                struct real s = real_at(&source, x + 1, y), d = real_at(&before, x, y);
                struct real m = c.has_mask ? real_at(&mask, x, y + 1) : (struct real){1, {1, 1, 1}};
                if (!by_channel)
                    m = (struct real){m.a, {m.a, m.a, m.a}};
                uint32_t v = oracle_load(&target, x, y);
                double red = real_operator(c.op, s.c[0] * m.c[0], s.a * m.c[0], d.c[0], d.a);
                double alpha = real_operator(c.op, s.a * m.a, s.a * m.a, d.a, d.a);
                if (!is_near(v >> 16 & 255, red) || !is_near(v >> 24, alpha))
                    fail_msg("operator %02x: got %08x, expected red %f, alpha %f", c.op, v,
                             red * 255, alpha * 255);
            }
        }
        sm_test_free_copies();
    }
}

/* Where nothing is transparent SATURATE is computed in whole numbers, exactly as OVER_REVERSE. */
static void saturate_of_an_opaque_source_is_over_reverse(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 17};
    struct sm_pixels target = oracle_picture(&random, SM_PIXEL_ARGB32);
    struct sm_pixels expected = oracle_clone(&target);
    struct sm_pixels source = oracle_picture(&random, SM_PIXEL_XRGB32);
    struct sm_region region;
    sm_region_init_rect(&region, bounds_of(&target));
    struct sm_gfx_composite c = {.source = operand(&source, -3, 2)};
    c.source.sampler.repeat = SM_GFX_REPEAT_REFLECT;
    c.op = SM_GFX_COMPOSITE_SATURATE;
    sm_gfx_composite(oracle_ops(), &target, &region, bounds_of(&target), &c);
    c.op = SM_GFX_COMPOSITE_OVER_REVERSE;
    sm_gfx_composite(oracle_ops(), &expected, &region, bounds_of(&expected), &c);
    oracle_check_equal(&target, &expected, 0xffffffff, "saturate");

    /* Without repeat it depends on whether the box stays inside the source. */
    c.source.sampler.repeat = SM_GFX_REPEAT_NONE;
    c.source.x = c.source.y = 0;
    const struct sm_rect corner = {0, 0, 1, 1};
    sm_region_init_rect(&region, corner);
    c.op = SM_GFX_COMPOSITE_SATURATE;
    sm_gfx_composite(oracle_ops(), &target, &region, corner, &c);
    c.op = SM_GFX_COMPOSITE_OVER_REVERSE;
    sm_gfx_composite(oracle_ops(), &expected, &region, corner, &c);
    oracle_check_equal(&target, &expected, 0xffffffff, "saturate inside");
    sm_test_free_copies();
}

/* An opaque picture enlarged on XRGB brings its top bytes along, unless they read as a full alpha.
 */
static void scaled_opaque_blend_copies_raw(void **state)
{
    (void)state;
    uint32_t small[2] = {0x12000001, 0x34000002}, large[4] = {0};
    const struct sm_pixels target = {(uint8_t *)large, 16, 4, 1, SM_PIXEL_XRGB32};
    const struct sm_gfx_source source = {.pixels = {(uint8_t *)small, 8, 2, 1, SM_PIXEL_XRGB32},
                                         .area = {0, 0, 2, 1}};
    struct sm_region region;
    sm_region_init_rect(&region, bounds_of(&target));
    sm_gfx_alpha_blend(oracle_ops(), &target, &region, bounds_of(&target), &source, 255, false);
    static const uint32_t raw[4] = {0x12000001, 0x12000001, 0x34000002, 0x34000002};
    assert_memory_equal(large, raw, sizeof(raw));
    small[0] = 0xff000001;
    sm_gfx_alpha_blend(oracle_ops(), &target, &region, bounds_of(&target), &source, 255, false);
    static const uint32_t cleared[4] = {1, 1, 2, 2};
    assert_memory_equal(large, cleared, sizeof(cleared));
    sm_gfx_alpha_blend(oracle_ops(), &target, &region, bounds_of(&target), &source, 255, true);
    static const uint32_t as_argb[4] = {0xff000001, 0xff000001, 0xff000002, 0xff000002};
    assert_memory_equal(large, as_argb, sizeof(as_argb));
}

enum { ROW = 80 };

/* Noise with runs of opaque and clear pixels. */
static void random_row(struct sm_test_random *random, uint32_t *row)
{
    for (int i = 0; i < ROW; i++) {
        row[i] = sm_test_random_next(random);
        if (i % 40 < 12)
            row[i] |= 0xff000000;
        else if (i % 40 < 24)
            row[i] = 0;
    }
}

static void check_rows(const uint32_t *actual, const uint32_t *expected, const char *what)
{
    for (int i = 0; i < ROW; i++)
        if (actual[i] != expected[i])
            fail_msg("%s: pixel %d is %08x, expected %08x", what, i, actual[i], expected[i]);
}

static void overrides_equal_the_portable_rows(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 18};
    struct sm_gfx_ops portable, best;
    sm_gfx_ops_init(&portable, 0);
    sm_gfx_ops_init(&best, sm_cpu_detect());
    for (uint32_t round = 0; round < 4000; round++) {
        uint32_t s[ROW], mask[ROW], a[ROW], b[ROW];
        uint32_t from = round % 7, count = round % (ROW - 6), alpha = round % 256;
        random_row(&random, s);
        random_row(&random, mask);
        random_row(&random, a);
        memcpy(b, a, sizeof(b));
        portable.over_row((uint8_t *)a + from, s, count); /* at any address */
        best.over_row((uint8_t *)b + from, s, count);
        check_rows(b, a, "over");
        portable.compose_row(round % 13, a + from, s, count);
        best.compose_row(round % 13, b + from, s, count);
        check_rows(b, a, "compose");
        portable.scale_alpha_row(a + from, alpha, count);
        best.scale_alpha_row(b + from, alpha, count);
        check_rows(b, a, "scale alpha");
        portable.mask_row(a + from, mask, count);
        best.mask_row(b + from, mask, count);
        check_rows(b, a, "mask");
        portable.cover_row(a + from, (const uint8_t *)mask + 1, count);
        best.cover_row(b + from, (const uint8_t *)mask + 1, count);
        check_rows(b, a, "cover");
    }
}

static void operators_without_meaning_draw_nothing(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 13};
    struct sm_pixels target = oracle_picture(&random, SM_PIXEL_ARGB32);
    struct sm_pixels before = oracle_clone(&target);
    struct sm_pixels source = oracle_picture(&random, SM_PIXEL_ARGB32);
    struct sm_region region;
    sm_region_init_rect(&region, bounds_of(&target));
    static const uint32_t none[] = {0x0e, 0x0f, 0x1c, 0x1f, 0x2c, 0x2f, 0x3f, 0x40, 0xff};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        const struct sm_gfx_composite c = {.op = none[i], .source = operand(&source, 0, 0)};
        sm_gfx_composite(oracle_ops(), &target, &region, bounds_of(&target), &c);
    }
    oracle_check_equal(&target, &before, 0xffffffff, "no operator");
    sm_test_free_copies();
}

static void out_of_range_positions_draw_nothing(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 14};
    struct sm_pixels target = oracle_picture(&random, SM_PIXEL_XRGB32);
    struct sm_pixels before = oracle_clone(&target);
    struct sm_pixels source = oracle_picture(&random, SM_PIXEL_XRGB32);
    struct sm_region region;
    sm_region_init_rect(&region, bounds_of(&target));
    struct sm_gfx_composite c = {.op = SM_GFX_COMPOSITE_SRC, .source = operand(&source, 32760, 0)};
    sm_gfx_composite(oracle_ops(), &target, &region, (struct sm_rect){0, 0, 40, 40}, &c);
    c.source.x = 0;
    c.source.sampler.transform.t00 = 65536 * 32000;
    c.source.sampler.transform.t02 = INT32_MAX;
    sm_gfx_composite(oracle_ops(), &target, &region, (struct sm_rect){0, 0, 40, 40}, &c);
    oracle_check_equal(&target, &before, 0xffffffff, "out of range");
    sm_test_free_copies();
}

static void a4_glyphs_are_drawn_bottom_up(void **state)
{
    (void)state;
    uint8_t memory[3 * 2] = {0};
    const struct sm_pixels target = {memory, 3, 3, 2, SM_PIXEL_A8};
    static const uint8_t rows[] = {0x12, 0x30, 0x04, 0xf0}; /* the lower row first */
    const struct sm_gfx_glyph glyph = {.width = 3, .height = 2, .data = {rows, sizeof(rows)}};
    const struct sm_gfx_text text = {.glyphs = &glyph, .count = 1, .depth = 4};
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_SOLID};
    struct sm_region region;
    sm_region_init_rect(&region, bounds_of(&target));
    sm_check_status(sm_gfx_text(oracle_ops(), &target, &region, &text, &brush), SM_OK);
    static const uint8_t expected[] = {0x00, 0x40, 0xf0, 0x10, 0x20, 0x30};
    sm_check_bytes(SM_TEST_BYTES(memory), SM_TEST_BYTES(expected));
}

/* Where two glyphs overlap the larger coverage counts; the reference reads 8-bit glyphs a row off.
 */
static void a8_glyphs_take_the_maximum(void **state)
{
    (void)state;
    uint8_t memory[4] = {0};
    const struct sm_pixels target = {memory, 4, 4, 1, SM_PIXEL_A8};
    static const uint8_t first[] = {10, 200, 30}, second[] = {90, 90, 90};
    const struct sm_gfx_glyph glyphs[] = {
        {.width = 3, .height = 1, .data = {first, 3}},
        {.left = 1, .width = 3, .height = 1, .data = {second, 3}},
        {.left = 0, .width = 3, .height = 1, .data = {second, 2}}, /* too short: blank */
    };
    const struct sm_gfx_text text = {.glyphs = glyphs, .count = 3, .depth = 8};
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_SOLID};
    struct sm_region region;
    sm_region_init_rect(&region, bounds_of(&target));
    sm_check_status(sm_gfx_text(oracle_ops(), &target, &region, &text, &brush), SM_OK);
    static const uint8_t expected[] = {10, 200, 90, 90};
    sm_check_bytes(SM_TEST_BYTES(memory), SM_TEST_BYTES(expected));
}

static void far_apart_glyphs_cost_nothing(void **state)
{
    (void)state;
    uint8_t memory[16] = {0};
    const struct sm_pixels target = {memory, 4, 4, 4, SM_PIXEL_A8};
    static const uint8_t data[] = {0xff};
    const struct sm_gfx_glyph glyphs[] = {
        {.left = -(INT64_C(1) << 32), .width = 1, .height = 1, .data = {data, 1}},
        {.left = INT64_C(1) << 32, .top = 7, .width = 1, .height = 1, .data = {data, 1}},
    };
    const struct sm_gfx_text text = {.glyphs = glyphs, .count = 2, .depth = 1};
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_SOLID};
    struct sm_region region;
    sm_region_init_rect(&region, bounds_of(&target));
    sm_check_status(sm_gfx_text(oracle_ops(), &target, &region, &text, &brush), SM_OK);
    assert_int_equal(memory[0], 0);
}

static void conversion_widens_and_cuts(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 15};
    for (int round = 0; round < 400; round++) {
        struct sm_pixels from = oracle_picture(&random, oracle_format(&random));
        struct sm_pixels to = oracle_clone(&from);
        if (sm_pixel_bits(from.format) < 32)
            continue;
        to.format = oracle_format(&random);
        struct sm_pixels expected = oracle_clone(&to);
        for (uint32_t y = 0; y < to.height; y++) {
            for (uint32_t x = 0; x < to.width; x++) {
                struct oracle_color c = oracle_fetch(from.format, oracle_load(&from, x, y));
                enum sm_pixel_format as =
                    to.format == SM_PIXEL_XRGB32 ? SM_PIXEL_ARGB32 : to.format;
                oracle_put(&expected, x, y, oracle_store(as, c));
            }
        }
        sm_gfx_convert(&to, &from);
        oracle_check_equal(&to, &expected, 0xffffffff, "convert");
        sm_test_free_copies();
    }
    sm_test_free_copies();
}

static void draw_text(void *context)
{
    (void)context;
    uint8_t memory[16] = {0};
    const struct sm_pixels target = {memory, 4, 4, 4, SM_PIXEL_A8};
    static const uint8_t data[] = {0xff, 0xff};
    const struct sm_gfx_glyph glyph = {.width = 2, .height = 2, .data = {data, 2}};
    const struct sm_gfx_text text = {.glyphs = &glyph, .count = 1, .depth = 1};
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_SOLID};
    const struct sm_rect rects[] = {{0, 0, 1, 4}, {2, 0, 4, 1}};
    struct sm_region region = {0};
    if (sm_region_from_rects(&region, rects, 2, bounds_of(&target)) == SM_OK &&
        sm_gfx_text(oracle_ops(), &target, &region, &text, &brush) == SM_OK)
        assert_int_equal(memory[0], 255);
    else
        assert_int_equal(memory[0], 0);
    sm_region_finish(&region);
}

static void text_survives_every_failed_allocation(void **state)
{
    (void)state;
    sm_failmalloc_each(draw_text, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alpha_blend_rounds_twice),
        cmocka_unit_test(composition_follows_porter_and_duff),
        cmocka_unit_test(real_operators_are_right_within_a_step),
        cmocka_unit_test(saturate_of_an_opaque_source_is_over_reverse),
        cmocka_unit_test(scaled_opaque_blend_copies_raw),
        cmocka_unit_test(overrides_equal_the_portable_rows),
        cmocka_unit_test(operators_without_meaning_draw_nothing),
        cmocka_unit_test(out_of_range_positions_draw_nothing),
        cmocka_unit_test(a4_glyphs_are_drawn_bottom_up),
        cmocka_unit_test(a8_glyphs_take_the_maximum),
        cmocka_unit_test(far_apart_glyphs_cost_nothing),
        cmocka_unit_test(conversion_widens_and_cuts),
        cmocka_unit_test(text_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
