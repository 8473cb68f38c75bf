/* SPDX-License-Identifier: MIT */
/*
 * The image cache of a client: what the server told it to keep. Several display channels of a
 * session may share one. The server decides what is in it; nothing is evicted here.
 * Source: docs/gfx.md, "Caches".
 */
#ifndef SM_CORE_CHANNEL_CANVAS_IMAGE_CACHE_H
#define SM_CORE_CHANNEL_CANVAS_IMAGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/channel/canvas/picture.h"
#include "sumac/status.h"

/** Thread: any, if `lock` and `unlock` are given; else one at a time. */
struct sm_image_cache;

struct sm_image_cache_config {
    uint64_t max_pixels;         /* of all images together; a server that wants more is refused */
    void (*lock)(void *context); /* optional, with unlock: held for a lookup, never for drawing */
    void (*unlock)(void *context);
    void *context;
};

/** @return SM_OK, SM_ERR_NOMEM */
SM_NODISCARD enum sm_status sm_image_cache_create(struct sm_image_cache **out,
                                                  const struct sm_image_cache_config *config);

/** Destroys `cache`; pictures that others hold live on. NULL does nothing. */
void sm_image_cache_destroy(struct sm_image_cache *cache);

/**
 * Keeps `picture` under `id`. If the id is there already, a use is counted instead, and a lossless
 * picture takes the place of a lossy one.
 *
 * @return SM_OK; SM_ERR_LIMIT if the cache is full; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_image_cache_add(struct sm_image_cache *cache, uint64_t id,
                                               struct sm_picture *picture, bool is_lossy);

/** Puts the lossless `picture` in place of the one under `id`, or adds it. Returns likewise. */
SM_NODISCARD enum sm_status sm_image_cache_replace(struct sm_image_cache *cache, uint64_t id,
                                                   struct sm_picture *picture);

/**
 * Finds a picture.
 *
 * @param is_lossless_needed  a lossy one is as good as none
 * @param out                 receives the picture, held once for the caller
 * @return SM_OK; SM_AGAIN if it is not there (yet): another channel may be about to add it
 */
SM_NODISCARD enum sm_status sm_image_cache_get(struct sm_image_cache *cache, uint64_t id,
                                               bool is_lossless_needed, struct sm_picture **out);

/** Takes back one use of `id`; with the last one the picture goes. An unknown id does nothing. */
void sm_image_cache_remove(struct sm_image_cache *cache, uint64_t id);

void sm_image_cache_clear(struct sm_image_cache *cache);

/** Pixels of all images. */
uint64_t sm_image_cache_pixels(struct sm_image_cache *cache);

#endif
