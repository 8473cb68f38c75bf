/* SPDX-License-Identifier: MIT */
/* The bitwise commands against the slow way, on random pictures, regions and masks. */
#include "tests/support/check.h"

#include <string.h>

#include "core/base/cpu.h"
#include "core/gfx/draw.h"
#include "core/gfx/rop.h"
#include "tests/core/gfx/oracle.h"

enum { ROUNDS = 1500, MASK_SIDE = 48 };

/* A random target with a region and perhaps a mask. */
struct scene {
    struct sm_test_random random;
    struct sm_pixels target, expected;
    struct sm_region region;
    struct sm_gfx_mask mask;
    struct sm_gfx_area area;
    struct sm_rect box;
};

static struct sm_rect random_rect(struct sm_test_random *random)
{
    int32_t x = oracle_between(random, -10, 40), y = oracle_between(random, -10, 40);
    return (struct sm_rect){x, y, x + oracle_between(random, 1, 40),
                            y + oracle_between(random, 1, 40)};
}

static void set_up(struct scene *s)
{
    s->target = oracle_picture(&s->random, oracle_format(&s->random));
    s->expected = oracle_clone(&s->target);
    s->box = random_rect(&s->random);
    const struct sm_rect bounds = {0, 0, (int32_t)s->target.width, (int32_t)s->target.height};
    struct sm_rect rects[3];
    for (size_t i = 0; i < 3; i++)
        rects[i] = random_rect(&s->random);
    s->region = (struct sm_region){0};
    sm_check_status(sm_region_from_rects(&s->region, rects, 3, sm_rect_intersect(bounds, s->box)),
                    SM_OK);
    s->area = (struct sm_gfx_area){.region = &s->region};
    if (sm_test_random_next(&s->random) % 3 != 0)
        return;
    uint8_t bits[MASK_SIDE * MASK_SIDE / 8];
    for (size_t i = 0; i < sizeof(bits); i++)
        bits[i] = (uint8_t)(sm_test_random_next(&s->random) & sm_test_random_next(&s->random));
    s->mask = (struct sm_gfx_mask){
        .bits = {(uint8_t *)(uintptr_t)sm_test_copy(bits, sizeof(bits)).data, MASK_SIDE / 8,
                 MASK_SIDE, MASK_SIDE,
                 sm_test_random_next(&s->random) & 1 ? SM_PIXEL_INDEX1_LE : SM_PIXEL_INDEX1_BE},
        .dx = oracle_between(&s->random, -20, 20),
        .dy = oracle_between(&s->random, -20, 20),
        .is_inverted = sm_test_random_next(&s->random) & 1,
    };
    s->area.mask = &s->mask;
}

static void tear_down(struct scene *s)
{
    sm_region_finish(&s->region);
    sm_test_free_copies();
}

static bool is_drawn(const struct scene *s, int32_t x, int32_t y)
{
    if (!sm_region_contains_point(&s->region, x, y))
        return false;
    if (!s->area.mask)
        return true;
    int64_t mx = x + s->mask.dx, my = y + s->mask.dy;
    if (mx < 0 || my < 0 || mx >= MASK_SIDE || my >= MASK_SIDE)
        return false;
    unsigned shift = s->mask.bits.format == SM_PIXEL_INDEX1_LE ? mx % 8 : 7 - mx % 8;
    bool bit = s->mask.bits.data[my * (MASK_SIDE / 8) + mx / 8] >> shift & 1;
    return bit != s->mask.is_inverted;
}

static uint32_t width_mask(const struct sm_pixels *p)
{
    uint32_t bits = sm_pixel_bits(p->format);
    return bits == 32 ? 0xffffffff : (1u << bits) - 1;
}

