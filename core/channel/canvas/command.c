/* SPDX-License-Identifier: MIT */
#include "core/channel/canvas/command.h"

#include "core/gfx/blend.h"
#include "core/gfx/draw.h"

enum sm_status sm_command_load_brush(struct sm_command *c, enum sm_operand_role role,
                                     const struct sm_brush *brush)
{
    if (brush->type == SM_BRUSH_TYPE_PATTERN)
        return sm_operand_load(c->canvas, role, brush->image, c->format, sm_command_draws(c));
    if (brush->type != SM_BRUSH_TYPE_SOLID && brush->type != SM_BRUSH_TYPE_NONE)
        sm_canvas_drop(c->canvas, "there is no such brush");
    return SM_OK;
}

static struct sm_rect whole(const struct sm_pixels *pixels)
{
    return (struct sm_rect){0, 0, (int32_t)pixels->width, (int32_t)pixels->height};
}

enum sm_status sm_command_make_brush(struct sm_command *c, enum sm_operand_role role,
                                     const struct sm_brush *brush, struct sm_gfx_brush *out)
{
    *out = (struct sm_gfx_brush){.type = SM_GFX_BRUSH_NONE};
    if (brush->type == SM_BRUSH_TYPE_SOLID) {
        out->type = SM_GFX_BRUSH_SOLID;
        out->color = brush->color;
    }
    if (brush->type != SM_BRUSH_TYPE_PATTERN)
        return SM_OK;
    struct sm_operand *operand = &c->canvas->operands[role];
    struct sm_point at;
    enum sm_status status = sm_operand_adapt(operand, c->format);
    if (status == SM_OK)
        status = sm_operand_detach(operand, c->target_id, whole(&operand->pixels), &at);
    out->type = SM_GFX_BRUSH_TILE;
    out->tile = operand->pixels;
    out->x = brush->pos.x;
    out->y = brush->pos.y;
    return status;
}

static enum sm_status load_mask(struct sm_command *c, const struct sm_qmask *mask)
{
    return mask->bitmap ? sm_operand_load_mask(c->canvas, mask->bitmap) : SM_OK;
}

static void make_mask(struct sm_command *c, const struct sm_qmask *mask)
{
    if (!mask->bitmap)
        return;
    c->mask = (struct sm_gfx_mask){
        .bits = c->canvas->operands[SM_OPERAND_MASK].pixels,
        .dx = (int64_t)mask->pos.x - c->box.left,
        .dy = (int64_t)mask->pos.y - c->box.top,
        .is_inverted = (mask->flags & SM_MASK_FLAG_INVERS) != 0,
    };
    c->area.mask = &c->mask;
}

static enum sm_status load_source(struct sm_command *c, const struct sm_image *image)
{
    return sm_operand_load(c->canvas, SM_OPERAND_SOURCE, image, c->format, sm_command_draws(c));
}

/* The loaded source, adapted unless the command wants it as it came. */
static enum sm_status make_source(struct sm_command *c, struct sm_rect area, uint32_t scale_mode,
                                  bool adapts, struct sm_gfx_source *out)
{
    struct sm_operand *operand = &c->canvas->operands[SM_OPERAND_SOURCE];
    *out =
        (struct sm_gfx_source){.area = area, .is_linear = scale_mode == SM_SCALE_MODE_INTERPOLATE};
    bool is_scaled = sm_gfx_source_is_scaled(out, c->box);
    if (is_scaled && scale_mode != SM_SCALE_MODE_INTERPOLATE && scale_mode != SM_SCALE_MODE_NEAREST)
        sm_canvas_drop(c->canvas, "there is no such scale mode");
    enum sm_status status = adapts ? sm_operand_adapt(operand, c->format) : SM_OK;
    struct sm_point at = {0};
    if (status == SM_OK)
        status = sm_operand_detach(operand, c->target_id,
                                   is_scaled ? whole(&operand->pixels) : area, &at);
    int64_t left = (int64_t)area.left - at.x, top = (int64_t)area.top - at.y;
    int64_t right = (int64_t)area.right - at.x, bottom = (int64_t)area.bottom - at.y;
    const int64_t far = 1 << 30;
    if (left < -far || left > far || top < -far || top > far || right < -far || right > far ||
        bottom < -far || bottom > far)
        sm_canvas_drop(c->canvas, "a source area is out of range");
    else
        out->area = (struct sm_rect){(int32_t)left, (int32_t)top, (int32_t)right, (int32_t)bottom};
    out->pixels = operand->pixels;
    return status;
}

