/* SPDX-License-Identifier: MIT */
/*
 * The client's end of a usbredir, port or webdav channel: a stream of bytes each way, and for the
 * latter two a name and events. Source: docs/wire/spicevmc.md.
 */
#ifndef SM_CORE_CHANNEL_SPICEVMC_CLIENT_H
#define SM_CORE_CHANNEL_SPICEVMC_CLIENT_H

#include <stdbool.h>

#include "core/channel/channel.h"
#include "core/codec/libs.h"
#include "core/wire/spicevmc.h"

/** Thread: one at a time. */
struct sm_spicevmc_client;

struct sm_spicevmc_client_config {
    struct sm_channel_setup setup; /* is_local: data goes as it is */
    /** Borrowed; NULL: data goes as it is; then DATA_COMPRESS_LZ4 must not be announced either. */
    const struct sm_lz4_lib *lz4;
    bool is_port; /* port or webdav, not usbredir */
};

enum sm_spicevmc_client_event_kind {
    SM_SPICEVMC_CLIENT_DATA,
    SM_SPICEVMC_CLIENT_PORT_INIT,  /* name and `is_open` */
    SM_SPICEVMC_CLIENT_PORT_EVENT, /* `port_event`; OPENED and CLOSED are the guest's side's */
    SM_SPICEVMC_CLIENT_MESSAGE,    /* one of the base channel */
};

struct sm_spicevmc_client_event {
    enum sm_spicevmc_client_event_kind kind;
    struct sm_bytes data; /* the next of the device's stream, unpacked; or the name, without NUL */
    bool is_open;
    uint8_t port_event; /* enum sm_port_event, or another number */
    const struct sm_spicevmc_msg *msg;
};

/**
 * @param out  receives the machine, untouched on failure; release with
 *             sm_spicevmc_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status
sm_spicevmc_client_create(struct sm_spicevmc_client **out,
                          const struct sm_spicevmc_client_config *config, uint64_t now_us);

/** NULL does nothing. */
void sm_spicevmc_client_destroy(struct sm_spicevmc_client *client);

/** For the pump; borrows `client`. */
struct sm_machine sm_spicevmc_client_machine(struct sm_spicevmc_client *client);

/** The channel below. Borrowed. */
struct sm_channel *sm_spicevmc_client_channel(struct sm_spicevmc_client *client);

/**
 * Pulls what the server says.
 *
 * @param event  receives it, borrowed until the next call to this machine
 * @return SM_OK; SM_AGAIN if there is none; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_spicevmc_client_next(struct sm_spicevmc_client *client,
                                                    struct sm_spicevmc_client_event *event);

/**
 * Sends a piece of the stream to the device.
 *
 * @param may_pack  false for what may not be delayed, such as isochronous packets
 * @return SM_OK; SM_AGAIN if too much waits already; SM_ERR_LIMIT above 16 MiB; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_spicevmc_client_data(struct sm_spicevmc_client *client,
                                                    struct sm_bytes data, bool may_pack);

/** Tells the guest's device what the client does; SM_ERR_STATE if it is no port. */
SM_NODISCARD enum sm_status sm_spicevmc_client_port_event(struct sm_spicevmc_client *client,
                                                          uint8_t event);

#endif
