/* SPDX-License-Identifier: MIT */
/*
 * The server's end of a usbredir, port or webdav channel: a stream of bytes each way, and for the
 * latter two a name and events. Source: docs/wire/spicevmc.md.
 */
#ifndef SM_CORE_CHANNEL_SPICEVMC_SERVER_H
#define SM_CORE_CHANNEL_SPICEVMC_SERVER_H

#include <stdbool.h>

#include "core/channel/channel.h"
#include "core/codec/libs.h"
#include "core/wire/spicevmc.h"

/** Thread: one at a time. */
struct sm_spicevmc_server;

struct sm_spicevmc_server_config {
    struct sm_channel_setup setup;
    const struct sm_lz4_lib *lz4; /* borrowed; NULL: data goes as it is, and has to come so */
    const char *port_name;        /* copied; NULL: no port, but usbredir */
    bool is_port_open;            /* the guest's side is */
};

enum sm_spicevmc_server_event_kind {
    SM_SPICEVMC_SERVER_DATA,
    SM_SPICEVMC_SERVER_PORT_EVENT,
    SM_SPICEVMC_SERVER_FLUSH_MARK,   /* the client has said all it has to say to this server */
    SM_SPICEVMC_SERVER_MIGRATE_DATA, /* what the last server had to say to this one */
};

struct sm_spicevmc_server_event {
    enum sm_spicevmc_server_event_kind kind;
    struct sm_bytes data; /* DATA: the next of the client's stream, unpacked; may be empty;
                             MIGRATE_DATA: all of it */
    uint8_t port_event;   /* PORT_EVENT: enum sm_port_event, or another number */
};

/**
 * PORT_INIT, if it is a port, is pending at once.
 *
 * @param out  receives the machine, untouched on failure; release with
 *             sm_spicevmc_server_destroy()
 * @return SM_OK; SM_ERR_LIMIT if the name is too long; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status
sm_spicevmc_server_create(struct sm_spicevmc_server **out,
                          const struct sm_spicevmc_server_config *config, uint64_t now_us);

/** NULL does nothing. */
void sm_spicevmc_server_destroy(struct sm_spicevmc_server *server);

/** For the pump; borrows `server`. */
struct sm_machine sm_spicevmc_server_machine(struct sm_spicevmc_server *server);

/** The channel below. Borrowed. */
struct sm_channel *sm_spicevmc_server_channel(struct sm_spicevmc_server *server);

/**
 * Pulls what the client says.
 *
 * @param event  receives it, borrowed until the next call to this machine
 * @return SM_OK; SM_AGAIN if there is none; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_spicevmc_server_next(struct sm_spicevmc_server *server,
                                                    struct sm_spicevmc_server_event *event);

/**
 * Sends a piece of the device's stream, packed where that pays: more than 1000 bytes, a client that
 * can unpack, no local socket.
 *
 * @return SM_OK; SM_AGAIN if too much waits already (sm_channel_is_full()); SM_ERR_LIMIT above
 *         16 MiB; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_spicevmc_server_data(struct sm_spicevmc_server *server,
                                                    struct sm_bytes data);

/** Tells the client what happened to the guest's side of the port; nothing if it is no port. */
SM_NODISCARD enum sm_status sm_spicevmc_server_port_event(struct sm_spicevmc_server *server,
                                                          uint8_t event);

#endif
