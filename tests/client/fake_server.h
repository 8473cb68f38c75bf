/* SPDX-License-Identifier: MIT */
/*
 * A server of a few lines for tests: listens on a local socket, speaks the link phase, then follows
 * a script. Every connection has a thread of its own; a script blocks as it likes.
 */
#ifndef SM_TESTS_CLIENT_FAKE_SERVER_H
#define SM_TESTS_CLIENT_FAKE_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/wire/display.h"
#include "core/wire/inputs.h"
#include "core/wire/main.h"
#include "core/wire/playback.h"
#include "core/wire/record.h"
#include "core/wire/smartcard.h"
#include "core/wire/spicevmc.h"
#include "sumac/bytes.h"

enum {
    FAKE_PEERS_MAX = 16,
    FAKE_STEPS = 8,
    FAKE_SESSION_ID = 0x51e55109,
};

struct fake_server;

/** A linked connection, as a script sees it. */
struct fake_peer {
    struct fake_server *server;
    int fd;
    uint8_t type, id;
    uint32_t session_id; /* as the client says; 0: it begins one */
};

/** What a server does with the connections of its channels; each may be NULL: then it is silent. */
struct fake_script {
    const char *password; /* NULL: any will do */
    bool never_replies;   /* not even to the link message */
    uint32_t link_error;  /* refuse with this code, if not 0 */
    struct sm_channel_id channels[8];
    uint32_t channel_count; /* listed to the client */
    uint32_t mouse_mode;
    uint32_t display_caps; /* of the server's display channels */
    uint32_t main_caps;
    bool is_tcp; /* listens on a port of the loopback */
    void (*display)(struct fake_peer *peer);
    void (*inputs)(struct fake_peer *peer);
    void (*sound)(struct fake_peer *peer);    /* playback, record */
    void (*device)(struct fake_peer *peer);   /* smart card, usbredir, port, webdav */
    void (*main_too)(struct fake_peer *peer); /* after the list of channels */
    /** A main channel that brings its session along, as at a migration's target. */
    void (*arrival)(struct fake_peer *peer);
};

/** Starts a server; ends the test if it cannot. */
struct fake_server *fake_server_start(const struct fake_script *script);

/** Closes everything and joins all threads. */
void fake_server_stop(struct fake_server *server);

/** Where it listens: "spice+unix://…". */
const char *fake_server_uri(const struct fake_server *server);

/** Its port, if it is_tcp. */
uint16_t fake_server_port(const struct fake_server *server);

/* Connections of the script meet here: a step is reached once, and any number may wait for it. */
void fake_step(struct fake_peer *peer, int step);
void fake_wait_step(struct fake_peer *peer, int step);
/** Whether it is reached, or the server's end has begun: for what goes on until then. */
bool fake_is_step_reached(struct fake_peer *peer, int step);

/** Sends any bytes as a message. */
void fake_send(struct fake_peer *peer, uint16_t type, struct sm_bytes body);
/** The same for the test itself. */
void fake_server_step(struct fake_server *server, int step);
void fake_server_wait_step(struct fake_server *server, int step);

void fake_send_main(struct fake_peer *peer, const struct sm_main_msg *msg);
void fake_send_display(struct fake_peer *peer, const struct sm_display_msg *msg);
void fake_send_inputs(struct fake_peer *peer, const struct sm_inputs_msg *msg);
void fake_send_playback(struct fake_peer *peer, const struct sm_playback_msg *msg);
void fake_send_record(struct fake_peer *peer, const struct sm_record_msg *msg);
void fake_send_spicevmc(struct fake_peer *peer, const struct sm_spicevmc_msg *msg);
void fake_send_smartcard(struct fake_peer *peer, const struct sm_smartcard_msg *msg);

/** Reads a message; false at the end. `body` is malloc'ed. */
bool fake_read(struct fake_peer *peer, uint16_t *type, uint8_t **body, uint32_t *size);

/** Reads until the client closes. */
void fake_drain(struct fake_peer *peer);

#endif
