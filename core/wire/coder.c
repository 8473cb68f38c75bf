/* SPDX-License-Identifier: MIT */
#include "core/wire/coder.h"

#include <string.h>

enum sm_status sm_wire_refuse(struct sm_wire_parser *p, enum sm_status status, const char *reason)
{
    p->reason = reason;
    return status;
}

enum sm_status sm_wire_end(struct sm_wire_parser *p, const struct sm_reader *r, const char *reason)
{
    return r->failed ? sm_wire_refuse(p, SM_ERR_PROTOCOL, reason) : SM_OK;
}

enum sm_status sm_wire_no_room(struct sm_wire_parser *p)
{
    enum sm_status status = sm_arena_failure(p->arena);
    return sm_wire_refuse(p, status, status == SM_ERR_LIMIT ? "too large" : "out of memory");
}

struct sm_reader sm_wire_at(const struct sm_wire_parser *p, uint32_t offset)
{
    struct sm_reader r = sm_reader(p->body);
    sm_skip(&r, offset);
    return r;
}

struct sm_bytes sm_wire_get_bytes(struct sm_reader *r, uint64_t size)
{
    if (size > sm_left(r)) {
        r->failed = true;
        return (struct sm_bytes){0};
    }
    return sm_get_bytes(r, (size_t)size);
}

void sm_wire_get_octets(struct sm_reader *r, uint8_t *to, size_t size)
{
    struct sm_bytes bytes = sm_get_bytes(r, size);
    if (bytes.size)
        memcpy(to, bytes.data, bytes.size);
}

bool sm_wire_ends_in_nul(struct sm_bytes bytes)
{
    return bytes.size > 0 && bytes.data[bytes.size - 1] == 0;
}

struct sm_wire_builder sm_wire_builder(struct sm_writer *w)
{
    return (struct sm_wire_builder){.w = w, .base = w->size};
}

void sm_wire_reject(struct sm_wire_builder *b, enum sm_status status)
{
    if (b->status == SM_OK)
        b->status = status;
}

void sm_wire_put_pointer(struct sm_wire_builder *b, sm_wire_put_target *put, const void *target,
                         uint32_t count)
{
    if (target && count) {
        if (b->count == SM_WIRE_MAX_POINTERS) {
            sm_wire_reject(b, SM_ERR_LIMIT);
        } else {
            b->targets[b->count].at = b->w->size;
            b->targets[b->count].put = put;
            b->targets[b->count].target = target;
            b->targets[b->count].count = count;
            b->count++;
        }
    }
    sm_put_le32(b->w, 0);
}

void sm_wire_put_bytes_target(struct sm_wire_builder *b, const void *target, uint32_t count)
{
    (void)count;
    const struct sm_bytes *bytes = target;
    sm_put_bytes(b->w, *bytes);
}

void sm_wire_put_le32_target(struct sm_wire_builder *b, const void *target, uint32_t count)
{
    const uint32_t *numbers = target;
    for (uint32_t i = 0; i < count; i++)
        sm_put_le32(b->w, numbers[i]);
}

void sm_wire_put_length(struct sm_wire_builder *b, uint64_t value, unsigned width)
{
    if (width < 8 && value >> (8 * width) != 0)
        sm_wire_reject(b, SM_ERR_LIMIT);
    for (unsigned i = 0; i < width; i++)
        sm_put_u8(b->w, (uint8_t)(value >> (8 * i)));
}

void sm_wire_put_count(struct sm_wire_builder *b, uint64_t count, const void *array, unsigned width)
{
    if (count > 0 && !array)
        sm_wire_reject(b, SM_ERR_STATE);
    sm_wire_put_length(b, count, width);
}

enum sm_status sm_wire_builder_finish(struct sm_wire_builder *b, size_t pad)
{
    for (; b->first < b->count && b->status == SM_OK; b->first++) {
        size_t offset = b->w->size - b->base;
        if (offset > UINT32_MAX)
            sm_wire_reject(b, SM_ERR_LIMIT);
        sm_patch_le32(b->w, b->targets[b->first].at, (uint32_t)offset);
        b->targets[b->first].put(b, b->targets[b->first].target, b->targets[b->first].count);
    }
    sm_put_zeros(b->w, pad);
    if (b->status != SM_OK) {
        b->w->size = b->base;
        return b->status;
    }
    return sm_writer_status(b->w);
}
