/* SPDX-License-Identifier: MIT */
/* SASL at the server while a mechanism takes its time, and users who may only look. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/wire/main.h"
#include "server/session/people.h"
#include "tests/io/fake_sasl.h"
#include "tests/server/support/visitor.h"

enum { RESULT_OK = 0, REFUSED = -2 };

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    char users[64], stats[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    setenv("SUMAC_CLIENTS", "8", 1);
    f->server = sm_test_host_server(&f->host);
    snprintf(f->users, sizeof(f->users), "%s/users", f->host.folder);
    setenv("SUMAC_VIEW_USERS_FILE", f->users, 1);
    snprintf(f->stats, sizeof(f->stats), "%s/stats", f->host.folder);
    setenv("SUMAC_STATS_SOCKET", f->stats, 1);
    assert_int_equal(spice_server_set_sasl_appname(f->server, "test"), 0);
    assert_int_equal(spice_server_set_sasl(f->server, 1), 0);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    unsetenv("SUMAC_CLIENTS");
    unsetenv("SUMAC_VIEW_USERS_FILE");
    unsetenv("SUMAC_STATS_SOCKET");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->server)
        spice_server_destroy(f->server);
    assert_int_equal(f->host.connected, f->host.disconnected);
    sm_fake_sasl_shut_gate(false);
    sm_fake_sasl_await(0);
    unlink(f->users);

    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

static void write_users(struct fixture *f, const char *text)
{
    FILE *file = fopen(f->users, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void put_turn(struct sm_writer *w, const char *text)
{
    sm_put_le32(w, (uint32_t)strlen(text) + 1);
    sm_put_bytes(w, (struct sm_bytes){(const uint8_t *)text, strlen(text) + 1});
}

struct client {
    struct sm_test_visitor visitor;
    size_t left; /* bytes of the layer's block */
};

/* The client's part for a channel, up to and with its name and password. */
static struct client begin(struct fixture *f, uint32_t connection_id, uint8_t type,
                           const char *words)
{
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, connection_id, type, 0, NULL), 0);
    static const uint8_t SASL[4] = {2};
    sm_test_visitor_send(&visitor, SASL, sizeof(SASL));
    uint8_t list[4 + 6];
    assert_int_equal(sm_test_visitor_receive(&visitor, list, sizeof(list)), sizeof(list));
    assert_memory_equal(list + 4, ",MASK,", 6);
    struct sm_writer w;
    sm_writer_init(&w, 1024);
    sm_put_le32(&w, 4);
    sm_put_bytes(&w, (struct sm_bytes){(const uint8_t *)"MASK", 4});
    put_turn(&w, words);
    sm_test_visitor_send(&visitor, sm_writer_bytes(&w).data, sm_writer_bytes(&w).size);
    sm_writer_finish(&w);
    return (struct client){.visitor = visitor};
}

/* Takes plain bytes out of the layer's blocks, whose bits are flipped. */
static void receive(struct client *client, uint8_t *to, size_t size)
{
    while (size > 0) {
        if (client->left == 0) {
            uint8_t word[2];
            assert_int_equal(sm_test_visitor_receive(&client->visitor, word, 2), 2);
            client->left = (size_t)word[0] << 8 | word[1];
        }
        size_t part = client->left < size ? client->left : size;
        assert_int_equal(sm_test_visitor_receive(&client->visitor, to, part), part);
        for (size_t i = 0; i < part; i++)
            to[i] = (uint8_t)~to[i];
        client->left -= part;
        to += part;
        size -= part;
    }
}

/* What came of it: the link result, or REFUSED. */
static int hear(struct client *client)
{
    static const uint8_t DONE[] = {3, 0, 0, 0, 'o', 'k', 0, 1, 0, 0, 0, 0};
    uint8_t answer[sizeof(DONE)], result[4];
    if (sm_test_visitor_receive(&client->visitor, answer, sizeof(answer)) != sizeof(answer))
        return sm_test_visitor_is_closed(&client->visitor) ? REFUSED : SM_TEST_SILENCE;
    assert_memory_equal(answer, DONE, sizeof(DONE));
    receive(client, result, sizeof(result));
    struct sm_reader r = sm_reader(SM_TEST_BYTES(result));
    return (int)sm_get_le32(&r);
}

