/* SPDX-License-Identifier: MIT */
/*
 * Encoders and decoders of moving pictures, each a table of functions, whatever library is behind
 * it. Motion JPEG is always there (media/mjpeg.c); the others live in a module that is loaded when
 * the first stream wants one (media/video_module.h).
 */
#ifndef SM_MEDIA_VIDEO_H
#define SM_MEDIA_VIDEO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "core/base/reader.h"
#include "sumac/status.h"

enum {
    SM_VIDEO_MAX_SIDE = 16384, /* pixels */
    SM_VIDEO_BEST_QUALITY = 100,
};

/** The codecs; values of the wire's `video_codec`. */
enum sm_video_kind {
    SM_VIDEO_MJPEG = 1,
    SM_VIDEO_VP8 = 2,
    SM_VIDEO_H264 = 3,
    SM_VIDEO_VP9 = 4,
    SM_VIDEO_H265 = 5,
    SM_VIDEO_AV1 = 6,
};

/** What an encoder is made for. Frames of another size need another encoder. */
struct sm_video_setup {
    uint32_t width, height;   /* pixels, 1 to SM_VIDEO_MAX_SIDE */
    uint32_t fps;             /* frames a second to expect, at least 1 */
    uint64_t bits_per_second; /* to begin with */
    unsigned threads;         /* it may use, at least 1 */
    void *card;               /* of struct sm_video_module; borrowed for the call, may be NULL */
};

/** What is wished of one frame. */
struct sm_video_order {
    unsigned quality;         /* 1 to SM_VIDEO_BEST_QUALITY; of Motion JPEG alone */
    uint64_t bits_per_second; /* of the others; may differ from frame to frame */
    bool is_key;              /* it must not depend on former frames */
};

/** One kind of encoder. Objects: one thread at a time, any of them. */
struct sm_video_encoder_ops {
    /** True if every frame stands for itself, so that frames may be encoded side by side. */
    bool is_intra;
    /** @return SM_OK; SM_ERR_LIMIT if the library cannot do this; SM_ERR_NOMEM */
    enum sm_status (*create)(void **out, const struct sm_video_setup *setup);
    /** NULL does nothing. */
    void (*destroy)(void *encoder);
    /**
     * Encodes a frame of the encoder's size, XRGB32, ARGB32 or RGB24.
     *
     * @param out  receives the bytes, borrowed until the next call
     * @return SM_OK; SM_AGAIN if the encoder leaves this frame out; else nothing more comes of it
     */
    enum sm_status (*encode)(void *encoder, const struct sm_pixels *frame,
                             const struct sm_video_order *order, struct sm_bytes *out);
    /** What encodes, such as "libx264" or "h264_vaapi"; static. Optional. */
    const char *(*name)(const void *encoder);
};

/** One kind of decoder. Objects: one thread at a time, any of them. */
struct sm_video_decoder_ops {
    /**
     * @param card  of struct sm_video_module, borrowed for the call: it decodes if it can, the
     *              processor if not, or from the frame on that it fails at. NULL: the processor
     * @return SM_OK; SM_ERR_NOMEM
     */
    enum sm_status (*create)(void **out, void *card);
    /** NULL does nothing. */
    void (*destroy)(void *decoder);
    /**
     * Decodes the data of one message.
     *
     * @param out  receives the picture, XRGB32, top row first, borrowed until the next call
     * @return SM_OK; SM_AGAIN: no picture yet; SM_ERR_PROTOCOL: not this codec's, or damaged: the
     *         next key frame may be fine; SM_ERR_LIMIT for a picture beyond SM_VIDEO_MAX_SIDE,
     *         or if the card failed so long after a key frame that the processor cannot go on:
     *         nothing more comes of it; SM_ERR_NOMEM
     */
    enum sm_status (*decode)(void *decoder, struct sm_bytes data, struct sm_pixels *out);
    /** Whether the next frame goes to the graphics card. */
    bool (*is_on_card)(const void *decoder);
};

extern const struct sm_video_encoder_ops sm_media_mjpeg; /* libjpeg-turbo */

#endif
