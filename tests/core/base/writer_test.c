/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "core/base/writer.h"

static void writer_writes_both_byte_orders(void **state)
{
    (void)state;
    static const uint8_t EXPECTED[] = {1, 2, 1, 1, 2, 4, 3, 2, 1, 1, 2, 3, 4, 0, 0};
    struct sm_writer w;
    sm_writer_init(&w, 1000);
    sm_put_u8(&w, 1);
    sm_put_le16(&w, 0x0102);
    sm_put_be16(&w, 0x0102);
    sm_put_le32(&w, 0);
    sm_patch_le32(&w, 5, 0x01020304);
    sm_put_be32(&w, 0x01020304);
    sm_put_zeros(&w, 2);
    sm_check_status(sm_writer_status(&w), SM_OK);
    sm_check_bytes(sm_writer_bytes(&w), SM_TEST_BYTES(EXPECTED));
    sm_writer_finish(&w);
}

static void writer_stops_for_good_at_its_limit(void **state)
{
    (void)state;
    struct sm_writer w;
    sm_writer_init(&w, 5);
    sm_put_le32(&w, 7);
    sm_put_le16(&w, 7);
    sm_put_u8(&w, 7); /* would fit, but the message is already broken */
    sm_check_status(sm_writer_status(&w), SM_ERR_LIMIT);
    assert_int_equal(w.size, 4);
    sm_writer_reset(&w);
    sm_put_le32(&w, 7);
    sm_put_u8(&w, 7);
    sm_check_status(sm_writer_status(&w), SM_OK);
    sm_writer_finish(&w);
}

static void writer_grows_to_a_large_limit(void **state)
{
    (void)state;
    struct sm_writer w;
    sm_writer_init(&w, 1000001);
    for (size_t i = 0; i < 1000; i++)
        sm_put_zeros(&w, 1000);
    sm_check_status(sm_writer_status(&w), SM_OK);
    assert_int_equal(w.size, 1000000);
    sm_writer_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_writes_both_byte_orders),
        cmocka_unit_test(writer_stops_for_good_at_its_limit),
        cmocka_unit_test(writer_grows_to_a_large_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
