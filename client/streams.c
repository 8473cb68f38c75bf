/* SPDX-License-Identifier: MIT */
#include "client/streams.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "media/libs.h"
#include "media/video_loader.h"

enum {
    FRAME_MAX_PX = 1 << 26, /* 8192 × 8192 */
    BYTES_A_PIXEL = 4,
    MAX_FAILURES = 50, /* then no key frame will come any more */
};

bool sm_streams_is_theirs(uint16_t type)
{
    switch (type) {
    case SM_MSG_DISPLAY_STREAM_CREATE:
    case SM_MSG_DISPLAY_STREAM_DATA:
    case SM_MSG_DISPLAY_STREAM_DATA_SIZED:
    case SM_MSG_DISPLAY_STREAM_CLIP:
    case SM_MSG_DISPLAY_STREAM_DESTROY:
    case SM_MSG_DISPLAY_STREAM_DESTROY_ALL:
        return true;
    default:
        return false;
    }
}

static void end_stream(struct sm_stream *stream)
{
    if (stream->ops)
        stream->ops->destroy(stream->decoder);
    free((void *)(uintptr_t)stream->clip.rects);
    *stream = (struct sm_stream){.is_live = false};
}

static struct sm_stream *find(struct sm_streams *streams, uint32_t id)
{
    return id < SM_STREAMS_MAX && streams->streams[id].is_live ? &streams->streams[id] : NULL;
}

static enum sm_status set_clip(struct sm_stream *stream, const struct sm_clip *clip)
{
    struct sm_rect *rects = NULL;
    if (clip->type == SM_CLIP_TYPE_RECTS) {
        rects = sm_memdup(clip->rects, sizeof(*rects) * clip->num_rects);
        if (!rects)
            return SM_ERR_NOMEM;
    }
    free((void *)(uintptr_t)stream->clip.rects);
    stream->clip = *clip;
    stream->clip.rects = rects;
    stream->has_clip = rects != NULL;
    return SM_OK;
}

static enum sm_status create(struct sm_streams *streams,
                             const struct sm_msg_display_stream_create *msg, uint32_t *refused)
{
    if (msg->id >= SM_STREAMS_MAX || streams->streams[msg->id].is_live)
        return SM_ERR_PROTOCOL;
    const struct sm_video_decoder_ops *ops = NULL;
    void *decoder = NULL;
    if (msg->codec_type != SM_VIDEO_CODEC_MJPEG) {
        if (!streams->module)
            streams->module = sm_video_module_load();
        if (streams->module)
            ops = streams->module->find_decoder((enum sm_video_kind)msg->codec_type);
        if (!ops || ops->create(&decoder, streams->card) != SM_OK) {
            *refused = msg->id;
            return SM_ERR_STATE;
        }
    }
    struct sm_stream *stream = &streams->streams[msg->id];
    *stream = (struct sm_stream){
        .is_live = true,
        .ops = ops,
        .decoder = decoder,
        .is_top_down = msg->flags & SM_STREAM_FLAG_TOP_DOWN,
        .surface_id = msg->surface_id,
        .dest = msg->dest,
    };
    enum sm_status status = set_clip(stream, &msg->clip);
    if (status != SM_OK)
        end_stream(stream);
    return status;
}

static enum sm_status make_room(struct sm_streams *streams, size_t size)
{
    if (streams->frame_size >= size)
        return SM_OK;
    uint8_t *frame = realloc(streams->frame, size);
    if (!frame)
        return SM_ERR_NOMEM;
    streams->frame = frame;
    streams->frame_size = size;
    return SM_OK;
}

