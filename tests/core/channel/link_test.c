/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include <string.h>

#include "core/channel/link_client.h"
#include "core/channel/link_server.h"
#include "core/wire/link.h"
#include "tests/support/failmalloc.h"

/* Source: docs/wire, the captured link of a main channel. */
static const char CLIENT_HELLO[] = "52454451 02000000 02000000 1a000000 00000000 01 00 01000000"
                                   "01000000 12000000 0d000000 0f000000";
static const char SERVER_HEAD[] = "52454451 02000000 02000000 ba000000 00000000";
static const char SERVER_TAIL[] = "01000000 01000000 b2000000 0b000000 0f000000";

static struct sm_link_client *new_client(const struct sm_link_client_config *config)
{
    struct sm_link_client *client = NULL;
    sm_check_status(sm_link_client_create(&client, config, 0), SM_OK);
    return client;
}

static struct sm_link_server *new_server(bool has_sasl)
{
    struct sm_link_server *server = NULL;
    struct sm_link_server_config config = {.has_sasl = has_sasl};
    sm_check_status(sm_link_server_create(&server, &config, 0), SM_OK);
    return server;
}

static struct sm_bytes key(void)
{
    uint8_t bytes[SM_LINK_PUBLIC_KEY_SIZE];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    return sm_test_copy(bytes, sizeof(bytes));
}

static struct sm_bytes ticket(void)
{
    uint8_t bytes[SM_LINK_TICKET_SIZE];
    memset(bytes, 0x5a, sizeof(bytes));
    return sm_test_copy(bytes, sizeof(bytes));
}

static struct sm_bytes join(struct sm_bytes a, struct sm_bytes b)
{
    uint8_t bytes[1024];
    assert_true(a.size + b.size <= sizeof(bytes));
    if (a.size)
        memcpy(bytes, a.data, a.size);
    if (b.size)
        memcpy(bytes + a.size, b.data, b.size);
    return sm_test_copy(bytes, a.size + b.size);
}

static struct sm_bytes server_reply(void)
{
    return join(join(sm_test_hex(SERVER_HEAD), key()), sm_test_hex(SERVER_TAIL));
}

static struct sm_bytes error_reply(uint8_t error)
{
    uint8_t bytes[SM_LINK_HEADER_SIZE + SM_LINK_REPLY_SIZE] = {
        0x52, 0x45, 0x44, 0x51, 2, 0, 0, 0, 2, 0, 0, 0, 178, 0, 0, 0, error};
    return sm_test_copy(bytes, sizeof(bytes));
}

/* Runs both ends to the end of the link phase; the server says `result`. */
static void run_both(const struct sm_link_client_config *config, size_t max_cut, uint64_t seed,
                     uint32_t result)
{
    struct sm_link_client *client = new_client(config);
    struct sm_link_server *server = new_server(false);
    struct sm_test_wire wire;
    sm_test_wire_init(&wire, sm_link_client_machine(client), sm_link_server_machine(server),
                      max_cut, seed);

    struct sm_link_client_event at_client;
    struct sm_link_server_event at_server;
    bool is_done = false;
    int hellos = 0, tickets = 0;
    while (sm_test_wire_step(&wire) && !is_done) {
        while (sm_link_server_next(server, &at_server)) {
            if (at_server.kind == SM_LINK_SERVER_HELLO) {
                hellos++;
                assert_int_equal(at_server.connection_id, config->connection_id);
                assert_int_equal(at_server.channel_type, config->channel_type);
                assert_int_equal(at_server.channel_id, config->channel_id);
                assert_int_equal(at_server.channel_caps, config->channel_caps);
                sm_check_status(sm_link_server_accept(server, key(), 0x1052), SM_OK);
            } else {
                tickets++;
                assert_int_equal(at_server.kind, SM_LINK_SERVER_TICKET);
                sm_check_bytes(at_server.ticket, ticket());
                sm_check_status(sm_link_server_result(server, result), SM_OK);
            }
        }
        while (sm_link_client_next(client, &at_client)) {
            if (at_client.kind == SM_LINK_CLIENT_NEED_TICKET) {
                sm_check_bytes(at_client.public_key, key());
                sm_check_status(sm_link_client_ticket(client, ticket()), SM_OK);
            } else if (result == 0) {
                assert_int_equal(at_client.kind, SM_LINK_CLIENT_DONE);
                assert_int_equal(at_client.common_caps, 0x0b);
                assert_int_equal(at_client.channel_caps, 0x1052);
                assert_int_equal(at_client.has_mini_header, !config->no_mini_header);
                is_done = true;
            } else {
                assert_int_equal(at_client.kind, SM_LINK_CLIENT_REFUSED);
                assert_int_equal(at_client.error, result);
                assert_true(at_client.after_ticket);
                is_done = true;
            }
        }
    }
    assert_true(is_done);
    assert_int_equal(hellos, 1);
    assert_int_equal(tickets, 1);
    assert_int_equal(sm_link_server_is_done(server), result == 0);
    assert_int_equal(sm_link_server_is_failed(server), result != 0);
    assert_int_equal(sm_link_server_has_mini_header(server), !config->no_mini_header);
    sm_test_wire_finish(&wire);
    sm_link_client_destroy(client);
    sm_link_server_destroy(server);
    sm_test_free_copies();
}

