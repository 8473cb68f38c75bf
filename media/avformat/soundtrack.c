/* SPDX-License-Identifier: MIT */
#include "media/avformat/soundtrack.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "media/movie.h"

enum {
    CHANNELS = 2,
    BITS_PER_SECOND = 128000,
    LATE_FRAMES = SM_MOVIE_SOUND_RATE / 2,  /* sound may be behind the pictures by so much */
    GAP_FRAMES = SM_MOVIE_SOUND_RATE / 20,  /* a smaller gap is the line's jitter */
    FRAMES_MAX = SM_MOVIE_SOUND_RATE * 600, /* of silence at a time */
};

struct sm_soundtrack {
    AVFormatContext *file;   /* borrowed */
    AVStream *stream;        /* of `file` */
    AVCodecContext *encoder; /* owned */
    AVFrame *frame;          /* owned: what is being filled */
    AVPacket *packet;        /* owned */
    int filled;              /* frames of sound in `frame` */
    uint64_t position;       /* frames of sound so far */
};

static uint64_t position_at(uint64_t at_us)
{
    return at_us / 1000 * (SM_MOVIE_SOUND_RATE / 1000);
}

static const char *open_encoder(struct sm_soundtrack *track)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libopus");
    if (!codec)
        return "the installed libavcodec cannot write Opus";
    AVCodecContext *encoder = track->encoder = avcodec_alloc_context3(codec);
    if (!encoder)
        return "out of memory";
    encoder->sample_rate = SM_MOVIE_SOUND_RATE;
    encoder->sample_fmt = AV_SAMPLE_FMT_S16;
    encoder->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_STEREO;
    encoder->bit_rate = BITS_PER_SECOND;
    encoder->time_base = (AVRational){1, SM_MOVIE_SOUND_RATE};
    if (track->file->oformat->flags & AVFMT_GLOBALHEADER)
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return avcodec_open2(encoder, codec, NULL) < 0 ? "Opus cannot be set up" : NULL;
}

static const char *make_stream(struct sm_soundtrack *track)
{
    track->stream = avformat_new_stream(track->file, NULL);
    track->frame = av_frame_alloc();
    track->packet = av_packet_alloc();
    if (!track->stream || !track->frame || !track->packet ||
        avcodec_parameters_from_context(track->stream->codecpar, track->encoder) < 0)
        return "out of memory";
    track->stream->time_base = track->encoder->time_base;
    track->frame->format = AV_SAMPLE_FMT_S16;
    track->frame->nb_samples = track->encoder->frame_size;
    track->frame->ch_layout = track->encoder->ch_layout;
    return av_frame_get_buffer(track->frame, 0) < 0 ? "out of memory" : NULL;
}

const char *sm_soundtrack_create(struct sm_soundtrack **out, AVFormatContext *file)
{
    struct sm_soundtrack *track = calloc(1, sizeof(*track));
    if (!track)
        return "out of memory";
    track->file = file;
    const char *reason = open_encoder(track);
    if (!reason)
        reason = make_stream(track);
    if (reason) {
        sm_soundtrack_destroy(track);
        return reason;
    }
    *out = track;
    return NULL;
}

static int encode(struct sm_soundtrack *track, AVFrame *frame)
{
    int error = avcodec_send_frame(track->encoder, frame);
    while (error >= 0) {
        error = avcodec_receive_packet(track->encoder, track->packet);
        if (error == AVERROR(EAGAIN) || error == AVERROR_EOF)
            return 0;
        if (error < 0)
            break;
        av_packet_rescale_ts(track->packet, track->encoder->time_base, track->stream->time_base);
        track->packet->stream_index = track->stream->index;
        error = av_interleaved_write_frame(track->file, track->packet);
    }
    return error;
}

/* Appends `count` frames; NULL samples are silence. */
static int append(struct sm_soundtrack *track, const int16_t *samples, uint64_t count)
{
    AVFrame *frame = track->frame;
    while (count > 0) {
        if (track->filled == 0 && av_frame_make_writable(frame) < 0)
            return AVERROR(ENOMEM);
        int16_t *to = (int16_t *)(void *)frame->data[0] + track->filled * CHANNELS;
        uint64_t room = (uint64_t)(frame->nb_samples - track->filled);
        uint64_t taken = count < room ? count : room;
        size_t bytes = (size_t)taken * CHANNELS * sizeof(*to);
        if (samples)
            memcpy(to, samples, bytes);
        else
            memset(to, 0, bytes);
        samples = samples ? samples + taken * CHANNELS : NULL;
        count -= taken;
        track->filled += (int)taken;
        track->position += taken;
        if (track->filled < frame->nb_samples)
            continue;
        frame->pts = (int64_t)track->position - frame->nb_samples;
        track->filled = 0;
        int error = encode(track, frame);
        if (error < 0)
            return error;
    }
    return 0;
}

int sm_soundtrack_put(struct sm_soundtrack *track, const int16_t *samples, size_t count,
                      uint64_t at_us)
{
    uint64_t from = position_at(at_us);
    int error = 0;
    if (from > track->position + GAP_FRAMES && from - track->position < FRAMES_MAX)
        error = append(track, NULL, from - track->position);
    return error < 0 ? error : append(track, samples, count);
}

int sm_soundtrack_silence(struct sm_soundtrack *track, uint64_t at_us)
{
    uint64_t until = position_at(at_us);
    if (until <= track->position + LATE_FRAMES)
        return 0;
    return append(track, NULL, until - LATE_FRAMES - track->position);
}

int sm_soundtrack_finish(struct sm_soundtrack *track, uint64_t at_us)
{
    uint64_t until = position_at(at_us);
    int error = until > track->position ? append(track, NULL, until - track->position) : 0;
    if (error >= 0 && track->filled > 0)
        error = append(track, NULL, (uint64_t)(track->frame->nb_samples - track->filled));
    return error < 0 ? error : encode(track, NULL);
}

void sm_soundtrack_destroy(struct sm_soundtrack *track)
{
    if (!track)
        return;
    avcodec_free_context(&track->encoder);
    av_frame_free(&track->frame);
    av_packet_free(&track->packet);
    free(track);
}
