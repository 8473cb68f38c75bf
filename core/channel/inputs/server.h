/* SPDX-License-Identifier: MIT */
/*
 * The server's end of an inputs channel: acknowledges motion. What is typed and which keys are held
 * is for server/device/keyboard. Source: docs/channel.md, "Inputs".
 */
#ifndef SM_CORE_CHANNEL_INPUTS_SERVER_H
#define SM_CORE_CHANNEL_INPUTS_SERVER_H

#include "core/channel/channel.h"
#include "core/wire/inputs.h"

/** Thread: one at a time. */
struct sm_inputs_server;

struct sm_inputs_server_config {
    struct sm_channel_setup setup;
    uint16_t modifiers; /* for INIT: the lamps, bits of enum sm_keyboard_modifier */
};

/**
 * Creates the channel; INIT is pending at once.
 *
 * @param out  receives the machine, untouched on failure; release with sm_inputs_server_destroy()
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_inputs_server_create(struct sm_inputs_server **out,
                                                    const struct sm_inputs_server_config *config,
                                                    uint64_t now_us);

/** NULL does nothing. */
void sm_inputs_server_destroy(struct sm_inputs_server *server);

/** For the pump; borrows `server`. */
struct sm_machine sm_inputs_server_machine(struct sm_inputs_server *server);

/** The channel below. Borrowed. */
struct sm_channel *sm_inputs_server_channel(struct sm_inputs_server *server);

/**
 * Pulls the next message; motion and position are acknowledged here, every fourth.
 *
 * @param msg  receives the message, borrowed until the next call
 * @return SM_OK; SM_AGAIN if there is none; else the channel has failed
 */
SM_NODISCARD enum sm_status sm_inputs_server_next(struct sm_inputs_server *server,
                                                  const struct sm_inputs_msgc **msg);

/** Motion messages since the last acknowledgement: what a source of a migration hands on. */
uint32_t sm_inputs_server_motion_count(const struct sm_inputs_server *server);

/** The same at the target, which acknowledges them. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_inputs_server_add_motion(struct sm_inputs_server *server,
                                                        uint16_t count);

/** Tells the client the lamps: bits of enum sm_keyboard_modifier. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_inputs_server_modifiers(struct sm_inputs_server *server,
                                                       uint16_t modifiers);

#endif