static const struct sm_link_client_config DISPLAY = {.connection_id = 0xc1242c94,
                                                     .channel_type = SM_CHANNEL_DISPLAY,
                                                     .channel_id = 1,
                                                     .channel_caps = 0x3bf};

static void both_ends_agree_however_bytes_are_cut(void **state)
{
    (void)state;
    struct sm_link_client_config no_caps = {.channel_type = SM_CHANNEL_MAIN,
                                            .no_mini_header = true};
    for (uint64_t seed = 0; seed < 20; seed++) {
        run_both(&DISPLAY, seed, seed, 0);
        run_both(&DISPLAY, seed, seed, SM_LINK_ERR_PERMISSION_DENIED);
        run_both(&no_caps, 1, seed, 0);
    }
}

static void client_sends_the_bytes_of_the_capture(void **state)
{
    (void)state;
    struct sm_link_client_config config = {
        .channel_type = SM_CHANNEL_MAIN, .channel_caps = 0x0f, .has_sasl = true};
    struct sm_link_client *client = new_client(&config);
    sm_check_bytes(sm_test_take_pending(sm_link_client_machine(client), 0),
                   sm_test_hex(CLIENT_HELLO));
    sm_check_status(sm_test_feed(sm_link_client_machine(client), server_reply(), 0, NULL), SM_OK);
    struct sm_link_client_event event;
    assert_true(sm_link_client_next(client, &event));
    assert_int_equal(event.kind, SM_LINK_CLIENT_NEED_TICKET);
    sm_check_status(sm_link_client_ticket(client, ticket()), SM_OK);
    sm_check_bytes(sm_test_take_pending(sm_link_client_machine(client), 0),
                   join(sm_test_hex("01000000"), ticket()));
    sm_link_client_destroy(client);
    sm_test_free_copies();
}

static void server_sends_the_bytes_of_the_capture(void **state)
{
    (void)state;
    struct sm_link_server *server = new_server(false);
    struct sm_machine machine = sm_link_server_machine(server);
    sm_check_status(sm_test_feed(machine, sm_test_hex(CLIENT_HELLO), 1, NULL), SM_OK);
    struct sm_link_server_event event;
    assert_true(sm_link_server_next(server, &event));
    assert_int_equal(event.common_caps, 0x0d);
    assert_int_equal(event.channel_caps, 0x0f);
    sm_check_status(sm_link_server_accept(server, key(), 0x0f), SM_OK);
    sm_check_bytes(sm_test_take_pending(machine, 0), server_reply());
    sm_check_status(sm_test_feed(machine, join(sm_test_hex("01000000"), ticket()), 1, NULL), SM_OK);
    assert_true(sm_link_server_next(server, &event));
    sm_check_status(sm_link_server_result(server, 0), SM_OK);
    sm_check_bytes(sm_test_take_pending(machine, 0), sm_test_hex("00000000"));
    sm_link_server_destroy(server);
    sm_test_free_copies();
}

