/* SPDX-License-Identifier: MIT */
/* The channels of usbredir, port and webdav, both ends, over wires that cut anywhere. */
#include "tests/core/channel/wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/channel/spicevmc/client.h"
#include "core/channel/spicevmc/packing.h"
#include "core/channel/spicevmc/server.h"
#include "media/libs.h"
#include "tests/support/failmalloc.h"

enum { LZ4 = 1u << SM_SPICEVMC_CAP_DATA_COMPRESS_LZ4, LARGE = 65568 };

static struct sm_spicevmc_server *new_server(uint32_t caps, const char *name)
{
    struct sm_spicevmc_server_config config = {
        .setup = {.has_mini_header = true, .channel_caps = caps},
        .lz4 = &sm_media_lz4,
        .port_name = name,
        .is_port_open = true};
    struct sm_spicevmc_server *server = NULL;
    sm_check_status(sm_spicevmc_server_create(&server, &config, 0), SM_OK);
    return server;
}

static struct sm_spicevmc_client *new_client(uint32_t caps, bool is_port)
{
    struct sm_spicevmc_client_config config = {
        .setup = {.has_mini_header = true, .channel_caps = caps},
        .lz4 = &sm_media_lz4,
        .is_port = is_port};
    struct sm_spicevmc_client *client = NULL;
    sm_check_status(sm_spicevmc_client_create(&client, &config, 0), SM_OK);
    return client;
}

static struct sm_bytes text(const char *words)
{
    return (struct sm_bytes){.data = (const uint8_t *)words, .size = strlen(words)};
}

/* Source: docs/wire/spicevmc.md, the fields of each message. */
static void the_server_says_everything_in_the_bytes_of_the_wire(void **state)
{
    (void)state;
    struct sm_spicevmc_server *server = new_server(0, "ab");
    struct sm_machine machine = sm_spicevmc_server_machine(server);
    sm_check_pending(machine, "c900 0c000000 03000000 09000000 01 616200");
    sm_check_status(sm_spicevmc_server_data(server, text("xyz")), SM_OK);
    sm_check_pending(machine, "6500 03000000 78797a");
    sm_check_status(sm_spicevmc_server_port_event(server, SM_PORT_EVENT_CLOSED), SM_OK);
    sm_check_pending(machine, "ca00 01000000 01");
    sm_spicevmc_server_destroy(server);

    server = new_server(0, NULL); /* usbredir has no name and no events */
    machine = sm_spicevmc_server_machine(server);
    sm_check_pending(machine, "");
    sm_check_status(sm_spicevmc_server_port_event(server, SM_PORT_EVENT_CLOSED), SM_OK);
    sm_check_pending(machine, "");
    sm_spicevmc_server_destroy(server);
    sm_test_free_copies();
}

static void the_client_says_everything_in_the_bytes_of_the_wire(void **state)
{
    (void)state;
    struct sm_spicevmc_client *client = new_client(0, true);
    struct sm_machine machine = sm_spicevmc_client_machine(client);
    sm_check_pending(machine, "");
    sm_check_status(sm_spicevmc_client_data(client, text("xyz"), true), SM_OK);
    sm_check_pending(machine, "6500 03000000 78797a");
    sm_check_status(sm_spicevmc_client_port_event(client, SM_PORT_EVENT_BREAK), SM_OK);
    sm_check_pending(machine, "c900 01000000 02");
    sm_spicevmc_client_destroy(client);

    client = new_client(0, false);
    sm_check_status(sm_spicevmc_client_port_event(client, SM_PORT_EVENT_BREAK), SM_ERR_STATE);
    sm_spicevmc_client_destroy(client);
}

/* The type of the only message that is pending. */
static uint16_t pending_type(struct sm_machine machine)
{
    struct sm_bytes out = sm_machine_pending(machine);
    return out.size < 6 ? 0 : (uint16_t)(out.data[0] | out.data[1] << 8);
}