static uint32_t combined(enum sm_gfx_op op, uint32_t s, uint32_t d)
{
    switch (op) {
    case SM_GFX_OP_CLEAR:
        return 0;
    case SM_GFX_OP_AND:
        return s & d;
    case SM_GFX_OP_AND_REVERSE:
        return s & ~d;
    case SM_GFX_OP_COPY:
        return s;
    case SM_GFX_OP_AND_INVERTED:
        return ~s & d;
    case SM_GFX_OP_NOOP:
        return d;
    case SM_GFX_OP_XOR:
        return s ^ d;
    case SM_GFX_OP_OR:
        return s | d;
    case SM_GFX_OP_NOR:
        return ~(s | d);
    case SM_GFX_OP_EQUIV:
        return ~(s ^ d);
    case SM_GFX_OP_INVERT:
        return ~d;
    case SM_GFX_OP_OR_REVERSE:
        return s | ~d;
    case SM_GFX_OP_COPY_INVERTED:
        return ~s;
    case SM_GFX_OP_OR_INVERTED:
        return ~s | d;
    case SM_GFX_OP_NAND:
        return ~(s & d);
    default:
        return 0xffffffff;
    }
}

static void expect(struct scene *s, int32_t x, int32_t y, uint32_t value)
{
    oracle_put(&s->expected, x, y, value & width_mask(&s->expected));
}

#define FOR_DRAWN(s, x, y)                                                                         \
    for (int32_t y = 0; y < (int32_t)(s)->target.height; y++)                                      \
        for (int32_t x = 0; x < (int32_t)(s)->target.width; x++)                                   \
            if (is_drawn((s), x, y))

static enum sm_gfx_op random_op(struct sm_test_random *random)
{
    return (enum sm_gfx_op)(sm_test_random_next(random) % 16);
}

static struct sm_gfx_brush random_brush(struct scene *s)
{
    struct sm_gfx_brush brush = {
        .type = (enum sm_gfx_brush_type)(sm_test_random_next(&s->random) % 3),
        .color = sm_test_random_next(&s->random),
        .x = oracle_between(&s->random, -100, 100),
        .y = oracle_between(&s->random, -100, 100),
    };
    brush.tile = oracle_picture(&s->random, s->target.format);
    return brush;
}

static uint32_t brush_at(const struct sm_gfx_brush *brush, int32_t x, int32_t y)
{
    if (brush->type == SM_GFX_BRUSH_NONE)
        return 0;
    if (brush->type == SM_GFX_BRUSH_SOLID)
        return brush->color;
    int32_t w = (int32_t)brush->tile.width, h = (int32_t)brush->tile.height;
    return oracle_load(&brush->tile, ((x - brush->x) % w + w) % w, ((y - brush->y) % h + h) % h);
}

static void fill_combines_the_brush(void **state)
{
    (void)state;
    struct scene s = {.random = {.state = 1}};
    for (int round = 0; round < ROUNDS; round++) {
        set_up(&s);
        struct sm_gfx_brush brush = random_brush(&s);
        enum sm_gfx_op op = random_op(&s.random);
        FOR_DRAWN(&s, x, y)
        expect(&s, x, y, combined(op, brush_at(&brush, x, y), oracle_load(&s.expected, x, y)));
        sm_gfx_fill(oracle_ops(), &s.target, &s.area, &brush, op);
        oracle_check_equal(&s.target, &s.expected, 0xffffffff, "fill");
        tear_down(&s);
    }
}

/* A source of the target's format with an area as large as the box. */
static struct sm_gfx_source plain_source(struct scene *s)
{
    struct sm_gfx_source source = {.pixels = oracle_picture(&s->random, s->target.format)};
    int32_t left = oracle_between(&s->random, -15, 30), top = oracle_between(&s->random, -15, 30);
    source.area = (struct sm_rect){left, top, left + (int32_t)sm_rect_width(s->box),
                                   top + (int32_t)sm_rect_height(s->box)};
    return source;
}

static bool source_at(const struct scene *s, const struct sm_gfx_source *source, int32_t x,
                      int32_t y, uint32_t *value)
{
    int32_t sx = x - s->box.left + source->area.left, sy = y - s->box.top + source->area.top;
    if (sx < 0 || sy < 0 || sx >= (int32_t)source->pixels.width ||
        sy >= (int32_t)source->pixels.height)
        return false;
    *value = oracle_load(&source->pixels, sx, sy);
    return true;
}

