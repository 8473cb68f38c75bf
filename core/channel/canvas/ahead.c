/* SPDX-License-Identifier: MIT */
#include "core/channel/canvas/ahead.h"

#include "core/channel/canvas/operand.h"

/* Images of 16 bits are widened while decoding unless they are kept, those of 24 bits always. */
enum sm_pixel_format sm_ahead_image_format(const struct sm_ahead_image *image,
                                           enum sm_pixel_format native)
{
    enum sm_image_codec codec = image->coded.codec;
    if (native == SM_PIXEL_RGB24)
        return SM_PIXEL_XRGB32;
    bool is_stream = codec == SM_CODEC_QUIC || codec == SM_CODEC_LZ_RGB;
    if (native == SM_PIXEL_RGB555 && is_stream && !image->is_kept &&
        sm_pixel_bits(image->target) == 32)
        return SM_PIXEL_XRGB32;
    return native;
}

void sm_ahead_image_set_high_bits(const struct sm_ahead_image *image,
                                  const struct sm_pixels *pixels)
{
    if (!image->has_high_bits || pixels->format != SM_PIXEL_XRGB32)
        return;
    for (uint32_t y = 0; y < pixels->height; y++) {
        uint8_t *row = sm_pixels_row(pixels, y);
        for (uint32_t x = 0; x < pixels->width; x++)
            row[4 * (size_t)x + 3] = 0xff;
    }
}

static enum sm_status make_picture(const struct sm_ahead_image *image, struct sm_decoder *decoder,
                                   struct sm_picture **picture, const char **reason)
{
    const struct sm_codec_image *coded = &image->coded;
    enum sm_pixel_format format = SM_PIXEL_NONE;
    enum sm_status status = sm_image_native_format(decoder, coded, image->target, &format);
    if (status != SM_OK)
        return status;
    if (format == SM_PIXEL_GRAY8 || format == SM_PIXEL_INDEX1_LE || format == SM_PIXEL_INDEX1_BE) {
        *reason = "an image has a format no picture may have";
        return SM_ERR_PROTOCOL;
    }
    uint64_t limit = image->max_pixels ? image->max_pixels : SM_CODEC_MAX_PIXELS;
    if (coded->width == 0 || coded->height == 0 || (uint64_t)coded->width * coded->height > limit) {
        *reason = "an image is empty or too large";
        return SM_ERR_LIMIT;
    }
    status = sm_picture_create(picture, sm_ahead_image_format(image, format), coded->width,
                               coded->height);
    if (status != SM_OK)
        *reason = "no memory for an image";
    return status;
}

enum sm_status sm_ahead_image_decode(const struct sm_ahead_image *image, struct sm_decoder *decoder,
                                     struct sm_picture **picture, const char **reason)
{
    *reason = NULL;
    if (!*picture) { /* else this is a GLZ image that waited */
        enum sm_status status = make_picture(image, decoder, picture, reason);
        if (status != SM_OK)
            return status;
    }
    const struct sm_pixels *pixels = sm_picture_pixels(*picture);
    enum sm_status status = sm_image_decode(decoder, &image->coded, pixels);
    if (status == SM_OK)
        sm_ahead_image_set_high_bits(image, pixels);
    return status;
}

static bool hangs_on_nothing(const struct sm_image *image)
{
    switch (image->type) {
    case SM_IMAGE_TYPE_QUIC:
    case SM_IMAGE_TYPE_LZ_RGB:
    case SM_IMAGE_TYPE_LZ4:
    case SM_IMAGE_TYPE_JPEG:
    case SM_IMAGE_TYPE_JPEG_ALPHA:
        return true;
    default:
        return false;
    }
}

bool sm_ahead_image_init(struct sm_ahead_image *out, const struct sm_canvas *canvas,
                         const struct sm_display_msg *msg)
{
    const struct sm_image *image =
        msg->type == SM_MSG_DISPLAY_DRAW_COPY ? msg->draw_copy.src_bitmap : NULL;
    if (!image || !hangs_on_nothing(image))
        return false;
    const struct sm_surface *surface = sm_canvas_surface(canvas, msg->draw_copy.base.surface_id);
    *out = sm_operand_image(canvas, image,
                            surface ? sm_surface_pixels(surface)->format : SM_PIXEL_XRGB32);
    return true;
}
