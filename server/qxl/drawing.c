/* SPDX-License-Identifier: MIT */
#include "server/qxl/drawing.h"

#include <stdlib.h>

#include "core/base/math.h"
#include "io/pages.h"
#include "server/qxl/drawing_parts.h"

enum {
    HEADER_SIZE = 191,        /* of a native drawing command, union included */
    COMPAT_HEADER_SIZE = 128, /* of the first generation's */
    ARENA_LIMIT = 64 << 20,
    ROPD_MASK = 0x7ff,
};

/* Kinds of drawing, as guests number them. */
enum {
    DRAW_NOP = 0,
    DRAW_FILL = 1,
    DRAW_OPAQUE = 2,
    DRAW_COPY = 3,
    COPY_BITS = 4,
    DRAW_BLEND = 5,
    DRAW_BLACKNESS = 6,
    DRAW_WHITENESS = 7,
    DRAW_INVERS = 8,
    DRAW_ROP3 = 9,
    DRAW_STROKE = 10,
    DRAW_TEXT = 11,
    DRAW_TRANSPARENT = 12,
    DRAW_ALPHA_BLEND = 13,
    DRAW_COMPOSITE = 14,
};

/* What comes before the part that differs by type. */
struct head {
    uint32_t surface_id;
    uint8_t effect, type;
    bool self_bitmap;
    struct sm_rect self_area, box;
    uint32_t clip_type;
    uint64_t clip;
};

void *sm_drawing_alloc(struct sm_drawing_parser *p, size_t count, size_t item_size)
{
    return sm_arena_alloc(&p->drawing->arena, count, item_size);
}

enum sm_status sm_drawing_own(struct sm_drawing *drawing, void *data, size_t size)
{
    if (drawing->block_count == SM_DRAWING_MAX_BLOCKS) {
        free(data);
        return SM_ERR_LIMIT;
    }
    drawing->blocks[drawing->block_count++] = data;
    drawing->size_bytes += size;
    return SM_OK;
}

enum sm_status sm_drawing_keep(struct sm_drawing_parser *p, void *data, size_t size)
{
    return sm_drawing_own(p->drawing, data, size);
}

struct sm_rect sm_qxl_get_rect(struct sm_reader *r)
{
    struct sm_rect rect;
    rect.top = (int32_t)sm_get_le32(r);
    rect.left = (int32_t)sm_get_le32(r);
    rect.bottom = (int32_t)sm_get_le32(r);
    rect.right = (int32_t)sm_get_le32(r);
    return rect;
}

struct sm_point sm_qxl_get_point(struct sm_reader *r)
{
    struct sm_point point;
    point.x = (int32_t)sm_get_le32(r);
    point.y = (int32_t)sm_get_le32(r);
    return point;
}

uint32_t sm_qxl_widen_555(uint32_t color)
{
    uint32_t red = color >> 10 & 0x1f;
    uint32_t green = color >> 5 & 0x1f;
    uint32_t blue = color & 0x1f;
    red = red << 3 | red >> 2;
    green = green << 3 | green >> 2;
    blue = blue << 3 | blue >> 2;
    return red << 16 | green << 8 | blue;
}

static enum sm_status get_brush(struct sm_drawing_parser *p, struct sm_reader *r,
                                struct sm_brush *out)
{
    uint32_t type = sm_get_le32(r);
    struct sm_bytes body = sm_get_bytes(r, 16);
    struct sm_reader b = sm_reader(body);
    *out = (struct sm_brush){.type = (uint8_t)type};
    if (type == SM_BRUSH_TYPE_NONE)
        return SM_OK;
    if (type == SM_BRUSH_TYPE_SOLID) {
        uint32_t color = sm_get_le32(&b);
        out->color = p->source->flags & SM_QXL_COMPAT_16BPP ? sm_qxl_widen_555(color) : color;
        return SM_OK;
    }
    if (type != SM_BRUSH_TYPE_PATTERN)
        return sm_drawing_refuse(p, "brush type %u", type);
    uint64_t image = sm_get_le64(&b);
    out->pos = sm_qxl_get_point(&b);
    if (image != 0)
        return sm_drawing_get_image(p, image, false, &out->image);
    if (!p->drawing->has_self_bitmap)
        return sm_drawing_refuse(p, "pattern brush without a pattern");
    return SM_OK;
}

