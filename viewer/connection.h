/* SPDX-License-Identifier: MIT */
/*
 * One machine the viewer is connected to: its session, which gets a lost line back by itself. Its
 * events arrive here, on the main loop, and go on to an observer.
 */
#ifndef SM_VIEWER_CONNECTION_H
#define SM_VIEWER_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "sumac/client.h"
#include "viewer/options.h"

/** Thread: the main one. */
struct sm_connection;

enum sm_connection_state {
    SM_CONNECTION_CONNECTING,
    SM_CONNECTION_UP,
    SM_CONNECTION_LOST,   /* was up, and is being tried again */
    SM_CONNECTION_FAILED, /* over; there is an error that says why */
    SM_CONNECTION_ENDED,  /* over, as the user wanted or the machine went off */
};

/** What the user wants of the sound; kept from one session to the next. */
struct sm_sound_wishes {
    bool is_muted, is_microphone_closed;
    uint16_t level; /* of what is played: 0 to SM_SOUND_LEVEL_FULL */
};

/** Who is told. None of these may destroy the connection. */
struct sm_connection_observer {
    /** The state has changed. */
    void (*on_state)(void *opaque);
    /** An event of the session, see sumac/session.h: displays, damage, cursor, info, notices. */
    void (*on_event)(void *opaque, const struct sm_event *event);
};

/**
 * Makes a connection that does nothing yet.
 *
 * @param options   what the user asked for; borrowed for the connection's life
 * @param observer  borrowed likewise
 * @return the connection, released with sm_connection_destroy(); NULL, and `error` filled, if the
 *         options name no machine
 */
struct sm_connection *sm_connection_create(const struct sm_viewer_options *options,
                                           const struct sm_connection_observer *observer,
                                           void *opaque, struct sm_error *error);

/** Ends everything at once. NULL does nothing. */
void sm_connection_destroy(struct sm_connection *connection);

/** Connects, or connects again after it failed; as `user` and with `password` from now on, unless
 * NULL. */
void sm_connection_start(struct sm_connection *connection, const char *user, const char *password);

/** Whether the server asked, this time or the last, for a user's name beside the password. */
bool sm_connection_wants_user(const struct sm_connection *connection);

/** The user's name as started with, or as the address has it; NULL if there is none. Borrowed. */
const char *sm_connection_user(const struct sm_connection *connection);

/** Ends the session in an orderly way; the state becomes ENDED. */
void sm_connection_close(struct sm_connection *connection);

enum sm_connection_state sm_connection_state(const struct sm_connection *connection);

/** Why it failed or was lost. Borrowed until the state changes. */
const struct sm_error *sm_connection_error(const struct sm_connection *connection);

/** The session of now; NULL before the first start and after the end. Borrowed until the state
 * changes. */
struct sm_session *sm_connection_session(const struct sm_connection *connection);

/** Borrowed. */
const struct sm_sound_wishes *sm_connection_sound(const struct sm_connection *connection);
void sm_connection_set_sound(struct sm_connection *connection,
                             const struct sm_sound_wishes *wishes);

/** The machine's address, for people; borrowed. */
const char *sm_connection_address(const struct sm_connection *connection);

/** Whether the machine may be remembered: one from a connection file may not. */
bool sm_connection_is_memorable(const struct sm_connection *connection);

/** What the machine calls itself, or its address as long as it did not say; borrowed. */
const char *sm_connection_name(const struct sm_connection *connection);

#endif
