/* SPDX-License-Identifier: MIT */
/* Palette indices to colours, and the widening of smaller pixels. */
#ifndef SM_CORE_CODEC_PALETTE_H
#define SM_CORE_CODEC_PALETTE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "core/codec/codec.h"

/** What the entries of a palette become in a table of colours. */
enum sm_palette_use {
    SM_PALETTE_AS_SENT, /* the entry itself: bitmaps on a 32-bit surface */
    SM_PALETTE_OPAQUE,  /* widened if 555, top byte 0: LZ images */
    SM_PALETTE_LOW16,   /* the low 16 bits: bitmaps on a 555 surface */
};

/** A palette made safe and quick: whatever the index, there is an entry. */
struct sm_colors {
    uint32_t entries[SM_PALETTE_MAX_ENTRIES];
};

/** A 555 pixel as 0x00RRGGBB; bit 15 is ignored. */
static inline uint32_t sm_widen_555(uint32_t v)
{
    uint32_t spread = (v & 0x7c00) << 9 | (v & 0x03e0) << 6 | (v & 0x001f) << 3;
    return spread | (spread >> 5 & 0x070707);
}

/**
 * Fills `colors` for indices of `format`. An index beyond the palette means 0; 4-bit ones of LZ
 * images (SM_PALETTE_OPAQUE) wrap around instead, as the reference has it.
 */
void sm_colors_init(struct sm_colors *colors, const struct sm_codec_palette *palette,
                    enum sm_pixel_format format, enum sm_palette_use use);

/** Looks up a row of `width` indices in `format`; `out` is 32-bit, or 16-bit if `is_16bit`. */
void sm_colors_row(const struct sm_colors *colors, enum sm_pixel_format format, const uint8_t *in,
                   uint32_t width, uint8_t *out, bool is_16bit);

/** Pixels B, G, R to XRGB32, top byte 0. */
void sm_widen_24_row(uint8_t *out, const uint8_t *in, uint32_t width);

/** 555 pixels to XRGB32, top byte 0. */
void sm_widen_555_row(uint8_t *out, const uint8_t *in, uint32_t width);

#endif
