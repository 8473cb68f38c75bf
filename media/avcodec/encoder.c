/* SPDX-License-Identifier: MIT */
/*
 * Encoders of libavcodec, set for a picture that is shown the moment it arrives: no frame looks
 * ahead, none waits, and the rate is kept within a third of a second.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#include "media/avcodec/codecs.h"
#include "media/avcodec/hardware.h"

enum {
    KEY_SECONDS = 10,   /* between key frames nobody asked for */
    BUFFER_DIVISOR = 3, /* of a second: how long a burst may last on the line */
    REOPEN_FRAMES = 60, /* at least between two changes of rate by a new encoder */
    MIN_SIDE = 16,
    EDGE_ROWS = 2,   /* colours come in pairs */
    EDGE_BYTES = 64, /* a block of the scaler */
};

/* What makes an encoder of the library quick. */
struct kind {
    const char *const *names;   /* of encoders, the first that exists is taken */
    const char *on_card;        /* the one that a graphics card runs; NULL: none */
    const char *const *options; /* name, value, …, NULL */
    bool follows_rate;          /* bit_rate may be changed while it runs */
    bool is_alone;              /* its threads wait for each other at full speed: one is quicker */
};

static const char *const H264_NAMES[] = {"libx264", NULL};
static const char *const H264_OPTIONS[] = {
    "preset",      "superfast",   "tune",
    "zerolatency", "forced-idr",  "1",
    "aud",         "1",           "intra-refresh",
    "1",           "x264-params", "repeat-headers=1:rc-lookahead=0",
    NULL};
static const char *const VP8_NAMES[] = {"libvpx", NULL};
static const char *const VP8_OPTIONS[] = {
    "deadline", "realtime",     "cpu-used", "-12", "lag-in-frames", "0", "error-resilient",
    "default",  "auto-alt-ref", "0",        NULL};
static const char *const VP9_NAMES[] = {"libvpx-vp9", NULL};
static const char *const VP9_OPTIONS[] = {"deadline",
                                          "realtime",
                                          "cpu-used",
                                          "8",
                                          "lag-in-frames",
                                          "0",
                                          "row-mt",
                                          "1",
                                          "tile-columns",
                                          "2",
                                          "error-resilient",
                                          "default",
                                          "aq-mode",
                                          "3",
                                          "auto-alt-ref",
                                          "0",
                                          NULL};
static const char *const AV1_NAMES[] = {"libaom-av1", NULL};
static const char *const AV1_OPTIONS[] = {"usage",         "realtime", "cpu-used", "8",
                                          "lag-in-frames", "0",        "row-mt",   "1",
                                          "aq-mode",       "3",        NULL};

static const struct kind KINDS[] = {
    [SM_VIDEO_VP8] = {VP8_NAMES, "vp8_vaapi", VP8_OPTIONS, false, true},
    [SM_VIDEO_H264] = {H264_NAMES, "h264_vaapi", H264_OPTIONS, true, false},
    [SM_VIDEO_VP9] = {VP9_NAMES, "vp9_vaapi", VP9_OPTIONS, false, false},
    [SM_VIDEO_AV1] = {AV1_NAMES, NULL, AV1_OPTIONS, false, false},
};

struct encoder {
    const struct kind *kind;
    struct sm_video_setup setup;
    uint64_t bits_per_second;   /* it was opened with */
    uint64_t frames, opened_at; /* in frames */
    AVCodecContext *context;    /* owned */
    struct sm_hardware hardware;
    bool is_on_card, is_given_up; /* the graphics card encodes; it could not */
    AVFrame *frame;               /* owned: planes of the library's own */
    AVPacket *packet;             /* owned: the last one */
    struct SwsContext *scaler;    /* owned */
    enum AVPixelFormat from;      /* of the scaler */
    uint8_t *edge;                /* owned: room for EDGE_ROWS rows and EDGE_BYTES */
};

static const AVCodec *find_codec(const struct kind *kind)
{
    for (const char *const *name = kind->names; name && *name; name++) {
        const AVCodec *codec = avcodec_find_encoder_by_name(*name);
        if (codec)
            return codec;
    }
    return NULL;
}

