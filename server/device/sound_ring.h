/* SPDX-License-Identifier: MIT */
/* A ring of stereo frames: the newest stay, the oldest make room. */
#ifndef SM_SERVER_DEVICE_SOUND_RING_H
#define SM_SERVER_DEVICE_SOUND_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/bytes.h"

enum {
    SM_SOUND_RING_SIZE = 8192, /* frames */
    /** Frames to collect before the first are given out. */
    SM_SOUND_RING_START = 1024,
};

/** Thread: one at a time. All zero is empty. */
struct sm_sound_ring {
    uint32_t frames[SM_SOUND_RING_SIZE];
    uint64_t put, got; /* counts since the last reset */
    bool has_begun;    /* enough was collected */
};

void sm_sound_ring_reset(struct sm_sound_ring *ring);

/** Adds the whole frames of `bytes`, little-endian pairs of 16-bit samples; the newest win. */
void sm_sound_ring_put(struct sm_sound_ring *ring, struct sm_bytes bytes);

/** Takes up to `size` frames; nothing before SM_SOUND_RING_START have come. */
uint32_t sm_sound_ring_get(struct sm_sound_ring *ring, uint32_t *frames, uint32_t size);

#endif
