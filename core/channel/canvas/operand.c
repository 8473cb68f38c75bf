/* SPDX-License-Identifier: MIT */
#include "core/channel/canvas/operand.h"

#include <string.h>

#include "core/codec/codec.h"
#include "core/gfx/convert.h"

void sm_canvas_drop(struct sm_canvas *canvas, const char *reason)
{
    canvas->is_dropped = true;
    canvas->reason = reason;
}

static enum sm_status refuse(struct sm_canvas *canvas, enum sm_status status, const char *reason)
{
    canvas->reason = reason;
    return status;
}

void sm_operands_release(struct sm_canvas *canvas)
{
    for (unsigned i = 0; i < SM_OPERAND_COUNT; i++) {
        sm_picture_unref(canvas->operands[i].picture);
        canvas->operands[i] = (struct sm_operand){0};
    }
}

static bool is_one_bit(enum sm_pixel_format format)
{
    return format == SM_PIXEL_INDEX1_LE || format == SM_PIXEL_INDEX1_BE;
}

static bool is_lossy(const struct sm_image *image)
{
    return image->type == SM_IMAGE_TYPE_JPEG || image->type == SM_IMAGE_TYPE_JPEG_ALPHA;
}

static bool is_for_cache(const struct sm_canvas *canvas, const struct sm_image *image)
{
    return canvas->config.cache &&
           (image->flags & (SM_IMAGE_FLAG_CACHE_ME | SM_IMAGE_FLAG_CACHE_REPLACE_ME)) != 0;
}

/* The part of an image that speaks of its palette, wherever its type has it. */
struct palette_place {
    uint8_t flags;
    uint64_t id;
    const struct sm_palette *palette;
};

static struct palette_place palette_place(const struct sm_image *image)
{
    if (image->type == SM_IMAGE_TYPE_LZ_PLT)
        return (struct palette_place){image->palette_flags, image->palette_id, image->palette};
    if (image->type == SM_IMAGE_TYPE_BITMAP)
        return (struct palette_place){image->bitmap.flags, image->bitmap.palette_id,
                                      image->bitmap.palette};
    return (struct palette_place){0};
}

static bool has_effects(const struct sm_canvas *canvas, const struct sm_image *image)
{
    struct palette_place place = palette_place(image);
    return is_for_cache(canvas, image) || image->type == SM_IMAGE_TYPE_GLZ_RGB ||
           image->type == SM_IMAGE_TYPE_ZLIB_GLZ_RGB ||
           (canvas->config.cache && place.flags & SM_BITMAP_FLAG_PAL_CACHE_ME);
}

static enum sm_status load_palette(struct sm_canvas *canvas, const struct sm_image *image,
                                   struct sm_codec_palette *out)
{
    struct palette_place place = palette_place(image);
    if (canvas->config.cache && place.flags & SM_BITMAP_FLAG_PAL_FROM_CACHE) {
        const struct sm_cached_palette *cached = sm_palette_cache_find(&canvas->palettes, place.id);
        if (!cached)
            return refuse(canvas, SM_ERR_PROTOCOL, "a palette is not in the cache");
        out->entries = cached->entries;
        out->count = cached->count;
        return SM_OK;
    }
    if (!place.palette)
        return SM_OK; /* the decoder knows whether one is needed */
    if (place.palette->num_ents > SM_PALETTE_MAX_ENTRIES)
        return refuse(canvas, SM_ERR_LIMIT, "a palette has more than 256 entries");
    out->entries = place.palette->ents;
    out->count = place.palette->num_ents;
    if (!canvas->config.cache || !(place.flags & SM_BITMAP_FLAG_PAL_CACHE_ME) ||
        place.palette->unique == 0)
        return SM_OK;
    enum sm_status status =
        sm_palette_cache_add(&canvas->palettes, place.palette->unique, out->entries, out->count);
    return status == SM_OK ? SM_OK : refuse(canvas, status, "the palette cache is full");
}

