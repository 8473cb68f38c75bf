/* SPDX-License-Identifier: MIT */
/*
 * Films by libavformat and libavcodec. Frames carry the time at which they were seen: a screen that
 * stands still costs nothing, and what moves has its true rhythm.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#include "media/avformat/soundtrack.h"
#include "media/movie.h"

enum {
    MIN_SIDE = 16,
    MAX_SIDE = 16384,
    KEY_SECONDS = 5,
};

struct movie {
    struct sm_movie_setup setup;
    AVFormatContext *file;            /* owned */
    AVStream *stream;                 /* of `file` */
    AVCodecContext *encoder;          /* owned */
    AVFrame *frame;                   /* owned: the picture as planes */
    AVPacket *packet;                 /* owned */
    struct SwsContext *scaler;        /* owned: for pictures of another size; or NULL */
    uint32_t from_width, from_height; /* of such a picture; 0: the last was none */
    struct sm_soundtrack *track;      /* owned; NULL without sound */
    int64_t last_pts;
    bool is_begun; /* the header is written */
    char reason[AV_ERROR_MAX_STRING_SIZE];
};

static const char *explain(struct movie *movie, int error)
{
    return av_strerror(error, movie->reason, sizeof(movie->reason)) == 0 ? movie->reason
                                                                         : "an unknown failure";
}

/* ---- Pixels ---- */

static uint8_t luma(const uint8_t *p)
{
    return (uint8_t)(((47 * p[2] + 157 * p[1] + 16 * p[0] + 128) >> 8) + 16);
}

/* Two rows of pixels, to rows `top` and the next, from `left` on, `width` pixels, an even number:
 * BT.709, limited range. */
static void convert_rows(AVFrame *frame, const uint8_t *upper, size_t stride_bytes, int left,
                         int top, int width)
{
    const uint8_t *lower = upper + stride_bytes;
    uint8_t *y0 = frame->data[0] + (ptrdiff_t)top * frame->linesize[0] + left;
    uint8_t *y1 = y0 + frame->linesize[0];
    uint8_t *u = frame->data[1] + (ptrdiff_t)(top / 2) * frame->linesize[1] + left / 2;
    uint8_t *v = frame->data[2] + (ptrdiff_t)(top / 2) * frame->linesize[2] + left / 2;
    for (int x = 0; x < width; x += 2, upper += 8, lower += 8) {
        int b = upper[0] + upper[4] + lower[0] + lower[4];
        int g = upper[1] + upper[5] + lower[1] + lower[5];
        int r = upper[2] + upper[6] + lower[2] + lower[6];
        y0[x] = luma(upper);
        y0[x + 1] = luma(upper + 4);
        y1[x] = luma(lower);
        y1[x + 1] = luma(lower + 4);
        u[x / 2] = (uint8_t)(((-26 * r - 86 * g + 112 * b + 512) >> 10) + 128);
        v[x / 2] = (uint8_t)(((112 * r - 102 * g - 10 * b + 512) >> 10) + 128);
    }
}

static void convert(AVFrame *frame, const uint8_t *pixels, size_t stride_bytes, struct sm_rect area)
{
    int right = area.right < frame->width ? area.right : frame->width;
    int bottom = area.bottom < frame->height ? area.bottom : frame->height;
    for (int y = area.top; y < bottom && area.left < right; y += 2, pixels += 2 * stride_bytes)
        convert_rows(frame, pixels, stride_bytes, area.left, y, right - area.left);
}

static void blacken(AVFrame *frame)
{
    for (int y = 0; y < frame->height; y++)
        memset(frame->data[0] + (ptrdiff_t)y * frame->linesize[0], 16, (size_t)frame->width);
    for (int plane = 1; plane < 3; plane++)
        for (int y = 0; y < frame->height / 2; y++)
            memset(frame->data[plane] + (ptrdiff_t)y * frame->linesize[plane], 128,
                   (size_t)frame->width / 2);
}

