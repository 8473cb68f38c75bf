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

/** An environment variable: the graphics card to use, such as "/dev/dri/renderD129", or "none". */
#define SM_VIDEO_CARD_VARIABLE "SUMAC_VIDEO_CARD"

/** Of struct sm_video_module and all it refers to; others are not to be used. */
enum { SM_VIDEO_MODULE_VERSION = 4 };

struct sm_video_module {
    uint32_t version;
    /** The encoder for a codec, or NULL; static. What the installed library lacks is missing. */
    const struct sm_video_encoder_ops *(*find_encoder)(enum sm_video_kind kind);
    /** Likewise. */
    const struct sm_video_decoder_ops *(*find_decoder)(enum sm_video_kind kind);
    /**
     * Looks for a graphics card that encodes and decodes, for the `card` of struct sm_video_setup
     * and of a decoder. Takes tens of milliseconds where there is one; nothing is opened later, so
     * that a thread may use it that cannot open files.
     *
     * @return NULL if there is none; else the caller's, closed with close_card() when no codec is
     *         made with it any more; those that were may go on
     */
    void *(*open_card)(void);
    /** NULL does nothing. */
    void (*close_card)(void *card);
};

#endif
