/* SPDX-License-Identifier: MIT */
/*
 * The RSA keys that tickets are encrypted with. Making one costs some ten milliseconds, and a
 * client opens half a dozen connections at once: a key serves all connections of a few seconds.
 */
#ifndef SM_SERVER_SESSION_LINK_KEY_H
#define SM_SERVER_SESSION_LINK_KEY_H

#include <stdint.h>

#include "io/ticket.h"

struct sm_link_key;

/** Where a server keeps its newest key. Zeroed at first. Thread: one at a time. */
struct sm_link_key_cache {
    struct sm_link_key *newest; /* holds a reference */
    uint64_t made_us;
};

/** A key to be given back with sm_link_key_unref(); NULL if none could be made. */
struct sm_link_key *sm_link_key_get(struct sm_link_key_cache *cache, uint64_t now_us);

/** NULL does nothing. */
void sm_link_key_unref(struct sm_link_key *key);

/** The pair itself, borrowed. */
struct sm_ticket_key *sm_link_key_pair(struct sm_link_key *key);

void sm_link_key_cache_finish(struct sm_link_key_cache *cache);

#endif
