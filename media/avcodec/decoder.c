/* SPDX-License-Identifier: MIT */
/*
 * Decoders of libavcodec: one message in, at most one picture out, none held back. A graphics card
 * decodes if it can. At the first message that it fails at, the processor decodes all that came
 * since the last key frame and goes on from there, so that no picture is lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

#include "core/base/math.h"
#include "media/avcodec/card_decoder.h"
#include "media/avcodec/codecs.h"

enum { BLOCK_BYTES = 64 };

struct decoder {
    const AVCodec *codec;
    struct sm_card_decoder *card; /* owned; NULL: the processor decodes */
    AVCodecContext *context;      /* owned; NULL: not needed yet */
    AVFrame *frame;               /* owned */
    AVPacket *packet;             /* owned: the message, padded as the library wants it */
    struct SwsContext *scaler;    /* owned */
    uint8_t *pixels;              /* owned: the last picture */
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
    sm_card_decoder_destroy(decoder->card);
    avcodec_free_context(&decoder->context);
    av_frame_free(&decoder->frame);
    av_packet_free(&decoder->packet);
    sws_freeContext(decoder->scaler);
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

/* The processor's. */
static enum sm_status open_context(struct decoder *decoder)
{
    decoder->context = avcodec_alloc_context3(decoder->codec);
    if (!decoder->context)
        return SM_ERR_NOMEM;
    decoder->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    decoder->context->thread_type = FF_THREAD_SLICE;
    decoder->context->max_pixels = (int64_t)SM_VIDEO_MAX_SIDE * SM_VIDEO_MAX_SIDE;
    if (avcodec_open2(decoder->context, decoder->codec, NULL) >= 0)
        return SM_OK;
    avcodec_free_context(&decoder->context);
    return SM_ERR_NOMEM;
}

static enum sm_status create(void **out, enum sm_video_kind kind, void *card)
{
    struct decoder *decoder = calloc(1, sizeof(*decoder));
    if (!decoder)
        return SM_ERR_NOMEM;
    decoder->codec = find_codec(kind);
    decoder->frame = av_frame_alloc();
    decoder->packet = av_packet_alloc();
    decoder->card = card ? sm_card_decoder_create(card, decoder->codec) : NULL;
    enum sm_status status = decoder->card ? SM_OK : open_context(decoder);
    if (!decoder->frame || !decoder->packet || status != SM_OK) {
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

static enum sm_status convert(struct decoder *decoder, const AVFrame *frame, struct sm_pixels *out)
{
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

static enum sm_status decode_on_processor(struct decoder *decoder, const AVPacket *packet,
                                          struct sm_pixels *out)
{
    int error = avcodec_send_packet(decoder->context, packet);
    if (error < 0)
        return error == AVERROR(ENOMEM) ? SM_ERR_NOMEM : SM_ERR_PROTOCOL;
    /* The newest counts, should there be several. */
    enum sm_status status = SM_AGAIN;
    while ((error = avcodec_receive_frame(decoder->context, decoder->frame)) >= 0) {
        status = convert(decoder, decoder->frame, out);
        if (status != SM_OK)
            return status;
    }
    return error == AVERROR(EAGAIN) ? status : SM_ERR_PROTOCOL;
}

/* Decodes for what comes next alone. What is damaged here was so for the card. */
static void catch_up(struct decoder *decoder, const AVPacket *packet)
{
    if (avcodec_send_packet(decoder->context, packet) < 0)
        return;
    while (avcodec_receive_frame(decoder->context, decoder->frame) >= 0)
        av_frame_unref(decoder->frame);
}

/* The card has failed at the newest message. */
static enum sm_status take_over(struct decoder *decoder, struct sm_pixels *out)
{
    struct sm_card_decoder *card = decoder->card;
    decoder->card = NULL;
    const struct sm_history *history = sm_card_decoder_history(card);
    enum sm_status status = history->is_cut ? SM_ERR_LIMIT : open_context(decoder);
    if (status == SM_OK) {
        for (size_t i = 0; i + 1 < history->count; i++)
            catch_up(decoder, history->packets[i]);
        status = decode_on_processor(decoder, history->packets[history->count - 1], out);
    }
    sm_card_decoder_destroy(card);
    return status;
}

static enum sm_status decode_on_card(struct decoder *decoder, struct sm_pixels *out)
{
    const AVFrame *planes;
    int error = sm_card_decoder_decode(decoder->card, decoder->packet, &planes);
    if (error == AVERROR(EAGAIN))
        return SM_AGAIN;
    return error < 0 ? take_over(decoder, out) : convert(decoder, planes, out);
}

static enum sm_status decode(void *opaque, struct sm_bytes data, struct sm_pixels *out)
{
    struct decoder *decoder = opaque;
    if (data.size == 0 || data.size > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE)
        return SM_ERR_PROTOCOL;
    if (!decoder->card && !decoder->context)
        return SM_ERR_LIMIT; /* it could not take over from the card */
    av_packet_unref(decoder->packet);
    if (av_new_packet(decoder->packet, (int)data.size) < 0)
        return SM_ERR_NOMEM;
    memcpy(decoder->packet->data, data.data, data.size);
    return decoder->card ? decode_on_card(decoder, out)
                         : decode_on_processor(decoder, decoder->packet, out);
}

static bool is_on_card(const void *opaque)
{
    const struct decoder *decoder = opaque;
    return decoder->card != NULL;
}

#define DECODER(name, kind)                                                                        \
    static enum sm_status create_##name(void **out, void *card)                                    \
    {                                                                                              \
        return create(out, kind, card);                                                            \
    }                                                                                              \
    static const struct sm_video_decoder_ops name##_ops = {                                        \
        .create = create_##name, .destroy = destroy, .decode = decode, .is_on_card = is_on_card}

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
