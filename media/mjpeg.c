/* SPDX-License-Identifier: MIT */
/* Motion JPEG through libjpeg-turbo: every frame a whole file, 4:2:0, with the tables of the
 * standard. */
#include <limits.h>
#include <stdlib.h>

#include <turbojpeg.h>

#include "media/video.h"

struct mjpeg {
    tjhandle library; /* owned */
    uint32_t width, height;
    unsigned char *buffer; /* owned: the last frame */
    unsigned long capacity;
};

static void destroy(void *encoder)
{
    struct mjpeg *mjpeg = encoder;
    if (!mjpeg)
        return;
    if (mjpeg->library)
        tjDestroy(mjpeg->library);
    free(mjpeg->buffer);
    free(mjpeg);
}

static enum sm_status create(void **out, const struct sm_video_setup *setup)
{
    if (setup->width == 0 || setup->width > SM_VIDEO_MAX_SIDE || setup->height == 0 ||
        setup->height > SM_VIDEO_MAX_SIDE)
        return SM_ERR_LIMIT;
    struct mjpeg *mjpeg = calloc(1, sizeof(*mjpeg));
    if (!mjpeg)
        return SM_ERR_NOMEM;
    mjpeg->width = setup->width;
    mjpeg->height = setup->height;
    mjpeg->capacity = tjBufSize((int)setup->width, (int)setup->height, TJSAMP_420);
    mjpeg->buffer = malloc(mjpeg->capacity);
    mjpeg->library = tjInitCompress();
    if (!mjpeg->buffer || !mjpeg->library) {
        destroy(mjpeg);
        return SM_ERR_NOMEM;
    }
    *out = mjpeg;
    return SM_OK;
}

static enum sm_status encode(void *encoder, const struct sm_pixels *frame,
                             const struct sm_video_order *order, struct sm_bytes *out)
{
    struct mjpeg *mjpeg = encoder;
    if (frame->width != mjpeg->width || frame->height != mjpeg->height)
        return SM_ERR_STATE;
    int flags = TJFLAG_NOREALLOC | TJFLAG_FASTDCT;
    ptrdiff_t stride_bytes = frame->stride_bytes;
    uint8_t *lowest = frame->data; /* in memory: the library wants a positive distance */
    if (stride_bytes < 0) {
        lowest = sm_pixels_row(frame, frame->height - 1);
        stride_bytes = -stride_bytes;
        flags |= TJFLAG_BOTTOMUP;
    }
    if (stride_bytes > INT_MAX)
        return SM_ERR_LIMIT;
    int format = frame->format == SM_PIXEL_RGB24 ? TJPF_BGR : TJPF_BGRX;
    unsigned long size = mjpeg->capacity;
    if (tjCompress2(mjpeg->library, lowest, (int)frame->width, (int)stride_bytes,
                    (int)frame->height, format, &mjpeg->buffer, &size, TJSAMP_420,
                    (int)order->quality, flags) != 0)
        return SM_ERR_STATE;
    *out = (struct sm_bytes){.data = mjpeg->buffer, .size = size};
    return SM_OK;
}

const struct sm_video_encoder_ops sm_media_mjpeg = {
    .is_intra = true, .create = create, .destroy = destroy, .encode = encode};
