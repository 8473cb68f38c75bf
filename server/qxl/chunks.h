/* SPDX-License-Identifier: MIT */
/* Data a guest split into chunks: headers of 20 bytes, each followed by its bytes, linked. */
#ifndef SM_SERVER_QXL_CHUNKS_H
#define SM_SERVER_QXL_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#include "server/qxl/memslots.h"
#include "sumac/status.h"

enum {
    SM_CHUNK_HEADER_SIZE = 20,
    SM_CHUNK_MAX_COUNT = 0x7fffffff / 1024, /* links of a chain, empty ones included */
    SM_CHUNK_MAX_TOTAL = 0x7fffffff,        /* bytes of a chain */
};

/** Bytes copied out of a guest. */
struct sm_chunk_data {
    uint8_t *data; /* owned, malloc */
    size_t size;
};

/**
 * Sums up the chain whose first header is at `address`, checking every link, copying nothing. A
 * chain that goes in circles ends at SM_CHUNK_MAX_COUNT.
 *
 * @param limit  the walk ends with SM_ERR_LIMIT when there are more bytes than this, which is at
 *               most SM_CHUNK_MAX_TOTAL
 * @return SM_OK; SM_ERR_PROTOCOL if a link does not resolve; SM_ERR_LIMIT
 */
SM_NODISCARD enum sm_status sm_chunks_measure(const struct sm_memslots *slots, uint64_t address,
                                              uint32_t group, size_t limit, size_t *total);

/**
 * Copies the bytes of a chain into one block.
 *
 * @param limit  at most this many bytes
 * @return SM_OK; SM_ERR_PROTOCOL if a link does not resolve or the guest changed the chain
 *         meanwhile; SM_ERR_LIMIT; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_chunks_read(struct sm_chunk_data *out,
                                           const struct sm_memslots *slots, uint64_t address,
                                           uint32_t group, size_t limit);

#endif
