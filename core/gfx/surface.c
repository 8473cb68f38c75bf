/* SPDX-License-Identifier: MIT */
#include "core/gfx/surface.h"

#include <stdlib.h>

#include "core/base/math.h"

enum { ROW_ALIGNMENT = 16 };

struct sm_surface {
    struct sm_pixels pixels;
    uint8_t *rows; /* owned; NULL if the pixels are the caller's */
};

bool sm_surface_has_format(enum sm_pixel_format format)
{
    return format == SM_PIXEL_XRGB32 || format == SM_PIXEL_ARGB32 || format == SM_PIXEL_RGB555 ||
           format == SM_PIXEL_RGB565 || format == SM_PIXEL_A8;
}

static bool is_side(uint32_t side)
{
    return side >= 1 && side <= SM_SURFACE_MAX_SIDE;
}

enum sm_status sm_surface_create(struct sm_surface **out, enum sm_pixel_format format,
                                 uint32_t width, uint32_t height)
{
    if (!sm_surface_has_format(format) || !is_side(width) || !is_side(height))
        return SM_ERR_LIMIT;

    struct sm_surface *surface = calloc(1, sizeof(*surface));
    if (!surface)
        return SM_ERR_NOMEM;
    size_t stride = sm_round_up((size_t)sm_pixel_row_bytes(format, width), ROW_ALIGNMENT);
    surface->rows = calloc(height, stride);
    if (!surface->rows) {
        sm_surface_destroy(surface);
        return SM_ERR_NOMEM;
    }
    surface->pixels = (struct sm_pixels){
        .data = surface->rows,
        .stride_bytes = (ptrdiff_t)stride,
        .width = width,
        .height = height,
        .format = format,
    };
    *out = surface;
    return SM_OK;
}

enum sm_status sm_surface_wrap(struct sm_surface **out, const struct sm_pixels *pixels)
{
    if (!sm_surface_has_format(pixels->format) || !is_side(pixels->width) ||
        !is_side(pixels->height))
        return SM_ERR_LIMIT;
    ptrdiff_t row_bytes = (ptrdiff_t)sm_pixel_row_bytes(pixels->format, pixels->width);
    if (pixels->height > 1 && pixels->stride_bytes < row_bytes && pixels->stride_bytes > -row_bytes)
        return SM_ERR_LIMIT;

    struct sm_surface *surface = calloc(1, sizeof(*surface));
    if (!surface)
        return SM_ERR_NOMEM;
    surface->pixels = *pixels;
    *out = surface;
    return SM_OK;
}

void sm_surface_destroy(struct sm_surface *surface)
{
    if (!surface)
        return;
    free(surface->rows);
    free(surface);
}

const struct sm_pixels *sm_surface_pixels(const struct sm_surface *surface)
{
    return &surface->pixels;
}

struct sm_rect sm_surface_bounds(const struct sm_surface *surface)
{
    return (struct sm_rect){
        .right = (int32_t)surface->pixels.width,
        .bottom = (int32_t)surface->pixels.height,
    };
}
