/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "client/pixel_ring.h"

enum { SIZE = 4 << 20, BLOCK = 256 << 10, BLOCKS = SIZE / BLOCK, HELD = 24, ROUNDS = 20000 };

static struct sm_pixel_ring *make_ring(void)
{
    struct sm_pixel_ring *ring = NULL;
    sm_check_status(sm_pixel_ring_create(&ring, SIZE), SM_OK);
    return ring;
}

static uint8_t *take(struct sm_pixel_ring *ring, size_t size, uint8_t value)
{
    uint8_t *memory = sm_pixel_ring_allocate(ring, size);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 64, 0);
    memset(memory, value, size);
    return memory;
}

static void check_value(const uint8_t *memory, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++)
        if (memory[i] != value)
            fail_msg("byte %zu of %zu is %u, not %u", i, size, memory[i], value);
}

static void blocks_follow_each_other_and_are_used_again(void **state)
{
    (void)state;
    struct sm_pixel_ring *ring = make_ring();
    uint8_t *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = take(ring, BLOCK, (uint8_t)i);
        assert_ptr_equal(blocks[i], blocks[0] + i * BLOCK);
    }
    uint8_t *elsewhere = take(ring, BLOCK, 77); /* no room: from the heap */
    assert_false(elsewhere >= blocks[0] && elsewhere < blocks[0] + SIZE);
    sm_pixel_ring_release(ring, elsewhere);

    sm_pixel_ring_release(ring, blocks[1]); /* which waits for the one before it */
    elsewhere = take(ring, BLOCK, 77);
    assert_false(elsewhere >= blocks[0] && elsewhere < blocks[0] + SIZE);
    sm_pixel_ring_release(ring, elsewhere);
    sm_pixel_ring_release(ring, blocks[0]);
    assert_ptr_equal(take(ring, 2 * BLOCK, 78), blocks[0]);
    for (size_t i = 2; i < BLOCKS; i++) {
        check_value(blocks[i], BLOCK, (uint8_t)i);
        sm_pixel_ring_release(ring, blocks[i]);
    }
    sm_pixel_ring_release(ring, blocks[0]);
    assert_ptr_equal(take(ring, SIZE, 79), blocks[0]); /* all of it, at once */
    sm_pixel_ring_release(ring, blocks[0]);
    sm_pixel_ring_destroy(ring);
}

static void memory_that_was_in_use_is_better_than_more(void **state)
{
    (void)state;
    struct sm_pixel_ring *ring = make_ring();
    uint8_t *start = take(ring, BLOCK, 0), *previous = start;
    for (int i = 0; i < 100; i++) {
        uint8_t *next = take(ring, BLOCK, (uint8_t)i);
        assert_in_range((uintptr_t)next, (uintptr_t)start, (uintptr_t)start + 2 * BLOCK);
        sm_pixel_ring_release(ring, previous);
        previous = next;
    }
    sm_pixel_ring_release(ring, previous);
    sm_pixel_ring_destroy(ring);
}

static void what_is_small_or_too_large_comes_from_the_heap(void **state)
{
    (void)state;
    struct sm_pixel_ring *ring = make_ring();
    sm_pixel_ring_release(ring, NULL);
    uint8_t *empty = sm_pixel_ring_allocate(ring, 0);
    assert_non_null(empty);
    uint8_t *small = take(ring, 100, 1), *large = take(ring, SIZE + 1, 2);
    uint8_t *block = take(ring, SM_PIXEL_RING_MIN_BLOCK, 3);
    assert_false(small >= block && small < block + SIZE);
    assert_false(large >= block && large < block + SIZE);
    assert_null(sm_pixel_ring_allocate(ring, SIZE_MAX));
    sm_pixel_ring_release(ring, empty);
    sm_pixel_ring_release(ring, small);
    sm_pixel_ring_release(ring, large);
    sm_pixel_ring_release(ring, block);
    sm_pixel_ring_destroy(ring);
    sm_check_status(sm_pixel_ring_create(&ring, SIZE_MAX), SM_ERR_NOMEM);
}

/* Blocks of any size, mostly given back in order, keep what is in them. */
static void use(struct sm_pixel_ring *ring, uint64_t seed)
{
    struct sm_test_random random = {seed};
    struct {
        uint8_t *memory, value;
        size_t size;
    } held[HELD] = {{0}};
    for (int i = 0; i < ROUNDS; i++) {
        size_t at = sm_test_random_next(&random) % 8 ? (size_t)i % HELD
                                                     : sm_test_random_next(&random) % HELD;
        if (held[at].memory) {
            check_value(held[at].memory, 64, held[at].value);
            check_value(held[at].memory + held[at].size - 64, 64, held[at].value);
            sm_pixel_ring_release(ring, held[at].memory);
        }
        held[at].size = 64 + sm_test_random_next(&random) % BLOCK;
        held[at].value = (uint8_t)sm_test_random_next(&random);
        held[at].memory = sm_pixel_ring_allocate(ring, held[at].size);
        if (!held[at].memory)
            return;
        memset(held[at].memory, held[at].value, 64);
        memset(held[at].memory + held[at].size - 64, held[at].value, 64);
    }
    for (size_t i = 0; i < HELD; i++)
        sm_pixel_ring_release(ring, held[i].memory);
}

static void blocks_keep_what_is_in_them(void **state)
{
    (void)state;
    struct sm_pixel_ring *ring = make_ring();
    use(ring, 5);
    sm_pixel_ring_destroy(ring);
}

static void *use_beside(void *ring)
{
    use(ring, 6);
    return NULL;
}

static void threads_may_share_it(void **state)
{
    (void)state;
    struct sm_pixel_ring *ring = make_ring();
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, use_beside, ring), 0);
    use(ring, 7);
    assert_int_equal(pthread_join(other, NULL), 0);
    sm_pixel_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_follow_each_other_and_are_used_again),
        cmocka_unit_test(memory_that_was_in_use_is_better_than_more),
        cmocka_unit_test(what_is_small_or_too_large_comes_from_the_heap),
        cmocka_unit_test(blocks_keep_what_is_in_them),
        cmocka_unit_test(threads_may_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