static void bytes_behind_the_link_are_left_alone(void **state)
{
    (void)state;
    struct sm_link_server *server = new_server(false);
    struct sm_machine machine = sm_link_server_machine(server);
    struct sm_bytes hello = sm_test_hex(CLIENT_HELLO);
    size_t taken = 0;
    sm_check_status(sm_test_feed(machine, join(hello, sm_test_hex("01000000")), 0, &taken), SM_OK);
    assert_int_equal(taken, hello.size); /* the answer to HELLO comes first */
    struct sm_link_server_event event;
    assert_true(sm_link_server_next(server, &event));
    sm_check_status(sm_link_server_accept(server, key(), 0), SM_OK);
    sm_check_status(
        sm_test_feed(machine,
                     join(join(sm_test_hex("01000000"), ticket()), sm_test_hex("680000000000")), 0,
                     &taken),
        SM_OK);
    assert_int_equal(taken, 4 + SM_LINK_TICKET_SIZE);
    assert_true(sm_link_server_next(server, &event));
    sm_check_status(sm_link_server_result(server, 0), SM_OK);
    sm_check_status(sm_test_feed(machine, sm_test_hex("680000000000"), 0, &taken), SM_OK);
    assert_int_equal(taken, 0);
    sm_link_server_destroy(server);
    sm_test_free_copies();
}

static void check_server_refuses(const char *hello, int error)
{
    for (size_t piece = 0; piece < 3; piece++) {
        struct sm_link_server *server = new_server(false);
        struct sm_machine machine = sm_link_server_machine(server);
        sm_check_status(sm_test_feed(machine, sm_test_hex(hello), piece, NULL), SM_ERR_PROTOCOL);
        assert_true(strlen(sm_machine_reason(machine)) > 0);
        struct sm_link_server_event event;
        assert_false(sm_link_server_next(server, &event));
        sm_check_bytes(sm_test_take_pending(machine, 0),
                       error < 0 ? sm_test_hex("") : error_reply((uint8_t)error));
        size_t taken = 1;
        sm_check_status(sm_machine_receive(machine, sm_test_hex("00"), 0, &taken),
                        SM_ERR_PROTOCOL); /* and stays so */
        assert_int_equal(taken, 0);
        sm_link_server_destroy(server);
    }
    sm_test_free_copies();
}

static void server_refuses_bad_hellos_with_the_right_code(void **state)
{
    (void)state;
    check_server_refuses("47455420", SM_LINK_ERR_INVALID_MAGIC); /* after four bytes alone */
    check_server_refuses("52454451 01000000 02000000 1a000000", SM_LINK_ERR_VERSION_MISMATCH);
    check_server_refuses("52454451 00000000 02000000 1a000000", -1); /* no reply at all */
    check_server_refuses("52454451 02000000 02000000 11000000", SM_LINK_ERR_INVALID_DATA);
    check_server_refuses("52454451 02000000 02000000 01100000", SM_LINK_ERR_INVALID_DATA);
    check_server_refuses("52454451 02000000 02000000 ffffffff", SM_LINK_ERR_INVALID_DATA);
    /* words: too many of either kind, offset into the fixed part, words beyond the end */
    check_server_refuses("52454451 02000000 02000000 12000000 00000000 01 00 01040000 00000000"
                         "12000000",
                         SM_LINK_ERR_INVALID_DATA);
    check_server_refuses("52454451 02000000 02000000 12000000 00000000 01 00 00000000 ffffffff"
                         "12000000",
                         SM_LINK_ERR_INVALID_DATA);
    check_server_refuses("52454451 02000000 02000000 16000000 00000000 01 00 01000000 00000000"
                         "11000000 00000000",
                         SM_LINK_ERR_INVALID_DATA);
    check_server_refuses("52454451 02000000 02000000 16000000 00000000 01 00 01000000 01000000"
                         "12000000 00000000",
                         SM_LINK_ERR_INVALID_DATA);
    check_server_refuses("52454451 02000000 02000000 16000000 00000000 01 00 01000000 00000000"
                         "ffffffff 00000000",
                         SM_LINK_ERR_INVALID_DATA);
}

static void server_takes_hellos_without_words_whatever_the_offset(void **state)
{
    (void)state;
    struct sm_link_server *server = new_server(false);
    struct sm_machine machine = sm_link_server_machine(server);
    sm_check_status(sm_test_feed(machine,
                                 sm_test_hex("52454451 02000000 09000000 14000000 07000000 02 03"
                                             "00000000 00000000 ffffffff aabb"),
                                 0, NULL),
                    SM_OK);
    struct sm_link_server_event event;
    assert_true(sm_link_server_next(server, &event));
    assert_int_equal(event.connection_id, 7);
    assert_int_equal(event.common_caps, 0);
    /* without the choice of a mechanism the ticket comes at once */
    sm_check_status(sm_link_server_accept(server, key(), 0), SM_OK);
    assert_false(sm_link_server_has_mini_header(server));
    sm_check_status(sm_test_feed(machine, ticket(), 1, NULL), SM_OK);
    assert_true(sm_link_server_next(server, &event));
    sm_check_bytes(event.ticket, ticket());
    sm_link_server_destroy(server);
    sm_test_free_copies();
}

