/* SPDX-License-Identifier: MIT */
/* The door: ports, the link phase over real sockets, tickets, sessions that come and go. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/main.h"
#include "core/wire/types.h"
#include "tests/server/support/visitor.h"

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spice_server_destroy(f->server);
    assert_int_equal(f->host.connected, f->host.disconnected);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

/* What the server answers to these bytes: its link error, or SM_TEST_SILENCE. Then it closes. */
static int answer_to(struct fixture *f, const char *hex)
{
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    struct sm_bytes bytes = sm_test_hex(hex);
    sm_test_visitor_send(&visitor, bytes.data, bytes.size);
    uint8_t reply[16 + 178];
    size_t size = sm_test_visitor_receive(&visitor, reply, sizeof(reply));
    assert_true(sm_test_visitor_is_closed(&visitor));
    sm_test_visitor_close(&visitor);
    if (size == 0)
        return SM_TEST_SILENCE;
    assert_int_equal(size, sizeof(reply));
    assert_memory_equal(reply, "REDQ\2\0\0\0\2\0\0\0\xb2\0\0\0", 16);
    return reply[16];
}

static void garbage_is_answered_with_the_magic_and_an_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(answer_to(f, "00 01 02 03"), SM_LINK_ERR_INVALID_MAGIC);
    assert_int_equal(answer_to(f, "52 45 44 50"), SM_LINK_ERR_INVALID_MAGIC);
}

static void wrong_versions_and_sizes_are_refused_in_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(answer_to(f, "52454451 03000000 02000000 1a000000"),
                     SM_LINK_ERR_VERSION_MISMATCH);
    assert_int_equal(answer_to(f, "52454451 00000000 02000000 1a000000"), SM_TEST_SILENCE);
    assert_int_equal(answer_to(f, "52454451 02000000 02000000 11000000"), SM_LINK_ERR_INVALID_DATA);
    assert_int_equal(answer_to(f, "52454451 02000000 02000000 01100000"), SM_LINK_ERR_INVALID_DATA);
    /* 1025 capability words, and words outside of the message */
    assert_int_equal(answer_to(f, "52454451 02000000 02000000 12000000"
                                  "00000000 01 00 01040000 00000000 12000000"),
                     SM_LINK_ERR_INVALID_DATA);
    assert_int_equal(answer_to(f, "52454451 02000000 02000000 12000000"
                                  "00000000 01 00 01000000 00000000 12000000"),
                     SM_LINK_ERR_INVALID_DATA);
}

static void an_unknown_channel_is_closed_without_a_word(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 1, SM_CHANNEL_PLAYBACK, 9, NULL),
                     SM_TEST_SILENCE);
    assert_true(sm_test_visitor_is_closed(&visitor));
    sm_test_visitor_close(&visitor);
}

static void a_session_begins_with_init_and_offers_its_channels(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main = sm_test_visitor(&f->host, f->host.path);
    uint32_t id = sm_test_visitor_open_main(&main, "");
    assert_int_not_equal(id, 0);
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    assert_int_equal(f->host.initialized, 1);
    assert_int_equal((uint32_t)f->host.last_info->connection_id, id);
    assert_int_equal(f->host.last_info->type, SM_CHANNEL_MAIN);
    assert_int_equal(f->host.last_info->laddr_ext.ss_family, AF_UNIX);

    uint8_t list[16] = {0};
    sm_test_visitor_message(&main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    assert_int_equal(sm_test_visitor_await(&main, SM_MSG_MAIN_CHANNELS_LIST, list, 6), 6);
    assert_memory_equal(list, "\1\0\0\0\3\0", 6); /* one: inputs 0 */
    sm_test_visitor_close(&main);
    assert_int_equal(spice_server_get_num_clients(f->server), 0);
    assert_int_equal(f->host.disconnected, 1);
}

static void other_channels_need_the_sessions_id_and_come_once(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor main = sm_test_visitor(&f->host, f->host.path);
    uint32_t id = sm_test_visitor_open_main(&main, "");
    struct sm_test_visitor inputs = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_open(&inputs, id ^ 1, SM_CHANNEL_INPUTS, 0),
                     SM_LINK_ERR_BAD_CONNECTION_ID);
    assert_true(sm_test_visitor_is_closed(&inputs));
    sm_test_visitor_close(&inputs);

    inputs = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_open(&inputs, id, SM_CHANNEL_INPUTS, 0), 0);
    struct sm_test_visitor again = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_open(&again, id, SM_CHANNEL_INPUTS, 0), 0);
    assert_true(sm_test_visitor_is_closed(&again));
    assert_false(sm_test_visitor_is_closed(&inputs));
    sm_test_visitor_close(&again);

    /* The main channel takes the others with it. */
    sm_test_visitor_close(&main);
    uint8_t rest[64];
    sm_test_visitor_receive(&inputs, rest, sizeof(rest));
    assert_true(sm_test_visitor_is_closed(&inputs));
    sm_test_visitor_close(&inputs);
}

