/* SPDX-License-Identifier: MIT */
/* Images of drawing commands: bitmaps, QUIC streams and other surfaces. */
#include "server/qxl/drawing_parts.h"

#include <stdlib.h>

#include "core/base/math.h"
#include "core/wire/types.h"
#include "server/qxl/chunks.h"

enum {
    DESCRIPTOR_SIZE = 18,
    BITMAP_SIZE = 30,
    PALETTE_HEADER_SIZE = 10,
    PALETTE_MAX = 256,
    QUIC_HEADER_SIZE = 20,
    FLAG_DIRECT = 1, /* of a guest's bitmap; TOP_DOWN has the wire's value */
};

/* What the guest says about a bitmap. */
struct bitmap_head {
    uint8_t format, flags;
    uint32_t width, height, stride;
    uint64_t palette, data;
};

static unsigned format_bits(uint8_t format)
{
    static const uint8_t bits[] = {0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 8};
    return format < SM_COUNT_OF(bits) ? bits[format] : 0;
}

static bool has_palette(uint8_t format)
{
    return format >= SM_BITMAP_FORMAT_1BIT_LE && format <= SM_BITMAP_FORMAT_8BIT;
}

/* Fits a message, and together with the images before it, too. */
static bool has_room(const struct sm_drawing_parser *p, uint64_t size)
{
    return size <= SM_DRAWING_MAX_IMAGE_BYTES &&
           size + p->drawing->size_bytes <= SM_DRAWING_MAX_IMAGE_BYTES;
}

/* The palette has room for every index, filled up with black. */
static enum sm_status get_palette(struct sm_drawing_parser *p, uint64_t address,
                                  struct sm_palette **out)
{
    const struct sm_drawing_source *source = p->source;
    uint8_t bytes[PALETTE_HEADER_SIZE + PALETTE_MAX * 4];
    if (address == 0)
        return sm_drawing_refuse(p, "bitmap without its palette");
    if (!sm_memslots_copy(source->slots, address, source->group, bytes, PALETTE_HEADER_SIZE))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = bytes, .size = PALETTE_HEADER_SIZE});
    uint64_t unique = sm_get_le64(&r);
    uint32_t count = sm_get_le16(&r);
    if (count == 0)
        return sm_drawing_refuse(p, "empty palette");
    count = sm_min_u32(count, PALETTE_MAX);
    if (!sm_memslots_copy(source->slots, address + PALETTE_HEADER_SIZE, source->group, bytes,
                          (size_t)count * 4))
        return SM_ERR_PROTOCOL;

    struct sm_palette *palette = sm_drawing_alloc(p, 1, sizeof(*palette));
    uint32_t *entries = sm_drawing_alloc(p, PALETTE_MAX, sizeof(*entries));
    if (!palette || !entries)
        return sm_arena_failure(&p->drawing->arena);
    r = sm_reader((struct sm_bytes){.data = bytes, .size = (size_t)count * 4});
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = sm_get_le32(&r);
        entries[i] = source->flags & SM_QXL_COMPAT_16BPP ? sm_qxl_widen_555(entry) : entry;
    }
    *palette = (struct sm_palette){.unique = unique, .num_ents = count, .ents = entries};
    *out = palette;
    return SM_OK;
}

/*
 * One more than the largest index the pixels can have. What a client makes of an index beyond its
 * palette nobody knows, and ours and theirs would differ.
 */
static uint32_t count_indices(uint8_t format, struct sm_bytes pixels)
{
    unsigned bits = format_bits(format);
    uint8_t largest = 0;
    if (bits < 8)
        return 1u << bits;
    for (size_t i = 0; i < pixels.size; i++)
        largest = pixels.data[i] > largest ? pixels.data[i] : largest;
    return largest + 1u;
}

static uint8_t reverse_bits(uint8_t byte)
{
    byte = (uint8_t)((byte & 0x55) << 1 | (byte & 0xaa) >> 1);
    byte = (uint8_t)((byte & 0x33) << 2 | (byte & 0xcc) >> 2);
    return (uint8_t)(byte << 4 | byte >> 4);
}

/*
 * Pictures whose leftmost pixel is in the low bits are turned round: clients do not draw them raw,
 * but do when they come as LZ, so what is shown would depend on the compression.
 */
