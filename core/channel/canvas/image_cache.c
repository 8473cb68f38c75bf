/* SPDX-License-Identifier: MIT */
#include "core/channel/canvas/image_cache.h"

#include <stdlib.h>

enum {
    FIRST_BUCKETS = 256,
    MAX_IMAGES = 1 << 20, /* a million images of one pixel would cost more than their pixels */
};

struct entry {
    struct entry *next; /* in its bucket */
    uint64_t id;
    struct sm_picture *picture; /* held */
    uint32_t uses;
    bool is_lossy;
};

struct sm_image_cache {
    struct sm_image_cache_config config;
    struct entry **buckets; /* owned; a power of two of them */
    size_t bucket_count, count;
    uint64_t pixels;
};

static void lock(struct sm_image_cache *cache)
{
    if (cache->config.lock)
        cache->config.lock(cache->config.context);
}

static void unlock(struct sm_image_cache *cache)
{
    if (cache->config.unlock)
        cache->config.unlock(cache->config.context);
}

/* Ids come from the server, which could as well choose them to collide: mix all bits. */
static size_t bucket_of(uint64_t id, size_t bucket_count)
{
    id ^= id >> 33;
    id *= UINT64_C(0xff51afd7ed558ccd);
    id ^= id >> 33;
    id *= UINT64_C(0xc4ceb9fe1a85ec53);
    id ^= id >> 33;
    return (size_t)id & (bucket_count - 1);
}

static struct entry **find(struct sm_image_cache *cache, uint64_t id)
{
    struct entry **at = &cache->buckets[bucket_of(id, cache->bucket_count)];
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static uint64_t pixels_of(const struct sm_picture *picture)
{
    const struct sm_pixels *pixels = sm_picture_pixels(picture);
    return (uint64_t)pixels->width * pixels->height;
}

enum sm_status sm_image_cache_create(struct sm_image_cache **out,
                                     const struct sm_image_cache_config *config)
{
    struct sm_image_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return SM_ERR_NOMEM;
    cache->config = *config;
    cache->bucket_count = FIRST_BUCKETS;
    cache->buckets = calloc(cache->bucket_count, sizeof(struct entry *));
    if (!cache->buckets) {
        free(cache);
        return SM_ERR_NOMEM;
    }
    *out = cache;
    return SM_OK;
}

static void clear(struct sm_image_cache *cache)
{
    for (size_t i = 0; i < cache->bucket_count; i++) {
        while (cache->buckets[i]) {
            struct entry *entry = cache->buckets[i];
            cache->buckets[i] = entry->next;
            sm_picture_unref(entry->picture);
            free(entry);
        }
    }
    cache->count = 0;
    cache->pixels = 0;
}

void sm_image_cache_destroy(struct sm_image_cache *cache)
{
    if (!cache)
        return;
    clear(cache);
    free(cache->buckets);
    free(cache);
}

void sm_image_cache_clear(struct sm_image_cache *cache)
{
    lock(cache);
    clear(cache);
    unlock(cache);
}

/* Without memory for more buckets the chains just get longer. */
static void grow(struct sm_image_cache *cache)
{
    size_t bucket_count = cache->bucket_count * 2;
    struct entry **buckets = calloc(bucket_count, sizeof(struct entry *));
    if (!buckets)
        return;
    for (size_t i = 0; i < cache->bucket_count; i++) {
        while (cache->buckets[i]) {
            struct entry *entry = cache->buckets[i];
            cache->buckets[i] = entry->next;
            struct entry **to = &buckets[bucket_of(entry->id, bucket_count)];
            entry->next = *to;
            *to = entry;
        }
    }
    free(cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = bucket_count;
}

static enum sm_status insert(struct sm_image_cache *cache, uint64_t id, struct sm_picture *picture,
                             bool is_lossy)
{
    if (pixels_of(picture) > cache->config.max_pixels - cache->pixels || cache->count >= MAX_IMAGES)
        return SM_ERR_LIMIT;
    if (cache->count >= cache->bucket_count)
        grow(cache);
    struct entry *entry = calloc(1, sizeof(*entry));
    if (!entry)
        return SM_ERR_NOMEM;
    struct entry **at = &cache->buckets[bucket_of(id, cache->bucket_count)];
    *entry = (struct entry){
        .next = *at,
        .id = id,
        .picture = sm_picture_ref(picture),
        .uses = 1,
        .is_lossy = is_lossy,
    };
    *at = entry;
    cache->count++;
    cache->pixels += pixels_of(picture);
    return SM_OK;
}

static enum sm_status exchange(struct sm_image_cache *cache, struct entry *entry,
                               struct sm_picture *picture)
{
    uint64_t others = cache->pixels - pixels_of(entry->picture);
    if (pixels_of(picture) > cache->config.max_pixels - others)
        return SM_ERR_LIMIT;
    cache->pixels = others + pixels_of(picture);
    sm_picture_unref(entry->picture);
    entry->picture = sm_picture_ref(picture);
    entry->is_lossy = false;
    return SM_OK;
}

enum sm_status sm_image_cache_add(struct sm_image_cache *cache, uint64_t id,
                                  struct sm_picture *picture, bool is_lossy)
{
    lock(cache);
    struct entry *entry = *find(cache, id);
    enum sm_status status = SM_OK;
    if (!entry)
        status = insert(cache, id, picture, is_lossy);
    else if (entry->uses == UINT32_MAX)
        status = SM_ERR_LIMIT;
    else if (entry->is_lossy && !is_lossy)
        status = exchange(cache, entry, picture);
    if (entry && status == SM_OK)
        entry->uses++;
    unlock(cache);
    return status;
}

enum sm_status sm_image_cache_replace(struct sm_image_cache *cache, uint64_t id,
                                      struct sm_picture *picture)
{
    lock(cache);
    struct entry *entry = *find(cache, id);
    enum sm_status status =
        entry ? exchange(cache, entry, picture) : insert(cache, id, picture, false);
    unlock(cache);
    return status;
}

enum sm_status sm_image_cache_get(struct sm_image_cache *cache, uint64_t id,
                                  bool is_lossless_needed, struct sm_picture **out)
{
    lock(cache);
    struct entry *entry = *find(cache, id);
    bool is_there = entry && !(is_lossless_needed && entry->is_lossy);
    if (is_there)
        *out = sm_picture_ref(entry->picture);
    unlock(cache);
    return is_there ? SM_OK : SM_AGAIN;
}

void sm_image_cache_remove(struct sm_image_cache *cache, uint64_t id)
{
    lock(cache);
    struct entry **at = find(cache, id), *entry = *at;
    if (entry && --entry->uses == 0) {
        *at = entry->next;
        cache->count--;
        cache->pixels -= pixels_of(entry->picture);
        sm_picture_unref(entry->picture);
        free(entry);
    }
    unlock(cache);
}

uint64_t sm_image_cache_pixels(struct sm_image_cache *cache)
{
    lock(cache);
    uint64_t pixels = cache->pixels;
    unlock(cache);
    return pixels;
}
