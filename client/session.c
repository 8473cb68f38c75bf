/* SPDX-License-Identifier: MIT */
#include "sumac/session.h"

#include <stdlib.h>
#include <string.h>

#include "client/decode_pool.h"
#include "client/error.h"
#include "client/session_private.h"
#include "core/wire/types.h"
#include "io/clock.h"

enum {
    DEFAULT_TIMEOUT_MS = 10000,
    DEFAULT_IMAGE_CACHE_BYTES = 80 << 20,
    MIN_GLZ_WINDOW_BYTES = 4 << 20,
    MAX_GLZ_WINDOW_BYTES = 128 << 20, /* what the reference server allows: 2^25 pixels */
    DEFAULT_CHANNELS =
        1 << SM_CHANNEL_KIND_DISPLAY | 1 << SM_CHANNEL_KIND_INPUTS | 1 << SM_CHANNEL_KIND_CURSOR,
};

_Static_assert((int)SM_CHANNEL_KIND_WEBDAV == (int)SM_CHANNEL_WEBDAV &&
                   (int)SM_CHANNEL_KIND_PORT == (int)SM_CHANNEL_PORT &&
                   (int)SM_CHANNEL_KIND_MAIN == (int)SM_CHANNEL_MAIN,
               "the public kinds are the wire's numbers");

/* ---- Settings ---- */

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static enum sm_status set_text(struct sm_session *session, char **field, const char *text)
{
    if (session->is_started)
        return SM_ERR_STATE;
    char *copy = NULL;
    if (text) {
        copy = strdup(text);
        if (!copy)
            return SM_ERR_NOMEM;
    }
    wipe(*field);
    *field = copy;
    return SM_OK;
}

enum sm_status sm_session_set_password(struct sm_session *session, const char *password)
{
    return set_text(session, &session->settings.password, password);
}

enum sm_status sm_session_set_user(struct sm_session *session, const char *user)
{
    return set_text(session, &session->settings.user, user);
}

bool sm_session_wants_user(const struct sm_session *session)
{
    return atomic_load(&session->wants_user);
}

enum sm_status sm_session_set_ca_file(struct sm_session *session, const char *path)
{
    return set_text(session, &session->settings.ca_file, path);
}

enum sm_status sm_session_set_ca_pem(struct sm_session *session, const char *pem)
{
    return set_text(session, &session->settings.ca_pem, pem);
}

enum sm_status sm_session_set_host_subject(struct sm_session *session, const char *subject)
{
    return set_text(session, &session->target->host_subject, subject);
}

enum sm_status sm_session_set_ciphers(struct sm_session *session, const char *ciphers)
{
    return set_text(session, &session->settings.ciphers, ciphers);
}

enum sm_status sm_session_set_proxy(struct sm_session *session, const char *proxy)
{
    return set_text(session, &session->settings.proxy, proxy);
}

enum sm_status sm_session_set_connector(struct sm_session *session, sm_session_connector connector,
                                        void *opaque)
{
    if (session->is_started)
        return SM_ERR_STATE;
    session->settings.connector = connector;
    session->settings.connector_opaque = opaque;
    return SM_OK;
}

static enum sm_status set_number(const struct sm_session *session, uint32_t *field, uint32_t value)
{
    if (session->is_started)
        return SM_ERR_STATE;
    *field = value;
    return SM_OK;
}

enum sm_status sm_session_set_timeout(struct sm_session *session, uint32_t timeout_ms)
{
    return set_number(session, &session->settings.timeout_ms, timeout_ms);
}

enum sm_status sm_session_set_reconnect(struct sm_session *session, uint32_t give_up_s)
{
    return set_number(session, &session->settings.reconnect_s, give_up_s);
}

enum sm_status sm_session_set_channels(struct sm_session *session, uint32_t kinds)
{
    return set_number(session, &session->settings.channels, kinds);
}

enum sm_status sm_session_leave_out_channels(struct sm_session *session, uint32_t kinds)
{
    return set_number(session, &session->settings.left_out, kinds);
}

enum sm_status sm_session_set_secure_channels(struct sm_session *session, uint32_t kinds)
{
    return set_number(session, &session->settings.secure_channels, kinds);
}

enum sm_status sm_session_set_mouse_mode(struct sm_session *session, enum sm_pointer_mode mode)
{
    if (session->is_started)
        return SM_ERR_STATE;
    session->settings.mouse_mode = mode;
    return SM_OK;
}

