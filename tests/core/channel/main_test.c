/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/main_ends.h"

#include <string.h>

#include "tests/support/failmalloc.h"

static void server_starts_with_the_bytes_of_the_capture(void **state)
{
    (void)state;
    struct sm_main_server *server = sm_test_main_server();
    sm_check_status(sm_main_server_start(server, &SM_TEST_START), SM_OK);
    sm_check_pending(sm_main_server_machine(server), SM_TEST_MAIN_START_HEX);
    sm_check_status(sm_main_server_start(server, &SM_TEST_START), SM_ERR_STATE);
    sm_main_server_destroy(server);

    server = sm_test_main_server_with(0, false,
                                      SM_TEST_ALLOWED); /* no NAME, no UUID, but the network test */
    sm_check_status(sm_main_server_start(server, &SM_TEST_START), SM_OK);
    assert_int_equal(sm_test_take_pending(sm_main_server_machine(server), 0).size,
                     38 + 18 + 18 + 256018);
    sm_main_server_destroy(server);
    sm_test_free_copies();
}

static void server_attaches_once_and_refuses_what_nobody_sends(void **state)
{
    (void)state;
    struct sm_main_server_event event;
    struct sm_main_server *server = sm_test_main_server();
    sm_check_status(
        sm_main_server_send(server, &(struct sm_main_msg){.type = SM_MSG_MAIN_MULTI_MEDIA_TIME}),
        SM_ERR_STATE);
    sm_check_status(sm_main_server_start(server, &SM_TEST_START), SM_OK);
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
        server = sm_test_main_server();
        sm_check_status(sm_main_server_start(server, &SM_TEST_START), SM_OK);
        sm_test_feed_hex(sm_main_server_machine(server), BAD[i]);
        sm_check_status(sm_main_server_next(server, &event), SM_ERR_PROTOCOL);
        sm_main_server_destroy(server);
    }
    server = sm_test_main_server();
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
        struct sm_main_client *client = sm_test_main_client();
        struct sm_main_server *server =
            sm_test_main_server_with(SM_TEST_MAIN_CAPS, false, SM_TEST_ALLOWED);
        struct sm_main_server_start start = SM_TEST_START;
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
        .setup = {.has_mini_header = true, .channel_caps = SM_TEST_MAIN_CAPS},
        .policy = SM_TEST_ALLOWED};
    struct sm_main_client *client = NULL;
    struct sm_main_server *server = NULL;
    struct sm_main_server_start start = SM_TEST_START;
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
        cmocka_unit_test(server_attaches_once_and_refuses_what_nobody_sends),
        cmocka_unit_test(both_ends_agree_however_bytes_are_cut),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
