/* SPDX-License-Identifier: MIT */
/* Getting a lost line back. All of it runs on the main channel's thread, unless it says otherwise.
 * Source: docs/client.md, "A lost line". */
#ifndef SM_CLIENT_COMEBACK_H
#define SM_CLIENT_COMEBACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sm_client_channel;
struct sm_session;

/** Part of a session; zero-initialised. */
struct sm_comeback {
    atomic_bool is_lost; /* any thread: between the loss and the return */
    atomic_bool is_due;  /* any thread: another connection will be tried */
    bool is_switching;   /* to another host, which the server named: nothing was lost */
    uint64_t up_us, lost_us;
    uint32_t retry_ms;
    bool has_returned;    /* this life of the session is not its first */
    unsigned short_lives; /* of those that returned, in a row */
};

/**
 * A connection of the main channel has ended. Decides whether another one follows, and tells of the
 * loss if it is new.
 *
 * @return true if so: call sm_comeback_wait() when the other channels have ended
 */
bool sm_comeback_begin(struct sm_client_channel *main);

/** Forgets what the last connection told, and waits for its time. False if it was cancelled. */
bool sm_comeback_wait(struct sm_client_channel *main);

/** The session is up (again). True if it had been lost. */
bool sm_comeback_done(struct sm_session *session);

/** Any channel's thread: its connection was cut, so all of them are. False if nobody tries again.
 */
bool sm_comeback_was_cut(struct sm_client_channel *channel);

#endif
