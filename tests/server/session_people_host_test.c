/* SPDX-License-Identifier: MIT */
/* Hosts that know nothing of several people: the environment says how many and who only looks. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/wire/types.h"
#include "sumac/server.h"
#include "tests/server/support/people.h"

static SpiceServer *second_server(struct sm_test_people *f, char path[96])
{
    SpiceServer *server = spice_server_new();
    snprintf(path, 96, "%s/second", f->host.folder);
    spice_server_set_addr(server, path, SPICE_ADDR_FLAG_UNIX_ONLY);
    spice_server_set_ticket(server, "all", 0, 0, 0);
    assert_int_equal(spice_server_init(server, &f->host.core), 0);
    return server;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void the_environment_says_how_many_and_who_looks(void **state)
{
    struct sm_test_people *f = *state;
    char path[96], file[80];
    snprintf(file, sizeof(file), "%s/password", f->host.folder);
    write_file(file, "look\nand nothing else\n");
    setenv("SUMAC_CLIENTS", "2", 1);
    setenv("SUMAC_VIEW_PASSWORD_FILE", file, 1);
    SpiceServer *server = second_server(f, path);
    unsetenv("SUMAC_CLIENTS");
    unsetenv("SUMAC_VIEW_PASSWORD_FILE");
    struct sm_test_people there = *f;
    there.server = server;
    snprintf(there.host.path, sizeof(there.host.path), "%.*s", (int)sizeof(there.host.path) - 1,
             path);
    struct sm_test_person owner = sm_test_come(&there, "all"),
                          viewer = sm_test_come(&there, "look");
    assert_int_equal(spice_server_get_num_clients(server), 2);
    assert_int_equal(sm_test_open_channel(&there, viewer.id, SM_CHANNEL_INPUTS, "look", NULL),
                     SM_LINK_ERR_CHANNEL_NOT_AVAILABLE);
    sm_test_go(&viewer);
    write_file(file, "another\r\n"); /* counts from now on */
    assert_int_equal(sm_test_try_to_come(&there, "look"), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(sm_test_try_to_come(&there, "another"), 0);
    write_file(file, "");
    assert_int_equal(sm_test_try_to_come(&there, ""), SM_LINK_ERR_PERMISSION_DENIED);
    unlink(file); /* then nobody just looks */
    assert_int_equal(sm_test_try_to_come(&there, "another"), SM_LINK_ERR_PERMISSION_DENIED);
    sm_test_go(&owner);
    spice_server_destroy(server);
    unlink(path);
}

/* A viewer that has sent its ticket and waits for what comes of it. */
static struct sm_test_visitor send_password(struct sm_test_people *f, const char *password)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, key), 0);
    sm_test_visitor_send_ticket(&visitor, key, password);
    return visitor;
}

/* Lets the one that waits to read the pipe read `text`, and waits until it has. */
static void write_pipe(struct sm_test_people *f, const char *path, const char *text)
{
    struct pollfd reader;
    while ((reader.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
        sm_test_host_run(&f->host, 1); /* nobody reads yet */
    reader.events = 0;
    assert_int_equal(write(reader.fd, text, strlen(text)), strlen(text));
    assert_int_equal(poll(&reader, 1, -1), 1); /* nobody reads any more */
    close(reader.fd);
}

/* Lets go whoever still waits. */
static void remove_pipe(const char *path)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    assert_int_equal(unlink(path), 0);
}

/* The file is a pipe into which nobody writes: as one on a server that does not answer. */
static void a_file_that_hangs_holds_up_nobody_else(void **state)
{
    struct sm_test_people *f = *state;
    char path[96], file[80];
    snprintf(file, sizeof(file), "%s/password", f->host.folder);
    assert_int_equal(mkfifo(file, 0600), 0);
    setenv("SUMAC_CLIENTS", "3", 1);
    setenv("SUMAC_VIEW_PASSWORD_FILE", file, 1);
    SpiceServer *server = second_server(f, path);
    unsetenv("SUMAC_CLIENTS");
    unsetenv("SUMAC_VIEW_PASSWORD_FILE");
    struct sm_test_people there = *f;
    there.server = server;
    snprintf(there.host.path, sizeof(there.host.path), "%.*s", (int)sizeof(there.host.path) - 1,
             path);
    struct sm_test_visitor viewer = send_password(&there, "look");
    struct sm_test_person owner = sm_test_come(&there, "all"); /* and the guest goes on */
    assert_int_equal(spice_server_get_num_clients(server), 1);
    write_pipe(&there, file, "look\n");
    assert_int_equal(sm_test_visitor_result(&viewer), 0);
    sm_test_visitor_close(&viewer);

    struct sm_test_visitor stranger = send_password(&there, "guess");
    write_pipe(&there, file, "look\n");
    assert_int_equal(sm_test_visitor_result(&stranger), SM_LINK_ERR_PERMISSION_DENIED);
    sm_test_visitor_close(&stranger);

    /* Nobody waits for it when its client, or the server, has gone. */
    struct sm_test_visitor last = send_password(&there, "look");
    sm_test_visitor_close(&last);
    struct sm_test_visitor left = send_password(&there, "look");
    sm_test_go(&owner);
    spice_server_destroy(server);
    assert_true(sm_test_visitor_is_closed(&left));
    sm_test_visitor_close(&left);
    remove_pipe(file);
    unlink(path);
}

static void the_reference_s_variable_lets_any_number_in(void **state)
{
    struct sm_test_people *f = *state;
    char path[96];
    setenv("SPICE_DEBUG_ALLOW_MC", "1", 1);
    SpiceServer *server = second_server(f, path);
    unsetenv("SPICE_DEBUG_ALLOW_MC");
    struct sm_test_people there = *f;
    snprintf(there.host.path, sizeof(there.host.path), "%.*s", (int)sizeof(there.host.path) - 1,
             path);
    struct sm_test_person people[5];
    for (int i = 0; i < 5; i++)
        people[i] = sm_test_come(&there, "all");
    assert_int_equal(spice_server_get_num_clients(server), 5);
    for (int i = 0; i < 5; i++)
        sm_test_go(&people[i]);
    spice_server_destroy(server);
    unlink(path);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sm_test_people_setup, sm_test_people_teardown)
    const struct CMUnitTest tests[] = {
        T(the_environment_says_how_many_and_who_looks),
        T(a_file_that_hangs_holds_up_nobody_else),
        T(the_reference_s_variable_lets_any_number_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
