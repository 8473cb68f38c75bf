/* SPDX-License-Identifier: MIT */
#include "server/display/footprint.h"

#include "core/codec/codec.h"
#include "core/gfx/rop.h"
#include "core/wire/types.h"
#include "server/qxl/drawing.h"

/* More rectangles are not worth their exactness; it also bounds what a walk costs a drawing. */
enum { MANY_RECTS = 32 };

/* ---- what is opaque ---- */

static bool ignores_old(enum sm_gfx_op op)
{
    return op == SM_GFX_OP_CLEAR || op == SM_GFX_OP_COPY || op == SM_GFX_OP_COPY_INVERTED ||
           op == SM_GFX_OP_SET;
}

/* Pictures that are certain to be drawn: those whose bytes were checked when they were copied. */
static bool is_certain_bitmap(const struct sm_image *image, enum sm_pixel_format target)
{
    if (!image || image->type != SM_IMAGE_TYPE_BITMAP)
        return false;
    switch (image->bitmap.format) {
    case SM_BITMAP_FORMAT_4BIT_BE:
    case SM_BITMAP_FORMAT_8BIT:
        return sm_pixel_bits(target) == 32 || target == SM_PIXEL_RGB555;
    case SM_BITMAP_FORMAT_16BIT:
    case SM_BITMAP_FORMAT_24BIT:
    case SM_BITMAP_FORMAT_32BIT:
    case SM_BITMAP_FORMAT_RGBA:
        return sm_pixel_bits(target) >= 16;
    case SM_BITMAP_FORMAT_8BIT_A:
        return target == SM_PIXEL_A8;
    default:
        return false;
    }
}

static bool is_certain_source(const struct sm_image *image,
                              const struct sm_footprint_source *source,
                              const struct sm_pixels *target)
{
    if (!image || image->type != SM_IMAGE_TYPE_SURFACE)
        return is_certain_bitmap(image, target->format);
    return source->find(source->surfaces, image->surface_id).format == target->format;
}

static bool is_certain_brush(const struct sm_brush *brush, enum sm_pixel_format target)
{
    return brush->type != SM_BRUSH_TYPE_PATTERN || is_certain_bitmap(brush->image, target);
}

/* One source pixel for each of the box; the parser made sure that they lie in the image. */
static bool is_unscaled(struct sm_rect area, struct sm_rect box)
{
    return sm_rect_width(area) == sm_rect_width(box) && sm_rect_height(area) == sm_rect_height(box);
}

static bool is_opaque_fill(const struct sm_msg_display_draw_fill *fill, enum sm_pixel_format target)
{
    return !fill->mask.bitmap && is_certain_brush(&fill->brush, target) &&
           ignores_old(sm_gfx_op_from_ropd(fill->ropd, SM_ROPD_INVERS_BRUSH, SM_ROPD_INVERS_DEST));
}

static bool is_opaque_copy(const struct sm_msg_display_draw_copy *copy,
                           const struct sm_footprint_source *source, const struct sm_pixels *target)
{
    return !copy->mask.bitmap && is_unscaled(copy->src_area, copy->base.box) &&
           is_certain_source(copy->src_bitmap, source, target) &&
           ignores_old(sm_gfx_op_from_ropd(copy->ropd, SM_ROPD_INVERS_SRC, SM_ROPD_INVERS_DEST));
}

/* The source is put, then combined with the brush alone. */
static bool is_opaque_opaque(const struct sm_msg_display_draw_opaque *opaque,
                             const struct sm_footprint_source *source,
                             const struct sm_pixels *target)
{
    return !opaque->mask.bitmap && is_unscaled(opaque->src_area, opaque->base.box) &&
           is_certain_source(opaque->src_bitmap, source, target) &&
           is_certain_brush(&opaque->brush, target->format);
}

static bool is_opaque_move(const struct sm_msg_display_copy_bits *move,
                           const struct sm_pixels *target)
{
    struct sm_rect box = move->base.box;
    int64_t left = move->src_pos.x, top = move->src_pos.y;
    return left >= 0 && top >= 0 && left + sm_rect_width(box) <= target->width &&
           top + sm_rect_height(box) <= target->height;
}

static bool is_opaque(const struct sm_drawing *drawing, const struct sm_footprint_source *source,
                      const struct sm_pixels *target)
{
    const struct sm_display_msg *msg = &drawing->msg;
    switch (msg->type) {
    case SM_MSG_DISPLAY_DRAW_FILL:
        return is_opaque_fill(&msg->draw_fill, target->format);
    case SM_MSG_DISPLAY_DRAW_COPY:
        return is_opaque_copy(&msg->draw_copy, source, target);
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        return is_opaque_opaque(&msg->draw_opaque, source, target);
    case SM_MSG_DISPLAY_DRAW_BLACKNESS:
        return !msg->draw_blackness.mask.bitmap;
    case SM_MSG_DISPLAY_DRAW_WHITENESS:
        return !msg->draw_whiteness.mask.bitmap;
    case SM_MSG_DISPLAY_COPY_BITS:
        return is_opaque_move(&msg->copy_bits, target);
    default:
        return false;
    }
}

