/* SPDX-License-Identifier: MIT */
/* Clients that follow the machine: the ways there are, and what may go wrong on them. */
#include "tests/support/check.h"

#include "core/wire/inputs.h"
#include "core/wire/main.h"
#include "tests/server/support/moving.h"

static void a_session_begins_anew_after_a_semi_seamless_move(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    uint32_t id = sm_test_move_begin(f, &main);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, false);
    struct sm_test_visitor inputs = sm_test_visitor(&f->loop, f->hosts[1].path);
    assert_int_equal(sm_test_visitor_open(&inputs, id, SM_CHANNEL_INPUTS, 0), 0);
    spice_server_vm_stop(f->hosts[0].server);
    assert_int_equal(spice_server_migrate_end(f->hosts[0].server, 1), 0);
    sm_test_visitor_await(&main, SM_MSG_MAIN_MIGRATE_END, NULL, 0);
    assert_int_equal(f->hosts[0].ends, 0);
    sm_test_visitor_close(&main);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(f->hosts[0].ends, 1);

    sm_test_move_say(&next, SM_MSGC_MAIN_MIGRATE_END);
    uint8_t init[4];
    sm_test_visitor_await(&next, SM_MSG_MAIN_INIT, init, sizeof(init));
    assert_int_equal(init[0] | init[1] << 8, id & 0xffff);
    sm_test_visitor_await(&inputs, SM_MSG_INPUTS_INIT, NULL, 0);
    assert_int_equal(spice_server_get_num_clients(f->hosts[1].server), 1);
    sm_test_visitor_close(&inputs);
    sm_test_visitor_close(&next);
}

static void data_cut_anywhere_end_the_session(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_add_agent(&f->hosts[0]);
    sm_test_move_add_agent(&f->hosts[1]);
    uint32_t id = sm_test_move_begin(f, &main);
    sm_test_move_start_agent(&main);
    struct sm_test_visitor next = sm_test_move_go(f, &main, id, true);
    sm_test_visitor_close(&next);
    uint8_t data[512];
    size_t size = sm_test_move_take(f, &main, data, sizeof(data));
    sm_test_visitor_close(&main);
    for (size_t cut = 0; cut < size; cut++) {
        next = sm_test_visitor(&f->loop, f->hosts[1].path);
        assert_int_equal(sm_test_move_link(&next, id), 0);
        sm_test_visitor_message(&next, SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS,
                                sm_test_hex("01000000"));
        sm_test_visitor_await(&next, SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK, NULL, 0);
        sm_test_visitor_message(&next, SM_MSGC_MIGRATE_DATA, (struct sm_bytes){data, cut});
        sm_test_host_run(&f->loop, 1);
        assert_int_equal(spice_server_get_num_clients(f->hosts[1].server), 0);
        sm_test_visitor_close(&next);
    }
}

static void a_waiting_session_takes_nothing_but_its_arrival(void **state)
{
    struct sm_test_move *f = *state;
    static const uint16_t wrong[] = {SM_MSGC_MAIN_ATTACH_CHANNELS,
                                     SM_MSGC_MAIN_AGENT_START,
                                     SM_MSGC_MAIN_MIGRATE_CONNECTED,
                                     SM_MSGC_MIGRATE_DATA,
                                     SM_MSGC_MIGRATE_FLUSH_MARK,
                                     SM_MSGC_MAIN_AGENT_DATA,
                                     SM_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sm_test_visitor next = sm_test_visitor(&f->loop, f->hosts[1].path);
        assert_int_equal(sm_test_move_link(&next, 1234), 0);
        sm_test_host_run(&f->loop, 1);
        assert_int_equal(spice_server_get_num_clients(f->hosts[1].server), 1);
        sm_test_visitor_message(&next, wrong[i], sm_test_hex("00000000"));
        sm_test_host_run(&f->loop, 2);
        assert_int_equal(spice_server_get_num_clients(f->hosts[1].server), 0);
        sm_test_visitor_close(&next);
    }
}

