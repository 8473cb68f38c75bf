/* SPDX-License-Identifier: MIT */
/* Raw LZ4 blocks. */
#include <limits.h>
#include <stdlib.h>

#include <lz4.h>

#include "media/libs.h"

enum { HISTORY_MAX = 64 << 10 };

static void *create(void)
{
    return malloc(sizeof(LZ4_stream_t));
}

static void destroy(void *state)
{
    free(state);
}

static enum sm_status decode(void *state, struct sm_bytes block, uint8_t *out, size_t history,
                             size_t capacity, size_t *out_size)
{
    (void)state;
    if (block.size == 0 || block.size > LZ4_MAX_INPUT_SIZE)
        return SM_ERR_PROTOCOL;
    int room = capacity > INT_MAX ? INT_MAX : (int)capacity;
    int known = history > HISTORY_MAX ? HISTORY_MAX : (int)history;
    int size = LZ4_decompress_safe_usingDict((const char *)block.data, (char *)out, (int)block.size,
                                             room, (const char *)out - known, known);
    if (size <= 0)
        return SM_ERR_PROTOCOL;
    *out_size = (size_t)size;
    return SM_OK;
}

static size_t bound(size_t size)
{
    return size > LZ4_MAX_INPUT_SIZE ? 0 : (size_t)LZ4_compressBound((int)size);
}

static enum sm_status encode(void *state, struct sm_bytes in, uint8_t *out, size_t capacity,
                             size_t *out_size)
{
    if (in.size > LZ4_MAX_INPUT_SIZE)
        return SM_ERR_LIMIT;
    int room = capacity > INT_MAX ? INT_MAX : (int)capacity;
    /* As a stream of one block: the plain call searches small inputs by four bytes instead of five,
     * which makes 16-bit screens half as large again. */
    LZ4_stream_t *stream = LZ4_initStream(state, sizeof(LZ4_stream_t));
    int size = LZ4_compress_fast_continue(stream, (const char *)in.data, (char *)out, (int)in.size,
                                          room, 1);
    if (size <= 0)
        return SM_ERR_LIMIT;
    *out_size = (size_t)size;
    return SM_OK;
}

const struct sm_lz4_lib sm_media_lz4 = {
    .create = create,
    .destroy = destroy,
    .decode = decode,
    .bound = bound,
    .encode = encode,
};