static void set_rate(AVCodecContext *context, uint64_t bits_per_second)
{
    context->bit_rate = (int64_t)bits_per_second;
    context->rc_max_rate = (int64_t)bits_per_second;
    context->rc_buffer_size = (int)(bits_per_second / BUFFER_DIVISOR);
}

static AVCodecContext *make_context(const struct encoder *encoder, const AVCodec *codec,
                                    uint64_t bits_per_second)
{
    const struct sm_video_setup *setup = &encoder->setup;
    AVCodecContext *context = avcodec_alloc_context3(codec);
    if (!context)
        return NULL;
    context->width = (int)(setup->width & ~1u); /* colours come in pairs */
    context->height = (int)(setup->height & ~1u);
    context->pix_fmt = AV_PIX_FMT_YUV420P;
    context->time_base = (AVRational){1, (int)setup->fps};
    context->framerate = (AVRational){(int)setup->fps, 1};
    context->gop_size = (int)setup->fps * KEY_SECONDS;
    context->max_b_frames = 0;
    context->thread_count = encoder->kind->is_alone ? 1 : (int)setup->threads;
    context->thread_type = FF_THREAD_SLICE; /* frame threads hold frames back */
    context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    context->color_range = AVCOL_RANGE_MPEG;
    context->colorspace = AVCOL_SPC_SMPTE170M;
    context->qmin = 4;
    context->qmax = 56;
    set_rate(context, bits_per_second);
    return context;
}

/* False if no card encodes such a film, or not without holding frames back. */
static bool open_on_card(struct encoder *encoder, uint64_t bits_per_second)
{
    const char *name = encoder->is_given_up ? NULL : encoder->kind->on_card;
    const AVCodec *codec = name ? avcodec_find_encoder_by_name(name) : NULL;
    AVCodecContext *context = codec ? make_context(encoder, codec, bits_per_second) : NULL;
    if (!context)
        return false;
    if (sm_hardware_attach(&encoder->hardware, context) &&
        av_opt_set(context->priv_data, "async_depth", "1", 0) >= 0 &&
        avcodec_open2(context, codec, NULL) >= 0) {
        encoder->context = context;
        return true;
    }
    avcodec_free_context(&context);
    return false;
}

static enum sm_status open_on_processor(struct encoder *encoder, uint64_t bits_per_second)
{
    const AVCodec *codec = find_codec(encoder->kind);
    if (!codec)
        return SM_ERR_LIMIT;
    encoder->context = make_context(encoder, codec, bits_per_second);
    if (!encoder->context)
        return SM_ERR_NOMEM;
    for (const char *const *option = encoder->kind->options; *option; option += 2)
        if (av_opt_set(encoder->context->priv_data, option[0], option[1], 0) < 0)
            return SM_ERR_LIMIT; /* another library than this was written for */
    return avcodec_open2(encoder->context, codec, NULL) < 0 ? SM_ERR_LIMIT : SM_OK;
}

static enum sm_status open_context(struct encoder *encoder, uint64_t bits_per_second)
{
    avcodec_free_context(&encoder->context);
    encoder->is_on_card = open_on_card(encoder, bits_per_second);
    encoder->is_given_up = !encoder->is_on_card; /* once is enough */
    enum sm_status status =
        encoder->is_on_card ? SM_OK : open_on_processor(encoder, bits_per_second);
    if (status != SM_OK)
        return status;
    encoder->bits_per_second = bits_per_second;
    encoder->opened_at = encoder->frames;
    return SM_OK;
}

static void destroy(void *opaque)
{
    struct encoder *encoder = opaque;
    if (!encoder)
        return;
    avcodec_free_context(&encoder->context);
    sm_hardware_finish(&encoder->hardware);
    av_frame_free(&encoder->frame);
    av_packet_free(&encoder->packet);
    sws_freeContext(encoder->scaler);
    free(encoder->edge);
    free(encoder);
}

static enum AVPixelFormat planes_format(const struct encoder *encoder)
{
    return encoder->is_on_card ? AV_PIX_FMT_NV12 : AV_PIX_FMT_YUV420P;
}

