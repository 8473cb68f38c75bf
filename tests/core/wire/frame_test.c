/* SPDX-License-Identifier: MIT */
/* Data headers and lists of sub-messages: what a peer may get wrong. */
#include "tests/support/check.h"

#include <string.h>

#include "core/base/math.h"
#include "core/wire/base.h"
#include "core/wire/frame.h"

static int free_copies(void **state)
{
    (void)state;
    sm_test_free_copies();
    return 0;
}

static void both_headers_come_back(void **state)
{
    (void)state;
    const struct sm_frame sent = {
        .serial = 0x1122334455667788, .type = 304, .size = 140, .sub_list = 134};
    for (int is_mini = 0; is_mini < 2; is_mini++) {
        struct sm_writer w;
        sm_writer_init(&w, 64);
        sm_frame_build(&w, &sent, is_mini);
        assert_int_equal(w.size, sm_frame_size(is_mini));
        struct sm_frame got = sm_frame_parse(sm_writer_bytes(&w), is_mini);
        assert_int_equal(got.type, 304);
        assert_int_equal(got.size, 140);
        assert_int_equal(got.serial, is_mini ? 0 : 0x1122334455667788);
        assert_int_equal(got.sub_list, is_mini ? 0 : 134);
        sm_writer_finish(&w);
    }
}

static void the_captured_full_header_is_read(void **state)
{
    (void)state;
    struct sm_bytes wire = sm_test_hex("0a 00 00 00 00 00 00 00 30 01 8c 00 00 00 86 00 00 00");
    struct sm_frame got = sm_frame_parse(wire, false);
    assert_int_equal(got.serial, 10);
    assert_int_equal(got.type, 304);
    assert_int_equal(got.size, 140);
    assert_int_equal(got.sub_list, 134);
}

/* Bodies that hold no proper list at offset 0. */
static void improper_lists_are_refused(void **state)
{
    (void)state;
    const char *bodies[] = {
        "",
        "01",
        "00 00",                               /* no items */
        "01 00 06 00 00",                      /* the offset is cut */
        "02 00 06 00 00 00 69 00 00 00 00 00", /* the second offset runs into the item */
        "01 00 07 00 00 00 69 00 00 00 00 00", /* the item's header ends behind the body */
        "01 00 0c 00 00 00 69 00 00 00 00 00", /* the item starts behind the body */
        "01 00 ff ff ff ff 69 00 00 00 00 00",
        "01 00 fc ff ff ff 69 00 00 00 00 00", /* wraps when added in 32 bits */
        "ff ff 06 00 00 00 69 00 00 00 00 00",
    };
    for (size_t i = 0; i < SM_COUNT_OF(bodies); i++) {
        uint32_t count = 77;
        struct sm_bytes text = sm_test_hex(bodies[i]);
        struct sm_bytes body = sm_test_copy(text.data, text.size);
        enum sm_status status = sm_frame_sub_count(body, 0, &count);
        if (status != SM_ERR_PROTOCOL)
            print_error("body %zu: %s\n", i, bodies[i]);
        sm_check_status(status, SM_ERR_PROTOCOL);
        assert_int_equal(count, 77);
    }
}

static void a_list_outside_the_body_is_refused(void **state)
{
    (void)state;
    struct sm_bytes body = sm_test_hex("01 00 06 00 00 00 69 00 00 00 00 00");
    uint32_t count = 0;
    const uint32_t offsets[] = {11, 12, 13, 0x7fffffff, 0xfffffffe, 0xffffffff};
    for (size_t i = 0; i < SM_COUNT_OF(offsets); i++)
        sm_check_status(sm_frame_sub_count(body, offsets[i], &count), SM_ERR_PROTOCOL);
    sm_check_status(sm_frame_sub_count(body, 0, &count), SM_OK);
    assert_int_equal(count, 1);
}

static void more_items_than_we_take_are_a_limit(void **state)
{
    (void)state;
    struct sm_writer w;
    sm_writer_init(&w, 4096);
    sm_put_le16(&w, SM_FRAME_MAX_SUBS + 1);
    for (uint32_t i = 0; i <= SM_FRAME_MAX_SUBS; i++)
        sm_put_le32(&w, 2 + 4 * (SM_FRAME_MAX_SUBS + 1)); /* all lead to the same item */
    sm_put_le16(&w, SM_MSG_PING);
    sm_put_le32(&w, 0);
    uint32_t count = 0;
    sm_check_status(sm_frame_sub_count(sm_writer_bytes(&w), 0, &count), SM_ERR_LIMIT);
    w.data[0]--;
    sm_check_status(sm_frame_sub_count(sm_writer_bytes(&w), 0, &count), SM_OK);
    assert_int_equal(count, SM_FRAME_MAX_SUBS);
    sm_writer_finish(&w);
}

static void a_declared_size_is_cut_to_the_body(void **state)
{
    (void)state;
    const char *bodies[] = {
        "01 00 06 00 00 00 69 00 02 00 00 00 aa bb cc", /* as declared */
        "01 00 06 00 00 00 69 00 18 00 00 00 aa bb cc", /* too much */
        "01 00 06 00 00 00 69 00 ff ff ff ff aa bb cc",
        "01 00 06 00 00 00 69 00 00 00 00 00 aa bb cc",
    };
    const size_t sizes[] = {2, 3, 3, 0};
    for (size_t i = 0; i < SM_COUNT_OF(bodies); i++) {
        struct sm_bytes text = sm_test_hex(bodies[i]);
        struct sm_bytes body = sm_test_copy(text.data, text.size);
        uint32_t count = 0;
        sm_check_status(sm_frame_sub_count(body, 0, &count), SM_OK);
        uint16_t type = 0;
        struct sm_bytes sub = sm_frame_sub(body, 0, 0, &type);
        assert_int_equal(type, 0x69);
        assert_int_equal(sub.size, sizes[i]);
    }
}

#define FRAME_TEST(function) cmocka_unit_test_teardown(function, free_copies)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRAME_TEST(both_headers_come_back),
        FRAME_TEST(the_captured_full_header_is_read),
        FRAME_TEST(improper_lists_are_refused),
        FRAME_TEST(a_list_outside_the_body_is_refused),
        FRAME_TEST(more_items_than_we_take_are_a_limit),
        FRAME_TEST(a_declared_size_is_cut_to_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
