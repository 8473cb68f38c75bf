/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include "core/channel/smartcard/client.h"
#include "core/channel/smartcard/server.h"
#include "tests/support/failmalloc.h"

static struct sm_smartcard_server *new_server(void)
{
    struct sm_smartcard_server_config config = {
        .setup = {.has_mini_header = true, .is_local = true}};
    struct sm_smartcard_server *server = NULL;
    sm_check_status(sm_smartcard_server_create(&server, &config, 0), SM_OK);
    return server;
}

static struct sm_smartcard_client *new_client(void)
{
    struct sm_smartcard_client_config config = {.setup = {.has_mini_header = true}};
    struct sm_smartcard_client *client = NULL;
    sm_check_status(sm_smartcard_client_create(&client, &config, 0), SM_OK);
    return client;
}

/* Source: docs/wire/smartcard.md: three little-endian words, then the data. */
static void messages_go_both_ways_however_they_are_cut(void **state)
{
    (void)state;
    struct sm_bytes apdu = {(const uint8_t *)"\x00\xa4\x04\x00", 4};
    for (size_t cut = 1; cut < 30; cut += 4) {
        struct sm_smartcard_server *server = new_server();
        struct sm_smartcard_client *client = new_client();
        sm_check_status(sm_smartcard_server_send(
                            server, &(struct sm_msg_smartcard_data){.type = SM_SMARTCARD_TYPE_APDU,
                                                                    .reader_id = 7,
                                                                    .data = apdu}),
                        SM_OK);
        sm_check_bytes(sm_machine_pending(sm_smartcard_server_machine(server)),
                       sm_test_hex("6500 10000000 07000000 07000000 04000000 00a40400"));
        sm_check_status(sm_smartcard_client_send(client,
                                                 &(struct sm_msgc_smartcard_data){
                                                     .type = SM_SMARTCARD_TYPE_READER_ADD,
                                                     .reader_id = SM_SMARTCARD_UNDEFINED_READER}),
                        SM_OK);
        sm_check_bytes(sm_machine_pending(sm_smartcard_client_machine(client)),
                       sm_test_hex("6500 0c000000 03000000 ffffffff 00000000"));
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_smartcard_server_machine(server),
                          sm_smartcard_client_machine(client), cut, cut);
        while (sm_test_wire_step(&wire))
            ;
        const struct sm_msg_smartcard_data *at_client;
        const struct sm_smartcard_msgc *at_server;
        sm_check_status(sm_smartcard_client_next(client, &at_client), SM_OK);
        assert_int_equal(at_client->type, SM_SMARTCARD_TYPE_APDU);
        assert_int_equal(at_client->reader_id, 7);
        sm_check_bytes(at_client->data, apdu);
        sm_check_status(sm_smartcard_client_next(client, &at_client), SM_AGAIN);
        sm_check_status(sm_smartcard_server_next(server, &at_server), SM_OK);
        assert_int_equal(at_server->type, SM_MSGC_SMARTCARD_DATA);
        assert_int_equal(at_server->data.type, SM_SMARTCARD_TYPE_READER_ADD);
        assert_int_equal(at_server->data.data.size, 0);
        sm_check_status(sm_smartcard_server_next(server, &at_server), SM_AGAIN);
        sm_test_wire_finish(&wire);
        sm_smartcard_client_destroy(client);
        sm_smartcard_server_destroy(server);
    }
    sm_test_free_copies();
}

static void both_ends_refuse_messages_that_lie_about_their_size(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "6500 10000000 07000000 00000000 05000000 00a40400", /* one byte is missing */
        "6500 10000000 07000000 00000000 ffffffff 00a40400",
        "6500 0b000000 07000000 00000000 000000", /* a header cut */
        "6500 00000000",
        "6500 01000100", /* more than 64 KiB */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sm_smartcard_server *server = new_server();
        struct sm_smartcard_client *client = new_client();
        const struct sm_msg_smartcard_data *at_client;
        const struct sm_smartcard_msgc *at_server;
        size_t taken;
        struct sm_bytes bytes = sm_test_hex(wrong[i]);
        enum sm_status a = sm_test_feed(sm_smartcard_server_machine(server), bytes, 0, &taken);
        enum sm_status b = sm_test_feed(sm_smartcard_client_machine(client), bytes, 0, &taken);
        assert_true(a < 0 || sm_smartcard_server_next(server, &at_server) < 0);
        assert_true(b < 0 || sm_smartcard_client_next(client, &at_client) < 0);
        sm_smartcard_client_destroy(client);
        sm_smartcard_server_destroy(server);
    }
    struct sm_smartcard_server *server = new_server();
    const struct sm_smartcard_msgc *msg;
    sm_test_feed_hex(sm_smartcard_server_machine(server), "0500 00000000"); /* MIGRATE_DATA */
    assert_true(sm_smartcard_server_next(server, &msg) < 0);
    sm_smartcard_server_destroy(server);
    sm_test_free_copies();
}

static void make_both(void *context)
{
    (void)context;
    struct sm_smartcard_server_config config = {.setup = {.has_mini_header = true}};
    struct sm_smartcard_server *server = NULL;
    if (sm_smartcard_server_create(&server, &config, 0) == SM_OK) {
        struct sm_msg_smartcard_data msg = {.type = SM_SMARTCARD_TYPE_APDU};
        enum sm_status status = sm_smartcard_server_send(server, &msg);
        assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    }
    sm_smartcard_server_destroy(server);
    struct sm_smartcard_client_config client_config = {.setup = {.has_mini_header = true}};
    struct sm_smartcard_client *client = NULL;
    enum sm_status status = sm_smartcard_client_create(&client, &client_config, 0);
    assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    sm_smartcard_client_destroy(client);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(make_both, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_both_ways_however_they_are_cut),
        cmocka_unit_test(both_ends_refuse_messages_that_lie_about_their_size),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
