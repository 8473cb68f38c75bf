/* SPDX-License-Identifier: MIT */
#include "media/avcodec/card_decoder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/hwcontext.h>

#include "media/video.h"

enum { HELD_FRAMES = 2 /* on the card, by us */ };

struct sm_card_decoder {
    AVCodecContext *context; /* owned */
    AVFrame *next, *newest;  /* owned: on the card */
    AVFrame *copy;           /* owned: as the card gives it, colours in pairs */
    AVFrame *planes;         /* owned: the same with a plane for each colour */
    struct sm_history history;
};

static bool is_for_cards(const AVCodec *codec)
{
    const AVCodecHWConfig *config;
    for (int i = 0; (config = avcodec_get_hw_config(codec, i)); i++)
        if (config->device_type == AV_HWDEVICE_TYPE_VAAPI &&
            config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX)
            return true;
    return false;
}

/*
 * The library asks again without what the card refused. Then it may have a picture of its own,
 * which is not taken: a decoder that is given nothing to choose does not free all it has.
 */
static enum AVPixelFormat choose_format(AVCodecContext *context, const enum AVPixelFormat *formats)
{
    for (const enum AVPixelFormat *at = formats; *at != AV_PIX_FMT_NONE; at++)
        if (*at == AV_PIX_FMT_VAAPI)
            return *at;
    return avcodec_default_get_format(context, formats);
}

static AVCodecContext *open_context(void *card, const AVCodec *codec)
{
    AVCodecContext *context = avcodec_alloc_context3(codec);
    if (!context)
        return NULL;
    context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    context->err_recognition |= AV_EF_EXPLODE; /* else some failures of the card are passed over */
    context->thread_count = 1;
    context->max_pixels = (int64_t)SM_VIDEO_MAX_SIDE * SM_VIDEO_MAX_SIDE;
    context->extra_hw_frames = HELD_FRAMES;
    context->get_format = choose_format;
    context->hw_device_ctx = av_buffer_ref(card);
    if (!context->hw_device_ctx || avcodec_open2(context, codec, NULL) < 0)
        avcodec_free_context(&context);
    return context;
}

struct sm_card_decoder *sm_card_decoder_create(void *card, const AVCodec *codec)
{
    if (!is_for_cards(codec))
        return NULL;
    struct sm_card_decoder *decoder = calloc(1, sizeof(*decoder));
    if (!decoder)
        return NULL;
    decoder->context = open_context(card, codec);
    decoder->next = av_frame_alloc();
    decoder->newest = av_frame_alloc();
    decoder->copy = av_frame_alloc();
    decoder->planes = av_frame_alloc();
    if (!sm_history_init(&decoder->history, codec->id) || !decoder->context || !decoder->next ||
        !decoder->newest || !decoder->copy || !decoder->planes) {
        sm_card_decoder_destroy(decoder);
        return NULL;
    }
    return decoder;
}

void sm_card_decoder_destroy(struct sm_card_decoder *decoder)
{
    if (!decoder)
        return;
    av_frame_free(&decoder->next);
    av_frame_free(&decoder->newest);
    av_frame_free(&decoder->copy);
    av_frame_free(&decoder->planes);
    avcodec_free_context(&decoder->context);
    sm_history_finish(&decoder->history);
    free(decoder);
}

/* The planes' memory for a picture of the size of `copy`. */
static int make_planes(struct sm_card_decoder *decoder)
{
    AVFrame *planes = decoder->planes;
    const AVFrame *copy = decoder->copy;
    if (planes->buf[0] && planes->width == copy->width && planes->height == copy->height)
        return 0;
    av_frame_unref(planes);
    planes->format = AV_PIX_FMT_YUV420P;
    planes->width = copy->width;
    planes->height = copy->height;
    return av_frame_get_buffer(planes, 0);
}

/* With a plane for each colour the scaler is quick, and its pixels those of the other decoder. */
static int split(struct sm_card_decoder *decoder)
{
    int error = make_planes(decoder);
    if (error < 0)
        return error;
    const AVFrame *copy = decoder->copy;
    AVFrame *planes = decoder->planes;
    for (int y = 0; y < copy->height; y++)
        memcpy(planes->data[0] + (ptrdiff_t)y * planes->linesize[0],
               copy->data[0] + (ptrdiff_t)y * copy->linesize[0], (size_t)copy->width);
    int width = (copy->width + 1) / 2, height = (copy->height + 1) / 2;
    for (int y = 0; y < height; y++) {
        const uint8_t *pairs = copy->data[1] + (ptrdiff_t)y * copy->linesize[1];
        uint8_t *blue = planes->data[1] + (ptrdiff_t)y * planes->linesize[1];
        uint8_t *red = planes->data[2] + (ptrdiff_t)y * planes->linesize[2];
        for (int x = 0; x < width; x++) {
            blue[x] = pairs[2 * x];
            red[x] = pairs[2 * x + 1];
        }
    }
    return 0;
}

/* From the card to the processor's memory. */
static int fetch(struct sm_card_decoder *decoder, const AVFrame **out)
{
    const AVFrame *newest = decoder->newest;
    bool is_damaged = newest->flags & AV_FRAME_FLAG_CORRUPT || newest->decode_error_flags;
    if (newest->format != AV_PIX_FMT_VAAPI || is_damaged || newest->crop_left || newest->crop_top)
        return AVERROR_EXTERNAL;
    av_frame_unref(decoder->copy);
    int error = av_hwframe_transfer_data(decoder->copy, newest, 0);
    if (error < 0)
        return error == AVERROR(EAGAIN) ? AVERROR_EXTERNAL : error;
    *out = decoder->copy;
    if (decoder->copy->format != AV_PIX_FMT_NV12)
        return 0;
    *out = decoder->planes;
    return split(decoder);
}

int sm_card_decoder_decode(struct sm_card_decoder *decoder, const AVPacket *packet,
                           const AVFrame **out)
{
    sm_history_add(&decoder->history, packet);
    int error = avcodec_send_packet(decoder->context, packet);
    if (error < 0)
        return error == AVERROR(EAGAIN) ? AVERROR_EXTERNAL : error;
    /* The newest counts, should there be several. */
    bool has_picture = false;
    while ((error = avcodec_receive_frame(decoder->context, decoder->next)) >= 0) {
        av_frame_unref(decoder->newest);
        av_frame_move_ref(decoder->newest, decoder->next);
        has_picture = true;
    }
    if (error != AVERROR(EAGAIN) || !has_picture)
        return error;
    error = fetch(decoder, out);
    av_frame_unref(decoder->newest); /* the card has few */
    return error;
}

const struct sm_history *sm_card_decoder_history(const struct sm_card_decoder *decoder)
{
    return &decoder->history;
}