/* The first `size` bytes of the body of the next message of `type`. */
static void hear_message(struct client *client, uint16_t type, uint8_t *body, size_t size)
{
    for (;;) {
        uint8_t header[6], rest[1024];
        receive(client, header, sizeof(header));
        struct sm_reader r = sm_reader(SM_TEST_BYTES(header));
        bool is_it = sm_get_le16(&r) == type;
        size_t left = sm_get_le32(&r);
        if (is_it) {
            assert_true(left >= size);
            receive(client, body, size);
            left -= size;
        }
        for (size_t part; left > 0; left -= part) {
            part = left < sizeof(rest) ? left : sizeof(rest);
            receive(client, rest, part);
        }
        if (is_it)
            return;
    }
}

static void ask_for_channels(struct client *client)
{
    uint8_t block[] = {0, 6, SM_MSGC_MAIN_ATTACH_CHANNELS, 0, 0, 0, 0, 0};
    for (size_t i = 2; i < sizeof(block); i++)
        block[i] = (uint8_t)~block[i];
    sm_test_visitor_send(&client->visitor, block, sizeof(block));
}

/* A main channel, whose session's id comes in INIT. */
static uint32_t hear_main(struct client *client)
{
    uint8_t id[4];
    assert_int_equal(hear(client), RESULT_OK);
    hear_message(client, SM_MSG_MAIN_INIT, id, sizeof(id));
    struct sm_reader r = sm_reader(SM_TEST_BYTES(id));
    return sm_get_le32(&r);
}

static void leave(struct client *client)
{
    sm_test_visitor_close(&client->visitor);
}

static void check_failed_logins(struct fixture *f, unsigned count)
{
    char answer[4096], expected[32];
    struct sm_test_visitor admin = sm_test_visitor(&f->host, f->stats);
    sm_test_visitor_send(&admin, "json\n", 5);
    size_t size = sm_test_visitor_receive(&admin, answer, sizeof(answer) - 1);
    answer[size] = 0;
    sm_test_visitor_close(&admin);
    snprintf(expected, sizeof(expected), "\"failed_logins\":%u,", count);
    if (!strstr(answer, expected))
        fail_msg("no %s in %s", expected, answer);
}

/*
 * Where the library has no locks, turns are taken one by one: a client's end, whether its stream is
 * protected or its login is half done, waits for no turn. Before all others: locks once given stay.
 */
static void a_client_may_go_while_another_one_has_its_turn(void **state)
{
    struct fixture *f = *state;
    write_users(f, "");
    struct client ann = begin(f, 0, SM_CHANNEL_MAIN, "ann:pw");
    hear_main(&ann);
    struct client half = {sm_test_visitor(&f->host, f->host.path), 0};
    static const uint8_t SASL[4] = {2};
    uint8_t list[4 + 6];
    assert_int_equal(sm_test_visitor_hello(&half.visitor, 0, SM_CHANNEL_MAIN, 0, NULL), 0);
    sm_test_visitor_send(&half.visitor, SASL, sizeof(SASL));
    assert_int_equal(sm_test_visitor_receive(&half.visitor, list, sizeof(list)), sizeof(list));

    sm_fake_sasl_shut_gate(true);
    struct client slow = begin(f, 0, SM_CHANNEL_MAIN, "slow:pw");
    sm_test_host_run(&f->host, 5);
    sm_fake_sasl_await(1);
    assert_int_equal(sm_fake_sasl_living, 3);
    leave(&ann);
    leave(&half);
    sm_test_host_run(&f->host, 5);
    assert_int_equal(spice_server_get_num_clients(f->server), 0);
    assert_int_equal(f->host.disconnected, 2);

    sm_fake_sasl_shut_gate(false);
    hear_main(&slow);
    assert_int_equal(sm_fake_sasl_living, 1); /* theirs went when its turn was over */
    leave(&slow);
    sm_test_host_run(&f->host, 5);
    assert_int_equal(sm_fake_sasl_living, 0);
}

