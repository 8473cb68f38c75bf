/* SPDX-License-Identifier: MIT */
#include "io/sasl.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sasl/sasl.h>

#include "core/base/math.h"

enum {
    PLAIN_SSF_MAX = 100000,
    SERVER_BUFFER = 8192,   /* bytes of a block that we are ready to take */
    CLIENT_BUFFER = 100000, /* likewise */
    BLOCK_MAX = 64 * 1024,  /* of ours, whatever the peer could take */
    CALLBACKS_MAX = 5,
};

static const char SERVICE[] = "spice";

struct sm_sasl {
    sasl_conn_t *conn;    /* owned */
    struct sm_sasl *next; /* among those that wait for their end */
    bool is_server, is_secure;
    struct sm_sasl_credentials credentials;
    sasl_secret_t *secret; /* owned, wiped: the password in the library's form */
    bool lacks_user, lacks_password;
    sasl_callback_t callbacks[CALLBACKS_MAX];
    char list[SM_SASL_LIST_MAX + 1]; /* client: mechanisms not tried yet */
    char mechanism[SM_SASL_NAME_MAX + 1];
    char reason[256];
};

/*
 * The library guards its tables for the whole process with locks that its host gives it before it
 * is first used. Where nobody has used it yet we give it some, and exchanges go on side by side. If
 * the process has begun without, it is too late, and exchanges take turns; encoding and decoding,
 * which touch nothing but their connection, do not.
 */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER; /* beginning, and turns */
static atomic_bool has_locks;                                    /* of ours */

static void *new_lock(void)
{
    pthread_mutex_t *lock = malloc(sizeof(*lock));
    if (!lock)
        return NULL;
    pthread_mutex_init(lock, NULL);
    has_locks = true; /* they are wanted */
    return lock;
}

static int take_lock(void *lock)
{
    return pthread_mutex_lock(lock) == 0 ? SASL_OK : SASL_FAIL;
}

static int give_lock(void *lock)
{
    return pthread_mutex_unlock(lock) == 0 ? SASL_OK : SASL_FAIL;
}

static void free_lock(void *lock)
{
    pthread_mutex_destroy(lock);
    free(lock);
}

/*
 * Exchanges that have ended while another one had its turn. Whoever ends one may be the host's loop
 * and must not wait for a key server: who has the turn looks here when it is over.
 */
static pthread_mutex_t dead_lock = PTHREAD_MUTEX_INITIALIZER; /* held for some instructions */
static struct sm_sasl *first_dead;

static struct sm_sasl *take_dead(void)
{
    pthread_mutex_lock(&dead_lock);
    struct sm_sasl *dead = first_dead;
    first_dead = NULL;
    pthread_mutex_unlock(&dead_lock);
    return dead;
}

static bool has_dead(void)
{
    pthread_mutex_lock(&dead_lock);
    bool has_some = first_dead != NULL;
    pthread_mutex_unlock(&dead_lock);
    return has_some;
}

static void free_sasl(struct sm_sasl *sasl)
{
    if (sasl->conn)
        sasl_dispose(&sasl->conn);
    if (sasl->secret)
        explicit_bzero(sasl->secret->data, sasl->secret->len);
    free(sasl->secret);
    free(sasl);
}

/* If somebody has the turn, it looks again behind it, and sees what was there before we tried. */
static void bury_dead(void)
{
    while (has_dead() && pthread_mutex_trylock(&library_lock) == 0) {
        struct sm_sasl *dead = take_dead();
        while (dead) {
            struct sm_sasl *next = dead->next;
            free_sasl(dead);
            dead = next;
        }
        pthread_mutex_unlock(&library_lock);
    }
}

/* Brackets what touches the library's tables; the answer is for end_turn(). */
static bool begin_turn(void)
{
    bool is_alone = !has_locks;
    if (is_alone)
        pthread_mutex_lock(&library_lock);
    return is_alone;
}

static void end_turn(bool is_alone)
{
    if (!is_alone)
        return;
    pthread_mutex_unlock(&library_lock);
    bury_dead();
}

