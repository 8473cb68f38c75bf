/* SPDX-License-Identifier: MIT */
#include "core/gfx/fourcc.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/base/math.h"

/* Where a channel lies in the little-endian number that a pixel is. */
struct channel {
    uint8_t shift, bits;
};

struct format {
    char name[5];
    uint8_t bytes;
    struct channel red, green, blue;
};

static const struct format FORMATS[] = {
    {"XR24", 4, {16, 8}, {8, 8}, {0, 8}},     {"AR24", 4, {16, 8}, {8, 8}, {0, 8}},
    {"XB24", 4, {0, 8}, {8, 8}, {16, 8}},     {"AB24", 4, {0, 8}, {8, 8}, {16, 8}},
    {"RX24", 4, {24, 8}, {16, 8}, {8, 8}},    {"RA24", 4, {24, 8}, {16, 8}, {8, 8}},
    {"BX24", 4, {8, 8}, {16, 8}, {24, 8}},    {"BA24", 4, {8, 8}, {16, 8}, {24, 8}},
    {"XR30", 4, {20, 10}, {10, 10}, {0, 10}}, {"AR30", 4, {20, 10}, {10, 10}, {0, 10}},
    {"XB30", 4, {0, 10}, {10, 10}, {20, 10}}, {"AB30", 4, {0, 10}, {10, 10}, {20, 10}},
    {"RG24", 3, {16, 8}, {8, 8}, {0, 8}},     {"BG24", 3, {0, 8}, {8, 8}, {16, 8}},
    {"RG16", 2, {11, 5}, {5, 6}, {0, 5}},     {"BG16", 2, {0, 5}, {5, 6}, {11, 5}},
    {"XR15", 2, {10, 5}, {5, 5}, {0, 5}},     {"AR15", 2, {10, 5}, {5, 5}, {0, 5}},
    {"XB15", 2, {0, 5}, {5, 5}, {10, 5}},     {"AB15", 2, {0, 5}, {5, 5}, {10, 5}},
};

static const struct format *find(uint32_t fourcc)
{
    for (size_t i = 0; i < SM_COUNT_OF(FORMATS); i++)
        if (sm_fourcc(FORMATS[i].name) == fourcc)
            return &FORMATS[i];
    return NULL;
}

uint32_t sm_fourcc_pixel_bytes(uint32_t fourcc)
{
    const struct format *format = find(fourcc);
    return format ? format->bytes : 0;
}

static inline uint32_t take(uint32_t pixel, struct channel channel)
{
    uint32_t value = pixel >> channel.shift & ((1u << channel.bits) - 1);
    if (channel.bits >= 8)
        return value >> (channel.bits - 8);
    return value << (8 - channel.bits) | value >> (2 * channel.bits - 8);
}

static inline void convert(const struct format *format, uint32_t bytes, uint8_t *to,
                           const uint8_t *from, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t pixel = from[bytes * x] | (uint32_t)from[bytes * x + 1] << 8;
        if (bytes > 2)
            pixel |= (uint32_t)from[bytes * x + 2] << 16;
        if (bytes > 3)
            pixel |= (uint32_t)from[bytes * x + 3] << 24;
        to[4 * x] = (uint8_t)take(pixel, format->blue);
        to[4 * x + 1] = (uint8_t)take(pixel, format->green);
        to[4 * x + 2] = (uint8_t)take(pixel, format->red);
        to[4 * x + 3] = 0;
    }
}

/* What nearly every buffer holds: only the top byte goes. */
static void copy_rgb(uint8_t *to, const uint8_t *from, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        to[4 * x] = from[4 * x];
        to[4 * x + 1] = from[4 * x + 1];
        to[4 * x + 2] = from[4 * x + 2];
        to[4 * x + 3] = 0;
    }
}

void sm_fourcc_row_to_xrgb(uint32_t fourcc, uint8_t *to, const uint8_t *from, uint32_t width)
{
    const struct format *format = find(fourcc);
    if (!format)
        return;
    bool is_plain = format->bytes == 4 && format->red.shift == 16 && format->red.bits == 8;
    if (is_plain)
        copy_rgb(to, from, width);
    else if (format->bytes == 4)
        convert(format, 4, to, from, width);
    else if (format->bytes == 3)
        convert(format, 3, to, from, width);
    else
        convert(format, 2, to, from, width);
}
