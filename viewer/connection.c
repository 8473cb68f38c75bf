/* SPDX-License-Identifier: MIT */
#include "viewer/connection.h"

#include <stdlib.h>
#include <string.h>

#include <glib-unix.h>
#include <glib/gi18n.h>

enum {
    EVENTS_A_TURN = 64,  /* then the toolkit has its turn */
    GIVE_UP_S = 15 * 60, /* as long as somebody may still be waiting for a lost line */
};

/* What a desktop has a use for. */
static const uint32_t CHANNELS =
    1u << SM_CHANNEL_KIND_DISPLAY | 1u << SM_CHANNEL_KIND_INPUTS | 1u << SM_CHANNEL_KIND_CURSOR;

struct sm_connection {
    const struct sm_viewer_options *options;
    const struct sm_connection_observer *observer;
    void *opaque;
    struct sm_address *address; /* owned */
    char *user, *password;      /* owned; or NULL */
    char *name;                 /* owned; or NULL */
    struct sm_session *session; /* owned; or NULL */
    guint watch;                /* source of the main loop, or 0 */
    bool is_taking;             /* an event is being looked at */
    enum sm_connection_state state;
    bool is_closing, wants_user;
    struct sm_error error;
    struct sm_sound_wishes sound;
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

static void on_closed(struct sm_connection *c, const struct sm_error *error)
{
    c->error = *error;
    c->wants_user = c->session && sm_session_wants_user(c->session);
    drop_session(c);
    bool is_wanted = c->is_closing || error->kind == SM_ERROR_NONE;
    set_state(c, is_wanted ? SM_CONNECTION_ENDED : SM_CONNECTION_FAILED);
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

/* Without its display a session has nothing to show, and would seem to wait for a picture. */
static bool is_end(const struct sm_event *event)
{
    return event->kind == SM_EVENT_CLOSED ||
           (event->kind == SM_EVENT_CHANNEL_CLOSED && event->channel == SM_CHANNEL_KIND_DISPLAY &&
            event->error->kind == SM_ERROR_PROTOCOL);
}

/* False if there is no session any more. */
static bool take_event(struct sm_connection *c, const struct sm_event *event)
{
    if (is_end(event)) {
        struct sm_error error = *event->error;
        on_closed(c, &error);
        return false;
    }
    switch (event->kind) {
    case SM_EVENT_LINE_LOST: /* the session itself tries to get it back */
        c->error = *event->error;
        set_state(c, SM_CONNECTION_LOST);
        return c->session != NULL;
    case SM_EVENT_CONNECTED:
    case SM_EVENT_LINE_BACK:
        take_name(c);
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
    bool goes_on = true;
    if (c->is_taking) /* a loop within the loop: the one below goes on with them */
        return G_SOURCE_CONTINUE;
    c->is_taking = true;
    for (int i = 0; goes_on && i < EVENTS_A_TURN && sm_session_wait_event(c->session, 0, &event);
         i++)
        goes_on = take_event(c, &event);
    c->is_taking = false;
    return goes_on ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE; /* which drop_session() did already */
}

/* A source that may not recurse is taken out of the loop and put back around each call, and each of
 * the two wakes the loop once more. on_readable() does not recurse by itself. */
static guint watch_events(struct sm_connection *c)
{
    GSource *source = g_unix_fd_source_new(sm_session_event_fd(c->session), G_IO_IN);
    g_source_set_can_recurse(source, TRUE);
    g_source_set_callback(source, G_SOURCE_FUNC(on_readable), c, NULL);
    guint id = g_source_attach(source, NULL);
    g_source_unref(source);
    return id;
}

static void write_log(void *opaque, enum sm_session_log_level level, const char *text)
{
    (void)opaque;
    g_printerr("sumac-viewer: %s%s\n", level >= SM_SESSION_LOG_WARNING ? "warning: " : "", text);
}

/* A CD that cannot be read is told and left out: the machine is more important. */
static enum sm_status set_up_usb(struct sm_connection *c)
{
    const struct sm_viewer_options *o = c->options;
    struct sm_error error;
    if (o->has_no_usb)
        return SM_OK;
    if (sm_session_watch_usb(c->session, &error) != SM_OK)
        g_debug("no USB devices: %s", error.cause);
    if (sm_session_set_usb_rules(c->session, o->usb_on_connect, o->usb_on_plug, &error) != SM_OK)
        g_printerr("sumac-viewer: %s: %s\n", error.cause, error.cure);
    for (char **path = o->cds; path && *path; path++)
        if (sm_session_add_cd(c->session, *path, NULL, &error) != SM_OK)
            g_printerr("sumac-viewer: %s: %s\n", error.cause, error.cure);
    return SM_OK;
}

static enum sm_status set_up_card(struct sm_connection *c)
{
    const struct sm_viewer_options *o = c->options;
    if (!o->shares_smartcard)
        return SM_OK;
    if (!sm_smartcard_is_available())
        g_printerr("sumac-viewer: %s\n",
                   _("no smart card: this installation has no module for them (libcacard)"));
    const char *const *names = (const char *const *)o->card_certificates;
    const char *const three[3] = {names ? names[0] : NULL, names ? names[1] : NULL,
                                  names ? names[2] : NULL};
    return sm_session_set_smartcard(c->session, o->card_database, names ? three : NULL);
}

/* A folder that cannot be shared is told and left out, like a CD. Who only looks at the machine
 * lets it only look, too. */
static void set_up_folder(struct sm_connection *c)
{
    struct sm_error error;
    if (c->options->shared_folder &&
        sm_session_share_folder(c->session, c->options->shared_folder, c->options->is_view_only,
                                &error) != SM_OK)
        g_printerr("sumac-viewer: %s: %s\n", error.cause, error.cure);
}

/* One of the two may be left to the library. */
static enum sm_status set_caches(struct sm_session *session, const struct sm_viewer_options *o)
{
    enum { USUAL_CACHE_BYTES = 80 << 20, MIN_WINDOW_BYTES = 4 << 20, MAX_WINDOW_BYTES = 128 << 20 };
    uint32_t window =
        o->glz_window_bytes ? CLAMP(o->glz_window_bytes, MIN_WINDOW_BYTES, MAX_WINDOW_BYTES) : 0;
    return sm_session_set_cache_sizes(session, o->cache_bytes ? o->cache_bytes : USUAL_CACHE_BYTES,
                                      window);
}

static enum sm_status set_up(struct sm_connection *c)
{
    const struct sm_viewer_options *o = c->options;
    struct sm_session *session = c->session;
    enum sm_status status =
        o->is_debug ? sm_session_set_log(session, write_log, c, SM_SESSION_LOG_DEBUG) : SM_OK;
    if (status == SM_OK)
        status = sm_session_set_ca_file(session, o->ca_file);
    if (status == SM_OK)
        status = sm_session_set_channels(
            session, CHANNELS | (o->has_no_usb ? 0 : 1u << SM_CHANNEL_KIND_USBREDIR) |
                         (o->shares_smartcard ? 1u << SM_CHANNEL_KIND_SMARTCARD : 0));
    if (status == SM_OK)
        status = sm_session_use_agent(session);
    bool can_speak = !o->is_view_only;
    if (status == SM_OK && !o->has_no_sound)
        status = sm_session_use_sound(session, SM_SOUND_DESKTOP,
                                      can_speak ? SM_SOUND_DESKTOP : SM_SOUND_OFF);
    if (status == SM_OK && o->host_subject)
        status = sm_session_set_host_subject(session, o->host_subject);
    if (status == SM_OK)
        status = sm_session_set_secure_channels(session, o->secure_channels);
    if (status == SM_OK)
        status = sm_session_set_compression(session, o->compression);
    if (status == SM_OK && (o->cache_bytes || o->glz_window_bytes))
        status = set_caches(session, o);
    if (status == SM_OK && o->file)
        status = sm_connection_file_apply(o->file, session);
    if (status == SM_OK && o->proxy)
        status = sm_session_set_proxy(session, o->proxy);
    if (status == SM_OK && c->user)
        status = sm_session_set_user(session, c->user);
    if (status == SM_OK && c->password)
        status = sm_session_set_password(session, c->password);
    if (status == SM_OK)
        status = sm_session_set_reconnect(session, GIVE_UP_S);
    if (status == SM_OK)
        status = set_up_usb(c);
    if (status == SM_OK)
        status = set_up_card(c);
    if (status == SM_OK)
        set_up_folder(c);
    return status;
}

static void apply_sound(struct sm_connection *c)
{
    if (!c->session)
        return;
    sm_session_mute_playback(c->session, c->sound.is_muted);
    sm_session_set_playback_level(c->session, c->sound.level);
    sm_session_mute_recording(c->session, c->sound.is_microphone_closed);
}

static void connect_now(struct sm_connection *c)
{
    enum sm_status status = sm_session_create(&c->session, c->address);
    if (status == SM_OK)
        status = set_up(c);
    apply_sound(c);
    struct sm_error error = {
        .kind = SM_ERROR_NOMEM, .cause = "out of memory", .cure = "close other programs"};
    if (status == SM_OK)
        status = sm_session_connect(c->session, &error);
    if (status != SM_OK) {
        on_closed(c, &error);
        return;
    }
    c->watch = watch_events(c);
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
    c->sound.level = SM_SOUND_LEVEL_FULL;
    return c;
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

void sm_connection_destroy(struct sm_connection *connection)
{
    if (!connection)
        return;
    drop_session(connection);
    sm_address_destroy(connection->address);
    wipe(connection->password);
    g_free(connection->user);
    g_free(connection->name);
    g_free(connection);
}

void sm_connection_start(struct sm_connection *connection, const char *user, const char *password)
{
    if (user) {
        g_free(connection->user);
        connection->user = g_strdup(user);
    }
    if (password) {
        wipe(connection->password);
        connection->password = g_strdup(password);
    }
    drop_session(connection);
    connection->is_closing = false;
    set_state(connection, SM_CONNECTION_CONNECTING);
    connect_now(connection);
}

bool sm_connection_wants_user(const struct sm_connection *connection)
{
    return connection->session ? sm_session_wants_user(connection->session)
                               : connection->wants_user;
}

const char *sm_connection_user(const struct sm_connection *connection)
{
    return connection->user ? connection->user : sm_address_user(connection->address);
}

void sm_connection_close(struct sm_connection *connection)
{
    connection->is_closing = true;
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

const struct sm_sound_wishes *sm_connection_sound(const struct sm_connection *connection)
{
    return &connection->sound;
}

void sm_connection_set_sound(struct sm_connection *connection, const struct sm_sound_wishes *wishes)
{
    connection->sound = *wishes;
    apply_sound(connection);
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
