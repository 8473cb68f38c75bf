/* SPDX-License-Identifier: MIT */
/*
 * What the server lets through between client and guest agent, one per direction. Pure: pieces go
 * in, a verdict comes out. Source: docs/channel.md, "Agent filter".
 */
#ifndef SM_CORE_CHANNEL_MAIN_AGENT_FILTER_H
#define SM_CORE_CHANNEL_MAIN_AGENT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "sumac/bytes.h"

/** Numbers that travel in migration data. */
enum sm_agent_verdict {
    SM_AGENT_VERDICT_OK = 0,
    SM_AGENT_VERDICT_DISCARD = 1,
    SM_AGENT_VERDICT_PROTOCOL_ERROR = 2,
    SM_AGENT_VERDICT_MONITORS_CONFIG = 3, /* to the graphics device instead of the agent */
};

/** What the owner of the machine allows. */
struct sm_agent_policy {
    bool has_copy_paste;
    bool has_file_transfer;
    bool intercepts_monitors; /* a graphics device takes MONITORS_CONFIG from the client */
};

struct sm_agent_filter {
    struct sm_agent_policy policy;
    bool discards_all;             /* as long as nobody is at the other end */
    uint32_t left;                 /* bytes of the current message still to come */
    enum sm_agent_verdict verdict; /* on the current message */
};

/**
 * Forgets the message in progress. Nothing passes if `discards_all`.
 */
void sm_agent_filter_reset(struct sm_agent_filter *filter, struct sm_agent_policy policy,
                           bool discards_all);

/**
 * Judges the next piece of the stream: one AGENT_DATA of a client, or one buffer of the agent.
 *
 * @param is_first  NULL, or receives true if the piece begins a message
 * @param reason    NULL, or receives a static text for PROTOCOL_ERROR, in the words of the
 * reference's log: "invalid agent message: …" or "invalid agent protocol: …"
 */
enum sm_agent_verdict sm_agent_filter_piece(struct sm_agent_filter *filter, struct sm_bytes piece,
                                            bool *is_first, const char **reason);

/**
 * Makes the agent announce no more than the policy allows. For pieces from the agent that passed
 * and begin a message; all but announcements stay as they are.
 *
 * @param piece  size bytes, changed in place, nothing behind what the message says to contain
 * @return true if the agent announced, with all its words in this piece, that it takes
 *         GRAPHICS_DEVICE_INFO
 */
bool sm_agent_filter_rewrite(const struct sm_agent_filter *filter, uint8_t *piece, size_t size);

#endif
