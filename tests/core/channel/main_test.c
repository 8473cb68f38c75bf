/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/main/client.h"
#include "core/channel/main/server.h"
#include "core/wire/agent.h"
#include "tests/support/failmalloc.h"

enum { ALL_CAPS = 0x0f };

static const struct sm_agent_policy ALLOWED = {.has_copy_paste = true, .has_file_transfer = true};

static const uint8_t UUID[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static const struct sm_main_server_start START = {
    .session_id = 0xc1242c94,
    .display_channels_hint = 1,
    .supported_mouse_modes = 1,
    .current_mouse_mode = 1,
    .multi_media_time = 0x0016ff56,
    .ram_hint = 0x02ffe000,
    .name = "wiretest",
    .uuid = UUID,
};

/* Source: docs/wire, the captured start of a main channel. */
static const char CAPTURED_START[] =
    "6700 20000000 942c24c1 01000000 01000000 01000000 00000000 0a000000 56ff1600 00e0ff02"
    "7100 0d000000 09000000 776972657465737400"
    "7200 10000000 00112233445566778899aabbccddeeff";

static struct sm_main_server *new_server_with(uint32_t caps, bool is_local,
                                              struct sm_agent_policy policy)
{
    struct sm_main_server_config config = {
        .setup = {.has_mini_header = true, .channel_caps = caps, .is_local = is_local},
        .policy = policy};
    struct sm_main_server *server = NULL;
    sm_check_status(sm_main_server_create(&server, &config, 0), SM_OK);
    return server;
}

static struct sm_main_server *new_server(void)
{
    return new_server_with(ALL_CAPS, true, ALLOWED);
}

static struct sm_main_client *new_client_with(struct sm_main_client_config config)
{
    config.setup.has_mini_header = true;
    struct sm_main_client *client = NULL;
    sm_check_status(sm_main_client_create(&client, &config, 0), SM_OK);
    return client;
}

static struct sm_main_client *new_client(void)
{
    return new_client_with((struct sm_main_client_config){0});
}

static void check_event(struct sm_main_client *client, uint16_t type)
{
    struct sm_main_client_event event;
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    assert_int_equal(event.kind, SM_MAIN_CLIENT_MESSAGE);
    assert_int_equal(event.msg->type, type);
}

static void check_nothing(struct sm_main_client *client)
{
    struct sm_main_client_event event;
    sm_check_status(sm_main_client_next(client, &event), SM_AGAIN);
}

/* The client with its INIT behind it; `agent` tokens and state as told. */
static struct sm_main_client *started_client(bool has_agent)
{
    struct sm_main_client *client = new_client();
    sm_test_feed_hex(sm_main_client_machine(client),
                     has_agent ? "6700 20000000 07000000 01000000 01000000 01000000 01000000"
                                 "0a000000 00000000 00000000"
                               : "6700 20000000 07000000 01000000 01000000 01000000 00000000"
                                 "0a000000 00000000 00000000");
    check_event(client, SM_MSG_MAIN_INIT);
    (void)sm_test_take_pending(sm_main_client_machine(client), 0);
    return client;
}

static void server_starts_with_the_bytes_of_the_capture(void **state)
{
    (void)state;
    struct sm_main_server *server = new_server();
    sm_check_status(sm_main_server_start(server, &START), SM_OK);
    sm_check_pending(sm_main_server_machine(server), CAPTURED_START);
    sm_check_status(sm_main_server_start(server, &START), SM_ERR_STATE);
    sm_main_server_destroy(server);

    server = new_server_with(0, false, ALLOWED); /* no NAME, no UUID, but the network test */
    sm_check_status(sm_main_server_start(server, &START), SM_OK);
    assert_int_equal(sm_test_take_pending(sm_main_server_machine(server), 0).size,
                     38 + 18 + 18 + 256018);
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void client_attaches_as_captured(void **state)
{
    (void)state;
    struct sm_main_client *client = new_client();
    sm_test_feed_hex(sm_main_client_machine(client), CAPTURED_START);
    sm_test_feed_hex(sm_main_client_machine(client),
                     "0400 0c000000 01000000 0383db5900000000"
                     "6800 12000000 07000000 0600 0500 0900 0200 0400 0a00 0300");
    struct sm_main_client_event event;
    check_event(client, SM_MSG_MAIN_INIT);
    assert_int_equal(sm_main_client_session_id(client), 0xc1242c94);
    assert_int_equal(sm_main_client_mouse_mode(client), SM_MOUSE_MODE_SERVER);
    assert_false(sm_main_client_has_agent(client));
    sm_check_pending(sm_main_client_machine(client),
                     "0300 0c000000 01000000 0383db5900000000 6800 00000000");
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    sm_check_bytes(event.msg->name.name, sm_test_hex("776972657465737400"));
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    sm_check_bytes(((struct sm_bytes){event.msg->uuid.uuid, 16}), ((struct sm_bytes){UUID, 16}));
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    assert_int_equal(event.msg->channels_list.num_channels, 7);
    assert_int_equal(event.msg->channels_list.channels[3].type, SM_CHANNEL_DISPLAY);
    check_nothing(client);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_asks_for_the_mouse_mode_it_wants(void **state)
{
    (void)state;
    struct sm_main_client *client = new_client_with((struct sm_main_client_config){
        .wanted_mouse_mode = SM_MOUSE_MODE_CLIENT, .is_migration_target = true});
    struct sm_machine machine = sm_main_client_machine(client);
    sm_test_feed_hex(machine, CAPTURED_START);
    check_event(client, SM_MSG_MAIN_INIT);
    sm_check_pending(machine, ""); /* not supported; no ATTACH_CHANNELS at a target */
    sm_test_feed_hex(machine, "6900 04000000 0300 0100");
    check_event(client, SM_MSG_MAIN_NAME);
    check_event(client, SM_MSG_MAIN_UUID);
    check_event(client, SM_MSG_MAIN_MOUSE_MODE);
    sm_check_pending(machine, "6900 02000000 0200");
    sm_test_feed_hex(machine, "6900 04000000 0300 0200");
    check_event(client, SM_MSG_MAIN_MOUSE_MODE);
    sm_check_pending(machine, "");
    sm_check_status(sm_main_client_want_mouse_mode(client, SM_MOUSE_MODE_SERVER), SM_OK);
    sm_check_pending(machine, "6900 02000000 0100");
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_starts_the_agent_and_announces(void **state)
{
    (void)state;
    struct sm_main_client *client = started_client(false);
    struct sm_machine machine = sm_main_client_machine(client);
    sm_check_status(sm_main_client_send_agent(client, 6, sm_test_hex("01000000 6f1c0000")),
                    SM_ERR_STATE);
    sm_test_feed_hex(machine, "7300 04000000 0a000000");
    check_event(client, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS);
    assert_true(sm_main_client_has_agent(client));
    sm_check_pending(machine, "6a00 04000000 ffffffff");
    sm_check_status(sm_main_client_send_agent(client, 6, sm_test_hex("01000000 6f1c0000")), SM_OK);
    sm_check_pending(machine, "6b00 1c000000 01000000 06000000 0000000000000000 08000000"
                              "01000000 6f1c0000");
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_cuts_messages_and_keeps_to_its_tokens(void **state)
{
    (void)state;
    struct sm_main_client *client = started_client(true);
    struct sm_machine machine = sm_main_client_machine(client);
    uint8_t *body = calloc(1, 30000);
    assert_non_null(body);
    for (int i = 0; i < 30000; i++)
        body[i] = (uint8_t)(i % 251);
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){body, 30000}), SM_OK);
    struct sm_bytes out = sm_test_take_pending(machine, 0);
    assert_int_equal(out.size, 10 * (6 + 2048)); /* ten tokens */
    assert_int_equal(sm_main_client_agent_queued(client), 30020 - 10 * 2048);
    sm_check_bytes(((struct sm_bytes){out.data, 26}),
                   sm_test_hex("6b00 00080000 01000000 04000000 0000000000000000 30750000"));
    for (int i = 0; i < 2028; i++)
        assert_int_equal(out.data[26 + i], i % 251);
    sm_test_feed_hex(machine, "6e00 04000000 04000000");
    check_event(client, SM_MSG_MAIN_AGENT_TOKEN);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 4 * (6 + 2048));
    sm_test_feed_hex(machine, "6e00 04000000 ffffffff");
    check_event(client, SM_MSG_MAIN_AGENT_TOKEN);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 6 + 30020 - 14 * 2048);
    assert_int_equal(sm_main_client_agent_queued(client), 0);
    free(body);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_gives_large_data_without_a_copy(void **state)
{
    (void)state;
    struct sm_main_client *client = started_client(true);
    struct sm_machine machine = sm_main_client_machine(client);
    size_t sent, size;
    uint8_t *data = malloc(30000);
    assert_non_null(data);
    for (int i = 0; i < 30000; i++)
        data[i] = (uint8_t)(i % 251);
    assert_false(sm_main_client_agent_sending(client, 4, &sent, &size));
    sm_check_status(
        sm_main_client_give_agent(client, 4, sm_test_hex("01000000 02000000"), data, 30000), SM_OK);
    struct sm_bytes out = sm_test_take_pending(machine, 0);
    assert_int_equal(out.size, 10 * (6 + 2048)); /* ten tokens */
    sm_check_bytes(((struct sm_bytes){out.data, 34}),
                   sm_test_hex("6b00 00080000 01000000 04000000 0000000000000000 38750000"
                               "01000000 02000000"));
    for (int i = 0; i < 2020; i++)
        assert_int_equal(out.data[34 + i], i % 251);
    for (int i = 0; i < 2048; i++)
        assert_int_equal(out.data[6 + 2048 + 6 + i], (2020 + i) % 251);
    assert_true(sm_main_client_agent_sending(client, 4, &sent, &size));
    assert_int_equal(sent, 10 * 2048);
    assert_int_equal(size, 30028);
    assert_false(sm_main_client_agent_sending(client, 5, &sent, &size));
    sm_test_feed_hex(machine, "6e00 04000000 ffffffff");
    check_event(client, SM_MSG_MAIN_AGENT_TOKEN);
    (void)sm_test_take_pending(machine, 0);
    assert_int_equal(sm_main_client_agent_queued(client), 0);
    /* What cannot be sent is freed all the same; a head that is too long cannot. */
    sm_check_status(sm_main_client_give_agent(
                        client, 4, sm_test_hex("00000000 00000000 00000000 00"), calloc(1, 10), 10),
                    SM_ERR_LIMIT);
    sm_check_status(sm_main_client_give_agent(client, 4, sm_test_hex("00000000"), NULL, 0), SM_OK);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_finishes_what_it_began_when_the_agent_goes(void **state)
{
    (void)state;
    struct sm_main_client *client = started_client(true);
    struct sm_machine machine = sm_main_client_machine(client);
    static const uint8_t BODY[2048 * 11];
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, sizeof(BODY)}),
                    SM_OK);
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, 5}), SM_OK);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 10 * 2054);
    sm_test_feed_hex(machine, "6c00 04000000 00000000");
    check_event(client, SM_MSG_MAIN_AGENT_DISCONNECTED);
    assert_false(sm_main_client_has_agent(client));
    assert_int_equal(sm_main_client_agent_queued(client), 2048 + 20);
    sm_test_feed_hex(machine, "7300 04000000 0a000000");
    check_event(client, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS);
    struct sm_bytes out = sm_test_take_pending(machine, 0);
    assert_int_equal(out.size, 10 + 2054 + 26); /* AGENT_START and the rest, not the second */
    /* each agent that comes sets the stock, whatever is left of the former one */
    sm_test_feed_hex(machine, "7300 04000000 02000000");
    check_event(client, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS);
    (void)sm_test_take_pending(machine, 0);
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, sizeof(BODY)}),
                    SM_OK);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 2 * 2054);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_bounds_what_waits_for_the_agent(void **state)
{
    (void)state;
    struct sm_main_client *client = new_client_with((struct sm_main_client_config){
        .max_agent_queue_bytes = 10000, .max_agent_message_bytes = 20000});
    sm_test_feed_hex(sm_main_client_machine(client),
                     "6700 20000000 07000000 01000000 01000000 01000000 01000000"
                     "00000000 00000000 00000000"); /* no token at all */
    check_event(client, SM_MSG_MAIN_INIT);
    static const uint8_t BODY[20001];
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, 20001}),
                    SM_ERR_LIMIT);
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, 20000}), SM_OK);
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, 1}), SM_AGAIN);
    assert_int_equal(sm_main_client_agent_queued(client), 20020);
    /* The guest that waits for the clipboard hears that there is nothing; but not without end. */
    struct sm_bytes nothing = sm_test_hex("01000000 00000000");
    size_t count = 0;
    while (count < 1000 && sm_main_client_send_agent(client, SM_AGENT_CLIPBOARD, nothing) == SM_OK)
        count++;
    assert_int_equal(count, 256);
    sm_check_status(
        sm_main_client_send_agent(client, SM_AGENT_CLIPBOARD, sm_test_hex("01000000 01000000")),
        SM_AGAIN);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

