/* SPDX-License-Identifier: MIT */
/* WebSocket frames and handshakes: no crash, and where the bytes were cut does not matter. */
#include "fuzz/support/fuzz.h"

#include <string.h>

#include "io/websocket_frames.h"
#include "io/websocket_handshake.h"

struct digest {
    enum sm_status status;
    size_t put, controls;
    uint64_t hash;
};

static void mix(struct digest *d, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        d->hash = (d->hash ^ bytes[i]) * 0x100000001b3u;
}

static struct digest decode(struct sm_bytes in, size_t step, size_t room)
{
    struct digest d = {.hash = 0xcbf29ce484222325u};
    struct sm_websocket_decoder decoder = {0};
    uint8_t out[64];
    for (size_t at = 0; at < in.size && d.status == SM_OK;) {
        struct sm_bytes part = {in.data + at, in.size - at < step ? in.size - at : step};
        struct sm_websocket_step result;
        d.status = sm_websocket_decode(&decoder, part, out, room, &result);
        FUZZ_CHECK(result.taken <= part.size && result.put <= room);
        mix(&d, out, result.put);
        mix(&d, result.control.data, result.control.size);
        d.put += result.put;
        d.controls += result.control_opcode != 0;
        at += result.taken;
    }
    return d;
}

static void shake(struct sm_bytes in)
{
    struct sm_writer reply;
    sm_writer_init(&reply, 4096);
    if (sm_websocket_answer(in, &reply) == SM_OK)
        FUZZ_CHECK(reply.size > 100);
    else
        FUZZ_CHECK(reply.size == 0);
    sm_writer_finish(&reply);
    static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ==";
    size_t size = 0;
    const char *reason = "";
    if (sm_websocket_check_answer(in, KEY, &size, &reason) == SM_OK)
        FUZZ_CHECK(size <= in.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > FUZZ_MAX_SIZE)
        return 0;
    struct sm_bytes in = {data + 2, size - 2};
    struct digest whole = decode(in, SIZE_MAX, 64);
    struct digest split = decode(in, 1 + data[0] % 32, 1 + data[1] % 64);
    FUZZ_CHECK(whole.status == split.status && whole.put == split.put &&
               whole.controls == split.controls && whole.hash == split.hash);
    shake(in);
    return 0;
}
