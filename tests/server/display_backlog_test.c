/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "server/display/backlog.h"

static struct sm_rect box(int32_t left, int32_t top, int32_t right, int32_t bottom)
{
    return (struct sm_rect){left, top, right, bottom};
}

static void backlog_gives_every_pixel_once(void **state)
{
    (void)state;
    static uint8_t seen[2][64][64];
    struct sm_backlog backlog;
    sm_backlog_init(&backlog);
    assert_true(sm_backlog_is_empty(&backlog));
    sm_check_status(sm_backlog_add(&backlog, 0, box(0, 0, 64, 10)), SM_OK);
    sm_check_status(sm_backlog_add(&backlog, 1, box(5, 5, 9, 9)), SM_OK);
    sm_check_status(sm_backlog_add(&backlog, 0, box(10, 5, 20, 60)), SM_OK);
    sm_check_status(sm_backlog_add(&backlog, 0, box(3, 3, 3, 60)), SM_OK); /* empty */
    assert_int_equal(sm_backlog_pixels(&backlog), 64 * 10 + 4 * 4 + 10 * 50);
    uint32_t id;
    struct sm_rect area;
    unsigned pieces = 0;
    while (sm_backlog_take(&backlog, 128, &id, &area)) {
        assert_in_range(id, 0, 1);
        assert_true(sm_rect_width(area) * sm_rect_height(area) <= 128);
        for (int32_t y = area.top; y < area.bottom; y++)
            for (int32_t x = area.left; x < area.right; x++)
                assert_int_equal(seen[id][y][x]++, 0);
        pieces++;
    }
    assert_true(sm_backlog_is_empty(&backlog));
    assert_int_equal(sm_backlog_pixels(&backlog), 0);
    for (int32_t y = 0; y < 64; y++) {
        for (int32_t x = 0; x < 64; x++) {
            bool was_added = y < 10 || (x >= 10 && x < 20 && y < 60);
            assert_int_equal(seen[0][y][x], was_added);
            assert_int_equal(seen[1][y][x], x >= 5 && x < 9 && y >= 5 && y < 9);
        }
    }
    assert_true(pieces > 8);
    sm_backlog_finish(&backlog);
}

static void backlog_does_not_starve_what_lies_below(void **state)
{
    (void)state;
    struct sm_backlog backlog;
    sm_backlog_init(&backlog);
    sm_check_status(sm_backlog_add(&backlog, 0, box(0, 0, 10, 100)), SM_OK);
    bool has_reached_bottom = false;
    for (unsigned i = 0; i < 100 && !has_reached_bottom; i++) {
        uint32_t id;
        struct sm_rect area;
        assert_true(sm_backlog_take(&backlog, 100, &id, &area));
        has_reached_bottom = area.bottom == 100;
        /* The top changes all the time. */
        sm_check_status(sm_backlog_add(&backlog, 0, box(0, 0, 10, 10)), SM_OK);
    }
    assert_true(has_reached_bottom);
    sm_backlog_forget(&backlog, 0);
    assert_true(sm_backlog_is_empty(&backlog));
    sm_backlog_finish(&backlog);
}

static void backlog_of_many_little_areas_becomes_one_box(void **state)
{
    (void)state;
    struct sm_backlog backlog;
    sm_backlog_init(&backlog);
    for (int32_t i = 0; i < 1000; i++)
        sm_check_status(sm_backlog_add(&backlog, 7, box(i * 4, i * 4, i * 4 + 2, i * 4 + 2)),
                        SM_OK);
    uint32_t id, pieces = 0;
    struct sm_rect area, last = {0};
    while (sm_backlog_take(&backlog, UINT32_MAX, &id, &area)) {
        last = area;
        pieces++;
    }
    assert_in_range(pieces, 1, 64);
    assert_int_equal(last.bottom, 999 * 4 + 2);
    sm_backlog_finish(&backlog);
}

