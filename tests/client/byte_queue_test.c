/* SPDX-License-Identifier: MIT */
#include "client/byte_queue.h"
#include "tests/support/check.h"
#include "tests/support/failmalloc.h"

#include <string.h>

static void bytes_leave_in_the_order_they_came(void **state)
{
    (void)state;
    struct sm_byte_queue queue = {.limit = 10000};
    uint8_t block[700];
    uint32_t next_in = 0, next_out = 0;
    for (int round = 0; round < 2000; round++) {
        size_t put = (size_t)(round * 37) % sizeof(block);
        for (size_t i = 0; i < put; i++)
            block[i] = (uint8_t)(next_in + i);
        if (put <= sm_byte_queue_room(&queue)) {
            sm_check_status(sm_byte_queue_put(&queue, (struct sm_bytes){block, put}), SM_OK);
            next_in += (uint32_t)put;
        } else {
            sm_check_status(sm_byte_queue_put(&queue, (struct sm_bytes){block, put}), SM_ERR_LIMIT);
        }
        struct sm_bytes waiting = sm_byte_queue_bytes(&queue);
        assert_int_equal(waiting.size, next_in - next_out);
        size_t drop = (size_t)(round * 53) % 900;
        for (size_t i = 0; i < drop && i < waiting.size; i++)
            assert_int_equal(waiting.data[i], (uint8_t)(next_out + i));
        sm_byte_queue_drop(&queue, drop);
        next_out += (uint32_t)(drop < waiting.size ? drop : waiting.size);
    }
    sm_byte_queue_finish(&queue);
}

static void the_limit_holds_to_the_byte(void **state)
{
    (void)state;
    struct sm_byte_queue queue = {.limit = 5};
    sm_check_status(sm_byte_queue_put(&queue, (struct sm_bytes){(const uint8_t *)"abc", 3}), SM_OK);
    sm_check_status(sm_byte_queue_put(&queue, (struct sm_bytes){(const uint8_t *)"def", 3}),
                    SM_ERR_LIMIT);
    sm_check_status(sm_byte_queue_put(&queue, (struct sm_bytes){(const uint8_t *)"de", 2}), SM_OK);
    assert_int_equal(sm_byte_queue_room(&queue), 0);
    sm_check_status(sm_byte_queue_put(&queue, (struct sm_bytes){0}), SM_OK);
    assert_memory_equal(sm_byte_queue_bytes(&queue).data, "abcde", 5);
    sm_byte_queue_finish(&queue);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    struct sm_byte_queue queue = {.limit = 1 << 20};
    static const uint8_t many[8000];
    sm_check_status(sm_byte_queue_put(&queue, (struct sm_bytes){(const uint8_t *)"abc", 3}), SM_OK);
    sm_failmalloc_arm(0);
    sm_check_status(sm_byte_queue_put(&queue, (struct sm_bytes){many, sizeof(many)}), SM_ERR_NOMEM);
    assert_true(sm_failmalloc_disarm());
    assert_int_equal(sm_byte_queue_bytes(&queue).size, 3);
    assert_memory_equal(sm_byte_queue_bytes(&queue).data, "abc", 3);
    sm_byte_queue_finish(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_leave_in_the_order_they_came),
        cmocka_unit_test(the_limit_holds_to_the_byte),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
