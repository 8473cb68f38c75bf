/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/reader.h"
#include "core/channel/link_client.h"
#include "core/channel/link_server.h"
#include "core/wire/link.h"
#include "tests/support/failmalloc.h"

static const char HELLO[] = "52454451 02000000 02000000 1a000000 00000000 01 00 01000000"
                            "01000000 12000000 0d000000 0f000000 02000000";
static const char LIST[] = ",GSSAPI,SCRAM-SHA-256,PLAIN,";

static struct sm_bytes text(const char *words)
{
    return (struct sm_bytes){(const uint8_t *)words, strlen(words)};
}

static struct sm_sasl_turn turn(const char *words)
{
    return words ? (struct sm_sasl_turn){.has_data = true, .data = text(words)}
                 : (struct sm_sasl_turn){0};
}

static void check_turn(struct sm_sasl_turn found, const char *expected)
{
    assert_int_equal(found.has_data, expected != NULL);
    if (expected)
        sm_check_bytes(found.data, text(expected));
}

/* A server that has been asked for SASL and has offered LIST. */
static struct sm_link_server *new_server(void)
{
    struct sm_link_server *server = NULL;
    struct sm_link_server_config config = {.has_sasl = true};
    struct sm_link_server_event event;
    sm_check_status(sm_link_server_create(&server, &config, 0), SM_OK);
    struct sm_machine machine = sm_link_server_machine(server);
    struct sm_bytes hello = sm_test_hex(HELLO);
    size_t taken;
    sm_check_status(sm_test_feed(machine, hello, 0, &taken), SM_OK);
    assert_true(sm_link_server_next(server, &event));
    sm_check_status(sm_link_server_accept(server, (struct sm_bytes){0}, 0), SM_OK);
    sm_check_status(sm_test_feed(machine, sm_bytes_behind(hello, taken), 0, NULL), SM_OK);
    assert_true(sm_link_server_next(server, &event));
    assert_int_equal(event.kind, SM_LINK_SERVER_SASL);
    (void)sm_test_take_pending(machine, 0);
    sm_check_status(sm_link_server_sasl_offer(server, text(LIST)), SM_OK);
    struct sm_bytes offer = sm_test_take_pending(machine, 0);
    assert_int_equal(offer.size, 4 + strlen(LIST));
    assert_int_equal(offer.data[0], strlen(LIST));
    sm_check_bytes(sm_bytes_behind(offer, 4), text(LIST));
    return server;
}

static void end_server(struct sm_link_server *server)
{
    sm_link_server_destroy(server);
    sm_test_free_copies();
}

/* ---- both ends ---- */

/* What the two say in turn; NULL is nothing at all. */
static const char *const FROM_CLIENT[] = {"first", "", NULL, "a last word"};
static const char *const FROM_SERVER[] = {"challenge", NULL, "more", "and the end"};
enum { TURNS = 4 };

static void answer_client(struct sm_link_server *server, unsigned *turns)
{
    struct sm_link_server_event event;
    while (sm_link_server_next(server, &event)) {
        switch (event.kind) {
        case SM_LINK_SERVER_HELLO:
            sm_check_status(sm_link_server_accept(server, (struct sm_bytes){0}, 7), SM_OK);
            break;
        case SM_LINK_SERVER_SASL:
            sm_check_status(sm_link_server_sasl_offer(server, text(LIST)), SM_OK);
            break;
        case SM_LINK_SERVER_SASL_START:
            assert_string_equal(event.mechanism, "SCRAM-SHA-256");
            assert_int_equal(*turns, 0);
            __attribute__((fallthrough));
        case SM_LINK_SERVER_SASL_STEP: {
            check_turn(event.turn, FROM_CLIENT[*turns]);
            const char *words = FROM_SERVER[(*turns)++];
            sm_check_status(sm_link_server_sasl_reply(server,
                                                      words ? text(words) : (struct sm_bytes){0},
                                                      *turns == TURNS),
                            SM_OK);
            if (*turns == TURNS)
                sm_check_status(sm_link_server_sasl_end(server, true), SM_OK);
            break;
        }
        case SM_LINK_SERVER_TICKET:
            fail_msg("a ticket where SASL was wanted");
        }
    }
}

