/* SPDX-License-Identifier: MIT */
#include "tests/io/fake_sasl.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sasl/sasl.h>

#include "tests/support/check.h"

/* One mechanism, MASK: the client says its name and password, the server says "ok". Protected
 * bytes are blocks: two bytes of length, then each byte with its bits flipped. */
struct sasl_conn {
    const sasl_callback_t *callbacks;
    sasl_security_properties_t rules;
    sasl_ssf_t external, ssf;
    unsigned block_max;
    char turn[1024], user[600];
    unsigned char encoded[4096], line[4096], decoded[4096];
    size_t line_size;
};

unsigned sm_fake_sasl_ssf = 128;
unsigned sm_fake_sasl_block = 700;
bool sm_fake_sasl_wants_locks = true;
atomic_uint sm_fake_sasl_living;

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static bool gate_is_shut;
static unsigned waiting; /* for the gate */

void sm_fake_sasl_shut_gate(bool is_shut)
{
    pthread_mutex_lock(&gate_lock);
    gate_is_shut = is_shut;
    pthread_cond_broadcast(&gate_changed);
    while (!is_shut && waiting > 0) /* nobody who waits misses that it was open */
        pthread_cond_wait(&gate_changed, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
}

void sm_fake_sasl_await(unsigned count)
{
    pthread_mutex_lock(&gate_lock);
    while (waiting != count)
        pthread_cond_wait(&gate_changed, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
}

/* As a mechanism that asks a key server which does not answer. */
static void pass_gate(void)
{
    pthread_mutex_lock(&gate_lock);
    waiting++;
    pthread_cond_broadcast(&gate_changed);
    while (gate_is_shut)
        pthread_cond_wait(&gate_changed, &gate_lock);
    waiting--;
    pthread_cond_broadcast(&gate_changed);
    pthread_mutex_unlock(&gate_lock);
}

/* The library makes a lock of its host's when it begins. */
void sasl_set_mutex(sasl_mutex_alloc_t *make, sasl_mutex_lock_t *lock, sasl_mutex_unlock_t *unlock,
                    sasl_mutex_free_t *dispose)
{
    if (!sm_fake_sasl_wants_locks)
        return;
    void *mutex = make();
    assert_non_null(mutex);
    assert_int_equal(lock(mutex), SASL_OK);
    assert_int_equal(unlock(mutex), SASL_OK);
    dispose(mutex);
}

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
    sm_fake_sasl_living++;
    (*out)->callbacks = callbacks;
    (*out)->block_max = sm_fake_sasl_block;
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
    sm_fake_sasl_living--;
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
        *value = conn->user;
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
    size_t name = 0;
    while (name < size && name < sizeof(conn->user) - 1 && in[name] != ':')
        name++;
    memcpy(conn->user, in, name);
    conn->user[name] = 0;
    if (strcmp(conn->user, "slow") == 0)
        pass_gate();
    if (size - name != 3 || memcmp(in + name, ":pw", 3) != 0) {
        const sasl_callback_t *log = callback(conn, SASL_CB_LOG);
        int (*func)(void *, int, const char *) =
            (int (*)(void *, int, const char *))(void (*)(void))log->proc;
        func(log->context, SASL_LOG_PASS, "the password is pw");
        func(log->context, SASL_LOG_FAIL, "no such user");
        return SASL_BADAUTH;
    }
    conn->ssf = conn->rules.max_ssf ? sm_fake_sasl_ssf : 0;
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
    conn->ssf = conn->rules.max_ssf ? sm_fake_sasl_ssf : 0;
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
        if (block > sm_fake_sasl_block)
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
