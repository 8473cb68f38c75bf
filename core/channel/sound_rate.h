/* SPDX-License-Identifier: MIT */
/* What both sound channels know about rates and frames. */
#ifndef SM_CORE_CHANNEL_SOUND_RATE_H
#define SM_CORE_CHANNEL_SOUND_RATE_H

#include <stdbool.h>
#include <stdint.h>

/** True if Opus can run at this rate. */
static inline bool sm_opus_has_rate(uint32_t rate_hz)
{
    return rate_hz == 48000 || rate_hz == 24000 || rate_hz == 16000 || rate_hz == 12000 ||
           rate_hz == 8000;
}

/**
 * Samples per channel of the frames we send at a rate: 480, which is a legal Opus frame at every
 * rate (10, 20, 40, 60 ms) but 16000, where it would be 30 ms; there a frame is 20 ms.
 */
static inline uint32_t sm_sound_frame_samples(uint32_t rate_hz)
{
    return rate_hz == 16000 ? 320 : 480;
}

#endif