/* What the decoder wants to know, the palette not included. */
static struct sm_codec_image codec_image(const struct sm_canvas *canvas,
                                         const struct sm_image *image)
{
    bool is_bitmap = image->type == SM_IMAGE_TYPE_BITMAP;
    struct sm_codec_image out = {
        .codec = (enum sm_image_codec)image->type,
        .width = image->width,
        .height = image->height,
        .data = is_bitmap ? image->bitmap.data : image->data,
        .inflated_size = image->glz_data_size,
        .jpeg_size = image->jpeg_size,
    };
    if (is_bitmap) {
        out.is_top_down = (image->bitmap.flags & SM_BITMAP_FLAG_TOP_DOWN) != 0;
        out.bitmap_format = sm_bitmap_format(image->bitmap.format);
        out.bitmap_stride_bytes = image->bitmap.stride;
    } else if (image->type == SM_IMAGE_TYPE_JPEG_ALPHA) {
        out.is_top_down = (image->alpha_flags & SM_JPEG_ALPHA_FLAG_TOP_DOWN) != 0;
    }
    const struct sm_canvas_image_ops *ops = &canvas->config.images;
    if (ops->chunks && ops->chunks(ops->context, image, &out.chunks, &out.chunk_count)) {
        if (out.chunk_count <= 1) { /* one run of bytes after all, or none */
            out.data = out.chunk_count ? out.chunks[0] : (struct sm_bytes){0};
            out.chunk_count = 0;
        }
    }
    return out;
}

struct sm_ahead_image sm_operand_image(const struct sm_canvas *canvas, const struct sm_image *image,
                                       enum sm_pixel_format target)
{
    struct sm_ahead_image out = {
        .coded = codec_image(canvas, image),
        .target = target,
        .is_kept = is_for_cache(canvas, image),
        .has_high_bits = (image->flags & SM_IMAGE_FLAG_HIGH_BITS_SET) != 0,
        .max_pixels = canvas->config.max_image_pixels,
    };
    out.coded.palette.is_555 = sm_pixel_bits(target) == 16;
    return out;
}

/* A bitmap's rows where they lie; false if they are not all there. */
static bool view(const struct sm_codec_image *image, struct sm_pixels *out)
{
    uint64_t row_bytes = sm_pixel_row_bytes(image->bitmap_format, image->width);
    uint64_t size = (uint64_t)image->bitmap_stride_bytes * image->height;
    if (image->chunk_count || image->width == 0 || image->height == 0 ||
        image->bitmap_stride_bytes < row_bytes || size > image->data.size ||
        image->bitmap_stride_bytes > INT32_MAX)
        return false;
    ptrdiff_t stride = (ptrdiff_t)image->bitmap_stride_bytes;
    uint8_t *first = (uint8_t *)(uintptr_t)image->data.data; /* only read */
    *out = (struct sm_pixels){
        .data = image->is_top_down ? first : first + (size_t)(size - image->bitmap_stride_bytes),
        .stride_bytes = image->is_top_down ? stride : -stride,
        .width = image->width,
        .height = image->height,
        .format = image->bitmap_format,
    };
    return true;
}

static bool is_direct_format(enum sm_pixel_format format)
{
    return format == SM_PIXEL_XRGB32 || format == SM_PIXEL_ARGB32 || format == SM_PIXEL_RGB555 ||
           format == SM_PIXEL_A8;
}

static enum sm_status put_in_cache(struct sm_canvas *canvas, const struct sm_image *image,
                                   struct sm_picture *picture)
{
    enum sm_status status = SM_OK;
    if (!is_for_cache(canvas, image))
        return SM_OK;
    if (image->flags & SM_IMAGE_FLAG_CACHE_ME)
        status = sm_image_cache_add(canvas->config.cache, image->id, picture, is_lossy(image));
    else if (is_lossy(image))
        return refuse(canvas, SM_ERR_PROTOCOL, "a lossy image would replace another");
    else
        status = sm_image_cache_replace(canvas->config.cache, image->id, picture);
    return status == SM_OK ? SM_OK : refuse(canvas, status, "the image cache is full");
}

static enum sm_status decode_failed(struct sm_canvas *canvas, enum sm_status status)
{
    if (status == SM_AGAIN) {
        canvas->wait = SM_CANVAS_WAITS_FOR_GLZ;
        canvas->awaited_id = sm_decoder_awaited(canvas->decoder);
        return SM_AGAIN;
    }
    if (status == SM_ERR_STATE) { /* a codec this build or this canvas does not have */
        sm_canvas_drop(canvas, "an image needs a codec that is not there");
        return SM_OK;
    }
    return refuse(canvas, status, sm_decoder_reason(canvas->decoder));
}

