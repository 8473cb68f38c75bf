/* SPDX-License-Identifier: MIT */
/* SASL against a library of our own: fake_sasl.h. tests/interop/sasl_test.py has the real one. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sasl.h"
#include "io/socket.h"
#include "tests/io/fake_sasl.h"

/* ---- both ends ---- */

struct pair {
    struct sm_transport *transport[2];
    struct sm_sasl *sasl[2]; /* client, server */
};

static const struct sm_sasl_credentials ANN = {.user = "ann", .password = "pw"};

static void make_pair(struct pair *pair, const struct sm_sasl_credentials *who, bool is_secure)
{
    int fds[2], little = 1;
    char why[64];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
        sm_check_status(sm_socket_transport(&pair->transport[i], fds[i]), SM_OK);
        struct sm_sasl_stream stream = {.is_secure = is_secure, .tls_bits = is_secure ? 256 : 0};
        sm_sasl_stream_set_ends(&stream, fds[i]);
        if (i == 0)
            sm_check_status(
                sm_sasl_client(&pair->sasl[0], &stream, "the-server", who, why, sizeof(why)),
                SM_OK);
        else
            sm_check_status(sm_sasl_server(&pair->sasl[1], &stream, why, sizeof(why)), SM_OK);
    }
}

static void finish_pair(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        sm_transport_destroy(pair->transport[i]);
        sm_sasl_destroy(pair->sasl[i]);
    }
}

/* The exchange; the server's last status. */
static enum sm_status log_in(struct pair *pair)
{
    struct sm_bytes list, answer;
    struct sm_sasl_turn turn;
    const char *mechanism;
    sm_check_status(sm_sasl_mechanisms(pair->sasl[1], &list), SM_OK);
    enum sm_status status = sm_sasl_client_start(pair->sasl[0], list, &mechanism, &turn);
    sm_check_status(status, SM_AGAIN);
    status = sm_sasl_server_start(pair->sasl[1], mechanism, (struct sm_sasl_turn){0}, &answer);
    sm_check_status(status, SM_AGAIN);
    assert_int_equal(answer.size, 0);
    status = sm_sasl_server_step(pair->sasl[1], turn, &answer);
    if (status != SM_OK)
        return status;
    turn = (struct sm_sasl_turn){.has_data = true, .data = answer};
    sm_check_status(sm_sasl_client_step(pair->sasl[0], turn, &turn), SM_OK);
    assert_false(turn.has_data);
    assert_string_equal(sm_sasl_user(pair->sasl[1]), "ann");
    return SM_OK;
}

static void put_layers(struct pair *pair, struct sm_bytes received)
{
    for (int i = 0; i < 2; i++) {
        struct sm_transport *top;
        sm_check_status(sm_sasl_transport(&top, pair->sasl[i], pair->transport[i],
                                          i ? received : (struct sm_bytes){0}),
                        SM_OK);
        pair->transport[i] = top;
        pair->sasl[i] = NULL;
    }
}

static void credentials_decide(void **state)
{
    (void)state;
    struct pair pair;
    make_pair(&pair, &ANN, false);
    sm_check_status(log_in(&pair), SM_OK);
    assert_int_equal(sm_sasl_ssf(pair.sasl[1]), 128);
    assert_true(sm_sasl_is_strong_enough(pair.sasl[1]));
    finish_pair(&pair);

    static const struct sm_sasl_credentials WRONG = {.user = "ann", .password = "no"};
    make_pair(&pair, &WRONG, false);
    sm_check_status(log_in(&pair), SM_ERR_PROTOCOL);
    assert_string_equal(sm_sasl_reason(pair.sasl[1]), "no such user"); /* and no secret */
    finish_pair(&pair);
}

/* The first test here: the process has not given the library locks yet, and it wants none. */
static void a_library_without_locks_is_used_in_turns(void **state)
{
    sm_fake_sasl_wants_locks = false;
    credentials_decide(state);
    sm_fake_sasl_wants_locks = true;
}

static void tls_needs_no_protection_and_gets_none(void **state)
{
    (void)state;
    struct pair pair;
    make_pair(&pair, &ANN, true);
    sm_check_status(log_in(&pair), SM_OK);
    assert_int_equal(sm_sasl_ssf(pair.sasl[1]), 0);
    assert_true(sm_sasl_is_strong_enough(pair.sasl[1]));
    finish_pair(&pair);
}

