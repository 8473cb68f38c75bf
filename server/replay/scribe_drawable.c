/* SPDX-License-Identifier: MIT */
/* Drawings, written down. drawable.c reads them. */
#include "server/replay/scribe.h"

#include <string.h>

#include <spice/enums.h>

static void record_clip(struct sm_scribe *r, const QXLClip *clip)
{
    sm_scribe_text(r, "type %d\n", (int32_t)clip->type);
    if (clip->type != SPICE_CLIP_TYPE_RECTS)
        return;
    uint32_t count;
    if (!sm_scribe_copy(r, clip->data, &count, sizeof(count)))
        return;
    sm_scribe_text(r, "num_rects %d\n", (int32_t)count);
    sm_scribe_chunks(r, "clip_rects", clip->data + offsetof(QXLClipRects, chunk),
                     (size_t)count * sizeof(QXLRect));
}

static void record_brush(struct sm_scribe *r, const QXLBrush *brush)
{
    sm_scribe_text(r, "type %d\n", (int32_t)brush->type);
    if (brush->type == SPICE_BRUSH_TYPE_SOLID) {
        sm_scribe_text(r, "u.color %d\n", (int32_t)sm_scribe_color(r, brush->u.color));
    } else if (brush->type == SPICE_BRUSH_TYPE_PATTERN) {
        sm_scribe_image(r, brush->u.pattern.pat);
        sm_scribe_point(r, brush->u.pattern.pos);
    }
}

static void record_mask(struct sm_scribe *r, const QXLQMask *mask)
{
    sm_scribe_text(r, "flags %d\n", mask->flags);
    sm_scribe_point(r, mask->pos);
    sm_scribe_image(r, mask->bitmap);
}

static void record_fill(struct sm_scribe *r, const QXLFill *fill)
{
    record_brush(r, &fill->brush);
    sm_scribe_text(r, "rop_descriptor %d\n", fill->rop_descriptor);
    record_mask(r, &fill->mask);
}

static void record_opaque(struct sm_scribe *r, const QXLOpaque *opaque)
{
    sm_scribe_image(r, opaque->src_bitmap);
    sm_scribe_rect(r, "src_area", &opaque->src_area);
    record_brush(r, &opaque->brush);
    sm_scribe_text(r, "rop_descriptor %d\nscale_mode %d\n", opaque->rop_descriptor,
                   opaque->scale_mode);
    record_mask(r, &opaque->mask);
}

static void record_copy(struct sm_scribe *r, const QXLCopy *copy)
{
    sm_scribe_image(r, copy->src_bitmap);
    sm_scribe_rect(r, "src_area", &copy->src_area);
    sm_scribe_text(r, "rop_descriptor %d\nscale_mode %d\n", copy->rop_descriptor, copy->scale_mode);
    record_mask(r, &copy->mask);
}

static void record_rop3(struct sm_scribe *r, const QXLRop3 *rop3)
{
    sm_scribe_image(r, rop3->src_bitmap);
    sm_scribe_rect(r, "src_area", &rop3->src_area);
    record_brush(r, &rop3->brush);
    sm_scribe_text(r, "rop3 %d\nscale_mode %d\n", rop3->rop3, rop3->scale_mode);
    record_mask(r, &rop3->mask);
}

static void record_transparent(struct sm_scribe *r, const QXLTransparent *transparent)
{
    sm_scribe_image(r, transparent->src_bitmap);
    sm_scribe_rect(r, "src_area", &transparent->src_area);
    sm_scribe_text(r, "src_color %d\ntrue_color %d\n", (int32_t)transparent->src_color,
                   (int32_t)transparent->true_color);
}

static void record_alpha_blend(struct sm_scribe *r, const QXLAlphaBlend *blend)
{
    sm_scribe_text(r, "alpha_flags %d\nalpha %d\n", blend->alpha_flags, blend->alpha);
    sm_scribe_image(r, blend->src_bitmap);
    sm_scribe_rect(r, "src_area", &blend->src_area);
}

static void record_stroke(struct sm_scribe *r, const QXLStroke *stroke)
{
    uint32_t size;
    if (!sm_scribe_copy(r, stroke->path, &size, sizeof(size)))
        return;
    sm_scribe_chunks(r, "path", stroke->path + offsetof(QXLPath, chunk), size);
    sm_scribe_text(r, "attr.flags %d\n", stroke->attr.flags);
    if (stroke->attr.flags & SPICE_LINE_FLAGS_STYLED) {
        sm_scribe_text(r, "attr.style_nseg %d\n", stroke->attr.style_nseg);
        sm_scribe_binary(r, "style", stroke->attr.style,
                         stroke->attr.style_nseg * sizeof(QXLFIXED));
    }
    record_brush(r, &stroke->brush);
    sm_scribe_text(r, "fore_mode %d\nback_mode %d\n", stroke->fore_mode, stroke->back_mode);
}

static void record_string(struct sm_scribe *r, uint64_t address)
{
    QXLString string;
    if (!sm_scribe_copy(r, address, &string, sizeof(string)))
        return;
    sm_scribe_text(r, "data_size %d\nlength %d\nflags %d\n", (int32_t)string.data_size,
                   string.length, string.flags);
    sm_scribe_chunks(r, "string", address + offsetof(QXLString, chunk), string.data_size);
}

static void record_glyphs(struct sm_scribe *r, const QXLText *text)
{
    record_string(r, text->str);
    sm_scribe_rect(r, "back_area", &text->back_area);
    record_brush(r, &text->fore_brush);
    record_brush(r, &text->back_brush);
    sm_scribe_text(r, "fore_mode %d\nback_mode %d\n", text->fore_mode, text->back_mode);
}

