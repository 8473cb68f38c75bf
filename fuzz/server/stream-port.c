/* SPDX-License-Identifier: MIT */
/*
 * What a guest's streaming agent says on its port, and what a client brings from another server
 * about its display. Invariants: no crash; how a port's bytes are cut does not change what is
 * understood; what is taken of a display is what comes of building and taking it again.
 */
#include "fuzz/support/fuzz.h"

#include <string.h>

#include "server/device/stream_port.h"
#include "server/display/peer_migration.h"

/* A sum over all that is understood, and whether the stream breaks. */
static uint64_t understand(const uint8_t *data, size_t size, size_t piece)
{
    struct sm_stream_port port;
    enum sm_status status = SM_AGAIN;
    uint64_t sum = 1;
    sm_stream_port_init(&port);
    while (size > 0 && status >= 0) {
        size_t room;
        uint8_t *to = sm_stream_port_room(&port, &room);
        if (!to)
            break;
        size_t part = room < piece ? room : piece;
        part = part < size ? part : size;
        memcpy(to, data, part);
        data += part;
        size -= part;
        struct sm_stream_port_msg msg;
        status = sm_stream_port_got(&port, part, &msg);
        if (status != SM_OK)
            continue;
        sum = sum * 31 + msg.type + msg.width + msg.height + msg.data.size + (uint32_t)msg.x;
        for (size_t i = 0; i < msg.data.size; i++)
            sum = sum * 31 + msg.data.data[i];
    }
    FUZZ_CHECK((status == SM_ERR_PROTOCOL) == (port.error != NULL));
    sm_stream_port_finish(&port);
    return status < 0 ? ~sum : sum;
}

static void take_display(const uint8_t *data, size_t size)
{
    struct sm_peer_state state, again;
    struct sm_arena arena;
    sm_arena_init(&arena, 1 << 18);
    if (sm_peer_state_parse(&state, (struct sm_bytes){data, size}, &arena) == SM_OK) {
        struct sm_writer w;
        sm_writer_init(&w, 1 << 18);
        if (sm_peer_state_build(&w, &state, true) == SM_OK) {
            FUZZ_CHECK(sm_peer_state_parse(&again, sm_writer_bytes(&w), &arena) == SM_OK);
            FUZZ_CHECK(again.serial == state.serial && again.glz_next_id == state.glz_next_id);
            FUZZ_CHECK(again.surface_count == state.surface_count);
            for (uint32_t i = 0; i < state.surface_count; i++)
                FUZZ_CHECK(again.surfaces[i].id == state.surfaces[i].id);
        }
        sm_writer_finish(&w);
    }
    sm_arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > FUZZ_MAX_SIZE)
        return 0;
    FUZZ_CHECK(understand(data + 1, size - 1, SIZE_MAX) ==
               understand(data + 1, size - 1, 1 + data[0] % 32));
    take_display(data + 1, size - 1);
    return 0;
}