static void a_plain_line_needs_56_bits(void **state)
{
    (void)state;
    static const unsigned CASES[] = {0, 1, 55, 56};
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        sm_fake_sasl_ssf = CASES[i];
        make_pair(&pair, &ANN, false);
        sm_check_status(log_in(&pair), SM_OK);
        assert_int_equal(sm_sasl_is_strong_enough(pair.sasl[1]), CASES[i] >= 56);
        assert_int_equal(sm_sasl_is_strong_enough(pair.sasl[0]), CASES[i] >= 56);
        finish_pair(&pair);
    }
    sm_fake_sasl_ssf = 128;
}

static enum sm_status begin(const struct sm_sasl_credentials *who, const char *list, bool *user,
                            bool *password)
{
    struct pair pair;
    struct sm_sasl_turn turn;
    const char *mechanism;
    make_pair(&pair, who, false);
    struct sm_bytes bytes = {(const uint8_t *)list, strlen(list)};
    enum sm_status status = sm_sasl_client_start(pair.sasl[0], bytes, &mechanism, &turn);
    if (status >= 0)
        assert_string_equal(mechanism, "MASK");
    *user = sm_sasl_lacks_user(pair.sasl[0]);
    *password = sm_sasl_lacks_password(pair.sasl[0]);
    finish_pair(&pair);
    return status;
}

static void the_client_tries_what_it_can_and_says_what_it_lacks(void **state)
{
    (void)state;
    bool user, password;
    sm_check_status(begin(&ANN, ",TICKET,MASK,", &user, &password), SM_AGAIN);
    assert_false(user || password);
    sm_check_status(begin(&ANN, ",MASK,", &user, &password), SM_AGAIN);
    sm_check_status(begin(&ANN, ",TICKET,", &user, &password), SM_ERR_PROTOCOL);
    sm_check_status(begin(&ANN, ",OTHER,", &user, &password), SM_ERR_PROTOCOL);
    sm_check_status(begin(&ANN, "", &user, &password), SM_ERR_PROTOCOL);

    static const struct sm_sasl_credentials NOBODY = {0}, NAME = {.user = "ann"},
                                            SECRET = {.password = "pw"};
    sm_check_status(begin(&NOBODY, ",TICKET,MASK,", &user, &password), SM_ERR_STATE);
    assert_true(user && password);
    sm_check_status(begin(&NAME, ",MASK,", &user, &password), SM_ERR_STATE);
    assert_true(!user && password);
    sm_check_status(begin(&SECRET, ",MASK,", &user, &password), SM_ERR_STATE);
    assert_true(user && !password);
}

/* ---- the layer ---- */

static void send_all(struct sm_transport *from, struct sm_transport *to, size_t size, size_t piece)
{
    uint8_t *sent = malloc(size), *received = calloc(size, 1);
    assert_true(sent && received);
    for (size_t i = 0; i < size; i++)
        sent[i] = (uint8_t)(i * 31 >> 3);
    size_t out = 0, in = 0;
    while (in < size) {
        size_t count = 0, left = size - out, first = left / 3;
        struct sm_bytes parts[3] = {
            {sent + out, first}, {NULL, 0}, {sent + out + first, left - first}};
        if (left) {
            enum sm_status status = sm_transport_writev(from, parts, 3, &count);
            assert_true(status >= 0);
            out += status == SM_OK ? count : 0;
        } else {
            assert_true(sm_transport_flush(from) >= 0);
        }
        size_t room = size - in < piece ? size - in : piece;
        enum sm_status status = sm_transport_read(to, received + in, room, &count);
        assert_true(status >= 0);
        if (status == SM_OK)
            assert_true(count > 0);
        in += status == SM_OK ? count : 0;
    }
    assert_memory_equal(sent, received, size);
    free(sent);
    free(received);
}

static void the_layer_carries_a_stream_both_ways_however_it_is_cut(void **state)
{
    (void)state;
    static const unsigned BLOCKS[] = {1, 700, 4000};
    for (size_t i = 0; i < 3; i++) { /* on a line that takes little at a time */
        struct pair pair;
        sm_fake_sasl_block = BLOCKS[i];
        make_pair(&pair, &ANN, false);
        sm_check_status(log_in(&pair), SM_OK);
        put_layers(&pair, (struct sm_bytes){0});
        assert_false(pair.transport[0]->is_secure);
        send_all(pair.transport[0], pair.transport[1], 30000, 100000);
        send_all(pair.transport[1], pair.transport[0], 30000, 1);
        finish_pair(&pair);
    }
    sm_fake_sasl_block = 700;
}

