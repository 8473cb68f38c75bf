/* SPDX-License-Identifier: MIT */
#include "viewer/pixels.h"

#include <string.h>

#include <glib.h>

enum { BLOCK = 16 /* pixels that are copied or compared at once */ };

/* The fourth byte has no meaning on the wire; to the toolkit it would be transparency. Blocks of a
 * fixed length are what compilers turn into vectors. */
static void copy_block(uint8_t *to, const uint8_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t pixel;
        memcpy(&pixel, from + i * SM_PIXEL_BYTES, sizeof(pixel));
        pixel |= GUINT32_TO_LE(0xff000000u);
        memcpy(to + i * SM_PIXEL_BYTES, &pixel, sizeof(pixel));
    }
}

void sm_pixels_copy(uint8_t *to, const uint8_t *from, size_t count)
{
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK)
        copy_block(to + i * SM_PIXEL_BYTES, from + i * SM_PIXEL_BYTES, BLOCK);
    copy_block(to + i * SM_PIXEL_BYTES, from + i * SM_PIXEL_BYTES, count - i);
}

static bool do_blocks_differ(const uint8_t *a, const uint8_t *b, size_t count)
{
    uint32_t difference = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t one, other;
        memcpy(&one, a + i * SM_PIXEL_BYTES, sizeof(one));
        memcpy(&other, b + i * SM_PIXEL_BYTES, sizeof(other));
        difference |= one ^ other;
    }
    return difference & GUINT32_TO_LE(0x00ffffffu);
}

bool sm_pixels_differ(const uint8_t *a, const uint8_t *b, size_t count)
{
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK)
        if (do_blocks_differ(a + i * SM_PIXEL_BYTES, b + i * SM_PIXEL_BYTES, BLOCK))
            return true;
    return do_blocks_differ(a + i * SM_PIXEL_BYTES, b + i * SM_PIXEL_BYTES, count - i);
}

static void fill_block(uint8_t *to, uint32_t pixel, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(to + i * SM_PIXEL_BYTES, &pixel, sizeof(pixel));
}

void sm_pixels_fill(uint8_t *to, uint32_t pixel, size_t count)
{
    const uint32_t ours = GUINT32_TO_LE(pixel | 0xff000000u);
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK)
        fill_block(to + i * SM_PIXEL_BYTES, ours, BLOCK);
    fill_block(to + i * SM_PIXEL_BYTES, ours, count - i);
}

static bool does_block_differ_from(const uint8_t *pixels, uint32_t pixel, size_t count)
{
    uint32_t difference = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t found;
        memcpy(&found, pixels + i * SM_PIXEL_BYTES, sizeof(found));
        difference |= found ^ pixel;
    }
    return difference & GUINT32_TO_LE(0x00ffffffu);
}

bool sm_pixels_differ_from(const uint8_t *pixels, uint32_t pixel, size_t count)
{
    const uint32_t wanted = GUINT32_TO_LE(pixel);
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK)
        if (does_block_differ_from(pixels + i * SM_PIXEL_BYTES, wanted, BLOCK))
            return true;
    return does_block_differ_from(pixels + i * SM_PIXEL_BYTES, wanted, count - i);
}
