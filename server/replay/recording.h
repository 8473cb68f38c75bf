/* SPDX-License-Identifier: MIT */
/*
 * A recording of a device's commands as a stream of words, numbers and binary items. A read that
 * meets something else yields zero and sets `failed`, which is also how a recording that was cut
 * off ends. Source: docs/replay.md, "The file".
 */
#ifndef SM_SERVER_REPLAY_RECORDING_H
#define SM_SERVER_REPLAY_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/arena.h"

enum {
    SM_RECORDING_ITEM_MAX = 256 << 20, /* bytes of one binary item */
    SM_RECORDING_CHUNKS_MAX = 65536,
    SM_RECORDING_BUFFER_SIZE = 4096,
};

/** Thread: one at a time. */
struct sm_recording {
    FILE *file; /* borrowed; read ahead of what was asked for */
    bool failed;
    size_t at, size; /* of the buffer: next byte, bytes in it */
    uint8_t buffer[SM_RECORDING_BUFFER_SIZE];
};

/** Reads one word; fails if it is not `expected`. Blanks and line ends before it do not count. */
void sm_recording_word(struct sm_recording *r, const char *expected);

/** Reads "NAME value"; `name` NULL: the value alone. */
int64_t sm_recording_int(struct sm_recording *r, const char *name);
uint64_t sm_recording_u64(struct sm_recording *r, const char *name);

/** As sm_recording_int(), and fails outside of `min` to `max`. */
int64_t sm_recording_range(struct sm_recording *r, const char *name, int64_t min, int64_t max);

/**
 * Reads the item called `name`, stored raw or as a zlib stream, into `arena` behind `head` bytes
 * that the caller fills.
 *
 * @param size  receives the item's size
 * @return the head, or NULL on failure
 */
void *sm_recording_binary(struct sm_recording *r, const char *name, struct sm_arena *arena,
                          size_t head, size_t *size);

/** Reads the item called `name`, which must have `size` bytes, to `to`. */
void sm_recording_binary_into(struct sm_recording *r, const char *name, void *to, size_t size);

#endif
