/* SPDX-License-Identifier: MIT */
/* When a server counts as one that does not answer. */
#include "tests/support/check.h"

#include "client/silence.h"

static const uint64_t SECOND = 1000000;

/* Looks every second up to the `last`, from `first` on, with `bytes` received; the first moment at
 * which something changed, or 0. */
static uint64_t look(struct sm_silence *s, uint64_t bytes, bool is_pinged, uint64_t first,
                     uint64_t last)
{
    for (uint64_t now = first; now <= last; now++)
        if (sm_silence_look(s, bytes, is_pinged, now * SECOND))
            return now;
    return 0;
}

static void a_server_that_pings_is_expected_to(void **state)
{
    (void)state;
    struct sm_silence s = {.acks = 0};
    assert_int_equal(look(&s, 1, true, 100, 119), 0);
    assert_int_equal(look(&s, 2, true, 120, 140), 0); /* heard of in the last moment */
    assert_int_equal(sm_silence_ms(&s, 140 * SECOND), 0);
    assert_int_equal(look(&s, 2, true, 141, 300), 141);
    assert_int_equal(sm_silence_ms(&s, 145 * SECOND), 25000);
    assert_int_equal(look(&s, 2, true, 142, 300), 0); /* told once */
    assert_int_equal(look(&s, 3, true, 301, 301), 301);
    assert_int_equal(sm_silence_ms(&s, 301 * SECOND), 0);
    assert_int_equal(look(&s, 3, true, 302, 400), 322); /* and again */
}

static void one_that_does_not_ping_may_be_silent(void **state)
{
    (void)state;
    struct sm_silence s = {.acks = 0};
    assert_int_equal(look(&s, 1, false, 100, 1000), 0);
}

static void motion_is_acknowledged(void **state)
{
    (void)state;
    struct sm_silence s = {.acks = 0};
    sm_silence_note_motion(&s, true, 0, 100 * SECOND); /* it has not shown yet that it does that */
    assert_int_equal(look(&s, 1, false, 100, 200), 0);
    sm_silence_note_motion(&s, true, 1, 201 * SECOND);
    assert_int_equal(look(&s, 1, false, 201, 205), 0);
    sm_silence_note_motion(&s, true, 2, 205 * SECOND); /* behind, but it does */
    assert_int_equal(look(&s, 1, false, 206, 209), 0);
    sm_silence_note_motion(&s, true, 2, 208 * SECOND); /* more motion is no answer */
    assert_int_equal(look(&s, 1, false, 210, 300), 210);
    assert_int_equal(sm_silence_ms(&s, 210 * SECOND), 5000);
    /* What comes on other channels does not help: the host's own thread hangs. */
    assert_int_equal(look(&s, 2, false, 211, 220), 0);
    sm_silence_note_motion(&s, false, 3, 221 * SECOND);
    assert_int_equal(look(&s, 3, false, 221, 300), 221);
    assert_int_equal(sm_silence_ms(&s, 221 * SECOND), 0);
}

static void who_was_asleep_has_not_listened(void **state)
{
    (void)state;
    struct sm_silence s = {.acks = 0};
    sm_silence_note_motion(&s, true, 1, 100 * SECOND);
    assert_int_equal(look(&s, 1, true, 100, 102), 0);
    assert_int_equal(look(&s, 1, true, 500, 500), 0);
    sm_silence_note_motion(&s, false, 2, 501 * SECOND);
    assert_int_equal(look(&s, 1, true, 501, 520), 0);
    assert_int_equal(look(&s, 1, true, 521, 521), 521);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_pings_is_expected_to),
        cmocka_unit_test(one_that_does_not_ping_may_be_silent),
        cmocka_unit_test(motion_is_acknowledged),
        cmocka_unit_test(who_was_asleep_has_not_listened),
    };
    return cmocka_run_group_tests_name("client silence", tests, NULL, NULL);
}