static void server_refuses_mechanisms_it_did_not_offer(void **state)
{
    (void)state;
    static const struct {
        bool has_sasl;
        const char *mechanism;
    } CASES[] = {{false, "02000000"},
                 {false, "00000000"},
                 {false, "ffffffff"},
                 {true, "01000000"},
                 {true, "03000000"}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct sm_link_server *server = new_server(CASES[i].has_sasl);
        struct sm_machine machine = sm_link_server_machine(server);
        sm_check_status(sm_test_feed(machine, sm_test_hex(CLIENT_HELLO), 0, NULL), SM_OK);
        struct sm_link_server_event event;
        assert_true(sm_link_server_next(server, &event));
        sm_check_status(sm_link_server_accept(server, key(), 0), SM_OK);
        (void)sm_test_take_pending(machine, 0);
        sm_check_status(sm_test_feed(machine, sm_test_hex(CASES[i].mechanism), 0, NULL),
                        SM_ERR_PROTOCOL);
        sm_check_bytes(sm_test_take_pending(machine, 0), error_reply(SM_LINK_ERR_INVALID_DATA));
        sm_link_server_destroy(server);
    }
    sm_test_free_copies();
}

static void server_with_sasl_refuses_clients_that_cannot_choose(void **state)
{
    (void)state;
    struct sm_link_server *server = new_server(true);
    struct sm_machine machine = sm_link_server_machine(server);
    sm_check_status(sm_test_feed(machine,
                                 sm_test_hex("52454451 02000000 02000000 12000000 00000000 01 00"
                                             "00000000 00000000 12000000"),
                                 0, NULL),
                    SM_OK);
    struct sm_link_server_event event;
    assert_true(sm_link_server_next(server, &event));
    sm_check_status(sm_link_server_accept(server, (struct sm_bytes){0}, 0), SM_OK);
    assert_true(sm_link_server_is_failed(server));
    struct sm_bytes out = sm_test_take_pending(machine, 0);
    assert_true(out.size > 194);
    sm_check_bytes(((struct sm_bytes){out.data + out.size - 194, 194}),
                   error_reply(SM_LINK_ERR_VERSION_MISMATCH));
    sm_link_server_destroy(server);
    sm_test_free_copies();
}

static void refusals_reach_the_client_or_stay_silent(void **state)
{
    (void)state;
    for (int is_silent = 0; is_silent < 2; is_silent++) {
        struct sm_link_client *client = new_client(&DISPLAY);
        struct sm_link_server *server = new_server(false);
        struct sm_machine machine = sm_link_server_machine(server);
        sm_check_status(
            sm_test_feed(machine, sm_test_take_pending(sm_link_client_machine(client), 0), 5, NULL),
            SM_OK);
        struct sm_link_server_event at_server;
        assert_true(sm_link_server_next(server, &at_server));
        sm_check_status(sm_link_server_refuse(server, SM_LINK_ERR_NEED_SECURED, is_silent), SM_OK);
        assert_true(sm_link_server_is_failed(server));
        struct sm_bytes out = sm_test_take_pending(machine, 0);
        sm_check_status(sm_test_feed(sm_link_client_machine(client), out, 7, NULL), SM_OK);
        struct sm_link_client_event at_client;
        assert_int_equal(sm_link_client_next(client, &at_client), !is_silent);
        if (!is_silent) {
            assert_int_equal(at_client.kind, SM_LINK_CLIENT_REFUSED);
            assert_int_equal(at_client.error, SM_LINK_ERR_NEED_SECURED);
            assert_false(at_client.after_ticket);
        }
        sm_link_client_destroy(client);
        sm_link_server_destroy(server);
    }
    sm_test_free_copies();
}

