/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "server/display/pace.h"

static const uint64_t START_US = 1000000;

static void batches_after_a_pause_begin_at_once(void **state)
{
    (void)state;
    struct sm_pace pace = {0};
    uint64_t wait_us = 0;
    for (unsigned i = 0; i < SM_PACE_AT_ONCE; i++)
        assert_true(sm_pace_begin(&pace, START_US + i, 0, &wait_us));
    assert_false(sm_pace_begin(&pace, START_US + SM_PACE_AT_ONCE, 0, &wait_us));
    assert_in_range(wait_us, 1, SM_PACE_BATCH_US);
    assert_true(sm_pace_begin(&pace, START_US + SM_PACE_AT_ONCE + wait_us, 0, &wait_us));
    /* A long pause later it is as at first, and no more. */
    uint64_t later_us = START_US + 1000 * (uint64_t)SM_PACE_BATCH_US;
    for (unsigned i = 0; i < SM_PACE_AT_ONCE; i++)
        assert_true(sm_pace_begin(&pace, later_us, 0, &wait_us));
    assert_false(sm_pace_begin(&pace, later_us, 0, &wait_us));
}

static void flood_is_cut_into_batches_of_their_length(void **state)
{
    (void)state;
    struct sm_pace pace = {0};
    uint64_t wait_us;
    unsigned count = 0;
    for (uint64_t us = 0; us < 100 * (uint64_t)SM_PACE_BATCH_US; us += 100)
        count += sm_pace_begin(&pace, START_US + us, 0, &wait_us);
    assert_in_range(count, 100, 100 + SM_PACE_AT_ONCE);
}

static void film_is_never_held_up(void **state)
{
    (void)state;
    struct sm_pace pace = {0};
    uint64_t wait_us;
    for (uint64_t frame = 0; frame < 600; frame++)
        assert_true(sm_pace_begin(&pace, START_US + frame * 1000000 / 60, 0, &wait_us));
}

static void answers_to_keys_do_not_wait(void **state)
{
    (void)state;
    struct sm_pace pace = {0};
    uint64_t wait_us;
    while (sm_pace_begin(&pace, START_US, 0, &wait_us)) {
        /* Uses it up. */
    }
    for (uint64_t us = 0; us < SM_PACE_ANSWER_US; us += 10)
        assert_true(sm_pace_begin(&pace, START_US + us, START_US, &wait_us));
    /* They are not counted, so after a while all is as after a pause. */
    assert_true(sm_pace_begin(&pace, START_US + SM_PACE_ANSWER_US, START_US, &wait_us));
}

static void pixels_that_were_missed_take_their_time(void **state)
{
    (void)state;
    struct sm_pace pace = {0};
    uint64_t wait_us = 0;
    assert_true(sm_pace_begin(&pace, START_US, 0, &wait_us));
    sm_pace_spend(&pace, 10ull * SM_PACE_BATCH_PX);
    assert_false(sm_pace_begin(&pace, START_US, 0, &wait_us));
    /* Eleven batches in all, of which the time of three may be spent beforehand. */
    assert_int_equal(wait_us, (11 - (SM_PACE_AT_ONCE - 1)) * SM_PACE_BATCH_US);
    assert_true(sm_pace_begin(&pace, START_US + wait_us, 0, &wait_us));
    sm_pace_spend(&pace, UINT64_MAX); /* a thousand surfaces: it ends all the same */
    assert_false(sm_pace_begin(&pace, START_US, 0, &wait_us));
    assert_in_range(wait_us, 1, 1000 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_after_a_pause_begin_at_once),
        cmocka_unit_test(flood_is_cut_into_batches_of_their_length),
        cmocka_unit_test(film_is_never_held_up),
        cmocka_unit_test(answers_to_keys_do_not_wait),
        cmocka_unit_test(pixels_that_were_missed_take_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
