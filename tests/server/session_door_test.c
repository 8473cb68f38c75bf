/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "server/session/door.h"

static const uint64_t SECOND = 1000000;

static struct sm_door_address address(uint32_t number)
{
    struct sm_door_address a = {.is_remote = true, .bytes = {4}};
    memcpy(a.bytes + 1, &number, sizeof(number));
    return a;
}

static unsigned knocks(struct sm_door *door, const struct sm_door_address *a, unsigned count,
                       uint64_t now_us)
{
    unsigned heard = 0;
    for (unsigned i = 0; i < count; i++)
        heard += sm_door_knock(door, a, now_us);
    return heard;
}

static void an_address_has_a_burst_and_then_a_rate(void **state)
{
    (void)state;
    struct sm_door door = {0};
    struct sm_door_address a = address(1), b = address(2);
    assert_int_equal(knocks(&door, &a, 1000, 0), SM_DOOR_BURST);
    assert_int_equal(knocks(&door, &b, 1000, 0), SM_DOOR_BURST); /* each its own */
    assert_int_equal(knocks(&door, &a, 1000, SECOND), SM_DOOR_RATE);
    assert_int_equal(knocks(&door, &a, 1000, SECOND), 0);
    assert_int_equal(knocks(&door, &a, 1000, 1000 * SECOND), SM_DOOR_BURST); /* and no more */
}

static void credit_grows_however_often_one_looks(void **state)
{
    (void)state;
    struct sm_door door = {0};
    struct sm_door_address a = address(1);
    (void)knocks(&door, &a, 1000, 0);
    unsigned heard = 0;
    for (uint64_t now_us = 0; now_us < 2 * SECOND; now_us += 7)
        heard += sm_door_knock(&door, &a, now_us);
    assert_in_range(heard, 2 * SM_DOOR_RATE - 1, 2 * SM_DOOR_RATE);
}

static void wrong_passwords_cost_more(void **state)
{
    (void)state;
    struct sm_door door = {0};
    struct sm_door_address a = address(1);
    unsigned tries = 0;
    for (uint64_t now_us = 0; now_us < 60 * SECOND; now_us += 1000)
        if (sm_door_knock(&door, &a, now_us)) {
            tries++;
            sm_door_failed(&door, &a, now_us);
        }
    assert_in_range(tries, 60, 400); /* in a minute of trying a thousand a second */
}

static void this_machine_is_not_counted(void **state)
{
    (void)state;
    struct sm_door door = {0};
    struct sm_door_address a = address(1);
    a.is_remote = false;
    assert_int_equal(knocks(&door, &a, 10000, 0), 10000);
    assert_int_equal(door.count, 0);
}

static void those_in_debt_are_not_forgotten_for_others(void **state)
{
    (void)state;
    struct sm_door door = {0};
    struct sm_door_address bad = address(7);
    (void)knocks(&door, &bad, 1000, 0);
    for (uint32_t i = 100; i < 100 + 3 * SM_DOOR_ADDRESSES; i++) {
        struct sm_door_address a = address(i);
        assert_true(sm_door_knock(&door, &a, 0));
    }
    assert_int_equal(door.count, SM_DOOR_ADDRESSES);
    assert_false(sm_door_knock(&door, &bad, 0));
}

static void a_clock_that_stands_still_gives_nothing(void **state)
{
    (void)state;
    struct sm_door door = {0};
    struct sm_door_address a = address(1);
    assert_int_equal(knocks(&door, &a, 1000, 5 * SECOND), SM_DOOR_BURST);
    assert_int_equal(knocks(&door, &a, 1000, 4 * SECOND), 0); /* not even one that went back */
}

static void many_addresses_together_have_a_rate_too(void **state)
{
    (void)state;
    struct sm_door door = {0};
    struct sm_door_address friend = address(9);
    assert_true(sm_door_knock(&door, &friend, 0));
    sm_door_welcomed(&door, &friend, 0);
    unsigned heard = 0;
    for (uint32_t i = 100; i < 5000; i++) { /* each comes once */
        struct sm_door_address a = address(i);
        heard += sm_door_knock(&door, &a, 0);
    }
    assert_int_equal(heard, SM_DOOR_ALL_BURST - 1); /* and the friend's first */
    heard = 0;
    for (uint32_t i = 5000; i < 9000; i++) {
        struct sm_door_address a = address(i);
        heard += sm_door_knock(&door, &a, SECOND);
    }
    assert_int_equal(heard, SM_DOOR_ALL_RATE);

    /* Who was here lately gets in beside them, as often as anybody; an hour later no more. */
    assert_int_equal(knocks(&door, &friend, 1000, SECOND), SM_DOOR_BURST);
    uint64_t later_us = (SM_DOOR_KNOWN_S + 1) * SECOND;
    for (uint32_t i = 9000; i < 9000 + SM_DOOR_ALL_BURST; i++) {
        struct sm_door_address a = address(i);
        assert_true(sm_door_knock(&door, &a, later_us));
    }
    assert_false(sm_door_knock(&door, &friend, later_us));
}

static void passwords_cannot_be_tried_from_many_addresses_either(void **state)
{
    (void)state;
    struct sm_door door = {0};
    unsigned tries = 0;
    uint32_t from = 100;
    for (uint64_t now_us = 0; now_us < 60 * SECOND; now_us += 1000) {
        struct sm_door_address a = address(from++);
        if (sm_door_knock(&door, &a, now_us)) {
            tries++;
            sm_door_failed(&door, &a, now_us);
        }
    }
    assert_in_range(tries, 60 * 20, 60 * 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_a_burst_and_then_a_rate),
        cmocka_unit_test(credit_grows_however_often_one_looks),
        cmocka_unit_test(wrong_passwords_cost_more),
        cmocka_unit_test(this_machine_is_not_counted),
        cmocka_unit_test(those_in_debt_are_not_forgotten_for_others),
        cmocka_unit_test(many_addresses_together_have_a_rate_too),
        cmocka_unit_test(passwords_cannot_be_tried_from_many_addresses_either),
        cmocka_unit_test(a_clock_that_stands_still_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