/* Makes the library ready. It has a say in its locks only before its first use. */
static int begin_library(const char *application)
{
    pthread_mutex_lock(&library_lock);
    sasl_set_mutex(new_lock, take_lock, give_lock, free_lock);
    int result = application ? sasl_server_init(NULL, application) : sasl_client_init(NULL);
    end_turn(true);
    return result;
}

bool sm_sasl_is_available(void)
{
    return true;
}

static enum sm_status status_of(int result)
{
    switch (result) {
    case SASL_OK:
        return SM_OK;
    case SASL_CONTINUE:
    case SASL_INTERACT:
        return SM_AGAIN;
    case SASL_NOMEM:
        return SM_ERR_NOMEM;
    default:
        return SM_ERR_PROTOCOL;
    }
}

enum sm_status sm_sasl_prepare_server(const char *application, char *why, size_t why_size)
{
    int result = begin_library(application);
    if (result == SASL_OK)
        return SM_OK;
    snprintf(why, why_size, "%s", sasl_errstring(result, NULL, NULL));
    return result == SASL_NOMEM ? SM_ERR_NOMEM : SM_ERR_IO;
}

/* ---- what the library asks ---- */

/* The function types differ: this is how the library wants them. */
#define CALLBACK(func) ((int (*)(void))(void (*)(void))(func))

static int on_log(void *context, int level, const char *message)
{
    struct sm_sasl *sasl = context;
    /* Only what explains a failure: the levels beyond tell of passwords. */
    if (message && (level == SASL_LOG_ERR || level == SASL_LOG_FAIL))
        snprintf(sasl->reason, sizeof(sasl->reason), "%s", message);
    return SASL_OK;
}

static int on_name(void *context, int id, const char **result, unsigned *size)
{
    struct sm_sasl *sasl = context;
    const char *user = sasl->credentials.user;
    if (id == SASL_CB_USER)
        user = ""; /* acts as nobody but itself */
    else if (!user)
        sasl->lacks_user = true;
    if (!user)
        return SASL_FAIL;
    *result = user;
    if (size)
        *size = (unsigned)strlen(user);
    return SASL_OK;
}

static int on_password(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret)
{
    struct sm_sasl *sasl = context;
    (void)conn, (void)id;
    if (!sasl->secret) {
        sasl->lacks_password = true;
        return SASL_FAIL;
    }
    *secret = sasl->secret;
    return SASL_OK;
}

static bool keep_password(struct sm_sasl *sasl, const char *password)
{
    if (!password)
        return true;
    size_t size = strlen(password);
    sasl->secret = malloc(sizeof(*sasl->secret) + size + 1);
    if (!sasl->secret)
        return false;
    sasl->secret->len = size;
    memcpy(sasl->secret->data, password, size + 1);
    return true;
}

/* ---- making ---- */

/* "address;port" of one end; "" where there is none, as with unix sockets. */
static void set_end(char out[SM_SASL_PLACE_MAX], int fd, bool is_remote)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    char host[SM_SASL_PLACE_MAX - 8], port[7];
    int result = is_remote ? getpeername(fd, (struct sockaddr *)&address, &size)
                           : getsockname(fd, (struct sockaddr *)&address, &size);
    if (result != 0 || (address.ss_family != AF_INET && address.ss_family != AF_INET6) ||
        getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        *out = 0;
    else
        snprintf(out, SM_SASL_PLACE_MAX, "%s;%s", host, port);
}

void sm_sasl_stream_set_ends(struct sm_sasl_stream *stream, int fd)
{
    set_end(stream->local, fd, false);
    set_end(stream->remote, fd, true);
}

