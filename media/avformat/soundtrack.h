/* SPDX-License-Identifier: MIT */
/* The sound of a film, as Opus. Functions give 0 or a negative error of the library. */
#ifndef SM_MEDIA_AVFORMAT_SOUNDTRACK_H
#define SM_MEDIA_AVFORMAT_SOUNDTRACK_H

#include <stddef.h>
#include <stdint.h>

#include <libavformat/avformat.h>

struct sm_soundtrack;

/** Adds a stream to `file`, before its header. @return NULL, or why it cannot be; static */
const char *sm_soundtrack_create(struct sm_soundtrack **out, AVFormatContext *file);

/** Appends `count` frames of two channels at 48 kHz, behind silence if `at_us` is further on. */
int sm_soundtrack_put(struct sm_soundtrack *track, const int16_t *samples, size_t count,
                      uint64_t at_us);

/** Nothing has come for some time before `at_us`: that was silence. */
int sm_soundtrack_silence(struct sm_soundtrack *track, uint64_t at_us);

/** Writes the rest, until `at_us`. */
int sm_soundtrack_finish(struct sm_soundtrack *track, uint64_t at_us);

/** NULL does nothing. */
void sm_soundtrack_destroy(struct sm_soundtrack *track);

#endif
