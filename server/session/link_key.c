/* SPDX-License-Identifier: MIT */
#include "server/session/link_key.h"

#include <stdlib.h>

static const uint64_t LIFETIME_US = 10 * 1000000;

struct sm_link_key {
    unsigned references;
    struct sm_ticket_key *pair;
};

struct sm_link_key *sm_link_key_get(struct sm_link_key_cache *cache, uint64_t now_us)
{
    if (!cache->newest || now_us - cache->made_us > LIFETIME_US) {
        struct sm_link_key *key = calloc(1, sizeof(*key));
        if (!key)
            return NULL;
        if (sm_ticket_key_create(&key->pair)) {
            free(key);
            return NULL;
        }
        key->references = 1;
        sm_link_key_unref(cache->newest);
        cache->newest = key;
        cache->made_us = now_us;
    }
    cache->newest->references++;
    return cache->newest;
}

void sm_link_key_unref(struct sm_link_key *key)
{
    if (!key || --key->references)
        return;
    sm_ticket_key_destroy(key->pair);
    free(key);
}

struct sm_ticket_key *sm_link_key_pair(struct sm_link_key *key)
{
    return key->pair;
}

void sm_link_key_cache_finish(struct sm_link_key_cache *cache)
{
    sm_link_key_unref(cache->newest);
    cache->newest = NULL;
}
