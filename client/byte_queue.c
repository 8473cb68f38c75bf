/* SPDX-License-Identifier: MIT */
#include "client/byte_queue.h"

#include <stdlib.h>
#include <string.h>

enum { MIN_CAPACITY = 4096 };

void sm_byte_queue_finish(struct sm_byte_queue *queue)
{
    free(queue->data);
    *queue = (struct sm_byte_queue){.limit = queue->limit};
}

/* Room behind the last byte: by moving to the front, else in a larger block. */
static enum sm_status make_room(struct sm_byte_queue *queue, size_t more)
{
    size_t needed = queue->size + more;
    if (needed <= queue->capacity) {
        if (queue->size)
            memmove(queue->data, queue->data + queue->first, queue->size);
        queue->first = 0;
        return SM_OK;
    }
    size_t capacity = queue->capacity ? queue->capacity : MIN_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    if (capacity > queue->limit)
        capacity = queue->limit;
    uint8_t *data = malloc(capacity);
    if (!data)
        return SM_ERR_NOMEM;
    if (queue->size)
        memcpy(data, queue->data + queue->first, queue->size);
    free(queue->data);
    queue->data = data;
    queue->capacity = capacity;
    queue->first = 0;
    return SM_OK;
}

enum sm_status sm_byte_queue_put(struct sm_byte_queue *queue, struct sm_bytes bytes)
{
    if (bytes.size > sm_byte_queue_room(queue))
        return SM_ERR_LIMIT;
    if (bytes.size == 0)
        return SM_OK;
    if (queue->first + queue->size + bytes.size > queue->capacity) {
        enum sm_status status = make_room(queue, bytes.size);
        if (status != SM_OK)
            return status;
    }
    memcpy(queue->data + queue->first + queue->size, bytes.data, bytes.size);
    queue->size += bytes.size;
    return SM_OK;
}

void sm_byte_queue_drop(struct sm_byte_queue *queue, size_t size)
{
    if (size >= queue->size) {
        queue->first = queue->size = 0;
        return;
    }
    queue->first += size;
    queue->size -= size;
}