enum sm_status sm_session_set_cache_sizes(struct sm_session *session, uint32_t image_cache_bytes,
                                          uint32_t glz_window_bytes)
{
    if (session->is_started)
        return SM_ERR_STATE;
    if (glz_window_bytes &&
        (glz_window_bytes < MIN_GLZ_WINDOW_BYTES || glz_window_bytes > MAX_GLZ_WINDOW_BYTES))
        return SM_ERR_LIMIT;
    session->settings.image_cache_bytes = image_cache_bytes;
    session->settings.glz_window_bytes = glz_window_bytes;
    return SM_OK;
}

enum sm_status sm_session_set_compression(struct sm_session *session,
                                          enum sm_compression compression)
{
    if (session->is_started)
        return SM_ERR_STATE;
    if ((unsigned)compression > SM_COMPRESSION_LZ4)
        return SM_ERR_LIMIT;
    session->settings.compression = compression;
    return SM_OK;
}

enum sm_status sm_session_set_decoding_threads(struct sm_session *session, unsigned count)
{
    if (session->is_started)
        return SM_ERR_STATE;
    if (count > SM_DECODE_THREADS_MAX)
        return SM_ERR_LIMIT;
    session->settings.decoding_threads = count;
    return SM_OK;
}

static void write_log(void *context, enum sm_log_level level, const char *text)
{
    struct sm_session *session = context;
    session->write_log(session->log_opaque, (enum sm_session_log_level)level, text);
}

enum sm_status sm_session_set_log(struct sm_session *session,
                                  void (*write)(void *opaque, enum sm_session_log_level level,
                                                const char *text),
                                  void *opaque, enum sm_session_log_level lowest)
{
    if (session->is_started)
        return SM_ERR_STATE;
    session->write_log = write;
    session->log_opaque = opaque;
    session->log = (struct sm_log){
        .write = write ? write_log : NULL, .context = session, .level = (enum sm_log_level)lowest};
    return SM_OK;
}

enum sm_status sm_session_set_capture(struct sm_session *session,
                                      void (*capture)(void *opaque, const struct sm_capture *piece),
                                      void *opaque)
{
    if (session->is_started)
        return SM_ERR_STATE;
    session->capture = capture;
    session->capture_opaque = opaque;
    return SM_OK;
}

/* ---- Making and ending ---- */

static bool copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

/* With what an address says about more than the place. */
static enum sm_status take_address(struct sm_session *session, const struct sm_address *address)
{
    struct sm_session_settings *settings = &session->settings;
    enum sm_status status = sm_target_create(&session->target, address);
    if (status == SM_OK && address &&
        (!copy_text(&settings->user, sm_address_user(address)) ||
         !copy_text(&settings->password, sm_address_password(address))))
        status = SM_ERR_NOMEM;
    return status;
}

static void finish_settings(struct sm_session_settings *settings)
{
    free(settings->user);
    wipe(settings->password);
    free(settings->ca_file);
    free(settings->ca_pem);
    free(settings->ciphers);
    wipe(settings->proxy);
}

enum sm_status sm_session_create(struct sm_session **out, const struct sm_address *address)
{
    struct sm_session *session = calloc(1, sizeof(*session));
    if (!session)
        return SM_ERR_NOMEM;
    session->settings.timeout_ms = DEFAULT_TIMEOUT_MS;
    session->settings.decoding_threads = sm_decode_threads_default();
    session->settings.channels = DEFAULT_CHANNELS;
    session->settings.mouse_mode = SM_POINTER_MODE_CLIENT;
    session->settings.image_cache_bytes = DEFAULT_IMAGE_CACHE_BYTES;
    atomic_init(&session->sound.playback_level, SM_SOUND_LEVEL_FULL);
    enum sm_status status = take_address(session, address);
    if (status == SM_OK)
        status = sm_events_init(&session->events);
    if (status == SM_OK) {
        status = sm_client_usb_init(&session->usb, session);
        if (status != SM_OK)
            sm_events_finish(&session->events);
    }
    if (status != SM_OK) {
        sm_target_destroy(session->target);
        finish_settings(&session->settings);
        free(session);
        return status;
    }
    pthread_mutex_init(&session->lock, NULL);
    sm_client_files_init(&session->files);
    *out = session;
    return SM_OK;
}