static void a_newer_source_is_told_to_begin_anew(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor next = sm_test_visitor(&f->loop, f->hosts[1].path);
    assert_int_equal(sm_test_move_link(&next, 77), 0);
    sm_test_visitor_message(&next, SM_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS, sm_test_hex("02000000"));
    sm_test_visitor_await(&next, SM_MSG_MAIN_MIGRATE_DST_SEAMLESS_NACK, NULL, 0);
    sm_test_move_say(&next, SM_MSGC_MAIN_MIGRATE_END);
    sm_test_visitor_await(&next, SM_MSG_MAIN_INIT, NULL, 0);
    sm_test_visitor_close(&next);
}

static void the_host_hears_of_each_step_once_whatever_clients_do(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_move_host *source = &f->hosts[0];
    struct sm_test_visitor main;
    assert_int_equal(spice_server_migrate_connect(source->server, NULL, 1, 1, NULL), -1);
    assert_int_equal(spice_server_migrate_connect(source->server, "x", -1, -1, NULL), -1);
    assert_int_equal(source->connects, 2);
    assert_int_equal(spice_server_migrate_start(source->server), -1);

    /* Nobody is there. */
    assert_int_equal(spice_server_migrate_connect(source->server, "x", 1, -1, "CN=x"), 0);
    assert_int_equal(source->connects, 3);
    assert_int_equal(spice_server_migrate_start(source->server), 0);
    assert_int_equal(spice_server_migrate_end(source->server, 1), 0);
    assert_int_equal(source->ends, 1);

    /* Somebody leaves without an answer. */
    sm_test_move_begin(f, &main);
    assert_int_equal(spice_server_migrate_connect(source->server, "x", 1, -1, NULL), 0);
    assert_int_equal(source->connects, 3);
    sm_test_visitor_close(&main);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(source->connects, 4);
    assert_int_equal(spice_server_migrate_end(source->server, 0), 0);
    assert_int_equal(source->ends, 2);

    /* It fails before anybody has answered: late answers are answered. */
    sm_test_move_begin(f, &main);
    assert_int_equal(spice_server_migrate_connect(source->server, "x", 1, -1, NULL), 0);
    assert_int_equal(spice_server_migrate_end(source->server, 0), 0);
    assert_int_equal(source->connects, 5);
    assert_int_equal(source->ends, 3);
    sm_test_move_say(&main, SM_MSGC_MAIN_MIGRATE_CONNECTED);
    sm_test_visitor_await(&main, SM_MSG_MAIN_MIGRATE_CANCEL, NULL, 0);

    /* It has gone without a word. */
    assert_int_equal(spice_server_migrate_end(source->server, 1), -1);
    assert_int_equal(source->ends, 4);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(spice_server_get_num_clients(source->server), 0);
    sm_test_visitor_close(&main);
}

static void clients_that_could_not_link_are_sent_to_the_target(void **state)
{
    struct sm_test_move *f = *state;
    struct sm_test_visitor main;
    sm_test_move_begin(f, &main);
    assert_int_equal(spice_server_migrate_connect(f->hosts[0].server, "target", 5900, 5901, "CN=t"),
                     0);
    sm_test_move_say(&main, SM_MSGC_MAIN_MIGRATE_CONNECT_ERROR);
    sm_test_host_run(&f->loop, 2);
    assert_int_equal(f->hosts[0].connects, 1);
    assert_int_equal(spice_server_migrate_end(f->hosts[0].server, 1), 0);
    uint8_t body[31];
    size_t size = sm_test_visitor_await(&main, SM_MSG_MAIN_MIGRATE_SWITCH_HOST, body, sizeof(body));
    assert_int_equal(size, 20 + sizeof("target") + sizeof("CN=t"));
    assert_memory_equal(body, sm_test_hex("0c170d17").data, 4); /* the ports */
    sm_test_visitor_close(&main);
    sm_test_host_run(&f->loop, 5);
    assert_int_equal(f->hosts[0].ends, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sm_test_move_setup, sm_test_move_teardown)
    const struct CMUnitTest tests[] = {
        T(a_session_begins_anew_after_a_semi_seamless_move),
        T(data_cut_anywhere_end_the_session),
        T(a_waiting_session_takes_nothing_but_its_arrival),
        T(a_newer_source_is_told_to_begin_anew),
        T(the_host_hears_of_each_step_once_whatever_clients_do),
        T(clients_that_could_not_link_are_sent_to_the_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