static int set_rules(struct sm_sasl *sasl, const struct sm_sasl_stream *stream)
{
    sasl_security_properties_t rules = {0};
    if (stream->is_secure) {
        sasl_ssf_t bits = stream->tls_bits;
        int result = sasl_setprop(sasl->conn, SASL_SSF_EXTERNAL, &bits);
        if (result != SASL_OK)
            return result;
    } else {
        rules.min_ssf = SM_SASL_PLAIN_SSF;
        rules.max_ssf = PLAIN_SSF_MAX;
        rules.maxbufsize = sasl->is_server ? SERVER_BUFFER : CLIENT_BUFFER;
        rules.security_flags = SASL_SEC_NOANONYMOUS | SASL_SEC_NOPLAINTEXT;
    }
    return sasl_setprop(sasl->conn, SASL_SEC_PROPS, &rules);
}

static int connect_library(struct sm_sasl *sasl, const struct sm_sasl_stream *stream,
                           const char *host)
{
    bool has_ends = stream->local[0] && stream->remote[0];
    const char *from = has_ends ? stream->local : NULL, *to = has_ends ? stream->remote : NULL;
    int result;
    if (sasl->is_server)
        result = sasl_server_new(SERVICE, NULL, NULL, from, to, sasl->callbacks, SASL_SUCCESS_DATA,
                                 &sasl->conn);
    else
        result = sasl_client_new(SERVICE, host, from, to, sasl->callbacks, SASL_SUCCESS_DATA,
                                 &sasl->conn);
    return result == SASL_OK ? set_rules(sasl, stream) : result;
}

static enum sm_status create(struct sm_sasl **out, const struct sm_sasl_stream *stream,
                             const char *host, const struct sm_sasl_credentials *credentials,
                             char *why, size_t why_size)
{
    struct sm_sasl *sasl = calloc(1, sizeof(*sasl));
    if (!sasl)
        return SM_ERR_NOMEM;
    sasl->is_server = !credentials;
    sasl->is_secure = stream->is_secure;
    sasl_callback_t *next = sasl->callbacks;
    *next++ = (sasl_callback_t){SASL_CB_LOG, CALLBACK(on_log), sasl};
    if (credentials) {
        sasl->credentials = *credentials;
        *next++ = (sasl_callback_t){SASL_CB_USER, CALLBACK(on_name), sasl};
        *next++ = (sasl_callback_t){SASL_CB_AUTHNAME, CALLBACK(on_name), sasl};
        *next++ = (sasl_callback_t){SASL_CB_PASS, CALLBACK(on_password), sasl};
        if (!keep_password(sasl, credentials->password)) {
            free(sasl);
            return SM_ERR_NOMEM;
        }
    }
    *next = (sasl_callback_t){SASL_CB_LIST_END, NULL, NULL};
    int result = sasl->is_server ? SASL_OK : begin_library(NULL);
    bool is_alone = begin_turn();
    if (result == SASL_OK)
        result = connect_library(sasl, stream, host);
    end_turn(is_alone);
    if (result != SASL_OK) {
        snprintf(why, why_size, "%s",
                 sasl->reason[0] ? sasl->reason : sasl_errstring(result, NULL, NULL));
        sm_sasl_destroy(sasl);
        return result == SASL_NOMEM ? SM_ERR_NOMEM : SM_ERR_IO;
    }
    *out = sasl;
    return SM_OK;
}

enum sm_status sm_sasl_server(struct sm_sasl **out, const struct sm_sasl_stream *stream, char *why,
                              size_t why_size)
{
    return create(out, stream, NULL, NULL, why, why_size);
}

enum sm_status sm_sasl_client(struct sm_sasl **out, const struct sm_sasl_stream *stream,
                              const char *host, const struct sm_sasl_credentials *credentials,
                              char *why, size_t why_size)
{
    return create(out, stream, host, credentials, why, why_size);
}

void sm_sasl_destroy(struct sm_sasl *sasl)
{
    if (!sasl)
        return;
    if (has_locks) {
        free_sasl(sasl);
        return;
    }
    pthread_mutex_lock(&dead_lock);
    sasl->next = first_dead;
    first_dead = sasl;
    pthread_mutex_unlock(&dead_lock);
    bury_dead();
}

/* ---- the exchange ---- */

