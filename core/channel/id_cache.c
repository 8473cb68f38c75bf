/* SPDX-License-Identifier: MIT */
#include "core/channel/id_cache.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/list.h"

enum { FIRST_BUCKETS = 64 };

struct item {
    struct sm_list link; /* in `used` */
    struct item *next;   /* in its bucket */
    uint64_t id, weight;
};

struct sm_id_cache {
    struct sm_list used; /* least recently used first */
    struct item **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    uint64_t weight, max_weight;
};

/* The multiplier is that of a splitmix finalizer: ids chosen by a guest spread as well as any. */
static size_t bucket_of(uint64_t id, size_t bucket_count)
{
    uint64_t hash = (id ^ id >> 31) * 0xbf58476d1ce4e5b9ull;
    return (size_t)(hash >> 32) & (bucket_count - 1);
}

static struct item **find(const struct sm_id_cache *cache, uint64_t id)
{
    struct item **at = &cache->buckets[bucket_of(id, cache->bucket_count)];
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

enum sm_status sm_id_cache_create(struct sm_id_cache **out, uint64_t max_weight)
{
    struct sm_id_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return SM_ERR_NOMEM;
    sm_list_init(&cache->used);
    cache->max_weight = max_weight;
    cache->bucket_count = FIRST_BUCKETS;
    cache->buckets = sm_alloc_array(FIRST_BUCKETS, sizeof(struct item *));
    if (!cache->buckets) {
        free(cache);
        return SM_ERR_NOMEM;
    }
    *out = cache;
    return SM_OK;
}

void sm_id_cache_destroy(struct sm_id_cache *cache)
{
    if (!cache)
        return;
    sm_id_cache_clear(cache);
    free(cache->buckets);
    free(cache);
}

static void drop(struct sm_id_cache *cache, struct item **at)
{
    struct item *item = *at;
    *at = item->next;
    sm_list_remove(&item->link);
    cache->weight -= item->weight;
    cache->count--;
    free(item);
}

static void touch(struct sm_id_cache *cache, struct item *item)
{
    sm_list_remove(&item->link);
    sm_list_append(&cache->used, &item->link);
}

bool sm_id_cache_has(const struct sm_id_cache *cache, uint64_t id)
{
    return *find(cache, id) != NULL;
}

bool sm_id_cache_use(struct sm_id_cache *cache, uint64_t id)
{
    struct item *item = *find(cache, id);
    if (item)
        touch(cache, item);
    return item != NULL;
}

/* Twice the buckets; without memory for them the old ones serve on. */
static void grow(struct sm_id_cache *cache)
{
    size_t count = cache->bucket_count * 2;
    struct item **buckets = sm_alloc_array(count, sizeof(struct item *));
    if (!buckets)
        return;
    SM_LIST_FOR (link, &cache->used) {
        struct item *item = SM_LIST_ITEM(link, struct item, link);
        struct item **at = &buckets[bucket_of(item->id, count)];
        item->next = *at;
        *at = item;
    }
    free(cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = count;
}

enum sm_status sm_id_cache_add(struct sm_id_cache *cache, uint64_t id, uint64_t weight)
{
    if (weight > cache->max_weight)
        return SM_ERR_LIMIT;
    if (sm_id_cache_use(cache, id))
        return SM_OK;
    struct item *item = calloc(1, sizeof(*item));
    if (!item)
        return SM_ERR_NOMEM;
    if (cache->count >= cache->bucket_count)
        grow(cache);
    struct item **at = &cache->buckets[bucket_of(id, cache->bucket_count)];
    *item = (struct item){.next = *at, .id = id, .weight = weight};
    sm_list_init(&item->link);
    sm_list_append(&cache->used, &item->link);
    *at = item;
    cache->weight += weight;
    cache->count++;
    return SM_OK;
}

bool sm_id_cache_evict(struct sm_id_cache *cache, uint64_t *id)
{
    if (cache->weight <= cache->max_weight)
        return false;
    *id = SM_LIST_ITEM(cache->used.next, struct item, link)->id;
    sm_id_cache_remove(cache, *id);
    return true;
}

void sm_id_cache_remove(struct sm_id_cache *cache, uint64_t id)
{
    struct item **at = find(cache, id);
    if (*at)
        drop(cache, at);
}

void sm_id_cache_clear(struct sm_id_cache *cache)
{
    SM_LIST_FOR (link, &cache->used)
        sm_id_cache_remove(cache, SM_LIST_ITEM(link, struct item, link)->id);
}

uint64_t sm_id_cache_weight(const struct sm_id_cache *cache)
{
    return cache->weight;
}

size_t sm_id_cache_count(const struct sm_id_cache *cache)
{
    return cache->count;
}