static enum sm_status get_mask(struct sm_drawing_parser *p, struct sm_reader *r,
                               struct sm_qmask *out)
{
    uint8_t flags = sm_get_u8(r);
    struct sm_point pos = sm_qxl_get_point(r);
    uint64_t image = sm_get_le64(r);
    *out = (struct sm_qmask){0};
    if (image == 0)
        return SM_OK;
    out->flags = flags & SM_MASK_FLAG_INVERS;
    out->pos = pos;
    return sm_drawing_get_image(p, image, true, &out->bitmap);
}

static bool is_area_in(struct sm_rect area, int64_t width, int64_t height)
{
    return !sm_rect_is_empty(area) && area.left >= 0 && area.top >= 0 && area.right <= width &&
           area.bottom <= height;
}

/* A source that must be there, or stand for the self bitmap, and the area taken from it. */
static enum sm_status get_source(struct sm_drawing_parser *p, struct sm_reader *r,
                                 const struct sm_image **image, struct sm_rect *area)
{
    uint64_t address = sm_get_le64(r);
    *area = sm_qxl_get_rect(r);
    int64_t width, height;
    if (address != 0) {
        enum sm_status status = sm_drawing_get_image(p, address, false, image);
        if (status)
            return status;
        width = (*image)->width;
        height = (*image)->height;
    } else if (p->drawing->has_self_bitmap) {
        width = sm_rect_width(p->drawing->self_area);
        height = sm_rect_height(p->drawing->self_area);
    } else {
        return sm_drawing_refuse(p, "source image missing");
    }
    if (!is_area_in(*area, width, height))
        return sm_drawing_refuse(p, "source area %d,%d..%d,%d outside of %lld x %lld", area->left,
                                 area->top, area->right, area->bottom, (long long)width,
                                 (long long)height);
    return SM_OK;
}

static enum sm_status get_ropd(struct sm_reader *r, uint16_t *out)
{
    *out = sm_get_le16(r) & ROPD_MASK;
    return SM_OK;
}

static enum sm_status get_scale_mode(struct sm_drawing_parser *p, struct sm_reader *r, uint8_t *out)
{
    *out = sm_get_u8(r);
    if (*out > SM_SCALE_MODE_NEAREST)
        return sm_drawing_refuse(p, "scale mode %u", *out);
    return SM_OK;
}

static enum sm_status get_fill(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_fill *fill = &p->drawing->msg.draw_fill;
    enum sm_status status = get_brush(p, r, &fill->brush);
    if (!status)
        status = get_ropd(r, &fill->ropd);
    if (!status)
        status = get_mask(p, r, &fill->mask);
    return status;
}

static enum sm_status get_opaque(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_opaque *opaque = &p->drawing->msg.draw_opaque;
    enum sm_status status = get_source(p, r, &opaque->src_bitmap, &opaque->src_area);
    if (!status)
        status = get_brush(p, r, &opaque->brush);
    if (!status)
        status = get_ropd(r, &opaque->ropd);
    if (!status)
        status = get_scale_mode(p, r, &opaque->scale_mode);
    if (!status)
        status = get_mask(p, r, &opaque->mask);
    return status;
}

/* COPY and BLEND have the same fields on both sides. */
static enum sm_status get_copy(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_copy copy = {.base = p->drawing->msg.draw_copy.base};
    enum sm_status status = get_source(p, r, &copy.src_bitmap, &copy.src_area);
    if (!status)
        status = get_ropd(r, &copy.ropd);
    if (!status)
        status = get_scale_mode(p, r, &copy.scale_mode);
    if (!status)
        status = get_mask(p, r, &copy.mask);
    p->drawing->msg.draw_copy = copy;
    return status;
}

static enum sm_status get_rop3(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_rop3 *rop3 = &p->drawing->msg.draw_rop3;
    enum sm_status status = get_source(p, r, &rop3->src_bitmap, &rop3->src_area);
    if (!status)
        status = get_brush(p, r, &rop3->brush);
    rop3->rop3 = sm_get_u8(r);
    if (!status)
        status = get_scale_mode(p, r, &rop3->scale_mode);
    if (!status)
        status = get_mask(p, r, &rop3->mask);
    return status;
}

static enum sm_status get_stroke(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_stroke *stroke = &p->drawing->msg.draw_stroke;
    uint64_t path = sm_get_le64(r);
    enum sm_status status = sm_drawing_get_path(p, path, &stroke->path);
    if (!status)
        status = sm_drawing_get_line_attr(p, r, &stroke->attr);
    if (!status)
        status = get_brush(p, r, &stroke->brush);
    if (!status)
        status = get_ropd(r, &stroke->fore_mode);
    if (!status)
        status = get_ropd(r, &stroke->back_mode);
    return status;
}

