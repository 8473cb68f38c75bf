/* SPDX-License-Identifier: MIT */
#include "core/channel/canvas/palette_cache.h"

#include <stdlib.h>
#include <string.h>

void sm_palette_cache_clear(struct sm_palette_cache *cache)
{
    for (uint32_t i = 0; i < cache->count; i++)
        free(cache->palettes[i]);
    free(cache->palettes);
    *cache = (struct sm_palette_cache){0};
}

static uint32_t index_of(const struct sm_palette_cache *cache, uint64_t id)
{
    uint32_t i = 0;
    while (i < cache->count && cache->palettes[i]->id != id)
        i++;
    return i;
}

const struct sm_cached_palette *sm_palette_cache_find(const struct sm_palette_cache *cache,
                                                      uint64_t id)
{
    uint32_t i = index_of(cache, id);
    return i < cache->count ? cache->palettes[i] : NULL;
}

static enum sm_status append(struct sm_palette_cache *cache)
{
    if (cache->count == cache->capacity) {
        if (cache->count >= SM_PALETTE_CACHE_MAX)
            return SM_ERR_LIMIT;
        uint32_t capacity = cache->capacity ? cache->capacity * 2 : 16;
        struct sm_cached_palette **grown =
            realloc(cache->palettes, capacity * sizeof(*cache->palettes));
        if (!grown)
            return SM_ERR_NOMEM;
        cache->palettes = grown;
        cache->capacity = capacity;
    }
    cache->palettes[cache->count] = calloc(1, sizeof(**cache->palettes));
    if (!cache->palettes[cache->count])
        return SM_ERR_NOMEM;
    cache->count++;
    return SM_OK;
}

enum sm_status sm_palette_cache_add(struct sm_palette_cache *cache, uint64_t id,
                                    const uint32_t *entries, uint32_t count)
{
    if (count > SM_PALETTE_CACHE_MAX_ENTRIES)
        return SM_ERR_LIMIT;
    uint32_t i = index_of(cache, id);
    if (i == cache->count) {
        enum sm_status status = append(cache);
        if (status != SM_OK)
            return status;
    }
    struct sm_cached_palette *palette = cache->palettes[i];
    palette->id = id;
    palette->count = count;
    if (count)
        memcpy(palette->entries, entries, count * sizeof(*entries));
    return SM_OK;
}

void sm_palette_cache_remove(struct sm_palette_cache *cache, uint64_t id)
{
    uint32_t i = index_of(cache, id);
    if (i == cache->count)
        return;
    free(cache->palettes[i]);
    cache->palettes[i] = cache->palettes[--cache->count];
}
