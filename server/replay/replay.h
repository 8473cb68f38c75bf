/* SPDX-License-Identifier: MIT */
/*
 * Plays a recording back: hands its commands out one by one and carries out, on the device, the
 * requests recorded between them.
 */
#ifndef SM_SERVER_REPLAY_REPLAY_H
#define SM_SERVER_REPLAY_REPLAY_H

#include <stdint.h>
#include <stdio.h>

#include "server/replay/command.h"

/** Thread: sm_replay_free_command() any; the rest one at a time, never the device's worker. */
struct sm_replay;

/** A recorded primary surface. */
struct sm_replay_primary {
    uint32_t width, height;
    int32_t stride;
    uint32_t format, position, mouse_mode, flags, type;
    void *data; /* borrowed until the primary is destroyed */
};

/** The requests that a recording may ask for, all synchronous. */
struct sm_replay_device {
    void (*create_primary)(void *context, const struct sm_replay_primary *primary);
    void (*destroy_primary)(void *context);
    void (*destroy_surfaces)(void *context);
};

/**
 * Begins to play `file`, which is taken on SM_OK.
 *
 * @param surfaces_count  most surfaces at a time, the primary included: at least 1
 * @return SM_OK; SM_ERR_PROTOCOL if it is no recording; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_replay_create(struct sm_replay **out, FILE *file,
                                             uint32_t surfaces_count);

/** Closes the file. No command may be out any more. NULL does nothing. */
void sm_replay_destroy(struct sm_replay *replay);

/**
 * The next command, to be given back with sm_replay_free_command(); NULL at the end or at the
 * first mistake. Waits for a surface to be given back when all are in use.
 */
struct sm_replay_command *sm_replay_next(struct sm_replay *replay,
                                         const struct sm_replay_device *device, void *context);

void sm_replay_free_command(struct sm_replay *replay, struct sm_replay_command *command);

#endif
