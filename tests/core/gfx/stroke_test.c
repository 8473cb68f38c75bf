/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/gfx/stroke.h"
#include "tests/support/failmalloc.h"

enum { SIDE = 64 };

static const struct sm_gfx_brush PEN = {.type = SM_GFX_BRUSH_SOLID, .color = 0xff};

struct canvas {
    uint8_t memory[SIDE * SIDE];
    struct sm_pixels pixels;
    struct sm_region region;
};

static void set_up(struct canvas *c, struct sm_rect clip)
{
    memset(c, 0, sizeof(*c));
    c->pixels = (struct sm_pixels){c->memory, SIDE, SIDE, SIDE, SM_PIXEL_A8};
    sm_region_init_rect(&c->region, sm_rect_intersect(clip, (struct sm_rect){0, 0, SIDE, SIDE}));
}

static void draw(struct canvas *c, const struct sm_gfx_stroke *stroke, enum sm_gfx_op op)
{
    sm_check_status(sm_gfx_stroke(&c->pixels, &c->region, stroke, &PEN, op), SM_OK);
}

static struct sm_gfx_path_segment line(const struct sm_point *points, uint32_t count)
{
    return (struct sm_gfx_path_segment){
        .flags = SM_GFX_PATH_BEGIN | SM_GFX_PATH_END, .points = points, .count = count};
}

static int64_t floor_div(int64_t n, int64_t d)
{
    int64_t q = n / d;
    return q * d > n ? q - 1 : q;
}

/* The pixels of a segment by their defining formula, end excluded. */
static void expect_line(uint8_t *memory, struct sm_point p, struct sm_point q)
{
    int64_t dx = (int64_t)q.x - p.x, dy = (int64_t)q.y - p.y, ax = llabs(dx), ay = llabs(dy);
    int64_t sx = dx < 0 ? -1 : 1, sy = dy < 0 ? -1 : 1;
    for (int64_t i = 0; i < (ax > ay ? ax : ay); i++) {
        int64_t x =
            ax > ay ? p.x + sx * i : p.x + sx * floor_div(2 * i * ax + ay - (dy < 0), 2 * ay);
        int64_t y =
            ax > ay ? p.y + sy * floor_div(2 * i * ay + ax - (dx < 0), 2 * ax) : p.y + sy * i;
        if (x >= 0 && y >= 0 && x < SIDE && y < SIDE)
            memory[y * SIDE + x] ^= 0xff;
    }
}

static void lines_follow_their_formula(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 21};
    for (int round = 0; round < 3000; round++) {
        struct canvas c;
        struct sm_point points[3], fine[3];
        uint8_t expected[SIDE * SIDE] = {0};
        uint32_t range = round % 10 == 0 ? 4000 : 100;
        for (size_t i = 0; i < 3; i++) {
            points[i].x = (int32_t)(sm_test_random_next(&random) % range) - (int32_t)range / 4;
            points[i].y = (int32_t)(sm_test_random_next(&random) % range) - (int32_t)range / 4;
            fine[i] = (struct sm_point){points[i].x * 16 + 8, points[i].y * 16 - 7}; /* rounded */
        }
        set_up(&c, (struct sm_rect){0, 0, SIDE, SIDE});
        expect_line(expected, points[0], points[1]);
        expect_line(expected, points[1], points[2]);
        const struct sm_gfx_path_segment segment = line(fine, 3);
        draw(&c, &(struct sm_gfx_stroke){.segments = &segment, .segment_count = 1}, SM_GFX_OP_XOR);
        sm_check_bytes(SM_TEST_BYTES(c.memory), SM_TEST_BYTES(expected));
    }
}

static void random_path(struct sm_test_random *random, struct sm_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        points[i].x = (int32_t)(sm_test_random_next(random) % 2000) - 400;
        points[i].y = (int32_t)(sm_test_random_next(random) % 2000) - 400;
    }
}

/* Clipping never moves a pixel, whatever is drawn: dashes and curves too. */
static void clipping_only_leaves_out(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 22};
    for (int round = 0; round < 2000; round++) {
        struct canvas whole, part;
        struct sm_point points[7];
        const int32_t dashes[] = {(int32_t)(sm_test_random_next(&random) % 300), 40, 90};
        random_path(&random, points, 7);
        struct sm_gfx_path_segment segment = line(points, 7);
        if (round % 3 == 0)
            segment.flags |= SM_GFX_PATH_BEZIER;
        if (round % 2 == 0)
            segment.flags |= SM_GFX_PATH_CLOSE;
        const struct sm_gfx_stroke stroke = {
            .segments = &segment,
            .segment_count = 1,
            .is_dashed = round % 4 != 0,
            .starts_with_gap = round % 5 == 0,
            .dashes = dashes,
            .dash_count = 2 + (size_t)round % 2,
        };
        enum sm_gfx_op op = round % 7 == 0 ? SM_GFX_OP_INVERT : SM_GFX_OP_XOR;
        const struct sm_rect clip = {7, 9, 7 + round % 50, 11 + round % 40};
        set_up(&whole, (struct sm_rect){0, 0, SIDE, SIDE});
        set_up(&part, clip);
        sm_check_status(sm_region_subtract_rect(&part.region, (struct sm_rect){20, 20, 30, 25}),
                        SM_OK);
        draw(&whole, &stroke, op);
        draw(&part, &stroke, op);
        for (int32_t y = 0; y < SIDE; y++)
            for (int32_t x = 0; x < SIDE; x++)
                if (!sm_region_contains_point(&part.region, x, y))
                    whole.memory[y * SIDE + x] = 0;
        sm_check_bytes(SM_TEST_BYTES(part.memory), SM_TEST_BYTES(whole.memory));
        sm_region_finish(&part.region);
    }
}

