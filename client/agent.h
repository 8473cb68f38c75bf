/* SPDX-License-Identifier: MIT */
/* The session's side of the guest agent. All but the two public functions run on the main
 * channel's thread. Source: docs/client.md, "The guest's agent". */
#ifndef SM_CLIENT_AGENT_H
#define SM_CLIENT_AGENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/channel_thread.h"
#include "core/wire/agent.h"
#include "sumac/agent.h"

enum { SM_AGENT_MONITORS_MAX = 16 };

/** Part of a session; zero-initialised. */
struct sm_client_agent {
    bool is_used;          /* a setting */
    atomic_size_t backlog; /* see sm_session_agent_backlog() */
    /* The main channel's thread: */
    bool is_present, is_known; /* it is there; it has told its capabilities */
    uint32_t caps; /* mask of 1u << enum sm_agent_cap; written with the session's lock held */
    /* What it was told last, to tell nothing twice. */
    struct sm_agent_monitor told[SM_AGENT_MONITORS_MAX];
    /* Under the session's lock: what the user wants, by number; all zero: no wish yet. */
    struct sm_monitor_wish wishes[SM_AGENT_MONITORS_MAX];
    bool has_wishes;
};

/**
 * Sends a message to the agent. What cannot be taken now, or has nobody to take it, is logged and
 * forgotten: that is no failure of the channel.
 */
enum sm_status sm_client_agent_send(struct sm_client_channel *main, const struct sm_agent_msg *msg);

/** The agent came or went. */
enum sm_status sm_client_agent_changed(struct sm_client_channel *main, bool is_present);

/** A message of the agent. Those that make no sense are logged and left. */
enum sm_status sm_client_agent_message(struct sm_client_channel *main, uint32_t type,
                                       struct sm_bytes body);

#endif
