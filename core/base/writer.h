/* SPDX-License-Identifier: MIT */
/*
 * A growing buffer with a ceiling from birth. A write beyond the ceiling, or without memory, sets
 * `failed`, changes nothing and makes all later writes do nothing, so a builder is a straight line
 * with one check at its end.
 */
#ifndef SM_CORE_BASE_WRITER_H
#define SM_CORE_BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

/** Thread: one at a time. */
struct sm_writer {
    uint8_t *data; /* owned */
    size_t size, capacity;
    size_t limit; /* `size` never grows beyond this */
    bool failed;
    bool hit_limit; /* the failure was the ceiling, not memory */
};

/** An empty writer that will hold at most `limit` bytes. */
void sm_writer_init(struct sm_writer *w, size_t limit);

/** Frees the buffer; the writer may be initialised again. */
void sm_writer_finish(struct sm_writer *w);

/** Empties the writer and clears its failure; keeps the memory. */
void sm_writer_reset(struct sm_writer *w);

/** What was written, borrowed until the next put, reset or finish. */
static inline struct sm_bytes sm_writer_bytes(const struct sm_writer *w)
{
    return (struct sm_bytes){.data = w->data, .size = w->size};
}

/** SM_OK, SM_ERR_LIMIT or SM_ERR_NOMEM: what became of all puts since the last reset. */
enum sm_status sm_writer_status(const struct sm_writer *w);

/**
 * Room for `size` bytes at the end, to be filled by the caller at once; NULL after a failure.
 * Borrowed until the next put.
 */
uint8_t *sm_put_room(struct sm_writer *w, size_t size);

void sm_put_u8(struct sm_writer *w, uint8_t value);
void sm_put_le16(struct sm_writer *w, uint16_t value);
void sm_put_le32(struct sm_writer *w, uint32_t value);
void sm_put_le64(struct sm_writer *w, uint64_t value);
void sm_put_be16(struct sm_writer *w, uint16_t value);
void sm_put_be32(struct sm_writer *w, uint32_t value);
void sm_put_be64(struct sm_writer *w, uint64_t value);
void sm_put_bytes(struct sm_writer *w, struct sm_bytes bytes);
void sm_put_zeros(struct sm_writer *w, size_t size);

/** Overwrites four bytes written before at `offset`, such as a length known only at the end. */
void sm_patch_le32(struct sm_writer *w, size_t offset, uint32_t value);

#endif