static void client_understands_a_reply_where_a_result_was_due(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 4; piece++) {
        struct sm_link_client *client = new_client(&DISPLAY);
        struct sm_machine machine = sm_link_client_machine(client);
        struct sm_link_client_event event;
        sm_check_status(sm_test_feed(machine, server_reply(), piece, NULL), SM_OK);
        assert_true(sm_link_client_next(client, &event));
        sm_check_status(sm_link_client_ticket(client, ticket()), SM_OK);
        sm_check_status(sm_test_feed(machine, error_reply(SM_LINK_ERR_INVALID_DATA), piece, NULL),
                        SM_OK);
        assert_true(sm_link_client_next(client, &event));
        assert_int_equal(event.kind, SM_LINK_CLIENT_REFUSED);
        assert_int_equal(event.error, SM_LINK_ERR_INVALID_DATA);
        assert_true(event.after_ticket);
        sm_link_client_destroy(client);
    }
    sm_test_free_copies();
}

static void check_client_fails(struct sm_bytes reply, enum sm_status expected)
{
    for (size_t piece = 0; piece < 3; piece++) {
        struct sm_link_client *client = new_client(&DISPLAY);
        struct sm_machine machine = sm_link_client_machine(client);
        sm_check_status(sm_test_feed(machine, reply, piece, NULL), expected);
        struct sm_link_client_event event;
        assert_false(sm_link_client_next(client, &event));
        sm_check_status(sm_link_client_ticket(client, ticket()), SM_ERR_STATE);
        sm_link_client_destroy(client);
    }
}

static void client_rejects_malformed_replies(void **state)
{
    (void)state;
    check_client_fails(sm_test_hex("48545450 2f312e31 20343030 20426164"), SM_ERR_PROTOCOL);
    check_client_fails(sm_test_hex("52454451 01000000 02000000 ba000000"), SM_ERR_PROTOCOL);
    check_client_fails(sm_test_hex("52454451 02000000 02000000 b1000000"), SM_ERR_PROTOCOL);
    check_client_fails(sm_test_hex("52454451 02000000 02000000 01100000"), SM_ERR_LIMIT);
    check_client_fails(sm_test_hex("52454451 02000000 02000000 ffffffff"), SM_ERR_LIMIT);
    /* these lie about their words */
    check_client_fails(
        join(join(sm_test_hex("52454451 02000000 02000000 b2000000 00000000"), key()),
             sm_test_hex("01000000 00000000 b2000000")),
        SM_ERR_PROTOCOL);
    check_client_fails(join(join(sm_test_hex(SERVER_HEAD), key()),
                            sm_test_hex("01000000 02000000 b2000000 0b000000 0f000000")),
                       SM_ERR_PROTOCOL);
    check_client_fails(join(join(sm_test_hex(SERVER_HEAD), key()),
                            sm_test_hex("01000000 01000000 04000000 0b000000 0f000000")),
                       SM_ERR_PROTOCOL);
    check_client_fails(join(join(sm_test_hex(SERVER_HEAD), key()),
                            sm_test_hex("ffffffff ffffffff b2000000 0b000000 0f000000")),
                       SM_ERR_LIMIT);
    /* a choice without any mechanism that we know */
    check_client_fails(join(join(sm_test_hex(SERVER_HEAD), key()),
                            sm_test_hex("01000000 01000000 b2000000 0d000000 0f000000")),
                       SM_ERR_PROTOCOL);
    sm_test_free_copies();
}

static void truncated_links_wait_until_the_deadline(void **state)
{
    (void)state;
    struct sm_bytes hello = sm_test_hex(CLIENT_HELLO);
    for (size_t size = 0; size < hello.size; size++) {
        struct sm_link_server *server = new_server(false);
        struct sm_machine machine = sm_link_server_machine(server);
        struct sm_link_server_event event;
        sm_check_status(sm_test_feed(machine, sm_test_copy(hello.data, size), 0, NULL), SM_OK);
        assert_false(sm_link_server_next(server, &event));
        assert_int_equal(sm_machine_deadline(machine), 30000000);
        sm_check_status(sm_machine_tick(machine, 29999999), SM_OK);
        sm_check_status(sm_machine_tick(machine, 30000000), SM_ERR_LIMIT);
        assert_int_equal(sm_machine_pending(machine).size, 0);
        sm_link_server_destroy(server);
    }
    struct sm_bytes reply = server_reply();
    for (size_t size = 0; size < reply.size; size++) {
        struct sm_link_client *client = new_client(&DISPLAY);
        struct sm_machine machine = sm_link_client_machine(client);
        struct sm_link_client_event event;
        sm_check_status(sm_test_feed(machine, sm_test_copy(reply.data, size), 0, NULL), SM_OK);
        assert_false(sm_link_client_next(client, &event));
        sm_check_status(sm_machine_tick(machine, 30000000), SM_ERR_LIMIT);
        sm_link_client_destroy(client);
    }
    sm_test_free_copies();
}

