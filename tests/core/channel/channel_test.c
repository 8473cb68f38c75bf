/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/channel.h"
#include "core/wire/display.h"
#include "tests/support/failmalloc.h"

static struct sm_channel *new_channel(enum sm_channel_role role, bool is_mini)
{
    struct sm_channel_config config = {
        .role = role,
        .has_mini_header = is_mini,
        .max_size = role == SM_CHANNEL_CLIENT ? sm_display_msg_max_size : sm_display_msgc_max_size,
    };
    struct sm_channel *channel = NULL;
    sm_check_status(sm_channel_create(&channel, &config, 0), SM_OK);
    return channel;
}

static struct sm_channel *new_client(void)
{
    return new_channel(SM_CHANNEL_CLIENT, true);
}

static struct sm_channel *new_server(void)
{
    return new_channel(SM_CHANNEL_SERVER, true);
}

static enum sm_status feed(struct sm_channel *channel, const char *hex, size_t piece)
{
    struct sm_bytes bytes = sm_test_hex(hex);
    size_t taken;
    enum sm_status status = sm_test_feed(sm_channel_machine(channel), bytes, piece, &taken);
    if (status == SM_OK)
        assert_int_equal(taken, bytes.size);
    return status;
}

static struct sm_bytes output(struct sm_channel *channel)
{
    return sm_test_take_pending(sm_channel_machine(channel), 0);
}

static void check_next(struct sm_channel *channel, uint16_t type, uint64_t serial, bool is_sub,
                       const char *body)
{
    struct sm_channel_message message;
    sm_check_status(sm_channel_next(channel, &message), SM_OK);
    assert_int_equal(message.type, type);
    assert_int_equal(message.serial, serial);
    assert_int_equal(message.is_sub, is_sub);
    sm_check_bytes(message.body, sm_test_hex(body));
}

static void check_no_more(struct sm_channel *channel)
{
    struct sm_channel_message message;
    sm_check_status(sm_channel_next(channel, &message), SM_AGAIN);
}

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

static const char LIST[] = "0800 2c000000 0200 1b000000 0a000000"
                           "6900 0b000000 0100 01 0100000064000000"
                           "0500 0b000000 01 0201 2a00000000000000";

static void list_messages_come_in_list_order(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 5; piece++) {
        struct sm_channel *client = new_client();
        sm_check_status(feed(client, LIST, piece), SM_OK);
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
    sm_check_status(feed(server, LIST, 0), SM_ERR_PROTOCOL);
    sm_channel_destroy(server);
    sm_test_free_copies();
}

