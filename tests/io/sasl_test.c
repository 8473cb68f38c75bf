/* SPDX-License-Identifier: MIT */
/*
 * SASL against a library of our own: the functions of Cyrus's are defined here and take its place,
 * so that every answer can be had. tests/interop/sasl_test.py has the real one.
 */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sasl/sasl.h>

#include "io/sasl.h"
#include "io/socket.h"

/* ---- the library ---- */

/* One mechanism, MASK: the client says its name and password, the server says "ok". Protected
 * bytes are blocks: two bytes of length, then each byte with its bits flipped. */
struct sasl_conn {
    const sasl_callback_t *callbacks;
    sasl_security_properties_t rules;
    sasl_ssf_t external, ssf;
    unsigned block_max;
    char turn[256];
    unsigned char encoded[4096], line[4096], decoded[4096];
    size_t line_size;
};

static sasl_ssf_t library_ssf = 128;
static unsigned library_block = 700;

int sasl_server_init(const sasl_callback_t *callbacks, const char *application)
{
    return callbacks || strcmp(application, "test") != 0 ? SASL_FAIL : SASL_OK;
}

int sasl_client_init(const sasl_callback_t *callbacks)
{
    return callbacks ? SASL_FAIL : SASL_OK;
}

static int new_conn(sasl_conn_t **out, const sasl_callback_t *callbacks)
{
    *out = calloc(1, sizeof(**out));
    assert_non_null(*out);
    (*out)->callbacks = callbacks;
    (*out)->block_max = library_block;
    return SASL_OK;
}

int sasl_server_new(const char *service, const char *host, const char *realm, const char *local,
                    const char *remote, const sasl_callback_t *callbacks, unsigned flags,
                    sasl_conn_t **out)
{
    assert_string_equal(service, "spice");
    assert_true(!host && !realm && !local && !remote); /* unix sockets have no addresses */
    assert_int_equal(flags, SASL_SUCCESS_DATA);
    return new_conn(out, callbacks);
}

int sasl_client_new(const char *service, const char *host, const char *local, const char *remote,
                    const sasl_callback_t *callbacks, unsigned flags, sasl_conn_t **out)
{
    assert_string_equal(service, "spice");
    assert_string_equal(host, "the-server");
    assert_true(!local && !remote);
    assert_int_equal(flags, SASL_SUCCESS_DATA);
    return new_conn(out, callbacks);
}

void sasl_dispose(sasl_conn_t **conn)
{
    free(*conn);
    *conn = NULL;
}

int sasl_setprop(sasl_conn_t *conn, int what, const void *value)
{
    if (what == SASL_SEC_PROPS)
        conn->rules = *(const sasl_security_properties_t *)value;
    else if (what == SASL_SSF_EXTERNAL)
        conn->external = *(const sasl_ssf_t *)value;
    else
        return SASL_FAIL;
    return SASL_OK;
}

int sasl_getprop(sasl_conn_t *conn, int what, const void **value)
{
    if (what == SASL_SSF)
        *value = &conn->ssf;
    else if (what == SASL_MAXOUTBUF)
        *value = &conn->block_max;
    else if (what == SASL_USERNAME)
        *value = "ann";
    else
        return SASL_FAIL;
    return SASL_OK;
}

const char *sasl_errdetail(sasl_conn_t *conn)
{
    (void)conn;
    return "the library's words";
}

const char *sasl_errstring(int error, const char *languages, const char **language)
{
    (void)error, (void)languages, (void)language;
    return "an error";
}

int sasl_listmech(sasl_conn_t *conn, const char *user, const char *prefix, const char *separator,
                  const char *suffix, const char **result, unsigned *size, int *count)
{
    (void)user, (void)separator, (void)count;
    (void)snprintf(conn->turn, sizeof(conn->turn), "%sMASK%s", prefix, suffix);
    *result = conn->turn;
    *size = (unsigned)strlen(conn->turn);
    return SASL_OK;
}

static const sasl_callback_t *callback(const sasl_conn_t *conn, unsigned long id)
{
    const sasl_callback_t *at = conn->callbacks;
    while (at->id != SASL_CB_LIST_END && at->id != id)
        at++;
    assert_int_equal(at->id, id);
    return at;
}

int sasl_server_start(sasl_conn_t *conn, const char *mechanism, const char *in, unsigned size,
                      const char **out, unsigned *out_size)
{
    assert_string_equal(mechanism, "MASK");
    *out = NULL;
    *out_size = 0;
    if (!in) /* nothing yet: ask for it */
        return SASL_CONTINUE;
    if (size != 6 || memcmp(in, "ann:pw", 6) != 0) {
        const sasl_callback_t *log = callback(conn, SASL_CB_LOG);
        int (*func)(void *, int, const char *) =
            (int (*)(void *, int, const char *))(void (*)(void))log->proc;
        func(log->context, SASL_LOG_PASS, "the password is pw");
        func(log->context, SASL_LOG_FAIL, "no such user");
        return SASL_BADAUTH;
    }
    conn->ssf = conn->rules.max_ssf ? library_ssf : 0;
    *out = "ok";
    *out_size = 2;
    return SASL_OK;
}

