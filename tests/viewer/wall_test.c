/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "viewer/wall_plan.h"

static void put(struct sm_wall_plan *plan, int channel_id, int left, int top, int right, int bottom)
{
    plan->monitors[plan->count].channel_id = channel_id;
    plan->monitors[plan->count++].area =
        (struct sm_rect){.left = left, .top = top, .right = right, .bottom = bottom};
}

static void check_place(const struct sm_wall_plan *plan, size_t index, int left, int top, int right,
                        int bottom)
{
    const struct sm_rect *place = &plan->places[index];
    assert_int_equal(place->left, left);
    assert_int_equal(place->top, top);
    assert_int_equal(place->right, right);
    assert_int_equal(place->bottom, bottom);
}

static void monitors_of_a_display_hang_as_they_are_in_it(void **state)
{
    (void)state;
    struct sm_wall_plan plan = {.count = 0};
    put(&plan, 0, 800, 0, 1440, 480);
    put(&plan, 0, 0, 0, 800, 600);
    put(&plan, 0, 0, 600, 1024, 1368);
    sm_wall_plan(&plan);
    check_place(&plan, 0, 800, 0, 1440, 480);
    check_place(&plan, 1, 0, 0, 800, 600);
    check_place(&plan, 2, 0, 600, 1024, 1368);
    assert_int_equal(plan.width, 1440);
    assert_int_equal(plan.height, 1368);
    int widths[3];
    assert_false(sm_wall_plan_split(&plan, 1000, widths)); /* no row */
}

static void displays_hang_beside_each_other(void **state)
{
    (void)state;
    struct sm_wall_plan plan = {.count = 0};
    put(&plan, 0, 100, 50, 740, 450);
    put(&plan, -1, 0, 0, 0, 0); /* no picture yet */
    put(&plan, 3, 0, 0, 1024, 768);
    sm_wall_plan(&plan);
    check_place(&plan, 0, 0, 0, 640, 400);
    check_place(&plan, 1, 0, 0, 0, 0);
    check_place(&plan, 2, 640, 0, 1664, 768);
    assert_int_equal(plan.width, 1664);
    assert_int_equal(plan.height, 768);
    int widths[3];
    assert_false(sm_wall_plan_split(&plan, 2000, widths)); /* one is unknown */
}

static void a_row_is_shared_without_a_rest(void **state)
{
    (void)state;
    struct sm_wall_plan plan = {.count = 0};
    put(&plan, 0, 0, 0, 600, 400);
    put(&plan, 1, 0, 0, 300, 400);
    sm_wall_plan(&plan);
    int widths[2];
    assert_true(sm_wall_plan_split(&plan, 1000, widths));
    assert_int_equal(widths[0], 666);
    assert_int_equal(widths[1], 334);
    assert_false(sm_wall_plan_split(&plan, 150, widths)); /* too small to be of use */

    struct sm_wall_plan one = {.count = 0};
    put(&one, -1, 0, 0, 0, 0);
    sm_wall_plan(&one);
    assert_true(sm_wall_plan_split(&one, 50, widths)); /* alone it has all, whatever that is */
    assert_int_equal(widths[0], 50);
    struct sm_wall_plan none = {.count = 0};
    sm_wall_plan(&none);
    assert_false(sm_wall_plan_split(&none, 50, widths));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monitors_of_a_display_hang_as_they_are_in_it),
        cmocka_unit_test(displays_hang_beside_each_other),
        cmocka_unit_test(a_row_is_shared_without_a_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
