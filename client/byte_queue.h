/* SPDX-License-Identifier: MIT */
/* Bytes on their way from one thread to another, with a limit from birth. The owner locks. */
#ifndef SM_CLIENT_BYTE_QUEUE_H
#define SM_CLIENT_BYTE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

/** Zeroed but for `limit`, it is ready. */
struct sm_byte_queue {
    size_t limit;  /* `size` never grows beyond this */
    uint8_t *data; /* owned */
    size_t first, size, capacity;
};

/** Frees what is kept. */
void sm_byte_queue_finish(struct sm_byte_queue *queue);

/** How much can be put. */
static inline size_t sm_byte_queue_room(const struct sm_byte_queue *queue)
{
    return queue->limit - queue->size;
}

/** Puts all of `bytes` at the end. SM_ERR_LIMIT if there is no room for them; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_byte_queue_put(struct sm_byte_queue *queue, struct sm_bytes bytes);

/** What waits, in order; borrowed until the next change. */
static inline struct sm_bytes sm_byte_queue_bytes(const struct sm_byte_queue *queue)
{
    if (queue->size == 0)
        return (struct sm_bytes){0}; /* perhaps there is no memory yet to point into */
    return (struct sm_bytes){.data = queue->data + queue->first, .size = queue->size};
}

/** Forgets the first `size` bytes, at most all. */
void sm_byte_queue_drop(struct sm_byte_queue *queue, size_t size);

#endif
