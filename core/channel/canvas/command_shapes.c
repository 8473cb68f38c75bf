/* SPDX-License-Identifier: MIT */
/* Strokes, text and composition: commands whose parameters need more translation. */
#include "core/channel/canvas/command.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/gfx/blend.h"
#include "core/gfx/composite.h"
#include "core/gfx/draw.h"
#include "core/gfx/stroke.h"

/* Fixed points and points are the same two numbers. */
_Static_assert(sizeof(struct sm_point_fix) == sizeof(struct sm_point) &&
                   offsetof(struct sm_point_fix, y) == offsetof(struct sm_point, y),
               "points differ");

static enum sm_status draw_stroke(struct sm_command *c,
                                  const struct sm_msg_display_draw_stroke *msg,
                                  const struct sm_gfx_brush *brush)
{
    const struct sm_path *path = msg->path;
    struct sm_gfx_path_segment *segments = sm_alloc_array(path->num_segments, sizeof(*segments));
    if (!segments)
        return SM_ERR_NOMEM;
    for (uint32_t i = 0; i < path->num_segments; i++) {
        segments[i] = (struct sm_gfx_path_segment){
            .flags = path->segments[i].flags,
            .points = (const struct sm_point *)path->segments[i].points,
            .count = path->segments[i].num_points,
        };
    }
    const struct sm_gfx_stroke stroke = {
        .segments = segments,
        .segment_count = path->num_segments,
        .is_dashed = (msg->attr.flags & SM_LINE_FLAG_STYLED) != 0,
        .starts_with_gap = (msg->attr.flags & SM_LINE_FLAG_START_WITH_GAP) != 0,
        .dashes = msg->attr.style,
        .dash_count = msg->attr.num_style,
    };
    enum sm_status status = sm_gfx_stroke(
        c->target, &c->region, &stroke, brush,
        sm_gfx_op_from_ropd(msg->fore_mode, SM_ROPD_INVERS_BRUSH, SM_ROPD_INVERS_DEST));
    free(segments);
    return status;
}

enum sm_status sm_command_stroke(struct sm_command *c, const struct sm_msg_display_draw_stroke *msg)
{
    enum sm_status status = sm_command_load_brush(c, SM_OPERAND_BRUSH, &msg->brush);
    if (status == SM_OK && !msg->path)
        sm_canvas_drop(c->canvas, "a stroke has no path");
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    struct sm_gfx_brush brush;
    status = sm_command_make_brush(c, SM_OPERAND_BRUSH, &msg->brush, &brush);
    return status == SM_OK ? draw_stroke(c, msg, &brush) : status;
}

/* The lowest raster flag decides; 0 for vector strings, which were never defined. */
static unsigned glyph_depth(uint32_t flags)
{
    if (flags & SM_STRING_FLAG_RASTER_A1)
        return 1;
    if (flags & SM_STRING_FLAG_RASTER_A4)
        return 4;
    return flags & SM_STRING_FLAG_RASTER_A8 ? 8 : 0;
}

static enum sm_status draw_glyphs(struct sm_command *c, const struct sm_string *string,
                                  const struct sm_gfx_brush *brush)
{
    struct sm_gfx_glyph *glyphs = sm_alloc_array(string->num_glyphs, sizeof(*glyphs));
    if (!glyphs)
        return SM_ERR_NOMEM;
    for (uint32_t i = 0; i < string->num_glyphs; i++) {
        const struct sm_raster_glyph *g = &string->glyphs[i];
        glyphs[i] = (struct sm_gfx_glyph){
            .left = (int64_t)g->render_pos.x + g->glyph_origin.x,
            .top = (int64_t)g->render_pos.y + g->glyph_origin.y,
            .width = g->width,
            .height = g->height,
            .data = g->data,
        };
    }
    const struct sm_gfx_text text = {
        .glyphs = glyphs, .count = string->num_glyphs, .depth = glyph_depth(string->flags)};
    enum sm_status status = sm_gfx_text(&c->canvas->gfx, c->target, &c->region, &text, brush);
    free(glyphs);
    return status;
}

static enum sm_status fill_back_area(struct sm_command *c,
                                     const struct sm_msg_display_draw_text *msg)
{
    struct sm_gfx_brush brush;
    struct sm_region region = {0};
    enum sm_status status =
        sm_command_make_brush(c, SM_OPERAND_BACK_BRUSH, &msg->back_brush, &brush);
    if (status == SM_OK)
        status = sm_region_copy(&region, &c->region);
    if (status == SM_OK)
        status = sm_region_intersect_rect(&region, msg->back_area);
    const struct sm_gfx_area area = {.region = &region};
    if (status == SM_OK)
        sm_gfx_fill(&c->canvas->gfx, c->target, &area, &brush, SM_GFX_OP_COPY);
    sm_region_finish(&region);
    return status;
}

static bool has_back_area(const struct sm_msg_display_draw_text *msg)
{
    return sm_rect_width(msg->back_area) != 0 && sm_rect_height(msg->back_area) != 0;
}