static void copy_leaves_alone_what_has_no_source(void **state)
{
    (void)state;
    struct scene s = {.random = {.state = 2}};
    for (int round = 0; round < ROUNDS; round++) {
        set_up(&s);
        struct sm_gfx_source source = plain_source(&s);
        enum sm_gfx_op op = random_op(&s.random);
        uint32_t value = 0;
        FOR_DRAWN(&s, x, y)
        if (source_at(&s, &source, x, y, &value))
            expect(&s, x, y, combined(op, value, oracle_load(&s.expected, x, y)));
        sm_gfx_copy(&s.target, &s.area, s.box, &source, op);
        oracle_check_equal(&s.target, &s.expected, 0xffffffff, "copy");
        tear_down(&s);
    }
}

static int64_t fixed_step(int64_t source_size, int64_t box_size)
{
    return 65536 * source_size / box_size;
}

/* The sample in the format `as`; XRGB32 to XRGB32 keeps the top byte as a channel. */
static uint32_t sampled(const struct scene *s, struct sm_gfx_source source, int32_t x, int32_t y,
                        enum sm_pixel_format as)
{
    int64_t kx = fixed_step(sm_rect_width(source.area), sm_rect_width(s->box));
    int64_t ky = fixed_step(sm_rect_height(source.area), sm_rect_height(s->box));
    int64_t fx = (int64_t)source.area.left * 65536 + kx * (x - s->box.left) + ((kx + 1) >> 1);
    int64_t fy = (int64_t)source.area.top * 65536 + ky * (y - s->box.top) + ((ky + 1) >> 1);
    if (as == SM_PIXEL_XRGB32 && source.pixels.format == SM_PIXEL_XRGB32)
        source.pixels.format = SM_PIXEL_ARGB32;
    if (as == SM_PIXEL_XRGB32)
        as = SM_PIXEL_ARGB32;
    struct oracle_color c = source.is_linear ? oracle_linear(&source.pixels, fx, fy)
                                             : oracle_nearest(&source.pixels, fx, fy);
    return oracle_store(as, c);
}

static struct sm_gfx_source scaled_source(struct scene *s, enum sm_pixel_format format)
{
    struct sm_gfx_source source = {.pixels = oracle_picture(&s->random, format),
                                   .is_linear = sm_test_random_next(&s->random) & 1};
    do
        source.area = random_rect(&s->random);
    while (!sm_gfx_source_is_scaled(&source, s->box));
    if (sm_test_random_next(&s->random) % 4 == 0) { /* mirrored */
        int32_t left = source.area.left;
        source.area.left = source.area.right;
        source.area.right = left;
    }
    return source;
}

static void scaled_copy_samples_in_any_format(void **state)
{
    (void)state;
    struct scene s = {.random = {.state = 3}};
    for (int round = 0; round < ROUNDS; round++) {
        set_up(&s);
        struct sm_gfx_source source = scaled_source(&s, oracle_format(&s.random));
        FOR_DRAWN(&s, x, y)
        expect(&s, x, y, sampled(&s, source, x, y, s.target.format));
        sm_gfx_copy(&s.target, &s.area, s.box, &source, SM_GFX_OP_COPY);
        oracle_check_equal(&s.target, &s.expected, 0xffffffff, "scaled copy");
        tear_down(&s);
    }
}

static void scaled_operations_use_the_sources_format(void **state)
{
    (void)state;
    struct scene s = {.random = {.state = 4}};
    for (int round = 0; round < ROUNDS; round++) {
        set_up(&s);
        enum sm_pixel_format format = oracle_format(&s.random);
        struct sm_gfx_source source = scaled_source(&s, format);
        enum sm_gfx_op op = random_op(&s.random);
        bool fits = sm_pixel_bits(format) == sm_pixel_bits(s.target.format);
        if (op == SM_GFX_OP_COPY)
            op = SM_GFX_OP_XOR;
        FOR_DRAWN(&s, x, y)
        if (fits)
            expect(&s, x, y,
                   combined(op, sampled(&s, source, x, y, format), oracle_load(&s.expected, x, y)));
        sm_gfx_copy(&s.target, &s.area, s.box, &source, op);
        oracle_check_equal(&s.target, &s.expected, 0xffffffff, "scaled operation");
        tear_down(&s);
    }
}

