/* SPDX-License-Identifier: MIT */
/* The pointer of a display as the guest set it, and the cursor channels that show it. */
#ifndef SM_SERVER_DISPLAY_POINTER_H
#define SM_SERVER_DISPLAY_POINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"
#include "server/display/worker.h"
#include "server/qxl/commands.h"
#include "sumac/status.h"

struct sm_channel_handover;
struct sm_log;

/** Thread: the worker's. */
struct sm_pointer;

/** @param log  borrowed, may be NULL */
SM_NODISCARD enum sm_status sm_pointer_create(struct sm_pointer **out, struct sm_loop loop,
                                              const struct sm_log *log,
                                              enum sm_worker_mouse_mode mode);

/** Disconnects all clients. NULL does nothing. */
void sm_pointer_destroy(struct sm_pointer *pointer);

/** Takes `handover` in any case. */
void sm_pointer_connect(struct sm_pointer *pointer, struct sm_channel_handover *handover);

/** The machine starts: clients that came from another server are like any others. */
void sm_pointer_settle(struct sm_pointer *pointer);

/** Sends a session's client over to another server, once all that waits has left. */
void sm_pointer_migrate(struct sm_pointer *pointer, uint32_t connection_id);

/** Ends the channels of one session; 0 for all. */
void sm_pointer_disconnect(struct sm_pointer *pointer, uint32_t connection_id);

/** Destroys clients whose connections ended. */
void sm_pointer_reap(struct sm_pointer *pointer);

/** Carries out a command of the cursor ring and tells clients; takes the command's shape. */
void sm_pointer_command(struct sm_pointer *pointer, struct sm_cursor_command *command);

/** No shape, visible, at 0,0; clients forget what they cached. */
void sm_pointer_reset(struct sm_pointer *pointer);

/** Sends INIT, the whole state, to all clients. */
void sm_pointer_announce(struct sm_pointer *pointer);

/** In client mode the guest's moves are not sent. */
void sm_pointer_set_mode(struct sm_pointer *pointer, enum sm_worker_mouse_mode mode);

/** A client has too much waiting: pull no more commands. */
bool sm_pointer_is_blocked(const struct sm_pointer *pointer);

#endif