/* A picture that was decoded before its turn, if there is one. */
static void take_decoded(struct sm_canvas *canvas, struct sm_operand *operand,
                         const struct sm_image *image)
{
    const struct sm_canvas_image_ops *ops = &canvas->config.images;
    if (operand->picture || !ops->decoded)
        return;
    operand->picture = ops->decoded(ops->context, image);
    operand->is_decoded = operand->picture != NULL;
}

static enum sm_status decode(struct sm_canvas *canvas, struct sm_operand *operand,
                             const struct sm_image *image, const struct sm_ahead_image *ahead)
{
    take_decoded(canvas, operand, image);
    if (!operand->is_decoded) {
        const char *reason;
        enum sm_status status =
            sm_ahead_image_decode(ahead, canvas->decoder, &operand->picture, &reason);
        if (status != SM_OK)
            return reason ? refuse(canvas, status, reason) : decode_failed(canvas, status);
    }
    operand->pixels = *sm_picture_pixels(operand->picture);
    operand->is_loaded = true;
    operand->is_palette_direct = image->type == SM_IMAGE_TYPE_BITMAP &&
                                 sm_pixel_is_index(ahead->coded.bitmap_format) && !ahead->is_kept;
    return put_in_cache(canvas, image, operand->picture);
}

/* All that the decoder wants to know; remembers the palette if it is to be kept. */
static enum sm_status describe(struct sm_canvas *canvas, const struct sm_image *image,
                               enum sm_pixel_format target, struct sm_ahead_image *out)
{
    *out = sm_operand_image(canvas, image, target);
    if (image->type == SM_IMAGE_TYPE_BITMAP &&
        (image->bitmap.x != image->width || image->bitmap.y != image->height))
        return refuse(canvas, SM_ERR_PROTOCOL, "a bitmap has another size than its image");
    return load_palette(canvas, image, &out->coded.palette);
}

/* True if the rows can be used where they lie. */
static bool has_usable_rows(const struct sm_canvas *canvas, const struct sm_image *image,
                            const struct sm_codec_image *coded)
{
    bool wants_high_bits =
        image->flags & SM_IMAGE_FLAG_HIGH_BITS_SET && coded->bitmap_format == SM_PIXEL_XRGB32;
    return image->type == SM_IMAGE_TYPE_BITMAP && is_direct_format(coded->bitmap_format) &&
           !wants_high_bits && !is_for_cache(canvas, image);
}

static enum sm_status load_coded(struct sm_canvas *canvas, struct sm_operand *operand,
                                 const struct sm_image *image, enum sm_pixel_format target)
{
    struct sm_ahead_image ahead;
    enum sm_status status = describe(canvas, image, target, &ahead);
    if (status != SM_OK)
        return status;
    if (has_usable_rows(canvas, image, &ahead.coded) && view(&ahead.coded, &operand->pixels)) {
        operand->is_loaded = true;
        return SM_OK;
    }
    return decode(canvas, operand, image, &ahead);
}

/* True if a picture of `from` lies on a target just as it was decoded. */
static bool stays_as_it_is(enum sm_pixel_format from, enum sm_pixel_format target)
{
    if (sm_pixel_bits(target) == 32)
        return from == SM_PIXEL_XRGB32 || from == SM_PIXEL_ARGB32;
    return from == target;
}

enum sm_status sm_operand_decode_to(struct sm_canvas *canvas, const struct sm_image *image,
                                    const struct sm_pixels *part, bool *is_done)
{
    *is_done = false;
    const struct sm_canvas_image_ops *ops = &canvas->config.images;
    struct sm_pixels out = *part, elsewhere;
    uintptr_t pixel_bytes = sm_pixel_bits(part->format) / 8;
    if (image->type == SM_IMAGE_TYPE_SURFACE || image->type == SM_IMAGE_TYPE_FROM_CACHE ||
        image->type == SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS || is_for_cache(canvas, image) ||
        (uintptr_t)part->data % pixel_bytes || (uintptr_t)part->stride_bytes % pixel_bytes ||
        (ops->pixels && ops->pixels(ops->context, image, &elsewhere)))
        return SM_OK;
    struct sm_operand *operand = &canvas->operands[SM_OPERAND_SOURCE];
    take_decoded(canvas, operand, image);
    if (operand->is_decoded)
        return SM_OK;
    struct sm_ahead_image ahead;
    enum sm_status status = describe(canvas, image, part->format, &ahead);
    if (status != SM_OK ||
        (has_usable_rows(canvas, image, &ahead.coded) && ahead.coded.chunk_count == 0))
        return status;
    status = sm_image_native_format(canvas->decoder, &ahead.coded, part->format, &out.format);
    if (status != SM_OK)
        return decode_failed(canvas, status);
    out.format = sm_ahead_image_format(&ahead, out.format);
    if (!stays_as_it_is(out.format, part->format))
        return SM_OK;
    *is_done = true;
    status = sm_image_decode(canvas->decoder, &ahead.coded, &out);
    if (status != SM_OK)
        return decode_failed(canvas, status);
    sm_ahead_image_set_high_bits(&ahead, &out);
    return SM_OK;
}