/* Empty if it would be far from every surface. */
static struct sm_rect moved(struct sm_rect r, int64_t dx, int64_t dy)
{
    const int64_t far = 1 << 30;
    if (dx < -far || dx > far || dy < -far || dy > far)
        return (struct sm_rect){0};
    return (struct sm_rect){r.left + (int32_t)dx, r.top + (int32_t)dy, r.right + (int32_t)dx,
                            r.bottom + (int32_t)dy};
}

enum sm_status sm_command_copy_bits(struct sm_command *c,
                                    const struct sm_msg_display_copy_bits *msg)
{
    if (!sm_command_draws(c))
        return SM_OK;
    int64_t dx = (int64_t)c->box.left - msg->src_pos.x, dy = (int64_t)c->box.top - msg->src_pos.y;
    sm_lazy_fills_settle(c->canvas, c->target_id, moved(c->region.bounds, -dx, -dy));
    sm_gfx_move(c->target, &c->region, dx, dy);
    return SM_OK;
}

/* One colour put on all pixels of one rectangle, whatever they are. */
static bool is_plain_fill(const struct sm_command *c, const struct sm_gfx_brush *brush,
                          enum sm_gfx_op op)
{
    return brush->type == SM_GFX_BRUSH_SOLID && op == SM_GFX_OP_COPY && !c->area.mask &&
           c->region.count == 1;
}

enum sm_status sm_command_fill(struct sm_command *c, const struct sm_msg_display_draw_fill *msg)
{
    enum sm_status status = sm_command_load_brush(c, SM_OPERAND_BRUSH, &msg->brush);
    if (status == SM_OK)
        status = load_mask(c, &msg->mask);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    struct sm_gfx_brush brush;
    make_mask(c, &msg->mask);
    status = sm_command_make_brush(c, SM_OPERAND_BRUSH, &msg->brush, &brush);
    if (status != SM_OK)
        return status;
    enum sm_gfx_op op = sm_gfx_op_from_ropd(msg->ropd, SM_ROPD_INVERS_BRUSH, SM_ROPD_INVERS_DEST);
    if (c->canvas->config.has_lazy_fills && is_plain_fill(c, &brush, op)) {
        sm_lazy_fill(c->canvas, c->target_id, c->region.bounds, brush.color);
        return SM_OK;
    }
    sm_command_settle(c);
    sm_gfx_fill(&c->canvas->gfx, c->target, &c->area, &brush, op);
    return SM_OK;
}

enum sm_status sm_command_constant(struct sm_command *c, const struct sm_qmask *mask,
                                   enum sm_gfx_op op)
{
    enum sm_status status = load_mask(c, mask);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    const struct sm_gfx_brush none = {.type = SM_GFX_BRUSH_NONE};
    make_mask(c, mask);
    sm_gfx_fill(&c->canvas->gfx, c->target, &c->area, &none, op);
    return SM_OK;
}

/* A whole image put on one rectangle, as most of a desktop is drawn. */
static bool is_plain_copy(const struct sm_command *c, const struct sm_msg_display_draw_copy *msg)
{
    const struct sm_image *image = msg->src_bitmap;
    if (!sm_command_draws(c) || !image || msg->mask.bitmap || c->region.count != 1 ||
        !sm_rect_equal(c->region.bounds, c->box) ||
        sm_gfx_op_from_ropd(msg->ropd, SM_ROPD_INVERS_SRC, SM_ROPD_INVERS_DEST) != SM_GFX_OP_COPY)
        return false;
    struct sm_rect area = msg->src_area;
    return area.left == 0 && area.top == 0 && area.right == (int64_t)image->width &&
           area.bottom == (int64_t)image->height && sm_rect_width(c->box) == area.right &&
           sm_rect_height(c->box) == area.bottom;
}

static enum sm_status decode_to_target(struct sm_command *c, const struct sm_image *image,
                                       bool *is_done)
{
    const struct sm_pixels part = sm_pixels_part(c->target, (uint32_t)c->box.left,
                                                 (uint32_t)c->box.top, image->width, image->height);
    enum sm_status status = sm_operand_decode_to(c->canvas, image, &part, is_done);
    c->is_half_drawn = *is_done && status != SM_OK && status != SM_AGAIN;
    return status;
}

