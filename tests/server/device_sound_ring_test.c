/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "server/device/sound_ring.h"

static void put(struct sm_sound_ring *ring, uint32_t first, uint32_t count)
{
    static uint32_t frames[3 * SM_SOUND_RING_SIZE];
    for (uint32_t i = 0; i < count; i++)
        frames[i] = first + i;
    sm_sound_ring_put(ring, (struct sm_bytes){(const uint8_t *)frames, count * 4});
}

static void ring_gives_nothing_before_enough_has_come(void **state)
{
    (void)state;
    static struct sm_sound_ring ring;
    uint32_t frames[10];
    put(&ring, 0, SM_SOUND_RING_START - 1);
    assert_int_equal(sm_sound_ring_get(&ring, frames, 10), 0);
    put(&ring, SM_SOUND_RING_START - 1, 1);
    assert_int_equal(sm_sound_ring_get(&ring, frames, 10), 10);
    assert_int_equal(frames[9], 9);
    sm_sound_ring_reset(&ring);
    assert_int_equal(sm_sound_ring_get(&ring, frames, 10), 0);
}

static void ring_keeps_the_newest(void **state)
{
    (void)state;
    static struct sm_sound_ring ring;
    static uint32_t frames[2 * SM_SOUND_RING_SIZE];
    put(&ring, 0, 5000);
    put(&ring, 5000, 5000);
    assert_int_equal(sm_sound_ring_get(&ring, frames, 2 * SM_SOUND_RING_SIZE), SM_SOUND_RING_SIZE);
    assert_int_equal(frames[0], 10000 - SM_SOUND_RING_SIZE);
    assert_int_equal(frames[SM_SOUND_RING_SIZE - 1], 9999);
    put(&ring, 0, 3 * SM_SOUND_RING_SIZE); /* more than it holds, at once */
    assert_int_equal(sm_sound_ring_get(&ring, frames, 1), 1);
    assert_int_equal(frames[0], 2 * SM_SOUND_RING_SIZE);
}

static void ring_leaves_half_a_frame_out(void **state)
{
    (void)state;
    static struct sm_sound_ring ring;
    put(&ring, 0, SM_SOUND_RING_START);
    sm_sound_ring_put(&ring, (struct sm_bytes){(const uint8_t *)"abc", 3});
    uint32_t frames[SM_SOUND_RING_START + 1];
    assert_int_equal(sm_sound_ring_get(&ring, frames, SM_SOUND_RING_START + 1),
                     SM_SOUND_RING_START);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_gives_nothing_before_enough_has_come),
        cmocka_unit_test(ring_keeps_the_newest),
        cmocka_unit_test(ring_leaves_half_a_frame_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