/* True when the link is up. */
static bool answer_server(struct sm_link_client *client, unsigned *turns)
{
    struct sm_link_client_event event;
    while (sm_link_client_next(client, &event)) {
        switch (event.kind) {
        case SM_LINK_CLIENT_NEED_SASL:
            sm_check_bytes(event.mechanisms, text(LIST));
            sm_check_status(
                sm_link_client_sasl_start(client, "SCRAM-SHA-256", turn(FROM_CLIENT[0])), SM_OK);
            break;
        case SM_LINK_CLIENT_SASL_STEP:
            check_turn(event.turn, FROM_SERVER[(*turns)++]);
            assert_int_equal(event.is_complete, *turns == TURNS);
            if (event.is_complete)
                sm_check_status(sm_link_client_sasl_end(client), SM_OK);
            else
                sm_check_status(sm_link_client_sasl_step(client, turn(FROM_CLIENT[*turns])), SM_OK);
            break;
        case SM_LINK_CLIENT_SASL_ACCEPTED:
            assert_int_equal(*turns, TURNS);
            sm_check_status(sm_link_client_sasl_secured(client), SM_OK);
            break;
        case SM_LINK_CLIENT_DONE:
            assert_int_equal(event.channel_caps, 7);
            return true;
        default:
            fail_msg("event %d", event.kind);
        }
    }
    return false;
}

static void both_ends_agree_however_bytes_are_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct sm_link_client_config config = {.channel_type = SM_CHANNEL_MAIN, .has_sasl = true};
        struct sm_link_server_config theirs = {.has_sasl = true};
        struct sm_link_client *client = NULL;
        struct sm_link_server *server = NULL;
        sm_check_status(sm_link_client_create(&client, &config, 0), SM_OK);
        sm_check_status(sm_link_server_create(&server, &theirs, 0), SM_OK);
        struct sm_test_wire wire;
        sm_test_wire_init(&wire, sm_link_client_machine(client), sm_link_server_machine(server),
                          seed % 5, seed); /* 0 is all at once, 1 one byte at a time */
        unsigned at_client = 0, at_server = 0;
        bool is_done = false, has_result = false;
        while (sm_test_wire_step(&wire)) {
            answer_client(server, &at_server);
            /* the layer would be put in here: when nothing is pending any more */
            if (at_server == TURNS && !has_result &&
                sm_machine_pending(sm_link_server_machine(server)).size == 0) {
                sm_check_status(sm_link_server_result(server, 0), SM_OK);
                has_result = true;
            }
            is_done = answer_server(client, &at_client) || is_done;
        }
        assert_true(is_done);
        assert_true(sm_link_server_is_done(server));
        sm_test_wire_finish(&wire);
        sm_link_client_destroy(client);
        end_server(server);
    }
}

/* ---- the server ---- */

static void check_refused(const char *hex, int error, const char *what)
{
    for (size_t piece = 0; piece < 3; piece++) {
        struct sm_link_server *server = new_server();
        struct sm_machine machine = sm_link_server_machine(server);
        struct sm_link_server_event event;
        enum sm_status status = sm_test_feed(machine, sm_test_hex(hex), piece, NULL);
        assert_true(status == SM_ERR_PROTOCOL || status == SM_ERR_LIMIT);
        assert_non_null(strstr(sm_machine_reason(machine), what));
        assert_false(sm_link_server_next(server, &event));
        assert_true(sm_link_server_is_failed(server));
        struct sm_bytes pending = sm_test_take_pending(machine, 0);
        if (error) {
            assert_int_equal(pending.size, SM_LINK_HEADER_SIZE + SM_LINK_REPLY_SIZE);
            assert_int_equal(pending.data[SM_LINK_HEADER_SIZE], error);
        } else {
            assert_int_equal(pending.size, 0);
        }
        end_server(server);
    }
}

