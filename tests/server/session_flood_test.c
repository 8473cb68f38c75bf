/* SPDX-License-Identifier: MIT */
/* A client that breaks a rule as often as it can: it costs it its session, and the log one line. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/wire/main.h"
#include "core/wire/types.h"
#include "tests/server/support/visitor.h"

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    int log_fd, former_stderr;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    f->log_fd = memfd_create("log", MFD_CLOEXEC);
    f->former_stderr = dup(STDERR_FILENO);
    assert_true(f->log_fd >= 0 && f->former_stderr >= 0);
    assert_true(dup2(f->log_fd, STDERR_FILENO) >= 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    (void)dup2(f->former_stderr, STDERR_FILENO);
    (void)close(f->former_stderr);
    (void)close(f->log_fd);
    spice_server_destroy(f->server);
    sm_test_host_finish(&f->host);
    free(f);
    return 0;
}

/* Bytes of log so far. */
static off_t log_size(const struct fixture *f)
{
    struct stat info;
    assert_int_equal(fstat(f->log_fd, &info), 0);
    return info.st_size;
}

/* Sends a message `count` times and reads nothing. */
static void flood(struct fixture *f, uint16_t type, size_t count)
{
    const size_t size = 6; /* a mini header without a body */
    uint8_t *messages = calloc(count, size);
    assert_non_null(messages);
    for (size_t i = 0; i < count; i++) {
        messages[i * size] = (uint8_t)type;
        messages[i * size + 1] = (uint8_t)(type >> 8);
    }
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    sm_test_visitor_open_main(&visitor, "");
    sm_test_visitor_send(&visitor, messages, count * size);
    sm_test_host_run(&f->host, 5);
    assert_int_equal(spice_server_get_num_clients(f->server), 0);
    sm_test_visitor_close(&visitor);
    free(messages);
}

static void a_client_that_breaks_a_rule_often_costs_one_line(void **state)
{
    struct fixture *f = *state;
    flood(f, SM_MSGC_MAIN_MIGRATE_CONNECTED, 1000);
    assert_in_range(log_size(f), 1, 512);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_client_that_breaks_a_rule_often_costs_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