static void data_is_packed_where_it_gets_smaller_and_the_peer_can(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint32_t caps;
        bool is_random;
        uint16_t type;
    } cases[] = {
        {SM_SPICEVMC_PACK_ABOVE, LZ4, false, SM_MSG_SPICEVMC_DATA},
        {SM_SPICEVMC_PACK_ABOVE + 1, LZ4, false, SM_MSG_SPICEVMC_COMPRESSED_DATA},
        {LARGE, LZ4, false, SM_MSG_SPICEVMC_COMPRESSED_DATA},
        {LARGE, LZ4, true, SM_MSG_SPICEVMC_DATA},
        {LARGE, 0, false, SM_MSG_SPICEVMC_DATA},
    };
    uint8_t *bytes = malloc(LARGE);
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sm_test_random random = {i + 1};
        for (size_t at = 0; at < cases[i].size; at++)
            bytes[at] = cases[i].is_random ? (uint8_t)sm_test_random_next(&random) : at / 50 % 256;
        struct sm_bytes data = {.data = bytes, .size = cases[i].size};
        struct sm_spicevmc_server *server = new_server(cases[i].caps, NULL);
        struct sm_spicevmc_client *client = new_client(cases[i].caps, false);
        sm_check_status(sm_spicevmc_server_data(server, data), SM_OK);
        sm_check_status(sm_spicevmc_client_data(client, data, true), SM_OK);
        assert_int_equal(pending_type(sm_spicevmc_server_machine(server)), cases[i].type);
        assert_int_equal(pending_type(sm_spicevmc_client_machine(client)), cases[i].type);

        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_spicevmc_server_machine(server),
                          sm_spicevmc_client_machine(client), 5000, i + 1);
        while (sm_test_wire_step(&wire))
            ;
        struct sm_spicevmc_server_event at_server;
        struct sm_spicevmc_client_event at_client;
        sm_check_status(sm_spicevmc_server_next(server, &at_server), SM_OK);
        sm_check_status(sm_spicevmc_client_next(client, &at_client), SM_OK);
        sm_check_bytes(at_server.data, data);
        sm_check_bytes(at_client.data, data);
        sm_test_wire_finish(&wire);
        sm_spicevmc_client_destroy(client);
        sm_spicevmc_server_destroy(server);
    }
    free(bytes);
}

static void what_may_not_wait_is_not_packed(void **state)
{
    (void)state;
    static const uint8_t zeros[4000];
    struct sm_spicevmc_client *client = new_client(LZ4, false);
    sm_check_status(sm_spicevmc_client_data(client, SM_TEST_BYTES(zeros), false), SM_OK);
    assert_int_equal(pending_type(sm_spicevmc_client_machine(client)), SM_MSGC_SPICEVMC_DATA);
    sm_spicevmc_client_destroy(client);
}

static void a_port_talks_both_ways_however_bytes_are_cut(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 30; cut += 4) {
        struct sm_spicevmc_server *server = new_server(LZ4, "org.sumac.test.0");
        struct sm_spicevmc_client *client = new_client(LZ4, true);
        sm_check_status(sm_spicevmc_server_data(server, text("to client")), SM_OK);
        sm_check_status(sm_spicevmc_server_port_event(server, SM_PORT_EVENT_CLOSED), SM_OK);
        sm_check_status(sm_spicevmc_client_data(client, text("to device"), true), SM_OK);
        sm_check_status(sm_spicevmc_client_port_event(client, SM_PORT_EVENT_BREAK), SM_OK);
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_spicevmc_server_machine(server),
                          sm_spicevmc_client_machine(client), cut, cut);
        while (sm_test_wire_step(&wire))
            ;
        struct sm_spicevmc_client_event at_client;
        sm_check_status(sm_spicevmc_client_next(client, &at_client), SM_OK);
        assert_int_equal(at_client.kind, SM_SPICEVMC_CLIENT_PORT_INIT);
        sm_check_bytes(at_client.data, text("org.sumac.test.0"));
        assert_true(at_client.is_open);
        sm_check_status(sm_spicevmc_client_next(client, &at_client), SM_OK);
        assert_int_equal(at_client.kind, SM_SPICEVMC_CLIENT_DATA);
        sm_check_bytes(at_client.data, text("to client"));
        sm_check_status(sm_spicevmc_client_next(client, &at_client), SM_OK);
        assert_int_equal(at_client.kind, SM_SPICEVMC_CLIENT_PORT_EVENT);
        assert_int_equal(at_client.port_event, SM_PORT_EVENT_CLOSED);
        sm_check_status(sm_spicevmc_client_next(client, &at_client), SM_AGAIN);

        struct sm_spicevmc_server_event at_server;
        sm_check_status(sm_spicevmc_server_next(server, &at_server), SM_OK);
        assert_int_equal(at_server.kind, SM_SPICEVMC_SERVER_DATA);
        sm_check_bytes(at_server.data, text("to device"));
        sm_check_status(sm_spicevmc_server_next(server, &at_server), SM_OK);
        assert_int_equal(at_server.kind, SM_SPICEVMC_SERVER_PORT_EVENT);
        assert_int_equal(at_server.port_event, SM_PORT_EVENT_BREAK);
        sm_check_status(sm_spicevmc_server_next(server, &at_server), SM_AGAIN);
        sm_test_wire_finish(&wire);
        sm_spicevmc_client_destroy(client);
        sm_spicevmc_server_destroy(server);
    }
}