/* ---- what is read ---- */

static bool depends_on(const struct sm_drawing *drawing, uint32_t surface_id)
{
    for (uint32_t i = 0; i < drawing->dependency_count; i++) {
        if (drawing->dependencies[i].surface_id == surface_id)
            return true;
    }
    return false;
}

static void note_reads(struct sm_footprint *out, const struct sm_drawing *drawing)
{
    const struct sm_display_base *base = &drawing->msg.draw_fill.base; /* all begin with it */
    if (drawing->msg.type != SM_MSG_DISPLAY_COPY_BITS) {
        if (depends_on(drawing, base->surface_id))
            out->reads = SM_FOOTPRINT_READS_ALL;
        return;
    }
    int64_t dx = (int64_t)drawing->msg.copy_bits.src_pos.x - base->box.left;
    int64_t dy = (int64_t)drawing->msg.copy_bits.src_pos.y - base->box.top;
    bool is_far = dx != (int32_t)dx || dy != (int32_t)dy;
    out->reads = is_far ? SM_FOOTPRINT_READS_ALL : SM_FOOTPRINT_READS_SHADOW;
    out->dx = is_far ? 0 : (int32_t)dx;
    out->dy = is_far ? 0 : (int32_t)dy;
}

/* False if the exact region is not known: then there is only the box around it. */
static bool note_writes(struct sm_footprint *out, const struct sm_drawing *drawing)
{
    const struct sm_display_base *base = &drawing->msg.draw_fill.base;
    sm_region_init(&out->writes);
    bool is_exact = base->clip.type == SM_CLIP_TYPE_NONE ||
                    (base->clip.num_rects <= MANY_RECTS &&
                     sm_region_from_rects(&out->writes, base->clip.rects, base->clip.num_rects,
                                          drawing->bounds) == SM_OK &&
                     !sm_region_is_empty(&out->writes) && out->writes.count <= MANY_RECTS);
    if (base->clip.type == SM_CLIP_TYPE_NONE || !is_exact) {
        sm_region_finish(&out->writes);
        sm_region_init_rect(&out->writes, drawing->bounds);
    }
    return is_exact;
}

void sm_footprint_init(struct sm_footprint *out, const struct sm_drawing *drawing,
                       const struct sm_footprint_source *source)
{
    struct sm_pixels target =
        source->find(source->surfaces, drawing->msg.draw_fill.base.surface_id);
    *out = (struct sm_footprint){0};
    bool is_exact = note_writes(out, drawing);
    note_reads(out, drawing);
    out->is_opaque = is_exact && sm_pixel_bits(target.format) >= 8 &&
                     out->reads != SM_FOOTPRINT_READS_ALL && is_opaque(drawing, source, &target);
}

void sm_footprint_finish(struct sm_footprint *footprint)
{
    sm_region_finish(&footprint->writes);
}

/* ---- what is covered ---- */

void sm_cover_finish(struct sm_cover *cover)
{
    sm_region_finish(&cover->area);
}

/* Takes away what a drawing of which `visible` is seen reads: older pixels are needed there. */
static void uncover_reads(struct sm_cover *cover, const struct sm_footprint *footprint,
                          const struct sm_region *visible)
{
    if (footprint->reads == SM_FOOTPRINT_READS_NOTHING)
        return;
    struct sm_region shadow = {0};
    enum sm_status status = SM_ERR_LIMIT;
    if (footprint->reads == SM_FOOTPRINT_READS_SHADOW)
        status = sm_region_copy(&shadow, visible);
    if (!status) {
        sm_region_translate(&shadow, footprint->dx, footprint->dy);
        status = sm_region_subtract(&cover->area, &cover->area, &shadow);
    }
    if (status || cover->area.count > MANY_RECTS)
        sm_cover_finish(cover);
    sm_region_finish(&shadow);
}

void sm_cover_begin(struct sm_cover *cover, const struct sm_footprint *footprint)
{
    sm_region_init(&cover->area);
    if (!footprint->is_opaque || sm_region_copy(&cover->area, &footprint->writes) != SM_OK)
        return;
    uncover_reads(cover, footprint, &footprint->writes);
}

void sm_cover_begin_all(struct sm_cover *cover, uint32_t width, uint32_t height)
{
    sm_region_init_rect(&cover->area, (struct sm_rect){0, 0, (int32_t)width, (int32_t)height});
}

bool sm_cover_pass(struct sm_cover *cover, const struct sm_footprint *footprint,
                   struct sm_region *visible)
{
    struct sm_rect seen = sm_region_bounds(visible);
    bool is_touched = !sm_rect_is_empty(sm_rect_intersect(seen, sm_region_bounds(&cover->area)));
    enum sm_status status = SM_OK; /* a failure leaves `visible` as it is */
    if (is_touched && cover->area.count == 1 && sm_rect_contains(cover->area.bounds, seen))
        sm_region_finish(visible);
    else if (is_touched && visible->count <= MANY_RECTS)
        status = sm_region_subtract(visible, visible, &cover->area);
    if (!status && sm_region_is_empty(visible))
        return true;
    uncover_reads(cover, footprint, visible);
    return false;
}
