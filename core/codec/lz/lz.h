/* SPDX-License-Identifier: MIT */
/* LZ: the coder of matches and literals whose unit is the pixel. Source: docs/codec.md, "LZ". */
#ifndef SM_CORE_CODEC_LZ_LZ_H
#define SM_CORE_CODEC_LZ_LZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "core/base/reader.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_LZ_MAGIC = 0x20205a4c,
    SM_LZ_VERSION = 0x00010001,
    SM_LZ_HEADER_SIZE = 28,
    SM_LZ_MAX_LITERALS = 32,    /* units of one run */
    SM_LZ_NEAR_DISTANCE = 8191, /* the farthest that the short form reaches */
    SM_LZ_FAR_DISTANCE = 73727, /* the farthest there is */
};

/** The values are those of the header; GLZ uses some of them too. */
enum sm_lz_type {
    SM_LZ_PLT1_LE = 1,
    SM_LZ_PLT1_BE = 2,
    SM_LZ_PLT4_LE = 3,
    SM_LZ_PLT4_BE = 4,
    SM_LZ_PLT8 = 5,
    SM_LZ_RGB16 = 6,
    SM_LZ_RGB24 = 7,
    SM_LZ_RGB32 = 8,
    SM_LZ_RGBA = 9,
    SM_LZ_XXXA = 10,
    SM_LZ_A8 = 11,
};

/** A parsed header whose numbers agree with each other. */
struct sm_lz_header {
    enum sm_lz_type type;
    uint32_t width, height; /* pixels, at least 1 */
    uint32_t stride_bytes;  /* what the type demands */
    bool is_top_down;
};

static inline bool sm_lz_type_is_palette(uint32_t type)
{
    return type >= SM_LZ_PLT1_LE && type <= SM_LZ_PLT8;
}

/** The layout of the pixels a type is made from; RGB24 and RGB32 come out as XRGB32. */
enum sm_pixel_format sm_lz_format(enum sm_lz_type type);

/** The stride the header must have; 0 if the type has no meaning or the width is too large. */
uint32_t sm_lz_stride(uint32_t type, uint32_t width);

/** Reads a header. Leaves `*out` alone unless SM_OK; `reason` is set on failure. */
SM_NODISCARD enum sm_status sm_lz_parse_header(struct sm_lz_header *out, struct sm_reader *r,
                                               const char **reason);

/** What a pass over the tokens makes: the units and the memory they go to. */
enum sm_lz_unit {
    SM_LZ_BYTES,       /* bytes: packed indices, A8 */
    SM_LZ_555,         /* 16-bit pixels, as they are */
    SM_LZ_555_WIDENED, /* 16-bit pixels, to XRGB32 */
    SM_LZ_BGR,         /* to XRGB32, top byte 0 */
    SM_LZ_ALPHA,       /* the top byte of 32-bit pixels that are there already */
};

/** Bytes between one unit and the next in the output of a pass. */
static inline size_t sm_lz_unit_size(enum sm_lz_unit unit)
{
    return unit == SM_LZ_BYTES ? 1 : unit == SM_LZ_555 ? 2 : 4;
}

/**
 * Decodes the tokens of one pass, exactly `count` units, to the memory at `out`, and leaves `r`
 * behind the last token.
 *
 * @return false if the tokens are malformed; what was written stays within `out`
 */
typedef bool sm_lz_pass_fn(struct sm_reader *r, enum sm_lz_unit unit, uint8_t *out, size_t count);
sm_lz_pass_fn sm_lz_pass_c;
sm_lz_pass_fn sm_lz_pass_sse41; /* only on x86 */

#endif
