/* SPDX-License-Identifier: MIT */
/* JPEG through libjpeg-turbo's turbojpeg interface, which returns from errors instead of exiting.
 */
#include <limits.h>
#include <stdlib.h>

#include <turbojpeg.h>

#include "media/libs.h"

struct jpeg {
    tjhandle decoder, encoder; /* owned, made when first needed */
    unsigned char *buffer;     /* owned: the last file encoded */
    unsigned long capacity;
};

static void *create(void)
{
    return calloc(1, sizeof(struct jpeg));
}

static void destroy(void *state)
{
    struct jpeg *jpeg = state;
    if (!jpeg)
        return;
    if (jpeg->decoder)
        tjDestroy(jpeg->decoder);
    if (jpeg->encoder)
        tjDestroy(jpeg->encoder);
    free(jpeg->buffer);
    free(jpeg);
}

/* A library context that met an error may stay in the middle of that file: begin with a new one. */
static void drop_decoder(struct jpeg *jpeg)
{
    tjDestroy(jpeg->decoder);
    jpeg->decoder = NULL;
}

static enum sm_status read_size(void *state, struct sm_bytes file, uint32_t *width,
                                uint32_t *height)
{
    struct jpeg *jpeg = state;
    if (!jpeg->decoder)
        jpeg->decoder = tjInitDecompress();
    if (!jpeg->decoder)
        return SM_ERR_NOMEM;
    int w, h, subsampling, colorspace;
    if (file.size == 0 || file.size > ULONG_MAX)
        return SM_ERR_PROTOCOL;
    if (tjDecompressHeader3(jpeg->decoder, file.data, (unsigned long)file.size, &w, &h,
                            &subsampling, &colorspace) != 0 ||
        w <= 0 || h <= 0) {
        drop_decoder(jpeg);
        return SM_ERR_PROTOCOL;
    }
    *width = (uint32_t)w;
    *height = (uint32_t)h;
    return SM_OK;
}

/* The library wants the lowest row in memory and a positive distance. */
static int pitch_of(const struct sm_pixels *pixels, uint8_t **lowest, int *flags)
{
    ptrdiff_t stride = pixels->stride_bytes;
    *lowest = pixels->data;
    if (stride < 0) {
        *lowest = sm_pixels_row(pixels, pixels->height - 1);
        *flags |= TJFLAG_BOTTOMUP;
        stride = -stride;
    }
    return stride <= INT_MAX ? (int)stride : 0;
}

static enum sm_status decode(void *state, struct sm_bytes file, const struct sm_pixels *out,
                             enum sm_jpeg_quality_mode mode)
{
    struct jpeg *jpeg = state;
    uint32_t width, height;
    enum sm_status status = read_size(state, file, &width, &height);
    if (status != SM_OK)
        return status;
    if (width != out->width || height != out->height)
        return SM_ERR_PROTOCOL;

    int flags = TJFLAG_LIMITSCANS;
    flags |= mode == SM_JPEG_FAST ? TJFLAG_FASTDCT | TJFLAG_FASTUPSAMPLE : TJFLAG_ACCURATEDCT;
    uint8_t *lowest;
    int pitch = pitch_of(out, &lowest, &flags);
    if (out->height == 1)
        pitch = 0; /* any: there is no second row */
    else if (pitch == 0)
        return SM_ERR_LIMIT;
    if (tjDecompress2(jpeg->decoder, file.data, (unsigned long)file.size, lowest, (int)width, pitch,
                      (int)height, TJPF_BGRX, flags) == 0)
        return SM_OK;
    /* A warning means a picture with damage, every pixel of it written. */
    if (tjGetErrorCode(jpeg->decoder) == TJERR_WARNING)
        return SM_OK;
    drop_decoder(jpeg);
    return SM_ERR_PROTOCOL;
}

static enum sm_status encode(void *state, const struct sm_pixels *in, unsigned quality,
                             enum sm_jpeg_quality_mode mode, struct sm_bytes *file)
{
    struct jpeg *jpeg = state;
    if (!jpeg->encoder)
        jpeg->encoder = tjInitCompress();
    if (!jpeg->encoder)
        return SM_ERR_NOMEM;
    if (in->width > INT_MAX || in->height > INT_MAX)
        return SM_ERR_LIMIT;
    unsigned long bound = tjBufSize((int)in->width, (int)in->height, TJSAMP_420);
    if (bound == (unsigned long)-1)
        return SM_ERR_LIMIT;
    if (bound > jpeg->capacity) {
        free(jpeg->buffer);
        jpeg->buffer = malloc(bound);
        jpeg->capacity = jpeg->buffer ? bound : 0;
        if (!jpeg->buffer)
            return SM_ERR_NOMEM;
    }

    int flags = TJFLAG_NOREALLOC;
    flags |= mode == SM_JPEG_FAST ? TJFLAG_FASTDCT : TJFLAG_ACCURATEDCT;
    uint8_t *lowest;
    int pitch = pitch_of(in, &lowest, &flags);
    if (in->height == 1)
        pitch = 0;
    else if (pitch == 0)
        return SM_ERR_LIMIT;
    int format = in->format == SM_PIXEL_RGB24 ? TJPF_BGR : TJPF_BGRX;
    unsigned long size = jpeg->capacity;
    if (tjCompress2(jpeg->encoder, lowest, (int)in->width, pitch, (int)in->height, format,
                    &jpeg->buffer, &size, TJSAMP_420, (int)quality, flags) != 0) {
        tjDestroy(jpeg->encoder); /* see drop_decoder() */
        jpeg->encoder = NULL;
        return SM_ERR_LIMIT; /* a side above what JPEG can say is what is left to go wrong */
    }
    *file = (struct sm_bytes){.data = jpeg->buffer, .size = size};
    return SM_OK;
}

const struct sm_jpeg_lib sm_media_jpeg = {
    .create = create,
    .destroy = destroy,
    .read_size = read_size,
    .decode = decode,
    .encode = encode,
};
