/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "core/base/reader.h"

static const uint8_t COUNTING[] = {1, 2, 3, 4, 5, 6, 7, 8};

static void reader_reads_both_byte_orders(void **state)
{
    (void)state;
    struct sm_reader r = sm_reader(SM_TEST_BYTES(COUNTING));
    assert_int_equal(sm_get_le16(&r), 0x0201);
    assert_int_equal(sm_get_be16(&r), 0x0304);
    assert_int_equal(sm_get_le32(&r), 0x08070605);
    assert_int_equal(sm_left(&r), 0);
    assert_false(r.failed);

    r = sm_reader(SM_TEST_BYTES(COUNTING));
    assert_true(sm_get_be64(&r) == 0x0102030405060708u);
    r = sm_reader(SM_TEST_BYTES(COUNTING));
    assert_true(sm_get_le64(&r) == 0x0807060504030201u);
}

static void reader_fails_for_good_past_its_end(void **state)
{
    (void)state;
    struct sm_reader r = sm_reader(sm_test_copy(COUNTING, 3));
    assert_int_equal(sm_get_le32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(sm_get_u8(&r), 0); /* though three bytes were there */
    assert_int_equal(sm_left(&r), 0);
    sm_test_free_copies();
}

static void reader_of_nothing_is_empty(void **state)
{
    (void)state;
    struct sm_reader r = sm_reader((struct sm_bytes){0});
    assert_int_equal(sm_get_rest(&r).size, 0);
    assert_false(r.failed);
    assert_int_equal(sm_get_u8(&r), 0);
    assert_true(r.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_reads_both_byte_orders),
        cmocka_unit_test(reader_fails_for_good_past_its_end),
        cmocka_unit_test(reader_of_nothing_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
