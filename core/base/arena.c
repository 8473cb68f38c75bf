/* SPDX-License-Identifier: MIT */
#include "core/base/arena.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"

enum { BLOCK_SIZE = 4096 };

struct sm_arena_block {
    struct sm_arena_block *next;
    size_t size, used; /* bytes of `room` */
    max_align_t room[];
};

void sm_arena_init(struct sm_arena *arena, size_t limit_bytes)
{
    *arena = (struct sm_arena){.limit_bytes = limit_bytes};
}

void sm_arena_finish(struct sm_arena *arena)
{
    while (arena->blocks) {
        struct sm_arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    arena->used_bytes = 0;
}

void sm_arena_reset(struct sm_arena *arena)
{
    struct sm_arena_block *kept = arena->blocks;
    if (kept) {
        arena->blocks = kept->next;
        sm_arena_finish(arena);
        if (kept->size > BLOCK_SIZE) { /* one large message must not pin its memory for ever */
            free(kept);
        } else {
            kept->next = NULL;
            kept->used = 0;
            arena->blocks = kept;
        }
    }
    arena->used_bytes = 0;
    arena->hit_limit = false;
}

static struct sm_arena_block *add_block(struct sm_arena *arena, size_t size)
{
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct sm_arena_block *block = malloc(sizeof(*block) + room);
    if (!block)
        return NULL;
    *block = (struct sm_arena_block){.next = arena->blocks, .size = room};
    arena->blocks = block;
    return block;
}

void *sm_arena_alloc_raw(struct sm_arena *arena, size_t size)
{
    arena->hit_limit = true;
    size_t left = arena->limit_bytes - arena->used_bytes;
    if (size > left || sm_round_up(size, _Alignof(max_align_t)) > left)
        return NULL;
    size = sm_round_up(size, _Alignof(max_align_t));
    arena->hit_limit = false;
    struct sm_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size) {
        block = add_block(arena, size);
        if (!block)
            return NULL;
    }
    uint8_t *item = (uint8_t *)block->room + block->used;
    block->used += size;
    arena->used_bytes += size;
    return item;
}

void *sm_arena_alloc(struct sm_arena *arena, size_t count, size_t item_size)
{
    if (item_size != 0 && count > SIZE_MAX / item_size) {
        arena->hit_limit = true;
        return NULL;
    }
    void *item = sm_arena_alloc_raw(arena, count * item_size);
    if (item && count > 0 && item_size > 0)
        memset(item, 0, count * item_size);
    return item;
}

enum sm_status sm_arena_failure(const struct sm_arena *arena)
{
    return arena->hit_limit ? SM_ERR_LIMIT : SM_ERR_NOMEM;
}
