/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/gfx/region.h"
#include "tests/support/failmalloc.h"

enum { SIDE = 24 };

/* The oracle: one byte a pixel. */
struct bitmap {
    uint8_t at[SIDE * SIDE];
};

static void draw_rect(struct bitmap *bitmap, struct sm_rect r)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (x >= r.left && x < r.right && y >= r.top && y < r.bottom)
                bitmap->at[y * SIDE + x] = 1;
}

static void check_canonical(const struct sm_region *region)
{
    uint32_t count = 0;
    const struct sm_rect *r = sm_region_rects(region, &count);
    assert_int_equal(region->rects != NULL, count > 1);
    for (uint32_t i = 0; i < count; i++) {
        assert_false(sm_rect_is_empty(r[i]));
        assert_true(sm_rect_contains(region->bounds, r[i]));
        if (i == 0)
            continue;
        if (r[i].top == r[i - 1].top)
            assert_true(r[i].bottom == r[i - 1].bottom && r[i].left > r[i - 1].right);
        else
            assert_true(r[i].top >= r[i - 1].bottom);
    }
}

static void check_equals(const struct sm_region *region, const struct bitmap *expected)
{
    struct bitmap drawn = {0};
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    check_canonical(region);
    uint64_t area = 0;
    for (uint32_t i = 0; i < count; i++)
        draw_rect(&drawn, rects[i]);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            area += expected->at[y * SIDE + x];
            assert_int_equal(sm_region_contains_point(region, x, y), expected->at[y * SIDE + x]);
        }
    }
    assert_memory_equal(&drawn, expected, sizeof(drawn));
    assert_int_equal(sm_region_area(region), area);
}

static struct sm_rect random_rect(struct sm_test_random *random)
{
    int32_t x = (int32_t)(sm_test_random_next(random) % (SIDE - 2));
    int32_t y = (int32_t)(sm_test_random_next(random) % (SIDE - 2));
    int32_t w = (int32_t)(sm_test_random_next(random) % 8),
            h = (int32_t)(sm_test_random_next(random) % 8);
    return sm_rect_intersect((struct sm_rect){x, y, x + w, y + h},
                             (struct sm_rect){0, 0, SIDE, SIDE});
}

static void random_region(struct sm_test_random *random, struct sm_region *region,
                          struct bitmap *bitmap)
{
    struct sm_rect rects[12];
    size_t count = sm_test_random_next(random) % 12;
    memset(bitmap, 0, sizeof(*bitmap));
    for (size_t i = 0; i < count; i++) {
        rects[i] = random_rect(random);
        draw_rect(bitmap, rects[i]);
    }
    sm_check_status(sm_region_from_rects(region, rects, count, (struct sm_rect){0, 0, SIDE, SIDE}),
                    SM_OK);
}

static void check_overlap_queries(const struct sm_region *a, const struct bitmap *map,
                                  struct sm_test_random *random)
{
    struct sm_rect rect = random_rect(random);
    bool all = true, any = false;
    for (int32_t y = rect.top; y < rect.bottom; y++) {
        for (int32_t x = rect.left; x < rect.right; x++) {
            all = all && map->at[y * SIDE + x];
            any = any || map->at[y * SIDE + x];
        }
    }
    assert_int_equal(sm_region_contains_rect(a, rect), all || sm_rect_is_empty(rect));
    assert_int_equal(sm_region_overlaps_rect(a, rect), any);
}

static void region_arithmetic_is_that_of_sets(void **state)
{
    (void)state;
    struct sm_test_random random = {.state = 7};
    for (int round = 0; round < 3000; round++) {
        struct sm_region a = {0}, b = {0}, out = {0};
        struct bitmap map_a, map_b, map;
        random_region(&random, &a, &map_a);
        random_region(&random, &b, &map_b);
        check_equals(&a, &map_a);
        bool overlaps = false;

        for (size_t i = 0; i < sizeof(map); i++)
            map.at[i] = map_a.at[i] | map_b.at[i];
        sm_check_status(sm_region_union(&out, &a, &b), SM_OK);
        check_equals(&out, &map);

        for (size_t i = 0; i < sizeof(map); i++)
            map.at[i] = map_a.at[i] & (map_b.at[i] ^ 1);
        sm_check_status(sm_region_subtract(&out, &a, &b), SM_OK);
        check_equals(&out, &map);

        for (size_t i = 0; i < sizeof(map); i++) {
            map.at[i] = map_a.at[i] & map_b.at[i];
            overlaps = overlaps || map.at[i];
        }
        assert_int_equal(sm_region_overlaps(&a, &b), overlaps);
        check_overlap_queries(&a, &map_a, &random);
        sm_check_status(sm_region_intersect(&a, &a, &b), SM_OK); /* the result in an operand */
        check_equals(&a, &map);
        sm_region_finish(&a);
        sm_region_finish(&b);
        sm_region_finish(&out);
    }
}

