/* SPDX-License-Identifier: MIT */
/* The clipboard's part of the guest agent. On the main channel's thread, but for the public
 * functions. Source: docs/client.md, "The guest's agent". */
#ifndef SM_CLIENT_CLIPBOARD_H
#define SM_CLIENT_CLIPBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "client/channel_thread.h"
#include "core/wire/agent.h"
#include "sumac/clipboard.h"

/** Part of a session; zero-initialised. Under the session's lock. */
struct sm_client_clipboard {
    uint32_t ours, guests; /* offers: masks of kinds; at most one is not 0 */
    uint32_t asked;        /* the kind we wait for; 0: none */
    uint32_t wanted;       /* the kind the guest waits for; 0: none */
    uint32_t serial;       /* of grabs, both ways */
    bool is_told;          /* the agent knows our offer */
    uint8_t *data;         /* owned: what came and was not taken; or NULL */
    size_t data_size;
    uint32_t data_kind;
};

/** Frees what is kept. */
void sm_client_clipboard_finish(struct sm_client_clipboard *clipboard);

/** The agent has told what it can do. */
enum sm_status sm_client_clipboard_begin(struct sm_client_channel *main);

/** The agent is gone. */
void sm_client_clipboard_end(struct sm_client_channel *main);

/** A message of the agent about the clipboard; others are left. */
enum sm_status sm_client_clipboard_message(struct sm_client_channel *main,
                                           const struct sm_agent_msg *msg);

/** The agent's line ends are CRLF: makes LF of them, in place; returns the size in bytes. */
size_t sm_clipboard_to_lf(uint8_t *text, size_t size);

/**
 * The other way round.
 *
 * @return the caller's; NULL if out of memory
 */
uint8_t *sm_clipboard_to_crlf(const uint8_t *text, size_t size, size_t *out_size);

#endif
