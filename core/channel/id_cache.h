/* SPDX-License-Identifier: MIT */
/*
 * What a sender knows to be in a receiver's cache: ids, least recently used first. The receiver
 * never evicts by itself, so the sender's book is the truth.
 */
#ifndef SM_CORE_CHANNEL_ID_CACHE_H
#define SM_CORE_CHANNEL_ID_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/status.h"

/** Thread: one at a time. */
struct sm_id_cache;

/**
 * @param out          receives the cache, untouched on failure; release with sm_id_cache_destroy()
 * @param max_weight   the sum of weights it may hold
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_id_cache_create(struct sm_id_cache **out, uint64_t max_weight);

/** NULL does nothing. */
void sm_id_cache_destroy(struct sm_id_cache *cache);

/** True if `id` is there; it counts as just used then. */
bool sm_id_cache_use(struct sm_id_cache *cache, uint64_t id);

/** True if `id` is there. */
bool sm_id_cache_has(const struct sm_id_cache *cache, uint64_t id);

/**
 * Adds `id` of `weight`; one that is there counts as just used. The cache may then be over its
 * weight: call sm_id_cache_evict() until it is not.
 *
 * @return SM_OK; SM_ERR_LIMIT if `weight` alone is too much; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_id_cache_add(struct sm_id_cache *cache, uint64_t id,
                                            uint64_t weight);

/** While over the weight: takes the least recently used id out and returns true. */
bool sm_id_cache_evict(struct sm_id_cache *cache, uint64_t *id);

/** Takes `id` out if it is there. */
void sm_id_cache_remove(struct sm_id_cache *cache, uint64_t id);

void sm_id_cache_clear(struct sm_id_cache *cache);

uint64_t sm_id_cache_weight(const struct sm_id_cache *cache);
size_t sm_id_cache_count(const struct sm_id_cache *cache);

#endif
