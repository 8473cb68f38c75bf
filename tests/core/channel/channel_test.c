/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/channel_support.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/display.h"
#include "tests/support/failmalloc.h"

static void start_of_a_display_channel_as_captured(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 8; piece++) {
        struct sm_channel *client = new_client();
        sm_check_status(feed(client,
                             "0300 08000000 01000000 14000000" /* SET_ACK */
                             "6c00 00000000"                   /* INVAL_ALL_PALETTES */
                             "3a01 14000000 00000000 40000000 30000000 20000000 01000000"
                             "6600 00000000",
                             piece),
                        SM_OK);
        check_next(client, SM_MSG_DISPLAY_INVAL_ALL_PALETTES, 2, false, "");
        check_next(client, SM_MSG_DISPLAY_SURFACE_CREATE, 3, false,
                   "00000000 40000000 30000000 20000000 01000000");
        assert_int_equal(sm_channel_handled_serial(client), 2);
        assert_int_equal(sm_channel_received_serial(client), 4);
        check_next(client, SM_MSG_DISPLAY_MARK, 4, false, "");
        check_no_more(client);
        assert_int_equal(sm_channel_handled_serial(client), 4);
        sm_check_bytes(output(client), sm_test_hex("0100 04000000 01000000")); /* ACK_SYNC */
        sm_channel_destroy(client);
    }
    sm_test_free_copies();
}

static void full_headers_carry_the_serial_both_ways(void **state)
{
    (void)state;
    struct sm_channel *client = new_channel(SM_CHANNEL_CLIENT, false);
    sm_check_status(feed(client,
                         "0700000000000000 6600 00000000 00000000"
                         "0900000000000000 6700 00000000 00000000",
                         1),
                    SM_OK);
    check_next(client, SM_MSG_DISPLAY_MARK, 7, false, "");
    check_next(client, SM_MSG_DISPLAY_RESET, 9, false, "");
    assert_int_equal(sm_channel_received_serial(client), 9);
    sm_check_status(sm_channel_send(client, 105, sm_test_hex("0101")), SM_OK);
    sm_check_status(sm_channel_send(client, 104, sm_test_hex("")), SM_OK);
    assert_int_equal(sm_channel_sent_serial(client), 2);
    sm_check_bytes(output(client), sm_test_hex("0100000000000000 6900 02000000 00000000 0101"
                                               "0200000000000000 6800 00000000 00000000"));
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static const char WITH_SUBS[] =
    /* the captured sub-message with its absurd size, behind a drawing made shorter */
    "0a00000000000000 6800 38000000 32000000"
    "00000000 0a0000000a0000001200000012000000 00 0200000003000000"
    "6900 18000000 0100 01 0100000064000000"
    "00 00 00 00"
    "0100 1d000000";

static void sub_messages_of_full_headers_come_first(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 5; piece++) {
        struct sm_channel *client = new_channel(SM_CHANNEL_CLIENT, false);
        sm_check_status(feed(client, WITH_SUBS, piece), SM_OK);
        struct sm_channel_message message;
        sm_check_status(sm_channel_next(client, &message), SM_OK);
        assert_int_equal(message.type, SM_MSG_DISPLAY_INVAL_LIST);
        assert_true(message.is_sub);
        assert_int_equal(message.serial, 10);
        assert_true(message.body.size >= 11 && message.body.size < 24); /* clamped */
        sm_check_status(sm_channel_next(client, &message), SM_OK);
        assert_int_equal(message.type, SM_MSG_DISPLAY_COPY_BITS);
        assert_int_equal(message.body.size, 0x38);
        check_no_more(client);
        sm_channel_destroy(client);
    }
    sm_test_free_copies();
}

