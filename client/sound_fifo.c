/* SPDX-License-Identifier: MIT */
#include "client/sound_fifo.h"

#include <stdlib.h>
#include <string.h>

enum sm_status sm_sound_fifo_reset(struct sm_sound_fifo *fifo, uint32_t channels, uint32_t capacity)
{
    int16_t *ring = calloc((size_t)capacity * channels, sizeof(*ring));
    if (!ring)
        return SM_ERR_NOMEM;
    free(fifo->ring);
    *fifo = (struct sm_sound_fifo){
        .channels = channels, .capacity = capacity, .ring = ring, .lost = fifo->lost};
    return SM_OK;
}

void sm_sound_fifo_finish(struct sm_sound_fifo *fifo)
{
    free(fifo->ring);
    *fifo = (struct sm_sound_fifo){0};
}

uint32_t sm_sound_fifo_level(const struct sm_sound_fifo *fifo)
{
    return (uint32_t)(fifo->put - fifo->got);
}

void sm_sound_fifo_put(struct sm_sound_fifo *fifo, const int16_t *samples, uint32_t frames)
{
    if (!fifo->ring)
        return;
    for (uint32_t i = 0; i < frames; i++) {
        size_t at = (size_t)(fifo->put++ % fifo->capacity) * fifo->channels;
        memcpy(fifo->ring + at, samples + (size_t)i * fifo->channels,
               fifo->channels * sizeof(*samples));
    }
    if (fifo->put - fifo->got > fifo->capacity) {
        fifo->lost += fifo->put - fifo->got - fifo->capacity;
        fifo->got = fifo->put - fifo->capacity;
    }
}

uint32_t sm_sound_fifo_get(struct sm_sound_fifo *fifo, int16_t *samples, uint32_t room)
{
    uint32_t count = sm_sound_fifo_level(fifo);
    count = count < room ? count : room;
    for (uint32_t i = 0; i < count; i++) {
        size_t at = (size_t)(fifo->got++ % fifo->capacity) * fifo->channels;
        memcpy(samples + (size_t)i * fifo->channels, fifo->ring + at,
               fifo->channels * sizeof(*samples));
    }
    return count;
}
