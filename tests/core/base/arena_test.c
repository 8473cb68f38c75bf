/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "core/base/arena.h"

static void arena_hands_out_zeroed_aligned_room(void **state)
{
    (void)state;
    struct sm_arena arena;
    sm_arena_init(&arena, 1 << 20);
    for (size_t size = 0; size < 9000; size += 333) {
        uint8_t *room = sm_arena_alloc(&arena, size, 1);
        assert_non_null(room);
        assert_int_equal((uintptr_t)room % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(room[i], 0);
    }
    sm_arena_finish(&arena);
}

static void arena_stops_at_its_limit(void **state)
{
    (void)state;
    struct sm_arena arena;
    sm_arena_init(&arena, 64);
    assert_non_null(sm_arena_alloc(&arena, 4, 16));
    assert_null(sm_arena_alloc(&arena, 1, 1));
    sm_check_status(sm_arena_failure(&arena), SM_ERR_LIMIT);
    assert_null(sm_arena_alloc(&arena, SIZE_MAX, SIZE_MAX)); /* the product does not wrap */
    sm_arena_reset(&arena);
    assert_non_null(sm_arena_alloc(&arena, 64, 1));
    sm_arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_hands_out_zeroed_aligned_room),
        cmocka_unit_test(arena_stops_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