static enum sm_status load_text_brushes(struct sm_command *c,
                                        const struct sm_msg_display_draw_text *msg)
{
    enum sm_status status = sm_command_load_brush(c, SM_OPERAND_BRUSH, &msg->fore_brush);
    if (status != SM_OK)
        return status;
    if (has_back_area(msg))
        return sm_command_load_brush(c, SM_OPERAND_BACK_BRUSH, &msg->back_brush);
    if (msg->back_brush.type != SM_BRUSH_TYPE_PATTERN)
        return SM_OK;
    return sm_operand_load(c->canvas, SM_OPERAND_BACK_BRUSH, msg->back_brush.image, c->format,
                           false);
}

enum sm_status sm_command_text(struct sm_command *c, const struct sm_msg_display_draw_text *msg)
{
    if (has_back_area(msg) && msg->fore_mode != SM_ROPD_OP_PUT)
        sm_canvas_drop(c->canvas, "text with a back area has a raster operation");
    if (!msg->str || msg->str->num_glyphs == 0)
        sm_canvas_drop(c->canvas, "a string has no glyphs");
    enum sm_status status = load_text_brushes(c, msg);
    if (status != SM_OK || !sm_command_draws(c))
        return status;
    if (has_back_area(msg))
        status = fill_back_area(c, msg);
    if (status != SM_OK || glyph_depth(msg->str->flags) == 0)
        return status;
    struct sm_gfx_brush brush;
    status = sm_command_make_brush(c, SM_OPERAND_BRUSH, &msg->fore_brush, &brush);
    return status == SM_OK ? draw_glyphs(c, msg->str, &brush) : status;
}

/* One operand of a composition as the flags describe it. */
struct picture_flags {
    uint32_t filter, repeat;
    bool has_transform;
};

static bool is_filter(uint32_t filter)
{
    return filter <= SM_COMPOSITE_FILTER_BILINEAR;
}

static enum sm_status make_picture(struct sm_command *c, enum sm_operand_role role,
                                   struct picture_flags flags, const struct sm_transform *t,
                                   struct sm_point16 origin, struct sm_gfx_operand *out)
{
    struct sm_operand *operand = &c->canvas->operands[role];
    struct sm_point at;
    enum sm_status status = sm_operand_adapt(operand, c->format);
    if (status == SM_OK)
        status = sm_operand_detach(
            operand, c->target_id,
            (struct sm_rect){0, 0, (int32_t)operand->pixels.width, (int32_t)operand->pixels.height},
            &at);
    *out = (struct sm_gfx_operand){
        .sampler =
            {
                .pixels = operand->pixels,
                .transform = SM_GFX_IDENTITY,
                .is_linear = flags.filter != SM_COMPOSITE_FILTER_FAST &&
                             flags.filter != SM_COMPOSITE_FILTER_NEAREST,
                .repeat = (enum sm_gfx_repeat)flags.repeat,
            },
        .x = origin.x,
        .y = origin.y,
    };
    if (flags.has_transform)
        out->sampler.transform =
            (struct sm_gfx_transform){t->t00, t->t01, t->t02, t->t10, t->t11, t->t12};
    return status;
}

enum sm_status sm_command_composite(struct sm_command *c,
                                    const struct sm_msg_display_draw_composite *msg)
{
    uint32_t flags = msg->flags;
    bool has_mask = (flags & SM_COMPOSITE_FLAG_HAS_MASK) != 0;
    const struct picture_flags source = {flags >> 8 & 7, flags >> 14 & 3,
                                         (flags & SM_COMPOSITE_FLAG_HAS_SRC_TRANSFORM) != 0};
    const struct picture_flags mask = {flags >> 11 & 7, flags >> 16 & 3,
                                       (flags & SM_COMPOSITE_FLAG_HAS_MASK_TRANSFORM) != 0};
    if (!is_filter(source.filter) || (has_mask && !is_filter(mask.filter)))
        sm_canvas_drop(c->canvas, "there is no such filter");
    enum sm_status status = sm_operand_load(c->canvas, SM_OPERAND_SOURCE, msg->src_bitmap,
                                            c->format, sm_command_draws(c));
    if (status == SM_OK && has_mask)
        status = sm_operand_load(c->canvas, SM_OPERAND_MASK, msg->mask_bitmap, c->format,
                                 sm_command_draws(c));
    if (status != SM_OK || !sm_command_draws(c))
        return status;

    struct sm_gfx_composite composite = {
        .op = flags & 0xff,
        .has_mask = has_mask,
        .has_component_alpha = (flags & SM_COMPOSITE_FLAG_COMPONENT_ALPHA) != 0,
    };
    status = make_picture(c, SM_OPERAND_SOURCE, source, &msg->src_transform, msg->src_origin,
                          &composite.source);
    if (status == SM_OK && has_mask)
        status = make_picture(c, SM_OPERAND_MASK, mask, &msg->mask_transform, msg->mask_origin,
                              &composite.mask);
    struct sm_pixels *picture = &composite.source.sampler.pixels;
    if (flags & SM_COMPOSITE_FLAG_SOURCE_OPAQUE && picture->format == SM_PIXEL_ARGB32 &&
        c->canvas->operands[SM_OPERAND_SOURCE].is_surface)
        picture->format = SM_PIXEL_XRGB32;
    if (status == SM_OK)
        sm_gfx_composite(&c->canvas->gfx, c->target, &c->region, c->box, &composite);
    return status;
}