/* A window that is resized while a file waits for tokens: the last size arrives, and soon. */
static void client_keeps_the_newest_monitors_config_however_much_waits(void **state)
{
    (void)state;
    struct sm_main_client *client = started_client(true);
    struct sm_machine machine = sm_main_client_machine(client);
    static const uint8_t FILE_PART[1 << 20];
    struct sm_bytes part = {FILE_PART, sizeof(FILE_PART)};
    sm_check_status(sm_main_client_send_agent(client, SM_AGENT_FILE_XFER_DATA, part), SM_OK);
    sm_check_status(sm_main_client_send_agent(client, SM_AGENT_CLIPBOARD, part), SM_OK);
    sm_check_status(sm_main_client_send_agent(client, SM_AGENT_CLIPBOARD, part), SM_AGAIN);
    (void)sm_test_take_pending(machine, 0); /* ten tokens' worth of the first one */
    for (uint8_t i = 1; i <= 100; i++)
        sm_check_status(
            sm_main_client_send_agent(client, SM_AGENT_MONITORS_CONFIG, (struct sm_bytes){&i, 1}),
            SM_OK);
    size_t left_of_first = sizeof(FILE_PART) + 20 - 10 * 2048;
    assert_int_equal(sm_main_client_agent_queued(client),
                     left_of_first + 21 + sizeof(FILE_PART) + 20);

    sm_test_feed_hex(machine, "6e00 04000000 00100000");
    check_event(client, SM_MSG_MAIN_AGENT_TOKEN);
    struct sm_bytes out = sm_test_take_pending(machine, 0);
    size_t wish = (left_of_first + 2047) / 2048 * 6 + left_of_first;
    sm_check_bytes(((struct sm_bytes){out.data + wish, 6 + 21}),
                   sm_test_hex("6b00 15000000 01000000 02000000 0000000000000000 01000000 64"));
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_joins_what_the_agent_says(void **state)
{
    (void)state;
    struct sm_main_client *client = started_client(true);
    struct sm_machine machine = sm_main_client_machine(client);
    struct sm_main_client_event event;
    /* a reply and the head of a second message in one piece, its rest in another */
    sm_test_feed_hex(machine, "6d00 2e000000"
                              "01000000 03000000 0000000000000000 08000000 02000000 01000000"
                              "01000000 06000000 0000000000000000 0400");
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    assert_int_equal(event.kind, SM_MAIN_CLIENT_AGENT);
    assert_int_equal(event.agent_type, SM_AGENT_REPLY);
    sm_check_bytes(event.agent_body, sm_test_hex("02000000 01000000"));
    check_nothing(client);
    /* between them a message of the server */
    sm_test_feed_hex(machine, "6a00 04000000 01000000 6d00 06000000 0000 01000000");
    check_event(client, SM_MSG_MAIN_MULTI_MEDIA_TIME);
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    assert_int_equal(event.agent_type, SM_AGENT_ANNOUNCE_CAPABILITIES);
    sm_check_bytes(event.agent_body, sm_test_hex("01000000"));
    check_nothing(client);
    sm_test_feed_hex(machine, "6d00 14000000 02000000 03000000 0000000000000000 00000000");
    sm_check_status(sm_main_client_next(client, &event), SM_ERR_PROTOCOL);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

/* ---- server ---- */

static const char AGENT_START[] = "6a00 04000000 03000000";

/* A server whose client has sent AGENT_START with three tokens. */
static struct sm_main_server *server_with_agent(struct sm_agent_policy policy)
{
    struct sm_main_server *server = new_server_with(ALL_CAPS, true, policy);
    struct sm_main_server_start start = START;
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
    struct sm_main_server *server = server_with_agent(ALLOWED);
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
    struct sm_main_server *server = server_with_agent(ALLOWED);
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
    struct sm_main_server *server = server_with_agent(ALLOWED);
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
    struct sm_main_server *server = server_with_agent(ALLOWED);
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
    struct sm_main_server *server = new_server();
    sm_check_status(sm_main_server_start(server, &START), SM_OK);
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
    struct sm_main_server *server = server_with_agent(ALLOWED);
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
    struct sm_main_server *server = server_with_agent(ALLOWED);
    struct sm_bytes piece = sm_test_hex("01");
    for (int i = 0; i < 3 + SM_MAIN_AGENT_QUEUE_COUNT; i++)
        sm_check_status(sm_main_server_agent_send(server, piece), SM_OK);
    sm_check_status(sm_main_server_agent_send(server, piece), SM_ERR_LIMIT);
    sm_main_server_destroy(server);

    /* unlimited tokens do not mean unlimited memory */
    server = server_with_agent(ALLOWED);
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
    struct sm_main_server *server = server_with_agent(ALLOWED);
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

    server = new_server_with(0, true, ALLOWED); /* a client of old */
    sm_check_status(sm_main_server_start(server, &START), SM_OK);
    (void)sm_test_take_pending(sm_main_server_machine(server), 0);
    sm_check_status(sm_main_server_set_agent(server, true), SM_OK);
    sm_check_pending(sm_main_server_machine(server), "6b00 00000000");
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void server_attaches_once_and_refuses_what_nobody_sends(void **state)
{
    (void)state;
    struct sm_main_server_event event;
    struct sm_main_server *server = new_server();
    sm_check_status(
        sm_main_server_send(server, &(struct sm_main_msg){.type = SM_MSG_MAIN_MULTI_MEDIA_TIME}),
        SM_ERR_STATE);
    sm_check_status(sm_main_server_start(server, &START), SM_OK);
    sm_test_feed_hex(sm_main_server_machine(server), "6800 00000000 6800 00000000"
                                                     "6900 02000000 0200");
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    assert_int_equal(event.msg->type, SM_MSGC_MAIN_ATTACH_CHANNELS);
    sm_check_status(sm_main_server_next(server, &event), SM_OK);
    assert_int_equal(event.msg->type, SM_MSGC_MAIN_MOUSE_MODE_REQUEST);
    sm_check_status(sm_main_server_next(server, &event), SM_AGAIN);
    (void)sm_test_take_pending(sm_main_server_machine(server), 0);
    sm_check_status(sm_main_server_warn(server, 7, "hello"), SM_OK);
    sm_check_pending(sm_main_server_machine(server),
                     "0700 1e000000 0700000000000000 01000000 02000000 00000000 05000000"
                     "68656c6c6f 00");
    sm_main_server_destroy(server);

    static const char *const BAD[] = {
        "6500 08000000 0000000000000000", /* CLIENT_INFO */
        "7000 01000000 00",               /* QUALITY_INDICATOR */
        "0400 00000000",
        "0500 01000000 00",
        "6b00 00000000",
        "6a00 03000000 000000",
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        server = new_server();
        sm_check_status(sm_main_server_start(server, &START), SM_OK);
        sm_test_feed_hex(sm_main_server_machine(server), BAD[i]);
        sm_check_status(sm_main_server_next(server, &event), SM_ERR_PROTOCOL);
        sm_main_server_destroy(server);
    }
    server = new_server();
    sm_check_status(
        sm_test_feed(sm_main_server_machine(server), sm_test_hex("6b00 01080000"), 0, NULL),
        SM_ERR_LIMIT); /* more agent data than a message may carry */
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

/* A long talk of both ends through an echoing agent, over a wire that cuts anywhere. */
static void both_ends_agree_however_bytes_are_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct sm_main_client *client = new_client();
        struct sm_main_server *server = new_server_with(ALL_CAPS, false, ALLOWED);
        struct sm_main_server_start start = START;
        start.has_agent = true;
        sm_check_status(sm_main_server_start(server, &start), SM_OK);
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_main_client_machine(client), sm_main_server_machine(server),
                          seed ? seed * 400 : 0, seed);
        static uint8_t body[9000];
        size_t sent = 0, got = 0, idle = 0;
        while (idle < 3) {
            idle = sm_test_wire_step(&wire) ? 0 : idle + 1;
            wire.now_us += 1000;
            struct sm_main_client_event at_client;
            struct sm_main_server_event at_server;
            while (sm_main_server_next(server, &at_server) == SM_OK) {
                if (at_server.kind != SM_MAIN_SERVER_AGENT_DATA)
                    continue;
                sm_check_status(sm_main_server_agent_send(server, at_server.data), SM_OK);
                sm_check_status(sm_main_server_agent_taken(server, 1), SM_OK);
            }
            while (sm_main_client_next(client, &at_client) == SM_OK) {
                if (at_client.kind != SM_MAIN_CLIENT_AGENT)
                    continue;
                assert_int_equal(at_client.agent_body.size, got * 700);
                for (size_t i = 0; i < at_client.agent_body.size; i++)
                    assert_int_equal(at_client.agent_body.data[i], (uint8_t)got);
                got++;
            }
            if (sent < 12 && sm_main_client_has_agent(client)) {
                memset(body, (int)sent, sizeof(body));
                sm_check_status(
                    sm_main_client_send_agent(client, 1000, (struct sm_bytes){body, sent * 700}),
                    SM_OK);
                sent++;
            }
        }
        assert_int_equal(got, 12);
        assert_true(sm_channel_net_test(sm_main_server_channel(server)).is_done);
        sm_test_wire_finish(&wire);
        sm_main_client_destroy(client);
        sm_main_server_destroy(server);
    }
}

static void session_once(void *context)
{
    (void)context;
    struct sm_main_client_config client_config = {.setup = {.has_mini_header = true}};
    struct sm_main_server_config server_config = {
        .setup = {.has_mini_header = true, .channel_caps = ALL_CAPS}, .policy = ALLOWED};
    struct sm_main_client *client = NULL;
    struct sm_main_server *server = NULL;
    struct sm_main_server_start start = START;
    start.has_agent = true;
    static const uint8_t BODY[5000];
    if (sm_main_client_create(&client, &client_config, 0) != SM_OK ||
        sm_main_server_create(&server, &server_config, 0) != SM_OK ||
        sm_main_server_start(server, &start) != SM_OK)
        goto out;
    struct sm_machine c = sm_main_client_machine(client), s = sm_main_server_machine(server);
    for (int round = 0; round < 4; round++) {
        size_t taken;
        struct sm_main_client_event at_client;
        struct sm_main_server_event at_server;
        enum sm_status status = sm_machine_receive(c, sm_machine_pending(s), 0, &taken);
        sm_machine_sent(s, taken, 0);
        while (status == SM_OK)
            status = sm_main_client_next(client, &at_client);
        if (round == 1)
            (void)!sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, sizeof(BODY)});
        status = sm_machine_receive(s, sm_machine_pending(c), 0, &taken);
        sm_machine_sent(c, taken, 0);
        while (status == SM_OK) {
            status = sm_main_server_next(server, &at_server);
            if (status == SM_OK && at_server.kind == SM_MAIN_SERVER_AGENT_DATA)
                (void)!sm_main_server_agent_send(server, at_server.data);
        }
    }
out:
    sm_main_client_destroy(client);
    sm_main_server_destroy(server);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(session_once, NULL);
    sm_main_client_destroy(NULL);
    sm_main_server_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_starts_with_the_bytes_of_the_capture),
        cmocka_unit_test(client_attaches_as_captured),
        cmocka_unit_test(client_asks_for_the_mouse_mode_it_wants),
        cmocka_unit_test(client_starts_the_agent_and_announces),
        cmocka_unit_test(client_cuts_messages_and_keeps_to_its_tokens),
        cmocka_unit_test(client_gives_large_data_without_a_copy),
        cmocka_unit_test(client_finishes_what_it_began_when_the_agent_goes),
        cmocka_unit_test(client_bounds_what_waits_for_the_agent),
        cmocka_unit_test(client_keeps_the_newest_monitors_config_however_much_waits),
        cmocka_unit_test(client_joins_what_the_agent_says),
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
        cmocka_unit_test(server_attaches_once_and_refuses_what_nobody_sends),
        cmocka_unit_test(both_ends_agree_however_bytes_are_cut),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
