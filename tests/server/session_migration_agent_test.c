/* SPDX-License-Identifier: MIT */
/* The agent's stream when the machine moves: neither a byte more nor one less, both ways. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/main.h"
#include "tests/server/support/moving.h"

/* A client's message of 12 bytes, of which the guest has taken 5 of chunk and message header. */
static void the_agents_stream_goes_on_where_it_was_cut(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_add_agent(&f->hosts[0]);
    uint32_t id = sm_test_move_begin(f, &main);
    sm_test_move_start_agent(&main);
    sm_test_host_run(&f->loop, 5);
    f->hosts[0].to_size = 0;
    f->hosts[0].room = 5;
    struct sm_bytes piece = sm_test_hex("01000000 02000000 0000000000000000 0c000000 c0ffee00");
    sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_DATA, piece);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(f->hosts[0].to_size, 5);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    uint8_t data[512];
    size_t size = sm_test_move_take(f, &main, data, sizeof(data));
    sm_test_move_add_agent(&f->hosts[1]);
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
    spice_server_vm_start(f->hosts[1].server);
    sm_test_visitor_message(&next, SM_MSGC_MAIN_AGENT_DATA, sm_test_hex("0011223344556677"));
    sm_test_host_run(&f->loop, 5);

    uint8_t whole[128];
    memcpy(whole, f->hosts[0].to_guest, 5);
    memcpy(whole + 5, f->hosts[1].to_guest, f->hosts[1].to_size);
    struct sm_bytes expected =
        sm_test_hex("01000000 18000000 01000000 02000000 0000000000000000 0c000000 c0ffee00"
                    "01000000 08000000 0011223344556677");
    assert_int_equal(5 + f->hosts[1].to_size, expected.size);
    assert_memory_equal(whole, expected.data, expected.size);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

/* The client has tokens, and goes on before the guest's port has opened at the target. */
static void what_is_said_before_the_agent_has_come_waits_for_it(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_add_agent(&f->hosts[0]);
    uint32_t id = sm_test_move_begin(f, &main);
    sm_test_move_start_agent(&main);
    sm_test_host_run(&f->loop, 5);
    f->hosts[0].to_size = 0;
    f->hosts[0].room = 0;
    struct sm_bytes piece = sm_test_hex("01000000 02000000 0000000000000000 0c000000 c0ffee00");
    sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_DATA, piece);
    sm_test_host_run(&f->loop, 5);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    uint8_t data[512];
    size_t size = sm_test_move_take(f, &main, data, sizeof(data));
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
    sm_test_visitor_message(&next, SM_MSGC_MAIN_AGENT_DATA, sm_test_hex("00112233"));
    sm_test_visitor_message(&next, SM_MSGC_MAIN_AGENT_DATA, sm_test_hex("44556677"));
    sm_test_visitor_message(&next, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_hex("01000000 09000000 0000000000000000 00000000"));
    sm_test_host_run(&f->loop, 5);
    sm_test_move_add_agent(&f->hosts[1]);
    spice_server_vm_start(f->hosts[1].server);
    sm_test_move_check_got(f, 1,
                           "01000000 18000000 01000000 02000000 0000000000000000 0c000000 c0ffee00"
                           "01000000 04000000 00112233 01000000 04000000 44556677"
                           "01000000 14000000 01000000 09000000 0000000000000000 00000000");
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

/* Tokens were lent for a file, and the machine stops while the agent takes nothing. */
static void what_was_sent_with_lent_tokens_arrives_at_the_target(void **state)
{
    enum { PIECES = 200, PIECE_SIZE = 2048, ROOM = 1 << 20 };
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_add_agent(&f->hosts[0]);
    f->hosts[0].room = 0;
    uint32_t id = sm_test_move_begin(f, &main);
    sm_test_move_start_agent(&main);
    sm_test_visitor_message(
        &main, SM_MSGC_MAIN_AGENT_DATA,
        sm_test_hex("01000000 0a000000 0000000000000000 2c000000 01000000"
                    "5b76646167656e742d66696c652d786665725d0a" /* [vdagent-file-xfer] */
                    "6e616d653d610a"                           /* name=a */
                    "73697a653d323030303030300a"));            /* size=2000000 */
    sm_test_visitor_await(&main, SM_MSG_MAIN_AGENT_TOKEN, NULL, 0);
    uint8_t piece[PIECE_SIZE] = {0};
    struct sm_bytes head = sm_test_hex("01000000 0c000000 0000000000000000 ec3f0600");
    memcpy(piece, head.data, head.size);
    for (unsigned i = 0; i < PIECES; i++) {
        piece[PIECE_SIZE - 1] = (uint8_t)i;
        sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_DATA,
                                (struct sm_bytes){piece, sizeof(piece)});
        sm_test_host_run(&f->loop, 1);
        memset(piece, 0xa5, head.size);
    }
    assert_int_equal(f->hosts[0].to_size, 0);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    uint8_t *data = malloc(ROOM);
    assert_non_null(data);
    size_t size = sm_test_move_take(f, &main, data, ROOM);
    sm_test_move_add_agent(&f->hosts[1]);
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    free(data);
    sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
    spice_server_vm_start(f->hosts[1].server);
    sm_test_host_run(&f->loop, 5);
    const uint8_t *got = f->hosts[1].to_guest + 8 + 64;
    assert_int_equal(f->hosts[1].to_size, 8 + 64 + PIECES * (8 + PIECE_SIZE));
    for (unsigned i = 0; i < PIECES; i++)
        assert_int_equal(got[i * (8 + PIECE_SIZE) + 8 + PIECE_SIZE - 1], i);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

