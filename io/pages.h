/* SPDX-License-Identifier: MIT */
/*
 * Memory for a picture that is large and rare. The allocator keeps what is freed at the end of a
 * thread's arena, megabytes of it, and no call makes it let go; and it takes the first large block
 * that is freed as a sign to do so.
 */
#ifndef SM_IO_PAGES_H
#define SM_IO_PAGES_H

#include <stddef.h>
#include <stdint.h>

/** `size` bytes, at least 1, all zero; NULL if there is no memory. Thread: any. */
uint8_t *sm_pages_alloc(size_t size);

/** Gives them back to the system at once. `size` as they were asked for; NULL does nothing. */
void sm_pages_free(uint8_t *pages, size_t size);

#endif
