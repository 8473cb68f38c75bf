/* SPDX-License-Identifier: MIT */
#include "server/display/image_policy.h"

#include <stdlib.h>

#include "core/base/cpu.h"
#include "core/base/math.h"
#include "core/base/writer.h"
#include "core/codec/classify.h"
#include "core/codec/encoder.h"
#include "core/codec/glz/dictionary.h"
#include "media/libs.h"
#include "server/qxl/drawing.h"

enum {
    MAX_IMAGES = 3,          /* of one message: source, brush, mask; or two brushes */
    MIN_COMPRESS_BYTES = 54, /* smaller bitmaps are not worth a header */
    MIN_QUIC_SIDE = 3,
};

struct sm_image_policy {
    struct sm_encoder *encoder;           /* owned */
    struct sm_glz_dictionary *dictionary; /* owned; NULL: no GLZ */
    uint32_t window_px;
    struct sm_writer data[MAX_IMAGES];  /* encoded bytes */
    struct sm_image images[MAX_IMAGES]; /* what the message points to instead */
    unsigned used;
    bool used_glz; /* for one of them */
};

static enum sm_status make_encoder(struct sm_encoder **out, struct sm_glz_dictionary *dictionary)
{
    struct sm_encoder_config config = {
        .libs = &sm_media_codec_libs,
        .dictionary = dictionary,
        .max_pixels = SM_MAX_PIXELS,
        .cpu_flags = sm_cpu_detect(),
    };
    return sm_encoder_create(out, &config);
}

enum sm_status sm_image_policy_create(struct sm_image_policy **out)
{
    struct sm_image_policy *policy = calloc(1, sizeof(*policy));
    if (!policy)
        return SM_ERR_NOMEM;
    enum sm_status status = make_encoder(&policy->encoder, NULL);
    if (status) {
        free(policy);
        return status;
    }
    for (unsigned i = 0; i < MAX_IMAGES; i++)
        sm_writer_init(&policy->data[i], 0);
    *out = policy;
    return SM_OK;
}

void sm_image_policy_destroy(struct sm_image_policy *policy)
{
    if (!policy)
        return;
    for (unsigned i = 0; i < MAX_IMAGES; i++)
        sm_writer_finish(&policy->data[i]);
    sm_encoder_destroy(policy->encoder);
    sm_glz_dictionary_destroy(policy->dictionary);
    free(policy);
}

enum sm_status sm_image_policy_enable_glz(struct sm_image_policy *policy, uint32_t window_px)
{
    struct sm_glz_dictionary *dictionary;
    struct sm_encoder *encoder;
    enum sm_status status = sm_glz_dictionary_create(&dictionary, window_px, 0, NULL);
    if (status)
        return status;
    status = make_encoder(&encoder, dictionary);
    if (status) {
        sm_glz_dictionary_destroy(dictionary);
        return status;
    }
    sm_encoder_destroy(policy->encoder);
    sm_glz_dictionary_destroy(policy->dictionary);
    policy->encoder = encoder;
    policy->dictionary = dictionary;
    policy->window_px = window_px;
    return SM_OK;
}

static struct sm_pixels_in pixels_of(const struct sm_bitmap *bitmap)
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

static enum sm_image_codec choose_glz(const struct sm_image_policy *policy,
                                      const struct sm_pixels_in *in)
{
    bool fits = policy->dictionary && (uint64_t)in->width * in->height < policy->window_px;
    return fits && sm_codec_can_encode(SM_CODEC_GLZ, in->format) ? SM_CODEC_GLZ : choose_lz(in);
}

static enum sm_image_codec choose(const struct sm_image_policy *policy,
                                  const struct sm_image_receiver *receiver,
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
        return choose_glz(policy, in);
    case SM_COMPRESSION_LZ4:
        return receiver->has_lz4 && sm_codec_can_encode(SM_CODEC_LZ4, in->format) ? SM_CODEC_LZ4
                                                                                  : choose_lz(in);
    case SM_COMPRESSION_AUTO_LZ:
        return can_quic(in) && is_photo(in) ? SM_CODEC_QUIC : choose_lz(in);
    case SM_COMPRESSION_AUTO_GLZ:
        return can_quic(in) && is_photo(in) ? SM_CODEC_QUIC : choose_glz(policy, in);
    }
    return SM_CODEC_BITMAP;
}

/* ---- encoding ---- */

