/* SPDX-License-Identifier: MIT */
#include "core/codec/lz4.h"

#include <string.h>

#include "core/base/reader.h"
#include "core/codec/codec.h"
#include "core/codec/palette.h"

/* The layout of the rows inside; SM_PIXEL_NONE if it is none that this codec has. */
static enum sm_pixel_format packed_format(uint32_t number)
{
    enum sm_pixel_format format = sm_bitmap_format(number);
    switch (format) {
    case SM_PIXEL_RGB555:
    case SM_PIXEL_RGB24:
    case SM_PIXEL_XRGB32:
    case SM_PIXEL_ARGB32:
        return format;
    default:
        return SM_PIXEL_NONE;
    }
}

enum sm_pixel_format sm_lz4_native_format(struct sm_bytes head)
{
    return head.size < 2 ? SM_PIXEL_NONE : packed_format(head.data[1]);
}

/* Decodes all blocks to `linear`, exactly `size` bytes. */
static bool decode_blocks(const struct sm_lz4_lib *lib, void *state, struct sm_reader *r,
                          uint8_t *linear, size_t size)
{
    size_t done = 0;
    while (sm_left(r) > 0) {
        uint32_t block_size = sm_get_be32(r);
        struct sm_bytes block = sm_get_bytes(r, block_size);
        size_t made = 0;
        if (r->failed || done == size ||
            lib->decode(state, block, linear + done, done, size - done, &made) != SM_OK)
            return false;
        done += made;
    }
    return done == size;
}

static void copy_rows(const uint8_t *linear, size_t row_bytes, bool is_top_down, bool is_widened,
                      const struct sm_pixels *out)
{
    for (uint32_t y = 0; y < out->height; y++) {
        uint8_t *to = sm_pixels_row(out, is_top_down ? y : out->height - 1 - y);
        if (is_widened)
            sm_widen_24_row(to, linear + y * row_bytes, out->width);
        else
            memcpy(to, linear + y * row_bytes, row_bytes);
    }
}

enum sm_status sm_lz4_decode(const struct sm_lz4_lib *lib, void *state, struct sm_bytes data,
                             const struct sm_pixels *out, struct sm_scratch *scratch,
                             const char **reason)
{
    struct sm_reader r = sm_reader(data);
    bool is_top_down = sm_get_u8(&r) != 0;
    enum sm_pixel_format format = packed_format(sm_get_u8(&r));
    if (r.failed || format == SM_PIXEL_NONE) {
        *reason = "lz4: no header, or a format it does not have";
        return SM_ERR_PROTOCOL;
    }
    bool is_widened = format == SM_PIXEL_RGB24 && out->format == SM_PIXEL_XRGB32;
    if (out->format != format && !is_widened) {
        *reason = "lz4: pixels of the wrong format to decode to";
        return SM_ERR_STATE;
    }
    size_t row_bytes = (size_t)sm_pixel_row_bytes(format, out->width);
    size_t size = row_bytes * out->height;
    ptrdiff_t wanted = is_top_down ? (ptrdiff_t)row_bytes : -(ptrdiff_t)row_bytes;
    bool in_place = out->stride_bytes == wanted && !is_widened;
    uint8_t *linear = sm_pixels_row(out, is_top_down ? 0 : out->height - 1);
    if (!in_place)
        linear = sm_scratch_need(scratch, size);
    if (!linear)
        return SM_ERR_NOMEM;
    if (!decode_blocks(lib, state, &r, linear, size)) {
        *reason = "lz4: malformed blocks, or not the pixels of the image";
        return SM_ERR_PROTOCOL;
    }
    if (!in_place)
        copy_rows(linear, row_bytes, is_top_down, is_widened, out);
    return SM_OK;
}

bool sm_lz4_can_encode(enum sm_pixel_format format)
{
    return packed_format(sm_bitmap_format_number(format)) != SM_PIXEL_NONE;
}

enum sm_status sm_lz4_encode(const struct sm_lz4_lib *lib, void *state, struct sm_input *input,
                             struct sm_scratch *packed, struct sm_scratch *block,
                             struct sm_writer *out)
{
    struct sm_bytes pixels = {.data = sm_input_packed(input, packed),
                              .size = input->row_bytes * input->in->height};
    if (!pixels.data)
        return SM_ERR_NOMEM;
    sm_put_u8(out, input->in->is_top_down);
    sm_put_u8(out, (uint8_t)sm_bitmap_format_number(input->in->format));
    sm_put_le32(out, 0);
    if (out->failed)
        return sm_writer_status(out);

    size_t capacity = lib->bound(pixels.size), left = out->limit - out->size, size;
    if (capacity > left)
        capacity = left;
    uint8_t *room = sm_scratch_need(block, capacity);
    if (!room)
        return SM_ERR_NOMEM;
    enum sm_status status = lib->encode(state, pixels, room, capacity, &size);
    if (status != SM_OK)
        return status;
    sm_patch_le32(out, out->size - 4, __builtin_bswap32((uint32_t)size)); /* big-endian */
    sm_put_bytes(out, (struct sm_bytes){room, size});
    return sm_writer_status(out);
}
