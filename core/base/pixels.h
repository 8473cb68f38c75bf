/* SPDX-License-Identifier: MIT */
/* A rectangle of pixels in somebody's memory, and the layouts a pixel can have there. */
#ifndef SM_CORE_BASE_PIXELS_H
#define SM_CORE_BASE_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * How a pixel lies in memory. Multi-byte pixels are little-endian, so XRGB32 is the bytes
 * B, G, R, filler. Source: docs/codec.md, "Pixel layouts".
 */
enum sm_pixel_format {
    SM_PIXEL_NONE = 0,  /* of no use; what zeroed memory says */
    SM_PIXEL_XRGB32,    /* 0xXXRRGGBB; the top byte is kept as it came, but means nothing */
    SM_PIXEL_ARGB32,    /* 0xAARRGGBB; premultiplied by convention, never checked */
    SM_PIXEL_RGB24,     /* bytes B, G, R */
    SM_PIXEL_RGB555,    /* 16 bits: 14..10 red, 9..5 green, 4..0 blue; bit 15 means nothing */
    SM_PIXEL_RGB565,    /* 16 bits: 15..11 red, 10..5 green, 4..0 blue */
    SM_PIXEL_A8,        /* alpha alone */
    SM_PIXEL_A1,        /* one bit of alpha, least significant bit of a byte leftmost */
    SM_PIXEL_GRAY8,     /* luminance alone */
    SM_PIXEL_INDEX1_LE, /* palette index, least significant bit of a byte leftmost */
    SM_PIXEL_INDEX1_BE, /* palette index, most significant bit of a byte leftmost */
    SM_PIXEL_INDEX4_LE, /* palette index, low nibble leftmost */
    SM_PIXEL_INDEX4_BE, /* palette index, high nibble leftmost */
    SM_PIXEL_INDEX8,    /* palette index */
    SM_PIXEL_FORMAT_COUNT,
};

/** Memory of the caller. Who owns it and for how long is said where it is used. */
struct sm_pixels {
    uint8_t *data;          /* first byte of the visible top row */
    ptrdiff_t stride_bytes; /* from a row to the one below it; negative if rows lie bottom first */
    uint32_t width, height; /* pixels */
    enum sm_pixel_format format;
};

/** Bits a pixel of `format` takes; 0 for SM_PIXEL_NONE and values of no meaning. */
static inline uint32_t sm_pixel_bits(enum sm_pixel_format format)
{
    switch (format) {
    case SM_PIXEL_XRGB32:
    case SM_PIXEL_ARGB32:
        return 32;
    case SM_PIXEL_RGB24:
        return 24;
    case SM_PIXEL_RGB555:
    case SM_PIXEL_RGB565:
        return 16;
    case SM_PIXEL_A8:
    case SM_PIXEL_GRAY8:
    case SM_PIXEL_INDEX8:
        return 8;
    case SM_PIXEL_INDEX4_LE:
    case SM_PIXEL_INDEX4_BE:
        return 4;
    case SM_PIXEL_A1:
    case SM_PIXEL_INDEX1_LE:
    case SM_PIXEL_INDEX1_BE:
        return 1;
    case SM_PIXEL_NONE:
    case SM_PIXEL_FORMAT_COUNT:
        break;
    }
    return 0;
}

/** True for the formats whose pixels are indices into a palette. */
static inline bool sm_pixel_is_index(enum sm_pixel_format format)
{
    return format >= SM_PIXEL_INDEX1_LE && format <= SM_PIXEL_INDEX8;
}

/** Bytes the pixels of one row take, the last one rounded up; in 64 bits, so it cannot wrap. */
static inline uint64_t sm_pixel_row_bytes(enum sm_pixel_format format, uint32_t width)
{
    return ((uint64_t)width * sm_pixel_bits(format) + 7) / 8;
}

/** First byte of row `y`, 0 being the visible top one. */
static inline uint8_t *sm_pixels_row(const struct sm_pixels *pixels, uint32_t y)
{
    return pixels->data + (ptrdiff_t)y * pixels->stride_bytes;
}

/** The rectangle at (x, y) of `pixels`, which lies inside it; x on a byte boundary. */
static inline struct sm_pixels sm_pixels_part(const struct sm_pixels *pixels, uint32_t x,
                                              uint32_t y, uint32_t width, uint32_t height)
{
    struct sm_pixels part = *pixels;
    part.data = sm_pixels_row(pixels, y) + (size_t)x * sm_pixel_bits(pixels->format) / 8;
    part.width = width;
    part.height = height;
    return part;
}

#endif
