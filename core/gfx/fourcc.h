/* SPDX-License-Identifier: MIT */
/*
 * Pixels as graphics memory holds them, named by the four characters that drivers use ("XR24"):
 * packed formats of one plane. Source: drm_fourcc.h of the Linux kernel.
 */
#ifndef SM_CORE_GFX_FOURCC_H
#define SM_CORE_GFX_FOURCC_H

#include <stdbool.h>
#include <stdint.h>

/** How the pixels of a picture lie in memory, row behind row. */
struct sm_pixel_layout {
    uint32_t width, height; /* pixels */
    uint32_t stride_bytes;
    uint32_t fourcc;
    bool is_y0_top; /* the first row is the top one; else the last is */
};

/** The number that stands for four characters, such as sm_fourcc("XR24"). */
static inline uint32_t sm_fourcc(const char name[4])
{
    return (uint32_t)(uint8_t)name[0] | (uint32_t)(uint8_t)name[1] << 8 |
           (uint32_t)(uint8_t)name[2] << 16 | (uint32_t)(uint8_t)name[3] << 24;
}

/** Bytes a pixel takes; 0 for formats that are not known here, such as those of several planes. */
uint32_t sm_fourcc_pixel_bytes(uint32_t fourcc);

/**
 * Writes `width` pixels of a known format as XRGB32 with a top byte of zero: a screen has nothing
 * below it, so alpha means nothing. Channels of fewer bits are widened by repeating them, of more
 * bits cut.
 */
void sm_fourcc_row_to_xrgb(uint32_t fourcc, uint8_t *to, const uint8_t *from, uint32_t width);

#endif
