/* SPDX-License-Identifier: MIT */
#include "server/display/pixmap_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/list.h"

enum { BUCKETS = 4096, NOBODY = 0xff };

struct entry {
    struct sm_list used_link; /* least recently used first */
    struct entry *next;       /* in its bucket */
    uint64_t id;
    uint32_t width, height;
    uint32_t renewals; /* of the cache when it was added */
    uint32_t pins;     /* messages that were planned and not sent */
    uint8_t sending;   /* the channel that is about to send it; NOBODY: it was sent */
    uint8_t sender;    /* the channel that sent it, or will */
    bool is_lossy;     /* as it will be once everything planned was sent */
    bool was_lossy;    /* was replaced by a lossless one */
    uint64_t last_serial[SM_PIXMAP_CACHE_CHANNELS]; /* of the message that used it; 0: none */
};

struct sm_pixmap_cache {
    pthread_mutex_t lock; /* guards everything below */
    uint32_t refs;
    uint64_t max_px, px;
    uint32_t count, renewals;
    bool is_frozen;
    uint64_t last_serial[SM_PIXMAP_CACHE_CHANNELS]; /* of a message that used it; 0: none */
    struct sm_list used;
    struct entry *buckets[BUCKETS];
};

/* Guests may choose ids to collide: all bits are mixed. */
static struct entry **find(struct sm_pixmap_cache *cache, uint64_t id)
{
    uint64_t hash = (id ^ id >> 31) * 0xbf58476d1ce4e5b9ull;
    struct entry **at = &cache->buckets[(hash >> 32) % BUCKETS];
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static uint64_t pixels_of(const struct entry *entry)
{
    return (uint64_t)entry->width * entry->height;
}

static void drop(struct sm_pixmap_cache *cache, struct entry *entry)
{
    *find(cache, entry->id) = entry->next;
    sm_list_remove(&entry->used_link);
    cache->px -= pixels_of(entry);
    cache->count--;
    free(entry);
}

static struct entry *entry_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct entry, used_link);
}

/* ---- the cache ---- */

enum sm_status sm_pixmap_cache_create(struct sm_pixmap_cache **out, uint64_t max_px)
{
    struct sm_pixmap_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return SM_ERR_NOMEM;
    pthread_mutex_init(&cache->lock, NULL);
    cache->refs = 1;
    cache->max_px = max_px;
    sm_list_init(&cache->used);
    *out = cache;
    return SM_OK;
}

struct sm_pixmap_cache *sm_pixmap_cache_ref(struct sm_pixmap_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->refs++;
    pthread_mutex_unlock(&cache->lock);
    return cache;
}

