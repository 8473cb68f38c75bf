/* SPDX-License-Identifier: MIT */
#include "core/channel/canvas/picture.h"

#include <stdlib.h>

struct sm_picture {
    unsigned holders; /* changed with the compiler's atomic functions only */
    struct sm_pixels pixels;
    max_align_t rows[];
};

enum sm_status sm_picture_create(struct sm_picture **out, enum sm_pixel_format format,
                                 uint32_t width, uint32_t height)
{
    /* Rows without a gap: most decoders can then write them in one go. */
    uint64_t row_bytes = sm_pixel_row_bytes(format, width);
    if (row_bytes > SIZE_MAX / 2)
        return SM_ERR_LIMIT;
    size_t stride = row_bytes ? (size_t)row_bytes : 1;
    if (height != 0 && stride > (PTRDIFF_MAX - sizeof(struct sm_picture)) / height)
        return SM_ERR_LIMIT;
    struct sm_picture *picture = malloc(sizeof(*picture) + stride * height);
    if (!picture)
        return SM_ERR_NOMEM;
    picture->holders = 1;
    picture->pixels = (struct sm_pixels){
        .data = (uint8_t *)picture->rows,
        .stride_bytes = (ptrdiff_t)stride,
        .width = width,
        .height = height,
        .format = format,
    };
    *out = picture;
    return SM_OK;
}

struct sm_picture *sm_picture_ref(struct sm_picture *picture)
{
    __atomic_fetch_add(&picture->holders, 1, __ATOMIC_RELAXED);
    return picture;
}

void sm_picture_unref(struct sm_picture *picture)
{
    if (picture && __atomic_fetch_sub(&picture->holders, 1, __ATOMIC_ACQ_REL) == 1)
        free(picture);
}

const struct sm_pixels *sm_picture_pixels(const struct sm_picture *picture)
{
    return &picture->pixels;
}
