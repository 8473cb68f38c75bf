/* SPDX-License-Identifier: MIT */
/* Text that reaches the guest through its clipboard. */
#ifndef SM_CLI_PASTE_H
#define SM_CLI_PASTE_H

#include <stdbool.h>
#include <stddef.h>

#include "sumac/keys.h"

struct cli_connection;

/** Fails if no agent runs in the guest. One that does may still have to say what it can do. */
bool cli_paste_check_agent(struct cli_connection *connection);

/** Waits until what was sent to the agent has left, and gives the guest time to pass it on: an
 * agent forgets what it has of a client that leaves. */
bool cli_paste_hand_over(struct cli_connection *connection);

/**
 * Puts `size` bytes of UTF-8 into the guest's clipboard, presses `chord`, which is to paste there,
 * and waits until somebody has asked for the text.
 */
bool cli_paste(struct cli_connection *connection, const char *text, size_t size,
               const struct sm_key_chord *chord);

#endif
