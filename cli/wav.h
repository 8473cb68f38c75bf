/* SPDX-License-Identifier: MIT */
/* WAV files of 16-bit samples: written as they come, read whole. */
#ifndef SM_CLI_WAV_H
#define SM_CLI_WAV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/failure.h"
#include "sumac/sound.h"

/** Writes the head for `frames` frames; again, when they are known, if `file` can go back. */
bool cli_wav_write_head(FILE *file, const struct sm_sound_format *format, uint64_t frames);

/** Writes frames, little-endian. */
bool cli_wav_write(FILE *file, const int16_t *samples, uint32_t frames, uint32_t channels);

/** Sound that was read. */
struct cli_wav {
    struct sm_sound_format format;
    int16_t *samples; /* owned */
    uint32_t frames;
};

/** Reads `path`: PCM of 16 bits, 1 to 8 channels, at most an hour of it. */
bool cli_wav_read(struct cli_wav *wav, const char *path, struct cli_failure *failure);

void cli_wav_finish(struct cli_wav *wav);

/** Frame `at` of `wav` played at `rate_hz`, for `channels` channels; false behind its end. */
bool cli_wav_frame(const struct cli_wav *wav, uint64_t at, uint32_t rate_hz, uint32_t channels,
                   int16_t *out);

#endif