static void move_reads_what_was_there_before(void **state)
{
    (void)state;
    struct scene s = {.random = {.state = 5}};
    for (int round = 0; round < ROUNDS; round++) {
        set_up(&s);
        struct sm_pixels before = oracle_clone(&s.target);
        int32_t dx = oracle_between(&s.random, -12, 12), dy = oracle_between(&s.random, -12, 12);
        s.area.mask = NULL;
        FOR_DRAWN(&s, x, y)
        if (x - dx >= 0 && y - dy >= 0 && x - dx < (int32_t)before.width &&
            y - dy < (int32_t)before.height)
            expect(&s, x, y, oracle_load(&before, x - dx, y - dy));
        sm_gfx_move(&s.target, &s.region, dx, dy);
        oracle_check_equal(&s.target, &s.expected, 0xffffffff, "move");
        tear_down(&s);
    }
}

static uint32_t ternary(uint32_t code, uint32_t p, uint32_t s, uint32_t d)
{
    uint32_t result = 0;
    for (unsigned bit = 0; bit < 32; bit++) {
        unsigned n = 4 * (p >> bit & 1) + 2 * (s >> bit & 1) + (d >> bit & 1);
        result |= (code >> n & 1) << bit;
    }
    return result;
}

/* All 256 codes, also the 38 that the reference does not know. */
static void rop3_follows_its_truth_table(void **state)
{
    (void)state;
    struct scene s = {.random = {.state = 6}};
    for (uint32_t round = 0; round < 1024; round++) {
        set_up(&s);
        struct sm_gfx_source source = plain_source(&s);
        struct sm_gfx_brush brush = random_brush(&s);
        bool covers = source.area.left >= 0 && source.area.top >= 0 &&
                      source.area.right <= (int32_t)source.pixels.width &&
                      source.area.bottom <= (int32_t)source.pixels.height;
        uint32_t value = 0;
        FOR_DRAWN(&s, x, y)
        if (covers && sm_pixel_bits(s.target.format) >= 16 && source_at(&s, &source, x, y, &value))
            expect(&s, x, y,
                   ternary(round % 256, brush_at(&brush, x, y), value,
                           oracle_load(&s.expected, x, y)));
        sm_gfx_rop3(&s.target, &s.area, s.box, &source, &brush, (uint8_t)round);
        oracle_check_equal(&s.target, &s.expected, 0xffffffff, "rop3");
        tear_down(&s);
    }
}

static void keyed_copy_leaves_out_the_key(void **state)
{
    (void)state;
    struct scene s = {.random = {.state = 7}};
    const uint32_t key = 0x00c0ffee;
    for (int round = 0; round < ROUNDS; round++) {
        set_up(&s);
        struct sm_gfx_source source = plain_source(&s);
        const struct oracle_color c = oracle_fetch(SM_PIXEL_XRGB32, key);
        uint32_t stored = s.target.format == SM_PIXEL_A8 ? 0 : oracle_store(s.target.format, c);
        uint32_t counts = sm_pixel_bits(s.target.format) == 32 ? 0xffffff : 0xffffffff, value = 0;
        stored &= counts;
        for (uint32_t x = 0; x < source.pixels.width; x += 2) /* some pixels of that colour */
            oracle_put(&source.pixels, x, 0,
                       stored | (s.target.format == SM_PIXEL_XRGB32 ? 0xab000000 : 0));
        FOR_DRAWN(&s, x, y)
        if (source_at(&s, &source, x, y, &value) && (value & counts) != stored)
            expect(&s, x, y, value);
        sm_gfx_copy_keyed(&s.target, &s.area, s.box, &source, key);
        oracle_check_equal(&s.target, &s.expected, 0xffffffff, "keyed copy");
        tear_down(&s);
    }
}

