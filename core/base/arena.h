/* SPDX-License-Identifier: MIT */
/* A bump allocator with a ceiling: what a parser makes lives and dies together. */
#ifndef SM_CORE_BASE_ARENA_H
#define SM_CORE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "sumac/status.h"

struct sm_arena_block;

/** Thread: one at a time. Zero-initialised plus sm_arena_init() makes it usable. */
struct sm_arena {
    struct sm_arena_block *blocks; /* owned, newest first */
    size_t used_bytes;             /* handed out since the last reset, alignment included */
    size_t limit_bytes;            /* never handed out more than this */
    bool hit_limit;                /* the last failure was the limit, not memory */
};

/** Prepares an arena that will never hand out more than `limit_bytes` between two resets. */
void sm_arena_init(struct sm_arena *arena, size_t limit_bytes);

/** Gives all memory back; the arena may be used again at once. */
void sm_arena_finish(struct sm_arena *arena);

/** Forgets all that was handed out but keeps one block for the next round. */
void sm_arena_reset(struct sm_arena *arena);

/**
 * Zeroed room for `count` items of `item_size` bytes, aligned for any type, valid until the next
 * reset. A count of 0 gives a valid pointer.
 *
 * @return NULL if the limit or memory is exhausted; sm_arena_failure() tells which
 */
void *sm_arena_alloc(struct sm_arena *arena, size_t count, size_t item_size);

/** As sm_arena_alloc() for `size` bytes that the caller fills: they are not zeroed. */
void *sm_arena_alloc_raw(struct sm_arena *arena, size_t size);

/** SM_ERR_LIMIT or SM_ERR_NOMEM for the allocation that failed last. */
enum sm_status sm_arena_failure(const struct sm_arena *arena);

#endif