void sm_session_destroy(struct sm_session *session)
{
    if (!session)
        return;
    atomic_store(&session->is_closing, true);
    if (session->is_started) {
        sm_client_channel_stop(session->channels[0]);
        sm_client_channel_join(session->channels[0]);
    }
    sm_client_usb_finish(&session->usb); /* its thread looks at channels */
    sm_migration_cancel(session);
    for (size_t i = 0; i < session->channel_count; i++)
        sm_client_channel_destroy(session->channels[i]);
    sm_client_people_finish(&session->people);
    sm_client_smartcard_finish(&session->smartcard);
    sm_session_finish_shared(session);
    sm_client_clipboard_finish(&session->clipboard);
    sm_client_files_finish(&session->files);
    sm_client_folder_finish(&session->folder);
    sm_target_destroy(session->target);
    sm_tunnel_finish(&session->tunnel);
    sm_events_finish(&session->events);
    finish_settings(&session->settings);
    pthread_mutex_destroy(&session->lock);
    free(session->listed);
    free(session);
}

/* The proxy of the settings, else that of the environment; empty for none. */
static enum sm_status make_tunnel(struct sm_session *session, struct sm_error *error)
{
    const char *text = session->settings.proxy ? session->settings.proxy : getenv("SPICE_PROXY");
    bool is_direct = session->settings.connector || session->target->unix_path;
    if (session->has_tunnel || is_direct || !text || !*text)
        return SM_OK;
    enum sm_status status = sm_tunnel_init(&session->tunnel, text, error);
    session->has_tunnel = status == SM_OK;
    return status;
}

enum sm_status sm_session_connect(struct sm_session *session, struct sm_error *error)
{
    if (session->is_started) {
        sm_error_set(error, SM_ERROR_OPTION, "", "the session was connected before");
        return SM_ERR_STATE;
    }
    const char *password = session->settings.password;
    /* With a name it may be meant for SASL, which takes longer ones. */
    if (password && !session->settings.user && strlen(password) > SM_SESSION_PASSWORD_MAX)
        return sm_reason_long_password(error);
    if (!session->target->host && !session->target->unix_path && !session->settings.connector) {
        sm_error_set(error, SM_ERROR_OPTION, "give an address, or sm_session_set_connector()",
                     "nobody said where the machine is");
        return SM_ERR_STATE;
    }
    enum sm_status status = sm_target_make_tls(session->target, session, error);
    if (status == SM_OK)
        status = make_tunnel(session, error);
    if (status == SM_OK)
        status = sm_session_init_shared(session, error);
    if (status != SM_OK)
        return status;

    /* The thread may look at the session before this function is left. */
    pthread_mutex_lock(&session->lock);
    status = sm_client_channel_start(&session->channels[0], session, SM_CHANNEL_KIND_MAIN, 0);
    if (status == SM_OK) {
        session->channel_count = 1;
        session->is_started = true;
    }
    pthread_mutex_unlock(&session->lock);
    if (status == SM_ERR_NOMEM)
        return sm_error_nomem(error);
    if (status != SM_OK)
        sm_error_set(error, SM_ERROR_SYSTEM, "raise the limits of threads and open files",
                     "a thread could not be started");
    return status;
}

static void finish_call(struct sm_client_channel *channel, const void *argument)
{
    (void)argument;
    sm_client_channel_finish(channel);
}

/*
 * Input that was sent must arrive, so the inputs channel ends first, and when it has ended its
 * thread stops the main channel. The flag is set before we look whether the channel is open, and
 * the channel looks at the flag after it is no longer open: one of the two stops the main channel.
 */
void sm_session_close(struct sm_session *session)
{
    atomic_store(&session->is_closing, true);
    if (!session->is_started) {
        static const struct sm_error none = {.kind = SM_ERROR_NONE};
        sm_events_put(&session->events,
                      &(struct sm_event){.kind = SM_EVENT_CLOSED, .error = &none});
        return;
    }
    struct sm_client_channel *inputs = sm_session_find(session, SM_CHANNEL_KIND_INPUTS, 0);
    if (!inputs || sm_client_channel_post(inputs, finish_call, NULL, 0) != SM_OK)
        sm_client_channel_stop(session->channels[0]);
}

/* ---- Channels ---- */