static void descriptors_mean_their_operation(void **state)
{
    (void)state;
    enum { BRUSH = SM_GFX_ROPD_INVERS_BRUSH, DEST = SM_GFX_ROPD_INVERS_DEST };
    assert_int_equal(sm_gfx_op_from_ropd(SM_GFX_ROPD_OP_PUT, BRUSH, DEST), SM_GFX_OP_COPY);
    assert_int_equal(sm_gfx_op_from_ropd(SM_GFX_ROPD_OP_PUT | BRUSH, BRUSH, DEST),
                     SM_GFX_OP_COPY_INVERTED);
    assert_int_equal(sm_gfx_op_from_ropd(SM_GFX_ROPD_OP_OR | SM_GFX_ROPD_INVERS_SRC, BRUSH, DEST),
                     SM_GFX_OP_OR); /* the bit of another operand counts for nothing */
    assert_int_equal(
        sm_gfx_op_from_ropd(SM_GFX_ROPD_OP_AND | BRUSH | SM_GFX_ROPD_INVERS_RES, BRUSH, DEST),
        SM_GFX_OP_OR_REVERSE);
    assert_int_equal(sm_gfx_op_from_ropd(SM_GFX_ROPD_OP_PUT | SM_GFX_ROPD_OP_XOR, BRUSH, DEST),
                     SM_GFX_OP_COPY); /* the first one of several counts */
    assert_int_equal(sm_gfx_op_from_ropd(SM_GFX_ROPD_OP_INVERS | DEST, BRUSH, DEST),
                     SM_GFX_OP_INVERT);
    assert_int_equal(
        sm_gfx_op_from_ropd(SM_GFX_ROPD_OP_BLACKNESS | SM_GFX_ROPD_INVERS_RES, BRUSH, DEST),
        SM_GFX_OP_CLEAR);
    assert_int_equal(sm_gfx_op_from_ropd(BRUSH, BRUSH, DEST), SM_GFX_OP_COPY);
}

static void fill_of_any_size_and_place_is_exact(void **state)
{
    (void)state;
    enum { SIZE_MAX_BYTES = 140, PLACES = 8 };
    const uint32_t pattern = 0x81c3f00f;
    uint8_t before[SIZE_MAX_BYTES + 2 * PLACES], after[sizeof(before)];
    struct sm_test_random random = {.state = 7};
    for (size_t i = 0; i < sizeof(before); i++)
        before[i] = (uint8_t)sm_test_random_next(&random);
    for (unsigned op = SM_GFX_OP_CLEAR; op <= SM_GFX_OP_SET; op++)
        for (size_t place = 0; place < PLACES; place++)
            for (size_t size = 0; size <= SIZE_MAX_BYTES; size++) {
                memcpy(after, before, sizeof(after));
                sm_gfx_op_fill((enum sm_gfx_op)op, after + place, pattern, size);
                for (size_t i = 0; i < sizeof(after); i++) {
                    bool is_inside = i >= place && i < place + size;
                    uint8_t s = (uint8_t)(pattern >> 8 * ((i - place) & 3));
                    uint32_t filled = combined((enum sm_gfx_op)op, s, before[i]) & 0xff;
                    assert_int_equal(after[i], is_inside ? filled : before[i]);
                }
            }
}

/* Tables must agree byte for byte, and leave alone what is beside. */
static void fill_row_is_exact_in_each_table(void **state)
{
    (void)state;
    enum { MAX_BYTES = 200, PLACES = 8 };
    const uint32_t pattern = 0x81c3f00f, flags[] = {0, sm_cpu_detect()};
    for (size_t table = 0; table < 2; table++)
        for (size_t place = 0; place < PLACES; place++)
            for (size_t size = 0; size <= MAX_BYTES; size++) {
                struct sm_gfx_ops filled_by;
                uint8_t bytes[MAX_BYTES + 2 * PLACES];
                sm_gfx_ops_init(&filled_by, flags[table]);
                memset(bytes, 0x55, sizeof(bytes));
                filled_by.fill_row(bytes + place, pattern, size);
                for (size_t i = 0; i < sizeof(bytes); i++) {
                    bool is_inside = i >= place && i < place + size;
                    uint8_t filled = (uint8_t)(pattern >> 8 * ((i - place) & 3));
                    assert_int_equal(bytes[i], is_inside ? filled : 0x55);
                }
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill_combines_the_brush),
        cmocka_unit_test(fill_of_any_size_and_place_is_exact),
        cmocka_unit_test(fill_row_is_exact_in_each_table),
        cmocka_unit_test(copy_leaves_alone_what_has_no_source),
        cmocka_unit_test(scaled_copy_samples_in_any_format),
        cmocka_unit_test(scaled_operations_use_the_sources_format),
        cmocka_unit_test(move_reads_what_was_there_before),
        cmocka_unit_test(rop3_follows_its_truth_table),
        cmocka_unit_test(keyed_copy_leaves_out_the_key),
        cmocka_unit_test(descriptors_mean_their_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