void sm_pixmap_cache_unref(struct sm_pixmap_cache *cache)
{
    if (!cache)
        return;
    pthread_mutex_lock(&cache->lock);
    bool is_last = --cache->refs == 0;
    pthread_mutex_unlock(&cache->lock);
    if (!is_last)
        return;
    SM_LIST_FOR (link, &cache->used)
        drop(cache, entry_of(link));
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void sm_pixmap_cache_renew(struct sm_pixmap_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->renewals++;
    pthread_mutex_unlock(&cache->lock);
}

void sm_pixmap_cache_freeze(struct sm_pixmap_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->is_frozen = true;
    pthread_mutex_unlock(&cache->lock);
}

void sm_pixmap_cache_serials(struct sm_pixmap_cache *cache, uint64_t *serials, uint32_t count)
{
    pthread_mutex_lock(&cache->lock);
    for (uint32_t i = 0; i < count; i++)
        serials[i] = i < SM_PIXMAP_CACHE_CHANNELS ? cache->last_serial[i] : 0;
    pthread_mutex_unlock(&cache->lock);
}

void sm_pixmap_cache_forget_channel(struct sm_pixmap_cache *cache, uint8_t channel_id)
{
    if (channel_id >= SM_PIXMAP_CACHE_CHANNELS)
        return;
    pthread_mutex_lock(&cache->lock);
    cache->last_serial[channel_id] = 0;
    SM_LIST_FOR (link, &cache->used) {
        struct entry *entry = entry_of(link);
        entry->last_serial[channel_id] = 0; /* a new connection counts anew */
        if (entry->sender == channel_id && entry->pins == 0)
            drop(cache, entry); /* the client may keep it, unused, until it ends */
        else if (entry->sender == channel_id)
            entry->renewals--; /* others are about to use it; nobody else will */
    }
    pthread_mutex_unlock(&cache->lock);
}

uint64_t sm_pixmap_cache_pixels(struct sm_pixmap_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    uint64_t px = cache->px;
    pthread_mutex_unlock(&cache->lock);
    return px;
}

uint32_t sm_pixmap_cache_count(struct sm_pixmap_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    uint32_t count = cache->count;
    pthread_mutex_unlock(&cache->lock);
    return count;
}

/* ---- one message ---- */

void sm_pixmap_use_init(struct sm_pixmap_use *use, struct sm_pixmap_cache *cache,
                        uint8_t channel_id)
{
    bool is_cached = cache && channel_id < SM_PIXMAP_CACHE_CHANNELS;
    *use = (struct sm_pixmap_use){.cache = is_cached ? sm_pixmap_cache_ref(cache) : NULL,
                                  .channel_id = channel_id};
}

static void pin(struct sm_pixmap_use *use, struct entry *entry)
{
    for (unsigned i = 0; i < use->count; i++) {
        if (use->ids[i] == entry->id)
            return;
    }
    use->ids[use->count++] = entry->id;
    entry->pins++;
}

/* Another channel is about to send it, and may not come to it: this one must not wait for it. */
static bool is_promised(const struct sm_pixmap_use *use, const struct entry *entry)
{
    return entry->sending != NOBODY && entry->sending != use->channel_id;
}

static bool is_usable(const struct sm_pixmap_use *use, const struct entry *entry, uint32_t width,
                      uint32_t height)
{
    return entry->renewals == use->cache->renewals && !is_promised(use, entry) &&
           entry->width == width && entry->height == height;
}

enum sm_pixmap_answer sm_pixmap_use_find(struct sm_pixmap_use *use, uint64_t id, uint32_t width,
                                         uint32_t height, bool may_be_lossy)
{
    struct sm_pixmap_cache *cache = use->cache;
    enum sm_pixmap_answer answer = SM_PIXMAP_ABSENT;
    if (!cache || use->count == SM_PIXMAP_USE_MAX)
        return answer;
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = *find(cache, id);
    if (entry && !cache->is_frozen && is_usable(use, entry, width, height) &&
        (may_be_lossy || !entry->is_lossy)) {
        answer = entry->is_lossy    ? SM_PIXMAP_USABLE_LOSSY
                 : entry->was_lossy ? SM_PIXMAP_USABLE_EXACTLY
                                    : SM_PIXMAP_USABLE;
        sm_list_remove(&entry->used_link);
        sm_list_append(&cache->used, &entry->used_link);
        pin(use, entry);
    }
    pthread_mutex_unlock(&cache->lock);
    return answer;
}

/* Others have to be done with an image before it goes. */
static void wait_for_users(struct sm_pixmap_use *use, const struct entry *entry)
{
    for (uint8_t channel = 0; channel < SM_PIXMAP_CACHE_CHANNELS; channel++) {
        uint64_t serial = entry->last_serial[channel];
        if (serial == 0 || channel == use->channel_id)
            continue;
        uint32_t i = 0;
        while (i < use->wait_count && use->waits[i].channel_id != channel)
            i++;
        if (i == use->wait_count)
            use->waits[use->wait_count++] = (struct sm_wait_for_channel){
                .channel_type = SM_CHANNEL_DISPLAY, .channel_id = channel};
        if (use->waits[i].message_serial < serial)
            use->waits[i].message_serial = serial;
    }
}

/* False without memory to remember it: then it stays. */
static bool evict(struct sm_pixmap_use *use, struct entry *entry)
{
    if (use->evicted_count == use->evicted_capacity) {
        uint32_t capacity = use->evicted_capacity ? use->evicted_capacity * 2 : 8;
        struct sm_resource_id *grown = realloc(use->evicted, capacity * sizeof(*grown));
        if (!grown)
            return false;
        use->evicted = grown;
        use->evicted_capacity = capacity;
    }
    use->evicted[use->evicted_count++] =
        (struct sm_resource_id){.type = SM_RESOURCE_TYPE_PIXMAP, .id = entry->id};
    wait_for_users(use, entry);
    drop(use->cache, entry);
    return true;
}

static bool has_room(const struct sm_pixmap_cache *cache, uint64_t px)
{
    return cache->px + px <= cache->max_px && cache->count < SM_PIXMAP_CACHE_MAX_IMAGES;
}

/* Evicts until `px` more fit. A message evicts a bounded number, or a large image went on for ever.
 */
static bool make_room(struct sm_pixmap_use *use, uint64_t px)
{
    enum { MAX_EVICTED = 4096 };
    struct sm_pixmap_cache *cache = use->cache;
    if (px > cache->max_px)
        return false;
    SM_LIST_FOR (link, &cache->used) {
        if (has_room(cache, px) || use->evicted_count >= MAX_EVICTED)
            break;
        struct entry *entry = entry_of(link);
        if (entry->pins == 0 && !evict(use, entry))
            return false;
    }
    return has_room(cache, px);
}

static struct entry *insert(struct sm_pixmap_use *use, uint64_t id, uint32_t width, uint32_t height)
{
    struct sm_pixmap_cache *cache = use->cache;
    struct entry *entry = calloc(1, sizeof(*entry));
    if (!entry)
        return NULL;
    *entry = (struct entry){.id = id, .width = width, .height = height};
    *find(cache, id) = entry;
    sm_list_append(&cache->used, &entry->used_link);
    cache->px += pixels_of(entry);
    cache->count++;
    return entry;
}

static uint8_t add(struct sm_pixmap_use *use, uint64_t id, uint32_t width, uint32_t height,
                   bool is_lossy)
{
    struct sm_pixmap_cache *cache = use->cache;
    struct entry *entry = *find(cache, id);
    uint8_t flag = SM_IMAGE_FLAG_CACHE_ME;
    if (cache->is_frozen)
        return 0;
    if (entry && is_usable(use, entry, width, height)) {
        if (is_lossy || !entry->is_lossy)
            return 0; /* as good as what is there */
        flag = SM_IMAGE_FLAG_CACHE_REPLACE_ME;
        entry->was_lossy = true;
    } else {
        if (entry && (entry->pins > 0 || !evict(use, entry)))
            return 0;
        entry = make_room(use, (uint64_t)width * height) ? insert(use, id, width, height) : NULL;
    }
    if (!entry)
        return 0;
    entry->renewals = cache->renewals;
    entry->sending = entry->sender = use->channel_id;
    entry->is_lossy = is_lossy;
    pin(use, entry);
    return flag;
}

uint8_t sm_pixmap_use_add(struct sm_pixmap_use *use, uint64_t id, uint32_t width, uint32_t height,
                          bool is_lossy)
{
    if (!use->cache || use->count == SM_PIXMAP_USE_MAX)
        return 0;
    pthread_mutex_lock(&use->cache->lock);
    uint8_t flag = add(use, id, width, height, is_lossy);
    pthread_mutex_unlock(&use->cache->lock);
    return flag;
}

/* Lets go of what the message used; `serial` 0: it never left. */
static void release(struct sm_pixmap_use *use, uint64_t serial)
{
    struct sm_pixmap_cache *cache = use->cache;
    pthread_mutex_lock(&cache->lock);
    if (serial != 0 && use->count > 0)
        cache->last_serial[use->channel_id] = serial;
    for (unsigned i = 0; i < use->count; i++) {
        struct entry *entry = *find(cache, use->ids[i]); /* pinned, so it is there */
        entry->pins--;
        if (serial != 0) {
            entry->last_serial[use->channel_id] = serial;
            if (entry->sending == use->channel_id)
                entry->sending = NOBODY;
        } else if (entry->sending == use->channel_id) {
            entry->renewals--; /* no use to anybody; replaced when its id comes again */
        }
    }
    pthread_mutex_unlock(&cache->lock);
    use->count = 0;
}

void sm_pixmap_use_sent(struct sm_pixmap_use *use, uint64_t serial)
{
    if (use->cache)
        release(use, serial);
}

void sm_pixmap_use_finish(struct sm_pixmap_use *use)
{
    if (use->cache)
        release(use, 0);
    sm_pixmap_cache_unref(use->cache);
    free(use->evicted);
    *use = (struct sm_pixmap_use){0};
}
