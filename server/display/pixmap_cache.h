/* SPDX-License-Identifier: MIT */
/*
 * What is in the image cache of one client session. The client keeps what it is told to keep and
 * evicts nothing by itself, so this book is the truth. The session's display channels share it,
 * each on a thread of its own. Source: docs/display.md, "Caches".
 *
 * Ids are the guest's, who may use one twice for different pictures: then a client sees the first.
 * Nothing worse comes of it.
 */
#ifndef SM_SERVER_DISPLAY_PIXMAP_CACHE_H
#define SM_SERVER_DISPLAY_PIXMAP_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/wire/display.h"
#include "sumac/status.h"

enum {
    SM_PIXMAP_CACHE_MAX_IMAGES = 32768, /* however small they are */
    SM_PIXMAP_CACHE_CHANNELS = 8,       /* channels with higher ids cache nothing */
    SM_PIXMAP_USE_MAX = 3,              /* images of one message */
};

/** Thread: any. */
struct sm_pixmap_cache;

/** Makes an empty cache for `max_px` pixels, held once by the caller. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_pixmap_cache_create(struct sm_pixmap_cache **out, uint64_t max_px);

struct sm_pixmap_cache *sm_pixmap_cache_ref(struct sm_pixmap_cache *cache);

/** The last one frees it. NULL does nothing. */
void sm_pixmap_cache_unref(struct sm_pixmap_cache *cache);

/** Ids mean other pictures from now on: what is there is not used any more, only replaced. */
void sm_pixmap_cache_renew(struct sm_pixmap_cache *cache);

/** Nothing is asked for or added any more: the session moves to another server. */
void sm_pixmap_cache_freeze(struct sm_pixmap_cache *cache);

/** The serials of each channel's last message that used the cache, 0 for none. */
void sm_pixmap_cache_serials(struct sm_pixmap_cache *cache, uint64_t *serials, uint32_t count);

/** The channel's connection is over: what it has sent may never arrive, so nobody builds on it. */
void sm_pixmap_cache_forget_channel(struct sm_pixmap_cache *cache, uint8_t channel_id);

/** Pixels and images that are there. */
uint64_t sm_pixmap_cache_pixels(struct sm_pixmap_cache *cache);
uint32_t sm_pixmap_cache_count(struct sm_pixmap_cache *cache);

/**
 * The cache as one message uses it: asked while the message is planned, in the order of sending.
 * What it uses stays until the message was sent or is given up.
 */
struct sm_pixmap_use {
    struct sm_pixmap_cache *cache; /* held; NULL: everything is uncached */
    uint8_t channel_id;
    uint64_t ids[SM_PIXMAP_USE_MAX]; /* private: pinned */
    unsigned count;
    /* To be sent before the message, if there are any: the client drops these images … */
    struct sm_resource_id *evicted; /* owned */
    uint32_t evicted_count, evicted_capacity;
    /* … after other channels have done what they need them for. */
    struct sm_wait_for_channel waits[SM_PIXMAP_CACHE_CHANNELS];
    uint32_t wait_count;
};

/** @param cache  NULL for none */
void sm_pixmap_use_init(struct sm_pixmap_use *use, struct sm_pixmap_cache *cache,
                        uint8_t channel_id);

enum sm_pixmap_answer {
    SM_PIXMAP_ABSENT,        /* to be sent; sm_pixmap_use_add() may keep it */
    SM_PIXMAP_USABLE,        /* FROM_CACHE will do */
    SM_PIXMAP_USABLE_LOSSY,  /* likewise, but it may be shown lossily */
    SM_PIXMAP_USABLE_EXACTLY /* FROM_CACHE_LOSSLESS: a better one may be on its way */
};

/** Whether the client has the image, good enough. */
enum sm_pixmap_answer sm_pixmap_use_find(struct sm_pixmap_use *use, uint64_t id, uint32_t width,
                                         uint32_t height, bool may_be_lossy);

/**
 * Adds an image that is absent and is about to be sent.
 *
 * @return the image flag that it has to be sent with; 0 if it is not kept
 */
uint8_t sm_pixmap_use_add(struct sm_pixmap_use *use, uint64_t id, uint32_t width, uint32_t height,
                          bool is_lossy);

/** The message has left with this serial; then finish is still to be called. */
void sm_pixmap_use_sent(struct sm_pixmap_use *use, uint64_t serial);

/** Without being sent: the client never gets what was added. */
void sm_pixmap_use_finish(struct sm_pixmap_use *use);

#endif
