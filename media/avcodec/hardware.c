/* SPDX-License-Identifier: MIT */
#include "media/avcodec/hardware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/hwcontext.h>

#include "media/video_module.h"

enum { FIRST_NODE = 128, NODES = 8, POOL_FRAMES = 4 };

/* Named, because without a name the library would look for an X server, too. */
static AVBufferRef *open_node(const char *path)
{
    AVBufferRef *device = NULL;
    bool is_open = access(path, R_OK | W_OK) == 0 &&
                   av_hwdevice_ctx_create(&device, AV_HWDEVICE_TYPE_VAAPI, path, NULL, 0) == 0;
    return is_open ? device : NULL;
}

void *sm_hardware_open_card(void)
{
    const char *named = secure_getenv(SM_VIDEO_CARD_VARIABLE);
    if (named)
        return strcmp(named, "none") == 0 ? NULL : open_node(named);
    AVBufferRef *device = NULL;
    for (int node = FIRST_NODE; node < FIRST_NODE + NODES && !device; node++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/dev/dri/renderD%d", node);
        device = open_node(path);
    }
    return device;
}

void sm_hardware_close_card(void *card)
{
    AVBufferRef *device = card;
    av_buffer_unref(&device);
}

void sm_hardware_init(struct sm_hardware *hardware, void *card)
{
    hardware->device = card ? av_buffer_ref(card) : NULL;
    hardware->frame = hardware->device ? av_frame_alloc() : NULL;
}

bool sm_hardware_attach(struct sm_hardware *hardware, AVCodecContext *context)
{
    AVBufferRef *frames =
        hardware->device && hardware->frame ? av_hwframe_ctx_alloc(hardware->device) : NULL;
    if (!frames)
        return false;
    AVHWFramesContext *pool = (AVHWFramesContext *)(void *)frames->data;
    pool->format = AV_PIX_FMT_VAAPI;
    pool->sw_format = AV_PIX_FMT_NV12;
    pool->width = context->width;
    pool->height = context->height;
    pool->initial_pool_size = POOL_FRAMES;
    if (av_hwframe_ctx_init(frames) < 0) {
        av_buffer_unref(&frames);
        return false;
    }
    context->pix_fmt = AV_PIX_FMT_VAAPI;
    context->hw_frames_ctx = frames; /* the context's now */
    return true;
}

const AVFrame *sm_hardware_upload(struct sm_hardware *hardware, const AVCodecContext *context,
                                  const AVFrame *planes)
{
    AVFrame *frame = hardware->frame;
    av_frame_unref(frame);
    if (av_hwframe_get_buffer(context->hw_frames_ctx, frame, 0) < 0 ||
        av_hwframe_transfer_data(frame, planes, 0) < 0)
        return NULL;
    frame->pts = planes->pts;
    frame->pict_type = planes->pict_type;
    return frame;
}

void sm_hardware_finish(struct sm_hardware *hardware)
{
    av_frame_free(&hardware->frame);
    av_buffer_unref(&hardware->device);
}
