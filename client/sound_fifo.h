/* SPDX-License-Identifier: MIT */
/* Sound between a program and a channel, as it is: first in, first out, bounded. */
#ifndef SM_CLIENT_SOUND_FIFO_H
#define SM_CLIENT_SOUND_FIFO_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/status.h"

/** Thread: one at a time. */
struct sm_sound_fifo {
    uint32_t channels, capacity; /* frames */
    int16_t *ring;               /* owned: capacity × channels */
    uint64_t put, got;           /* frames, ever */
    uint64_t lost;               /* of those: pushed out before anybody took them */
};

/** Makes room for `capacity` frames, empty. What it had is freed. */
SM_NODISCARD enum sm_status sm_sound_fifo_reset(struct sm_sound_fifo *fifo, uint32_t channels,
                                                uint32_t capacity);

/** Also one that is all zero. */
void sm_sound_fifo_finish(struct sm_sound_fifo *fifo);

/** Frames that wait. */
uint32_t sm_sound_fifo_level(const struct sm_sound_fifo *fifo);

/** Takes what came; what no longer fits pushes out the oldest. */
void sm_sound_fifo_put(struct sm_sound_fifo *fifo, const int16_t *samples, uint32_t frames);

/** Hands out at most `room` frames; returns how many. */
uint32_t sm_sound_fifo_get(struct sm_sound_fifo *fifo, int16_t *samples, uint32_t room);

#endif
