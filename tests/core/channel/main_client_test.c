/* SPDX-License-Identifier: MIT */
/* The client of a main channel: what it says, and to its agent. */
#include "tests/core/channel/main_ends.h"

#include <stdlib.h>

#include "core/wire/agent.h"

static void client_attaches_as_captured(void **state)
{
    (void)state;
    struct sm_main_client *client = sm_test_main_client();
    sm_test_feed_hex(sm_main_client_machine(client), SM_TEST_MAIN_START_HEX);
    sm_test_feed_hex(sm_main_client_machine(client),
                     "0400 0c000000 01000000 0383db5900000000"
                     "6800 12000000 07000000 0600 0500 0900 0200 0400 0a00 0300");
    struct sm_main_client_event event;
    sm_check_main_message(client, SM_MSG_MAIN_INIT);
    assert_int_equal(sm_main_client_session_id(client), 0xc1242c94);
    assert_int_equal(sm_main_client_mouse_mode(client), SM_MOUSE_MODE_SERVER);
    assert_false(sm_main_client_has_agent(client));
    sm_check_pending(sm_main_client_machine(client),
                     "0300 0c000000 01000000 0383db5900000000 6800 00000000");
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    sm_check_bytes(event.msg->name.name, sm_test_hex("776972657465737400"));
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    sm_check_bytes(((struct sm_bytes){event.msg->uuid.uuid, 16}),
                   ((struct sm_bytes){SM_TEST_START.uuid, 16}));
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    assert_int_equal(event.msg->channels_list.num_channels, 7);
    assert_int_equal(event.msg->channels_list.channels[3].type, SM_CHANNEL_DISPLAY);
    sm_check_no_main_event(client);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_asks_for_the_mouse_mode_it_wants(void **state)
{
    (void)state;
    struct sm_main_client *client = sm_test_main_client_with((struct sm_main_client_config){
        .wanted_mouse_mode = SM_MOUSE_MODE_CLIENT, .is_migration_target = true});
    struct sm_machine machine = sm_main_client_machine(client);
    sm_test_feed_hex(machine, SM_TEST_MAIN_START_HEX);
    sm_check_main_message(client, SM_MSG_MAIN_INIT);
    sm_check_pending(machine, ""); /* not supported; no ATTACH_CHANNELS at a target */
    sm_test_feed_hex(machine, "6900 04000000 0300 0100");
    sm_check_main_message(client, SM_MSG_MAIN_NAME);
    sm_check_main_message(client, SM_MSG_MAIN_UUID);
    sm_check_main_message(client, SM_MSG_MAIN_MOUSE_MODE);
    sm_check_pending(machine, "6900 02000000 0200");
    sm_test_feed_hex(machine, "6900 04000000 0300 0200");
    sm_check_main_message(client, SM_MSG_MAIN_MOUSE_MODE);
    sm_check_pending(machine, "");
    sm_check_status(sm_main_client_want_mouse_mode(client, SM_MOUSE_MODE_SERVER), SM_OK);
    sm_check_pending(machine, "6900 02000000 0100");
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_starts_the_agent_and_announces(void **state)
{
    (void)state;
    struct sm_main_client *client = sm_test_started_main_client(false);
    struct sm_machine machine = sm_main_client_machine(client);
    sm_check_status(sm_main_client_send_agent(client, 6, sm_test_hex("01000000 6f1c0000")),
                    SM_ERR_STATE);
    sm_test_feed_hex(machine, "7300 04000000 0a000000");
    sm_check_main_message(client, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS);
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
    struct sm_main_client *client = sm_test_started_main_client(true);
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
    sm_check_main_message(client, SM_MSG_MAIN_AGENT_TOKEN);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 4 * (6 + 2048));
    sm_test_feed_hex(machine, "6e00 04000000 ffffffff");
    sm_check_main_message(client, SM_MSG_MAIN_AGENT_TOKEN);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 6 + 30020 - 14 * 2048);
    assert_int_equal(sm_main_client_agent_queued(client), 0);
    free(body);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

static void client_gives_large_data_without_a_copy(void **state)
{
    (void)state;
    struct sm_main_client *client = sm_test_started_main_client(true);
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
    sm_check_main_message(client, SM_MSG_MAIN_AGENT_TOKEN);
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
    struct sm_main_client *client = sm_test_started_main_client(true);
    struct sm_machine machine = sm_main_client_machine(client);
    static const uint8_t BODY[2048 * 11];
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, sizeof(BODY)}),
                    SM_OK);
    sm_check_status(sm_main_client_send_agent(client, 4, (struct sm_bytes){BODY, 5}), SM_OK);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 10 * 2054);
    sm_test_feed_hex(machine, "6c00 04000000 00000000");
    sm_check_main_message(client, SM_MSG_MAIN_AGENT_DISCONNECTED);
    assert_false(sm_main_client_has_agent(client));
    assert_int_equal(sm_main_client_agent_queued(client), 2048 + 20);
    sm_test_feed_hex(machine, "7300 04000000 0a000000");
    sm_check_main_message(client, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS);
    struct sm_bytes out = sm_test_take_pending(machine, 0);
    assert_int_equal(out.size, 10 + 2054 + 26); /* AGENT_START and the rest, not the second */
    /* each agent that comes sets the stock, whatever is left of the former one */
    sm_test_feed_hex(machine, "7300 04000000 02000000");
    sm_check_main_message(client, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS);
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
    struct sm_main_client *client = sm_test_main_client_with((struct sm_main_client_config){
        .max_agent_queue_bytes = 10000, .max_agent_message_bytes = 20000});
    sm_test_feed_hex(sm_main_client_machine(client),
                     "6700 20000000 07000000 01000000 01000000 01000000 01000000"
                     "00000000 00000000 00000000"); /* no token at all */
    sm_check_main_message(client, SM_MSG_MAIN_INIT);
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
    struct sm_main_client *client = sm_test_started_main_client(true);
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
    sm_check_main_message(client, SM_MSG_MAIN_AGENT_TOKEN);
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
    struct sm_main_client *client = sm_test_started_main_client(true);
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
    sm_check_no_main_event(client);
    /* between them a message of the server */
    sm_test_feed_hex(machine, "6a00 04000000 01000000 6d00 06000000 0000 01000000");
    sm_check_main_message(client, SM_MSG_MAIN_MULTI_MEDIA_TIME);
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    assert_int_equal(event.agent_type, SM_AGENT_ANNOUNCE_CAPABILITIES);
    sm_check_bytes(event.agent_body, sm_test_hex("01000000"));
    sm_check_no_main_event(client);
    sm_test_feed_hex(machine, "6d00 14000000 02000000 03000000 0000000000000000 00000000");
    sm_check_status(sm_main_client_next(client, &event), SM_ERR_PROTOCOL);
    sm_main_client_destroy(client);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_attaches_as_captured),
        cmocka_unit_test(client_asks_for_the_mouse_mode_it_wants),
        cmocka_unit_test(client_starts_the_agent_and_announces),
        cmocka_unit_test(client_cuts_messages_and_keeps_to_its_tokens),
        cmocka_unit_test(client_gives_large_data_without_a_copy),
        cmocka_unit_test(client_finishes_what_it_began_when_the_agent_goes),
        cmocka_unit_test(client_bounds_what_waits_for_the_agent),
        cmocka_unit_test(client_keeps_the_newest_monitors_config_however_much_waits),
        cmocka_unit_test(client_joins_what_the_agent_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
