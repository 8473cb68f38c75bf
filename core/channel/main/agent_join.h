/* SPDX-License-Identifier: MIT */
/* Joins pieces of the guest agent's stream to whole messages: for the client, which gets them cut.
 */
#ifndef SM_CORE_CHANNEL_MAIN_AGENT_JOIN_H
#define SM_CORE_CHANNEL_MAIN_AGENT_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/wire/agent.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** Thread: one at a time. */
struct sm_agent_join {
    size_t max_body; /* bytes; longer messages are thrown away */
    uint8_t header[SM_AGENT_HEADER_SIZE];
    size_t header_filled;
    uint32_t type, size; /* of the message in progress, once its header is whole */
    uint32_t seen;       /* bytes of its body that have come */
    bool is_skipped;
    uint8_t *body; /* owned */
    size_t capacity;
    bool is_whole; /* a message was handed out; the next piece begins another */
};

void sm_agent_join_init(struct sm_agent_join *join, size_t max_body);
void sm_agent_join_finish(struct sm_agent_join *join);

/** Forgets the message in progress, as when the agent goes away. */
void sm_agent_join_reset(struct sm_agent_join *join);

/**
 * Takes bytes up to the end of a message.
 *
 * @param taken  receives how many
 * @return SM_OK: a message is whole, `join->type` and sm_agent_join_body(); SM_AGAIN: all was taken
 *         and it is not; SM_ERR_PROTOCOL for what is no message; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_agent_join_feed(struct sm_agent_join *join, struct sm_bytes in,
                                               size_t *taken);

/** The body of the whole message, borrowed until the next feed, reset or finish. */
struct sm_bytes sm_agent_join_body(const struct sm_agent_join *join);

#endif