/* `hex` may be refused at its header already, or when it is pulled. */
static bool server_refuses(const char *hex, bool is_port)
{
    struct sm_spicevmc_server *server = new_server(LZ4, is_port ? "port" : NULL);
    struct sm_spicevmc_server_event event;
    size_t taken;
    enum sm_status fed =
        sm_test_feed(sm_spicevmc_server_machine(server), sm_test_hex(hex), 0, &taken);
    enum sm_status pulled = sm_spicevmc_server_next(server, &event);
    sm_spicevmc_server_destroy(server);
    return fed < 0 || pulled < 0;
}

static bool client_refuses(const char *hex, bool is_port)
{
    struct sm_spicevmc_client *client = new_client(LZ4, is_port);
    struct sm_spicevmc_client_event event;
    size_t taken;
    enum sm_status fed =
        sm_test_feed(sm_spicevmc_client_machine(client), sm_test_hex(hex), 0, &taken);
    enum sm_status pulled = sm_spicevmc_client_next(client, &event);
    sm_spicevmc_client_destroy(client);
    return fed < 0 || pulled < 0;
}

/* "6161" and so on: nine letters, as an LZ4 block of eleven bytes. */
#define NINE_BLOCK "90 616161616161616161"

static void packed_data_has_to_be_what_it_claims(void **state)
{
    (void)state;
    static const char *const right = "6600 0f000000 01 09000000 " NINE_BLOCK;
    static const char *const wrong[] = {
        "6600 0f000000 01 08000000 " NINE_BLOCK,         /* it is more than it says */
        "6600 0f000000 01 0a000000 " NINE_BLOCK,         /* less */
        "6600 0f000000 01 00000000 " NINE_BLOCK,         /* nothing */
        "6600 0f000000 01 ffffffff " NINE_BLOCK,         /* absurd */
        "6600 0f000000 02 09000000 " NINE_BLOCK,         /* packed by something else */
        "6600 0e000000 01 09000000 90 6161616161616161", /* cut */
        "6600 05000000 01 09000000",                     /* empty */
        "6600 04000000 01 090000",                       /* a header cut */
        "6600 00000000",
        "6600 09000000 01 09000000 14 61 ffff", /* refers to bytes before the first */
    };
    assert_false(server_refuses(right, false));
    assert_false(client_refuses(right, false));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_true(server_refuses(wrong[i], false));
        assert_true(client_refuses(wrong[i], true));
    }
    /* Unpacked data in a packed message: the client of the reference would take it. */
    assert_true(server_refuses("6600 02000000 00 61", false));
    assert_false(client_refuses("6600 02000000 00 61", false));
    sm_test_free_copies();
}

