/* SPDX-License-Identifier: MIT */
/*
 * Sound between a network that delivers when it likes and a device that takes when it must. It
 * holds as little as the jitter of the two allows, follows the drift of their clocks by playing a
 * little faster or slower, and begins, breaks off and leaps without a click. Source: docs/sound.md,
 * "Between the network and the device".
 */
#ifndef SM_CLIENT_SOUND_BUFFER_H
#define SM_CLIENT_SOUND_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/status.h"

enum {
    SM_SOUND_CHANNELS_MAX = 8,
    SM_SOUND_RATE_MIN_HZ = 4000,
    SM_SOUND_RATE_MAX_HZ = 192000,
};

/** Samples are interleaved and signed; a frame is one of each channel. Thread: one at a time. */
struct sm_sound_buffer {
    uint32_t rate_hz, channels;
    int16_t *ring;     /* owned: capacity × channels */
    uint32_t capacity; /* frames */

    uint64_t put;                        /* frames that came, ever */
    uint64_t got;                        /* the frame that is played next; at most `put` */
    double phase;                        /* and how much of it was, below 1 */
    double drift;                        /* of the network's clock against the device's, a part */
    double step;                         /* frames of ours for one of the device's: close to 1 */
    bool is_dry;                         /* there is a gap, of which */
    uint32_t dry;                        /* so many frames were taken */
    bool is_waiting;                     /* nothing is played until there is enough */
    bool has_ended;                      /* no more comes: what is there is played whatever it is */
    uint32_t packet, period;             /* frames that came, and were taken, at a time */
    double fade;                         /* 0 silence, 1 sound */
    int16_t held[SM_SOUND_CHANNELS_MAX]; /* the last frame played */

    uint64_t leap_to;   /* while two places are blended: the other one */
    uint32_t leap_left; /* frames until it is the only one; 0: no leap */

    double margin;         /* frames that shall be left when the least is left */
    uint32_t lowest;       /* frames left in this window at the least */
    uint32_t window_taken; /* frames taken in this window */

    float gain[SM_SOUND_CHANNELS_MAX], wanted_gain[SM_SOUND_CHANNELS_MAX];

    uint64_t underruns;      /* times there was nothing to play */
    uint64_t skipped_frames; /* left out to catch up */
};

/**
 * @return SM_OK; SM_ERR_LIMIT for a rate or a number of channels that is out of range; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_sound_buffer_init(struct sm_sound_buffer *buffer, uint32_t rate_hz,
                                                 uint32_t channels);

/** Also one that is all zero. */
void sm_sound_buffer_finish(struct sm_sound_buffer *buffer);

/** More will come: after an end, or at first. */
void sm_sound_buffer_begin(struct sm_sound_buffer *buffer);

/** No more comes for now. */
void sm_sound_buffer_end(struct sm_sound_buffer *buffer);

/** Takes what came; what no longer fits pushes out the oldest. */
void sm_sound_buffer_put(struct sm_sound_buffer *buffer, const int16_t *samples, uint32_t frames);

/** Fills `frames` frames for the device, with silence where there is nothing. */
void sm_sound_buffer_get(struct sm_sound_buffer *buffer, int16_t *samples, uint32_t frames);

/** How loud channel `channel` shall be, 1 being as it came; it gets there in 10 ms. */
void sm_sound_buffer_set_gain(struct sm_sound_buffer *buffer, uint32_t channel, float gain);

/** Frames that wait. */
uint32_t sm_sound_buffer_level(const struct sm_sound_buffer *buffer);

#endif
