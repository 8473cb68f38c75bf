/* SPDX-License-Identifier: MIT */
/*
 * The module of video codecs: a shared object of its own, so that nobody who shows no video loads
 * libavcodec. It exports one symbol, a struct sm_video_module named SM_VIDEO_MODULE_SYMBOL.
 */
#ifndef SM_MEDIA_VIDEO_MODULE_H
#define SM_MEDIA_VIDEO_MODULE_H

#include "media/video.h"

#define SM_VIDEO_MODULE_FILE   "libsumac-video.so"
#define SM_VIDEO_MODULE_SYMBOL "sm_video_module"

/** Of struct sm_video_module and all it refers to; others are not to be used. */
enum { SM_VIDEO_MODULE_VERSION = 2 };

struct sm_video_module {
    uint32_t version;
    /** The encoder for a codec, or NULL; static. What the installed library lacks is missing. */
    const struct sm_video_encoder_ops *(*find_encoder)(enum sm_video_kind kind);
    /** Likewise. */
    const struct sm_video_decoder_ops *(*find_decoder)(enum sm_video_kind kind);
};

#endif
