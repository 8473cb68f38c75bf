/* SPDX-License-Identifier: MIT */
#include "server/display/image_policy.h"

#include "core/codec/classify.h"
#include "core/codec/encoder.h"
#include "server/display/glz_share.h"

enum {
    MIN_COMPRESS_BYTES = 54, /* smaller bitmaps are not worth a header */
    MIN_QUIC_SIDE = 3,
    MIN_JPEG_PIXELS = 32 * 32, /* its tables take 600 bytes */
};

struct sm_pixels_in sm_image_policy_pixels(const struct sm_bitmap *bitmap)
{
    return (struct sm_pixels_in){
        .format = sm_bitmap_format(bitmap->format),
        .width = bitmap->x,
        .height = bitmap->y,
        .is_top_down = bitmap->flags & SM_BITMAP_FLAG_TOP_DOWN,
        .stride_bytes = bitmap->stride,
        .data = bitmap->data,
    };
}

/* ---- the choice; source: docs/display.md, "Images" ---- */

static bool can_quic(const struct sm_pixels_in *in)
{
    return in->width >= MIN_QUIC_SIDE && in->height >= MIN_QUIC_SIDE &&
           sm_codec_can_encode(SM_CODEC_QUIC, in->format);
}

/* The score wants tightly packed rows. */
static bool is_photo(const struct sm_pixels_in *in)
{
    if (in->stride_bytes != sm_pixel_row_bytes(in->format, in->width))
        return false;
    struct sm_graduality_score score = {0};
    sm_graduality_add(&score, in->format, in->data.data, in->width, in->height);
    return sm_graduality_judge(&score, in->format) == SM_GRADUALITY_HIGH;
}

static enum sm_image_codec choose_lz(const struct sm_pixels_in *in)
{
    return sm_pixel_is_index(in->format) ? SM_CODEC_LZ_PALETTE : SM_CODEC_LZ_RGB;
}

static enum sm_image_codec choose_glz(const struct sm_image_receiver *receiver,
                                      const struct sm_pixels_in *in)
{
    bool fits =
        receiver->glz && (uint64_t)in->width * in->height < sm_glz_share_window_px(receiver->glz);
    return fits && sm_codec_can_encode(SM_CODEC_GLZ, in->format) ? SM_CODEC_GLZ : choose_lz(in);
}

/* What is right to the pixel, as the setting says. */
static enum sm_image_codec choose_exact(const struct sm_image_receiver *receiver,
                                        const struct sm_pixels_in *in)
{
    switch (receiver->compression) {
    case SM_COMPRESSION_OFF:
        break;
    case SM_COMPRESSION_QUIC:
        return can_quic(in) ? SM_CODEC_QUIC : SM_CODEC_BITMAP;
    case SM_COMPRESSION_LZ:
        return choose_lz(in);
    case SM_COMPRESSION_GLZ:
        return choose_glz(receiver, in);
    case SM_COMPRESSION_LZ4:
        return receiver->has_lz4 && sm_codec_can_encode(SM_CODEC_LZ4, in->format) ? SM_CODEC_LZ4
                                                                                  : choose_lz(in);
    case SM_COMPRESSION_AUTO_LZ:
        return can_quic(in) && is_photo(in) ? SM_CODEC_QUIC : choose_lz(in);
    case SM_COMPRESSION_AUTO_GLZ:
        return can_quic(in) && is_photo(in) ? SM_CODEC_QUIC : choose_glz(receiver, in);
    }
    return SM_CODEC_BITMAP;
}

static enum sm_image_codec choose(const struct sm_image_receiver *receiver,
                                  const struct sm_pixels_in *in)
{
    enum sm_image_codec codec = choose_exact(receiver, in);
    if (codec == SM_CODEC_GLZ && receiver->wants_zlib)
        return SM_CODEC_ZLIB_GLZ;
    if (codec == SM_CODEC_QUIC && receiver->may_be_lossy &&
        (uint64_t)in->width * in->height >= MIN_JPEG_PIXELS)
        return in->format == SM_PIXEL_ARGB32 ? SM_CODEC_JPEG_ALPHA : SM_CODEC_JPEG;
    return codec;
}

enum sm_image_codec sm_image_policy_choose(const struct sm_image_receiver *receiver,
                                           const struct sm_image *image)
{
    if (image->type != SM_IMAGE_TYPE_BITMAP || receiver->is_local ||
        image->bitmap.data.size < MIN_COMPRESS_BYTES)
        return SM_CODEC_BITMAP;
    struct sm_pixels_in in = sm_image_policy_pixels(&image->bitmap);
    enum sm_image_codec codec = choose(receiver, &in);
    return sm_codec_can_encode(codec, in.format) ? codec : SM_CODEC_BITMAP;
}
