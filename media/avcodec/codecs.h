/* SPDX-License-Identifier: MIT */
/* What the module of video codecs consists of. */
#ifndef SM_MEDIA_AVCODEC_CODECS_H
#define SM_MEDIA_AVCODEC_CODECS_H

#include "media/video_module.h"

/** As in struct sm_video_module. */
const struct sm_video_encoder_ops *sm_avcodec_find_encoder(enum sm_video_kind kind);
const struct sm_video_decoder_ops *sm_avcodec_find_decoder(enum sm_video_kind kind);

#endif
