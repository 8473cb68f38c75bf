/* SPDX-License-Identifier: MIT */
/* Recorded drawings. */
#include "server/replay/command.h"

#include <spice/enums.h>

static QXLClip read_clip(struct sm_replay_builder *b)
{
    QXLClip clip = {.type = (uint32_t)sm_recording_int(b->in, "type")};
    if (clip.type != SPICE_CLIP_TYPE_RECTS)
        return clip;
    int64_t count = sm_recording_range(b->in, "num_rects", 0, SM_RECORDING_ITEM_MAX);
    size_t size;
    QXLClipRects *rects = sm_replay_read_chunks(b, "clip_rects", sizeof(*rects), &size);
    if (rects)
        rects->num_rects = (uint32_t)count;
    clip.data = (uintptr_t)rects;
    return clip;
}

static QXLBrush read_brush(struct sm_replay_builder *b)
{
    QXLBrush brush = {.type = (uint32_t)sm_recording_int(b->in, "type")};
    if (brush.type == SPICE_BRUSH_TYPE_SOLID) {
        brush.u.color = (uint32_t)sm_recording_int(b->in, "u.color");
    } else if (brush.type == SPICE_BRUSH_TYPE_PATTERN) {
        brush.u.pattern.pat = sm_replay_read_image(b);
        brush.u.pattern.pos = sm_replay_read_point(b);
    }
    return brush;
}

static QXLQMask read_mask(struct sm_replay_builder *b)
{
    QXLQMask mask = {.flags = (uint8_t)sm_recording_int(b->in, "flags")};
    mask.pos = sm_replay_read_point(b);
    mask.bitmap = sm_replay_read_image(b);
    return mask;
}

static void read_fill(struct sm_replay_builder *b, QXLFill *fill)
{
    fill->brush = read_brush(b);
    fill->rop_descriptor = (uint16_t)sm_recording_int(b->in, "rop_descriptor");
    fill->mask = read_mask(b);
}

static void read_opaque(struct sm_replay_builder *b, QXLOpaque *opaque)
{
    opaque->src_bitmap = sm_replay_read_image(b);
    opaque->src_area = sm_replay_read_rect(b, "src_area");
    opaque->brush = read_brush(b);
    opaque->rop_descriptor = (uint16_t)sm_recording_int(b->in, "rop_descriptor");
    opaque->scale_mode = (uint8_t)sm_recording_int(b->in, "scale_mode");
    opaque->mask = read_mask(b);
}

static void read_copy(struct sm_replay_builder *b, QXLCopy *copy)
{
    copy->src_bitmap = sm_replay_read_image(b);
    copy->src_area = sm_replay_read_rect(b, "src_area");
    copy->rop_descriptor = (uint16_t)sm_recording_int(b->in, "rop_descriptor");
    copy->scale_mode = (uint8_t)sm_recording_int(b->in, "scale_mode");
    copy->mask = read_mask(b);
}

static void read_rop3(struct sm_replay_builder *b, QXLRop3 *rop3)
{
    rop3->src_bitmap = sm_replay_read_image(b);
    rop3->src_area = sm_replay_read_rect(b, "src_area");
    rop3->brush = read_brush(b);
    rop3->rop3 = (uint8_t)sm_recording_int(b->in, "rop3");
    rop3->scale_mode = (uint8_t)sm_recording_int(b->in, "scale_mode");
    rop3->mask = read_mask(b);
}

static void read_transparent(struct sm_replay_builder *b, QXLTransparent *transparent)
{
    transparent->src_bitmap = sm_replay_read_image(b);
    transparent->src_area = sm_replay_read_rect(b, "src_area");
    transparent->src_color = (uint32_t)sm_recording_int(b->in, "src_color");
    transparent->true_color = (uint32_t)sm_recording_int(b->in, "true_color");
}

static void read_alpha_blend(struct sm_replay_builder *b, QXLAlphaBlend *blend)
{
    blend->alpha_flags = (uint16_t)sm_recording_int(b->in, "alpha_flags");
    blend->alpha = (uint8_t)sm_recording_int(b->in, "alpha");
    blend->src_bitmap = sm_replay_read_image(b);
    blend->src_area = sm_replay_read_rect(b, "src_area");
}

static void read_stroke(struct sm_replay_builder *b, QXLStroke *stroke)
{
    size_t size;
    QXLPath *path = sm_replay_read_chunks(b, "path", sizeof(*path), &size);
    if (path)
        path->data_size = (uint32_t)size;
    stroke->path = (uintptr_t)path;
    stroke->attr.flags = (uint8_t)sm_recording_int(b->in, "attr.flags");
    if (stroke->attr.flags & SPICE_LINE_FLAGS_STYLED) {
        stroke->attr.style_nseg =
            (uint8_t)sm_recording_range(b->in, "attr.style_nseg", 0, UINT8_MAX);
        void *style = sm_recording_binary(b->in, "style", &b->command->arena, 0, &size);
        if (size != stroke->attr.style_nseg * sizeof(QXLFIXED))
            b->in->failed = true;
        stroke->attr.style = (uintptr_t)style;
    }
    stroke->brush = read_brush(b);
    stroke->fore_mode = (uint16_t)sm_recording_int(b->in, "fore_mode");
    stroke->back_mode = (uint16_t)sm_recording_int(b->in, "back_mode");
}