static void server_takes_only_whole_names_that_it_offered(void **state)
{
    (void)state;
    check_refused("05000000 47535341 50", SM_LINK_ERR_INVALID_DATA, "not offered");    /* GSSAP */
    check_refused("05000000 53534150 49", SM_LINK_ERR_INVALID_DATA, "not offered");    /* SSAPI */
    check_refused("07000000 47535341504900", SM_LINK_ERR_INVALID_DATA, "not offered"); /* NUL */
    check_refused("01000000 2c", SM_LINK_ERR_INVALID_DATA, "not offered");             /* a comma */
    check_refused("14000000 475353415049 2c 534352414d2d5348412d323536", SM_LINK_ERR_INVALID_DATA,
                  "not offered");                                                  /* two names */
    check_refused("05000000 706c61696e", SM_LINK_ERR_INVALID_DATA, "not offered"); /* plain */
    check_refused("00000000", 0, "without a name");
    check_refused("65000000", 0, "too long"); /* 101 */
    check_refused("ffffffff", 0, "too long");
}

static void server_bounds_what_a_client_may_say(void **state)
{
    (void)state;
    /* In the first turn with an answer, later without: a test of the reference fixes both. */
    check_refused("05000000 504c41494e 01001000", SM_LINK_ERR_INVALID_DATA, "more SASL data");
    check_refused("05000000 504c41494e ffffffff", SM_LINK_ERR_INVALID_DATA, "more SASL data");

    struct sm_link_server *server = new_server();
    struct sm_machine machine = sm_link_server_machine(server);
    struct sm_link_server_event event;
    sm_test_feed_hex(machine, "05000000 504c41494e 00000000");
    assert_true(sm_link_server_next(server, &event));
    check_turn(event.turn, NULL);
    sm_check_status(sm_link_server_sasl_reply(server, (struct sm_bytes){0}, false), SM_OK);
    sm_check_pending(machine, "00000000 00");
    sm_check_status(sm_test_feed(machine, sm_test_hex("01001000"), 0, NULL), SM_ERR_LIMIT);
    assert_int_equal(sm_test_take_pending(machine, 0).size, 0);
    end_server(server);
}

static void server_takes_the_largest_turn_and_ends_endless_ones(void **state)
{
    (void)state;
    struct sm_link_server *server = new_server();
    struct sm_machine machine = sm_link_server_machine(server);
    struct sm_link_server_event event;
    sm_test_feed_hex(machine, "05000000 504c41494e 00001000");
    uint8_t *data = calloc(1, SM_SASL_DATA_MAX);
    assert_non_null(data);
    data[SM_SASL_DATA_MAX - 1] = 'x'; /* stands where a NUL should: not counted all the same */
    sm_check_status(sm_test_feed(machine, (struct sm_bytes){data, SM_SASL_DATA_MAX}, 4096, NULL),
                    SM_OK);
    free(data);
    assert_true(sm_link_server_next(server, &event));
    assert_int_equal(event.turn.data.size, SM_SASL_DATA_MAX - 1);
    for (unsigned i = 1; i < SM_SASL_TURNS_MAX; i++) {
        sm_check_status(sm_link_server_sasl_reply(server, text("go on"), false), SM_OK);
        (void)sm_test_take_pending(machine, 0);
        sm_test_feed_hex(machine, "01000000 00");
        assert_true(sm_link_server_next(server, &event));
        check_turn(event.turn, "");
    }
    sm_check_status(sm_link_server_sasl_reply(server, text("go on"), false), SM_OK);
    sm_check_status(sm_test_feed(machine, sm_test_hex("00000000"), 0, NULL), SM_ERR_LIMIT);
    end_server(server);
}

static void server_says_that_a_layer_is_too_weak(void **state)
{
    (void)state;
    struct sm_link_server *server = new_server();
    struct sm_machine machine = sm_link_server_machine(server);
    struct sm_link_server_event event;
    sm_test_feed_hex(machine, "05000000 504c41494e 02000000 7a00");
    assert_true(sm_link_server_next(server, &event));
    sm_check_status(sm_link_server_sasl_reply(server, text("k"), true), SM_OK);
    sm_check_status(sm_link_server_sasl_end(server, false), SM_OK);
    sm_check_pending(machine, "02000000 6b00 01 01000000 16000000"
                              "41757468656e7469636174696f6e206661696c656400");
    assert_true(sm_link_server_is_failed(server));
    sm_check_status(sm_link_server_result(server, 0), SM_ERR_STATE);
    end_server(server);
}