static void pings_are_answered_before_anything_is_pulled(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    sm_check_status(feed(client,
                         "6600 00000000"
                         "0400 0c000000 07000000 0383db5900000000",
                         3),
                    SM_OK);
    sm_check_bytes(output(client), sm_test_hex("0300 0c000000 07000000 0383db5900000000"));
    check_next(client, SM_MSG_DISPLAY_MARK, 1, false, "");
    check_no_more(client);
    assert_int_equal(sm_channel_handled_serial(client), 2);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void large_pings_are_answered_and_not_kept(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    size_t size = 6 + 12 + 256000;
    uint8_t *ping = calloc(1, size);
    assert_non_null(ping);
    memcpy(ping, "\x04\x00\x0c\xe8\x03\x00\x03", 7);
    size_t taken;
    sm_check_status(
        sm_test_feed(sm_channel_machine(client), (struct sm_bytes){ping, size}, 1000, &taken),
        SM_OK);
    assert_int_equal(taken, size);
    sm_check_bytes(output(client), sm_test_hex("0300 0c000000 03000000 0000000000000000"));
    check_no_more(client);
    free(ping);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void short_pings_fail_the_channel(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    sm_check_status(feed(client, "0400 0b000000 07000000 0383db59000000", 0), SM_ERR_PROTOCOL);
    assert_int_equal(output(client).size, 0);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void client_acknowledges_every_window(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    sm_check_status(feed(client,
                         "6600 00000000"                   /* before: not counted */
                         "0300 08000000 05000000 03000000" /* window 3 */
                         "6600 00000000 0400 0c000000 07000000 0000000000000000"
                         "6700 00000000 6600 00000000",
                         0),
                    SM_OK);
    (void)output(client); /* the PONG */
    check_next(client, SM_MSG_DISPLAY_MARK, 1, false, "");
    check_next(client, SM_MSG_DISPLAY_MARK, 3, false, "");
    sm_check_bytes(output(client), sm_test_hex("0100 04000000 05000000"));
    check_next(client, SM_MSG_DISPLAY_RESET, 5, false, "");
    /* the ping counted; the ACK is out before the owner deals with the third */
    sm_check_bytes(output(client), sm_test_hex("0200 00000000"));
    check_next(client, SM_MSG_DISPLAY_MARK, 6, false, "");
    assert_int_equal(output(client).size, 0);
    assert_int_equal(sm_channel_unacked(client), 0); /* nobody acknowledges a client */
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void a_list_counts_once_and_acks_behind_its_items(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    sm_check_status(feed(client, "0300 08000000 01000000 01000000", 0), SM_OK);
    sm_check_status(feed(client, LIST, 0), SM_OK);
    struct sm_channel_message message;
    sm_check_status(sm_channel_next(client, &message), SM_OK);
    sm_check_bytes(output(client), sm_test_hex("0100 04000000 01000000"));
    sm_check_status(sm_channel_next(client, &message), SM_OK);
    assert_int_equal(output(client).size, 0);
    check_no_more(client);
    sm_check_bytes(output(client), sm_test_hex("0200 00000000"));
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void window_zero_switches_acknowledgements_off(void **state)
{
    (void)state;
    struct sm_channel *client = new_client();
    sm_check_status(feed(client,
                         "0300 08000000 01000000 01000000 6600 00000000"
                         "0300 08000000 02000000 00000000 6600 00000000 6600 00000000",
                         0),
                    SM_OK);
    struct sm_channel_message message;
    while (sm_channel_next(client, &message) == SM_OK)
        assert_int_equal(message.type, SM_MSG_DISPLAY_MARK);
    sm_check_bytes(output(client), sm_test_hex("0100 04000000 01000000 0200 00000000"
                                               "0100 04000000 02000000"));
    sm_channel_destroy(client);
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

static void send_marks(struct sm_channel *server, int count)
{
    for (int i = 0; i < count; i++)
        sm_check_status(sm_channel_send(server, SM_MSG_DISPLAY_MARK, sm_test_hex("")), SM_OK);
}

static void server_blocks_beyond_two_windows(void **state)
{
    (void)state;
    struct sm_channel *server = new_server();
    assert_false(sm_channel_is_blocked(server));
    sm_check_status(sm_channel_set_ack_window(server, 4), SM_OK);
    send_marks(server, 8);
    assert_false(sm_channel_is_blocked(server));
    send_marks(server, 1);
    assert_true(sm_channel_is_blocked(server));
    assert_int_equal(sm_channel_unacked(server), 9);
    assert_int_equal(sm_channel_unacked_bytes(server), 9 * 6);
    sm_check_status(feed(server, "0200 00000000", 0), SM_OK); /* not synced: means nothing */
    assert_int_equal(sm_channel_unacked(server), 9);
    sm_check_status(feed(server, "0100 04000000 07000000 0200 00000000", 0), SM_OK);
    assert_int_equal(sm_channel_unacked(server), 9); /* a stale generation */
    sm_check_status(feed(server, "0100 04000000 01000000 0200 00000000", 0), SM_OK);
    assert_int_equal(sm_channel_unacked(server), 5);
    assert_int_equal(sm_channel_unacked_bytes(server), 5 * 6);
    assert_false(sm_channel_is_blocked(server));
    sm_channel_destroy(server);
    sm_test_free_copies();
}

static void a_new_window_begins_a_new_generation(void **state)
{
    (void)state;
    struct sm_channel *server = new_server();
    sm_check_status(sm_channel_set_ack_window(server, 2), SM_OK);
    sm_check_status(feed(server, "0100 04000000 01000000", 0), SM_OK);
    send_marks(server, 4);
    sm_check_status(sm_channel_set_ack_window(server, 3), SM_OK);
    assert_int_equal(sm_channel_unacked(server), 0);
    send_marks(server, 4);
    sm_check_status(feed(server, "0200 00000000", 0), SM_OK); /* of the first window */
    assert_int_equal(sm_channel_unacked(server), 4);
    sm_check_status(feed(server, "0100 04000000 02000000 0200 00000000", 0), SM_OK);
    assert_int_equal(sm_channel_unacked(server), 1);
    sm_check_status(sm_channel_set_ack_window(server, 0), SM_OK);
    send_marks(server, 50);
    assert_false(sm_channel_is_blocked(server));
    assert_int_equal(sm_channel_unacked(server), 0);
    sm_channel_destroy(server);
    sm_test_free_copies();
}

static void a_flood_of_acks_counts_for_no_more_than_was_sent(void **state)
{
    (void)state;
    struct sm_channel *server = new_server();
    sm_check_status(sm_channel_set_ack_window(server, 2), SM_OK);
    sm_check_status(feed(server, "0100 04000000 01000000", 0), SM_OK);
    send_marks(server, 3);
    for (int i = 0; i < 1000; i++)
        sm_check_status(feed(server, "0200 00000000", 0), SM_OK);
    assert_int_equal(sm_channel_unacked(server), 0);
    assert_int_equal(sm_channel_unacked_bytes(server), 0);
    send_marks(server, 5);
    assert_true(sm_channel_is_blocked(server));
    sm_channel_destroy(server);
    sm_test_free_copies();
}

/* Everything on the way is at once at the other end, `delay_us` later. */
static void cross(struct sm_channel *from, struct sm_channel *to, uint64_t *now_us,
                  uint64_t delay_us)
{
    struct sm_bytes bytes = sm_test_take_pending(sm_channel_machine(from), *now_us);
    *now_us += delay_us;
    size_t taken;
    sm_check_status(sm_machine_receive(sm_channel_machine(to), bytes, *now_us, &taken), SM_OK);
    assert_int_equal(taken, bytes.size);
    struct sm_channel_message message;
    while (sm_channel_next(to, &message) == SM_OK)
        ;
}

static void idle_channels_are_pinged_and_measured(void **state)
{
    (void)state;
    struct sm_channel_config config = {.role = SM_CHANNEL_SERVER,
                                       .has_mini_header = true,
                                       .max_size = sm_display_msgc_max_size,
                                       .ping_interval_us = 15000000};
    struct sm_channel *server = NULL, *client = new_client();
    sm_check_status(sm_channel_create(&server, &config, 0), SM_OK);
    struct sm_machine machine = sm_channel_machine(server);
    assert_int_equal(sm_machine_deadline(machine), 100000);
    assert_true(sm_channel_rtt_us(server) == UINT64_MAX);
    uint64_t now = 50000;
    sm_machine_sent(machine, 0, now);
    send_marks(server, 1);
    cross(server, client, &now, 0);
    sm_check_status(sm_machine_tick(machine, 100000), SM_OK); /* not idle for long enough */
    assert_int_equal(sm_machine_pending(machine).size, 0);
    assert_int_equal(sm_machine_deadline(machine), 200000);
    now = 200000;
    sm_check_status(sm_machine_tick(machine, now), SM_OK);
    assert_int_equal(sm_machine_pending(machine).size, 2 * 18);
    assert_true(sm_machine_deadline(machine) == UINT64_MAX); /* one pair at a time */
    cross(server, client, &now, 3000);
    cross(client, server, &now, 4000);
    assert_int_equal(sm_channel_rtt_us(server), 7000);
    assert_int_equal(sm_machine_deadline(machine), now + 15000000);
    sm_channel_destroy(server);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void the_network_test_finds_latency_and_rate(void **state)
{
    (void)state;
    struct sm_channel *server = new_server(), *client = new_client();
    sm_check_status(sm_channel_start_net_test(client), SM_ERR_STATE);
    sm_check_status(sm_channel_start_net_test(server), SM_OK);
    sm_check_status(sm_channel_start_net_test(server), SM_ERR_STATE);
    struct sm_machine machine = sm_channel_machine(server), at_client = sm_channel_machine(client);
    assert_int_equal(sm_machine_pending(machine).size, 18 + 18 + 256018);
    /* the small ones take 10 ms there and back, the large one 210 ms: 200 ms for 256000 bytes */
    struct sm_bytes all = sm_test_take_pending(machine, 1000);
    size_t taken;
    sm_check_status(sm_machine_receive(at_client, all, 6000, &taken), SM_OK);
    assert_int_equal(taken, all.size);
    struct sm_bytes pongs = sm_test_take_pending(at_client, 6000);
    assert_int_equal(pongs.size, 3 * 18);
    sm_check_status(sm_machine_receive(machine, (struct sm_bytes){pongs.data, 36}, 11000, &taken),
                    SM_OK);
    assert_false(sm_channel_net_test(server).is_done);
    sm_check_status(
        sm_machine_receive(machine, (struct sm_bytes){pongs.data + 36, 18}, 211000, &taken), SM_OK);
    struct sm_channel_net_test test = sm_channel_net_test(server);
    assert_true(test.is_done);
    assert_int_equal(test.latency_us, 10000);
    assert_int_equal(test.bits_per_second, 10240000);
    sm_channel_destroy(server);
    sm_channel_destroy(client);
    sm_test_free_copies();
}

static void foreign_and_early_pongs_mean_nothing(void **state)
{
    (void)state;
    struct sm_channel *server = new_server();
    sm_check_status(feed(server, "0300 0c000000 09000000 0000000000000000", 0), SM_OK);
    sm_check_status(sm_channel_start_net_test(server), SM_OK);
    sm_check_status(feed(server, /* answers to pings that have not left */
                         "0300 0c000000 01000000 0000000000000000"
                         "0300 0c000000 02000000 0000000000000000"
                         "0300 0c000000 03000000 0000000000000000",
                         0),
                    SM_OK);
    assert_false(sm_channel_net_test(server).is_done);
    sm_channel_destroy(server);
    sm_test_free_copies();
}

static void a_client_without_sign_of_life_is_given_up(void **state)
{
    (void)state;
    struct sm_channel_config config = {.role = SM_CHANNEL_SERVER,
                                       .has_mini_header = true,
                                       .max_size = sm_display_msgc_max_size,
                                       .liveness_us = 30000000};
    struct sm_channel *server = NULL;
    sm_check_status(sm_channel_create(&server, &config, 0), SM_OK);
    struct sm_machine machine = sm_channel_machine(server);
    sm_check_status(sm_machine_tick(machine, 30000000), SM_OK);
    sm_check_status(sm_machine_tick(machine, 60000000), SM_OK); /* nothing is due from it */
    send_marks(server, 2);
    sm_check_status(sm_machine_tick(machine, 90000000), SM_OK); /* may have been sent just now */
    sm_machine_sent(machine, 1, 100000000);
    sm_check_status(sm_machine_tick(machine, 120000000), SM_OK); /* a byte has moved */
    assert_int_equal(sm_machine_deadline(machine), 150000000);
    sm_check_status(sm_machine_tick(machine, 150000000), SM_ERR_IO);
    assert_string_equal(sm_channel_reason(server), "the client gives no sign of life");
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
        cmocka_unit_test(pings_are_answered_before_anything_is_pulled),
        cmocka_unit_test(large_pings_are_answered_and_not_kept),
        cmocka_unit_test(short_pings_fail_the_channel),
        cmocka_unit_test(client_acknowledges_every_window),
        cmocka_unit_test(a_list_counts_once_and_acks_behind_its_items),
        cmocka_unit_test(window_zero_switches_acknowledgements_off),
        cmocka_unit_test(client_skips_unknown_messages_of_any_size),
        cmocka_unit_test(server_fails_on_unknown_messages),
        cmocka_unit_test(bodies_larger_than_their_kind_fail_at_the_header),
        cmocka_unit_test(messages_before_a_broken_one_are_still_given),
        cmocka_unit_test(a_held_channel_gives_nothing_but_answers_pings),
        cmocka_unit_test(no_more_is_read_ahead_than_is_allowed),
        cmocka_unit_test(a_peer_that_does_not_read_cannot_make_us_queue_without_bound),
        cmocka_unit_test(sends_stop_at_the_limit_and_lose_nothing),
        cmocka_unit_test(leading_bytes_go_first),
        cmocka_unit_test(server_blocks_beyond_two_windows),
        cmocka_unit_test(a_new_window_begins_a_new_generation),
        cmocka_unit_test(a_flood_of_acks_counts_for_no_more_than_was_sent),
        cmocka_unit_test(idle_channels_are_pinged_and_measured),
        cmocka_unit_test(the_network_test_finds_latency_and_rate),
        cmocka_unit_test(foreign_and_early_pongs_mean_nothing),
        cmocka_unit_test(a_client_without_sign_of_life_is_given_up),
        cmocka_unit_test(both_ends_agree_however_bytes_are_cut),
        cmocka_unit_test(truncated_messages_are_waited_for),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
