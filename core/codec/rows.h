/* SPDX-License-Identifier: MIT */
/* Rows out of a list of chunks that may be cut anywhere, in any order. */
#ifndef SM_CORE_CODEC_ROWS_H
#define SM_CORE_CODEC_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sumac/bytes.h"

/** A cursor over chunks; the caller has checked that they hold all that it will ask for. */
struct sm_rows {
    const struct sm_bytes *chunks; /* borrowed */
    size_t chunk_count;
    size_t chunk, offset; /* where the next byte is */
    uint64_t chunk_start; /* bytes in the chunks before this one */
};

static inline void sm_rows_skip(struct sm_rows *rows, size_t size)
{
    while (rows->chunk < rows->chunk_count) {
        size_t left = rows->chunks[rows->chunk].size - rows->offset;
        if (size < left) {
            rows->offset += size;
            return;
        }
        size -= left;
        rows->chunk_start += rows->chunks[rows->chunk].size;
        rows->chunk++;
        rows->offset = 0;
    }
}

/** Goes to byte `at`, from wherever the cursor is: neighbouring rows cost next to nothing. */
static inline void sm_rows_seek(struct sm_rows *rows, uint64_t at)
{
    while (rows->chunk > 0 && at < rows->chunk_start)
        rows->chunk_start -= rows->chunks[--rows->chunk].size;
    rows->offset = 0;
    while (rows->chunk < rows->chunk_count &&
           at - rows->chunk_start >= rows->chunks[rows->chunk].size)
        rows->chunk_start += rows->chunks[rows->chunk++].size;
    if (rows->chunk < rows->chunk_count)
        rows->offset = (size_t)(at - rows->chunk_start);
}

/**
 * The next `size` bytes: borrowed from the chunk if it has them in one piece, else gathered in
 * `room`. Bytes beyond the last chunk are zero.
 */
static inline const uint8_t *sm_rows_take(struct sm_rows *rows, size_t size, uint8_t *room)
{
    sm_rows_skip(rows, 0); /* past chunks that are used up or empty */
    if (rows->chunk < rows->chunk_count) {
        const struct sm_bytes *chunk = &rows->chunks[rows->chunk];
        if (size <= chunk->size - rows->offset) {
            const uint8_t *row = chunk->data + rows->offset;
            rows->offset += size;
            return row;
        }
    }
    size_t done = 0;
    while (done < size && rows->chunk < rows->chunk_count) {
        const struct sm_bytes *chunk = &rows->chunks[rows->chunk];
        size_t left = chunk->size - rows->offset;
        size_t part = left < size - done ? left : size - done;
        memcpy(room + done, chunk->data + rows->offset, part);
        done += part;
        sm_rows_skip(rows, part);
    }
    memset(room + done, 0, size - done);
    return room;
}

#endif
