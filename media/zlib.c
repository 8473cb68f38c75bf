/* SPDX-License-Identifier: MIT */
/* zlib streams, one whole image each. */
#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

#include "media/libs.h"

struct zlib {
    z_stream inflater, deflater;
    bool has_inflater, has_deflater;
    unsigned level; /* of the deflater */
};

static void *create(void)
{
    return calloc(1, sizeof(struct zlib));
}

static void destroy(void *state)
{
    struct zlib *zlib = state;
    if (!zlib)
        return;
    if (zlib->has_inflater)
        inflateEnd(&zlib->inflater);
    if (zlib->has_deflater)
        deflateEnd(&zlib->deflater);
    free(zlib);
}

static enum sm_status prepare_inflater(struct zlib *zlib)
{
    if (zlib->has_inflater)
        return inflateReset(&zlib->inflater) == Z_OK ? SM_OK : SM_ERR_NOMEM;
    if (inflateInit(&zlib->inflater) != Z_OK)
        return SM_ERR_NOMEM;
    zlib->has_inflater = true;
    return SM_OK;
}

static enum sm_status run_inflater(struct zlib *zlib, struct sm_bytes in, uint8_t *out,
                                   size_t out_size, int flush, int *result)
{
    if (in.size > UINT_MAX || out_size > UINT_MAX)
        return SM_ERR_LIMIT;
    enum sm_status status = prepare_inflater(zlib);
    if (status != SM_OK)
        return status;
    z_stream *z = &zlib->inflater;
    z->next_in = (Bytef *)(uintptr_t)in.data; /* zlib does not write to it */
    z->avail_in = (uInt)in.size;
    z->next_out = out;
    z->avail_out = (uInt)out_size;
    *result = inflate(z, flush);
    return *result == Z_MEM_ERROR ? SM_ERR_NOMEM : SM_OK;
}

static enum sm_status inflate_whole(void *state, struct sm_bytes in, uint8_t *out, size_t out_size)
{
    struct zlib *zlib = state;
    int result;
    enum sm_status status = run_inflater(zlib, in, out, out_size, Z_FINISH, &result);
    if (status != SM_OK)
        return status;
    bool is_whole = result == Z_STREAM_END && zlib->inflater.avail_out == 0;
    return is_whole && zlib->inflater.avail_in == 0 ? SM_OK : SM_ERR_PROTOCOL;
}

static enum sm_status inflate_head(void *state, struct sm_bytes in, uint8_t *out, size_t out_size)
{
    struct zlib *zlib = state;
    int result;
    enum sm_status status = run_inflater(zlib, in, out, out_size, Z_SYNC_FLUSH, &result);
    if (status != SM_OK)
        return status;
    return zlib->inflater.avail_out == 0 ? SM_OK : SM_ERR_PROTOCOL;
}

static enum sm_status prepare_deflater(struct zlib *zlib, unsigned level)
{
    if (zlib->has_deflater && zlib->level == level)
        return deflateReset(&zlib->deflater) == Z_OK ? SM_OK : SM_ERR_NOMEM;
    if (zlib->has_deflater)
        deflateEnd(&zlib->deflater);
    zlib->has_deflater = false;
    if (deflateInit(&zlib->deflater, (int)level) != Z_OK)
        return SM_ERR_NOMEM;
    zlib->has_deflater = true;
    zlib->level = level;
    return SM_OK;
}

static enum sm_status deflate_whole(void *state, struct sm_bytes in, unsigned level, uint8_t *out,
                                    size_t capacity, size_t *out_size)
{
    struct zlib *zlib = state;
    if (in.size > UINT_MAX || level > 9)
        return SM_ERR_LIMIT;
    enum sm_status status = prepare_deflater(zlib, level);
    if (status != SM_OK)
        return status;
    z_stream *z = &zlib->deflater;
    z->next_in = (Bytef *)(uintptr_t)in.data;
    z->avail_in = (uInt)in.size;
    z->next_out = out;
    z->avail_out = capacity > UINT_MAX ? UINT_MAX : (uInt)capacity;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return SM_ERR_LIMIT;
    *out_size = (size_t)(z->next_out - out);
    return SM_OK;
}

const struct sm_zlib_lib sm_media_zlib = {
    .create = create,
    .destroy = destroy,
    .inflate = inflate_whole,
    .inflate_head = inflate_head,
    .deflate = deflate_whole,
};