static void region_equality_is_of_pixels(void **state)
{
    (void)state;
    const struct sm_rect halves[] = {{0, 0, 5, 10}, {5, 0, 10, 10}, {20, 20, 10, 30}};
    struct sm_region a = {0}, b = {0};
    sm_check_status(sm_region_from_rects(&a, halves, 3, (struct sm_rect){-100, -100, 100, 100}),
                    SM_OK);
    sm_region_init_rect(&b, (struct sm_rect){0, 0, 10, 10});
    assert_true(sm_region_equal(&a, &b));
    sm_check_status(sm_region_union_rect(&b, (struct sm_rect){0, 11, 1, 12}), SM_OK);
    assert_false(sm_region_equal(&a, &b));
    sm_check_status(sm_region_copy(&a, &b), SM_OK);
    assert_true(sm_region_equal(&a, &b));
    sm_check_status(sm_region_subtract_rect(&a, (struct sm_rect){0, 0, 10, 10}), SM_OK);
    assert_true(sm_rect_equal(sm_region_bounds(&a), (struct sm_rect){0, 11, 1, 12}));
    sm_check_status(sm_region_intersect_rect(&a, (struct sm_rect){5, 0, 9, 99}), SM_OK);
    assert_true(sm_region_is_empty(&a));
    sm_region_finish(&a);
    sm_region_finish(&b);
}

static void region_takes_the_whole_coordinate_range(void **state)
{
    (void)state;
    const struct sm_rect everything = {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
    struct sm_region region;
    sm_region_init_rect(&region, everything);
    sm_check_status(sm_region_subtract_rect(&region, (struct sm_rect){-1, -1, 1, 1}), SM_OK);
    assert_int_equal(region.count, 4);
    assert_true(sm_region_area(&region) == UINT64_C(0xffffffff) * UINT64_C(0xffffffff) - 4);
    sm_region_translate(&region, INT32_MAX, 5);
    check_canonical(&region);
    assert_true(sm_rect_equal(sm_region_bounds(&region),
                              (struct sm_rect){-1, INT32_MIN + 5, INT32_MAX, INT32_MAX}));
    sm_region_translate(&region, INT32_MIN, INT32_MIN);
    assert_true(sm_region_bounds(&region).left >= INT32_MIN);
    sm_region_finish(&region);

    sm_region_init_rect(&region, (struct sm_rect){1, 2, 3, 4});
    sm_region_translate(&region, -10, 20);
    assert_true(sm_rect_equal(sm_region_bounds(&region), (struct sm_rect){-9, 22, -7, 24}));
    sm_region_translate(&region, INT32_MIN, 0);
    assert_true(sm_region_is_empty(&region));
}

/* n bars across and n down make n² rectangles. */
static void region_refuses_to_explode(void **state)
{
    (void)state;
    enum { BARS = 600 };
    struct sm_rect *bars = calloc(2 * BARS, sizeof(*bars));
    for (int32_t i = 0; i < BARS; i++) {
        bars[i] = (struct sm_rect){2 * i, 0, 2 * i + 1, 2 * BARS};
        bars[BARS + i] = (struct sm_rect){0, 2 * i, 2 * BARS, 2 * i + 1};
    }
    const struct sm_rect all = {0, 0, 2 * BARS, 2 * BARS};
    struct sm_region region;
    sm_region_init_rect(&region, (struct sm_rect){1, 1, 2, 2});
    sm_check_status(sm_region_from_rects(&region, bars, 2 * BARS, all), SM_ERR_LIMIT);
    assert_int_equal(sm_region_area(&region), 1); /* untouched */
    free(bars);
}

static void combine_without_memory(void *context)
{
    (void)context;
    const struct sm_rect rects[] = {{0, 0, 4, 4}, {2, 2, 8, 8}, {20, 0, 22, 9}};
    const struct sm_rect all = {0, 0, 100, 100};
    struct sm_region a = {0}, b = {0};
    bool done = sm_region_from_rects(&a, rects, 3, all) == SM_OK &&
                sm_region_copy(&b, &a) == SM_OK &&
                sm_region_subtract_rect(&b, (struct sm_rect){3, 3, 5, 5}) == SM_OK &&
                sm_region_intersect(&b, &a, &b) == SM_OK;
    if (done)
        assert_int_equal(sm_region_area(&b), 16 + 36 - 4 + 18 - 4);
    sm_region_finish(&a);
    sm_region_finish(&b);
}

static void region_survives_every_failed_allocation(void **state)
{
    (void)state;
    sm_failmalloc_each(combine_without_memory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(region_arithmetic_is_that_of_sets),
        cmocka_unit_test(region_equality_is_of_pixels),
        cmocka_unit_test(region_takes_the_whole_coordinate_range),
        cmocka_unit_test(region_refuses_to_explode),
        cmocka_unit_test(region_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
