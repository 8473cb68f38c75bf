/* SPDX-License-Identifier: MIT */
/* The server's end of a smart card channel. Source: docs/wire/smartcard.md. */
#ifndef SM_CORE_CHANNEL_SMARTCARD_SERVER_H
#define SM_CORE_CHANNEL_SMARTCARD_SERVER_H

#include "core/channel/channel.h"
#include "core/wire/smartcard.h"

/** Thread: one at a time. */
struct sm_smartcard_server;

struct sm_smartcard_server_config {
    struct sm_channel_setup setup;
};

/**
 * @param out  receives the machine, untouched on failure; release with
 *             sm_smartcard_server_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status
sm_smartcard_server_create(struct sm_smartcard_server **out,
                           const struct sm_smartcard_server_config *config, uint64_t now_us);

/** NULL does nothing. */
void sm_smartcard_server_destroy(struct sm_smartcard_server *server);

/** For the pump; borrows `server`. */
struct sm_machine sm_smartcard_server_machine(struct sm_smartcard_server *server);

/** The channel below. Borrowed. */
struct sm_channel *sm_smartcard_server_channel(struct sm_smartcard_server *server);

/**
 * Pulls what the client says about cards and readers (SMARTCARD_DATA, as long as it claims), and
 * what belongs to migration.
 *
 * @param msg  receives it, borrowed until the next call
 * @return SM_OK; SM_AGAIN if there is none; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_smartcard_server_next(struct sm_smartcard_server *server,
                                                     const struct sm_smartcard_msgc **msg);

/** Sends one message. Status as sm_channel_send(). */
SM_NODISCARD enum sm_status sm_smartcard_server_send(struct sm_smartcard_server *server,
                                                     const struct sm_msg_smartcard_data *msg);

#endif
