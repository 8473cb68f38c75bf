/* SPDX-License-Identifier: MIT */
/* Pictures the server makes itself: of a surface for a client, or of a drawing's own target. */
#include "core/wire/types.h"
#include "server/qxl/drawing_parts.h"

/* A bitmap in the drawing's arena, top row first. */
static struct sm_image *make_bitmap(struct sm_drawing *drawing, uint64_t id, uint8_t format,
                                    uint8_t flags, struct sm_rect area, const uint8_t *pixels,
                                    uint32_t stride_bytes)
{
    struct sm_image *image = sm_arena_alloc(&drawing->arena, 1, sizeof(*image));
    if (!image)
        return NULL;
    uint32_t width = (uint32_t)sm_rect_width(area);
    uint32_t height = (uint32_t)sm_rect_height(area);
    image->id = id;
    image->type = SM_IMAGE_TYPE_BITMAP;
    image->flags = flags;
    image->width = width;
    image->height = height;
    image->bitmap = (struct sm_bitmap){
        .format = format,
        .flags = SM_BITMAP_FLAG_TOP_DOWN,
        .x = width,
        .y = height,
        .stride = stride_bytes,
        .data = {.data = pixels, .size = (size_t)stride_bytes * height},
    };
    return image;
}

static void set_absent(const struct sm_image **at, const struct sm_image *image)
{
    if (!*at)
        *at = image;
}

static void set_absent_pattern(struct sm_brush *brush, const struct sm_image *image)
{
    if (brush->type == SM_BRUSH_TYPE_PATTERN)
        set_absent(&brush->image, image);
}

enum sm_status sm_drawing_set_self_bitmap(struct sm_drawing *drawing, uint64_t id, uint8_t format,
                                          uint8_t image_flags, uint8_t *pixels,
                                          uint32_t stride_bytes)
{
    const struct sm_image *image =
        make_bitmap(drawing, id, format, image_flags, drawing->self_area, pixels, stride_bytes);
    if (!image)
        return SM_ERR_NOMEM;
    if (drawing->block_count == SM_DRAWING_MAX_BLOCKS)
        return SM_ERR_LIMIT;
    (void)sm_drawing_own(drawing, pixels, image->bitmap.data.size);

    struct sm_display_msg *msg = &drawing->msg;
    switch (msg->type) {
    case SM_MSG_DISPLAY_DRAW_FILL:
        set_absent_pattern(&msg->draw_fill.brush, image);
        break;
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        set_absent(&msg->draw_opaque.src_bitmap, image);
        set_absent_pattern(&msg->draw_opaque.brush, image);
        break;
    case SM_MSG_DISPLAY_DRAW_ROP3:
        set_absent(&msg->draw_rop3.src_bitmap, image);
        set_absent_pattern(&msg->draw_rop3.brush, image);
        break;
    case SM_MSG_DISPLAY_DRAW_STROKE:
        set_absent_pattern(&msg->draw_stroke.brush, image);
        break;
    case SM_MSG_DISPLAY_DRAW_TEXT:
        set_absent_pattern(&msg->draw_text.fore_brush, image);
        set_absent_pattern(&msg->draw_text.back_brush, image);
        break;
    case SM_MSG_DISPLAY_DRAW_TRANSPARENT:
        set_absent(&msg->draw_transparent.src_bitmap, image);
        break;
    case SM_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        set_absent(&msg->draw_alpha_blend.src_bitmap, image);
        break;
    case SM_MSG_DISPLAY_DRAW_COMPOSITE:
        set_absent(&msg->draw_composite.src_bitmap, image);
        break;
    default:
        break; /* reads no picture */
    }
    return SM_OK;
}

enum sm_status sm_drawing_create_copy(struct sm_drawing **out, uint32_t surface_id,
                                      struct sm_rect box, uint64_t id, uint8_t format,
                                      uint8_t image_flags, uint8_t *pixels, uint32_t stride_bytes,
                                      size_t page_bytes)
{
    struct sm_drawing *drawing = sm_drawing_new();
    if (!drawing)
        return SM_ERR_NOMEM;
    const struct sm_image *image =
        make_bitmap(drawing, id, format, image_flags, box, pixels, stride_bytes);
    if (!image) {
        sm_drawing_destroy(drawing);
        return SM_ERR_NOMEM;
    }
    drawing->msg.type = SM_MSG_DISPLAY_DRAW_COPY;
    drawing->msg.draw_copy = (struct sm_msg_display_draw_copy){
        .base = {.surface_id = surface_id, .box = box},
        .src_bitmap = image,
        .src_area = {0, 0, (int32_t)image->width, (int32_t)image->height},
        .ropd = SM_ROPD_OP_PUT,
        .scale_mode = SM_SCALE_MODE_INTERPOLATE,
    };
    drawing->bounds = box;
    drawing->effect = SM_EFFECT_OPAQUE;
    drawing->size_bytes = sizeof(*drawing);
    (void)sm_drawing_own(drawing, pixels, image->bitmap.data.size);
    drawing->page_bytes = page_bytes;
    *out = drawing;
    return SM_OK;
}
