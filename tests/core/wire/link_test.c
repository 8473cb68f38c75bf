/* SPDX-License-Identifier: MIT */
/* The bytes of the link phase: what a peer may get wrong. Order and timing: tests/core/channel. */
#include "tests/support/check.h"

#include <string.h>

#include "core/base/math.h"
#include "core/wire/link.h"

static struct sm_writer writer;

static int set_up(void **state)
{
    (void)state;
    sm_writer_init(&writer, 4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sm_writer_finish(&writer);
    sm_test_free_copies();
    return 0;
}

/* What stands behind the header of what was built, as an exact heap copy. */
static struct sm_bytes built_body(void)
{
    assert_true(writer.size >= SM_LINK_HEADER_SIZE);
    struct sm_link_header header = sm_link_header_parse(sm_writer_bytes(&writer));
    assert_int_equal(header.magic, SM_LINK_MAGIC);
    assert_int_equal(header.major, 2);
    assert_int_equal(header.minor, 2);
    assert_int_equal(header.size, writer.size - SM_LINK_HEADER_SIZE);
    return sm_test_copy(writer.data + SM_LINK_HEADER_SIZE, header.size);
}

static void a_captured_message_is_read_and_built(void **state)
{
    (void)state;
    struct sm_bytes wire = sm_test_hex("52 45 44 51 02 00 00 00 02 00 00 00 1a 00 00 00"
                                       "00 00 00 00 01 00 01 00 00 00 01 00 00 00 12 00 00 00"
                                       "0d 00 00 00 0f 00 00 00");
    struct sm_link_message message;
    sm_check_status(
        sm_link_message_parse(&message, (struct sm_bytes){wire.data + 16, wire.size - 16}), SM_OK);
    assert_int_equal(message.connection_id, 0);
    assert_int_equal(message.channel_type, SM_CHANNEL_MAIN);
    assert_int_equal(message.channel_id, 0);
    assert_int_equal(message.common_caps, 0x0d);
    assert_int_equal(message.channel_caps, 0x0f);
    sm_link_message_build(&writer, &message);
    sm_check_bytes(sm_writer_bytes(&writer), wire);
}

static void a_message_without_capabilities_comes_back(void **state)
{
    (void)state;
    const struct sm_link_message sent = {
        .connection_id = 0xc1242c94, .channel_type = SM_CHANNEL_CURSOR, .channel_id = 3};
    sm_link_message_build(&writer, &sent);
    struct sm_bytes body = built_body();
    assert_int_equal(body.size, SM_LINK_MESSAGE_SIZE);
    struct sm_link_message got;
    sm_check_status(sm_link_message_parse(&got, body), SM_OK);
    assert_int_equal(got.connection_id, 0xc1242c94);
    assert_int_equal(got.channel_type, SM_CHANNEL_CURSOR);
    assert_int_equal(got.channel_id, 3);
    assert_int_equal(got.common_caps | got.channel_caps, 0);
}

static void every_truncation_of_a_message_is_refused(void **state)
{
    (void)state;
    const struct sm_link_message sent = {.common_caps = 9, .channel_caps = 0x3bf};
    sm_link_message_build(&writer, &sent);
    struct sm_bytes body = built_body();
    for (size_t size = 0; size < body.size; size++) {
        struct sm_link_message got = {.connection_id = 77};
        sm_check_status(sm_link_message_parse(&got, sm_test_copy(body.data, size)),
                        SM_ERR_PROTOCOL);
        assert_int_equal(got.connection_id, 77);
    }
}

/* Counts and offset of a link message with 8 bytes of words, and what becomes of it. */
struct caps_case {
    uint32_t num_common, num_channel, offset;
    enum sm_status status;
};

static const struct caps_case CAPS_CASES[] = {
    {1, 1, 18, SM_OK},
    {0, 2, 18, SM_OK},
    {1, 0, 22, SM_OK},           /* a gap */
    {0, 0, 0, SM_OK},            /* nobody looks at the offset */
    {0, 0, 0xffffffff, SM_OK},   /* nor here */
    {1, 1, 17, SM_ERR_PROTOCOL}, /* inside the fixed part */
    {1, 1, 19, SM_ERR_PROTOCOL}, /* the last word ends behind the body */
    {2, 1, 18, SM_ERR_PROTOCOL},
    {1, 1, 26, SM_ERR_PROTOCOL},
    {1, 1, 0xfffffffc, SM_ERR_PROTOCOL}, /* wraps when added in 32 bits */
    {1024, 1024, 18, SM_ERR_PROTOCOL},
    {1025, 0, 18, SM_ERR_LIMIT},
    {0, 1025, 18, SM_ERR_LIMIT},
    {0x40000000, 0, 18, SM_ERR_LIMIT}, /* times four is zero in 32 bits */
    {0x20000001, 0x20000001, 18, SM_ERR_LIMIT},
};

static void capabilities_have_to_lie_inside_the_message(void **state)
{
    (void)state;
    const struct sm_link_message sent = {.common_caps = 1, .channel_caps = 2};
    sm_link_message_build(&writer, &sent);
    for (size_t i = 0; i < SM_COUNT_OF(CAPS_CASES); i++) {
        sm_patch_le32(&writer, SM_LINK_HEADER_SIZE + 6, CAPS_CASES[i].num_common);
        sm_patch_le32(&writer, SM_LINK_HEADER_SIZE + 10, CAPS_CASES[i].num_channel);
        sm_patch_le32(&writer, SM_LINK_HEADER_SIZE + 14, CAPS_CASES[i].offset);
        struct sm_link_message got;
        sm_check_status(sm_link_message_parse(&got, built_body()), CAPS_CASES[i].status);
    }
}

static void words_and_bytes_too_many_are_ignored(void **state)
{
    (void)state;
    struct sm_bytes body = sm_test_hex("07 00 00 00 02 01 02 00 00 00 02 00 00 00 12 00 00 00"
                                       "0b 00 00 00 ff ff ff ff 52 10 00 00 ff ff ff ff 99");
    struct sm_link_message got;
    sm_check_status(sm_link_message_parse(&got, body), SM_OK);
    assert_int_equal(got.common_caps, 0x0b);
    assert_int_equal(got.channel_caps, 0x1052); /* behind *both* common words */
}

static void a_reply_comes_back_with_its_key(void **state)
{
    (void)state;
    uint8_t key[SM_LINK_PUBLIC_KEY_SIZE];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    const struct sm_link_reply sent = {
        .public_key = SM_TEST_BYTES(key), .common_caps = 0x0b, .channel_caps = 0x0f};
    sm_link_reply_build(&writer, &sent);
    struct sm_bytes body = built_body();
    assert_int_equal(body.size, 186);

    struct sm_link_reply got;
    sm_check_status(sm_link_reply_parse(&got, body), SM_OK);
    assert_int_equal(got.error, SM_LINK_ERR_OK);
    sm_check_bytes(got.public_key, SM_TEST_BYTES(key));
    assert_int_equal(got.common_caps, 0x0b);
    assert_int_equal(got.channel_caps, 0x0f);
    for (size_t size = 0; size < body.size; size++)
        sm_check_status(sm_link_reply_parse(&got, sm_test_copy(body.data, size)), SM_ERR_PROTOCOL);
}

static void an_error_reply_is_194_bytes_and_zero_behind_the_code(void **state)
{
    (void)state;
    const struct sm_link_reply sent = {.error = SM_LINK_ERR_INVALID_MAGIC, .common_caps = 0x0b};
    sm_link_reply_build(&writer, &sent);
    assert_int_equal(writer.size, 194);
    for (size_t i = 20; i < writer.size; i++)
        assert_int_equal(writer.data[i], 0);
    struct sm_link_reply got;
    sm_check_status(sm_link_reply_parse(&got, built_body()), SM_OK);
    assert_int_equal(got.error, SM_LINK_ERR_INVALID_MAGIC);
}

#define LINK_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(a_captured_message_is_read_and_built),
        LINK_TEST(a_message_without_capabilities_comes_back),
        LINK_TEST(every_truncation_of_a_message_is_refused),
        LINK_TEST(capabilities_have_to_lie_inside_the_message),
        LINK_TEST(words_and_bytes_too_many_are_ignored),
        LINK_TEST(a_reply_comes_back_with_its_key),
        LINK_TEST(an_error_reply_is_194_bytes_and_zero_behind_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