static void a_client_logs_in(void **state)
{
    struct fixture *f = *state;
    write_users(f, "");
    struct client ann = begin(f, 0, SM_CHANNEL_MAIN, "ann:pw");
    assert_int_not_equal(hear_main(&ann), 0);
    struct client liar = begin(f, 0, SM_CHANNEL_MAIN, "ann:no");
    assert_int_equal(hear(&liar), REFUSED);
    check_failed_logins(f, 1);
    leave(&ann);
    leave(&liar);
}

/* Nobody tries names for free by hanging up before the answer. */
static void who_goes_before_the_answer_has_failed(void **state)
{
    struct fixture *f = *state;
    write_users(f, "");
    sm_fake_sasl_shut_gate(true);
    struct client slow = begin(f, 0, SM_CHANNEL_MAIN, "slow:no");
    sm_test_host_run(&f->host, 5);
    sm_fake_sasl_await(1);
    check_failed_logins(f, 0);
    leave(&slow);
    sm_test_host_run(&f->host, 5);
    check_failed_logins(f, 1);
    sm_fake_sasl_shut_gate(false);

    struct client ann = begin(f, 0, SM_CHANNEL_MAIN, "ann:pw"); /* one that gets in has not */
    hear_main(&ann);
    leave(&ann);
    sm_test_host_run(&f->host, 5);
    check_failed_logins(f, 1);
}

/* Cut off, a name may be another one's, or none of those who only look. */
static void a_name_that_is_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    char words[300];
    write_users(f, "");
    memset(words, 'a', sizeof(words));
    strcpy(words + 255, ":pw");
    struct client longest = begin(f, 0, SM_CHANNEL_MAIN, words);
    hear_main(&longest);
    leave(&longest);
    memset(words, 'a', sizeof(words));
    strcpy(words + 256, ":pw");
    struct client longer = begin(f, 0, SM_CHANNEL_MAIN, words);
    uint8_t verdict[64];
    assert_true(sm_test_visitor_receive(&longer.visitor, verdict, sizeof(verdict)) >= 12);
    assert_int_equal(verdict[8], 1); /* behind "ok" and the end of the exchange: refused */
    assert_true(sm_test_visitor_is_closed(&longer.visitor));
    leave(&longer);
}

/* Its key server does not answer; the host's loop turns, others log in and are served. */
static void a_slow_mechanism_holds_up_nobody_else(void **state)
{
    struct fixture *f = *state;
    write_users(f, "");
    struct client ann = begin(f, 0, SM_CHANNEL_MAIN, "ann:pw");
    hear_main(&ann);
    sm_fake_sasl_shut_gate(true);
    struct client slow = begin(f, 0, SM_CHANNEL_MAIN, "slow:pw");
    sm_test_host_run(&f->host, 5);
    sm_fake_sasl_await(1);
    struct client bob = begin(f, 0, SM_CHANNEL_MAIN, "bob:pw");
    assert_int_not_equal(hear_main(&bob), 0);
    assert_int_equal(spice_server_get_num_clients(f->server), 2);
    uint8_t count[4];
    ask_for_channels(&ann); /* and ann is served */
    hear_message(&ann, SM_MSG_MAIN_CHANNELS_LIST, count, sizeof(count));
    assert_false(sm_test_visitor_is_closed(&slow.visitor));

    sm_fake_sasl_shut_gate(false);
    assert_int_not_equal(hear_main(&slow), 0); /* it was only slow */
    assert_int_equal(spice_server_get_num_clients(f->server), 3);
    leave(&ann);
    leave(&bob);
    leave(&slow);
}