/* Ten pieces are one buffer for the target, and yet ten tokens. */
static void every_piece_handed_on_gives_its_token_back(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_add_agent(&f->hosts[0]);
    f->hosts[0].room = 0;
    uint32_t id = sm_test_move_begin(f, &main);
    sm_test_move_start_agent(&main);
    for (unsigned i = 0; i < 10; i++) /* CLIPBOARD_RELEASE */
        sm_test_visitor_message(&main, SM_MSGC_MAIN_AGENT_DATA,
                                sm_test_hex("01000000 09000000 0000000000000000 00000000"));
    sm_test_host_run(&f->loop, 5);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    uint8_t data[1024], tokens[4];
    size_t size = sm_test_move_take(f, &main, data, sizeof(data));
    sm_test_move_add_agent(&f->hosts[1]);
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
    spice_server_vm_start(f->hosts[1].server);
    sm_test_visitor_await(&next, SM_MSG_MAIN_AGENT_TOKEN, tokens, sizeof(tokens));
    assert_int_equal(tokens[0], 10);
    assert_int_equal(f->hosts[1].to_size, 10 * (8 + 20));
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

/* The guest's message is cut within its header, so the target judges it. */
static void the_guests_message_is_put_together_from_two_servers(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    struct sm_bytes chunk = sm_test_hex("01000000 18000000 01000000 02000000 0000000000000000"
                                        "04000000 c0ffee00");
    for (size_t cut = 0; cut < chunk.size; cut += 5) {
        if (cut) {
            sm_test_move_teardown(state);
            sm_test_move_setup(state);
            f = *state;
        }
        sm_test_move_add_agent(&f->hosts[0]);
        uint32_t id = sm_test_move_begin(f, &main);
        sm_test_move_start_agent(&main);
        sm_test_host_run(&f->loop, 2);
        f->hosts[0].says = chunk.data;
        f->hosts[0].says_size = cut;
        spice_server_char_device_wakeup(&f->hosts[0].device);
        struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
        spice_server_vm_stop(f->hosts[0].server);
        spice_server_migrate_end(f->hosts[0].server, 1);
        uint8_t got[64], data[512];
        size_t got_size = 0;
        if (cut >= 28) /* the message's header had come whole: its piece goes out at once */
            got_size = sm_test_visitor_await(&main, SM_MSG_MAIN_AGENT_DATA, got, sizeof(got));
        sm_test_visitor_await(&main, SM_MSG_MIGRATE, NULL, 0);
        sm_test_move_say(&main, SM_MSGC_MIGRATE_FLUSH_MARK);
        size_t size = sm_test_visitor_await(&main, SM_MSG_MIGRATE_DATA, data, sizeof(data));
        /* This time the agent comes behind the data. */
        sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
        sm_test_visitor_await(&next, SM_MSG_MAIN_MULTI_MEDIA_TIME, NULL, 0);
        sm_test_move_add_agent(&f->hosts[1]);
        f->hosts[1].says = chunk.data + cut;
        f->hosts[1].says_size = chunk.size - cut;
        spice_server_vm_start(f->hosts[1].server);
        spice_server_char_device_wakeup(&f->hosts[1].device);
        got_size += sm_test_visitor_await(&next, SM_MSG_MAIN_AGENT_DATA, got + got_size,
                                          sizeof(got) - got_size);
        assert_int_equal(got_size, chunk.size - 8);
        assert_memory_equal(got, chunk.data + 8, got_size);
        sm_test_visitor_close(&main);
        sm_test_visitor_close(&next);
    }
}

static void an_agent_that_the_target_does_not_know_begins_anew(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_add_agent(&f->hosts[0]);
    uint32_t id = sm_test_move_begin(f, &main);
    sm_test_move_start_agent(&main);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    uint8_t data[512];
    size_t size = sm_test_move_take(f, &main, data, sizeof(data));
    sm_test_move_add_agent(&f->hosts[1]); /* comes, goes, and comes again */
    spice_server_remove_interface(&f->hosts[1].device.base);
    sm_test_move_add_agent(&f->hosts[1]);
    sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, size});
    sm_test_visitor_await(&next, SM_MSG_MAIN_AGENT_DISCONNECTED, NULL, 0);
    sm_test_visitor_await(&next, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS, NULL, 0);
    sm_test_visitor_close(&main);
    sm_test_visitor_close(&next);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sm_test_move_setup, sm_test_move_teardown)
    const struct CMUnitTest tests[] = {
        T(the_agents_stream_goes_on_where_it_was_cut),
        T(what_is_said_before_the_agent_has_come_waits_for_it),
        T(what_was_sent_with_lent_tokens_arrives_at_the_target),
        T(every_piece_handed_on_gives_its_token_back),
        T(the_guests_message_is_put_together_from_two_servers),
        T(an_agent_that_the_target_does_not_know_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
