/* SPDX-License-Identifier: MIT */
#include "cli/picture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>

#include <png.h>

/* Screens compress well at any level; this one takes a third of the default's time. */
enum { COMPRESSION_LEVEL = 4 };

enum { SIDE_MAX = 8192 /* of a picture that is read */ };

static void ignore_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void leave(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static void write_rows(png_structp png, png_infop info, FILE *out, const uint8_t *pixels,
                       size_t stride_bytes, uint32_t width, uint32_t height)
{
    png_init_io(png, out);
    png_set_compression_level(png, COMPRESSION_LEVEL);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    png_set_bgr(png);
    png_set_filler(png, 0, PNG_FILLER_AFTER);
    for (uint32_t y = 0; y < height; y++)
        png_write_row(png, pixels + y * stride_bytes);
    png_write_end(png, info);
}

bool cli_picture_write(FILE *out, const uint8_t *pixels, size_t stride_bytes, uint32_t width,
                       uint32_t height)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, leave, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    volatile bool is_good = false;
    if (info && setjmp(png_jmpbuf(png)) == 0) {
        write_rows(png, info, out, pixels, stride_bytes, width, height);
        is_good = true;
    }
    png_destroy_write_struct(&png, info ? &info : NULL);
    return is_good && !ferror(out);
}

const char *cli_picture_read(const char *path, uint8_t **pixels, uint32_t *width, uint32_t *height)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&image, path))
        return errno == ENOENT ? "no such file" : "it is no PNG file that can be read";
    image.format = PNG_FORMAT_BGRA;
    const char *reason = "it is no PNG file that can be read";
    if (image.width > SIDE_MAX || image.height > SIDE_MAX) {
        png_image_free(&image);
        return "it is too large";
    }
    uint8_t *read = malloc(PNG_IMAGE_SIZE(image));
    if (read && png_image_finish_read(&image, NULL, read, 0, NULL)) {
        *pixels = read;
        *width = image.width;
        *height = image.height;
        return NULL;
    }
    png_image_free(&image);
    if (!read)
        reason = "out of memory";
    free(read);
    return reason;
}