/* A strip of a picture of another size: as large as it fits, in the middle, black around it. */
static const char *fit(struct movie *movie, const uint8_t *pixels, size_t stride_bytes,
                       uint32_t width, uint32_t height, struct sm_rect strip)
{
    AVFrame *frame = movie->frame;
    uint64_t to_width = (uint64_t)frame->width, to_height = (uint64_t)frame->height;
    if (to_width * height > to_height * width)
        to_width = to_height * width / height;
    else
        to_height = to_width * height / width;
    to_width = to_width < 2 ? 2 : to_width & ~UINT64_C(1);
    to_height = to_height < 2 ? 2 : to_height & ~UINT64_C(1);
    if (width != movie->from_width || height != movie->from_height) {
        blacken(frame);
        movie->from_width = width;
        movie->from_height = height;
    }
    movie->scaler =
        sws_getCachedContext(movie->scaler, (int)width, (int)height, AV_PIX_FMT_BGR0, (int)to_width,
                             (int)to_height, AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
    if (!movie->scaler)
        return "out of memory";
    int left = (frame->width - (int)to_width) / 2 & ~1;
    int top = (frame->height - (int)to_height) / 2 & ~1;
    const uint8_t *from[4] = {pixels};
    int strides[4] = {(int)stride_bytes};
    uint8_t *to[4] = {frame->data[0] + (ptrdiff_t)top * frame->linesize[0] + left,
                      frame->data[1] + (ptrdiff_t)(top / 2) * frame->linesize[1] + left / 2,
                      frame->data[2] + (ptrdiff_t)(top / 2) * frame->linesize[2] + left / 2};
    (void)sws_scale(movie->scaler, from, strides, strip.top, strip.bottom - strip.top, to,
                    frame->linesize);
    return NULL;
}

static const char *draw(void *opaque, const uint8_t *pixels, size_t stride_bytes, uint32_t width,
                        uint32_t height, struct sm_rect area)
{
    struct movie *movie = opaque;
    if (av_frame_make_writable(movie->frame) < 0)
        return "out of memory";
    if (width != movie->setup.width || height != movie->setup.height)
        return fit(movie, pixels, stride_bytes, width, height, area);
    movie->from_width = movie->from_height = 0;
    convert(movie->frame, pixels, stride_bytes, area);
    return NULL;
}

/* ---- Making ---- */

static const AVCodec *find_codec(enum sm_movie_codec wanted, const char *name)
{
    static const char *const names[] = {
        [SM_MOVIE_CODEC_H264] = "libx264",
        [SM_MOVIE_CODEC_VP8] = "libvpx",
        [SM_MOVIE_CODEC_VP9] = "libvpx-vp9",
    };
    const char *dot = strrchr(name, '.');
    bool is_webm = dot && strcmp(dot, ".webm") == 0;
    if (wanted != SM_MOVIE_CODEC_AUTO)
        return avcodec_find_encoder_by_name(names[wanted]);
    const AVCodec *codec =
        is_webm ? NULL : avcodec_find_encoder_by_name(names[SM_MOVIE_CODEC_H264]);
    return codec ? codec : avcodec_find_encoder_by_name(names[SM_MOVIE_CODEC_VP9]);
}

/* For a screen: text stays sharp, nothing looks ahead, and little memory is taken. */
static void set_options(AVCodecContext *encoder)
{
    if (encoder->codec_id == AV_CODEC_ID_H264) {
        (void)av_opt_set(encoder->priv_data, "preset", "veryfast", 0);
        (void)av_opt_set(encoder->priv_data, "tune", "zerolatency", 0);
        (void)av_opt_set(encoder->priv_data, "crf", "20", 0);
        (void)av_opt_set(encoder->priv_data, "x264-params",
                         "ref=1:rc-lookahead=0:threads=1:subme=0:weightp=0:scenecut=0:mbtree=0", 0);
        return;
    }
    (void)av_opt_set(encoder->priv_data, "deadline", "realtime", 0);
    (void)av_opt_set(encoder->priv_data, "cpu-used", "7", 0);
    (void)av_opt_set(encoder->priv_data, "lag-in-frames", "0", 0);
    (void)av_opt_set(encoder->priv_data, "auto-alt-ref", "0", 0);
    (void)av_opt_set(encoder->priv_data, "crf", "24", 0);
    if (encoder->codec_id == AV_CODEC_ID_VP8)
        encoder->bit_rate = 20000000; /* the ceiling of a constant quality */
}

static const char *open_encoder(struct movie *movie)
{
    const AVCodec *codec = find_codec(movie->setup.codec, movie->setup.name);
    if (!codec)
        return "the installed libavcodec has no such encoder";
    if (avformat_query_codec(movie->file->oformat, codec->id, FF_COMPLIANCE_NORMAL) != 1)
        return "this kind of file cannot hold that codec";
    AVCodecContext *encoder = movie->encoder = avcodec_alloc_context3(codec);
    if (!encoder)
        return "out of memory";
    encoder->width = (int)(movie->setup.width & ~1u); /* colours come in pairs */
    encoder->height = (int)(movie->setup.height & ~1u);
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = (AVRational){1, 1000};
    encoder->framerate = (AVRational){(int)movie->setup.fps, 1};
    encoder->gop_size = (int)movie->setup.fps * KEY_SECONDS;
    encoder->max_b_frames = 0;
    encoder->thread_count = 1;
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->colorspace = AVCOL_SPC_BT709;
    encoder->color_primaries = AVCOL_PRI_BT709;
    encoder->color_trc = AVCOL_TRC_BT709;
    if (movie->file->oformat->flags & AVFMT_GLOBALHEADER)
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    set_options(encoder);
    int error = avcodec_open2(encoder, codec, NULL);
    return error < 0 ? explain(movie, error) : NULL;
}

static const char *make_stream(struct movie *movie)
{
    movie->stream = avformat_new_stream(movie->file, NULL);
    movie->frame = av_frame_alloc();
    movie->packet = av_packet_alloc();
    if (!movie->stream || !movie->frame || !movie->packet ||
        avcodec_parameters_from_context(movie->stream->codecpar, movie->encoder) < 0)
        return "out of memory";
    movie->stream->time_base = movie->encoder->time_base;
    movie->frame->format = AV_PIX_FMT_YUV420P;
    movie->frame->width = movie->encoder->width;
    movie->frame->height = movie->encoder->height;
    if (av_frame_get_buffer(movie->frame, 0) < 0)
        return "out of memory";
    blacken(movie->frame);
    return NULL;
}

static const char *open_file(struct movie *movie)
{
    const AVOutputFormat *format = av_guess_format(NULL, movie->setup.name, NULL);
    if (!format || format->video_codec == AV_CODEC_ID_NONE || format->flags & AVFMT_NOFILE)
        return "no kind of film has a file of that ending: use .mkv, .mp4 or .webm";
    int error = avformat_alloc_output_context2(&movie->file, format, NULL, movie->setup.path);
    if (error < 0)
        return explain(movie, error);
    const char *reason = open_encoder(movie);
    if (!reason)
        reason = make_stream(movie);
    if (!reason && movie->setup.has_sound)
        reason = sm_soundtrack_create(&movie->track, movie->file);
    if (reason)
        return reason;
    error = avio_open(&movie->file->pb, movie->setup.path, AVIO_FLAG_WRITE);
    if (error >= 0)
        error = avformat_write_header(movie->file, NULL);
    movie->is_begun = error >= 0;
    return error < 0 ? explain(movie, error) : NULL;
}

static void destroy(void *opaque)
{
    struct movie *movie = opaque;
    if (!movie)
        return;
    sm_soundtrack_destroy(movie->track);
    avcodec_free_context(&movie->encoder);
    av_frame_free(&movie->frame);
    av_packet_free(&movie->packet);
    sws_freeContext(movie->scaler);
    if (movie->file)
        (void)avio_closep(&movie->file->pb);
    avformat_free_context(movie->file);
    free(movie);
}

static const char *create(void **out, const struct sm_movie_setup *setup)
{
    /* A reason that outlives the movie it is about. */
    static _Thread_local char reason[2 * AV_ERROR_MAX_STRING_SIZE];
    if (setup->width < MIN_SIDE || setup->width > MAX_SIDE || setup->height < MIN_SIDE ||
        setup->height > MAX_SIDE || setup->fps == 0)
        return "the picture is too small or too large for a film";
    av_log_set_level(AV_LOG_QUIET); /* a module of a program that speaks for itself */
    struct movie *movie = calloc(1, sizeof(*movie));
    if (!movie)
        return "out of memory";
    movie->setup = *setup;
    movie->last_pts = -1;
    const char *failure = open_file(movie);
    movie->setup.path = movie->setup.name = NULL; /* the caller's */
    if (failure) {
        (void)snprintf(reason, sizeof(reason), "%s", failure);
        destroy(movie);
        return reason;
    }
    *out = movie;
    return NULL;
}

/* ---- Going on ---- */

/* Writes what the encoder has ready; a NULL frame means that no more will come. */
static const char *encode(struct movie *movie, AVFrame *frame)
{
    int error = avcodec_send_frame(movie->encoder, frame);
    while (error >= 0) {
        error = avcodec_receive_packet(movie->encoder, movie->packet);
        if (error == AVERROR(EAGAIN) || error == AVERROR_EOF)
            return NULL;
        if (error < 0)
            break;
        av_packet_rescale_ts(movie->packet, movie->encoder->time_base, movie->stream->time_base);
        movie->packet->stream_index = movie->stream->index;
        error = av_interleaved_write_frame(movie->file, movie->packet);
    }
    return error < 0 ? explain(movie, error) : NULL;
}

static const char *show(void *opaque, uint64_t at_us)
{
    struct movie *movie = opaque;
    int64_t pts = (int64_t)(at_us / 1000);
    movie->frame->pts = pts > movie->last_pts ? pts : movie->last_pts + 1;
    movie->last_pts = movie->frame->pts;
    int error = movie->track ? sm_soundtrack_silence(movie->track, at_us) : 0;
    return error < 0 ? explain(movie, error) : encode(movie, movie->frame);
}

static const char *sound(void *opaque, const int16_t *samples, size_t count, uint64_t at_us)
{
    struct movie *movie = opaque;
    int error = movie->track ? sm_soundtrack_put(movie->track, samples, count, at_us) : 0;
    return error < 0 ? explain(movie, error) : NULL;
}

static const char *finish(void *opaque, uint64_t at_us)
{
    struct movie *movie = opaque;
    const char *reason = show(movie, at_us); /* the last picture lasts until the end */
    if (!reason)
        reason = encode(movie, NULL);
    int error = !reason && movie->track ? sm_soundtrack_finish(movie->track, at_us) : 0;
    if (!reason && error >= 0)
        error = av_write_trailer(movie->file);
    if (!reason && error >= 0)
        error = avio_closep(&movie->file->pb);
    return reason || error >= 0 ? reason : explain(movie, error);
}

static const char *codec_name(const void *opaque)
{
    const struct movie *movie = opaque;
    return avcodec_get_name(movie->encoder->codec_id);
}

extern const struct sm_movie_module sm_movie_module;
__attribute__((visibility("default"))) const struct sm_movie_module sm_movie_module = {
    .version = SM_MOVIE_MODULE_VERSION,
    .create = create,
    .draw = draw,
    .show = show,
    .sound = sound,
    .finish = finish,
    .codec = codec_name,
    .destroy = destroy,
};
