/* SPDX-License-Identifier: MIT */
/* What a connection is made of. For server/session/connection*.c alone; main context. */
#ifndef SM_SERVER_SESSION_CONNECTION_INTERNAL_H
#define SM_SERVER_SESSION_CONNECTION_INTERNAL_H

#include <stdatomic.h>

#include "core/channel/link_server.h"
#include "io/socket.h"
#include "server/session/connection.h"
#include "server/session/internal.h"
#include "server/session/sasl_login.h"

struct sm_peer;
struct sm_pump;
struct sm_transport;
struct sm_view_password;

struct sm_connection {
    struct sm_server *server;
    struct sm_list link; /* of the server while linking, then of the session */
    struct sm_peer *peer;
    struct sm_pump *pump;         /* owned; NULL behind the link phase */
    struct sm_link_server *phase; /* owned; likewise */
    struct sm_link_key *key;      /* a reference; likewise */
    struct sm_transport *tls;     /* the pump's, below WebSocket; NULL: none, or behind the phase */
    struct sm_sasl_login *sasl;   /* owned while linking; NULL: SASL was not chosen */
    struct sm_view_password *asked; /* owned while linking; NULL: the file was not needed */
    const char *refusal;            /* static: why it does not get in unless the file says so */
    bool has_tried;                 /* to log in; until that was counted, or it succeeded */
    bool has_sasl;                  /* in place of tickets */
    bool has_layer;                 /* SASL protects the stream */
    bool skip_auth, is_secure, is_unix;
    bool is_view_only; /* its password is the one for looking */
    char user[64];     /* as SASL says, cut; for the eyes of people */
    bool is_linking;   /* counts as half open */
    bool is_refused;   /* and knows it once what is pending is written */
    bool is_migrated;  /* a main channel that began at another server */
    struct sm_door_address address;

    /* what the client said in its hello */
    uint32_t connection_id;
    uint8_t channel_type, channel_id;
    uint32_t common_caps, channel_caps;

    struct sm_session *session; /* NULL: none yet, or gone */
    char place[SM_SOCKET_PLACE_MAX];
    struct sm_figures *figures; /* a reference; NULL: not linked yet, or no memory */
    uint64_t linked_us;
    struct sm_main_task closed_task, resumed_task;
    atomic_bool is_closed; /* set on any thread */
    bool awaits_data;
};

/** Whether one more line about strangers may be written: they may not fill the log. */
bool sm_connection_may_complain(struct sm_connection *connection);

/** It counts as half open no longer. */
void sm_connection_leave_link_phase(struct sm_connection *connection);

/**
 * Goes on after answers that came to `status`: lets the client go, or hands it over; then the
 * connection may be destroyed.
 */
void sm_connection_proceed(struct sm_connection *connection, enum sm_status status);

/* ---- connection_link.c: the answers of the link phase ---- */

/**
 * Answers an event of the link phase; what goes wrong is logged.
 *
 * @return SM_OK, with `is_refused` set for one who is let go when it has been told; a failure after
 *         which there is nothing to be said
 */
SM_NODISCARD enum sm_status sm_connection_answer(struct sm_connection *connection,
                                                 const struct sm_link_server_event *event);

/** Somebody tried to log in and did not get in: the next tries come later. */
void sm_connection_count_failure(struct sm_connection *connection);

/** SASL has let it in, and the verdict has left in the clear; results as above. */
SM_NODISCARD enum sm_status sm_connection_accepted(struct sm_connection *connection);

/* ---- connection_handover.c: behind the link phase ---- */

/** Gives the connection, whose link is up, to its channel; it may be destroyed on return. */
void sm_connection_hand_over(struct sm_connection *connection);

/** The main context's part of what its channel has said on any thread. */
void sm_connection_on_closed_task(void *opaque);
void sm_connection_on_resumed_task(void *opaque);

#endif