struct sm_client_channel *sm_session_find(struct sm_session *session, enum sm_channel_kind kind,
                                          uint8_t id)
{
    struct sm_client_channel *found = NULL;
    pthread_mutex_lock(&session->lock);
    for (size_t i = 0; i < session->channel_count; i++)
        if (session->channels[i]->kind == kind && session->channels[i]->id == id)
            found = session->channels[i];
    pthread_mutex_unlock(&session->lock);
    return found;
}

uint32_t sm_session_wanted_kinds(const struct sm_session *session)
{
    uint32_t kinds = session->settings.channels;
    if (session->sound.playback != SM_SOUND_OFF)
        kinds |= 1u << SM_CHANNEL_KIND_PLAYBACK;
    if (session->sound.recording != SM_SOUND_OFF)
        kinds |= 1u << SM_CHANNEL_KIND_RECORD;
    if (atomic_load(&session->folder.is_wanted))
        kinds |= 1u << SM_CHANNEL_KIND_WEBDAV;
    return kinds & ~session->settings.left_out;
}

/* What one person has at a time. Source: docs/people.md, "Who may do what". */
static bool is_handed_over(enum sm_channel_kind kind)
{
    return kind == SM_CHANNEL_KIND_RECORD || kind == SM_CHANNEL_KIND_SMARTCARD ||
           kind == SM_CHANNEL_KIND_USBREDIR || kind == SM_CHANNEL_KIND_PORT ||
           kind == SM_CHANNEL_KIND_WEBDAV;
}

/*
 * A channel that is announced once more is to be had once more: it was another person's in
 * between, or its device was taken away and put back. The end of the old one may not be seen yet.
 * What is never handed over stays as it is while it is open.
 */
static enum sm_status reopen(struct sm_session *session, struct sm_client_channel *channel)
{
    if (channel->is_started) {
        pthread_mutex_lock(&session->lock);
        bool is_good = channel->state == SM_CLIENT_CHANNEL_CONNECTING ||
                       (channel->state == SM_CLIENT_CHANNEL_OPEN && !is_handed_over(channel->kind));
        pthread_mutex_unlock(&session->lock);
        if (is_good)
            return SM_OK;
        sm_client_channel_stop(channel);
        sm_client_channel_join(channel);
    }
    return sm_client_channel_restart(channel);
}

enum sm_status sm_session_open_channel(struct sm_session *session, enum sm_channel_kind kind,
                                       uint8_t id)
{
    bool is_wanted = (unsigned)kind < 32 && sm_session_wanted_kinds(session) & 1u << kind;
    if (!is_wanted || kind == SM_CHANNEL_KIND_MAIN || !sm_client_channel_ops_of(kind))
        return SM_OK;
    struct sm_client_channel *former = sm_session_find(session, kind, id);
    if (former)
        return reopen(session, former);
    if (session->channel_count == SM_SESSION_CHANNELS_MAX)
        return SM_ERR_LIMIT;
    /* The new thread finds itself in the list from its first moment on. */
    pthread_mutex_lock(&session->lock);
    enum sm_status status =
        sm_client_channel_start(&session->channels[session->channel_count], session, kind, id);
    if (status == SM_OK)
        session->channel_count++;
    pthread_mutex_unlock(&session->lock);
    return status;
}

void sm_session_end_channels(struct sm_session *session)
{
    for (size_t i = 1; i < session->channel_count; i++)
        sm_client_channel_stop(session->channels[i]);
    for (size_t i = 1; i < session->channel_count; i++)
        sm_client_channel_join(session->channels[i]);
}

/* ---- Events ---- */

void sm_session_tell(struct sm_session *session, enum sm_event_kind kind,
                     const struct sm_client_channel *channel)
{
    struct sm_event event = {
        .kind = kind,
        .channel = channel->kind,
        .channel_id = channel->id,
    };
    if (kind == SM_EVENT_CLOSED || kind == SM_EVENT_CHANNEL_CLOSED || kind == SM_EVENT_LINE_LOST)
        event.error = &channel->error;
    sm_events_put(&session->events, &event);
}

bool sm_session_wait_event(struct sm_session *session, int timeout_ms, struct sm_event *event)
{
    return sm_events_wait(&session->events, timeout_ms, event);
}

int sm_session_event_fd(const struct sm_session *session)
{
    return session->events.fd;
}

void sm_session_wake(struct sm_session *session)
{
    sm_events_wake(&session->events);
}