static void a_truncated_exchange_waits_until_the_deadline(void **state)
{
    (void)state;
    struct sm_bytes bytes = sm_test_hex("05000000 504c41494e 03000000 616200");
    uint8_t copy[64];
    size_t size = bytes.size;
    memcpy(copy, bytes.data, size);
    for (size_t cut = 0; cut < size; cut++) {
        struct sm_link_server *server = new_server();
        struct sm_machine machine = sm_link_server_machine(server);
        struct sm_link_server_event event;
        sm_check_status(sm_test_feed(machine, sm_test_copy(copy, cut), 0, NULL), SM_OK);
        assert_false(sm_link_server_next(server, &event));
        uint64_t due = sm_machine_deadline(machine);
        sm_check_status(sm_machine_tick(machine, due - 1), SM_OK);
        sm_check_status(sm_machine_tick(machine, due), SM_ERR_LIMIT);
        end_server(server);
    }
}

static void answers_out_of_order_change_nothing(void **state)
{
    (void)state;
    struct sm_link_server *server = new_server();
    struct sm_machine machine = sm_link_server_machine(server);
    sm_check_status(sm_link_server_sasl_offer(server, text(LIST)), SM_ERR_STATE);
    sm_check_status(sm_link_server_sasl_reply(server, text("x"), true), SM_ERR_STATE);
    sm_check_status(sm_link_server_sasl_end(server, true), SM_ERR_STATE);
    sm_check_status(sm_link_server_result(server, 0), SM_ERR_STATE);
    assert_int_equal(sm_machine_pending(machine).size, 0);
    end_server(server);
}

/* ---- the client ---- */

static struct sm_link_client *new_client(void)
{
    struct sm_link_client *client = NULL;
    struct sm_link_client_config config = {.channel_type = SM_CHANNEL_MAIN, .has_sasl = true};
    sm_check_status(sm_link_client_create(&client, &config, 0), SM_OK);
    struct sm_machine machine = sm_link_client_machine(client);
    (void)sm_test_take_pending(machine, 0);
    struct sm_writer w;
    static const uint8_t key[SM_LINK_PUBLIC_KEY_SIZE];
    sm_writer_init(&w, 1024);
    sm_link_reply_build(&w, &(struct sm_link_reply){.public_key = {key, sizeof(key)},
                                                    .common_caps = 0x0d,
                                                    .channel_caps = 3});
    sm_check_status(sm_test_feed(machine, sm_writer_bytes(&w), 0, NULL), SM_OK);
    sm_writer_finish(&w);
    sm_check_pending(machine, "02000000");
    return client;
}

/* A client that has chosen PLAIN. */
static struct sm_link_client *started_client(void)
{
    struct sm_link_client *client = new_client();
    struct sm_machine machine = sm_link_client_machine(client);
    struct sm_link_client_event event;
    sm_test_feed_hex(machine, "07000000 2c 504c41494e 2c");
    assert_true(sm_link_client_next(client, &event));
    assert_int_equal(event.kind, SM_LINK_CLIENT_NEED_SASL);
    sm_check_status(sm_link_client_sasl_start(client, "PLAIN", turn("u")), SM_OK);
    sm_check_pending(machine, "05000000 504c41494e 02000000 7500");
    return client;
}

static void end_client(struct sm_link_client *client)
{
    sm_link_client_destroy(client);
    sm_test_free_copies();
}

