/* SPDX-License-Identifier: MIT */
/* What the commands that send input have in common. */
#ifndef SM_CLI_KEYBOARD_H
#define SM_CLI_KEYBOARD_H

#include <stdbool.h>

#include "cli/failure.h"
#include "sumac/keys.h"
#include "sumac/status.h"

struct cli_connection;

/** A status of the inputs functions as a failure; true for SM_OK. */
bool cli_input_sent(struct cli_connection *connection, enum sm_status status);

/** Puts out Caps Lock, with which every letter would come out in the other case. */
bool cli_keyboard_clear_caps_lock(struct cli_connection *connection);

/** Understands a chord that a user has written. */
bool cli_keyboard_parse(struct sm_key_chord *chord, const char *text, struct cli_failure *failure);

/** Presses the keys of `chord` in order. If that fails none stays down. */
bool cli_keyboard_press(struct cli_connection *connection, const struct sm_key_chord *chord);

/** Lets them go in reverse order. */
bool cli_keyboard_release(struct cli_connection *connection, const struct sm_key_chord *chord);

#endif
