/* SPDX-License-Identifier: MIT */
/* The frames of a webdav channel: no crash, and where the bytes were cut does not matter. */
#include <stdlib.h>

#include "core/channel/spicevmc/dav_mux.h"
#include "fuzz/core-channel/digest.h"

enum { MAX_SIZE = 1 << 16 };

/* What comes out, byte by byte with the connection it belongs to. */
static void collect(struct sm_digest *digest, const struct sm_dav_piece *piece)
{
    if (piece->data.size == 0) {
        sm_digest_number(&digest->seen, (uint64_t)piece->connection);
        sm_digest_number(&digest->seen, UINT32_MAX);
    }
    for (size_t i = 0; i < piece->data.size; i++) {
        sm_digest_number(&digest->seen, (uint64_t)piece->connection);
        sm_digest_number(&digest->seen, piece->data.data[i]);
    }
}

static struct sm_digest run(const uint8_t *data, size_t size, size_t step)
{
    struct sm_digest digest = sm_digest();
    struct sm_dav_mux mux = {.left = 0};
    while (size > 0) {
        struct sm_bytes in = {.data = data, .size = size < step ? size : step};
        struct sm_dav_piece piece;
        data += in.size;
        size -= in.size;
        while (sm_dav_mux_next(&mux, &in, &piece))
            collect(&digest, &piece);
        FUZZ_CHECK(in.size == 0);
        FUZZ_CHECK(mux.left <= SM_DAV_FRAME_MAX && mux.header_filled < SM_DAV_HEADER_SIZE);
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > MAX_SIZE)
        return 0;
    struct sm_digest whole = run(data + 1, size - 1, SIZE_MAX);
    struct sm_digest split = run(data + 1, size - 1, 1 + data[0] % 32);
    FUZZ_CHECK(sm_digest_equal(whole, split));
    return 0;
}
