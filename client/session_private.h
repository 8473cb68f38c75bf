/* SPDX-License-Identifier: MIT */
/*
 * The insides of a session. Source: docs/client.md, "Threads".
 *
 * Each channel runs on a thread of its own, at most one at a time. The main channel's thread starts
 * the others when the server lists them, and joins them before it ends; sm_session_destroy() joins
 * the main one.
 *
 * Locks, in the order in which they may be taken together: a display's, then the session's, then
 * that of the events.
 */
#ifndef SM_CLIENT_SESSION_PRIVATE_H
#define SM_CLIENT_SESSION_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/agent.h"
#include "client/channel_thread.h"
#include "client/clipboard.h"
#include "client/comeback.h"
#include "client/events.h"
#include "client/files.h"
#include "client/folder.h"
#include "client/migration.h"
#include "client/people.h"
#include "client/shared.h"
#include "client/silence.h"
#include "client/smartcard.h"
#include "client/sound_channels.h"
#include "client/target.h"
#include "client/tunnel.h"
#include "client/usb/manager.h"
#include "io/log.h"
#include "io/tls.h"
#include "sumac/session.h"

enum {
    SM_SESSION_CHANNELS_MAX = 64, /* that we open; a server has at most a handful of each kind */
    SM_LISTED_MAX = 512,          /* channels a server can offer; more are not told */
    SM_SESSION_PASSWORD_MAX = 60, /* bytes; what a ticket can hold */
};

/** What the caller decided. Written before connecting only. */
struct sm_session_settings {
    char *user;                     /* owned; or NULL */
    char *password;                 /* owned; or NULL */
    char *ca_file;                  /* owned; or NULL */
    char *ca_pem;                   /* owned; or NULL: counts before the file */
    char *ciphers;                  /* owned; or NULL */
    char *proxy;                    /* owned; or NULL: SPICE_PROXY counts */
    sm_session_connector connector; /* or NULL: we connect */
    void *connector_opaque;
    uint32_t timeout_ms;
    uint32_t reconnect_s;     /* 0: never */
    uint32_t channels;        /* mask of kinds */
    uint32_t left_out;        /* mask of kinds: not these */
    uint32_t secure_channels; /* mask of kinds */
    enum sm_pointer_mode mouse_mode;
    uint32_t image_cache_bytes, glz_window_bytes;
    enum sm_compression compression;
    unsigned decoding_threads;
};

struct sm_session {
    struct sm_session_settings settings;
    struct sm_target *target; /* owned: where the machine is */
    struct sm_tunnel tunnel;  /* if `has_tunnel` */
    bool has_tunnel;
    struct sm_events events;
    struct sm_log log;
    void (*write_log)(void *opaque, enum sm_session_log_level level, const char *text);
    void *log_opaque;
    void (*capture)(void *opaque, const struct sm_capture *piece); /* or NULL */
    void *capture_opaque;

    bool is_started; /* sm_session_connect() succeeded: the main channel's thread is to be joined */
    atomic_bool wants_user; /* the server asked for SASL */
    atomic_bool is_closing; /* the caller wants no more: ends are not failures */

    struct sm_comeback comeback;          /* see there */
    struct sm_client_migration migration; /* of the main channel's thread */

    pthread_mutex_t lock; /* over everything below */
    struct sm_session_info info;
    uint64_t multi_media_offset_ms; /* to be added to our clock */
    /* Owned. Only the main channel's thread adds; nothing is removed before the session is
     * destroyed. The first is the main channel. */
    struct sm_client_channel *channels[SM_SESSION_CHANNELS_MAX];
    size_t channel_count;
    /* What the server listed, for sm_session_get_channels(). */
    struct sm_channel_info *listed; /* owned */
    size_t listed_count;
    uint32_t ram_hint; /* bytes; of the server's INIT */
    bool is_listed;    /* the first list of channels has come */

    struct sm_client_agent agent; /* see there who may touch what */
    struct sm_client_clipboard clipboard;
    struct sm_client_files files;
    struct sm_client_people people;
    struct sm_client_smartcard smartcard;
    struct sm_client_usb usb; /* has a lock of its own */
    struct sm_client_folder folder;

    struct sm_silence silence; /* see there who may touch what */
    atomic_int waiting_count;  /* channels whose is_waiting is set */
    struct sm_shared shared;   /* what display channels have in common */
    struct sm_sound_settings sound;
};

/** Tells the channels that wait for others that one has got further. Any thread, no lock held. */
void sm_session_progress(struct sm_session *session);

/** Puts an event of channel `channel`. */
void sm_session_tell(struct sm_session *session, enum sm_event_kind kind,
                     const struct sm_client_channel *channel);

/** The channel of that kind and id, or NULL. Any thread; the channel lives as long as the session.
 */
struct sm_client_channel *sm_session_find(struct sm_session *session, enum sm_channel_kind kind,
                                          uint8_t id);

/** The mask of the kinds of channels that are to be opened. */
uint32_t sm_session_wanted_kinds(const struct sm_session *session);

/** The server's clock for sound and pictures shows `time_ms` now. Any thread. */
void sm_session_set_time(struct sm_session *session, uint32_t time_ms);

/** The main channel's thread: opens channel (kind, id), unless it exists or is not wanted. */
SM_NODISCARD enum sm_status sm_session_open_channel(struct sm_session *session,
                                                    enum sm_channel_kind kind, uint8_t id);

/** The main channel's thread: stops all other channels and joins their threads. */
void sm_session_end_channels(struct sm_session *session);

#endif
