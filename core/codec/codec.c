/* SPDX-License-Identifier: MIT */
#include "core/codec/codec.h"

#include "core/base/math.h"

/* Source: docs/codec.md, "Bitmap": the position is the number on the wire. */
static const enum sm_pixel_format BITMAP_FORMATS[] = {
    SM_PIXEL_NONE,      SM_PIXEL_INDEX1_LE, SM_PIXEL_INDEX1_BE, SM_PIXEL_INDEX4_LE,
    SM_PIXEL_INDEX4_BE, SM_PIXEL_INDEX8,    SM_PIXEL_RGB555,    SM_PIXEL_RGB24,
    SM_PIXEL_XRGB32,    SM_PIXEL_ARGB32,    SM_PIXEL_A8,
};

enum sm_pixel_format sm_bitmap_format(uint32_t wire_format)
{
    return wire_format < SM_COUNT_OF(BITMAP_FORMATS) ? BITMAP_FORMATS[wire_format] : SM_PIXEL_NONE;
}

uint32_t sm_bitmap_format_number(enum sm_pixel_format format)
{
    for (uint32_t i = 1; i < SM_COUNT_OF(BITMAP_FORMATS); i++) {
        if (BITMAP_FORMATS[i] == format)
            return i;
    }
    return 0;
}

const char *sm_codec_name(enum sm_image_codec codec)
{
    switch (codec) {
    case SM_CODEC_BITMAP:
        return "bitmap";
    case SM_CODEC_QUIC:
        return "quic";
    case SM_CODEC_LZ_PALETTE:
        return "lz_plt";
    case SM_CODEC_LZ_RGB:
        return "lz";
    case SM_CODEC_GLZ:
        return "glz";
    case SM_CODEC_JPEG:
        return "jpeg";
    case SM_CODEC_ZLIB_GLZ:
        return "zlib_glz";
    case SM_CODEC_JPEG_ALPHA:
        return "jpeg_alpha";
    case SM_CODEC_LZ4:
        return "lz4";
    }
    return "unknown";
}