static void list_messages_come_in_list_order(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 5; piece++) {
        struct sm_channel *client = new_client();
        sm_check_status(feed(client, SM_TEST_LIST, piece), SM_OK);
        check_next(client, SM_MSG_WAIT_FOR_CHANNELS, 1, true, "01 0201 2a00000000000000");
        assert_int_equal(sm_channel_handled_serial(client), 0);
        check_next(client, SM_MSG_DISPLAY_INVAL_LIST, 1, true, "0100 01 0100000064000000");
        check_no_more(client);
        assert_int_equal(sm_channel_handled_serial(client), 1);
        sm_channel_destroy(client);
    }
    sm_test_free_copies();
}

static void malformed_lists_fail_the_channel(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "0800 00000000",                             /* no list at all */
        "0800 02000000 0000",                        /* empty */
        "0800 04000000 0100 0600",                   /* cut inside its offsets */
        "0800 06000000 0100 06000000",               /* item behind the end */
        "0800 0b000000 0100 06000000 6600 000000",   /* item's header cut */
        "0800 0c000000 0100 ffffffff 6600 00000000", /* item far outside */
        "0800 0c000000 0100 06000000 0800 00000000", /* a list in a list */
        "0800 08000000 4100 06000000 6600",          /* more items than bytes */
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        for (size_t piece = 0; piece < 2; piece++) {
            struct sm_channel *client = new_client();
            sm_check_status(feed(client, BAD[i], piece), SM_ERR_PROTOCOL);
            struct sm_channel_message message;
            sm_check_status(sm_channel_next(client, &message), SM_ERR_PROTOCOL);
            assert_string_equal(sm_channel_reason(client), "malformed list of messages");
            sm_channel_destroy(client);
        }
    }
    sm_test_free_copies();
}

static void lists_that_are_too_long_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[6 + 2 + 65 * 4 + 6] = {8, 0, 8, 1};
    bytes[2] = (uint8_t)(sizeof(bytes) - 6);
    bytes[3] = (uint8_t)((sizeof(bytes) - 6) >> 8);
    bytes[6] = 65; /* all offsets 2: each a message of some kind */
    for (int i = 0; i < 65; i++)
        bytes[8 + 4 * i] = 2;
    struct sm_channel *client = new_client();
    sm_check_status(
        sm_test_feed(sm_channel_machine(client), sm_test_copy(bytes, sizeof(bytes)), 0, NULL),
        SM_ERR_LIMIT);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void server_takes_no_lists(void **state)
{
    (void)state;
    struct sm_channel *server = new_server();
    sm_check_status(feed(server, SM_TEST_LIST, 0), SM_ERR_PROTOCOL);
    sm_channel_destroy(server);
    sm_test_free_copies();
}

