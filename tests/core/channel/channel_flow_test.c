/* SPDX-License-Identifier: MIT */
/* Acknowledgements, pings and signs of life. */
#include "tests/core/channel/channel_support.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/display.h"

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
    sm_check_status(feed(client, SM_TEST_LIST, 0), SM_OK);
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

static void bytes_in_flight_are_known_far_beyond_the_window(void **state)
{
    (void)state;
    struct sm_channel *server = new_server();
    sm_check_status(sm_channel_set_ack_window(server, 2), SM_OK);
    sm_check_status(feed(server, "0100 04000000 01000000", 0), SM_OK);
    uint64_t at[2001] = {0}, sent = 0; /* bytes behind each window */
    static const uint8_t BODY[64];
    for (uint64_t i = 1; i <= 4000; i++) {
        size_t size = i % sizeof(BODY);
        sm_check_status(sm_channel_send(server, SM_MSG_DISPLAY_MARK, (struct sm_bytes){BODY, size}),
                        SM_OK);
        sent += 6 + size;
        at[(i + 1) / 2] = sent;
    }
    for (uint64_t window = 1; window <= 2000; window++) {
        sm_check_status(feed(server, "0200 00000000", 0), SM_OK);
        assert_int_equal(sm_channel_unacked(server), 4000 - 2 * window);
        uint64_t in_flight = sm_channel_unacked_bytes(server);
        if (window <= 1024 || window == 2000)
            assert_int_equal(in_flight, sent - at[window]);
        else
            assert_true(in_flight >= sent - at[window]);
    }
    send_marks(server, 3); /* and precise again */
    sm_check_status(feed(server, "0200 00000000", 0), SM_OK);
    assert_int_equal(sm_channel_unacked_bytes(server), 6);
    sm_channel_destroy(server);
    sm_test_free_copies();
}

static void acknowledgements_need_no_owner_that_pulls(void **state)
{
    (void)state;
    struct sm_channel *server = new_server();
    sm_check_status(sm_channel_set_ack_window(server, 1), SM_OK);
    sm_check_status(feed(server, "0100 04000000 01000000", 0), SM_OK);
    for (int i = 0; i < 5000; i++) {
        send_marks(server, 1);
        sm_check_status(feed(server, "0200 00000000", 0), SM_OK);
        (void)output(server);
        sm_test_free_copies();
    }
    assert_int_equal(sm_channel_unacked(server), 0);
    sm_channel_destroy(server);
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

static void marks_measure_the_line_of_real_traffic(void **state)
{
    (void)state;
    struct sm_channel *server = new_server(), *client = new_client();
    assert_null(sm_channel_line(server));
    sm_check_status(sm_channel_measure_line(client, 0, 0), SM_ERR_STATE);
    sm_check_status(sm_channel_measure_line(server, 0, 0), SM_OK);
    sm_check_status(sm_channel_measure_line(server, 0, 0), SM_ERR_STATE);
    struct sm_line *line = sm_channel_line(server);
    assert_int_equal(sm_line_in_flight(line), 18);
    uint64_t now = 1000000;
    cross(server, client, &now, 5000);
    assert_int_equal(sm_machine_deadline(sm_channel_machine(server)), 2000000);
    cross(client, server, &now, 5000);
    assert_true(sm_machine_deadline(sm_channel_machine(server)) == UINT64_MAX);
    assert_int_equal(sm_line_in_flight(line), 0);
    assert_int_equal(sm_line_rtt_us(line), 10000);

    static const uint8_t PIXELS[5000];
    for (unsigned i = 0; i < 20; i++) {
        sm_check_status(sm_channel_send(server, SM_MSG_DISPLAY_DRAW_COPY,
                                        (struct sm_bytes){PIXELS, sizeof(PIXELS)}),
                        SM_OK);
        cross(server, client, &now, 5000);
        cross(client, server, &now, 5000);
        assert_in_range(sm_line_in_flight(line), 0, 2 * sizeof(PIXELS));
    }
    assert_int_equal(sm_channel_rtt_us(server), UINT64_MAX); /* marks are no latency pings */
    assert_in_range(sm_line_bytes_per_second(line), 400000, 600000);

    /* an answer that we never asked for, one to a mark that has not left */
    uint64_t in_flight = sm_line_in_flight(line);
    sm_check_status(feed(server, "0300 0c000000 00000080 ffffffffffffffff", now), SM_OK);
    assert_int_equal(sm_line_in_flight(line), in_flight);
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
    assert_string_equal(sm_channel_reason(server), "has been unresponsive for more than 30000 ms");
    sm_channel_destroy(server);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_acknowledges_every_window),
        cmocka_unit_test(a_list_counts_once_and_acks_behind_its_items),
        cmocka_unit_test(window_zero_switches_acknowledgements_off),
        cmocka_unit_test(pings_are_answered_before_anything_is_pulled),
        cmocka_unit_test(large_pings_are_answered_and_not_kept),
        cmocka_unit_test(short_pings_fail_the_channel),
        cmocka_unit_test(server_blocks_beyond_two_windows),
        cmocka_unit_test(a_new_window_begins_a_new_generation),
        cmocka_unit_test(bytes_in_flight_are_known_far_beyond_the_window),
        cmocka_unit_test(acknowledgements_need_no_owner_that_pulls),
        cmocka_unit_test(a_flood_of_acks_counts_for_no_more_than_was_sent),
        cmocka_unit_test(idle_channels_are_pinged_and_measured),
        cmocka_unit_test(the_network_test_finds_latency_and_rate),
        cmocka_unit_test(marks_measure_the_line_of_real_traffic),
        cmocka_unit_test(foreign_and_early_pongs_mean_nothing),
        cmocka_unit_test(a_client_without_sign_of_life_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
