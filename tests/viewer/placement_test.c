/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "viewer/placement.h"

static void check_near(double found, double expected)
{
    if (found < expected - 1e-6 || found > expected + 1e-6)
        fail_msg("%f is not %f", found, expected);
}

static void check_place(struct sm_placement p, double x, double y, double width, double height)
{
    check_near(p.x, x);
    check_near(p.y, y);
    check_near(p.width, width);
    check_near(p.height, height);
}

static void check_guest(const struct sm_placement *p, double x, double y, int guest_x, int guest_y,
                        bool is_inside)
{
    int found_x = -1, found_y = -1;
    bool found_inside = sm_placement_to_guest(p, x, y, &found_x, &found_y);
    if (found_x != guest_x || found_y != guest_y || found_inside != is_inside)
        fail_msg("(%f, %f) is (%d, %d) %d, not (%d, %d) %d", x, y, found_x, found_y, found_inside,
                 guest_x, guest_y, is_inside);
}

static void a_picture_with_room_is_shown_pixel_by_pixel_in_the_middle(void **state)
{
    (void)state;
    struct sm_placement p = sm_placement_fit(1000, 800, 800, 600, 1, 1, false);
    check_place(p, 100, 100, 800, 600);
    assert_true(sm_placement_is_exact(&p, 1));
}

static void a_picture_without_room_is_made_smaller_as_a_whole(void **state)
{
    (void)state;
    struct sm_placement p = sm_placement_fit(400, 400, 800, 600, 1, 1, false);
    check_place(p, 0, 50, 400, 300);
    assert_false(sm_placement_is_exact(&p, 1));
}

static void at_a_fine_screen_a_guest_pixel_is_a_pixel_of_the_device(void **state)
{
    (void)state;
    struct sm_placement p = sm_placement_fit(1000, 800, 1000, 600, 2, 1, false);
    check_place(p, 250, 250, 500, 300);
    assert_true(sm_placement_is_exact(&p, 2));
    p = sm_placement_fit(1001, 801, 1001, 601, 2, 1, false);
    check_near(p.x * 2, 500); /* on whole pixels of the device */
    assert_true(sm_placement_is_exact(&p, 2));
}

static void zoom_and_filling_change_the_size(void **state)
{
    (void)state;
    struct sm_placement p = sm_placement_fit(2000, 2000, 400, 300, 1, 2, false);
    check_place(p, 600, 700, 800, 600);
    assert_true(sm_placement_is_exact(&p, 1));
    p = sm_placement_fit(800, 1000, 400, 300, 1, 1, true);
    check_place(p, 0, 200, 800, 600);
    p = sm_placement_fit(2000, 2000, 400, 300, 1, 1.5, false);
    assert_false(sm_placement_is_exact(&p, 1));
}

static void every_pixel_can_be_pointed_at(void **state)
{
    (void)state;
    struct sm_placement p = sm_placement_fit(800, 600, 800, 600, 1, 1, false);
    for (int x = 0; x < 800; x++)
        check_guest(&p, x + 0.7, 5, x, 5, true);
    check_guest(&p, 0, 0, 0, 0, true);
    check_guest(&p, 799.9, 599.9, 799, 599, true);
}

static void the_last_pixel_can_be_reached_when_scaled(void **state)
{
    (void)state;
    struct sm_placement p = sm_placement_fit(400, 300, 800, 600, 1, 1, false);
    check_guest(&p, 399, 299, 799, 599, true);
    check_guest(&p, 0, 0, 0, 0, true);
    p = sm_placement_fit(1600, 1200, 800, 600, 1, 1, true);
    check_guest(&p, 1599, 1199, 799, 599, true);
}

static void points_beside_the_picture_mean_its_edge(void **state)
{
    (void)state;
    struct sm_placement p = sm_placement_fit(1000, 800, 800, 600, 1, 1, false);
    check_guest(&p, 10, 400, 0, 300, false);
    check_guest(&p, 990, 790, 799, 599, false);
}

static void nothing_is_no_place(void **state)
{
    (void)state;
    int x, y;
    struct sm_placement p = sm_placement_fit(1000, 800, 0, 0, 1, 1, false);
    assert_false(sm_placement_to_guest(&p, 10, 10, &x, &y));
    p = sm_placement_fit(0, 0, 800, 600, 1, 1, false);
    check_place(p, 0, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_with_room_is_shown_pixel_by_pixel_in_the_middle),
        cmocka_unit_test(a_picture_without_room_is_made_smaller_as_a_whole),
        cmocka_unit_test(at_a_fine_screen_a_guest_pixel_is_a_pixel_of_the_device),
        cmocka_unit_test(zoom_and_filling_change_the_size),
        cmocka_unit_test(every_pixel_can_be_pointed_at),
        cmocka_unit_test(the_last_pixel_can_be_reached_when_scaled),
        cmocka_unit_test(points_beside_the_picture_mean_its_edge),
        cmocka_unit_test(nothing_is_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