static void client_learns_of_a_refusal_in_each_of_its_forms(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint32_t error;
    } CASES[] = {
        {"00000000 01 01000000 16000000 41757468656e7469636174696f6e206661696c656400",
         SM_LINK_ERR_PERMISSION_DENIED},
        {"00000000 01 07000000 00000000", SM_LINK_ERR_PERMISSION_DENIED},
        /* a whole link reply where a turn was due: of its 178 bytes the first four count */
        {"52454451 02000000 02000000 b2000000 03000000", SM_LINK_ERR_INVALID_DATA},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        for (size_t piece = 0; piece < 2; piece++) {
            struct sm_link_client *client = started_client();
            struct sm_machine machine = sm_link_client_machine(client);
            struct sm_bytes bytes = sm_test_hex(CASES[i].hex);
            struct sm_link_client_event event = {0};
            bool is_refused = false;
            for (size_t at = 0; at < bytes.size && !is_refused;) {
                size_t part = piece ? 1 : bytes.size - at, taken;
                sm_check_status(
                    sm_machine_receive(machine, sm_test_copy(bytes.data + at, part), 0, &taken),
                    SM_OK);
                at += taken;
                while (sm_link_client_next(client, &event)) {
                    if (event.kind == SM_LINK_CLIENT_SASL_STEP)
                        sm_check_status(sm_link_client_sasl_end(client), SM_OK);
                    is_refused = event.kind == SM_LINK_CLIENT_REFUSED;
                }
            }
            if (!is_refused) { /* the rest of the reply */
                static const uint8_t zeros[174];
                sm_check_status(
                    sm_test_feed(machine, (struct sm_bytes){zeros, sizeof(zeros)}, 0, NULL), SM_OK);
                assert_true(sm_link_client_next(client, &event));
            }
            assert_int_equal(event.kind, SM_LINK_CLIENT_REFUSED);
            assert_int_equal(event.error, CASES[i].error);
            assert_true(event.after_ticket);
            end_client(client);
        }
}

static void client_bounds_what_a_server_may_say(void **state)
{
    (void)state;
    struct sm_link_client *client = new_client();
    sm_check_status(sm_test_feed(sm_link_client_machine(client), sm_test_hex("2d010000"), 0, NULL),
                    SM_ERR_LIMIT); /* a list of 301 bytes */
    end_client(client);

    client = started_client();
    sm_check_status(sm_test_feed(sm_link_client_machine(client), sm_test_hex("01001000"), 0, NULL),
                    SM_ERR_LIMIT);
    end_client(client);

    client = started_client();
    struct sm_machine machine = sm_link_client_machine(client);
    for (unsigned i = 0; i < SM_SASL_TURNS_MAX; i++) {
        struct sm_link_client_event event;
        sm_test_feed_hex(machine, "01000000 00 00");
        assert_true(sm_link_client_next(client, &event));
        assert_false(event.is_complete);
        check_turn(event.turn, "");
        sm_check_status(sm_link_client_sasl_end(client), SM_ERR_STATE);
        sm_check_status(sm_link_client_sasl_step(client, turn(NULL)), SM_OK);
        sm_check_pending(machine, "00000000");
    }
    sm_check_status(sm_test_feed(machine, sm_test_hex("00000000"), 0, NULL), SM_ERR_LIMIT);
    end_client(client);
}

static void client_leaves_the_bytes_behind_the_verdict_to_the_layer(void **state)
{
    (void)state;
    struct sm_link_client *client = started_client();
    struct sm_machine machine = sm_link_client_machine(client);
    struct sm_link_client_event event;
    sm_test_feed_hex(machine, "00000000 01");
    assert_true(sm_link_client_next(client, &event));
    sm_check_status(sm_link_client_sasl_step(client, turn("x")), SM_ERR_STATE);
    sm_check_status(sm_link_client_sasl_end(client), SM_OK);
    size_t taken;
    sm_check_status(sm_test_feed(machine, sm_test_hex("00000000 aabbccdd"), 0, &taken), SM_OK);
    assert_int_equal(taken, 4);
    assert_true(sm_link_client_next(client, &event));
    assert_int_equal(event.kind, SM_LINK_CLIENT_SASL_ACCEPTED);
    sm_check_status(sm_test_feed(machine, sm_test_hex("aabbccdd"), 0, &taken), SM_OK);
    assert_int_equal(taken, 0);
    sm_check_status(sm_link_client_sasl_secured(client), SM_OK);
    sm_test_feed_hex(machine, "00000000");
    assert_true(sm_link_client_next(client, &event));
    assert_int_equal(event.kind, SM_LINK_CLIENT_DONE);
    end_client(client);
}