static QXLPHYSICAL read_string(struct sm_replay_builder *b)
{
    uint32_t data_size = (uint32_t)sm_recording_int(b->in, "data_size");
    uint16_t length = (uint16_t)sm_recording_int(b->in, "length");
    uint16_t flags = (uint16_t)sm_recording_int(b->in, "flags");
    size_t size;
    QXLString *string = sm_replay_read_chunks(b, "string", sizeof(*string), &size);
    if (string) {
        string->data_size = data_size;
        string->length = length;
        string->flags = flags;
    }
    return (uintptr_t)string;
}

static void read_text(struct sm_replay_builder *b, QXLText *text)
{
    text->str = read_string(b);
    text->back_area = sm_replay_read_rect(b, "back_area");
    text->fore_brush = read_brush(b);
    text->back_brush = read_brush(b);
    text->fore_mode = (uint16_t)sm_recording_int(b->in, "fore_mode");
    text->back_mode = (uint16_t)sm_recording_int(b->in, "back_mode");
}

static QXLPHYSICAL read_transform(struct sm_replay_builder *b, const char *name)
{
    if (!sm_recording_range(b->in, name, 0, 1))
        return 0;
    QXLTransform *transform = sm_replay_alloc(b, sizeof(*transform));
    if (transform)
        sm_recording_binary_into(b->in, name, transform, sizeof(*transform));
    return (uintptr_t)transform;
}

static QXLPoint16 read_origin(struct sm_replay_builder *b, const char *name)
{
    QXLPoint16 point = {.x = (int16_t)sm_recording_int(b->in, name)};
    point.y = (int16_t)sm_recording_int(b->in, NULL);
    return point;
}

static void read_composite(struct sm_replay_builder *b, QXLComposite *composite)
{
    composite->flags = (uint32_t)sm_recording_int(b->in, "flags");
    composite->src = sm_replay_read_image(b);
    composite->src_transform = read_transform(b, "src_transform");
    if (sm_recording_range(b->in, "mask", 0, 1))
        composite->mask = sm_replay_read_image(b);
    composite->mask_transform = read_transform(b, "mask_transform");
    composite->src_origin = read_origin(b, "src_origin");
    composite->mask_origin = read_origin(b, "mask_origin");
}

static void read_operation(struct sm_replay_builder *b, QXLDrawable *d)
{
    switch (d->type) {
    case QXL_DRAW_NOP:
        break;
    case QXL_DRAW_FILL:
        read_fill(b, &d->u.fill);
        break;
    case QXL_DRAW_OPAQUE:
        read_opaque(b, &d->u.opaque);
        break;
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND:
        read_copy(b, &d->u.copy);
        break;
    case QXL_COPY_BITS:
        d->u.copy_bits.src_pos = sm_replay_read_point(b);
        break;
    case QXL_DRAW_BLACKNESS:
    case QXL_DRAW_WHITENESS:
    case QXL_DRAW_INVERS:
        d->u.blackness.mask = read_mask(b);
        break;
    case QXL_DRAW_ROP3:
        read_rop3(b, &d->u.rop3);
        break;
    case QXL_DRAW_STROKE:
        read_stroke(b, &d->u.stroke);
        break;
    case QXL_DRAW_TEXT:
        read_text(b, &d->u.text);
        break;
    case QXL_DRAW_TRANSPARENT:
        read_transparent(b, &d->u.transparent);
        break;
    case QXL_DRAW_ALPHA_BLEND:
        read_alpha_blend(b, &d->u.alpha_blend);
        break;
    case QXL_DRAW_COMPOSITE:
        read_composite(b, &d->u.composite);
        break;
    default:
        b->in->failed = true;
        break;
    }
}

QXLDrawable *sm_replay_read_drawable(struct sm_replay_builder *b)
{
    QXLDrawable *d = sm_replay_alloc(b, sizeof(*d));
    if (!d)
        return NULL;
    sm_recording_word(b->in, "drawable");
    d->bbox = sm_replay_read_rect(b, "bbox");
    d->clip = read_clip(b);
    d->effect = (uint8_t)sm_recording_int(b->in, "effect");
    d->mm_time = (uint32_t)sm_recording_int(b->in, "mm_time");
    d->self_bitmap = (uint8_t)sm_recording_int(b->in, "self_bitmap");
    d->self_bitmap_area = sm_replay_read_rect(b, "self_bitmap_area");
    d->surface_id =
        (uint32_t)sm_replay_surface_id(b->surfaces, sm_recording_int(b->in, "surface_id"));
    for (unsigned i = 0; i < 3; i++) {
        d->surfaces_dest[i] =
            sm_replay_surface_id(b->surfaces, sm_recording_int(b->in, "surfaces_dest"));
        d->surfaces_rects[i] = sm_replay_read_rect(b, "surfaces_rects");
    }
    d->type = (uint8_t)sm_recording_int(b->in, "type");
    read_operation(b, d);
    return d;
}