/* Who goes meanwhile is forgotten at once, and its turn comes home to nobody. */
static void a_client_may_go_while_its_mechanism_thinks(void **state)
{
    struct fixture *f = *state;
    write_users(f, "");
    sm_fake_sasl_shut_gate(true);
    struct client slow = begin(f, 0, SM_CHANNEL_MAIN, "slow:pw");
    sm_test_host_run(&f->host, 5);
    sm_fake_sasl_await(1);
    assert_int_equal(f->host.disconnected, 0);
    leave(&slow);
    sm_test_host_run(&f->host, 5);
    assert_int_equal(f->host.disconnected, 1);
    sm_fake_sasl_shut_gate(false);
    sm_fake_sasl_await(0);
    sm_test_host_run(&f->host, 5);
    assert_int_equal(spice_server_get_num_clients(f->server), 0);
}

/* Each hangs in a thread of its own, up to four; the server's end waits for none of them. */
static void the_server_ends_while_mechanisms_think(void **state)
{
    struct fixture *f = *state;
    struct client visitors[6];
    write_users(f, "");
    sm_fake_sasl_shut_gate(true);
    for (size_t i = 0; i < 6; i++) {
        visitors[i] = i < 4 ? begin(f, 0, SM_CHANNEL_MAIN, "slow:pw")
                            : (struct client){sm_test_visitor(&f->host, f->host.path), 0};
        if (i >= 4) { /* no thread is left that could look for mechanisms */
            static const uint8_t SASL[4] = {2};
            assert_int_equal(
                sm_test_visitor_hello(&visitors[i].visitor, 0, SM_CHANNEL_MAIN, 0, NULL), 0);
            sm_test_visitor_send(&visitors[i].visitor, SASL, sizeof(SASL));
        }
        sm_test_host_run(&f->host, 5);
        if (i < 4)
            sm_fake_sasl_await((unsigned)i + 1);
    }
    spice_server_destroy(f->server);
    f->server = NULL;
    for (size_t i = 0; i < 6; i++)
        leave(&visitors[i]);
}

static void users_in_the_file_only_look(void **state)
{
    struct fixture *f = *state;
    write_users(f, "# the gallery\n\n  bob  \r\nannette\n");
    struct client bob = begin(f, 0, SM_CHANNEL_MAIN, "bob:pw");
    uint32_t bobs = hear_main(&bob);
    struct client ann = begin(f, 0, SM_CHANNEL_MAIN, "ann:pw");
    uint32_t anns = hear_main(&ann);

    struct client keys = begin(f, bobs, SM_CHANNEL_INPUTS, "bob:pw");
    assert_int_equal(hear(&keys), 9); /* CHANNEL_NOT_AVAILABLE: there are none for them */
    leave(&keys);
    keys = begin(f, bobs, SM_CHANNEL_INPUTS, "ann:pw"); /* nor does a better name help */
    assert_int_equal(hear(&keys), 9);
    leave(&keys);
    keys = begin(f, anns, SM_CHANNEL_INPUTS, "bob:pw");
    assert_int_equal(hear(&keys), 7); /* PERMISSION_DENIED */
    leave(&keys);
    keys = begin(f, anns, SM_CHANNEL_INPUTS, "ann:pw");
    assert_int_equal(hear(&keys), RESULT_OK);
    leave(&keys);
    leave(&bob);
    leave(&ann);
}

/* Mechanisms take `bob`, `BOB` and `bob@realm` for the same. */
static void another_way_to_write_a_name_is_no_way_out(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *login;
        int keys;
    } people[] = {{"BOB:pw", 9},
                  {"bob@here:pw", 9},
                  {"carl:pw", 9},
                  {"Carl@HERE:pw", 9},
                  {"carl@there:pw", RESULT_OK},
                  {"bobby:pw", RESULT_OK},
                  {"bo@here:pw", RESULT_OK}};
    write_users(f, "bob\ncarl@here\n");
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        struct client main = begin(f, 0, SM_CHANNEL_MAIN, people[i].login);
        uint32_t session = hear_main(&main);
        struct client keys = begin(f, session, SM_CHANNEL_INPUTS, people[i].login);
        assert_int_equal(hear(&keys), people[i].keys);
        leave(&keys);
        leave(&main);
    }
}

