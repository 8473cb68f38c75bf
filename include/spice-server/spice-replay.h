/* SPDX-License-Identifier: MIT */
/* Playing back a recording of a graphics device's commands. */
#ifndef SM_SPICE_SERVER_REPLAY_H
#define SM_SPICE_SERVER_REPLAY_H

#include <stdio.h>

#include "spice-qxl.h"

SPICE_BEGIN_DECLS

typedef struct SpiceReplay SpiceReplay;

/** Reads the head of a recording; NULL if it is none. `file` is taken on success. */
SpiceReplay *spice_replay_new(FILE *file, int nsurfaces);
/** The next command, NULL at the end. Requests met on the way are carried out on `instance`. */
QXLCommandExt *spice_replay_next_cmd(SpiceReplay *replay, QXLInstance *instance);
/** Gives a command back, from any thread. */
void spice_replay_free_cmd(SpiceReplay *replay, QXLCommandExt *cmd);
void spice_replay_free(SpiceReplay *replay);

SPICE_END_DECLS

#endif