/* The planes that the encoder as it is open now takes. */
static enum sm_status make_planes(struct encoder *encoder)
{
    av_frame_free(&encoder->frame);
    sws_freeContext(encoder->scaler);
    encoder->scaler = NULL;
    encoder->frame = av_frame_alloc();
    if (!encoder->frame)
        return SM_ERR_NOMEM;
    encoder->frame->format = planes_format(encoder);
    encoder->frame->width = encoder->context->width;
    encoder->frame->height = encoder->context->height;
    return av_frame_get_buffer(encoder->frame, 0) < 0 ? SM_ERR_NOMEM : SM_OK;
}

static enum sm_status make_room(struct encoder *encoder)
{
    encoder->packet = av_packet_alloc();
    encoder->edge = malloc((size_t)encoder->setup.width * 4 * EDGE_ROWS + EDGE_BYTES);
    return encoder->packet && encoder->edge ? make_planes(encoder) : SM_ERR_NOMEM;
}

static enum sm_status create(void **out, const struct sm_video_setup *setup,
                             enum sm_video_kind kind)
{
    if (setup->width < MIN_SIDE || setup->width > SM_VIDEO_MAX_SIDE || setup->height < MIN_SIDE ||
        setup->height > SM_VIDEO_MAX_SIDE || setup->fps == 0 || setup->bits_per_second == 0)
        return SM_ERR_LIMIT;
    struct encoder *encoder = calloc(1, sizeof(*encoder));
    if (!encoder)
        return SM_ERR_NOMEM;
    encoder->kind = &KINDS[kind];
    encoder->setup = *setup;
    sm_hardware_init(&encoder->hardware, setup->card);
    enum sm_status status = open_context(encoder, setup->bits_per_second);
    if (status == SM_OK)
        status = make_room(encoder);
    if (status != SM_OK) {
        destroy(encoder);
        return status;
    }
    *out = encoder;
    return SM_OK;
}

/* Turns some rows into planes, from a copy with room behind it if `is_edge`. */
static void scale(struct encoder *encoder, const struct sm_pixels *pixels, uint32_t top,
                  uint32_t rows, bool is_edge)
{
    const uint8_t *planes[4] = {sm_pixels_row(pixels, top)};
    int strides[4] = {(int)pixels->stride_bytes};
    if (is_edge) {
        size_t row_bytes = (size_t)sm_pixel_row_bytes(pixels->format, pixels->width);
        for (uint32_t i = 0; i < rows; i++)
            memcpy(encoder->edge + i * row_bytes, sm_pixels_row(pixels, top + i), row_bytes);
        planes[0] = encoder->edge;
        strides[0] = (int)row_bytes;
    }
    AVFrame *frame = encoder->frame;
    sws_scale(encoder->scaler, planes, strides, (int)top, (int)rows, frame->data, frame->linesize);
}

static enum sm_status convert(struct encoder *encoder, const struct sm_pixels *pixels)
{
    AVFrame *frame = encoder->frame;
    enum AVPixelFormat from = pixels->format == SM_PIXEL_RGB24 ? AV_PIX_FMT_BGR24 : AV_PIX_FMT_BGR0;
    if (encoder->scaler && from != encoder->from) {
        sws_freeContext(encoder->scaler);
        encoder->scaler = NULL;
    }
    encoder->from = from;
    if (!encoder->scaler)
        encoder->scaler =
            sws_getContext(frame->width, frame->height, from, frame->width, frame->height,
                           planes_format(encoder), SWS_POINT, NULL, NULL, NULL);
    if (!encoder->scaler || av_frame_make_writable(frame) < 0)
        return SM_ERR_NOMEM;
    /* The scaler reads rows in blocks, beyond the end of the last one in memory. */
    uint32_t rows = (uint32_t)frame->height;
    bool is_upside_down = pixels->stride_bytes < 0;
    scale(encoder, pixels, 0, EDGE_ROWS, is_upside_down);
    if (rows > 2 * EDGE_ROWS)
        scale(encoder, pixels, EDGE_ROWS, rows - 2 * EDGE_ROWS, false);
    scale(encoder, pixels, rows - EDGE_ROWS, EDGE_ROWS, !is_upside_down);
    return SM_OK;
}

