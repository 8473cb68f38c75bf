/* SPDX-License-Identifier: MIT */
/* One client: its main channel and everything else it opened. */
#ifndef SM_SERVER_SESSION_SESSION_H
#define SM_SERVER_SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/status.h"

struct sm_channel_handover;
struct sm_channel_offer;
struct sm_connection;
struct sm_main_channel;
struct sm_server;
struct sm_session;
struct sm_session_migration;

/** An id that no session ever has. */
static const uint32_t SM_SESSION_NOBODY = UINT32_MAX;

/** A random id that no session has; 0 if there is no randomness to be had. */
uint32_t sm_session_new_id(struct sm_server *server);

/** NULL if there is none. */
struct sm_session *sm_session_find(struct sm_server *server, uint32_t connection_id);

/**
 * Opens a session with its main channel. If the client comes from another server
 * (handover->is_migrated), further channels wait until sm_session_resume().
 *
 * @param handover  taken, whatever comes of it; without memory it is just closed
 */
void sm_session_open(struct sm_server *server, struct sm_connection *connection,
                     struct sm_channel_handover *handover);

/** Whether the session has a channel of this type and id already. */
bool sm_session_has_channel(const struct sm_session *session, uint8_t type, uint8_t id);

/** Hands a further channel over to what serves it; `handover` is taken. */
void sm_session_add(struct sm_session *session, struct sm_connection *connection,
                    struct sm_channel_offer *offer, struct sm_channel_handover *handover);

/**
 * Ends the session soon: on the main thread, when nothing of it is on the stack. May be called
 * again.
 */
void sm_session_end(struct sm_session *session);

/** Ends all sessions now. Not from inside a callback of one. */
void sm_session_end_all(struct sm_server *server);

/** Ends all sessions soon, as sm_session_end() does. */
void sm_session_end_soon(struct sm_server *server);

/** Tells every client that asked for the channels before of one more. */
void sm_session_announce(struct sm_server *server, const struct sm_channel_offer *offer);

/** Calls `func` for the main channel of every session; it may send, but not end sessions. */
void sm_session_each(struct sm_server *server,
                     void (*func)(struct sm_main_channel *main, void *opaque), void *opaque);

/** The session that came after the one with this id, or the first one (0); NULL if none did. */
const struct sm_session *sm_session_after(const struct sm_server *server, uint32_t connection_id);

/** The connection behind `connection`, or the first one (NULL); NULL if there is none. */
const struct sm_connection *sm_session_next_connection(const struct sm_session *session,
                                                       const struct sm_connection *connection);

/** Where its main channel comes from, "address:port" or "local"; "" if that is gone. */
const char *sm_session_place(const struct sm_session *session);

/** The session that has been there longest among those that only look, or do not; or NULL. */
struct sm_session *sm_session_first(struct sm_server *server, bool is_view_only);

/* ---- migration ---- */

/** The channels of a client that came from another server begin: `is_seamless` with its data. */
void sm_session_resume(struct sm_session *session, bool is_seamless);

/**
 * A channel has its data, or is gone: looks whether the client has arrived with all of them, or
 * left with the last.
 */
void sm_session_check_channels(struct sm_session *session);

/** The main channel of a session that was sent over has gone: the session ends with the last. */
void sm_session_left(struct sm_session *session);

/** Sends every channel over to the target. */
void sm_session_migrate(struct sm_session *session);

struct sm_session_migration *sm_session_migration(struct sm_session *session);

/* What others see of it. */

/** Visits the sessions: NULL gives the first one, and is given behind the last. */
struct sm_session *sm_session_next(const struct sm_server *server, struct sm_session *session);
bool sm_session_is_view_only(const struct sm_session *session);
struct sm_server *sm_session_server(const struct sm_session *session);
uint32_t sm_session_id(const struct sm_session *session);
struct sm_main_channel *sm_session_main(const struct sm_session *session);

/** Whose session it is, for the others. */
struct sm_session_person {
    uint32_t number;  /* in the order of coming */
    bool asks;        /* for what there is one of */
    uint8_t name[32]; /* as SASL says; zeroes behind it */
};
struct sm_session_person *sm_session_person(struct sm_session *session);

#endif
