/* SPDX-License-Identifier: MIT */
/*
 * How many pieces a client may have on their way to the guest agent: few as a rule, more while it
 * is known how much is to come. Pure. Source: docs/channel.md, "Agent tokens (server)".
 */
#ifndef SM_CORE_CHANNEL_MAIN_AGENT_WINDOW_H
#define SM_CORE_CHANNEL_MAIN_AGENT_WINDOW_H

#include <stdint.h>

#include "sumac/bytes.h"

enum {
    SM_MAIN_AGENT_TOKENS = 10,      /* of every client; more than these are lent */
    SM_MAIN_AGENT_TOKENS_MAX = 512, /* 1 MiB: 17 MB/s with a round trip of 60 ms */
};

struct sm_agent_window {
    uint64_t file_bytes; /* of the files that the client has told of, not begun to come */
};

/** Looks at the piece that begins a message of the client. */
void sm_agent_window_note(struct sm_agent_window *window, struct sm_bytes piece);

/** Looks at the piece that begins a message of the agent: a file that it refuses does not come. */
void sm_agent_window_hear(struct sm_agent_window *window, struct sm_bytes piece);

/**
 * The tokens that the client should have, those under way included.
 *
 * @param left  bytes of the message under way that have not come
 */
uint32_t sm_agent_window_tokens(const struct sm_agent_window *window, uint32_t left);

#endif
