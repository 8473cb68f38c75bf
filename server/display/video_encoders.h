/* SPDX-License-Identifier: MIT */
/* Which encoders there are. */
#ifndef SM_SERVER_DISPLAY_VIDEO_ENCODERS_H
#define SM_SERVER_DISPLAY_VIDEO_ENCODERS_H

#include <stdint.h>

#include "media/video.h"

/** The encoder for a wire `video_codec`; NULL if there is none. Thread: any. */
const struct sm_video_encoder_ops *sm_video_encoder_find(uint8_t codec);

#endif