static void the_server_refuses_what_its_channel_does_not_have(void **state)
{
    (void)state;
    assert_false(server_refuses("c900 01000000 02", true));
    assert_true(server_refuses("c900 01000000 02", false));  /* usbredir has no events */
    assert_true(server_refuses("c900 02000000 0200", true)); /* one byte, no more */
    assert_true(server_refuses("c900 00000000", true));
    assert_true(server_refuses("6500 01000001", true)); /* DATA above its limit */
    assert_true(server_refuses("0500 00000000", true)); /* MIGRATE_DATA out of the blue */
    assert_true(server_refuses("6700 00000000", true)); /* unknown */
    sm_test_free_copies();
}

static void the_client_refuses_ports_without_a_name(void **state)
{
    (void)state;
    assert_false(client_refuses("c900 0a000000 01000000 09000000 01 00", true));
    assert_true(client_refuses("c900 09000000 00000000 09000000 01", true));
    assert_true(client_refuses("c900 0a000000 01000000 09000000 01 61", true)); /* no NUL */
    assert_true(client_refuses("c900 0a000000 ffffffff 09000000 01 00", true));
    assert_true(client_refuses("c900 0a000000 01000000 0a000000 01 00", true));
    sm_test_free_copies();
}

static void a_line_that_takes_nothing_stops_the_device(void **state)
{
    (void)state;
    static uint8_t piece[LARGE];
    struct sm_spicevmc_server *server = new_server(0, NULL);
    unsigned count = 0;
    while (!sm_channel_is_full(sm_spicevmc_server_channel(server)) && count++ < 100)
        sm_check_status(sm_spicevmc_server_data(server, SM_TEST_BYTES(piece)), SM_OK);
    assert_int_equal(count, 16); /* of 64 KiB and a little: 1 MiB */
    sm_check_status(sm_spicevmc_server_data(server, SM_TEST_BYTES(piece)), SM_AGAIN);
    sm_test_take_pending(sm_spicevmc_server_machine(server), 0);
    sm_check_status(sm_spicevmc_server_data(server, SM_TEST_BYTES(piece)), SM_OK);
    sm_spicevmc_server_destroy(server);
    sm_test_free_copies();
}

static void talk(void *context)
{
    struct sm_spicevmc_server_config server_config = {
        .setup = {.has_mini_header = true, .channel_caps = LZ4},
        .lz4 = &sm_media_lz4,
        .port_name = "port"};
    struct sm_spicevmc_client_config client_config = {
        .setup = {.has_mini_header = true, .channel_caps = LZ4},
        .lz4 = &sm_media_lz4,
        .is_port = true};
    struct sm_spicevmc_server *server = NULL;
    struct sm_spicevmc_client *client = NULL;
    (void)context;
    static const uint8_t zeros[4000];
    if (sm_spicevmc_server_create(&server, &server_config, 0) == SM_OK &&
        sm_spicevmc_client_create(&client, &client_config, 0) == SM_OK &&
        sm_spicevmc_client_data(client, SM_TEST_BYTES(zeros), true) == SM_OK) {
        struct sm_spicevmc_server_event event;
        size_t taken;
        enum sm_status status =
            sm_machine_receive(sm_spicevmc_server_machine(server),
                               sm_machine_pending(sm_spicevmc_client_machine(client)), 0, &taken);
        if (status == SM_OK)
            status = sm_spicevmc_server_next(server, &event);
        assert_true(status == SM_OK || status == SM_ERR_NOMEM);
        if (status == SM_OK)
            assert_int_equal(event.data.size, sizeof(zeros));
    }
    sm_spicevmc_client_destroy(client);
    sm_spicevmc_server_destroy(server);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(talk, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_says_everything_in_the_bytes_of_the_wire),
        cmocka_unit_test(the_client_says_everything_in_the_bytes_of_the_wire),
        cmocka_unit_test(data_is_packed_where_it_gets_smaller_and_the_peer_can),
        cmocka_unit_test(what_may_not_wait_is_not_packed),
        cmocka_unit_test(a_port_talks_both_ways_however_bytes_are_cut),
        cmocka_unit_test(packed_data_has_to_be_what_it_claims),
        cmocka_unit_test(the_server_refuses_what_its_channel_does_not_have),
        cmocka_unit_test(the_client_refuses_ports_without_a_name),
        cmocka_unit_test(a_line_that_takes_nothing_stops_the_device),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
