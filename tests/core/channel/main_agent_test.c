/* SPDX-License-Identifier: MIT */
/* The server of a main channel between a client and the agent of its machine. */
#include "tests/core/channel/main_ends.h"

#include "core/wire/agent.h"

static const char AGENT_START[] = "6a00 04000000 03000000";

/* A server whose client has sent AGENT_START with three tokens. */
static struct sm_main_server *server_with_agent(struct sm_agent_policy policy)
{
    struct sm_main_server *server = sm_test_main_server_with(SM_TEST_MAIN_CAPS, true, policy);
    struct sm_main_server_start start = SM_TEST_START;
    start.has_agent = true;
    sm_check_status(sm_main_server_start(server, &start), SM_OK);
    struct sm_main_server_event event;
    sm_test_feed_hex(sm_main_server_machine(server), AGENT_START);
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    assert_int_equal(event.kind, SM_MAIN_SERVER_AGENT_START);
    (void)sm_test_take_pending(sm_main_server_machine(server), 0);
    return server;
}

static const char CAPS_PIECE[] = "6b00 1c000000 01000000 06000000 0000000000000000 08000000"
                                 "01000000 6f1c0000";

static void server_passes_pieces_on_and_returns_tokens_in_fives(void **state)
{
    (void)state;
    struct sm_main_server *server = server_with_agent(SM_TEST_ALLOWED);
    struct sm_machine machine = sm_main_server_machine(server);
    struct sm_main_server_event event;
    for (int i = 0; i < 5; i++) {
        sm_test_feed_hex(machine, CAPS_PIECE);
        sm_check_status(sm_main_server_next(server, &event), SM_OK);
        assert_int_equal(event.kind, SM_MAIN_SERVER_AGENT_DATA);
        assert_int_equal(event.data.size, 28);
        sm_check_pending(machine, "");
        sm_check_status(sm_main_server_agent_taken(server, 1), SM_OK);
    }
    sm_check_pending(machine, "6e00 04000000 05000000");
    sm_check_status(sm_main_server_agent_taken(server, 100), SM_OK); /* nothing is owed */
    sm_check_pending(machine, "");
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void server_ends_sessions_that_break_the_rules_of_tokens(void **state)
{
    (void)state;
    struct sm_main_server *server = server_with_agent(SM_TEST_ALLOWED);
    struct sm_main_server_event event;
    for (int i = 0; i < 10; i++) {
        sm_test_feed_hex(sm_main_server_machine(server), CAPS_PIECE);
        sm_check_status(sm_main_server_next(server, &event), SM_OK);
    }
    sm_test_feed_hex(sm_main_server_machine(server), CAPS_PIECE);
    sm_check_status(sm_main_server_next(server, &event), SM_ERR_PROTOCOL);
    assert_string_equal(sm_channel_reason(sm_main_server_channel(server)), "token violation");
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

/* FILE_XFER_START of 2,000,000 bytes, and STATUS: cancelled. */
static const char START_PIECE[] =
    "6b00 40000000 01000000 0a000000 0000000000000000 2c000000 01000000"
    "5b76646167656e742d66696c652d786665725d0a" /* [vdagent-file-xfer] */
    "6e616d653d610a"                           /* name=a */
    "73697a653d323030303030300a";              /* size=2000000 */
static const char CANCEL_PIECE[] =
    "6b00 1c000000 01000000 0b000000 0000000000000000 08000000 01000000 01000000";

static void server_lends_tokens_for_a_file(void **state)
{
    (void)state;
    struct sm_main_server *server = server_with_agent(SM_TEST_ALLOWED);
    struct sm_machine machine = sm_main_server_machine(server);
    struct sm_main_server_event event;
    sm_test_feed_hex(machine, START_PIECE);
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    sm_check_pending(machine, "6e00 04000000 f6010000"); /* 502 and the first ten */
    for (int i = 0; i < 511; i++) {                      /* this many it may send indeed */
        sm_test_feed_hex(machine, i == 510 ? CANCEL_PIECE : CAPS_PIECE);
        sm_check_status(sm_main_server_next(server, &event), SM_OK);
    }
    sm_check_pending(machine, "");
    sm_check_status(sm_main_server_agent_taken(server, 502), SM_OK); /* they were a loan */
    sm_check_pending(machine, "");
    sm_check_status(sm_main_server_agent_taken(server, 10), SM_OK);
    sm_check_pending(machine, "6e00 04000000 0a000000");
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void server_lends_nothing_while_the_machine_moves(void **state)
{
    (void)state;
    struct sm_main_server *server = server_with_agent(SM_TEST_ALLOWED);
    struct sm_machine machine = sm_main_server_machine(server);
    struct sm_main_server_event event;
    sm_main_server_set_moving(server, true);
    sm_test_feed_hex(machine, START_PIECE);
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    sm_check_pending(machine, "");
    sm_main_server_set_moving(server, false);
    sm_check_status(sm_main_server_agent_taken(server, 1), SM_OK);
    sm_check_pending(machine, "6e00 04000000 f7010000"); /* 502, and the one taken */
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void window_is_as_large_as_what_is_to_come(void **state)
{
    (void)state;
    struct sm_agent_window window = {0};
    assert_int_equal(sm_agent_window_tokens(&window, 0), 10);
    assert_int_equal(sm_agent_window_tokens(&window, 2049), 12);
    assert_int_equal(sm_agent_window_tokens(&window, UINT32_MAX), 512);
    struct sm_bytes start = sm_test_hex(START_PIECE);
    for (size_t size = 0; size <= start.size - 6; size++) { /* also without its end */
        struct sm_agent_window cut = {0};
        sm_agent_window_note(&cut, sm_test_copy(start.data + 6, size));
        assert_true(cut.file_bytes <= 2000000);
    }
    sm_agent_window_note(&window, (struct sm_bytes){start.data + 6, start.size - 6});
    assert_int_equal(window.file_bytes, 2000000);
    /* a block of 65,536 bytes that begins, then one of more than all */
    sm_agent_window_note(
        &window,
        sm_test_hex("01000000 0c000000 0000000000000000 0c000100 01000000 0000010000000000"));
    assert_int_equal(window.file_bytes, 2000000 - 65536);
    sm_agent_window_note(&window, sm_test_hex("01000000 0c000000 0000000000000000 ffffffff"));
    assert_int_equal(window.file_bytes, 0);
    /* sizes beyond measure, again and again */
    struct sm_bytes huge =
        sm_test_hex("01000000 0a000000 0000000000000000 30000000"
                    "0a73697a653d3939393939393939393939393939393939393939393939");
    for (int i = 0; i < 100; i++)
        sm_agent_window_note(&window, huge);
    assert_int_equal(sm_agent_window_tokens(&window, UINT32_MAX), 512);
    sm_test_free_copies();
}

static void server_discards_before_agent_start_but_not_nonsense(void **state)
{
    (void)state;
    struct sm_main_server *server = sm_test_main_server();
    sm_check_status(sm_main_server_start(server, &SM_TEST_START), SM_OK);
    struct sm_machine machine = sm_main_server_machine(server);
    struct sm_main_server_event event;
    sm_test_feed_hex(machine, AGENT_START); /* there is no agent */
    for (int i = 0; i < 20; i++)
        sm_test_feed_hex(machine, CAPS_PIECE);
    sm_check_status(sm_main_server_next(server, &event), SM_AGAIN);
    sm_test_feed_hex(machine, "6b00 04000000 01000000");
    sm_check_status(sm_main_server_next(server, &event), SM_ERR_PROTOCOL);
    assert_string_equal(sm_channel_reason(sm_main_server_channel(server)),
                        "invalid agent message: incomplete header");
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void server_drops_what_the_policy_forbids(void **state)
{
    (void)state;
    struct sm_main_server *server = server_with_agent((struct sm_agent_policy){0});
    struct sm_machine machine = sm_main_server_machine(server);
    struct sm_main_server_event event;
    for (int i = 0; i < 5; i++) { /* CLIPBOARD_RELEASE */
        sm_test_feed_hex(machine, "6b00 14000000 01000000 09000000 0000000000000000 00000000");
        sm_check_status(sm_main_server_next(server, &event), SM_AGAIN);
    }
    sm_check_pending(machine, "6e00 04000000 05000000"); /* as if consumed */
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void monitors_go_to_the_graphics_device_when_it_takes_them(void **state)
{
    (void)state;
    struct sm_main_server *server =
        server_with_agent((struct sm_agent_policy){.intercepts_monitors = true});
    struct sm_machine machine = sm_main_server_machine(server);
    struct sm_main_server_event event;
    /* one monitor, in two pieces */
    sm_test_feed_hex(machine, "6b00 1c000000 01000000 02000000 0000000000000000 1c000000"
                              "01000000 00000000");
    sm_check_status(sm_main_server_next(server, &event), SM_AGAIN);
    sm_test_feed_hex(machine, "6b00 14000000 00030000 00040000 20000000 00000000 00000000");
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    assert_int_equal(event.kind, SM_MAIN_SERVER_AGENT_MONITORS);
    sm_check_bytes(event.data, sm_test_hex("01000000 00000000 00030000 00040000 20000000"
                                           "00000000 00000000"));
    sm_main_server_destroy(server);

    static const char *const BAD[] = {
        /* says more than all monitors of the world take */
        "6b00 1c000000 01000000 02000000 0000000000000000 09180000 01000000 00000000",
        /* a count that does not fit the size */
        "6b00 1c000000 01000000 02000000 0000000000000000 08000000 01000000 00000000",
    };
    for (int i = 0; i < 2; i++) {
        server = server_with_agent((struct sm_agent_policy){.intercepts_monitors = true});
        sm_test_feed_hex(sm_main_server_machine(server), BAD[i]);
        sm_check_status(sm_main_server_next(server, &event), SM_ERR_PROTOCOL);
        sm_main_server_destroy(server);
    }
    sm_test_free_copies();
}

static void agent_messages_wait_for_tokens_and_not_for_ever(void **state)
{
    (void)state;
    struct sm_main_server *server = server_with_agent(SM_TEST_ALLOWED);
    struct sm_machine machine = sm_main_server_machine(server);
    struct sm_main_server_event event;
    struct sm_bytes piece = sm_test_hex("0102");
    for (int i = 0; i < 3; i++) {
        assert_true(sm_main_server_agent_room(server));
        sm_check_status(sm_main_server_agent_send(server, piece), SM_OK);
    }
    assert_false(sm_main_server_agent_room(server));
    sm_check_pending(machine, "6d00 02000000 0102 6d00 02000000 0102 6d00 02000000 0102");
    for (int i = 0; i < 5; i++)
        sm_check_status(sm_main_server_agent_send(server, piece), SM_OK);
    sm_check_pending(machine, "");
    assert_true(sm_machine_deadline(machine) <= 30000000);
    sm_check_status(sm_machine_tick(machine, 30000000), SM_OK); /* the clock starts here */
    assert_int_equal(sm_machine_deadline(machine), 60000000);
    sm_test_feed_hex(machine, "6c00 04000000 06000000"); /* six tokens for the five */
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    assert_int_equal(event.kind, SM_MAIN_SERVER_AGENT_ROOM);
    assert_int_equal(sm_test_take_pending(machine, 30000000).size, 5 * 8);
    assert_true(sm_machine_deadline(machine) == UINT64_MAX);
    for (int i = 0; i < 6; i++)
        sm_check_status(sm_main_server_agent_send(server, piece), SM_OK);
    sm_check_status(sm_machine_tick(machine, 70000000), SM_OK);
    sm_check_status(sm_machine_tick(machine, 99999999), SM_OK);
    sm_check_status(sm_machine_tick(machine, 100000000), SM_ERR_LIMIT);
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void too_many_waiting_agent_messages_end_the_session(void **state)
{
    (void)state;
    struct sm_main_server *server = server_with_agent(SM_TEST_ALLOWED);
    struct sm_bytes piece = sm_test_hex("01");
    for (int i = 0; i < 3 + SM_MAIN_AGENT_QUEUE_COUNT; i++)
        sm_check_status(sm_main_server_agent_send(server, piece), SM_OK);
    sm_check_status(sm_main_server_agent_send(server, piece), SM_ERR_LIMIT);
    sm_main_server_destroy(server);

    /* unlimited tokens do not mean unlimited memory */
    server = server_with_agent(SM_TEST_ALLOWED);
    struct sm_main_server_event event;
    sm_test_feed_hex(sm_main_server_machine(server), "6a00 04000000 ffffffff");
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    static const uint8_t FULL[2048];
    int count = 0;
    while (sm_main_server_agent_room(server) && count < 100000) {
        sm_check_status(sm_main_server_agent_send(server, (struct sm_bytes){FULL, sizeof(FULL)}),
                        SM_OK);
        count++;
    }
    assert_true(count > 100 && count < 1000);
    sm_machine_sent(sm_main_server_machine(server), 100000, 1);
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    assert_int_equal(event.kind, SM_MAIN_SERVER_AGENT_ROOM);
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void agents_come_and_go(void **state)
{
    (void)state;
    struct sm_main_server *server = server_with_agent(SM_TEST_ALLOWED);
    struct sm_machine machine = sm_main_server_machine(server);
    struct sm_main_server_event event;
    /* the client has begun a message of 3000 bytes when the agent goes */
    uint8_t piece[6 + 2048] = {0x6b, 0, 0, 8, 0, 0, 1, 0, 0, 0, 4};
    piece[22] = 0xb8;
    piece[23] = 0x0b;
    struct sm_bytes begun = sm_test_copy(piece, sizeof(piece));
    size_t taken;
    sm_check_status(sm_test_feed(machine, begun, 0, &taken), SM_OK);
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    sm_check_status(sm_main_server_set_agent(server, true), SM_OK); /* no news */
    sm_check_pending(machine, "");
    sm_check_status(sm_main_server_set_agent(server, false), SM_OK);
    sm_check_pending(machine, "6c00 04000000 00000000");
    sm_check_status(sm_main_server_agent_taken(server, 1), SM_OK); /* too late to count */
    sm_check_status(sm_main_server_agent_send(server, begun), SM_ERR_LIMIT);
    sm_check_status(sm_main_server_agent_send(server, sm_test_hex("01")), SM_OK);
    sm_check_pending(machine, "");
    /* it finishes its message, for nobody */
    uint8_t rest[6 + 972] = {0x6b, 0, 0xcc, 0x03};
    sm_check_status(sm_test_feed(machine, sm_test_copy(rest, sizeof(rest)), 0, &taken), SM_OK);
    sm_check_status(sm_main_server_next(server, &event), SM_AGAIN);
    sm_check_status(sm_main_server_set_agent(server, true), SM_OK);
    sm_check_pending(machine, "7300 04000000 0a000000");
    sm_test_feed_hex(machine, AGENT_START);
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    sm_test_feed_hex(machine, CAPS_PIECE);
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    assert_int_equal(event.kind, SM_MAIN_SERVER_AGENT_DATA);
    sm_main_server_destroy(server);

    server = sm_test_main_server_with(0, true, SM_TEST_ALLOWED); /* a client of old */
    sm_check_status(sm_main_server_start(server, &SM_TEST_START), SM_OK);
    (void)sm_test_take_pending(sm_main_server_machine(server), 0);
    sm_check_status(sm_main_server_set_agent(server, true), SM_OK);
    sm_check_pending(sm_main_server_machine(server), "6b00 00000000");
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_passes_pieces_on_and_returns_tokens_in_fives),
        cmocka_unit_test(server_ends_sessions_that_break_the_rules_of_tokens),
        cmocka_unit_test(server_lends_tokens_for_a_file),
        cmocka_unit_test(server_lends_nothing_while_the_machine_moves),
        cmocka_unit_test(window_is_as_large_as_what_is_to_come),
        cmocka_unit_test(server_discards_before_agent_start_but_not_nonsense),
        cmocka_unit_test(server_drops_what_the_policy_forbids),
        cmocka_unit_test(monitors_go_to_the_graphics_device_when_it_takes_them),
        cmocka_unit_test(agent_messages_wait_for_tokens_and_not_for_ever),
        cmocka_unit_test(too_many_waiting_agent_messages_end_the_session),
        cmocka_unit_test(agents_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