static void answers_out_of_order_change_nothing(void **state)
{
    (void)state;
    struct sm_link_server *server = new_server(false);
    struct sm_link_client *client = new_client(&DISPLAY);
    sm_check_status(sm_link_server_accept(server, key(), 0), SM_ERR_STATE);
    sm_check_status(sm_link_server_refuse(server, 5, false), SM_ERR_STATE);
    sm_check_status(sm_link_server_result(server, 0), SM_ERR_STATE);
    sm_check_status(sm_link_client_ticket(client, ticket()), SM_ERR_STATE);
    sm_check_status(sm_link_client_sasl_secured(client), SM_ERR_STATE);
    assert_int_equal(sm_machine_pending(sm_link_server_machine(server)).size, 0);
    sm_link_server_destroy(server);
    sm_link_client_destroy(client);
    sm_link_server_destroy(NULL);
    sm_link_client_destroy(NULL);
    sm_test_free_copies();
}

/* A whole link in which any allocation may fail; nothing may leak or crash. */
static void link_once(void *context)
{
    static const uint8_t KEY[SM_LINK_PUBLIC_KEY_SIZE] = {1};
    static const uint8_t TICKET[SM_LINK_TICKET_SIZE] = {2};
    (void)context;
    struct sm_link_client *client = NULL;
    struct sm_link_server *server = NULL;
    struct sm_link_server_config config = {0};
    size_t taken;
    if (sm_link_client_create(&client, &DISPLAY, 0) != SM_OK ||
        sm_link_server_create(&server, &config, 0) != SM_OK)
        goto out;
    struct sm_machine c = sm_link_client_machine(client), s = sm_link_server_machine(server);
    for (int round = 0; round < 3; round++) {
        struct sm_link_server_event at_server;
        struct sm_link_client_event at_client;
        struct sm_bytes out = sm_machine_pending(c);
        if (sm_machine_receive(s, out, 0, &taken) != SM_OK)
            goto out;
        sm_machine_sent(c, taken, 0);
        while (sm_link_server_next(server, &at_server)) {
            enum sm_status status =
                at_server.kind == SM_LINK_SERVER_HELLO
                    ? sm_link_server_accept(server, (struct sm_bytes){KEY, sizeof(KEY)}, 1)
                    : sm_link_server_result(server, 0);
            if (status != SM_OK)
                goto out;
        }
        out = sm_machine_pending(s);
        if (sm_machine_receive(c, out, 0, &taken) != SM_OK)
            goto out;
        sm_machine_sent(s, taken, 0);
        while (sm_link_client_next(client, &at_client)) {
            if (at_client.kind == SM_LINK_CLIENT_NEED_TICKET &&
                sm_link_client_ticket(client, (struct sm_bytes){TICKET, sizeof(TICKET)}) != SM_OK)
                goto out;
        }
    }
out:
    sm_link_client_destroy(client);
    sm_link_server_destroy(server);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(link_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_agree_however_bytes_are_cut),
        cmocka_unit_test(client_sends_the_bytes_of_the_capture),
        cmocka_unit_test(server_sends_the_bytes_of_the_capture),
        cmocka_unit_test(bytes_behind_the_link_are_left_alone),
        cmocka_unit_test(server_refuses_bad_hellos_with_the_right_code),
        cmocka_unit_test(server_takes_hellos_without_words_whatever_the_offset),
        cmocka_unit_test(server_refuses_mechanisms_it_did_not_offer),
        cmocka_unit_test(server_with_sasl_refuses_clients_that_cannot_choose),
        cmocka_unit_test(refusals_reach_the_client_or_stay_silent),
        cmocka_unit_test(client_understands_a_reply_where_a_result_was_due),
        cmocka_unit_test(client_rejects_malformed_replies),
        cmocka_unit_test(truncated_links_wait_until_the_deadline),
        cmocka_unit_test(answers_out_of_order_change_nothing),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
