/* SPDX-License-Identifier: MIT */
#include "core/codec/palette.h"

#include <string.h>

static uint32_t entry_for(const struct sm_codec_palette *palette, uint32_t index,
                          enum sm_palette_use use)
{
    uint32_t entry = palette->entries[index];
    switch (use) {
    case SM_PALETTE_AS_SENT:
        break;
    case SM_PALETTE_OPAQUE:
        return palette->is_555 ? sm_widen_555(entry) : entry & 0xffffff;
    case SM_PALETTE_LOW16:
        return entry & 0xffff;
    }
    return entry;
}

void sm_colors_init(struct sm_colors *colors, const struct sm_codec_palette *palette,
                    enum sm_pixel_format format, enum sm_palette_use use)
{
    memset(colors, 0, sizeof(*colors));
    uint32_t count =
        palette->count < SM_PALETTE_MAX_ENTRIES ? palette->count : SM_PALETTE_MAX_ENTRIES;
    for (uint32_t i = 0; i < count; i++)
        colors->entries[i] = entry_for(palette, i, use);
    if (sm_pixel_bits(format) == 4 && use == SM_PALETTE_OPAQUE && count > 0) {
        for (uint32_t i = count; i < 16; i++)
            colors->entries[i] = colors->entries[i % count];
    }
}

static inline uint32_t index_at(enum sm_pixel_format format, const uint8_t *in, uint32_t x)
{
    switch (format) {
    case SM_PIXEL_INDEX1_LE:
        return in[x / 8] >> x % 8 & 1;
    case SM_PIXEL_INDEX1_BE:
        return in[x / 8] >> (7 - x % 8) & 1;
    case SM_PIXEL_INDEX4_LE:
        return in[x / 2] >> 4 * (x % 2) & 15;
    case SM_PIXEL_INDEX4_BE:
        return in[x / 2] >> 4 * (1 - x % 2) & 15;
    default:
        return in[x];
    }
}

static inline __attribute__((always_inline)) void row(const struct sm_colors *colors,
                                                      enum sm_pixel_format format,
                                                      const uint8_t *in, uint32_t width,
                                                      uint8_t *out, bool is_16bit)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t color = colors->entries[index_at(format, in, x)];
        if (is_16bit) {
            uint16_t low = (uint16_t)color;
            memcpy(out + (size_t)x * 2, &low, 2);
        } else {
            memcpy(out + (size_t)x * 4, &color, 4);
        }
    }
}

void sm_colors_row(const struct sm_colors *colors, enum sm_pixel_format format, const uint8_t *in,
                   uint32_t width, uint8_t *out, bool is_16bit)
{
    if (is_16bit) {
        row(colors, format, in, width, out, true);
        return;
    }
    switch (format) { /* the format as a constant: one tight loop each */
    case SM_PIXEL_INDEX1_LE:
        row(colors, SM_PIXEL_INDEX1_LE, in, width, out, false);
        break;
    case SM_PIXEL_INDEX1_BE:
        row(colors, SM_PIXEL_INDEX1_BE, in, width, out, false);
        break;
    case SM_PIXEL_INDEX4_LE:
        row(colors, SM_PIXEL_INDEX4_LE, in, width, out, false);
        break;
    case SM_PIXEL_INDEX4_BE:
        row(colors, SM_PIXEL_INDEX4_BE, in, width, out, false);
        break;
    default:
        row(colors, SM_PIXEL_INDEX8, in, width, out, false);
        break;
    }
}

void sm_widen_24_row(uint8_t *out, const uint8_t *in, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t v = (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16;
        memcpy(out, &v, 4);
        in += 3;
        out += 4;
    }
}

void sm_widen_555_row(uint8_t *out, const uint8_t *in, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t v = sm_widen_555((uint32_t)in[0] | (uint32_t)in[1] << 8);
        memcpy(out, &v, 4);
        in += 2;
        out += 4;
    }
}
