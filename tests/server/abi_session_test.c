/* SPDX-License-Identifier: MIT */
/* What settings of the host's come to for a client and its session, through the public functions.
 */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/wire/main.h"
#include "tests/server/support/visitor.h"

enum { BODY_MAX = 1024, TURNS = 3000, TURN_MS = 10 };

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    struct sm_test_visitor main;
    struct sm_arena arena;
    uint8_t body[BODY_MAX];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    sm_arena_init(&f->arena, BODY_MAX);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    f->main = (struct sm_test_visitor){.host = &f->host, .fd = -1};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sm_test_visitor_close(&f->main);
    spice_server_destroy(f->server);
    sm_test_host_finish(&f->host);
    sm_arena_finish(&f->arena);
    free(f);
    return 0;
}

static void open_main(struct fixture *f)
{
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    f->main = sm_test_visitor(&f->host, f->host.path);
    f->main.more_caps = 1u << SM_MAIN_CAP_NAME_AND_UUID;
    (void)sm_test_visitor_open_main(&f->main, "");
}

/* The next message of `type`. */
static struct sm_main_msg await(struct fixture *f, uint16_t type)
{
    struct sm_main_msg msg;
    const char *reason = "";
    size_t size = sm_test_visitor_await(&f->main, type, f->body, sizeof(f->body));
    assert_in_range(size, 0, sizeof(f->body));
    sm_arena_reset(&f->arena);
    sm_check_status(
        sm_main_msg_parse(&msg, type, (struct sm_bytes){f->body, size}, &f->arena, &reason), SM_OK);
    return msg;
}

static void await_no_client(struct fixture *f)
{
    for (unsigned i = 0; i < TURNS && spice_server_get_num_clients(f->server) > 0; i++)
        sm_test_host_run(&f->host, TURN_MS);
    assert_int_equal(spice_server_get_num_clients(f->server), 0);
}

static void a_client_reads_name_and_uuid(void **state)
{
    struct fixture *f = *state;
    static const uint8_t UUID[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    spice_server_set_name(f->server, "garden shed");
    spice_server_set_uuid(f->server, UUID);
    open_main(f);
    struct sm_main_msg msg = await(f, SM_MSG_MAIN_NAME);
    assert_int_equal(msg.name.name.size, sizeof("garden shed"));
    assert_memory_equal(msg.name.name.data, "garden shed", sizeof("garden shed"));
    msg = await(f, SM_MSG_MAIN_UUID);
    assert_memory_equal(f->body, UUID, sizeof(UUID));
}

/* Where the client is sent when the host has no interface for migration. */
static void a_client_is_sent_where_the_host_says(void **state)
{
    struct fixture *f = *state;
    open_main(f);
    assert_int_equal(spice_server_migrate_info(f->server, NULL, 5900, -1, NULL), -1);
    assert_int_equal(spice_server_migrate_info(f->server, "far.example.org", -1, -1, NULL), -1);
    assert_int_equal(spice_server_migrate_start(f->server), -1);
    assert_int_equal(spice_server_migrate_info(f->server, "far.example.org", 5900, 5901, "CN=far"),
                     0);
    assert_int_equal(spice_server_migrate_start(f->server), 0);
    assert_int_equal(spice_server_migrate_switch(f->server), 0);
    struct sm_main_msg msg = await(f, SM_MSG_MAIN_MIGRATE_SWITCH_HOST);
    assert_int_equal(msg.migrate_switch_host.dst.port, 5900);
    assert_int_equal(msg.migrate_switch_host.dst.sport, 5901);
    assert_string_equal((const char *)msg.migrate_switch_host.dst.host.data, "far.example.org");
    assert_string_equal((const char *)msg.migrate_switch_host.dst.cert_subject.data, "CN=far");
}

/* Who says that nothing more comes is gone: nobody is there to be served. */
static void a_client_that_closes_its_side_has_left(void **state)
{
    struct fixture *f = *state;
    open_main(f);
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    assert_int_equal(shutdown(f->main.fd, SHUT_WR), 0);
    await_no_client(f);
    (void)sm_test_visitor_receive(&f->main, f->body, sizeof(f->body));
    struct sm_test_visitor next = sm_test_visitor(&f->host, f->host.path);
    (void)sm_test_visitor_open_main(&next, "");
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    sm_test_visitor_close(&next);
}

/* The one case in which the library ends the process of its host. */
static void the_process_ends_with_its_session_if_so_asked(void **state)
{
    struct fixture *f = *state;
    fflush(NULL); /* or what is unwritten would be written twice */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        spice_server_set_exit_on_disconnect(f->server, 1);
        open_main(f);
        sm_test_visitor_close(&f->main);
        for (unsigned i = 0; i < TURNS; i++)
            sm_test_host_run(&f->host, TURN_MS);
        _exit(99); /* it went on */
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_client_reads_name_and_uuid),
        T(a_client_is_sent_where_the_host_says),
        T(a_client_that_closes_its_side_has_left),
        T(the_process_ends_with_its_session_if_so_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