static void turn_round(struct sm_bitmap *bitmap)
{
    uint8_t *data = (uint8_t *)bitmap->data.data; /* the drawing's own copy */
    if (bitmap->format == SM_BITMAP_FORMAT_1BIT_LE) {
        for (size_t i = 0; i < bitmap->data.size; i++)
            data[i] = reverse_bits(data[i]);
        bitmap->format = SM_BITMAP_FORMAT_1BIT_BE;
    } else if (bitmap->format == SM_BITMAP_FORMAT_4BIT_LE) {
        for (size_t i = 0; i < bitmap->data.size; i++)
            data[i] = (uint8_t)(data[i] << 4 | data[i] >> 4);
        bitmap->format = SM_BITMAP_FORMAT_4BIT_BE;
    }
}

/* Copies `size` bytes that lie at an address in one piece, or in a chain of chunks. */
static enum sm_status get_pixels(struct sm_drawing_parser *p, uint64_t address, bool is_direct,
                                 size_t size, struct sm_bytes *out)
{
    const struct sm_drawing_source *source = p->source;
    struct sm_chunk_data data;
    if (is_direct) {
        const uint8_t *from = sm_memslots_resolve(source->slots, address, size, source->group);
        if (!from)
            return SM_ERR_PROTOCOL;
        data.data = malloc(size ? size : 1);
        if (!data.data)
            return SM_ERR_NOMEM;
        data.size = size;
        sm_guest_memcpy(data.data, from, size);
    } else {
        enum sm_status status = sm_chunks_read(&data, source->slots, address, source->group, size);
        if (status)
            return status;
    }
    *out = (struct sm_bytes){.data = data.data, .size = data.size};
    enum sm_status status = sm_drawing_keep(p, data.data, data.size);
    if (status)
        return status;
    if (data.size != size)
        return sm_drawing_refuse(p, "%zu bytes of pixels instead of %zu", data.size, size);
    return SM_OK;
}

static enum sm_status check_bitmap(struct sm_drawing_parser *p, const struct bitmap_head *head,
                                   bool is_mask)
{
    unsigned bits = format_bits(head->format);
    if (bits == 0 || (is_mask && bits != 1))
        return sm_drawing_refuse(p, "bitmap format %u", head->format);
    if (head->width == 0 || head->height == 0 || head->width > SM_MAX_SIDE ||
        head->height > SM_MAX_SIDE || (uint64_t)head->width * head->height > SM_MAX_PIXELS)
        return sm_drawing_refuse(p, "bitmap of %u x %u pixels", head->width, head->height);
    if (head->stride < ((uint64_t)head->width * bits + 7) / 8)
        return sm_drawing_refuse(p, "image stride too small for width: %u, %u pixels of %u bits",
                                 head->stride, head->width, bits);
    if (!has_room(p, (uint64_t)head->stride * head->height))
        return sm_drawing_refuse(p, "bitmap of %llu bytes",
                                 (unsigned long long)head->stride * head->height);
    return SM_OK;
}

static enum sm_status get_bitmap(struct sm_drawing_parser *p, uint64_t address, bool is_mask,
                                 struct sm_image *image)
{
    uint8_t bytes[BITMAP_SIZE];
    if (!sm_memslots_copy(p->source->slots, address, p->source->group, bytes, sizeof(bytes)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = bytes, .size = sizeof(bytes)});
    struct bitmap_head head;
    head.format = sm_get_u8(&r);
    head.flags = sm_get_u8(&r);
    head.width = sm_get_le32(&r);
    head.height = sm_get_le32(&r);
    head.stride = sm_get_le32(&r);
    head.palette = sm_get_le64(&r);
    head.data = sm_get_le64(&r);
    enum sm_status status = check_bitmap(p, &head, is_mask);
    if (status)
        return status;

    image->width = head.width;
    image->height = head.height;
    image->bitmap = (struct sm_bitmap){
        .format = head.format,
        .flags = head.flags & SM_BITMAP_FLAG_TOP_DOWN,
        .x = head.width,
        .y = head.height,
        .stride = head.stride,
    };
    struct sm_palette *palette = NULL;
    if (has_palette(head.format) && !is_mask) {
        status = get_palette(p, head.palette, &palette);
        if (status)
            return status;
    }
    status = get_pixels(p, head.data, head.flags & FLAG_DIRECT, (size_t)head.stride * head.height,
                        &image->bitmap.data);
    if (!status && palette)
        palette->num_ents =
            sm_max_u32(palette->num_ents, count_indices(head.format, image->bitmap.data));
    image->bitmap.palette = palette;
    if (!status && !is_mask)
        turn_round(&image->bitmap);
    return status;
}