static enum sm_status get_text(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_text *text = &p->drawing->msg.draw_text;
    uint64_t string = sm_get_le64(r);
    enum sm_status status = sm_drawing_get_string(p, string, &text->str);
    text->back_area = sm_qxl_get_rect(r);
    if (!status)
        status = get_brush(p, r, &text->fore_brush);
    if (!status)
        status = get_brush(p, r, &text->back_brush);
    if (!status)
        status = get_ropd(r, &text->fore_mode);
    if (!status)
        status = get_ropd(r, &text->back_mode);
    return status;
}

static enum sm_status get_transparent(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_transparent *transparent = &p->drawing->msg.draw_transparent;
    enum sm_status status = get_source(p, r, &transparent->src_bitmap, &transparent->src_area);
    transparent->src_color = sm_get_le32(r);
    transparent->true_color = sm_get_le32(r);
    return status;
}

static enum sm_status get_alpha_blend(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_alpha_blend *blend = &p->drawing->msg.draw_alpha_blend;
    if (!(p->source->flags & SM_QXL_COMPAT))
        blend->alpha_flags =
            sm_get_le16(r) & (SM_ALPHA_FLAG_DEST_HAS_ALPHA | SM_ALPHA_FLAG_SRC_SURFACE_HAS_ALPHA);
    blend->alpha = sm_get_u8(r);
    return get_source(p, r, &blend->src_bitmap, &blend->src_area);
}

static bool is_operator(uint32_t op)
{
    return op <= SM_COMPOSITE_OP_SATURATE ||
           (op >= SM_COMPOSITE_OP_DISJOINT_CLEAR && op <= SM_COMPOSITE_OP_DISJOINT_XOR) ||
           (op >= SM_COMPOSITE_OP_CONJOINT_CLEAR && op <= SM_COMPOSITE_OP_CONJOINT_XOR) ||
           (op >= SM_COMPOSITE_OP_MULTIPLY && op <= SM_COMPOSITE_OP_HSL_LUMINOSITY);
}

static struct sm_point16 get_point16(struct sm_reader *r)
{
    struct sm_point16 point;
    point.x = (int16_t)sm_get_le16(r);
    point.y = (int16_t)sm_get_le16(r);
    return point;
}

/* The flags that say what else is there follow from the addresses. */
static enum sm_status get_composite(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_draw_composite *composite = &p->drawing->msg.draw_composite;
    uint32_t flags = sm_get_le32(r) & 0x1ffffff;
    uint64_t src = sm_get_le64(r);
    uint64_t src_transform = sm_get_le64(r);
    uint64_t mask = sm_get_le64(r);
    uint64_t mask_transform = sm_get_le64(r);
    composite->src_origin = get_point16(r);
    composite->mask_origin = get_point16(r);
    if (!is_operator(flags & 0xff) || (flags >> 8 & 7) > SM_COMPOSITE_FILTER_BILINEAR ||
        (flags >> 11 & 7) > SM_COMPOSITE_FILTER_BILINEAR)
        return sm_drawing_refuse(p, "composite flags %#x", flags);
    flags &= ~(uint32_t)(SM_COMPOSITE_FLAG_HAS_MASK | SM_COMPOSITE_FLAG_HAS_SRC_TRANSFORM |
                         SM_COMPOSITE_FLAG_HAS_MASK_TRANSFORM);
    enum sm_status status = SM_OK;
    if (src != 0)
        status = sm_drawing_get_image(p, src, false, &composite->src_bitmap);
    else if (!p->drawing->has_self_bitmap)
        status = sm_drawing_refuse(p, "composite without a source");
    if (!status && mask != 0) {
        status = sm_drawing_get_image(p, mask, false, &composite->mask_bitmap);
        flags |= SM_COMPOSITE_FLAG_HAS_MASK;
    }
    if (sm_drawing_get_transform(p, src_transform, &composite->src_transform))
        flags |= SM_COMPOSITE_FLAG_HAS_SRC_TRANSFORM;
    if (sm_drawing_get_transform(p, mask_transform, &composite->mask_transform))
        flags |= SM_COMPOSITE_FLAG_HAS_MASK_TRANSFORM;
    composite->flags = flags;
    return status;
}