static enum sm_status load_cached(struct sm_canvas *canvas, struct sm_operand *operand,
                                  const struct sm_image *image)
{
    if (!canvas->config.cache) {
        sm_canvas_drop(canvas, "an image is said to be in a cache, but there is none");
        return SM_OK;
    }
    bool is_lossless_needed = image->type == SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS;
    enum sm_status status =
        sm_image_cache_get(canvas->config.cache, image->id, is_lossless_needed, &operand->picture);
    if (status == SM_AGAIN) {
        canvas->wait = SM_CANVAS_WAITS_FOR_CACHE;
        canvas->awaited_id = image->id;
        return SM_AGAIN;
    }
    operand->pixels = *sm_picture_pixels(operand->picture);
    operand->is_loaded = true;
    return SM_OK;
}

static void load_surface(struct sm_canvas *canvas, struct sm_operand *operand, uint32_t id)
{
    const struct sm_surface *surface = sm_canvas_surface(canvas, id);
    if (!surface) {
        sm_canvas_drop(canvas, "a source surface does not exist");
        return;
    }
    sm_lazy_fills_settle_surface(canvas, id);
    operand->pixels = *sm_surface_pixels(surface);
    operand->is_surface = true;
    operand->surface_id = id;
    operand->is_loaded = true;
}

static enum sm_status load(struct sm_canvas *canvas, enum sm_operand_role role,
                           const struct sm_image *image, enum sm_pixel_format target,
                           bool is_needed)
{
    struct sm_operand *operand = &canvas->operands[role];
    if (!image) {
        sm_canvas_drop(canvas, "an image is missing");
        return SM_OK;
    }
    const struct sm_canvas_image_ops *ops = &canvas->config.images;
    if (is_needed && ops->pixels && ops->pixels(ops->context, image, &operand->pixels)) {
        operand->is_loaded = true;
        return SM_OK;
    }
    if (!is_needed && !has_effects(canvas, image))
        return SM_OK;
    enum sm_status status = SM_OK;
    switch (image->type) {
    case SM_IMAGE_TYPE_SURFACE:
        load_surface(canvas, operand, image->surface_id);
        break;
    case SM_IMAGE_TYPE_FROM_CACHE:
    case SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS:
        status = load_cached(canvas, operand, image);
        break;
    default:
        status = load_coded(canvas, operand, image, target);
        break;
    }
    return status;
}

enum sm_status sm_operand_load(struct sm_canvas *canvas, enum sm_operand_role role,
                               const struct sm_image *image, enum sm_pixel_format target,
                               bool is_needed)
{
    const struct sm_operand *operand = &canvas->operands[role];
    enum sm_status status =
        operand->is_loaded ? SM_OK : load(canvas, role, image, target, is_needed);
    if (status == SM_OK && operand->is_loaded && is_one_bit(operand->pixels.format))
        sm_canvas_drop(canvas, "a mask is used as a picture");
    return status;
}

static enum sm_status copy_mask_to_cache(struct sm_canvas *canvas, const struct sm_image *image,
                                         struct sm_operand *operand)
{
    const struct sm_pixels *from = &operand->pixels;
    enum sm_status status =
        sm_picture_create(&operand->picture, from->format, from->width, from->height);
    if (status != SM_OK)
        return refuse(canvas, status, "no memory for a mask");
    const struct sm_pixels *to = sm_picture_pixels(operand->picture);
    for (uint32_t y = 0; y < from->height; y++)
        memcpy(sm_pixels_row(to, y), sm_pixels_row(from, y),
               (size_t)sm_pixel_row_bytes(from->format, from->width));
    operand->pixels = *to;
    return put_in_cache(canvas, image, operand->picture);
}