/* A QUIC stream goes to clients as it is: its own head must agree with the image's. */
static enum sm_status check_quic(struct sm_drawing_parser *p, const struct sm_image *image)
{
    struct sm_reader r = sm_reader(image->data);
    uint32_t magic = sm_get_le32(&r);
    uint32_t version = sm_get_le32(&r);
    uint32_t type = sm_get_le32(&r);
    uint32_t width = sm_get_le32(&r);
    uint32_t height = sm_get_le32(&r);
    if (r.failed || image->data.size % 4 != 0 || magic != 0x43495551 || version != 0 || type == 0 ||
        type > 5)
        return sm_drawing_refuse(p, "malformed QUIC image");
    if (width != image->width || height != image->height || width == 0 || height == 0 ||
        width > SM_MAX_SIDE || height > SM_MAX_SIDE || (uint64_t)width * height > SM_MAX_PIXELS)
        return sm_drawing_refuse(p, "QUIC stream of %u x %u in an image of %u x %u", width, height,
                                 image->width, image->height);
    return SM_OK;
}

static enum sm_status get_quic(struct sm_drawing_parser *p, uint64_t address, bool is_mask,
                               struct sm_image *image)
{
    uint8_t bytes[4];
    if (is_mask)
        return sm_drawing_refuse(p, "QUIC image as a mask");
    if (!sm_memslots_copy(p->source->slots, address, p->source->group, bytes, sizeof(bytes)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = bytes, .size = sizeof(bytes)});
    uint32_t size = sm_get_le32(&r);
    if (size < QUIC_HEADER_SIZE || !has_room(p, size))
        return sm_drawing_refuse(p, "QUIC image of %u bytes", size);
    enum sm_status status = get_pixels(p, address + sizeof(bytes), false, size, &image->data);
    if (status)
        return status;
    return check_quic(p, image);
}

static bool is_dependency(const struct sm_drawing *drawing, uint32_t surface_id)
{
    for (uint32_t i = 0; i < drawing->dependency_count; i++) {
        if (drawing->dependencies[i].surface_id == surface_id)
            return true;
    }
    return false;
}

static enum sm_status get_surface(struct sm_drawing_parser *p, uint64_t address, bool is_mask,
                                  struct sm_image *image)
{
    uint8_t bytes[4];
    if (!sm_memslots_copy(p->source->slots, address, p->source->group, bytes, sizeof(bytes)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = bytes, .size = sizeof(bytes)});
    image->surface_id = sm_get_le32(&r);
    struct sm_surface_shape shape;
    if (!is_dependency(p->drawing, image->surface_id) ||
        !p->source->find_surface(p->source->surfaces, image->surface_id, &shape))
        return sm_drawing_refuse(p, "surface %u as an image but not as a dependency",
                                 image->surface_id);
    if (is_mask && shape.format != SM_SURFACE_FORMAT_1_A && shape.format != SM_SURFACE_FORMAT_8_A)
        return sm_drawing_refuse(p, "surface %u of format %u as a mask", image->surface_id,
                                 shape.format);
    image->width = shape.width;
    image->height = shape.height;
    return SM_OK;
}

enum sm_status sm_drawing_get_image(struct sm_drawing_parser *p, uint64_t address, bool is_mask,
                                    const struct sm_image **out)
{
    uint8_t bytes[DESCRIPTOR_SIZE];
    if (!sm_memslots_copy(p->source->slots, address, p->source->group, bytes, sizeof(bytes)))
        return SM_ERR_PROTOCOL;
    struct sm_image *image = sm_drawing_alloc(p, 1, sizeof(*image));
    if (!image)
        return sm_arena_failure(&p->drawing->arena);
    struct sm_reader r = sm_reader((struct sm_bytes){.data = bytes, .size = sizeof(bytes)});
    image->id = sm_get_le64(&r);
    image->type = sm_get_u8(&r);
    image->flags = sm_get_u8(&r) & (SM_IMAGE_FLAG_CACHE_ME | SM_IMAGE_FLAG_HIGH_BITS_SET);
    image->width = sm_get_le32(&r);
    image->height = sm_get_le32(&r);

    enum sm_status status;
    uint64_t body = address + DESCRIPTOR_SIZE;
    switch (image->type) {
    case SM_IMAGE_TYPE_BITMAP:
        status = get_bitmap(p, body, is_mask, image);
        break;
    case SM_IMAGE_TYPE_QUIC:
        status = get_quic(p, body, is_mask, image);
        break;
    case SM_IMAGE_TYPE_SURFACE:
        status = get_surface(p, body, is_mask, image);
        break;
    default:
        status = sm_drawing_refuse(p, "image type %u", image->type);
        break;
    }
    if (status)
        return status;
    *out = image;
    return SM_OK;
}