static enum sm_status get_copy_bits(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_msg_display_copy_bits *copy = &p->drawing->msg.copy_bits;
    copy->src_pos = sm_qxl_get_point(r);
    if (copy->src_pos.x == copy->base.box.left && copy->src_pos.y == copy->base.box.top)
        return SM_AGAIN; /* onto itself */
    return SM_OK;
}

static enum sm_status get_masked(struct sm_drawing_parser *p, struct sm_reader *r)
{
    return get_mask(p, r, &p->drawing->msg.draw_blackness.mask); /* the same for all three */
}

/* Which message a kind of drawing becomes, and who reads its part. */
static const struct kind {
    uint16_t message;
    enum sm_status (*get)(struct sm_drawing_parser *p, struct sm_reader *r);
} KINDS[] = {
    [DRAW_FILL] = {SM_MSG_DISPLAY_DRAW_FILL, get_fill},
    [DRAW_OPAQUE] = {SM_MSG_DISPLAY_DRAW_OPAQUE, get_opaque},
    [DRAW_COPY] = {SM_MSG_DISPLAY_DRAW_COPY, get_copy},
    [COPY_BITS] = {SM_MSG_DISPLAY_COPY_BITS, get_copy_bits},
    [DRAW_BLEND] = {SM_MSG_DISPLAY_DRAW_BLEND, get_copy},
    [DRAW_BLACKNESS] = {SM_MSG_DISPLAY_DRAW_BLACKNESS, get_masked},
    [DRAW_WHITENESS] = {SM_MSG_DISPLAY_DRAW_WHITENESS, get_masked},
    [DRAW_INVERS] = {SM_MSG_DISPLAY_DRAW_INVERS, get_masked},
    [DRAW_ROP3] = {SM_MSG_DISPLAY_DRAW_ROP3, get_rop3},
    [DRAW_STROKE] = {SM_MSG_DISPLAY_DRAW_STROKE, get_stroke},
    [DRAW_TEXT] = {SM_MSG_DISPLAY_DRAW_TEXT, get_text},
    [DRAW_TRANSPARENT] = {SM_MSG_DISPLAY_DRAW_TRANSPARENT, get_transparent},
    [DRAW_ALPHA_BLEND] = {SM_MSG_DISPLAY_DRAW_ALPHA_BLEND, get_alpha_blend},
    [DRAW_COMPOSITE] = {SM_MSG_DISPLAY_DRAW_COMPOSITE, get_composite},
};

static enum sm_status get_dependencies(struct sm_drawing_parser *p, struct sm_reader *r)
{
    struct sm_drawing *drawing = p->drawing;
    int32_t ids[SM_DRAWING_MAX_DEPENDENCIES];
    for (unsigned i = 0; i < SM_DRAWING_MAX_DEPENDENCIES; i++)
        ids[i] = (int32_t)sm_get_le32(r);
    for (unsigned i = 0; i < SM_DRAWING_MAX_DEPENDENCIES; i++) {
        struct sm_rect area = sm_qxl_get_rect(r);
        struct sm_surface_shape shape;
        if (ids[i] == -1)
            continue;
        if (!p->source->find_surface(p->source->surfaces, (uint32_t)ids[i], &shape))
            return sm_drawing_refuse(p, "depends on surface %d, which does not exist", ids[i]);
        drawing->dependencies[drawing->dependency_count++] =
            (struct sm_drawing_dependency){.surface_id = (uint32_t)ids[i], .area = area};
    }
    return SM_OK;
}

static enum sm_status get_head(struct sm_drawing_parser *p, struct sm_reader *r, struct head *head)
{
    bool is_compat = p->source->flags & SM_QXL_COMPAT;
    sm_skip(r, 8); /* release information */
    head->surface_id = is_compat ? 0 : sm_get_le32(r);
    head->effect = sm_get_u8(r);
    head->type = sm_get_u8(r);
    head->self_bitmap = is_compat ? sm_get_le16(r) != 0 : sm_get_u8(r) != 0;
    head->self_area = sm_qxl_get_rect(r);
    head->box = sm_qxl_get_rect(r);
    head->clip_type = sm_get_le32(r);
    head->clip = sm_get_le64(r);
    sm_skip(r, 4); /* the guest's clock does not matter */
    return is_compat ? SM_OK : get_dependencies(p, r);
}