static void a_second_client_replaces_the_first(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor first = sm_test_visitor(&f->host, f->host.path);
    uint32_t first_id = sm_test_visitor_open_main(&first, "");
    struct sm_test_visitor second = sm_test_visitor(&f->host, f->host.path);
    uint32_t second_id = sm_test_visitor_open_main(&second, "");
    assert_int_not_equal(first_id, second_id);
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    uint8_t rest[512];
    sm_test_visitor_receive(&first, rest, sizeof(rest));
    assert_true(sm_test_visitor_is_closed(&first));
    assert_false(sm_test_visitor_is_closed(&second));
    sm_test_visitor_close(&first);
    sm_test_visitor_close(&second);
}

static int result_for(struct fixture *f, const char *password)
{
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    uint8_t key[SM_TEST_KEY_SIZE];
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, key), 0);
    int result = sm_test_visitor_ticket(&visitor, key, password);
    if (result)
        assert_true(sm_test_visitor_is_closed(&visitor));
    sm_test_visitor_close(&visitor);
    return result;
}

static void tickets_are_checked(void **state)
{
    struct fixture *f = *state;
    char longest[62];
    memset(longest, 'x', 61);
    longest[61] = '\0';
    assert_int_equal(spice_server_set_ticket(f->server, longest, 0, 0, 0), -1);
    longest[60] = '\0';
    assert_int_equal(spice_server_set_ticket(f->server, longest, 0, 0, 0), 0);
    assert_int_equal(result_for(f, longest), 0);
    longest[59] = '\0';
    assert_int_equal(result_for(f, longest), SM_LINK_ERR_PERMISSION_DENIED);

    assert_int_equal(spice_server_set_ticket(f->server, "secret", 0, 0, 0), 0);
    assert_int_equal(result_for(f, "secret"), 0);
    assert_int_equal(result_for(f, "secreT"), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(result_for(f, ""), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(spice_server_set_ticket(f->server, NULL, 1, 0, 0), 0);
    assert_int_equal(result_for(f, ""), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(spice_server_set_ticket(f->server, "", 0, 0, 0), 0);
    assert_int_equal(result_for(f, ""), SM_LINK_ERR_PERMISSION_DENIED);
    assert_int_equal(spice_server_set_ticket(f->server, "secret", -1, 0, 0), 0); /* long ago */
    assert_int_equal(result_for(f, "secret"), SM_LINK_ERR_PERMISSION_DENIED);
}

static void a_ticket_has_to_decrypt_even_where_any_will_do(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, NULL), 0);
    uint8_t garbage[4 + 128] = {1};
    memset(garbage + 4, 0x5a, 128);
    sm_test_visitor_send(&visitor, garbage, sizeof(garbage));
    uint8_t result[4];
    assert_int_equal(sm_test_visitor_receive(&visitor, result, 4), 4);
    assert_int_equal(result[0], SM_LINK_ERR_PERMISSION_DENIED);
    assert_true(sm_test_visitor_is_closed(&visitor));
    sm_test_visitor_close(&visitor);
}

static void an_unknown_mechanism_is_answered_with_a_link_error(void **state)
{
    struct fixture *f = *state;
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, NULL), 0);
    sm_test_visitor_send(&visitor, "\7\0\0\0", 4);
    uint8_t reply[16 + 178];
    assert_int_equal(sm_test_visitor_receive(&visitor, reply, sizeof(reply)), sizeof(reply));
    assert_int_equal(reply[16], SM_LINK_ERR_INVALID_DATA);
    assert_true(sm_test_visitor_is_closed(&visitor));
    sm_test_visitor_close(&visitor);
}

