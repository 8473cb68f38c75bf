/* SPDX-License-Identifier: MIT */
/* The way of every drawing message: its region, its command, and the end of both. */
#include "core/channel/canvas/command.h"

static const int32_t FAR = 1 << 30;

static bool is_far(struct sm_rect r)
{
    return r.left < -FAR || r.left > FAR || r.top < -FAR || r.top > FAR || r.right < -FAR ||
           r.right > FAR || r.bottom < -FAR || r.bottom > FAR;
}

enum sm_status sm_command_region(struct sm_region *out, const struct sm_surface *surface,
                                 struct sm_rect box, const struct sm_clip *clip)
{
    struct sm_rect within = sm_rect_intersect(sm_surface_bounds(surface), box);
    switch (clip->type) {
    case SM_CLIP_TYPE_NONE:
        sm_region_finish(out);
        sm_region_init_rect(out, within);
        return SM_OK;
    case SM_CLIP_TYPE_RECTS:
        return sm_region_from_rects(out, clip->rects, clip->num_rects, within);
    default:
        return SM_ERR_PROTOCOL;
    }
}

bool sm_command_draws(const struct sm_command *command)
{
    return !sm_region_is_empty(&command->region) && !command->canvas->is_dropped;
}

void sm_command_settle(const struct sm_command *command)
{
    sm_lazy_fills_settle(command->canvas, command->target_id, command->region.bounds);
}

/* NULL for messages that draw nothing. */
static const struct sm_display_base *base_of(const struct sm_display_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_DISPLAY_COPY_BITS:
        return &msg->copy_bits.base;
    case SM_MSG_DISPLAY_DRAW_FILL:
        return &msg->draw_fill.base;
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        return &msg->draw_opaque.base;
    case SM_MSG_DISPLAY_DRAW_COPY:
        return &msg->draw_copy.base;
    case SM_MSG_DISPLAY_DRAW_BLEND:
        return &msg->draw_blend.base;
    case SM_MSG_DISPLAY_DRAW_BLACKNESS:
        return &msg->draw_blackness.base;
    case SM_MSG_DISPLAY_DRAW_WHITENESS:
        return &msg->draw_whiteness.base;
    case SM_MSG_DISPLAY_DRAW_INVERS:
        return &msg->draw_invers.base;
    case SM_MSG_DISPLAY_DRAW_ROP3:
        return &msg->draw_rop3.base;
    case SM_MSG_DISPLAY_DRAW_STROKE:
        return &msg->draw_stroke.base;
    case SM_MSG_DISPLAY_DRAW_TEXT:
        return &msg->draw_text.base;
    case SM_MSG_DISPLAY_DRAW_TRANSPARENT:
        return &msg->draw_transparent.base;
    case SM_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        return &msg->draw_alpha_blend.base;
    case SM_MSG_DISPLAY_DRAW_COMPOSITE:
        return &msg->draw_composite.base;
    default:
        return NULL;
    }
}

/* BLEND has a structure of its own with the same members. */
static struct sm_msg_display_draw_copy as_copy(const struct sm_msg_display_draw_blend *blend)
{
    return (struct sm_msg_display_draw_copy){
        .base = blend->base,
        .src_bitmap = blend->src_bitmap,
        .src_area = blend->src_area,
        .ropd = blend->ropd,
        .scale_mode = blend->scale_mode,
        .mask = blend->mask,
    };
}

static enum sm_status execute(struct sm_command *c, const struct sm_display_msg *msg)
{
    struct sm_msg_display_draw_copy blend;
    switch (msg->type) {
    case SM_MSG_DISPLAY_COPY_BITS:
        return sm_command_copy_bits(c, &msg->copy_bits);
    case SM_MSG_DISPLAY_DRAW_FILL:
        return sm_command_fill(c, &msg->draw_fill);
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        return sm_command_opaque(c, &msg->draw_opaque);
    case SM_MSG_DISPLAY_DRAW_COPY:
        return sm_command_copy(c, &msg->draw_copy);
    case SM_MSG_DISPLAY_DRAW_BLEND:
        blend = as_copy(&msg->draw_blend);
        return sm_command_copy(c, &blend);
    case SM_MSG_DISPLAY_DRAW_BLACKNESS:
        return sm_command_constant(c, &msg->draw_blackness.mask, SM_GFX_OP_CLEAR);
    case SM_MSG_DISPLAY_DRAW_WHITENESS:
        return sm_command_constant(c, &msg->draw_whiteness.mask, SM_GFX_OP_SET);
    case SM_MSG_DISPLAY_DRAW_INVERS:
        return sm_command_constant(c, &msg->draw_invers.mask, SM_GFX_OP_INVERT);
    case SM_MSG_DISPLAY_DRAW_ROP3:
        return sm_command_rop3(c, &msg->draw_rop3);
    case SM_MSG_DISPLAY_DRAW_STROKE:
        return sm_command_stroke(c, &msg->draw_stroke);
    case SM_MSG_DISPLAY_DRAW_TEXT:
        return sm_command_text(c, &msg->draw_text);
    case SM_MSG_DISPLAY_DRAW_TRANSPARENT:
        return sm_command_transparent(c, &msg->draw_transparent);
    case SM_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        return sm_command_alpha_blend(c, &msg->draw_alpha_blend);
    default:
        return sm_command_composite(c, &msg->draw_composite);
    }
}

/* Those that may put new pixels on a rectangle without a look at the old ones. */
static bool settles_itself(const struct sm_display_msg *msg)
{
    return msg->type == SM_MSG_DISPLAY_DRAW_FILL || msg->type == SM_MSG_DISPLAY_DRAW_COPY ||
           msg->type == SM_MSG_DISPLAY_DRAW_BLEND;
}

static enum sm_status make_region(struct sm_command *c, const struct sm_display_base *base)
{
    const struct sm_surface *surface = sm_canvas_surface(c->canvas, base->surface_id);
    c->format = SM_PIXEL_XRGB32;
    if (!surface) {
        sm_canvas_drop(c->canvas, "there is no such surface");
        return SM_OK;
    }
    c->target = sm_surface_pixels(surface);
    c->format = c->target->format;
    if (is_far(base->box)) {
        sm_canvas_drop(c->canvas, "a coordinate is out of range");
        return SM_OK;
    }
    enum sm_status status = sm_command_region(&c->region, surface, base->box, &base->clip);
    if (status != SM_OK)
        c->canvas->reason = "a clip cannot be used";
    return status;
}

enum sm_status sm_canvas_draw(struct sm_canvas *canvas, const struct sm_display_msg *msg,
                              struct sm_region *damage)
{
    const struct sm_display_base *base = base_of(msg);
    canvas->reason = "";
    canvas->is_dropped = false;
    canvas->wait = SM_CANVAS_WAITS_NOT;
    if (damage)
        sm_region_finish(damage);
    if (!base) {
        canvas->reason = "a message that draws nothing";
        return SM_ERR_STATE;
    }

    struct sm_command command = {.canvas = canvas, .target_id = base->surface_id, .box = base->box};
    command.area.region = &command.region;
    enum sm_status status = make_region(&command, base);
    if (status == SM_OK && !settles_itself(msg))
        sm_command_settle(&command);
    if (status == SM_OK)
        status = execute(&command, msg);
    if (status != SM_AGAIN)
        sm_operands_release(canvas);
    if (damage && ((status == SM_OK && sm_command_draws(&command)) || command.is_half_drawn))
        *damage = command.region;
    else
        sm_region_finish(&command.region);
    return status;
}
