/* SPDX-License-Identifier: MIT */
/*
 * What usbredir, port and webdav channels have in common: a stream of bytes each way, compressed
 * where both ends can. A kind of channel puts a struct sm_client_vmc at the head of its own object,
 * and these functions into its table. Everything here runs on the channel's thread.
 */
#ifndef SM_CLIENT_VMC_CHANNEL_H
#define SM_CLIENT_VMC_CHANNEL_H

#include <stdbool.h>

#include "client/channel_thread.h"
#include "core/channel/spicevmc/client.h"

/** What the kind does with what comes. */
struct sm_client_vmc_ops {
    /** The next of the stream, borrowed for the call; a failure ends the channel. */
    enum sm_status (*data)(struct sm_client_channel *channel, struct sm_bytes data);
    /** Ports: the first message of the server: the port's name, and whether the guest is there. */
    void (*init)(struct sm_client_channel *channel, struct sm_bytes name, bool is_open);
    /** Ports: enum sm_port_event, or another number. */
    void (*event)(struct sm_client_channel *channel, uint8_t event);
    /** There may be room for what could not be sent. Optional. */
    void (*room)(struct sm_client_channel *channel);
};

/** The head of `channel->self`. */
struct sm_client_vmc {
    const struct sm_client_vmc_ops *ops;
    struct sm_spicevmc_client *client; /* owned */
    enum sm_status status;             /* of what came: a failure stays one */
    bool is_paused;
};

/** Our capabilities: packed data. */
uint32_t sm_client_vmc_caps(const struct sm_session *session);

/** For the table's open(). `vmc` is what `channel->self` is set to. */
SM_NODISCARD enum sm_status sm_client_vmc_open(struct sm_client_vmc *vmc,
                                               const struct sm_client_vmc_ops *ops,
                                               struct sm_client_channel *channel,
                                               const struct sm_link_client_event *link,
                                               struct sm_machine *machine);

/** Frees the machine; `vmc` itself is the kind's. */
void sm_client_vmc_finish(struct sm_client_vmc *vmc);

/** For the table. */
enum sm_status sm_client_vmc_activity(struct sm_client_channel *channel);
struct sm_channel *sm_client_vmc_base(const struct sm_client_channel *channel);

/**
 * Sends a piece of the stream; it goes out when the thread's loop is reached.
 *
 * @param may_pack  false for what must not be delayed
 * @return SM_OK; SM_AGAIN if too much waits: `ops->room` is called when that may have changed;
 *         SM_ERR_LIMIT above 16 MiB; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_client_vmc_send(struct sm_client_channel *channel,
                                               struct sm_bytes data, bool may_pack);

/**
 * True if sm_client_vmc_send() would say SM_AGAIN, or what it sent would only wait on the way,
 * where keys wait, too: who has much to send waits for `ops->room`.
 */
bool sm_client_vmc_is_full(const struct sm_client_channel *channel);

/** How much of `waiting` bytes is best sent now as one piece of at most `most`; 0 if full. */
size_t sm_client_vmc_piece(const struct sm_client_channel *channel, size_t waiting, size_t most);

/** There is room, and nothing to send. */
void sm_client_vmc_starved(struct sm_client_channel *channel);

/**
 * While paused, nothing is read from the server, which in turn holds the guest back. May be called
 * from `ops->data`; a pause then begins with the next piece. When it ends, what has come meanwhile
 * is given at once, inside this call.
 */
void sm_client_vmc_pause(struct sm_client_channel *channel, bool is_paused);

#endif
