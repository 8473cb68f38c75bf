/* SPDX-License-Identifier: MIT */
/* Allocation of arrays whose count came from somewhere else. */
#ifndef SM_CORE_BASE_ALLOC_H
#define SM_CORE_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/**
 * Zeroed room for `count` items of `item_size` bytes; release with free().
 *
 * A count of 0 gives a valid pointer as well, so NULL always means out of memory (or a product
 * that does not fit). Limits are the caller's affair: check the count before.
 */
void *sm_alloc_array(size_t count, size_t item_size);

/** A heap copy of `size` bytes, NULL if out of memory; a size of 0 gives a valid pointer. */
void *sm_memdup(const void *data, size_t size);

#endif
