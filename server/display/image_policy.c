/* SPDX-License-Identifier: MIT */
#include "server/display/image_policy.h"

#include "core/codec/classify.h"
#include "core/codec/encoder.h"
#include "server/display/glz_share.h"
#include "server/display/image_costs.h"

enum {
    MIN_COMPRESS_BYTES = 54, /* smaller bitmaps are not worth a header */
    MIN_QUIC_SIDE = 3,
    MIN_JPEG_PIXELS = 32 * 32, /* its tables take 600 bytes */
    /* Below, a look costs more than it can save. */
    MIN_EXAMINE_PIXELS = 16 << 10,
    /* Bytes a second: faster lines count as this one, for bytes are never free. */
    MOST_RATE = 12500000,
    BETTER_PART = 8, /* another codec has to be so much quicker than the usual one */
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

/* What is right to the pixel, as the setting says; for auto what is right mostly. */
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

static enum sm_image_codec deflated(const struct sm_image_receiver *receiver,
                                    enum sm_image_codec codec)
{
    return codec == SM_CODEC_GLZ && receiver->wants_zlib ? SM_CODEC_ZLIB_GLZ : codec;
}

static bool is_auto(const struct sm_image_receiver *receiver)
{
    return receiver->compression == SM_COMPRESSION_AUTO_LZ ||
           receiver->compression == SM_COMPRESSION_AUTO_GLZ;
}

static uint64_t rate_of(const struct sm_image_receiver *receiver)
{
    uint64_t rate = receiver->rate_bytes_s;
    return rate > 0 && rate < MOST_RATE ? rate : MOST_RATE;
}

/* Whether the client can be sent it, the host having left the choice to us. */
static bool is_candidate(const struct sm_image_receiver *receiver, const struct sm_pixels_in *in,
                         enum sm_image_codec codec)
{
    switch (codec) {
    case SM_CODEC_QUIC:
        return can_quic(in);
    case SM_CODEC_LZ4:
        return receiver->has_lz4 && sm_codec_can_encode(codec, in->format);
    default:
        return sm_codec_can_encode(codec, in->format);
    }
}

/* The codec whose picture is there first, if the usual one is clearly later. */
static enum sm_image_codec choose_by_cost(const struct sm_image_receiver *receiver,
                                          const struct sm_pixels_in *in,
                                          const struct sm_image_traits *traits,
                                          enum sm_image_codec usual)
{
    /* Not LZ for GLZ: what GLZ has seen makes later pictures smaller. */
    enum sm_image_codec lz = deflated(receiver, choose_glz(receiver, in));
    if (receiver->compression == SM_COMPRESSION_AUTO_LZ)
        lz = SM_CODEC_LZ_RGB;
    const enum sm_image_codec others[] = {lz, SM_CODEC_QUIC, SM_CODEC_LZ4};
    uint64_t rate = rate_of(receiver);
    struct sm_codec_estimate estimate = sm_image_costs_expect(receiver->costs, traits, usual);
    uint64_t least_us = sm_image_costs_arrival_us(&estimate, rate);
    enum sm_image_codec best = usual;
    least_us -= least_us / BETTER_PART;
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i] == usual || !is_candidate(receiver, in, others[i]))
            continue;
        estimate = sm_image_costs_expect(receiver->costs, traits, others[i]);
        uint64_t us = sm_image_costs_arrival_us(&estimate, rate);
        if (us < least_us) {
            least_us = us;
            best = others[i];
        }
    }
    return best;
}

static struct sm_image_choice choose(const struct sm_image_receiver *receiver,
                                     const struct sm_pixels_in *in)
{
    uint64_t pixels = (uint64_t)in->width * in->height;
    struct sm_image_choice choice = {.codec = deflated(receiver, choose_exact(receiver, in))};
    bool is_photograph = choice.codec == SM_CODEC_QUIC;
    if (is_photograph && receiver->may_be_lossy && pixels >= MIN_JPEG_PIXELS) {
        choice.codec = in->format == SM_PIXEL_ARGB32 ? SM_CODEC_JPEG_ALPHA : SM_CODEC_JPEG;
        return choice;
    }
    struct sm_image_traits traits;
    if (!is_auto(receiver) || pixels < MIN_EXAMINE_PIXELS || sm_image_examine(in, &traits))
        return choice;
    choice.codec = choose_by_cost(receiver, in, &traits, choice.codec);
    choice.expected = sm_image_costs_general(&traits, choice.codec);
    choice.is_expected = true;
    return choice;
}

struct sm_image_choice sm_image_policy_choose(const struct sm_image_receiver *receiver,
                                              const struct sm_image *image)
{
    struct sm_image_choice none = {.codec = SM_CODEC_BITMAP};
    if (image->type != SM_IMAGE_TYPE_BITMAP || receiver->is_local ||
        image->bitmap.data.size < MIN_COMPRESS_BYTES)
        return none;
    struct sm_pixels_in in = sm_image_policy_pixels(&image->bitmap);
    struct sm_image_choice choice = choose(receiver, &in);
    return sm_codec_can_encode(choice.codec, in.format) ? choice : none;
}