static void client_skips_unknown_messages_of_any_size(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    sm_check_status(feed(client, "0903 05000000 0102030405 0903 00000000 6600 00000000", 1), SM_OK);
    check_next(client, SM_MSG_DISPLAY_MARK, 3, false, "");
    assert_int_equal(sm_channel_skipped_count(client), 2);
    /* 4 GiB of something: taken piece by piece without room for it */
    sm_check_status(feed(client, "0903 ffffffff 0102030405", 0), SM_OK);
    check_no_more(client);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void server_fails_on_unknown_messages(void **state)
{
    (void)state;
    static const char *const BAD[] = {"0903 05000000", "0903 00000000", "0000 00000000"};
    for (size_t i = 0; i < 3; i++) {
        struct sm_channel *server = new_server();
        sm_check_status(feed(server, BAD[i], 0), SM_ERR_PROTOCOL);
        assert_string_equal(sm_channel_reason(server), "a message of an unknown type");
        sm_channel_destroy(server);
    }
    sm_test_free_copies();
}

static void bodies_larger_than_their_kind_fail_at_the_header(void **state)
{
    (void)state;
    struct sm_channel *server = new_server();
    sm_check_status(feed(server, "6500 ffffff7f", 0), SM_ERR_LIMIT);
    sm_channel_destroy(server);
    struct sm_channel *client = new_client();
    sm_check_status(feed(client, "6600 ffffffff", 0), SM_ERR_LIMIT);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void messages_before_a_broken_one_are_still_given(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 4; piece++) {
        struct sm_channel *client = new_client();
        sm_check_status(feed(client, "6600 00000000 6700 00000000 0800 00000000", piece),
                        SM_ERR_PROTOCOL);
        check_next(client, SM_MSG_DISPLAY_MARK, 1, false, "");
        check_next(client, SM_MSG_DISPLAY_RESET, 2, false, "");
        struct sm_channel_message message;
        sm_check_status(sm_channel_next(client, &message), SM_ERR_PROTOCOL);
        sm_channel_destroy(client);
        client = new_client();
        sm_check_status(feed(client, "6600 00000000 6700 00000000 0800 00000000", piece),
                        SM_ERR_PROTOCOL);
        /* but not when their owner gives up */
        sm_check_status(sm_channel_fail(client, SM_ERR_LIMIT, "enough"), SM_ERR_LIMIT);
        sm_check_status(sm_channel_next(client, &message), SM_ERR_PROTOCOL);
        sm_channel_destroy(client);
    }
    sm_test_free_copies();
}

static void a_held_channel_gives_nothing_but_answers_pings(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    sm_check_status(feed(client, "0500 0b000000 01 0201 2a00000000000000 6600 00000000", 0), SM_OK);
    check_next(client, SM_MSG_WAIT_FOR_CHANNELS, 1, false, "01 0201 2a00000000000000");
    sm_channel_hold(client);
    check_no_more(client);
    assert_int_equal(sm_channel_handled_serial(client), 0);
    sm_check_status(feed(client, "0400 0c000000 01000000 0000000000000000", 1), SM_OK);
    assert_int_equal(output(client).size, 18);
    check_no_more(client);
    sm_channel_release(client);
    check_next(client, SM_MSG_DISPLAY_MARK, 2, false, "");
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void no_more_is_read_ahead_than_is_allowed(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    struct sm_bytes mark = sm_test_hex("6600 00000000");
    size_t messages = 0, taken = mark.size;
    while (taken == mark.size && messages < 100000) {
        sm_check_status(sm_test_feed(sm_channel_machine(client), mark, 0, &taken), SM_OK);
        messages++;
    }
    assert_true(messages > 100 && messages < SM_CHANNEL_READ_AHEAD / 32);
    struct sm_channel_message message;
    while (sm_channel_next(client, &message) == SM_OK)
        messages--;
    assert_int_equal(messages, 1); /* the one that was not taken */
    sm_check_status(sm_test_feed(sm_channel_machine(client), mark, 0, &taken), SM_OK);
    assert_int_equal(taken, mark.size);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void a_peer_that_does_not_read_cannot_make_us_queue_without_bound(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    struct sm_bytes ping = sm_test_hex("0400 0c000000 01000000 0000000000000000");
    struct sm_channel_message message;
    size_t taken = ping.size;
    for (size_t i = 0; i < 200000 && taken == ping.size; i++) {
        sm_check_status(sm_test_feed(sm_channel_machine(client), ping, 0, &taken), SM_OK);
        (void)!sm_channel_next(client, &message);
    }
    assert_int_equal(taken, 0);
    assert_true(sm_channel_pending_size(client) < SM_CHANNEL_DEFAULT_MAX_PENDING + (128 << 10));
    sm_check_status(sm_channel_send(client, 101, ping), SM_AGAIN);
    assert_true(sm_channel_is_full(client));
    sm_machine_sent(sm_channel_machine(client), 200000, 0);
    sm_check_status(sm_channel_send(client, 101, ping), SM_OK);
    sm_check_status(sm_test_feed(sm_channel_machine(client), ping, 0, &taken), SM_OK);
    assert_int_equal(taken, ping.size);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void sends_stop_at_the_limit_and_lose_nothing(void **state)
{
    (void)state;
    struct sm_channel_config config = {.role = SM_CHANNEL_SERVER,
                                       .has_mini_header = true,
                                       .max_size = sm_display_msgc_max_size,
                                       .max_pending_bytes = 20};
    struct sm_channel *server = NULL;
    sm_check_status(sm_channel_create(&server, &config, 0), SM_OK);
    struct sm_bytes parts[2] = {sm_test_hex("0102"), sm_test_hex("030405")};
    sm_check_status(sm_channel_sendv(server, 200, parts, 2), SM_OK);
    sm_check_status(sm_channel_sendv(server, 201, parts, 2), SM_OK);
    sm_check_status(sm_channel_sendv(server, 202, parts, 2), SM_AGAIN);
    sm_check_status(sm_channel_send_always(server, 203, sm_test_hex("")), SM_OK);
    assert_int_equal(sm_channel_pending_size(server), 28);
    assert_int_equal(sm_channel_sent_serial(server), 3);
    sm_machine_sent(sm_channel_machine(server), 9, 0);
    sm_check_status(sm_channel_send(server, 204, sm_test_hex("")), SM_OK);
    sm_check_bytes(output(server), sm_test_hex("0405 c900 05000000 0102030405"
                                               "cb00 00000000 cc00 00000000"));
    sm_channel_destroy(server);
    sm_test_free_copies();
}

static void leading_bytes_go_first(void **state)
{
    (void)state;
    struct sm_channel_config config = {.role = SM_CHANNEL_SERVER,
                                       .has_mini_header = true,
                                       .max_size = sm_display_msgc_max_size,
                                       .leading = sm_test_hex("00000000")};
    struct sm_channel *server = NULL;
    sm_check_status(sm_channel_create(&server, &config, 0), SM_OK);
    sm_check_status(sm_channel_set_ack_window(server, 20), SM_OK);
    sm_check_bytes(output(server), sm_test_hex("00000000 0300 08000000 01000000 14000000"));
    sm_channel_destroy(server);
    sm_test_free_copies();
}

/* A queue of random messages both ways over a wire that cuts anywhere; all must arrive in order. */
static void both_ends_agree_however_bytes_are_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        bool is_mini = seed & 1;
        struct sm_channel *server = new_channel(SM_CHANNEL_SERVER, is_mini);
        struct sm_channel *client = new_channel(SM_CHANNEL_CLIENT, is_mini);
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_channel_machine(server), sm_channel_machine(client), seed % 7,
                          seed);
        struct sm_test_random random = {seed + 1};
        sm_check_status(sm_channel_set_ack_window(server, 3), SM_OK);
        uint32_t sent = 0, got = 0, answers = 0;
        uint8_t body[512];
        for (;;) {
            if (sent < 60 && !sm_channel_is_blocked(server)) {
                size_t size = sm_test_random_next(&random) % sizeof(body);
                memset(body, (int)sent, size);
                sm_check_status(sm_channel_send(server, SM_MSG_DISPLAY_DRAW_COPY,
                                                (struct sm_bytes){body, size}),
                                SM_OK);
                sent++;
            }
            bool has_moved = sm_test_wire_step(&wire);
            sm_check_status(wire.status[0], SM_OK);
            sm_check_status(wire.status[1], SM_OK);
            struct sm_channel_message message;
            while (sm_channel_next(client, &message) == SM_OK) {
                assert_int_equal(message.serial, got + 2);
                for (size_t i = 0; i < message.body.size; i++)
                    assert_int_equal(message.body.data[i], got);
                got++;
                sm_check_status(
                    sm_channel_send(client, SM_MSGC_DISPLAY_GL_DRAW_DONE, (struct sm_bytes){0}),
                    SM_OK);
            }
            while (sm_channel_next(server, &message) == SM_OK)
                answers++;
            if (!has_moved && sent == 60)
                break;
        }
        assert_int_equal(got, 60);
        assert_int_equal(answers, 60);
        assert_int_equal(sm_channel_unacked(server), 0);
        sm_test_wire_finish(&wire);
        sm_channel_destroy(server);
        sm_channel_destroy(client);
    }
}

static void truncated_messages_are_waited_for(void **state)
{
    (void)state;
    struct sm_bytes bytes = sm_test_hex(WITH_SUBS);
    for (size_t size = 0; size < bytes.size; size++) {
        struct sm_channel *client = new_channel(SM_CHANNEL_CLIENT, false);
        size_t taken;
        sm_check_status(
            sm_test_feed(sm_channel_machine(client), sm_test_copy(bytes.data, size), 0, &taken),
            SM_OK);
        assert_int_equal(taken, size);
        check_no_more(client);
        sm_channel_destroy(client);
    }
    sm_test_free_copies();
}

static const uint8_t SOME_MESSAGES[] = {
    3,   0, 8,  0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,                       /* SET_ACK, window 1 */
    4,   0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,   0, 0, 0, 0,         /* PING */
    105, 0, 11, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 100, 0, 0, 0, 102, 0, 0, /* INVAL_LIST, MARK */
    0,   0, 0};

static void exchange_once(void *context)
{
    (void)context;
    struct sm_channel *channel = NULL;
    struct sm_channel_config config = {.role = SM_CHANNEL_CLIENT,
                                       .has_mini_header = true,
                                       .max_size = sm_display_msg_max_size,
                                       .leading = {SOME_MESSAGES, 4}};
    if (sm_channel_create(&channel, &config, 0) != SM_OK)
        return;
    size_t taken;
    struct sm_channel_message message;
    struct sm_machine machine = sm_channel_machine(channel);
    enum sm_status status = sm_machine_receive(
        machine, (struct sm_bytes){SOME_MESSAGES, sizeof(SOME_MESSAGES)}, 0, &taken);
    while (status == SM_OK)
        status = sm_channel_next(channel, &message);
    size_t before = sm_channel_pending_size(channel);
    uint8_t body[4096] = {0};
    if (sm_channel_send(channel, 101, (struct sm_bytes){body, sizeof(body)}) != SM_OK)
        assert_int_equal(sm_channel_pending_size(channel), before);
    sm_channel_destroy(channel);

    config = (struct sm_channel_config){
        .role = SM_CHANNEL_SERVER, .has_mini_header = true, .max_size = sm_display_msgc_max_size};
    channel = NULL;
    if (sm_channel_create(&channel, &config, 0) != SM_OK)
        return;
    if (sm_channel_start_net_test(channel) == SM_OK)
        (void)!sm_channel_set_ack_window(channel, 20);
    sm_channel_destroy(channel);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(exchange_once, NULL);
    sm_channel_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_of_a_display_channel_as_captured),
        cmocka_unit_test(full_headers_carry_the_serial_both_ways),
        cmocka_unit_test(sub_messages_of_full_headers_come_first),
        cmocka_unit_test(list_messages_come_in_list_order),
        cmocka_unit_test(malformed_lists_fail_the_channel),
        cmocka_unit_test(lists_that_are_too_long_are_refused),
        cmocka_unit_test(server_takes_no_lists),
        cmocka_unit_test(client_skips_unknown_messages_of_any_size),
        cmocka_unit_test(server_fails_on_unknown_messages),
        cmocka_unit_test(bodies_larger_than_their_kind_fail_at_the_header),
        cmocka_unit_test(messages_before_a_broken_one_are_still_given),
        cmocka_unit_test(a_held_channel_gives_nothing_but_answers_pings),
        cmocka_unit_test(no_more_is_read_ahead_than_is_allowed),
        cmocka_unit_test(a_peer_that_does_not_read_cannot_make_us_queue_without_bound),
        cmocka_unit_test(sends_stop_at_the_limit_and_lose_nothing),
        cmocka_unit_test(leading_bytes_go_first),
        cmocka_unit_test(both_ends_agree_however_bytes_are_cut),
        cmocka_unit_test(truncated_messages_are_waited_for),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
