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
