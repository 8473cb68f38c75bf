/* SPDX-License-Identifier: MIT */
#include "core/codec/jpeg.h"

#include <string.h>

#include "core/codec/palette.h"

static void set_top_bytes(const struct sm_pixels *pixels, uint8_t top)
{
    for (uint32_t y = 0; y < pixels->height; y++) {
        uint8_t *row = sm_pixels_row(pixels, y);
        for (uint32_t x = 0; x < pixels->width; x++)
            row[4 * (size_t)x + 3] = top;
    }
}

enum sm_status sm_jpeg_decode(const struct sm_jpeg_lib *lib, void *state, struct sm_bytes jpeg,
                              const struct sm_pixels *out, enum sm_jpeg_quality_mode mode,
                              uint8_t top, const char **reason)
{
    uint32_t width, height;
    enum sm_status status = lib->read_size(state, jpeg, &width, &height);
    if (status != SM_OK) {
        *reason = "jpeg: no JPEG header";
        return status;
    }
    if (width != out->width || height != out->height) {
        *reason = "jpeg: dimensions differ from the descriptor's";
        return SM_ERR_PROTOCOL;
    }
    status = lib->decode(state, jpeg, out, mode);
    if (status != SM_OK) {
        *reason = "jpeg: damaged beyond showing";
        return status;
    }
    set_top_bytes(out, top);
    return SM_OK;
}

bool sm_jpeg_can_encode(enum sm_pixel_format format)
{
    switch (format) {
    case SM_PIXEL_XRGB32:
    case SM_PIXEL_ARGB32:
    case SM_PIXEL_RGB24:
    case SM_PIXEL_RGB555:
        return true;
    default:
        return false;
    }
}

/* The picture as the library takes it: the input itself if it is in one piece, else a copy. */
static enum sm_status gather(struct sm_input *input, struct sm_scratch *room, struct sm_pixels *out)
{
    const struct sm_pixels_in *in = input->in;
    bool is_widened = in->format == SM_PIXEL_RGB555;
    *out = (struct sm_pixels){.width = in->width,
                              .height = in->height,
                              .format = is_widened ? SM_PIXEL_XRGB32 : in->format,
                              .stride_bytes = (ptrdiff_t)in->stride_bytes};
    if (input->rows.chunk_count == 1 && !is_widened) {
        out->data = (uint8_t *)(uintptr_t)input->rows.chunks[0].data; /* only read from */
        out->data += in->skip_bytes;
    } else {
        size_t row_bytes = (size_t)sm_pixel_row_bytes(out->format, in->width);
        uint8_t *copy = sm_scratch_need(room, row_bytes * in->height + input->row_bytes);
        if (!copy)
            return SM_ERR_NOMEM;
        uint8_t *cut_row = copy + row_bytes * in->height;
        for (uint32_t y = 0; y < in->height; y++) {
            const uint8_t *row = sm_input_row(input, y, cut_row);
            uint8_t *to = copy + y * row_bytes;
            if (is_widened)
                sm_widen_555_row(to, row, in->width);
            else
                memcpy(to, row, row_bytes);
        }
        out->data = copy;
        out->stride_bytes = (ptrdiff_t)row_bytes;
    }
    if (!in->is_top_down) {
        out->data += (ptrdiff_t)(in->height - 1) * out->stride_bytes;
        out->stride_bytes = -out->stride_bytes;
    }
    return SM_OK;
}

enum sm_status sm_jpeg_encode(const struct sm_jpeg_lib *lib, void *state, struct sm_input *input,
                              unsigned quality, enum sm_jpeg_quality_mode mode,
                              struct sm_scratch *room, struct sm_writer *out)
{
    struct sm_pixels pixels;
    struct sm_bytes jpeg;
    enum sm_status status = gather(input, room, &pixels);
    if (status == SM_OK)
        status = lib->encode(state, &pixels, quality, mode, &jpeg);
    if (status != SM_OK)
        return status;
    sm_put_bytes(out, jpeg);
    return sm_writer_status(out);
}