/* ---- memory ---- */

/* A whole exchange on both sides; false if memory was lacking somewhere. */
static bool exchange(void)
{
    struct sm_link_client_config config = {.channel_type = SM_CHANNEL_MAIN, .has_sasl = true};
    struct sm_link_server_config theirs = {.has_sasl = true};
    struct sm_link_client *client = NULL;
    struct sm_link_server *server = NULL;
    struct sm_link_client_event at_client;
    struct sm_link_server_event at_server;
    bool is_done = false;
    enum sm_status status = sm_link_client_create(&client, &config, 0);
    if (status == SM_OK)
        status = sm_link_server_create(&server, &theirs, 0);
    for (unsigned i = 0; status == SM_OK && !is_done && i < 30; i++) {
        struct sm_machine ends[2] = {sm_link_client_machine(client),
                                     sm_link_server_machine(server)};
        for (int end = 0; end < 2 && status == SM_OK; end++) {
            struct sm_bytes out = sm_machine_pending(ends[end]);
            size_t taken = 0;
            if (out.size)
                status = sm_machine_receive(ends[1 - end], out, 0, &taken);
            sm_machine_sent(ends[end], taken, 0);
        }
        while (status == SM_OK && sm_link_server_next(server, &at_server)) {
            if (at_server.kind == SM_LINK_SERVER_HELLO)
                status = sm_link_server_accept(server, (struct sm_bytes){0}, 7);
            else if (at_server.kind == SM_LINK_SERVER_SASL)
                status = sm_link_server_sasl_offer(server, text(LIST));
            else
                status = sm_link_server_sasl_reply(server, text("some words"), true);
            if (status == SM_OK && at_server.kind == SM_LINK_SERVER_SASL_START)
                status = sm_link_server_sasl_end(server, true);
            if (status == SM_OK && at_server.kind == SM_LINK_SERVER_SASL_START)
                status = sm_link_server_result(server, 0);
        }
        while (status == SM_OK && sm_link_client_next(client, &at_client)) {
            if (at_client.kind == SM_LINK_CLIENT_NEED_SASL)
                status = sm_link_client_sasl_start(client, "PLAIN", turn("user and password"));
            else if (at_client.kind == SM_LINK_CLIENT_SASL_STEP)
                status = sm_link_client_sasl_end(client);
            else if (at_client.kind == SM_LINK_CLIENT_SASL_ACCEPTED)
                status = sm_link_client_sasl_secured(client);
            else
                is_done = at_client.kind == SM_LINK_CLIENT_DONE;
        }
    }
    sm_link_client_destroy(client);
    sm_link_server_destroy(server);
    assert_true(is_done || status == SM_ERR_NOMEM);
    return is_done;
}

static void exchange_once(void *context)
{
    *(bool *)context = exchange();
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    bool is_done = false;
    sm_failmalloc_each(exchange_once, &is_done);
    assert_true(is_done); /* the last time nothing failed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_agree_however_bytes_are_cut),
        cmocka_unit_test(server_takes_only_whole_names_that_it_offered),
        cmocka_unit_test(server_bounds_what_a_client_may_say),
        cmocka_unit_test(server_takes_the_largest_turn_and_ends_endless_ones),
        cmocka_unit_test(server_says_that_a_layer_is_too_weak),
        cmocka_unit_test(a_truncated_exchange_waits_until_the_deadline),
        cmocka_unit_test(answers_out_of_order_change_nothing),
        cmocka_unit_test(client_learns_of_a_refusal_in_each_of_its_forms),
        cmocka_unit_test(client_bounds_what_a_server_may_say),
        cmocka_unit_test(client_leaves_the_bytes_behind_the_verdict_to_the_layer),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
