/* SPDX-License-Identifier: MIT */
/* Data headers, lists of messages inside messages, and the messages of the link phase. */
#include "tests/support/check.h"

#include <string.h>

#include "core/wire/frame.h"
#include "core/wire/link.h"

static struct sm_bytes taken(struct sm_writer *w)
{
    assert_false(w->failed);
    struct sm_bytes copy = sm_test_copy(w->data, w->size);
    sm_writer_finish(w);
    sm_writer_init(w, 1 << 16);
    return copy;
}

static void headers_come_back_as_they_went(void **state)
{
    (void)state;
    struct sm_frame frame = {
        .serial = 0x0102030405060708, .type = 0x1122, .size = 0xfffefdfc, .sub_list = 0x55667788};
    struct sm_writer w;
    sm_writer_init(&w, 1 << 16);
    sm_frame_build(&w, &frame, false);
    struct sm_bytes full = taken(&w);
    sm_check_bytes(full, sm_test_hex("0807060504030201 2211 fcfdfeff 88776655"));
    struct sm_frame back = sm_frame_parse(full, false);
    assert_true(back.serial == frame.serial && back.type == frame.type && back.size == frame.size &&
                back.sub_list == frame.sub_list);
    assert_memory_equal(full.data + sm_frame_size_offset(false), "\xfc\xfd\xfe\xff", 4);

    sm_frame_build(&w, &frame, true);
    struct sm_bytes mini = taken(&w);
    sm_check_bytes(mini, sm_test_hex("2211 fcfdfeff"));
    back = sm_frame_parse(mini, true);
    assert_int_equal(back.type, frame.type);
    assert_int_equal(back.size, frame.size);
    assert_int_equal(back.serial, 0);
    assert_int_equal(back.sub_list, 0);
    assert_memory_equal(mini.data + sm_frame_size_offset(true), "\xfc\xfd\xfe\xff", 4);
    sm_writer_finish(&w);
    sm_test_free_copies();
}

static void lists_are_good_whole_and_bad_in_every_truncation(void **state)
{
    (void)state;
    struct sm_bytes list = sm_test_hex("ffff 0200 12000000 0c000000 0800 00000000 0700 02000000");
    uint32_t count = 99;
    sm_check_status(sm_frame_sub_count(list, 2, &count), SM_OK);
    assert_int_equal(count, 2);
    for (size_t size = 0; size < list.size; size++) {
        uint32_t none = 99;
        enum sm_status status = sm_frame_sub_count(sm_test_copy(list.data, size), 2, &none);
        sm_check_status(status, SM_ERR_PROTOCOL);
        assert_int_equal(none, 99);
    }
    static const uint32_t OUTSIDE[] = {23, 24, 25, 0x7fffffff, 0xfffffffe, 0xffffffff};
    for (size_t i = 0; i < sizeof(OUTSIDE) / sizeof(OUTSIDE[0]); i++)
        sm_check_status(sm_frame_sub_count(list, OUTSIDE[i], &count), SM_ERR_PROTOCOL);
    sm_test_free_copies();
}

static void stated_sizes_beyond_the_end_are_clamped(void **state)
{
    (void)state;
    struct sm_bytes list =
        sm_test_hex("0200 0a000000 12000000 6900 02000000 0102 0500 ffffffff 0304");
    uint16_t type;
    uint32_t count;
    sm_check_status(sm_frame_sub_count(list, 0, &count), SM_OK);
    sm_check_bytes(sm_frame_sub(list, 0, 0, &type), sm_test_hex("0102"));
    assert_int_equal(type, 0x69);
    sm_check_bytes(sm_frame_sub(list, 0, 1, &type), sm_test_hex("0304"));
    assert_int_equal(type, 5);
    sm_test_free_copies();
}