static enum sm_status decode_jpeg(struct sm_streams *streams, struct sm_bytes data,
                                  bool is_top_down, struct sm_pixels *out)
{
    struct sm_decoder_config config = {.libs = &sm_media_codec_libs, .max_pixels = FRAME_MAX_PX};
    enum sm_status status = SM_OK;
    if (!streams->decoder)
        status = sm_decoder_create(&streams->decoder, &config);
    uint32_t width, height;
    if (status == SM_OK)
        status = sm_mjpeg_size(streams->decoder, data, &width, &height);
    if (status != SM_OK)
        return status;
    size_t stride_bytes = (size_t)width * BYTES_A_PIXEL;
    status = make_room(streams, stride_bytes * height);
    if (status != SM_OK)
        return status;
    struct sm_pixels pixels = {
        .data = streams->frame,
        .stride_bytes = (ptrdiff_t)stride_bytes,
        .width = width,
        .height = height,
        .format = SM_PIXEL_XRGB32,
    };
    *out = pixels;
    if (!is_top_down) {
        pixels.data += stride_bytes * (height - 1);
        pixels.stride_bytes = -pixels.stride_bytes;
    }
    return sm_mjpeg_decode(streams->decoder, data, &pixels);
}

/* A frame of a codec whose frames hang together: damage lasts until the next key frame. */
static enum sm_status decode_next(struct sm_stream *stream, struct sm_bytes data,
                                  struct sm_pixels *out)
{
    enum sm_status status = stream->ops->decode(stream->decoder, data, out);
    if (status == SM_ERR_PROTOCOL && ++stream->failures < MAX_FAILURES)
        return SM_AGAIN;
    if (status != SM_OK)
        return status;
    stream->failures = 0;
    if (!stream->is_top_down) {
        out->data = sm_pixels_row(out, out->height - 1);
        out->stride_bytes = -out->stride_bytes;
    }
    return SM_OK;
}

static enum sm_status show(struct sm_streams *streams, struct sm_canvas *canvas, uint32_t id,
                           const struct sm_rect *dest, struct sm_bytes data,
                           struct sm_region *damage, uint32_t *refused)
{
    *refused = id;
    streams->is_on_card = false;
    struct sm_stream *stream = find(streams, id);
    if (!stream)
        return SM_ERR_STATE;
    struct sm_pixels frame;
    enum sm_status status = stream->ops ? decode_next(stream, data, &frame)
                                        : decode_jpeg(streams, data, stream->is_top_down, &frame);
    streams->is_on_card = stream->ops && stream->ops->is_on_card(stream->decoder);
    if (status == SM_ERR_NOMEM)
        return status;
    if (status == SM_AGAIN) /* no picture, or none that is whole */
        return SM_OK;
    if (status != SM_OK) { /* no frame that we can show: do without the stream */
        end_stream(stream);
        return SM_ERR_STATE;
    }
    return sm_canvas_blit(canvas, stream->surface_id, dest ? *dest : stream->dest,
                          stream->has_clip ? &stream->clip : NULL, &frame, damage);
}

enum sm_status sm_streams_take(struct sm_streams *streams, struct sm_canvas *canvas,
                               const struct sm_display_msg *msg, struct sm_region *damage,
                               uint32_t *refused)
{
    struct sm_stream *stream;
    switch (msg->type) {
    case SM_MSG_DISPLAY_STREAM_CREATE:
        return create(streams, &msg->stream_create, refused);
    case SM_MSG_DISPLAY_STREAM_DATA:
        return show(streams, canvas, msg->stream_data.id, NULL, msg->stream_data.data, damage,
                    refused);
    case SM_MSG_DISPLAY_STREAM_DATA_SIZED:
        return show(streams, canvas, msg->stream_data_sized.id, &msg->stream_data_sized.dest,
                    msg->stream_data_sized.data, damage, refused);
    case SM_MSG_DISPLAY_STREAM_CLIP:
        stream = find(streams, msg->stream_clip.id);
        return stream ? set_clip(stream, &msg->stream_clip.clip) : SM_OK;
    case SM_MSG_DISPLAY_STREAM_DESTROY:
        stream = find(streams, msg->stream_destroy.id);
        if (stream)
            end_stream(stream);
        return SM_OK;
    default: /* STREAM_DESTROY_ALL */
        for (size_t i = 0; i < SM_STREAMS_MAX; i++)
            end_stream(&streams->streams[i]);
        return SM_OK;
    }
}

void sm_streams_finish(struct sm_streams *streams)
{
    for (size_t i = 0; i < SM_STREAMS_MAX; i++)
        end_stream(&streams->streams[i]);
    sm_decoder_destroy(streams->decoder);
    free(streams->frame);
    *streams = (struct sm_streams){.decoder = NULL};
}
