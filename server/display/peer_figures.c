/* SPDX-License-Identifier: MIT */
#include "server/display/peer_figures.h"

static enum sm_figure_codec image_codec(uint8_t image_type)
{
    switch (image_type) {
    case SM_IMAGE_TYPE_QUIC:
        return SM_FIGURE_QUIC;
    case SM_IMAGE_TYPE_LZ_PLT:
    case SM_IMAGE_TYPE_LZ_RGB:
        return SM_FIGURE_LZ;
    case SM_IMAGE_TYPE_GLZ_RGB:
        return SM_FIGURE_GLZ;
    case SM_IMAGE_TYPE_ZLIB_GLZ_RGB:
        return SM_FIGURE_ZLIB_GLZ;
    case SM_IMAGE_TYPE_LZ4:
        return SM_FIGURE_LZ4;
    case SM_IMAGE_TYPE_JPEG:
    case SM_IMAGE_TYPE_JPEG_ALPHA:
        return SM_FIGURE_JPEG;
    case SM_IMAGE_TYPE_FROM_CACHE:
    case SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS:
        return SM_FIGURE_CACHE;
    default:
        return SM_FIGURE_RAW;
    }
}

static enum sm_figure_codec stream_codec(uint8_t codec)
{
    switch (codec) {
    case SM_VIDEO_CODEC_VP8:
        return SM_FIGURE_VP8;
    case SM_VIDEO_CODEC_H264:
        return SM_FIGURE_H264;
    case SM_VIDEO_CODEC_VP9:
        return SM_FIGURE_VP9;
    case SM_VIDEO_CODEC_H265:
        return SM_FIGURE_H265;
    default:
        return SM_FIGURE_MJPEG;
    }
}

static void count_frame(struct sm_peer_figures *peer, uint32_t stream_id)
{
    sm_figure_add(&peer->figures->frames, 1);
    sm_figures_codec(peer->figures,
                     stream_codec(peer->streams[stream_id % SM_PEER_FIGURE_STREAMS]));
}

void sm_peer_figures_message(struct sm_peer_figures *peer, const struct sm_display_msg *msg)
{
    if (!peer->figures)
        return;
    switch (msg->type) {
    case SM_MSG_DISPLAY_STREAM_CREATE:
        peer->streams[msg->stream_create.id % SM_PEER_FIGURE_STREAMS] =
            msg->stream_create.codec_type;
        break;
    case SM_MSG_DISPLAY_STREAM_DATA:
        count_frame(peer, msg->stream_data.id);
        break;
    case SM_MSG_DISPLAY_STREAM_DATA_SIZED:
        count_frame(peer, msg->stream_data_sized.id);
        break;
    default:
        break;
    }
}

static void count_encode(struct sm_figures *figures, uint64_t encode_us)
{
    if (encode_us == 0)
        return;
    sm_figure_add(&figures->encodes, 1);
    sm_figure_add(&figures->encode_us, encode_us);
}

void sm_peer_figures_drawing(struct sm_peer_figures *peer, const struct sm_image_task *task,
                             uint64_t age_us, uint64_t encode_us)
{
    if (!peer->figures)
        return;
    for (unsigned i = 0; i < task->count; i++)
        sm_figures_codec(peer->figures, image_codec(task->slots[i].to.type));
    sm_figures_age(peer->figures, age_us);
    count_encode(peer->figures, encode_us);
}

void sm_peer_figures_frame(struct sm_peer_figures *peer, uint64_t age_us, uint64_t encode_us)
{
    if (!peer->figures)
        return;
    sm_figures_age(peer->figures, age_us);
    count_encode(peer->figures, encode_us);
}