int sasl_server_step(sasl_conn_t *conn, const char *in, unsigned size, const char **out,
                     unsigned *out_size)
{
    return sasl_server_start(conn, "MASK", in, size, out, out_size);
}

int sasl_client_start(sasl_conn_t *conn, const char *list, sasl_interact_t **prompts,
                      const char **out, unsigned *size, const char **mechanism)
{
    assert_null(prompts);
    if (strstr(list, "TICKET")) { /* the better one, but it has nothing to work with */
        *mechanism = "TICKET";
        return SASL_FAIL;
    }
    if (!strstr(list, "MASK"))
        return SASL_NOMECH;
    *mechanism = "MASK";
    const sasl_callback_t *name = callback(conn, SASL_CB_AUTHNAME);
    const sasl_callback_t *pass = callback(conn, SASL_CB_PASS);
    int (*get_name)(void *, int, const char **, unsigned *) =
        (int (*)(void *, int, const char **, unsigned *))(void (*)(void))name->proc;
    int (*get_pass)(sasl_conn_t *, void *, int, sasl_secret_t **) =
        (int (*)(sasl_conn_t *, void *, int, sasl_secret_t **))(void (*)(void))pass->proc;
    const char *user = NULL;
    unsigned user_size;
    sasl_secret_t *secret = NULL;
    int got_name = get_name(name->context, SASL_CB_AUTHNAME, &user, &user_size);
    int got_pass = get_pass(conn, pass->context, SASL_CB_PASS, &secret);
    if (got_name != SASL_OK || got_pass != SASL_OK)
        return SASL_FAIL;
    (void)snprintf(conn->turn, sizeof(conn->turn), "%s:%.*s", user, (int)secret->len,
                   (const char *)secret->data);
    *out = conn->turn;
    *size = (unsigned)strlen(conn->turn);
    return SASL_CONTINUE;
}

int sasl_client_step(sasl_conn_t *conn, const char *in, unsigned size, sasl_interact_t **prompts,
                     const char **out, unsigned *out_size)
{
    assert_null(prompts);
    *out = NULL;
    *out_size = 0;
    if (!in || size != 2 || memcmp(in, "ok", 2) != 0)
        return SASL_BADSERV;
    conn->ssf = conn->rules.max_ssf ? library_ssf : 0;
    return SASL_OK;
}

int sasl_encode(sasl_conn_t *conn, const char *in, unsigned size, const char **out,
                unsigned *out_size)
{
    if (size > conn->block_max)
        return SASL_BADPARAM;
    conn->encoded[0] = (unsigned char)(size >> 8);
    conn->encoded[1] = (unsigned char)size;
    for (unsigned i = 0; i < size; i++)
        conn->encoded[2 + i] = (unsigned char)~in[i];
    *out = (const char *)conn->encoded;
    *out_size = size + 2;
    return SASL_OK;
}

int sasl_decode(sasl_conn_t *conn, const char *in, unsigned size, const char **out,
                unsigned *out_size)
{
    size_t done = 0;
    for (unsigned i = 0; i < size; i++) {
        conn->line[conn->line_size++] = (unsigned char)in[i];
        size_t block = conn->line_size < 2 ? 0 : (size_t)conn->line[0] << 8 | conn->line[1];
        if (block > library_block)
            return SASL_FAIL;
        if (conn->line_size < 2 || conn->line_size < block + 2)
            continue;
        if (done + block > sizeof(conn->decoded))
            return SASL_BUFOVER;
        for (size_t k = 0; k < block; k++)
            conn->decoded[done++] = (unsigned char)~conn->line[2 + k];
        conn->line_size = 0;
    }
    *out = done ? (const char *)conn->decoded : NULL;
    *out_size = (unsigned)done;
    return SASL_OK;
}

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
        struct sm_sasl_stream stream = {fds[i], is_secure, is_secure ? 256 : 0};
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
    static const sasl_ssf_t CASES[] = {0, 1, 55, 56};
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        library_ssf = CASES[i];
        make_pair(&pair, &ANN, false);
        sm_check_status(log_in(&pair), SM_OK);
        assert_int_equal(sm_sasl_is_strong_enough(pair.sasl[1]), CASES[i] >= 56);
        assert_int_equal(sm_sasl_is_strong_enough(pair.sasl[0]), CASES[i] >= 56);
        finish_pair(&pair);
    }
    library_ssf = 128;
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
        library_block = BLOCKS[i];
        make_pair(&pair, &ANN, false);
        sm_check_status(log_in(&pair), SM_OK);
        put_layers(&pair, (struct sm_bytes){0});
        assert_false(pair.transport[0]->is_secure);
        send_all(pair.transport[0], pair.transport[1], 30000, 100000);
        send_all(pair.transport[1], pair.transport[0], 30000, 1);
        finish_pair(&pair);
    }
    library_block = 700;
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