/* The status of a library call, its failure in words. */
static enum sm_status conclude(struct sm_sasl *sasl, int result)
{
    enum sm_status status = status_of(result);
    if (status < 0 && !sasl->reason[0])
        snprintf(sasl->reason, sizeof(sasl->reason), "%s", sasl_errdetail(sasl->conn));
    return status;
}

static const char *turn_data(struct sm_sasl_turn turn)
{
    return turn.has_data ? (const char *)turn.data.data : NULL;
}

enum sm_status sm_sasl_mechanisms(struct sm_sasl *sasl, struct sm_bytes *list)
{
    const char *text = NULL;
    unsigned size = 0;
    bool is_alone = begin_turn();
    int result = sasl_listmech(sasl->conn, NULL, ",", ",", ",", &text, &size, NULL);
    end_turn(is_alone);
    if (result != SASL_OK)
        return conclude(sasl, result);
    *list = (struct sm_bytes){(const uint8_t *)text, size};
    return SM_OK;
}

enum sm_status sm_sasl_server_start(struct sm_sasl *sasl, const char *mechanism,
                                    struct sm_sasl_turn turn, struct sm_bytes *answer)
{
    const char *out = NULL;
    unsigned size = 0;
    sasl->reason[0] = 0;
    bool is_alone = begin_turn();
    int result = sasl_server_start(sasl->conn, mechanism, turn_data(turn), (unsigned)turn.data.size,
                                   &out, &size);
    end_turn(is_alone);
    *answer = (struct sm_bytes){(const uint8_t *)out, out ? size : 0};
    return conclude(sasl, result);
}

enum sm_status sm_sasl_server_step(struct sm_sasl *sasl, struct sm_sasl_turn turn,
                                   struct sm_bytes *answer)
{
    const char *out = NULL;
    unsigned size = 0;
    sasl->reason[0] = 0;
    bool is_alone = begin_turn();
    int result =
        sasl_server_step(sasl->conn, turn_data(turn), (unsigned)turn.data.size, &out, &size);
    end_turn(is_alone);
    *answer = (struct sm_bytes){(const uint8_t *)out, out ? size : 0};
    return conclude(sasl, result);
}

static struct sm_sasl_turn turn_of(const char *out, unsigned size)
{
    return (struct sm_sasl_turn){
        .has_data = out != NULL,
        .data = {(const uint8_t *)out, out ? size : 0},
    };
}

/* Takes `name` out of the list of what may be tried. */
static void strike(struct sm_sasl *sasl, const char *name)
{
    size_t size = strlen(name);
    for (char *at = sasl->list; (at = strstr(at, name)); at++) {
        bool is_whole = (at == sasl->list || at[-1] == ' ') && (at[size] == ' ' || !at[size]);
        if (is_whole) {
            memset(at, ' ', size);
            return;
        }
    }
}

/* The list as the library reads it: names between blanks, nothing else. */
static bool take_list(struct sm_sasl *sasl, struct sm_bytes list)
{
    if (list.size > SM_SASL_LIST_MAX || memchr(list.data, 0, list.size))
        return false;
    memcpy(sasl->list, list.data, list.size);
    sasl->list[list.size] = 0;
    for (char *c = sasl->list; *c; c++)
        if (*c == ',')
            *c = ' ';
    return true;
}

enum sm_status sm_sasl_client_start(struct sm_sasl *sasl, struct sm_bytes list,
                                    const char **mechanism, struct sm_sasl_turn *answer)
{
    enum sm_status status;
    sasl->reason[0] = 0;
    if (!list.size || !take_list(sasl, list)) {
        snprintf(sasl->reason, sizeof(sasl->reason), "the server's list makes no sense");
        return SM_ERR_PROTOCOL;
    }
    for (;;) {
        const char *out = NULL, *name = NULL;
        unsigned size = 0;
        bool is_alone = begin_turn();
        int result = sasl_client_start(sasl->conn, sasl->list, NULL, &out, &size, &name);
        end_turn(is_alone);
        status = conclude(sasl, result);
        if (status >= 0 && name && strlen(name) <= SM_SASL_NAME_MAX) {
            snprintf(sasl->mechanism, sizeof(sasl->mechanism), "%s", name);
            *mechanism = sasl->mechanism;
            *answer = turn_of(out, size);
            return status;
        }
        if (result == SASL_NOMECH || !name || !strstr(sasl->list, name))
            break;
        strike(sasl, name); /* nothing was said yet: the next one may */
    }
    return sasl->lacks_user || sasl->lacks_password ? SM_ERR_STATE
           : status < 0                             ? status
                                                    : SM_ERR_PROTOCOL;
}