static void link_messages_come_back_as_they_went(void **state)
{
    (void)state;
    struct sm_writer w;
    sm_writer_init(&w, 1 << 16);
    for (unsigned caps = 0; caps < 4; caps++) {
        struct sm_link_message message = {.connection_id = 0xc1242c94,
                                          .channel_type = SM_CHANNEL_DISPLAY,
                                          .channel_id = 3,
                                          .common_caps = caps & 1 ? 0x0d : 0,
                                          .channel_caps = caps & 2 ? 0x1052 : 0};
        sm_link_message_build(&w, &message);
        struct sm_bytes whole = taken(&w);
        struct sm_link_header header = sm_link_header_parse(whole);
        assert_int_equal(header.magic, SM_LINK_MAGIC);
        assert_int_equal(header.major, 2);
        assert_int_equal(header.size, whole.size - SM_LINK_HEADER_SIZE);
        struct sm_bytes body = {whole.data + SM_LINK_HEADER_SIZE, header.size};
        struct sm_link_message back = {0};
        sm_check_status(sm_link_message_parse(&back, body), SM_OK);
        assert_int_equal(back.connection_id, message.connection_id);
        assert_int_equal(back.channel_type, message.channel_type);
        assert_int_equal(back.channel_id, message.channel_id);
        assert_int_equal(back.common_caps, message.common_caps);
        assert_int_equal(back.channel_caps, message.channel_caps);
        for (size_t size = 0; size < body.size; size++)
            sm_check_status(sm_link_message_parse(&back, sm_test_copy(body.data, size)),
                            SM_ERR_PROTOCOL);
    }
    sm_writer_finish(&w);
    sm_test_free_copies();
}

static void link_replies_come_back_as_they_went(void **state)
{
    (void)state;
    uint8_t key[SM_LINK_PUBLIC_KEY_SIZE];
    memset(key, 0x30, sizeof(key));
    struct sm_writer w;
    sm_writer_init(&w, 1 << 16);
    struct sm_link_reply reply = {
        .public_key = {key, sizeof(key)}, .common_caps = 0x0b, .channel_caps = 0x0f};
    sm_link_reply_build(&w, &reply);
    struct sm_bytes whole = taken(&w);
    assert_int_equal(whole.size, 16 + 186);
    struct sm_bytes body = {whole.data + SM_LINK_HEADER_SIZE, whole.size - SM_LINK_HEADER_SIZE};
    struct sm_link_reply back = {0};
    sm_check_status(sm_link_reply_parse(&back, body), SM_OK);
    sm_check_bytes(back.public_key, reply.public_key);
    assert_int_equal(back.common_caps, 0x0b);
    assert_int_equal(back.channel_caps, 0x0f);
    for (size_t size = 0; size < body.size; size++)
        sm_check_status(sm_link_reply_parse(&back, sm_test_copy(body.data, size)), SM_ERR_PROTOCOL);

    reply.error = SM_LINK_ERR_PERMISSION_DENIED; /* all else is left out */
    sm_link_reply_build(&w, &reply);
    whole = taken(&w);
    assert_int_equal(whole.size, 16 + 178);
    for (size_t i = 20; i < whole.size; i++)
        assert_int_equal(whole.data[i], 0);
    sm_writer_finish(&w);
    sm_test_free_copies();
}

static void capability_words_beyond_the_first_mean_nothing(void **state)
{
    (void)state;
    struct sm_link_message message;
    sm_check_status(sm_link_message_parse(
                        &message, sm_test_hex("00000000 01 00 02000000 03000000 14000000 ffff"
                                              "09000000 ffffffff 0f000000 ffffffff ffffffff")),
                    SM_OK);
    assert_int_equal(message.common_caps, 9);
    assert_int_equal(message.channel_caps, 15);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_come_back_as_they_went),
        cmocka_unit_test(lists_are_good_whole_and_bad_in_every_truncation),
        cmocka_unit_test(stated_sizes_beyond_the_end_are_clamped),
        cmocka_unit_test(link_messages_come_back_as_they_went),
        cmocka_unit_test(link_replies_come_back_as_they_went),
        cmocka_unit_test(capability_words_beyond_the_first_mean_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