static void a_new_ticket_can_spare_end_or_mind_the_connected(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(spice_server_set_ticket(f->server, "one", 0, 0, 0), 0);
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    sm_test_visitor_open_main(&visitor, "one");
    assert_int_equal(spice_server_set_ticket(f->server, "two", 0, 1, 0), -1);  /* fail */
    assert_int_equal(spice_server_set_ticket(f->server, "three", 0, 0, 0), 0); /* keep */
    sm_test_host_run(&f->host, 5);
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    assert_int_equal(spice_server_set_ticket(f->server, "four", 0, 0, 1), 0); /* disconnect */
    sm_test_host_run(&f->host, 5);
    assert_int_equal(spice_server_get_num_clients(f->server), 0);
    sm_test_visitor_close(&visitor);
}

static void a_channel_for_tls_only_is_refused_on_the_plain_port(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        spice_server_set_channel_security(f->server, "main", SPICE_CHANNEL_SECURITY_SSL), 0);
    assert_int_equal(spice_server_set_channel_security(f->server, "nonsense", 1), -1);
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, NULL),
                     SM_LINK_ERR_NEED_SECURED);
    assert_true(sm_test_visitor_is_closed(&visitor));
    sm_test_visitor_close(&visitor);
}

static void clients_that_die_anywhere_in_the_handshake_leave_nothing(void **state)
{
    struct fixture *f = *state;
    static const char hello[] = "52454451 02000000 02000000 1a000000"
                                "00000000 01 00 01000000 01000000 12000000 0d000000 0f000000";
    struct sm_bytes bytes = sm_test_hex(hello);
    for (size_t size = 0; size <= bytes.size; size++) {
        struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
        sm_test_visitor_send(&visitor, bytes.data, size);
        sm_test_visitor_close(&visitor);
        assert_int_equal(f->host.disconnected, size + 1);
    }
    assert_int_equal(f->host.initialized, 0);
}

static void a_handshake_may_come_a_byte_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct sm_bytes bytes =
        sm_test_hex("52454451 02000000 02000000 1a000000"
                    "00000000 01 00 01000000 01000000 12000000 0d000000 0f000000");
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    for (size_t i = 0; i < bytes.size; i++) {
        sm_test_visitor_send(&visitor, bytes.data + i, 1);
        sm_test_host_run(&f->host, 0);
    }
    uint8_t reply[16 + 178];
    assert_int_equal(sm_test_visitor_receive(&visitor, reply, sizeof(reply)), sizeof(reply));
    assert_int_equal(reply[16], 0);
    sm_test_visitor_close(&visitor);
}

static void strangers_at_the_door_are_limited(void **state)
{
    enum { MANY = 70, LIMIT = 64 };
    struct fixture *f = *state;
    struct sm_test_visitor visitors[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        visitors[i] = sm_test_visitor(&f->host, f->host.path);
        sm_test_host_run(&f->host, 1);
    }
    /* Everybody gets in, and those who were there first make room. */
    assert_int_equal(f->host.connected - f->host.disconnected, LIMIT);
    for (unsigned i = 0; i < MANY - LIMIT; i++)
        assert_true(sm_test_visitor_is_closed(&visitors[i]));
    assert_false(sm_test_visitor_is_closed(&visitors[MANY - LIMIT]));
    assert_false(sm_test_visitor_is_closed(&visitors[MANY - 1]));
    for (unsigned i = 0; i < MANY; i++)
        sm_test_visitor_close(&visitors[i]);
    struct sm_test_visitor late = sm_test_visitor(&f->host, f->host.path);
    sm_test_visitor_open_main(&late, "");
    sm_test_visitor_close(&late);
}