enum sm_status sm_sasl_client_step(struct sm_sasl *sasl, struct sm_sasl_turn turn,
                                   struct sm_sasl_turn *answer)
{
    const char *out = NULL;
    unsigned size = 0;
    sasl->reason[0] = 0;
    bool is_alone = begin_turn();
    int result =
        sasl_client_step(sasl->conn, turn_data(turn), (unsigned)turn.data.size, NULL, &out, &size);
    end_turn(is_alone);
    *answer = turn_of(out, size);
    enum sm_status status = conclude(sasl, result);
    return status < 0 && (sasl->lacks_user || sasl->lacks_password) ? SM_ERR_STATE : status;
}

/* ---- what came of it ---- */

bool sm_sasl_lacks_user(const struct sm_sasl *sasl)
{
    return sasl->lacks_user;
}

bool sm_sasl_lacks_password(const struct sm_sasl *sasl)
{
    return sasl->lacks_password;
}

unsigned sm_sasl_ssf(const struct sm_sasl *sasl)
{
    const void *value = NULL;
    if (sasl_getprop(sasl->conn, SASL_SSF, &value) != SASL_OK || !value)
        return 0;
    return *(const sasl_ssf_t *)value;
}

bool sm_sasl_is_strong_enough(const struct sm_sasl *sasl)
{
    return sasl->is_secure || sm_sasl_ssf(sasl) >= SM_SASL_PLAIN_SSF;
}

const char *sm_sasl_user(const struct sm_sasl *sasl)
{
    const void *value = NULL;
    if (sasl_getprop(sasl->conn, SASL_USERNAME, &value) != SASL_OK || !value)
        return "";
    return value;
}

const char *sm_sasl_reason(const struct sm_sasl *sasl)
{
    return sasl->reason;
}

size_t sm_sasl_block_max(const struct sm_sasl *sasl)
{
    const void *value = NULL;
    unsigned size = 0;
    if (sasl_getprop(sasl->conn, SASL_MAXOUTBUF, &value) == SASL_OK && value)
        size = *(const unsigned *)value;
    return size ? sm_min_size(size, BLOCK_MAX) : SERVER_BUFFER / 2;
}

enum sm_status sm_sasl_encode(struct sm_sasl *sasl, struct sm_bytes in, struct sm_bytes *out)
{
    const char *text = NULL;
    unsigned size = 0;
    int result = sasl_encode(sasl->conn, (const char *)in.data, (unsigned)in.size, &text, &size);
    if (result != SASL_OK) {
        snprintf(sasl->reason, sizeof(sasl->reason), "%s", sasl_errdetail(sasl->conn));
        return SM_ERR_IO;
    }
    *out = (struct sm_bytes){(const uint8_t *)text, text ? size : 0};
    return SM_OK;
}

enum sm_status sm_sasl_decode(struct sm_sasl *sasl, struct sm_bytes in, struct sm_bytes *out)
{
    const char *text = NULL;
    unsigned size = 0;
    int result = sasl_decode(sasl->conn, (const char *)in.data, (unsigned)in.size, &text, &size);
    if (result != SASL_OK) {
        snprintf(sasl->reason, sizeof(sasl->reason), "%s", sasl_errdetail(sasl->conn));
        return SM_ERR_IO;
    }
    *out = (struct sm_bytes){(const uint8_t *)text, text ? size : 0};
    return SM_OK;
}
