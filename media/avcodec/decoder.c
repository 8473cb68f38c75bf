/* SPDX-License-Identifier: MIT */
/* Decoders of libavcodec: one message in, at most one picture out, none held back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

#include "core/base/math.h"
#include "media/avcodec/codecs.h"

enum { BLOCK_BYTES = 64 };

struct decoder {
    AVCodecContext *context;   /* owned */
    AVFrame *frame;            /* owned */
    AVPacket *packet;          /* owned: the fields of the caller's data */
    struct SwsContext *scaler; /* owned */
    uint8_t *data;             /* owned: a copy of the message, padded as the library wants it */
    size_t data_size;
    uint8_t *pixels; /* owned: the last picture */
    size_t pixels_size;
};

static enum AVCodecID id_of(enum sm_video_kind kind)
{
    switch (kind) {
    case SM_VIDEO_VP8:
        return AV_CODEC_ID_VP8;
    case SM_VIDEO_H264:
        return AV_CODEC_ID_H264;
    case SM_VIDEO_VP9:
        return AV_CODEC_ID_VP9;
    case SM_VIDEO_H265:
        return AV_CODEC_ID_HEVC;
    case SM_VIDEO_AV1:
        return AV_CODEC_ID_AV1;
    default:
        return AV_CODEC_ID_NONE;
    }
}

static void destroy(void *opaque)
{
    struct decoder *decoder = opaque;
    if (!decoder)
        return;
    avcodec_free_context(&decoder->context);
    av_frame_free(&decoder->frame);
    av_packet_free(&decoder->packet);
    sws_freeContext(decoder->scaler);
    free(decoder->data);
    free(decoder->pixels);
    free(decoder);
}

/* The library's own decoder of AV1 needs hardware, so one that does not comes first. */
static const AVCodec *find_codec(enum sm_video_kind kind)
{
    const AVCodec *codec = NULL;
    if (kind == SM_VIDEO_AV1) {
        codec = avcodec_find_decoder_by_name("libdav1d");
        return codec ? codec : avcodec_find_decoder_by_name("libaom-av1");
    }
    return avcodec_find_decoder(id_of(kind));
}

static enum sm_status create(void **out, enum sm_video_kind kind)
{
    struct decoder *decoder = calloc(1, sizeof(*decoder));
    if (!decoder)
        return SM_ERR_NOMEM;
    const AVCodec *codec = find_codec(kind);
    decoder->context = avcodec_alloc_context3(codec);
    decoder->frame = av_frame_alloc();
    decoder->packet = av_packet_alloc();
    if (decoder->context) {
        decoder->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
        decoder->context->thread_type = FF_THREAD_SLICE;
        decoder->context->max_pixels = (int64_t)SM_VIDEO_MAX_SIDE * SM_VIDEO_MAX_SIDE;
    }
    if (!decoder->context || !decoder->frame || !decoder->packet ||
        avcodec_open2(decoder->context, codec, NULL) < 0) {
        destroy(decoder);
        return SM_ERR_NOMEM;
    }
    *out = decoder;
    return SM_OK;
}

static enum sm_status make_room(uint8_t **memory, size_t *size, size_t wanted)
{
    if (*size >= wanted)
        return SM_OK;
    uint8_t *grown = realloc(*memory, wanted);
    if (!grown)
        return SM_ERR_NOMEM;
    *memory = grown;
    *size = wanted;
    return SM_OK;
}

static enum sm_status convert(struct decoder *decoder, struct sm_pixels *out)
{
    const AVFrame *frame = decoder->frame;
    if (frame->width <= 0 || frame->height <= 0 || frame->width > SM_VIDEO_MAX_SIDE ||
        frame->height > SM_VIDEO_MAX_SIDE)
        return SM_ERR_LIMIT;
    /* The scaler writes rows in blocks, beyond their end. */
    size_t stride_bytes = sm_round_up((size_t)frame->width * 4, BLOCK_BYTES);
    if (make_room(&decoder->pixels, &decoder->pixels_size,
                  stride_bytes * (size_t)frame->height + BLOCK_BYTES))
        return SM_ERR_NOMEM;
    decoder->scaler = sws_getCachedContext(decoder->scaler, frame->width, frame->height,
                                           frame->format, frame->width, frame->height,
                                           AV_PIX_FMT_BGR0, SWS_POINT, NULL, NULL, NULL);
    if (!decoder->scaler)
        return SM_ERR_PROTOCOL; /* a layout nobody can turn into pixels */
    uint8_t *planes[4] = {decoder->pixels};
    int strides[4] = {(int)stride_bytes};
    sws_scale(decoder->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0,
              frame->height, planes, strides);
    *out = (struct sm_pixels){.data = decoder->pixels,
                              .stride_bytes = (ptrdiff_t)stride_bytes,
                              .width = (uint32_t)frame->width,
                              .height = (uint32_t)frame->height,
                              .format = SM_PIXEL_XRGB32};
    return SM_OK;
}

static enum sm_status decode(void *opaque, struct sm_bytes data, struct sm_pixels *out)
{
    struct decoder *decoder = opaque;
    if (data.size == 0 || data.size > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE)
        return SM_ERR_PROTOCOL;
    if (make_room(&decoder->data, &decoder->data_size, data.size + AV_INPUT_BUFFER_PADDING_SIZE))
        return SM_ERR_NOMEM;
    memcpy(decoder->data, data.data, data.size);
    memset(decoder->data + data.size, 0, AV_INPUT_BUFFER_PADDING_SIZE);
    decoder->packet->data = decoder->data;
    decoder->packet->size = (int)data.size;
    int error = avcodec_send_packet(decoder->context, decoder->packet);
    if (error < 0)
        return error == AVERROR(ENOMEM) ? SM_ERR_NOMEM : SM_ERR_PROTOCOL;
    /* The newest counts, should there be several. */
    enum sm_status status = SM_AGAIN;
    while ((error = avcodec_receive_frame(decoder->context, decoder->frame)) >= 0) {
        status = convert(decoder, out);
        if (status != SM_OK)
            return status;
    }
    return error == AVERROR(EAGAIN) ? status : SM_ERR_PROTOCOL;
}

#define DECODER(name, kind)                                                                        \
    static enum sm_status create_##name(void **out)                                                \
    {                                                                                              \
        return create(out, kind);                                                                  \
    }                                                                                              \
    static const struct sm_video_decoder_ops name##_ops = {                                        \
        .create = create_##name, .destroy = destroy, .decode = decode}

DECODER(vp8, SM_VIDEO_VP8);
DECODER(h264, SM_VIDEO_H264);
DECODER(vp9, SM_VIDEO_VP9);
DECODER(h265, SM_VIDEO_H265);
DECODER(av1, SM_VIDEO_AV1);

const struct sm_video_decoder_ops *sm_avcodec_find_decoder(enum sm_video_kind kind)
{
    static const struct sm_video_decoder_ops *const OPS[] = {
        [SM_VIDEO_VP8] = &vp8_ops,   [SM_VIDEO_H264] = &h264_ops, [SM_VIDEO_VP9] = &vp9_ops,
        [SM_VIDEO_H265] = &h265_ops, [SM_VIDEO_AV1] = &av1_ops,
    };
    bool is_known = (unsigned)kind < sizeof(OPS) / sizeof(OPS[0]) && OPS[kind];
    return is_known && find_codec(kind) ? OPS[kind] : NULL;
}