static void what_is_near_the_focus_comes_first(void **state)
{
    (void)state;
    struct sm_focus focus = {0};
    struct sm_backlog backlog;
    uint32_t id;
    struct sm_rect area;
    sm_backlog_init(&backlog);
    backlog.focus = &focus;
    sm_check_status(sm_backlog_add(&backlog, 0, box(0, 0, 1920, 1080)), SM_OK);
    assert_true(sm_backlog_take(&backlog, 20000, &id, &area));
    assert_int_equal(area.top, 0); /* nobody looks anywhere */
    sm_focus_set(&focus, 1500, 900);
    assert_true(sm_backlog_take(&backlog, 20000, &id, &area));
    assert_true(area.left <= 1500 && area.right > 1500 && area.top <= 900 && area.bottom > 900);
    assert_true(sm_rect_width(area) * sm_rect_height(area) <= 20000);
    assert_true(sm_backlog_take(&backlog, 20000, &id, &area));
    assert_in_range(area.top, 1, 100); /* every second piece as ever */
    struct sm_rect before = area;
    assert_true(sm_backlog_take(&backlog, 20000, &id, &area));
    assert_true(area.left > 1200 && area.top > 600);
    assert_true(sm_backlog_take(&backlog, 20000, &id, &area));
    assert_int_equal(area.top, before.bottom);
    sm_backlog_finish(&backlog);
}

static void focus_changes_the_order_alone(void **state)
{
    (void)state;
    static uint8_t seen[300][400];
    struct sm_focus focus = {0};
    struct sm_backlog backlog;
    sm_backlog_init(&backlog);
    backlog.focus = &focus;
    sm_check_status(sm_backlog_add(&backlog, 0, box(0, 0, 400, 120)), SM_OK);
    sm_check_status(sm_backlog_add(&backlog, 0, box(90, 100, 300, 300)), SM_OK);
    sm_check_status(sm_backlog_add(&backlog, 3, box(0, 0, 10, 10)), SM_OK);
    uint32_t id, others = 0, pieces = 0;
    struct sm_rect area;
    while (sm_backlog_take(&backlog, 3000, &id, &area)) {
        sm_focus_set(&focus, pieces % 7 * 1000, UINT32_MAX - pieces % 2 * 4294967100u);
        others += id == 3;
        for (int32_t y = area.top; id == 0 && y < area.bottom; y++)
            for (int32_t x = area.left; x < area.right; x++)
                assert_int_equal(seen[y][x]++, 0);
        assert_true(++pieces < 1000);
    }
    assert_int_equal(others, 1);
    for (int32_t y = 0; y < 300; y++)
        for (int32_t x = 0; x < 400; x++)
            assert_int_equal(seen[y][x], y < 120 || (x >= 90 && x < 300));
    sm_backlog_finish(&backlog);
}

static void what_changes_near_the_focus_does_not_hold_up_the_rest(void **state)
{
    (void)state;
    struct sm_focus focus = {0};
    struct sm_backlog backlog;
    sm_backlog_init(&backlog);
    backlog.focus = &focus;
    sm_focus_set(&focus, 50, 5);
    sm_check_status(sm_backlog_add(&backlog, 0, box(0, 0, 100, 1000)), SM_OK);
    bool has_reached_bottom = false;
    for (unsigned i = 0; i < 100 && !has_reached_bottom; i++) {
        uint32_t id;
        struct sm_rect area;
        assert_true(sm_backlog_take(&backlog, 4000, &id, &area));
        has_reached_bottom = area.bottom == 1000;
        sm_check_status(sm_backlog_add(&backlog, 0, box(0, 0, 100, 10)), SM_OK);
    }
    assert_true(has_reached_bottom);
    sm_backlog_finish(&backlog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_near_the_focus_comes_first),
        cmocka_unit_test(focus_changes_the_order_alone),
        cmocka_unit_test(what_changes_near_the_focus_does_not_hold_up_the_rest),
        cmocka_unit_test(backlog_gives_every_pixel_once),
        cmocka_unit_test(backlog_does_not_starve_what_lies_below),
        cmocka_unit_test(backlog_of_many_little_areas_becomes_one_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