static void paths_without_sense_draw_nothing(void **state)
{
    (void)state;
    static const struct sm_point points[] = {{0, 0}, {500, 500}, {500, 0}, {0, 500}, {100, 800}};
    const struct sm_gfx_path_segment bad[] = {
        {SM_GFX_PATH_BEGIN | SM_GFX_PATH_END | SM_GFX_PATH_BEZIER, points, 5}, /* 4 is no 3 */
        {SM_GFX_PATH_END | SM_GFX_PATH_BEZIER, points, 3},                     /* begins nowhere */
        {SM_GFX_PATH_BEGIN | SM_GFX_PATH_END, points, 0},
        {SM_GFX_PATH_END | SM_GFX_PATH_CLOSE, points, 0},
    };
    for (size_t i = 0; i < 4; i++) {
        struct canvas c;
        const struct sm_gfx_path_segment path[] = {line(points, 3), bad[i]};
        set_up(&c, (struct sm_rect){0, 0, SIDE, SIDE});
        draw(&c, &(struct sm_gfx_stroke){.segments = path, .segment_count = 2}, SM_GFX_OP_COPY);
        const uint8_t nothing[SIDE * SIDE] = {0};
        sm_check_bytes(SM_TEST_BYTES(c.memory), SM_TEST_BYTES(nothing));
    }
}

static void dashes_without_length_are_a_solid_line(void **state)
{
    (void)state;
    static const struct sm_point points[] = {{16, 16}, {800, 300}};
    static const int32_t dashes[] = {0, 7, 4096}; /* each rounds to 0 in eight bits */
    const struct sm_gfx_path_segment segment = line(points, 2);
    struct canvas solid, dashed;
    struct sm_gfx_stroke stroke = {.segments = &segment, .segment_count = 1};
    set_up(&solid, (struct sm_rect){0, 0, SIDE, SIDE});
    set_up(&dashed, (struct sm_rect){0, 0, SIDE, SIDE});
    draw(&solid, &stroke, SM_GFX_OP_COPY);
    stroke.is_dashed = true;
    stroke.dashes = dashes;
    stroke.dash_count = 3;
    draw(&dashed, &stroke, SM_GFX_OP_COPY);
    sm_check_bytes(SM_TEST_BYTES(dashed.memory), SM_TEST_BYTES(solid.memory));
}

/* Work is bounded by the surface, not by how far the points are; a curve of one point ends. */
static void hostile_paths_end_soon(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    struct sm_point points[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        points[i] = (struct sm_point){i & 1 ? INT32_MAX : INT32_MIN,
                                      i & 2 ? INT32_MAX - (int32_t)i : INT32_MIN + (int32_t)i};
    static const int32_t dashes[] = {16, 16};
    struct sm_gfx_path_segment segment = line(points, COUNT);
    struct sm_gfx_stroke stroke = {
        .segments = &segment, .segment_count = 1, .dashes = dashes, .dash_count = 2};
    struct canvas c;
    set_up(&c, (struct sm_rect){0, 0, SIDE, SIDE});
    clock_t start = clock();
    draw(&c, &stroke, SM_GFX_OP_XOR);
    stroke.is_dashed = true;
    draw(&c, &stroke, SM_GFX_OP_XOR);
    draw(&c, &stroke, SM_GFX_OP_INVERT);

    for (size_t i = 0; i < COUNT; i++)
        points[i] = (struct sm_point){(int32_t)(i % 2), 0};
    segment.flags |= SM_GFX_PATH_BEZIER;
    segment.count = 1 + 3 * 100;
    draw(&c, &stroke, SM_GFX_OP_XOR);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
}

static void draw_without_memory(void *context)
{
    (void)context;
    static const struct sm_point points[] = {{16, 16}, {800, 300}, {100, 700}, {5, 5}};
    static const int32_t dashes[] = {50, 50};
    const struct sm_gfx_path_segment segment = line(points, 4);
    const struct sm_gfx_stroke stroke = {.segments = &segment,
                                         .segment_count = 1,
                                         .is_dashed = true,
                                         .dashes = dashes,
                                         .dash_count = 2};
    struct canvas c;
    set_up(&c, (struct sm_rect){0, 0, SIDE, SIDE});
    enum sm_status status = sm_gfx_stroke(&c.pixels, &c.region, &stroke, &PEN, SM_GFX_OP_INVERT);
    assert_true(status == SM_OK || status == SM_ERR_NOMEM);
}

static void strokes_survive_every_failed_allocation(void **state)
{
    (void)state;
    sm_failmalloc_each(draw_without_memory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_follow_their_formula),
        cmocka_unit_test(clipping_only_leaves_out),
        cmocka_unit_test(paths_without_sense_draw_nothing),
        cmocka_unit_test(dashes_without_length_are_a_solid_line),
        cmocka_unit_test(hostile_paths_end_soon),
        cmocka_unit_test(strokes_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
