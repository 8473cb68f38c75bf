/* SPDX-License-Identifier: MIT */
/*
 * Memory for images that come and go in about the same order, as those of a GLZ window do: blocks
 * of one mapping, used again and again. The heap would give such sizes back to the system and fetch
 * them anew, page by page, and each page has to be cleared.
 */
#ifndef SM_CLIENT_PIXEL_RING_H
#define SM_CLIENT_PIXEL_RING_H

#include <stddef.h>

#include "sumac/status.h"

enum { SM_PIXEL_RING_MIN_BLOCK = 16 << 10 /* bytes; what is smaller comes from the heap */ };

/** Thread: any. */
struct sm_pixel_ring;

/**
 * Reserves addresses; memory is taken as it is used.
 *
 * @param size_bytes  for how much there is room in the mapping, at least 1
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_pixel_ring_create(struct sm_pixel_ring **out, size_t size_bytes);

/** All blocks must have been released. NULL does nothing. */
void sm_pixel_ring_destroy(struct sm_pixel_ring *ring);

/** `size` bytes of any value, aligned to 64, the caller's until sm_pixel_ring_release(); from the
 * heap if they are few or there is no room; NULL without memory. */
void *sm_pixel_ring_allocate(struct sm_pixel_ring *ring, size_t size);

/** NULL does nothing. */
void sm_pixel_ring_release(struct sm_pixel_ring *ring, void *memory);

#endif
