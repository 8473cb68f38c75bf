/* SPDX-License-Identifier: MIT */
/*
 * The palettes a display channel was told to keep, by their key. The server keeps at most 128 and
 * withdraws the oldest one message late. Source: docs/gfx.md, "Caches".
 */
#ifndef SM_CORE_CHANNEL_CANVAS_PALETTE_CACHE_H
#define SM_CORE_CHANNEL_CANVAS_PALETTE_CACHE_H

#include <stdint.h>

#include "sumac/status.h"

enum {
    /** More than any server keeps. */
    SM_PALETTE_CACHE_MAX = 512,
    SM_PALETTE_CACHE_MAX_ENTRIES = 256,
};

struct sm_cached_palette {
    uint64_t id;
    uint32_t count;
    uint32_t entries[SM_PALETTE_CACHE_MAX_ENTRIES];
};

/** Zeroed memory is an empty cache. Thread: one at a time. */
struct sm_palette_cache {
    struct sm_cached_palette **palettes; /* owned, each and all */
    uint32_t count, capacity;
};

/** Empties the cache and releases its memory; it may be used again. */
void sm_palette_cache_clear(struct sm_palette_cache *cache);

/**
 * Keeps a copy of `count` entries under `id`, in place of an older one.
 *
 * @return SM_OK; SM_ERR_LIMIT if the cache is full or the palette too large; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_palette_cache_add(struct sm_palette_cache *cache, uint64_t id,
                                                 const uint32_t *entries, uint32_t count);

/** Borrowed until the cache changes; NULL if there is none. */
const struct sm_cached_palette *sm_palette_cache_find(const struct sm_palette_cache *cache,
                                                      uint64_t id);

void sm_palette_cache_remove(struct sm_palette_cache *cache, uint64_t id);

#endif
