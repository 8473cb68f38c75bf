/* SPDX-License-Identifier: MIT */
#include "core/base/writer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void sm_writer_init(struct sm_writer *w, size_t limit)
{
    *w = (struct sm_writer){.limit = limit};
}

void sm_writer_finish(struct sm_writer *w)
{
    free(w->data);
    *w = (struct sm_writer){.limit = w->limit};
}

void sm_writer_reset(struct sm_writer *w)
{
    w->size = 0;
    w->failed = w->hit_limit = false;
}

enum sm_status sm_writer_status(const struct sm_writer *w)
{
    if (!w->failed)
        return SM_OK;
    return w->hit_limit ? SM_ERR_LIMIT : SM_ERR_NOMEM;
}

static bool grow(struct sm_writer *w, size_t needed)
{
    size_t capacity = w->capacity ? w->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity = capacity > w->limit / 2 ? w->limit : capacity * 2;
    uint8_t *data = realloc(w->data, capacity);
    if (!data)
        return false;
    w->data = data;
    w->capacity = capacity;
    return true;
}

uint8_t *sm_put_room(struct sm_writer *w, size_t size)
{
    if (w->failed)
        return NULL;
    if (size > w->limit - w->size) {
        w->failed = w->hit_limit = true;
        return NULL;
    }
    if ((size > w->capacity - w->size || !w->data) && !grow(w, w->size + size)) {
        w->failed = true;
        return NULL;
    }
    w->size += size;
    return w->data + (w->size - size);
}

void sm_put_u8(struct sm_writer *w, uint8_t value)
{
    uint8_t *room = sm_put_room(w, 1);
    if (room)
        room[0] = value;
}

static void store_le(uint8_t *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void put_le(struct sm_writer *w, uint64_t value, size_t size)
{
    uint8_t *room = sm_put_room(w, size);
    if (room)
        store_le(room, value, size);
}

static void put_be(struct sm_writer *w, uint64_t value, size_t size)
{
    uint8_t *room = sm_put_room(w, size);
    for (size_t i = 0; room && i < size; i++)
        room[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

void sm_put_le16(struct sm_writer *w, uint16_t value)
{
    put_le(w, value, 2);
}

void sm_put_le32(struct sm_writer *w, uint32_t value)
{
    put_le(w, value, 4);
}

void sm_put_le64(struct sm_writer *w, uint64_t value)
{
    put_le(w, value, 8);
}

void sm_put_be16(struct sm_writer *w, uint16_t value)
{
    put_be(w, value, 2);
}

void sm_put_be32(struct sm_writer *w, uint32_t value)
{
    put_be(w, value, 4);
}

void sm_put_be64(struct sm_writer *w, uint64_t value)
{
    put_be(w, value, 8);
}

void sm_put_bytes(struct sm_writer *w, struct sm_bytes bytes)
{
    uint8_t *room = sm_put_room(w, bytes.size);
    if (room && bytes.size)
        memcpy(room, bytes.data, bytes.size);
}

void sm_put_zeros(struct sm_writer *w, size_t size)
{
    uint8_t *room = sm_put_room(w, size);
    if (room && size)
        memset(room, 0, size);
}

void sm_patch_le32(struct sm_writer *w, size_t offset, uint32_t value)
{
    if (!w->failed && w->size >= 4 && offset <= w->size - 4)
        store_le(w->data + offset, value, 4);
}