static void bytes_that_came_before_the_layer_are_its_first(void **state)
{
    (void)state;
    struct pair pair;
    static const uint8_t EARLY[] = {0, 2, (uint8_t) ~'h', (uint8_t) ~'i', 0, 1};
    static const uint8_t LATE[] = {(uint8_t) ~'!'};
    make_pair(&pair, &ANN, false);
    sm_check_status(log_in(&pair), SM_OK);
    int fd = pair.transport[0]->fd;
    put_layers(&pair, (struct sm_bytes){EARLY, sizeof(EARLY)});
    assert_true(sm_transport_has_buffered(pair.transport[1]));
    uint8_t text[8];
    size_t got;
    sm_check_status(sm_transport_read(pair.transport[1], text, sizeof(text), &got), SM_OK);
    assert_int_equal(got, 2);
    assert_memory_equal(text, "hi", 2);
    sm_check_status(sm_transport_read(pair.transport[1], text, sizeof(text), &got), SM_AGAIN);
    assert_int_equal(write(fd, LATE, sizeof(LATE)), 1);
    sm_check_status(sm_transport_read(pair.transport[1], text, sizeof(text), &got), SM_OK);
    assert_int_equal(got, 1);
    assert_int_equal(text[0], '!');
    finish_pair(&pair);
}

static void garbage_on_the_line_breaks_the_layer_for_good(void **state)
{
    (void)state;
    struct pair pair;
    static const uint8_t GARBAGE[] = {0xff, 0xff, 0, 1, (uint8_t) ~'x'};
    make_pair(&pair, &ANN, false);
    sm_check_status(log_in(&pair), SM_OK);
    int fd = pair.transport[0]->fd;
    put_layers(&pair, (struct sm_bytes){0});
    assert_int_equal(write(fd, GARBAGE, sizeof(GARBAGE)), sizeof(GARBAGE));
    uint8_t text[8];
    size_t got;
    sm_check_status(sm_transport_read(pair.transport[1], text, sizeof(text), &got), SM_ERR_IO);
    assert_non_null(strstr(sm_transport_reason(pair.transport[1]), "the library's words"));
    sm_check_status(sm_transport_read(pair.transport[1], text, sizeof(text), &got), SM_ERR_IO);
    finish_pair(&pair);
}

static void the_end_of_the_line_is_the_end_of_the_layer(void **state)
{
    (void)state;
    struct pair pair;
    make_pair(&pair, &ANN, false);
    sm_check_status(log_in(&pair), SM_OK);
    put_layers(&pair, (struct sm_bytes){0});
    sm_transport_destroy(pair.transport[0]);
    pair.transport[0] = NULL;
    uint8_t text[8];
    size_t got;
    sm_check_status(sm_transport_read(pair.transport[1], text, sizeof(text), &got), SM_ERR_IO);
    assert_true(pair.transport[1]->has_ended);
    /* no descriptor can be passed through blocks */
    sm_check_status(sm_transport_send_fd(pair.transport[1], '@', -1), SM_ERR_STATE);
    finish_pair(&pair);
}

static void the_process_is_prepared_under_the_host_s_name(void **state)
{
    (void)state;
    char why[64] = "";
    assert_true(sm_sasl_is_available());
    sm_check_status(sm_sasl_prepare_server("test", why, sizeof(why)), SM_OK);
    sm_check_status(sm_sasl_prepare_server("other", why, sizeof(why)), SM_ERR_IO);
    assert_string_equal(why, "an error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_without_locks_is_used_in_turns),
        cmocka_unit_test(the_process_is_prepared_under_the_host_s_name),
        cmocka_unit_test(credentials_decide),
        cmocka_unit_test(tls_needs_no_protection_and_gets_none),
        cmocka_unit_test(a_plain_line_needs_56_bits),
        cmocka_unit_test(the_client_tries_what_it_can_and_says_what_it_lacks),
        cmocka_unit_test(the_layer_carries_a_stream_both_ways_however_it_is_cut),
        cmocka_unit_test(bytes_that_came_before_the_layer_are_its_first),
        cmocka_unit_test(garbage_on_the_line_breaks_the_layer_for_good),
        cmocka_unit_test(the_end_of_the_line_is_the_end_of_the_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
