/* SPDX-License-Identifier: MIT */
/* The client's end of a smart card channel. Source: docs/wire/smartcard.md. */
#ifndef SM_CORE_CHANNEL_SMARTCARD_CLIENT_H
#define SM_CORE_CHANNEL_SMARTCARD_CLIENT_H

#include "core/channel/channel.h"
#include "core/wire/smartcard.h"

/** Thread: one at a time. */
struct sm_smartcard_client;

struct sm_smartcard_client_config {
    struct sm_channel_setup setup;
};

/**
 * @param out  receives the machine, untouched on failure; release with
 *             sm_smartcard_client_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status
sm_smartcard_client_create(struct sm_smartcard_client **out,
                           const struct sm_smartcard_client_config *config, uint64_t now_us);

/** NULL does nothing. */
void sm_smartcard_client_destroy(struct sm_smartcard_client *client);

/** For the pump; borrows `client`. */
struct sm_machine sm_smartcard_client_machine(struct sm_smartcard_client *client);

/** The channel below. Borrowed. */
struct sm_channel *sm_smartcard_client_channel(struct sm_smartcard_client *client);

/**
 * Pulls what the server says about cards and readers; its data are as long as it claims.
 *
 * @param msg  receives it, borrowed until the next call
 * @return SM_OK; SM_AGAIN if there is none; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_smartcard_client_next(struct sm_smartcard_client *client,
                                                     const struct sm_msg_smartcard_data **msg);

/** Sends one message. Status as sm_channel_send(). */
SM_NODISCARD enum sm_status sm_smartcard_client_send(struct sm_smartcard_client *client,
                                                     const struct sm_msgc_smartcard_data *msg);

#endif