/* The host's loop does not wait for the disk: here it is a pipe that nobody writes to. */
static void a_slow_file_of_users_holds_up_nobody_else(void **state)
{
    struct fixture *f = *state;
    write_users(f, "");
    struct client ann = begin(f, 0, SM_CHANNEL_MAIN, "ann:pw");
    hear_main(&ann);
    unlink(f->users);
    assert_int_equal(mkfifo(f->users, 0600), 0);
    struct client bob = begin(f, 0, SM_CHANNEL_MAIN, "bob:pw");
    sm_test_host_run(&f->host, 5);
    uint8_t count[4];
    ask_for_channels(&ann);
    hear_message(&ann, SM_MSG_MAIN_CHANNELS_LIST, count, sizeof(count));
    assert_int_equal(spice_server_get_num_clients(f->server), 1);

    write_users(f, "bob\n"); /* opening it waits for the reader */
    uint32_t bobs = hear_main(&bob);
    unlink(f->users);
    write_users(f, "bob\n");
    struct client keys = begin(f, bobs, SM_CHANNEL_INPUTS, "bob:pw");
    assert_int_equal(hear(&keys), 9); /* CHANNEL_NOT_AVAILABLE */
    leave(&keys);
    leave(&bob);
    leave(&ann);
}

/* Who took the file away, or may not read it, has given nobody the keys. */
static void without_the_file_everybody_only_looks(void **state)
{
    struct fixture *f = *state;
    struct client ann = begin(f, 0, SM_CHANNEL_MAIN, "ann:pw");
    uint32_t anns = hear_main(&ann);
    struct client keys = begin(f, anns, SM_CHANNEL_INPUTS, "ann:pw");
    assert_int_equal(hear(&keys), 9);
    leave(&keys);
    leave(&ann);
}

/* For the eyes of the others. */
static void names_are_cut_between_two_characters(void **state)
{
    (void)state;
    uint8_t name[4];
    sm_people_cut_name(name, sizeof(name), "ann");
    assert_memory_equal(name, "ann", 4);
    sm_people_cut_name(name, sizeof(name), "anna");
    assert_memory_equal(name, "anna", 4);
    sm_people_cut_name(name, sizeof(name), "anné"); /* its last byte would be the fifth */
    assert_memory_equal(name, "ann", 4);
    sm_people_cut_name(name, sizeof(name), "a世界");
    assert_memory_equal(name, "a世", 4);
    sm_people_cut_name(name, sizeof(name), "a\u202eb"); /* would be shown backwards */
    assert_memory_equal(name, "a?b", 4);
    sm_people_cut_name(name, sizeof(name), "");
    assert_memory_equal(name, "\0\0\0", 4);
}

static int setup_without_locks(void **state)
{
    sm_fake_sasl_wants_locks = false;
    int result = setup(state);
    sm_fake_sasl_wants_locks = true;
    return result;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_may_go_while_another_one_has_its_turn,
                                        setup_without_locks, teardown),
        T(a_client_logs_in),
        T(who_goes_before_the_answer_has_failed),
        T(a_name_that_is_too_long_is_refused),
        T(a_slow_mechanism_holds_up_nobody_else),
        T(a_client_may_go_while_its_mechanism_thinks),
        T(the_server_ends_while_mechanisms_think),
        T(users_in_the_file_only_look),
        T(another_way_to_write_a_name_is_no_way_out),
        cmocka_unit_test(names_are_cut_between_two_characters),
        T(a_slow_file_of_users_holds_up_nobody_else),
        T(without_the_file_everybody_only_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
