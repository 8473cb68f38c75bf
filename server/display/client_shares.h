/* SPDX-License-Identifier: MIT */
/*
 * What the display channels of one client session have in common at the client, found by the ids of
 * their INIT: image caches and GLZ dictionaries. A server has one book of them for all its workers.
 * A thing lives as long as a channel uses it.
 */
#ifndef SM_SERVER_DISPLAY_CLIENT_SHARES_H
#define SM_SERVER_DISPLAY_CLIENT_SHARES_H

#include <stdint.h>

#include "sumac/status.h"

struct sm_glz_share;
struct sm_pixmap_cache;

/** Thread: any. */
struct sm_client_shares;

/** Held once by the caller. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_client_shares_create(struct sm_client_shares **out);

struct sm_client_shares *sm_client_shares_ref(struct sm_client_shares *shares);

/** The last one frees it. NULL does nothing. */
void sm_client_shares_unref(struct sm_client_shares *shares);

/** Names one thing of a session. */
struct sm_client_share_key {
    uint32_t connection_id; /* the session */
    uint8_t id;             /* of the cache or dictionary, the client's */
};

/**
 * The image cache of that name; the first to ask makes it, with its size. To be left with
 * sm_client_shares_leave_cache(). NULL without memory.
 */
struct sm_pixmap_cache *sm_client_shares_join_cache(struct sm_client_shares *shares,
                                                    struct sm_client_share_key key,
                                                    uint64_t max_px);

/** The connection of a channel is over. */
void sm_client_shares_leave_cache(struct sm_client_shares *shares, struct sm_pixmap_cache *cache,
                                  uint8_t channel_id);

/**
 * The dictionary of that name; its first image gets `first_id`. NULL without memory, for a window
 * nobody has, or while another channel uses it: the reference client loses images now and then when
 * they come through several displays. Source: docs/decisions/glz-one-display.md.
 */
struct sm_glz_share *sm_client_shares_join_glz(struct sm_client_shares *shares,
                                               struct sm_client_share_key key, uint32_t window_px,
                                               uint64_t first_id);

/** The connection of the channel is over: nothing more may be encoded with it. */
void sm_client_shares_leave_glz(struct sm_client_shares *shares, struct sm_glz_share *glz);

#endif