static enum sm_status load_mask_bitmap(struct sm_canvas *canvas, const struct sm_image *image,
                                       struct sm_operand *operand)
{
    struct sm_codec_image coded = codec_image(canvas, image);
    if (!is_one_bit(coded.bitmap_format)) {
        sm_canvas_drop(canvas, "a mask has more than one bit a pixel");
        return SM_OK;
    }
    coded.width = image->bitmap.x;
    coded.height = image->bitmap.y;
    if (coded.chunk_count == 0 && !view(&coded, &operand->pixels))
        return refuse(canvas, SM_ERR_PROTOCOL, "a mask has less data than it says");
    if (coded.chunk_count != 0) {
        sm_canvas_drop(canvas, "a mask is not in one piece");
        return SM_OK;
    }
    operand->is_loaded = true;
    return is_for_cache(canvas, image) ? copy_mask_to_cache(canvas, image, operand) : SM_OK;
}

static enum sm_status load_mask(struct sm_canvas *canvas, const struct sm_image *image,
                                struct sm_operand *operand)
{
    switch (image->type) {
    case SM_IMAGE_TYPE_BITMAP:
        return load_mask_bitmap(canvas, image, operand);
    case SM_IMAGE_TYPE_FROM_CACHE:
    case SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS:
        return load_cached(canvas, operand, image);
    default:
        sm_canvas_drop(canvas, "a mask is no bitmap");
        return SM_OK;
    }
}

enum sm_status sm_operand_load_mask(struct sm_canvas *canvas, const struct sm_image *image)
{
    struct sm_operand *operand = &canvas->operands[SM_OPERAND_MASK];
    enum sm_status status = operand->is_loaded ? SM_OK : load_mask(canvas, image, operand);
    if (status == SM_OK && operand->is_loaded && !is_one_bit(operand->pixels.format))
        sm_canvas_drop(canvas, "a picture is used as a mask");
    return status;
}

enum sm_status sm_operand_adapt(struct sm_operand *operand, enum sm_pixel_format target)
{
    enum sm_pixel_format from = operand->pixels.format, to = target;
    if (operand->is_surface || !operand->is_loaded)
        return SM_OK;
    if (sm_pixel_bits(target) == 32) {
        to = SM_PIXEL_XRGB32;
        if (from == SM_PIXEL_ARGB32 && operand->is_palette_direct)
            operand->pixels.format = SM_PIXEL_XRGB32;
        if (from == SM_PIXEL_ARGB32)
            return SM_OK;
    }
    if (from == to)
        return SM_OK;
    struct sm_picture *adapted = NULL;
    enum sm_status status =
        sm_picture_create(&adapted, to, operand->pixels.width, operand->pixels.height);
    if (status != SM_OK)
        return status;
    sm_gfx_convert(sm_picture_pixels(adapted), &operand->pixels);
    sm_picture_unref(operand->picture);
    operand->picture = adapted;
    operand->pixels = *sm_picture_pixels(adapted);
    return SM_OK;
}

enum sm_status sm_operand_detach(struct sm_operand *operand, uint32_t target_id,
                                 struct sm_rect part, struct sm_point *at)
{
    *at = (struct sm_point){0};
    if (!operand->is_surface || operand->surface_id != target_id)
        return SM_OK;
    const struct sm_pixels *from = &operand->pixels;
    const struct sm_rect all = {0, 0, (int32_t)from->width, (int32_t)from->height};
    part = sm_rect_intersect(part, all);
    if (sm_rect_is_empty(part))
        part = (struct sm_rect){0, 0, 1, 1}; /* nothing will be read, but there must be a picture */
    struct sm_picture *copy = NULL;
    enum sm_status status =
        sm_picture_create(&copy, from->format, (uint32_t)(part.right - part.left),
                          (uint32_t)(part.bottom - part.top));
    if (status != SM_OK)
        return status;
    const struct sm_pixels *to = sm_picture_pixels(copy);
    const struct sm_pixels piece =
        sm_pixels_part(from, (uint32_t)part.left, (uint32_t)part.top, to->width, to->height);
    for (uint32_t y = 0; y < to->height; y++)
        memcpy(sm_pixels_row(to, y), sm_pixels_row(&piece, y),
               (size_t)sm_pixel_row_bytes(to->format, to->width));
    operand->picture = copy;
    operand->pixels = *to;
    *at = (struct sm_point){part.left, part.top};
    return SM_OK;
}