static void record_transform(struct sm_scribe *r, const char *name, uint64_t address)
{
    sm_scribe_text(r, "%s %d\n", name, address != 0);
    if (address)
        sm_scribe_binary(r, name, address, sizeof(QXLTransform));
}

static void record_composite(struct sm_scribe *r, const QXLComposite *composite)
{
    sm_scribe_text(r, "flags %d\n", (int32_t)composite->flags);
    sm_scribe_image(r, composite->src);
    record_transform(r, "src_transform", composite->src_transform);
    sm_scribe_text(r, "mask %d\n", composite->mask != 0);
    if (composite->mask)
        sm_scribe_image(r, composite->mask);
    record_transform(r, "mask_transform", composite->mask_transform);
    sm_scribe_text(r, "src_origin %d %d\n", composite->src_origin.x, composite->src_origin.y);
    sm_scribe_text(r, "mask_origin %d %d\n", composite->mask_origin.x, composite->mask_origin.y);
}

static void record_operation(struct sm_scribe *r, const QXLDrawable *d)
{
    switch (d->type) {
    case QXL_DRAW_NOP:
        break;
    case QXL_DRAW_FILL:
        record_fill(r, &d->u.fill);
        break;
    case QXL_DRAW_OPAQUE:
        record_opaque(r, &d->u.opaque);
        break;
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND:
        record_copy(r, &d->u.copy);
        break;
    case QXL_COPY_BITS:
        sm_scribe_point(r, d->u.copy_bits.src_pos);
        break;
    case QXL_DRAW_BLACKNESS:
    case QXL_DRAW_WHITENESS:
    case QXL_DRAW_INVERS:
        record_mask(r, &d->u.blackness.mask);
        break;
    case QXL_DRAW_ROP3:
        record_rop3(r, &d->u.rop3);
        break;
    case QXL_DRAW_STROKE:
        record_stroke(r, &d->u.stroke);
        break;
    case QXL_DRAW_TEXT:
        record_glyphs(r, &d->u.text);
        break;
    case QXL_DRAW_TRANSPARENT:
        record_transparent(r, &d->u.transparent);
        break;
    case QXL_DRAW_ALPHA_BLEND:
        record_alpha_blend(r, &d->u.alpha_blend);
        break;
    case QXL_DRAW_COMPOSITE:
        record_composite(r, &d->u.composite);
        break;
    default: /* a reader could not go on behind it */
        r->failed = true;
        break;
    }
}

/* The part that depends on the type lies the same way in both generations, but for one. */
static void translate_union(const QXLCompatDrawable *old, QXLDrawable *d)
{
    if (old->type == QXL_DRAW_ALPHA_BLEND) {
        d->u.alpha_blend = (QXLAlphaBlend){.alpha = old->u.alpha_blend.alpha,
                                           .src_bitmap = old->u.alpha_blend.src_bitmap,
                                           .src_area = old->u.alpha_blend.src_area};
        return;
    }
    memcpy(&d->u, &old->u, sizeof(old->u) < sizeof(d->u) ? sizeof(old->u) : sizeof(d->u));
}

/*
 * The file does not say which generation a drawing was of, and readers take it for the second. The
 * first one knew surface 0 only, and no dependencies but that of a copy within it.
 */
static bool copy_translated(struct sm_scribe *r, uint64_t address, QXLDrawable *d)
{
    QXLCompatDrawable old;
    if (!sm_scribe_copy(r, address, &old, sizeof(old)))
        return false;
    *d = (QXLDrawable){.effect = old.effect,
                       .type = old.type,
                       .self_bitmap = old.bitmap_offset != 0,
                       .self_bitmap_area = old.bitmap_area,
                       .bbox = old.bbox,
                       .clip = old.clip,
                       .mm_time = old.mm_time,
                       .surfaces_dest = {-1, -1, -1}};
    if (old.type == QXL_DRAW_COMPOSITE)
        r->failed = true; /* came later */
    translate_union(&old, d);
    if (old.type == QXL_COPY_BITS) {
        QXLPoint from = old.u.copy_bits.src_pos;
        d->surfaces_dest[0] = 0;
        d->surfaces_rects[0] = (QXLRect){
            .top = from.y,
            .left = from.x,
            .bottom =
                (int32_t)((uint32_t)from.y + (uint32_t)old.bbox.bottom - (uint32_t)old.bbox.top),
            .right =
                (int32_t)((uint32_t)from.x + (uint32_t)old.bbox.right - (uint32_t)old.bbox.left)};
    }
    return !r->failed;
}

void sm_scribe_drawable(struct sm_scribe *r, uint64_t address)
{
    QXLDrawable d;
    bool is_copied =
        r->is_compat ? copy_translated(r, address, &d) : sm_scribe_copy(r, address, &d, sizeof(d));
    if (!is_copied)
        return;
    sm_scribe_text(r, "drawable\n");
    sm_scribe_rect(r, "bbox", &d.bbox);
    record_clip(r, &d.clip);
    sm_scribe_text(r, "effect %d\nmm_time %d\nself_bitmap %d\n", d.effect, (int32_t)d.mm_time,
                   d.self_bitmap);
    sm_scribe_rect(r, "self_bitmap_area", &d.self_bitmap_area);
    sm_scribe_text(r, "surface_id %d\n", (int32_t)d.surface_id);
    for (unsigned i = 0; i < 3; i++) {
        sm_scribe_text(r, "surfaces_dest %d\n", d.surfaces_dest[i]);
        sm_scribe_rect(r, "surfaces_rects", &d.surfaces_rects[i]);
    }
    sm_scribe_text(r, "type %d\n", d.type);
    record_operation(r, &d);
}