enum sm_status sm_command_copy(struct sm_command *c, const struct sm_msg_display_draw_copy *msg)
{
    bool is_done = false;
    if (is_plain_copy(c, msg)) {
        enum sm_status decoded = decode_to_target(c, msg->src_bitmap, &is_done);
        if (is_done && decoded != SM_AGAIN)
            sm_lazy_fills_cover(c->canvas, c->target_id, c->region.bounds);
        if (decoded != SM_OK || is_done)
            return decoded;
    }
    enum sm_status status = load_source(c, msg->src_bitmap);
    if (status == SM_OK)
        status = load_mask(c, &msg->mask);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    struct sm_gfx_source source;
    make_mask(c, &msg->mask);
    status = make_source(c, msg->src_area, msg->scale_mode, true, &source);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    if (is_plain_copy(c, msg) && source.pixels.width == msg->src_bitmap->width &&
        source.pixels.height == msg->src_bitmap->height)
        sm_lazy_fills_cover(c->canvas, c->target_id, c->region.bounds);
    else
        sm_command_settle(c);
    sm_gfx_copy(c->target, &c->area, c->box, &source,
                sm_gfx_op_from_ropd(msg->ropd, SM_ROPD_INVERS_SRC, SM_ROPD_INVERS_DEST));
    return SM_OK;
}

enum sm_status sm_command_opaque(struct sm_command *c, const struct sm_msg_display_draw_opaque *msg)
{
    enum sm_status status = load_source(c, msg->src_bitmap);
    if (status == SM_OK)
        status = sm_command_load_brush(c, SM_OPERAND_BRUSH, &msg->brush);
    if (status == SM_OK)
        status = load_mask(c, &msg->mask);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    struct sm_gfx_source source;
    struct sm_gfx_brush brush;
    make_mask(c, &msg->mask);
    status = make_source(c, msg->src_area, msg->scale_mode, true, &source);
    if (status == SM_OK)
        status = sm_command_make_brush(c, SM_OPERAND_BRUSH, &msg->brush, &brush);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    sm_gfx_copy(c->target, &c->area, c->box, &source, SM_GFX_OP_COPY);
    sm_gfx_fill(&c->canvas->gfx, c->target, &c->area, &brush,
                sm_gfx_op_from_ropd(msg->ropd, SM_ROPD_INVERS_BRUSH, SM_ROPD_INVERS_SRC));
    return SM_OK;
}

enum sm_status sm_command_rop3(struct sm_command *c, const struct sm_msg_display_draw_rop3 *msg)
{
    enum sm_status status = load_source(c, msg->src_bitmap);
    if (status == SM_OK)
        status = sm_command_load_brush(c, SM_OPERAND_BRUSH, &msg->brush);
    if (status == SM_OK)
        status = load_mask(c, &msg->mask);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    struct sm_gfx_source source;
    struct sm_gfx_brush brush;
    make_mask(c, &msg->mask);
    status = make_source(c, msg->src_area, msg->scale_mode, true, &source);
    if (status == SM_OK)
        status = sm_command_make_brush(c, SM_OPERAND_BRUSH, &msg->brush, &brush);
    if (status == SM_OK && sm_command_draws(c))
        sm_gfx_rop3(c->target, &c->area, c->box, &source, &brush, msg->rop3);
    return status;
}

enum sm_status sm_command_transparent(struct sm_command *c,
                                      const struct sm_msg_display_draw_transparent *msg)
{
    enum sm_status status = load_source(c, msg->src_bitmap);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    struct sm_gfx_source source;
    status = make_source(c, msg->src_area, SM_SCALE_MODE_NEAREST, true, &source);
    if (status == SM_OK && sm_command_draws(c))
        sm_gfx_copy_keyed(c->target, &c->area, c->box, &source, msg->true_color);
    return status;
}

enum sm_status sm_command_alpha_blend(struct sm_command *c,
                                      const struct sm_msg_display_draw_alpha_blend *msg)
{
    if (msg->alpha == 0)
        sm_canvas_drop(c->canvas, "a picture is fully transparent");
    enum sm_status status = load_source(c, msg->src_bitmap);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    struct sm_gfx_source source;
    status = make_source(c, msg->src_area, SM_SCALE_MODE_NEAREST, false, &source);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    if (c->canvas->operands[SM_OPERAND_SOURCE].is_surface &&
        msg->alpha_flags & SM_ALPHA_FLAG_SRC_SURFACE_HAS_ALPHA &&
        source.pixels.format == SM_PIXEL_XRGB32)
        source.pixels.format = SM_PIXEL_ARGB32;
    sm_gfx_alpha_blend(&c->canvas->gfx, c->target, &c->region, c->box, &source, msg->alpha,
                       (msg->alpha_flags & SM_ALPHA_FLAG_DEST_HAS_ALPHA) != 0);
    return SM_OK;
}
