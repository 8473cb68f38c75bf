/* SPDX-License-Identifier: MIT */
/* Memory that a decoder or encoder keeps from one image to the next. */
#ifndef SM_CORE_CODEC_SCRATCH_H
#define SM_CORE_CODEC_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "core/codec/codec.h"

enum {
    /** What is larger goes back after each image; the rest is kept. */
    SM_SCRATCH_KEPT_BYTES = 16 << 20,
};

struct sm_scratch {
    uint8_t *data; /* owned */
    size_t capacity;
};

/** Room for `size` bytes, contents undefined, borrowed until the next call; NULL without memory. */
uint8_t *sm_scratch_need(struct sm_scratch *scratch, size_t size);

/** Room for `size` bytes that keeps the first `used` ones; NULL without memory, all kept. */
uint8_t *sm_scratch_grow(struct sm_scratch *scratch, size_t used, size_t size);

/** Gives memory back if it is more than is worth keeping. */
void sm_scratch_trim(struct sm_scratch *scratch);

/** Gives memory back if it is more than `kept_bytes`. */
void sm_scratch_trim_to(struct sm_scratch *scratch, size_t kept_bytes);

void sm_scratch_finish(struct sm_scratch *scratch);

/** All bytes of a list of chunks; saturates at SIZE_MAX. */
size_t sm_chunks_size(const struct sm_bytes *chunks, size_t count);

/** Copies up to `size` bytes from the front of a list of chunks; returns how many there were. */
size_t sm_chunks_copy(const struct sm_bytes *chunks, size_t count, uint8_t *out, size_t size);

#endif
