/* SPDX-License-Identifier: MIT */
/*
 * Plays a recording with a reader that lies in the program, not in the library that is measured,
 * and so knows where the primary surface is: a host that can look at the server's own picture.
 */
#ifndef SM_BENCH_HOST_OWN_READER_H
#define SM_BENCH_HOST_OWN_READER_H

#include <stdbool.h>
#include <stdio.h>

#include "spice-server/spice.h"

/** Thread: the one that feeds; sm_bench_reader_free() any. */
struct sm_bench_reader;

/** NULL if it is no recording; else `file` is taken. */
struct sm_bench_reader *sm_bench_reader_create(FILE *file, int surfaces_count);

/** As spice_replay_next_cmd() and spice_replay_free_cmd(). */
QXLCommandExt *sm_bench_reader_next(struct sm_bench_reader *reader, QXLInstance *instance);
void sm_bench_reader_free(struct sm_bench_reader *reader, QXLCommandExt *command);

/**
 * Has the server render its primary surface and writes it to `path`, as a PPM. False, with a
 * message, if there is none of 32 bits.
 */
bool sm_bench_reader_dump(struct sm_bench_reader *reader, QXLInstance *instance, const char *path);

#endif
