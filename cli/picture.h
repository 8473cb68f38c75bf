/* SPDX-License-Identifier: MIT */
/* Pixels as a PNG file, through libpng. */
#ifndef SM_CLI_PICTURE_H
#define SM_CLI_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * Writes `width` × `height` pixels (32 bits each: blue, green, red, and one byte that is left out)
 * as a PNG of 8-bit RGB. Rows are compressed one by one: no second copy of the picture is made.
 *
 * @param width  and `height`, in pixels, at least 1
 * @return false if memory ran out or `out` could not be written (ferror() tells)
 */
bool cli_picture_write(FILE *out, const uint8_t *pixels, size_t stride_bytes, uint32_t width,
                       uint32_t height);

/**
 * Reads the PNG file at `path` as 32 bits a pixel: bytes blue, green, red, alpha, rows without
 * gaps.
 *
 * @param pixels  receives them, malloc'ed, owned by the caller; untouched on failure
 * @return NULL, or why it cannot be read; static
 */
const char *cli_picture_read(const char *path, uint8_t **pixels, uint32_t *width, uint32_t *height);

#endif
