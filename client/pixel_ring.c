/* SPDX-License-Identifier: MIT */
#include "client/pixel_ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    ALIGN = 64,
    HUGE_PAGE = 2 << 20, /* where the kernel has such, they are cleared in a third of the time */
};

/* What is known of a block lies apart from it: nobody who writes past an image's end gets there. */
struct block {
    size_t offset, size; /* within the mapping's memory */
    bool is_free;        /* but one before it is not */
};

struct sm_pixel_ring {
    pthread_mutex_t lock; /* over what follows */
    uint8_t *mapping;     /* owned */
    size_t mapping_size;
    uint8_t *memory; /* the part of it that begins with a huge page */
    size_t size;
    size_t touched;       /* bytes from its start on that have been in use */
    struct block *blocks; /* owned: a ring, too, oldest first; each but one begins where the last
                             ended */
    size_t first, count, capacity;
};

enum sm_status sm_pixel_ring_create(struct sm_pixel_ring **out, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2)
        return SM_ERR_NOMEM;
    struct sm_pixel_ring *ring = calloc(1, sizeof(*ring));
    if (!ring)
        return SM_ERR_NOMEM;
    ring->size = size_bytes;
    ring->mapping_size = size_bytes + HUGE_PAGE;
    ring->capacity = size_bytes / SM_PIXEL_RING_MIN_BLOCK + 1;
    ring->blocks = calloc(ring->capacity, sizeof(*ring->blocks));
    ring->mapping = mmap(NULL, ring->mapping_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    pthread_mutex_init(&ring->lock, NULL);
    if (!ring->blocks || ring->mapping == MAP_FAILED) {
        sm_pixel_ring_destroy(ring);
        return SM_ERR_NOMEM;
    }
    uintptr_t start = (uintptr_t)ring->mapping;
    ring->memory = ring->mapping + ((start + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE - start);
    (void)madvise(ring->memory, ring->size, MADV_HUGEPAGE); /* a wish */
    *out = ring;
    return SM_OK;
}

void sm_pixel_ring_destroy(struct sm_pixel_ring *ring)
{
    if (!ring)
        return;
    if (ring->mapping != MAP_FAILED)
        (void)munmap(ring->mapping, ring->mapping_size);
    pthread_mutex_destroy(&ring->lock);
    free(ring->blocks);
    free(ring);
}

static struct block *block_at(const struct sm_pixel_ring *ring, size_t i)
{
    return &ring->blocks[(ring->first + i) % ring->capacity];
}

/* Where `size` bytes have room behind the newest block, or at the start again; SIZE_MAX: nowhere.
 * Memory that was in use before is better than more of it. */
static size_t find_place(const struct sm_pixel_ring *ring, size_t size)
{
    if (ring->count == ring->capacity || size > ring->size)
        return SIZE_MAX;
    if (ring->count == 0)
        return 0;
    const struct block *oldest = block_at(ring, 0), *newest = block_at(ring, ring->count - 1);
    size_t end = newest->offset + newest->size;
    if (newest->offset < oldest->offset) /* the free part is between them */
        return size <= oldest->offset - end ? end : SIZE_MAX;
    bool fits_behind = size <= ring->size - end, fits_at_start = size <= oldest->offset;
    if (fits_behind && (end + size <= ring->touched || !fits_at_start))
        return end;
    return fits_at_start ? 0 : SIZE_MAX;
}

static void *take_block(struct sm_pixel_ring *ring, size_t size)
{
    size_t place = find_place(ring, size);
    if (place == SIZE_MAX)
        return NULL;
    *block_at(ring, ring->count++) = (struct block){.offset = place, .size = size};
    if (place + size > ring->touched)
        ring->touched = place + size;
    return ring->memory + place;
}

void *sm_pixel_ring_allocate(struct sm_pixel_ring *ring, size_t size)
{
    if (size > SIZE_MAX - ALIGN)
        return NULL;
    size_t whole = (size + ALIGN - 1) / ALIGN * ALIGN;
    void *memory = NULL;
    if (whole >= SM_PIXEL_RING_MIN_BLOCK) {
        pthread_mutex_lock(&ring->lock);
        memory = take_block(ring, whole);
        pthread_mutex_unlock(&ring->lock);
    }
    return memory ? memory : aligned_alloc(ALIGN, whole ? whole : ALIGN);
}

/* Mostly the oldest one. */
static void give_back(struct sm_pixel_ring *ring, size_t offset)
{
    for (size_t i = 0; i < ring->count; i++)
        if (block_at(ring, i)->offset == offset && !block_at(ring, i)->is_free) {
            block_at(ring, i)->is_free = true;
            break;
        }
    while (ring->count > 0 && block_at(ring, 0)->is_free) {
        ring->first = (ring->first + 1) % ring->capacity;
        ring->count--;
    }
}

void sm_pixel_ring_release(struct sm_pixel_ring *ring, void *memory)
{
    uintptr_t at = (uintptr_t)memory, start = (uintptr_t)ring->memory;
    if (at < start || at - start >= ring->size) {
        free(memory);
        return;
    }
    pthread_mutex_lock(&ring->lock);
    give_back(ring, at - start);
    pthread_mutex_unlock(&ring->lock);
}
