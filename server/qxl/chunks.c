/* SPDX-License-Identifier: MIT */
#include "server/qxl/chunks.h"

#include <stdlib.h>

#include "core/base/math.h"
#include "core/base/reader.h"

/** A walk along a chain; every header is copied before it is believed. */
struct walk {
    const struct sm_memslots *slots;
    uint32_t group;
    uint32_t count;    /* links visited */
    uint64_t next;     /* address of the next header, 0 at the end */
    const uint8_t *at; /* the visited link's bytes, in guest memory */
    uint32_t size;
};

/* Visits one link. SM_AGAIN at the end of the chain. */
static enum sm_status walk_on(struct walk *walk)
{
    if (walk->next == 0)
        return SM_AGAIN;
    if (walk->count >= SM_CHUNK_MAX_COUNT) {
        sm_memslots_warn(walk->slots, "data split in too many chunks, avoiding DoS");
        return SM_ERR_LIMIT;
    }
    uint8_t header[SM_CHUNK_HEADER_SIZE];
    uint64_t address = walk->next;
    if (!sm_memslots_copy(walk->slots, address, walk->group, header, sizeof(header)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = header, .size = sizeof(header)});
    walk->size = sm_get_le32(&r);
    sm_skip(&r, 8); /* the link back is of no use */
    walk->next = sm_get_le64(&r);
    walk->count++;
    const uint8_t *whole = sm_memslots_resolve(
        walk->slots, address, (size_t)SM_CHUNK_HEADER_SIZE + walk->size, walk->group);
    if (!whole)
        return SM_ERR_PROTOCOL;
    walk->at = whole + SM_CHUNK_HEADER_SIZE;
    return SM_OK;
}

static struct walk walk_from(const struct sm_memslots *slots, uint64_t address, uint32_t group)
{
    return (struct walk){.slots = slots, .group = group, .next = address};
}

enum sm_status sm_chunks_measure(const struct sm_memslots *slots, uint64_t address, uint32_t group,
                                 size_t limit, size_t *total)
{
    if (address == 0)
        return SM_ERR_PROTOCOL;
    limit = sm_min_size(limit, SM_CHUNK_MAX_TOTAL);
    struct walk walk = walk_from(slots, address, group);
    size_t sum = 0;
    enum sm_status status;
    while ((status = walk_on(&walk)) == SM_OK) {
        if (walk.size > limit - sum) {
            sm_memslots_warn(slots, "too much data inside chunks, avoiding DoS");
            return SM_ERR_LIMIT;
        }
        sum += walk.size;
    }
    if (status != SM_AGAIN)
        return status;
    *total = sum;
    return SM_OK;
}

/* The chain may have changed since it was measured: `size` bytes are taken, not more or fewer. */
static enum sm_status copy_chain(uint8_t *to, size_t size, struct walk walk)
{
    size_t done = 0;
    enum sm_status status;
    while ((status = walk_on(&walk)) == SM_OK) {
        if (walk.size > size - done)
            return SM_ERR_PROTOCOL;
        sm_guest_memcpy(to + done, walk.at, walk.size);
        done += walk.size;
    }
    if (status != SM_AGAIN)
        return status;
    return done == size ? SM_OK : SM_ERR_PROTOCOL;
}

enum sm_status sm_chunks_read(struct sm_chunk_data *out, const struct sm_memslots *slots,
                              uint64_t address, uint32_t group, size_t limit)
{
    size_t size;
    enum sm_status status = sm_chunks_measure(slots, address, group, limit, &size);
    if (status)
        return status;
    uint8_t *data = malloc(size ? size : 1);
    if (!data)
        return SM_ERR_NOMEM;
    status = copy_chain(data, size, walk_from(slots, address, group));
    if (status) {
        free(data);
        return status;
    }
    *out = (struct sm_chunk_data){.data = data, .size = size};
    return SM_OK;
}
