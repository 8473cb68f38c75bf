/* SPDX-License-Identifier: MIT */
/* Rows of the guest's pixels, whose fourth byte means nothing, and rows of ours, where it is 0xff:
 * to the toolkit it is transparency. */
#ifndef SM_VIEWER_PIXELS_H
#define SM_VIEWER_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SM_PIXEL_BYTES = 4 };

/** Copies `count` pixels of the guest's to ours. */
void sm_pixels_copy(uint8_t *to, const uint8_t *from, size_t count);

/** Whether one of `count` pixels has another colour. */
bool sm_pixels_differ(const uint8_t *a, const uint8_t *b, size_t count);

/** Makes `count` pixels of ours the guest's `pixel`. */
void sm_pixels_fill(uint8_t *to, uint32_t pixel, size_t count);

/** Whether one of `count` pixels has another colour than `pixel`. */
bool sm_pixels_differ_from(const uint8_t *pixels, uint32_t pixel, size_t count);

#endif
