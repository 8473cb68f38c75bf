/* SPDX-License-Identifier: MIT */
/*
 * Output of an encoder's inner loop: plain stores into a block, handed to the writer when it is
 * nearly full, so that the loop checks for room once per token and the writer's ceiling is kept.
 */
#ifndef SM_CORE_CODEC_BLOCK_H
#define SM_CORE_CODEC_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/writer.h"

enum {
    SM_BLOCK_SIZE = 64 << 10,
    /** What one step may store: there is always as much room. */
    SM_BLOCK_STEP = 256,
};

struct sm_block {
    uint8_t *pos, *soft_end;
    struct sm_writer *out; /* borrowed */
    uint8_t room[SM_BLOCK_SIZE + SM_BLOCK_STEP];
};

static inline void sm_block_init(struct sm_block *block, struct sm_writer *out)
{
    block->pos = block->room;
    block->soft_end = block->room + SM_BLOCK_SIZE;
    block->out = out;
}

/** Hands over what is there. False once the writer has failed. */
static inline bool sm_block_flush(struct sm_block *block)
{
    sm_put_bytes(block->out, (struct sm_bytes){block->room, (size_t)(block->pos - block->room)});
    block->pos = block->room;
    return !block->out->failed;
}

/** Makes room for SM_BLOCK_STEP bytes at `pos`. False once the writer has failed. */
static inline bool sm_block_ready(struct sm_block *block)
{
    return __builtin_expect(block->pos <= block->soft_end, 1) || sm_block_flush(block);
}

#endif
