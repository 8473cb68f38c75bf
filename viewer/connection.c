/* SPDX-License-Identifier: MIT */
#include "viewer/connection.h"

#include <stdlib.h>
#include <string.h>

#include <glib-unix.h>
#include <glib/gi18n.h>

enum {
    EVENTS_A_TURN = 64, /* then the toolkit has its turn */
    /* A lost line: at once, then ever later, as long as somebody may still be waiting for it. */
    FIRST_RETRY_MS = 250,
    LAST_RETRY_MS = 2000,
    GIVE_UP_S = 15 * 60,
    /* Lost again so soon after it came back: somebody else wants the machine, too. Two programs
     * that both try again would take it from each other for ever. */
    TAKEN_S = 20,
    TAKEN_COUNT = 2,
};

struct sm_connection {
    const struct sm_viewer_options *options;
    const struct sm_connection_observer *observer;
    void *opaque;
    struct sm_address *address; /* owned */
    char *password;             /* owned; or NULL */
    char *name;                 /* owned; or NULL */
    struct sm_session *session; /* owned; or NULL */
    guint watch, retry;         /* sources of the main loop, or 0 */
    unsigned retry_ms;
    gint64 lost_us;       /* when the line was lost */
    gint64 up_us;         /* when it came up */
    unsigned short_lives; /* in a row */
    enum sm_connection_state state;
    bool is_closing;
    struct sm_error error;
};

static void set_state(struct sm_connection *c, enum sm_connection_state state)
{
    c->state = state;
    c->observer->on_state(c->opaque);
}

static void drop_session(struct sm_connection *c)
{
    if (c->watch)
        g_source_remove(c->watch);
    c->watch = 0;
    sm_session_destroy(c->session);
    c->session = NULL;
}

static void try_later(struct sm_connection *c);

/* Trying again helps where the network or the host went away, not where somebody said no. */
static bool may_come_back(const struct sm_error *error)
{
    switch (error->kind) {
    case SM_ERROR_CLOSED:
    case SM_ERROR_REFUSED:
    case SM_ERROR_UNREACHABLE:
    case SM_ERROR_TIMED_OUT:
    case SM_ERROR_HOST_NOT_FOUND:
    case SM_ERROR_SOCKET:
    case SM_ERROR_SESSION_GONE:
        return true;
    default:
        return false;
    }
}

static void tell_taken(struct sm_connection *c)
{
    g_strlcpy(c->error.cause, _("the machine ends the connection again and again"),
              sizeof(c->error.cause));
    g_strlcpy(c->error.cure, _("perhaps somebody else looks at it; it may allow one at a time"),
              sizeof(c->error.cure));
}

static void on_closed(struct sm_connection *c, const struct sm_error *error)
{
    bool was_up = c->state == SM_CONNECTION_UP;
    c->error = *error;
    drop_session(c);
    if (c->is_closing || error->kind == SM_ERROR_NONE) {
        set_state(c, SM_CONNECTION_ENDED);
        return;
    }
    if (was_up) {
        c->lost_us = g_get_monotonic_time();
        c->retry_ms = FIRST_RETRY_MS;
        bool was_short = c->lost_us - c->up_us < (gint64)TAKEN_S * G_USEC_PER_SEC;
        c->short_lives = was_short ? c->short_lives + 1 : 0;
    }
    if (was_up && error->kind == SM_ERROR_CLOSED && c->short_lives >= TAKEN_COUNT) {
        tell_taken(c);
        set_state(c, SM_CONNECTION_FAILED);
        return;
    }
    bool is_lost = was_up || c->state == SM_CONNECTION_LOST;
    bool is_time_left = g_get_monotonic_time() - c->lost_us < (gint64)GIVE_UP_S * G_USEC_PER_SEC;
    if (is_lost && is_time_left && may_come_back(error)) {
        try_later(c);
        set_state(c, SM_CONNECTION_LOST);
    } else {
        set_state(c, SM_CONNECTION_FAILED);
    }
}

static void take_name(struct sm_connection *c)
{
    struct sm_session_info info;
    sm_session_get_info(c->session, &info);
    if (!info.name[0])
        return;
    g_free(c->name);
    c->name = g_utf8_make_valid(info.name, -1);
}

/* False if there is no session any more. */
static bool take_event(struct sm_connection *c, const struct sm_event *event)
{
    switch (event->kind) {
    case SM_EVENT_CLOSED: {
        struct sm_error error = *event->error;
        on_closed(c, &error);
        return false;
    }
    case SM_EVENT_CONNECTED:
        take_name(c);
        c->up_us = g_get_monotonic_time();
        set_state(c, SM_CONNECTION_UP);
        return c->session != NULL;
    case SM_EVENT_INFO:
        take_name(c);
        break;
    default:
        break;
    }
    c->observer->on_event(c->opaque, event);
    return c->session != NULL;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    (void)fd;
    (void)condition;
    struct sm_connection *c = opaque;
    struct sm_event event;
    for (int i = 0; i < EVENTS_A_TURN; i++) {
        if (!sm_session_wait_event(c->session, 0, &event))
            break;
        if (!take_event(c, &event))
            return G_SOURCE_REMOVE; /* drop_session() did it already, which is no harm */
    }
    return G_SOURCE_CONTINUE;
}

