/* SPDX-License-Identifier: MIT */
#include "core/channel/spicevmc/dav_mux.h"

#include <string.h>

#include "core/base/math.h"
#include "core/base/reader.h"

static struct sm_bytes take(struct sm_bytes *in, size_t size)
{
    struct sm_bytes part = {.data = in->data, .size = sm_min_size(size, in->size)};
    *in = sm_bytes_behind(*in, part.size);
    return part;
}

bool sm_dav_mux_next(struct sm_dav_mux *mux, struct sm_bytes *in, struct sm_dav_piece *piece)
{
    while (in->size > 0) {
        if (mux->left > 0) {
            struct sm_bytes data = take(in, mux->left);
            mux->left -= data.size;
            *piece = (struct sm_dav_piece){.connection = mux->connection, .data = data};
            return true;
        }
        struct sm_bytes part = take(in, SM_DAV_HEADER_SIZE - mux->header_filled);
        memcpy(mux->header + mux->header_filled, part.data, part.size);
        mux->header_filled += part.size;
        if (mux->header_filled < SM_DAV_HEADER_SIZE)
            break;
        struct sm_reader r =
            sm_reader((struct sm_bytes){.data = mux->header, .size = sizeof(mux->header)});
        mux->header_filled = 0;
        mux->connection = (int64_t)sm_get_le64(&r);
        mux->left = sm_get_le16(&r);
        if (mux->left == 0) {
            *piece = (struct sm_dav_piece){.connection = mux->connection};
            return true;
        }
    }
    return false;
}

void sm_dav_mux_header(uint8_t out[SM_DAV_HEADER_SIZE], int64_t connection, size_t size)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)connection >> 8 * i);
    out[8] = (uint8_t)size;
    out[9] = (uint8_t)(size >> 8);
}