static void without_descriptors_strangers_wait_and_nothing_spins(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, none;
    struct sm_test_visitor first = sm_test_visitor(&f->host, f->host.path);
    sm_test_host_run(&f->host, 5);
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    sm_test_host_run(&f->host, 20); /* ends only if there are 20 ms in which nothing happens */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(f->host.connected, 1);
    sm_test_host_run(&f->host, 300);
    assert_int_equal(f->host.connected, 2);
    sm_test_visitor_open_main(&visitor, "");
    sm_test_visitor_close(&visitor);
    sm_test_visitor_close(&first);
}

static void a_host_hands_over_a_connected_socket(void **state)
{
    struct fixture *f = *state;
    int pair[2];
    uint8_t key[SM_TEST_KEY_SIZE];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    spice_server_set_ticket(f->server, "secret", 0, 0, 0);
    assert_int_equal(spice_server_add_client(f->server, pair[0], 1), 0);
    struct sm_test_visitor visitor = {.host = &f->host, .fd = pair[1]};
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, key), 0);
    assert_int_equal(sm_test_visitor_ticket(&visitor, key, "no matter"), 0);
    sm_test_visitor_close(&visitor);
    assert_int_equal(spice_server_add_client(f->server, -1, 0), -1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(spice_server_add_ssl_client(f->server, pair[0], 0), -1); /* no TLS here */
    close(pair[0]);                                                           /* still ours */
    close(pair[1]);
}

static void messages_out_of_place_end_only_their_session(void **state)
{
    struct fixture *f = *state;
    static const uint16_t types[] = {101, 102, 111, 112, 999}; /* CLIENT_INFO, migration, ... */
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
        sm_test_visitor_open_main(&visitor, "");
        sm_test_visitor_message(&visitor, types[i], sm_test_hex("0000000000000000"));
        sm_test_host_run(&f->host, 5);
        assert_int_equal(spice_server_get_num_clients(f->server), 0);
        sm_test_visitor_close(&visitor);
    }
}

static unsigned listening_sockets(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++) {
        int listens = 0;
        socklen_t size = sizeof(listens);
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
            count++;
    }
    return count;
}

static void a_server_listens_where_it_was_told_and_nowhere_else(void **state)
{
    struct fixture *f = *state; /* on one unix socket */
    unsigned before = listening_sockets();
    assert_int_equal(before, 1);
    SpiceServer *server = spice_server_new();
    spice_server_set_noauth(server);
    assert_int_equal(spice_server_init(server, &f->host.core), 0);
    assert_int_equal(listening_sockets(), before);
    spice_server_destroy(server);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(garbage_is_answered_with_the_magic_and_an_error),
        T(wrong_versions_and_sizes_are_refused_in_order),
        T(an_unknown_channel_is_closed_without_a_word),
        T(a_session_begins_with_init_and_offers_its_channels),
        T(other_channels_need_the_sessions_id_and_come_once),
        T(a_second_client_replaces_the_first),
        T(tickets_are_checked),
        T(a_ticket_has_to_decrypt_even_where_any_will_do),
        T(an_unknown_mechanism_is_answered_with_a_link_error),
        T(a_new_ticket_can_spare_end_or_mind_the_connected),
        T(a_channel_for_tls_only_is_refused_on_the_plain_port),
        T(clients_that_die_anywhere_in_the_handshake_leave_nothing),
        T(a_handshake_may_come_a_byte_at_a_time),
        T(strangers_at_the_door_are_limited),
        T(without_descriptors_strangers_wait_and_nothing_spins),
        T(a_host_hands_over_a_connected_socket),
        T(messages_out_of_place_end_only_their_session),
        T(a_server_listens_where_it_was_told_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