/* Another rate: at once where the encoder can, else with a new one, if it is worth a key frame. */
static enum sm_status follow_rate(struct encoder *encoder, uint64_t bits_per_second)
{
    uint64_t now = encoder->bits_per_second;
    if (bits_per_second == 0 || bits_per_second == now)
        return SM_OK;
    if (encoder->kind->follows_rate && !encoder->is_on_card) {
        set_rate(encoder->context, bits_per_second);
        encoder->bits_per_second = bits_per_second;
        return SM_OK;
    }
    bool is_worth_it = bits_per_second * 4 < now * 3 || bits_per_second * 2 > now * 3;
    if (!is_worth_it || encoder->frames - encoder->opened_at < REOPEN_FRAMES)
        return SM_OK;
    bool was_on_card = encoder->is_on_card;
    enum sm_status status = open_context(encoder, bits_per_second);
    return status == SM_OK && was_on_card != encoder->is_on_card ? make_planes(encoder) : status;
}

/* Encodes the planes. */
static enum sm_status run(struct encoder *encoder, const struct sm_pixels *pixels, bool is_key)
{
    enum sm_status status = convert(encoder, pixels);
    if (status != SM_OK)
        return status;
    encoder->frame->pts = (int64_t)encoder->frames;
    encoder->frame->pict_type = is_key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    av_packet_unref(encoder->packet);
    const AVFrame *frame = encoder->frame;
    if (encoder->is_on_card)
        frame = sm_hardware_upload(&encoder->hardware, encoder->context, frame);
    if (!frame || avcodec_send_frame(encoder->context, frame) < 0)
        return SM_ERR_STATE;
    int error = avcodec_receive_packet(encoder->context, encoder->packet);
    if (error == AVERROR(EAGAIN))
        return SM_AGAIN;
    return error < 0 ? SM_ERR_STATE : SM_OK;
}

/* The card does not what it promised: the processor goes on, with a key frame. */
static enum sm_status give_up_card(struct encoder *encoder, const struct sm_pixels *pixels)
{
    encoder->is_given_up = true;
    enum sm_status status = open_context(encoder, encoder->bits_per_second);
    if (status == SM_OK)
        status = make_planes(encoder);
    return status == SM_OK ? run(encoder, pixels, true) : status;
}

static enum sm_status encode(void *opaque, const struct sm_pixels *pixels,
                             const struct sm_video_order *order, struct sm_bytes *out)
{
    struct encoder *encoder = opaque;
    if (pixels->width != encoder->setup.width || pixels->height != encoder->setup.height)
        return SM_ERR_STATE;
    if (!encoder->context || !encoder->frame)
        return SM_ERR_STATE; /* it failed to begin anew */
    enum sm_status status = follow_rate(encoder, order->bits_per_second);
    if (status == SM_OK)
        status = run(encoder, pixels, order->is_key);
    if (status == SM_ERR_STATE && encoder->is_on_card)
        status = give_up_card(encoder, pixels);
    encoder->frames++;
    if (status != SM_OK)
        return status;
    *out = (struct sm_bytes){.data = encoder->packet->data, .size = (size_t)encoder->packet->size};
    return SM_OK;
}

static const char *encoder_name(const void *opaque)
{
    const struct encoder *encoder = opaque;
    return encoder->context ? encoder->context->codec->name : "none";
}

/* The tables' functions know their codec by name: the interface passes no context to create(). */
#define ENCODER(codec, kind)                                                                       \
    static enum sm_status create_##codec(void **out, const struct sm_video_setup *setup)           \
    {                                                                                              \
        return create(out, setup, kind);                                                           \
    }                                                                                              \
    static const struct sm_video_encoder_ops codec##_ops = {                                       \
        .create = create_##codec, .destroy = destroy, .encode = encode, .name = encoder_name}

ENCODER(vp8, SM_VIDEO_VP8);
ENCODER(h264, SM_VIDEO_H264);
ENCODER(vp9, SM_VIDEO_VP9);
ENCODER(av1, SM_VIDEO_AV1);

const struct sm_video_encoder_ops *sm_avcodec_find_encoder(enum sm_video_kind kind)
{
    if (kind >= sizeof(KINDS) / sizeof(KINDS[0]) || !find_codec(&KINDS[kind]))
        return NULL;
    switch (kind) {
    case SM_VIDEO_VP8:
        return &vp8_ops;
    case SM_VIDEO_H264:
        return &h264_ops;
    case SM_VIDEO_VP9:
        return &vp9_ops;
    case SM_VIDEO_AV1:
        return &av1_ops;
    default:
        return NULL;
    }
}
