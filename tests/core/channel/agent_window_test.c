/* SPDX-License-Identifier: MIT */
/* What ends a loan of the agent's tokens. */
#include "tests/support/check.h"

#include "core/channel/main/agent_window.h"

enum { FILE_BYTES = 2000000 };

/* FILE_XFER_STATUS of the agent: file 1, `result`. */
static struct sm_bytes status_piece(uint32_t result)
{
    static uint8_t bytes[28] = {1, 0, 0, 0, 11, [16] = 8, [20] = 1};
    bytes[24] = (uint8_t)result;
    return (struct sm_bytes){.data = bytes, .size = sizeof(bytes)};
}

static void a_file_that_the_agent_refuses_ends_the_loan(void **state)
{
    (void)state;
    for (uint32_t result = 1; result < 256; result++) {
        struct sm_agent_window window = {.file_bytes = FILE_BYTES};
        sm_agent_window_hear(&window, status_piece(result));
        assert_int_equal(window.file_bytes, result == 3 ? FILE_BYTES : 0);
    }
}

static void a_file_that_may_come_or_has_come_does_not(void **state)
{
    (void)state;
    struct sm_agent_window window = {.file_bytes = FILE_BYTES};
    sm_agent_window_hear(&window, status_piece(0));
    sm_agent_window_hear(&window, status_piece(3)); /* there may be others */
    assert_int_equal(window.file_bytes, FILE_BYTES);
}

static void what_says_no_result_ends_nothing(void **state)
{
    (void)state;
    struct sm_agent_window window = {.file_bytes = FILE_BYTES};
    struct sm_bytes whole = status_piece(1);
    for (size_t size = 0; size < whole.size; size++)
        sm_agent_window_hear(&window, sm_test_copy(whole.data, size));
    struct sm_bytes other =
        sm_test_hex("01000000 06000000 0000000000000000 08000000 0100000001000000");
    sm_agent_window_hear(&window, other);
    assert_int_equal(window.file_bytes, FILE_BYTES);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_the_agent_refuses_ends_the_loan),
        cmocka_unit_test(a_file_that_may_come_or_has_come_does_not),
        cmocka_unit_test(what_says_no_result_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