static void write_log(void *opaque, enum sm_session_log_level level, const char *text)
{
    (void)opaque;
    g_printerr("sumac-viewer: %s%s\n", level >= SM_SESSION_LOG_WARNING ? "warning: " : "", text);
}

static enum sm_status set_up(struct sm_connection *c)
{
    const struct sm_viewer_options *o = c->options;
    struct sm_session *session = c->session;
    enum sm_status status = sm_session_set_ca_file(session, o->ca_file);
    if (status == SM_OK)
        status = sm_session_use_agent(session);
    if (status == SM_OK && o->host_subject)
        status = sm_session_set_host_subject(session, o->host_subject);
    if (status == SM_OK)
        status = sm_session_set_secure_channels(session, o->secure_channels);
    if (status == SM_OK && o->file)
        status = sm_connection_file_apply(o->file, session);
    if (status == SM_OK && c->password)
        status = sm_session_set_password(session, c->password);
    if (status == SM_OK && o->is_debug)
        status = sm_session_set_log(session, write_log, c, SM_SESSION_LOG_DEBUG);
    return status;
}

static void connect_now(struct sm_connection *c)
{
    enum sm_status status = sm_session_create(&c->session, c->address);
    if (status == SM_OK)
        status = set_up(c);
    struct sm_error error = {
        .kind = SM_ERROR_NOMEM, .cause = "out of memory", .cure = "close other programs"};
    if (status == SM_OK)
        status = sm_session_connect(c->session, &error);
    if (status != SM_OK) {
        on_closed(c, &error);
        return;
    }
    c->watch = g_unix_fd_add(sm_session_event_fd(c->session), G_IO_IN, on_readable, c);
}

static gboolean on_retry(gpointer opaque)
{
    struct sm_connection *c = opaque;
    c->retry = 0;
    connect_now(c);
    return G_SOURCE_REMOVE;
}

static void try_later(struct sm_connection *c)
{
    c->retry = g_timeout_add(c->retry_ms, on_retry, c);
    c->retry_ms = MIN(c->retry_ms * 2, (unsigned)LAST_RETRY_MS);
}

struct sm_connection *sm_connection_create(const struct sm_viewer_options *options,
                                           const struct sm_connection_observer *observer,
                                           void *opaque, struct sm_error *error)
{
    struct sm_address *address = NULL;
    enum sm_status status = options->file
                                ? sm_connection_file_address(options->file, &address, error)
                                : sm_address_parse(&address, options->address, error);
    if (status != SM_OK)
        return NULL;
    struct sm_connection *c = g_new0(struct sm_connection, 1);
    c->options = options;
    c->observer = observer;
    c->opaque = opaque;
    c->address = address;
    c->state = SM_CONNECTION_ENDED;
    return c;
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static void stop_retrying(struct sm_connection *c)
{
    if (c->retry)
        g_source_remove(c->retry);
    c->retry = 0;
}

void sm_connection_destroy(struct sm_connection *connection)
{
    if (!connection)
        return;
    stop_retrying(connection);
    drop_session(connection);
    sm_address_destroy(connection->address);
    wipe(connection->password);
    g_free(connection->name);
    g_free(connection);
}

void sm_connection_start(struct sm_connection *connection, const char *password)
{
    if (password) {
        wipe(connection->password);
        connection->password = g_strdup(password);
    }
    stop_retrying(connection);
    drop_session(connection);
    connection->is_closing = false;
    connection->short_lives = 0;
    set_state(connection, SM_CONNECTION_CONNECTING);
    connect_now(connection);
}

void sm_connection_close(struct sm_connection *connection)
{
    connection->is_closing = true;
    stop_retrying(connection);
    if (connection->session)
        sm_session_close(connection->session);
    else
        set_state(connection, SM_CONNECTION_ENDED);
}

enum sm_connection_state sm_connection_state(const struct sm_connection *connection)
{
    return connection->state;
}

const struct sm_error *sm_connection_error(const struct sm_connection *connection)
{
    return &connection->error;
}

struct sm_session *sm_connection_session(const struct sm_connection *connection)
{
    return connection->session;
}

const char *sm_connection_address(const struct sm_connection *connection)
{
    return sm_address_text(connection->address);
}

bool sm_connection_is_memorable(const struct sm_connection *connection)
{
    return !connection->options->file;
}

const char *sm_connection_name(const struct sm_connection *connection)
{
    return connection->name ? connection->name : sm_address_text(connection->address);
}
