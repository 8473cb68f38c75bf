/* SPDX-License-Identifier: MIT */
#include "server/device/sound_ring.h"

#include "core/base/reader.h"

enum { FRAME_BYTES = 4 };

void sm_sound_ring_reset(struct sm_sound_ring *ring)
{
    ring->put = ring->got = 0;
    ring->has_begun = false;
}

void sm_sound_ring_put(struct sm_sound_ring *ring, struct sm_bytes bytes)
{
    size_t count = bytes.size / FRAME_BYTES;
    struct sm_reader r = sm_reader(bytes);
    if (count > SM_SOUND_RING_SIZE) {
        sm_skip(&r, (count - SM_SOUND_RING_SIZE) * FRAME_BYTES);
        count = SM_SOUND_RING_SIZE;
    }
    for (size_t i = 0; i < count; i++)
        ring->frames[ring->put++ % SM_SOUND_RING_SIZE] = sm_get_le32(&r);
    if (ring->put - ring->got > SM_SOUND_RING_SIZE)
        ring->got = ring->put - SM_SOUND_RING_SIZE;
    if (ring->put >= SM_SOUND_RING_START)
        ring->has_begun = true;
}

uint32_t sm_sound_ring_get(struct sm_sound_ring *ring, uint32_t *frames, uint32_t size)
{
    uint32_t count = 0;
    while (ring->has_begun && count < size && ring->got < ring->put)
        frames[count++] = ring->frames[ring->got++ % SM_SOUND_RING_SIZE];
    return count;
}
