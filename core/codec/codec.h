/* SPDX-License-Identifier: MIT */
/*
 * The words all image codecs share: which codec, what a compressed image is made of, and what an
 * encoder is given. Independent of how a message carries them. Source: docs/codec.md.
 */
#ifndef SM_CORE_CODEC_CODEC_H
#define SM_CORE_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** The values are those of the image type on the wire. */
enum sm_image_codec {
    SM_CODEC_BITMAP = 0,
    SM_CODEC_QUIC = 1,
    SM_CODEC_LZ_PALETTE = 100,
    SM_CODEC_LZ_RGB = 101,
    SM_CODEC_GLZ = 102,
    SM_CODEC_JPEG = 105,
    SM_CODEC_ZLIB_GLZ = 107,
    SM_CODEC_JPEG_ALPHA = 108,
    SM_CODEC_LZ4 = 109,
};

enum {
    /** Pixels of an image, unless a limit at creation says less: 16384 x 16384. */
    SM_CODEC_MAX_PIXELS = 1 << 28,
    /** Width or height of an image. */
    SM_CODEC_MAX_SIDE = 1 << 24,
    SM_PALETTE_MAX_ENTRIES = 256,
};

/** Colours of an image of indices; borrowed. */
struct sm_codec_palette {
    const uint32_t *entries; /* as on the wire: 0xXXRRGGBB, or 555 in the low 16 bits */
    uint32_t count;          /* at most SM_PALETTE_MAX_ENTRIES */
    bool is_555;             /* the entries are 555: the target surface is a 16-bit one */
};

/**
 * One image as it came, everything borrowed for the call. Fields that a codec does not name are
 * ignored.
 */
struct sm_codec_image {
    enum sm_image_codec codec;
    uint32_t width, height; /* of the image descriptor; the codec's own must agree */

    /* The compressed data area: `data`, or if `chunk_count` is not 0 the chunks one after another.
     * A bitmap's rows may be cut anywhere. */
    struct sm_bytes data;
    const struct sm_bytes *chunks;
    size_t chunk_count;

    bool is_top_down;                   /* BITMAP, JPEG_ALPHA: the flag of that name */
    enum sm_pixel_format bitmap_format; /* BITMAP: see sm_bitmap_format() */
    uint32_t bitmap_stride_bytes;       /* BITMAP */
    struct sm_codec_palette palette;    /* LZ_PALETTE, BITMAP of indices */
    uint32_t inflated_size;             /* ZLIB_GLZ: bytes of the GLZ image inside */
    uint32_t jpeg_size;                 /* JPEG_ALPHA: bytes of the JPEG part */
};

/**
 * Pixels to be encoded, everything borrowed for the call. Rows lie in memory order: the first one
 * is the visible top one if `is_top_down`, else the visible bottom one.
 */
struct sm_pixels_in {
    enum sm_pixel_format format;
    uint32_t width, height; /* pixels */
    bool is_top_down;
    uint32_t stride_bytes; /* at least sm_pixel_row_bytes(format, width) */

    /* Rows, `stride_bytes` apart: `data`, or if `chunk_count` is not 0 the chunks one after
     * another, cut anywhere. The last row may lack the bytes beyond its pixels. */
    struct sm_bytes data;
    const struct sm_bytes *chunks;
    size_t chunk_count;
    uint64_t skip_bytes; /* of them, before the first row: see bands.h */
};

/** The layout that the wire's bitmap format number means (1 to 10); SM_PIXEL_NONE if none. */
enum sm_pixel_format sm_bitmap_format(uint32_t wire_format);

/** The wire's number for a layout; 0 if a bitmap cannot have it. */
uint32_t sm_bitmap_format_number(enum sm_pixel_format format);

/** The name of `codec` in lower case, such as "zlib_glz"; "unknown" for a value of no meaning. */
const char *sm_codec_name(enum sm_image_codec codec);

#endif
