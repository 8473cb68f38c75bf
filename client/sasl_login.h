/* SPDX-License-Identifier: MIT */
/* How a channel logs in where the server wants SASL. All on the channel's thread. */
#ifndef SM_CLIENT_SASL_LOGIN_H
#define SM_CLIENT_SASL_LOGIN_H

#include <stdbool.h>

#include "core/channel/link_client.h"

struct sm_client_channel;

/** Answers NEED_SASL, SASL_STEP and SASL_ACCEPTED; a failure ends the channel. */
void sm_client_sasl_answer(struct sm_client_channel *channel,
                           const struct sm_link_client_event *event);

/** The server has ended the connection: true, with the channel's end, if that was its answer. */
bool sm_client_sasl_was_refused(struct sm_client_channel *channel);

/** Forgets an exchange, whatever its state. */
void sm_client_sasl_finish(struct sm_client_channel *channel);

#endif
