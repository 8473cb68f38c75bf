/* SPDX-License-Identifier: MIT */
/* The pointer for the commands that use it: where it goes, its buttons, its wheel. */
#ifndef SM_CLI_POINTER_H
#define SM_CLI_POINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"
#include "sumac/geometry.h"
#include "sumac/session.h"

struct cli_connection;
struct cli_options;

struct cli_pointer {
    struct cli_connection *connection; /* borrowed */
    uint32_t display;
    struct sm_rect area; /* of the monitor */
    enum sm_pointer_mode mode;
    uint32_t x, y;  /* where it is in the monitor, if `is_placed` */
    bool is_placed; /* has been moved there by us */
};

/** The names of buttons, for options. */
extern const struct cli_choice CLI_BUTTONS[];

/** Waits for the monitor and the mouse mode. */
bool cli_pointer_open(struct cli_pointer *pointer, struct cli_connection *connection,
                      uint32_t display);

/** Fails if (x, y) is outside of the monitor. */
bool cli_pointer_check(const struct cli_pointer *pointer, uint32_t x, uint32_t y);

/**
 * Moves to pixel (x, y) of the monitor. Without a tablet device only relative motion can be sent:
 * the first move begins in the top left corner, and the place is not exact.
 */
bool cli_pointer_move(struct cli_pointer *pointer, uint32_t x, uint32_t y);

/** Presses and lets go. */
bool cli_pointer_click(struct cli_pointer *pointer, uint32_t button);

/** Whether places are exact. If not, people are told once, on the standard error. */
bool cli_pointer_is_exact(const struct cli_pointer *pointer);

/** Presses the keys that `options->modifiers` names, if any, around what is done between. */
bool cli_pointer_hold_keys(struct cli_pointer *pointer, const struct cli_options *options);
bool cli_pointer_release_keys(struct cli_pointer *pointer, const struct cli_options *options);

/** prepare() of these commands: are the names of the keys good? */
bool cli_pointer_prepare(struct cli_options *options, struct cli_failure *failure);

#endif