/* Surface, box, clip, self bitmap: what every drawing has. */
static enum sm_status check_head(struct sm_drawing_parser *p, const struct head *head)
{
    struct sm_drawing *drawing = p->drawing;
    struct sm_surface_shape shape;
    if (!p->source->find_surface(p->source->surfaces, head->surface_id, &shape))
        return sm_drawing_refuse(p, "surface %u does not exist", head->surface_id);
    struct sm_rect box = head->box;
    if (box.left < 0 || box.top < 0 || box.left > box.right || box.top > box.bottom ||
        (uint32_t)box.right > shape.width || (uint32_t)box.bottom > shape.height) {
        /* Hosts still send the old screen's updates after a mode change. */
        sm_memslots_debug(
            p->source->slots, "drawing dropped: box %d,%d..%d,%d outside of surface %u, %u x %u",
            box.left, box.top, box.right, box.bottom, head->surface_id, shape.width, shape.height);
        return SM_ERR_PROTOCOL;
    }
    if (head->type >= SM_COUNT_OF(KINDS))
        return sm_drawing_refuse(p, "unknown type %u", head->type);
    if (head->type == DRAW_NOP)
        return SM_AGAIN;

    /* COPY and BLEND always bring their picture. */
    drawing->has_self_bitmap =
        head->self_bitmap && head->type != DRAW_COPY && head->type != DRAW_BLEND;
    drawing->self_area = head->self_area;
    if (drawing->has_self_bitmap && !is_area_in(head->self_area, shape.width, shape.height))
        return sm_drawing_refuse(p, "self bitmap area outside of surface %u", head->surface_id);
    drawing->effect = head->effect <= SM_EFFECT_OPAQUE_BRUSH ? (enum sm_drawing_effect)head->effect
                                                             : SM_EFFECT_BLEND;

    /* `base` is the first member of every drawing message, so any of them will do. */
    struct sm_display_base *base = &drawing->msg.draw_fill.base;
    base->surface_id = head->surface_id;
    base->box = box;
    enum sm_status status =
        sm_drawing_get_clip(p, head->clip_type, head->clip, box, &base->clip, &drawing->bounds);
    if (status)
        return status;
    return sm_rect_is_empty(drawing->bounds) ? SM_AGAIN : SM_OK;
}

static enum sm_status parse(struct sm_drawing_parser *p, struct sm_bytes bytes)
{
    struct sm_reader r = sm_reader(bytes);
    struct head head;
    enum sm_status status = get_head(p, &r, &head);
    if (!status)
        status = check_head(p, &head);
    if (status)
        return status;
    p->drawing->msg.type = KINDS[head.type].message;
    return KINDS[head.type].get(p, &r);
}

size_t sm_drawing_header_size(uint32_t flags)
{
    return flags & SM_QXL_COMPAT ? COMPAT_HEADER_SIZE : HEADER_SIZE;
}

struct sm_drawing *sm_drawing_new(void)
{
    struct sm_drawing *drawing = calloc(1, sizeof(*drawing));
    if (drawing)
        sm_arena_init(&drawing->arena, ARENA_LIMIT);
    return drawing;
}

enum sm_status sm_drawing_parse(struct sm_drawing **out, const struct sm_drawing_source *source,
                                uint64_t address)
{
    uint8_t header[HEADER_SIZE];
    size_t size = sm_drawing_header_size(source->flags);
    if (!sm_memslots_copy(source->slots, address, source->group, header, size))
        return SM_ERR_PROTOCOL;
    struct sm_drawing *drawing = sm_drawing_new();
    if (!drawing)
        return SM_ERR_NOMEM;
    struct sm_drawing_parser parser = {.source = source, .drawing = drawing};
    enum sm_status status = parse(&parser, (struct sm_bytes){.data = header, .size = size});
    if (status) {
        sm_drawing_destroy(drawing);
        return status;
    }
    drawing->size_bytes += sizeof(*drawing) + drawing->arena.used_bytes;
    *out = drawing;
    return SM_OK;
}

void sm_drawing_destroy(struct sm_drawing *drawing)
{
    if (!drawing)
        return;
    if (drawing->page_bytes)
        sm_pages_free(drawing->blocks[0], drawing->page_bytes);
    for (uint32_t i = drawing->page_bytes ? 1 : 0; i < drawing->block_count; i++)
        free(drawing->blocks[i]);
    sm_arena_finish(&drawing->arena);
    free(drawing);
}
