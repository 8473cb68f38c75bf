/* SPDX-License-Identifier: MIT */
#include "server/display/video_encoders.h"

#include <stddef.h>

#include "core/wire/display.h"

const struct sm_video_encoder_ops *sm_video_encoder_find(uint8_t codec)
{
    return codec == SM_VIDEO_CODEC_MJPEG ? &sm_media_mjpeg : NULL;
}
