/* SPDX-License-Identifier: MIT */
#include "server/display/client_shares.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/list.h"
#include "server/display/glz_share.h"
#include "server/display/pixmap_cache.h"

/* One thing, of either kind. */
struct share {
    struct sm_list link;
    struct sm_client_share_key key;
    struct sm_pixmap_cache *cache; /* held */
    struct sm_glz_share *glz;      /* held */
    uint32_t users;
};

struct sm_client_shares {
    pthread_mutex_t lock; /* guards everything below */
    uint32_t refs;
    struct sm_list caches, dictionaries;
};

static struct share *share_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct share, link);
}

enum sm_status sm_client_shares_create(struct sm_client_shares **out)
{
    struct sm_client_shares *shares = calloc(1, sizeof(*shares));
    if (!shares)
        return SM_ERR_NOMEM;
    pthread_mutex_init(&shares->lock, NULL);
    shares->refs = 1;
    sm_list_init(&shares->caches);
    sm_list_init(&shares->dictionaries);
    *out = shares;
    return SM_OK;
}

struct sm_client_shares *sm_client_shares_ref(struct sm_client_shares *shares)
{
    pthread_mutex_lock(&shares->lock);
    shares->refs++;
    pthread_mutex_unlock(&shares->lock);
    return shares;
}

void sm_client_shares_unref(struct sm_client_shares *shares)
{
    if (!shares)
        return;
    pthread_mutex_lock(&shares->lock);
    bool is_last = --shares->refs == 0; /* who joined has left, so both lists are empty */
    pthread_mutex_unlock(&shares->lock);
    if (!is_last)
        return;
    pthread_mutex_destroy(&shares->lock);
    free(shares);
}

static struct share *find(struct sm_list *list, struct sm_client_share_key key)
{
    SM_LIST_FOR (link, list) {
        struct share *share = share_of(link);
        if (share->key.connection_id == key.connection_id && share->key.id == key.id)
            return share;
    }
    return NULL;
}

static struct share *add(struct sm_list *list, struct sm_client_share_key key)
{
    struct share *share = calloc(1, sizeof(*share));
    if (!share)
        return NULL;
    share->key = key;
    sm_list_append(list, &share->link);
    return share;
}

static void drop(struct share *share)
{
    sm_list_remove(&share->link);
    sm_pixmap_cache_unref(share->cache);
    sm_glz_share_unref(share->glz);
    free(share);
}

/* ---- image caches ---- */

static struct sm_pixmap_cache *join_cache(struct sm_client_shares *shares,
                                          struct sm_client_share_key key, uint64_t max_px)
{
    struct share *share = find(&shares->caches, key);
    if (!share) {
        share = add(&shares->caches, key);
        if (!share)
            return NULL;
        if (sm_pixmap_cache_create(&share->cache, max_px) != SM_OK) {
            drop(share);
            return NULL;
        }
    }
    share->users++;
    return share->cache;
}

struct sm_pixmap_cache *sm_client_shares_join_cache(struct sm_client_shares *shares,
                                                    struct sm_client_share_key key, uint64_t max_px)
{
    pthread_mutex_lock(&shares->lock);
    struct sm_pixmap_cache *cache = join_cache(shares, key, max_px);
    pthread_mutex_unlock(&shares->lock);
    return cache;
}

void sm_client_shares_leave_cache(struct sm_client_shares *shares, struct sm_pixmap_cache *cache,
                                  uint8_t channel_id)
{
    pthread_mutex_lock(&shares->lock);
    SM_LIST_FOR (link, &shares->caches) {
        struct share *share = share_of(link);
        if (share->cache != cache)
            continue;
        sm_pixmap_cache_forget_channel(cache, channel_id);
        if (--share->users == 0)
            drop(share);
        break;
    }
    pthread_mutex_unlock(&shares->lock);
}

/* ---- dictionaries ---- */

static struct sm_glz_share *join_glz(struct sm_client_shares *shares,
                                     struct sm_client_share_key key, uint32_t window_px,
                                     uint64_t first_id)
{
    if (find(&shares->dictionaries, key))
        return NULL; /* in use by another display */
    struct share *share = add(&shares->dictionaries, key);
    if (!share)
        return NULL;
    if (sm_glz_share_create(&share->glz, window_px, first_id) != SM_OK) {
        drop(share);
        return NULL;
    }
    return share->glz;
}

struct sm_glz_share *sm_client_shares_join_glz(struct sm_client_shares *shares,
                                               struct sm_client_share_key key, uint32_t window_px,
                                               uint64_t first_id)
{
    pthread_mutex_lock(&shares->lock);
    struct sm_glz_share *glz = join_glz(shares, key, window_px, first_id);
    pthread_mutex_unlock(&shares->lock);
    return glz;
}

void sm_client_shares_leave_glz(struct sm_client_shares *shares, struct sm_glz_share *glz)
{
    pthread_mutex_lock(&shares->lock);
    SM_LIST_FOR (link, &shares->dictionaries) {
        struct share *share = share_of(link);
        if (share->glz != glz)
            continue;
        sm_glz_share_break(glz);
        drop(share);
        break;
    }
    pthread_mutex_unlock(&shares->lock);
}
