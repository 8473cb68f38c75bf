/* SPDX-License-Identifier: MIT */
#include "core/codec/scratch.h"

#include <stdlib.h>
#include <string.h>

uint8_t *sm_scratch_need(struct sm_scratch *scratch, size_t size)
{
    if (scratch->data && size <= scratch->capacity)
        return scratch->data;
    sm_scratch_finish(scratch);
    scratch->data = malloc(size ? size : 1);
    scratch->capacity = scratch->data ? size : 0;
    return scratch->data;
}

uint8_t *sm_scratch_grow(struct sm_scratch *scratch, size_t used, size_t size)
{
    if (scratch->data && size <= scratch->capacity)
        return scratch->data;
    size_t capacity = size + size / 2;
    uint8_t *data = malloc(capacity);
    if (!data)
        return NULL;
    if (used)
        memcpy(data, scratch->data, used);
    free(scratch->data);
    scratch->data = data;
    scratch->capacity = capacity;
    return data;
}

void sm_scratch_trim(struct sm_scratch *scratch)
{
    sm_scratch_trim_to(scratch, SM_SCRATCH_KEPT_BYTES);
}

void sm_scratch_trim_to(struct sm_scratch *scratch, size_t kept_bytes)
{
    if (scratch->capacity > kept_bytes)
        sm_scratch_finish(scratch);
}

void sm_scratch_finish(struct sm_scratch *scratch)
{
    free(scratch->data);
    *scratch = (struct sm_scratch){0};
}

size_t sm_chunks_size(const struct sm_bytes *chunks, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (chunks[i].size > SIZE_MAX - size)
            return SIZE_MAX;
        size += chunks[i].size;
    }
    return size;
}

size_t sm_chunks_copy(const struct sm_bytes *chunks, size_t count, uint8_t *out, size_t size)
{
    size_t done = 0;
    for (size_t i = 0; i < count && done < size; i++) {
        size_t part = chunks[i].size < size - done ? chunks[i].size : size - done;
        if (part)
            memcpy(out + done, chunks[i].data, part);
        done += part;
    }
    return done;
}