/* False if the image does not get smaller or the codec has no form for it. */
static bool encode(struct sm_image_policy *policy, enum sm_image_codec codec,
                   struct sm_writer *data, const struct sm_image *from, struct sm_image *to)
{
    struct sm_pixels_in in = pixels_of(&from->bitmap);
    if (codec == SM_CODEC_BITMAP || !sm_codec_can_encode(codec, in.format))
        return false;
    struct sm_encoded info;
    sm_writer_finish(data);
    sm_writer_init(data, from->bitmap.data.size);
    if (sm_image_encode(policy->encoder, &codec, &in, &info, data) != SM_OK)
        return false;
    policy->used_glz = policy->used_glz || codec == SM_CODEC_GLZ;
    *to = (struct sm_image){
        .id = from->id,
        .type = (uint8_t)codec,
        .flags = from->flags & SM_IMAGE_FLAG_HIGH_BITS_SET,
        .width = from->width,
        .height = from->height,
        .palette = from->bitmap.palette,
        .palette_flags = info.is_top_down ? SM_BITMAP_FLAG_TOP_DOWN : 0,
        .data = sm_writer_bytes(data),
    };
    return true;
}

static enum sm_image_codec codec_for(const struct sm_image_policy *policy,
                                     const struct sm_image_receiver *receiver,
                                     const struct sm_image *image)
{
    if (image->type != SM_IMAGE_TYPE_BITMAP || receiver->is_local ||
        image->bitmap.data.size < MIN_COMPRESS_BYTES)
        return SM_CODEC_BITMAP;
    struct sm_pixels_in in = pixels_of(&image->bitmap);
    return choose(policy, receiver, &in);
}

static void replace(struct sm_image_policy *policy, const struct sm_image_receiver *receiver,
                    const struct sm_image **at, bool is_mask)
{
    if (!*at || policy->used == MAX_IMAGES)
        return;
    unsigned slot = policy->used++;
    struct sm_image *image = &policy->images[slot];
    enum sm_image_codec codec = is_mask ? SM_CODEC_BITMAP : codec_for(policy, receiver, *at);
    if (!encode(policy, codec, &policy->data[slot], *at, image)) {
        *image = **at;
        /* No cache is kept for clients yet, so nothing may claim to be in it. */
        image->flags &= SM_IMAGE_FLAG_HIGH_BITS_SET;
    }
    *at = image;
}

static void replace_brush(struct sm_image_policy *policy, const struct sm_image_receiver *receiver,
                          struct sm_brush *brush)
{
    if (brush->type == SM_BRUSH_TYPE_PATTERN)
        replace(policy, receiver, &brush->image, false);
}

static void replace_mask(struct sm_image_policy *policy, const struct sm_image_receiver *receiver,
                         struct sm_qmask *mask)
{
    replace(policy, receiver, &mask->bitmap, true);
}

void sm_image_policy_apply(struct sm_image_policy *policy, const struct sm_image_receiver *receiver,
                           struct sm_display_msg *msg)
{
    policy->used = 0;
    policy->used_glz = false;
    switch (msg->type) {
    case SM_MSG_DISPLAY_DRAW_FILL:
        replace_brush(policy, receiver, &msg->draw_fill.brush);
        replace_mask(policy, receiver, &msg->draw_fill.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        replace(policy, receiver, &msg->draw_opaque.src_bitmap, false);
        replace_brush(policy, receiver, &msg->draw_opaque.brush);
        replace_mask(policy, receiver, &msg->draw_opaque.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_COPY:
        replace(policy, receiver, &msg->draw_copy.src_bitmap, false);
        replace_mask(policy, receiver, &msg->draw_copy.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_BLEND:
        replace(policy, receiver, &msg->draw_blend.src_bitmap, false);
        replace_mask(policy, receiver, &msg->draw_blend.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_BLACKNESS:
        replace_mask(policy, receiver, &msg->draw_blackness.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_WHITENESS:
        replace_mask(policy, receiver, &msg->draw_whiteness.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_INVERS:
        replace_mask(policy, receiver, &msg->draw_invers.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_ROP3:
        replace(policy, receiver, &msg->draw_rop3.src_bitmap, false);
        replace_brush(policy, receiver, &msg->draw_rop3.brush);
        replace_mask(policy, receiver, &msg->draw_rop3.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_STROKE:
        replace_brush(policy, receiver, &msg->draw_stroke.brush);
        break;
    case SM_MSG_DISPLAY_DRAW_TEXT:
        replace_brush(policy, receiver, &msg->draw_text.fore_brush);
        replace_brush(policy, receiver, &msg->draw_text.back_brush);
        break;
    case SM_MSG_DISPLAY_DRAW_TRANSPARENT:
        replace(policy, receiver, &msg->draw_transparent.src_bitmap, false);
        break;
    case SM_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        replace(policy, receiver, &msg->draw_alpha_blend.src_bitmap, false);
        break;
    case SM_MSG_DISPLAY_DRAW_COMPOSITE:
        replace(policy, receiver, &msg->draw_composite.src_bitmap, false);
        if (msg->draw_composite.flags & SM_COMPOSITE_FLAG_HAS_MASK)
            replace(policy, receiver, &msg->draw_composite.mask_bitmap, false);
        break;
    default:
        break; /* carries no image */
    }
}

bool sm_image_policy_used_glz(const struct sm_image_policy *policy)
{
    return policy->used_glz;
}
