/* SPDX-License-Identifier: MIT */
/* One drawing message at work. Private to core/channel/canvas. */
#ifndef SM_CORE_CHANNEL_CANVAS_COMMAND_H
#define SM_CORE_CHANNEL_CANVAS_COMMAND_H

#include "core/base/geometry.h"
#include "core/channel/canvas/operand.h"
#include "core/gfx/area.h"
#include "core/gfx/draw.h"
#include "core/gfx/region.h"
#include "core/gfx/surface.h"
#include "core/wire/display.h"
#include "sumac/status.h"

/** What all commands have, while one is executed. */
struct sm_command {
    struct sm_canvas *canvas;
    uint32_t target_id;
    const struct sm_pixels *target; /* NULL: there is no such surface; nothing is drawn */
    enum sm_pixel_format format;    /* the target's; XRGB32 if there is none */
    struct sm_rect box;
    struct sm_region region; /* box, surface and clip */
    struct sm_gfx_mask mask;
    struct sm_gfx_area area; /* region and mask */
    bool is_half_drawn;      /* an image was decoded on the target, but not to its end */
};

/**
 * The pixels of `surface` that are in `box` and `clip`.
 *
 * @return SM_OK; SM_ERR_PROTOCOL for an unknown type of clip; SM_ERR_LIMIT, SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_command_region(struct sm_region *out,
                                              const struct sm_surface *surface, struct sm_rect box,
                                              const struct sm_clip *clip);

/** Paints fills that wait where the command draws: it is about to change those pixels in part. */
void sm_command_settle(const struct sm_command *command);

/** True if the command draws: its region is not empty and nothing has dropped it. */
bool sm_command_draws(const struct sm_command *command);

/*
 * Each executes one message on `command`, whose region is made. Return as sm_canvas_draw().
 */
SM_NODISCARD enum sm_status sm_command_copy_bits(struct sm_command *command,
                                                 const struct sm_msg_display_copy_bits *msg);
SM_NODISCARD enum sm_status sm_command_fill(struct sm_command *command,
                                            const struct sm_msg_display_draw_fill *msg);
/** BLACKNESS, WHITENESS and INVERS. */
SM_NODISCARD enum sm_status sm_command_constant(struct sm_command *command,
                                                const struct sm_qmask *mask, enum sm_gfx_op op);
/** COPY and BLEND. */
SM_NODISCARD enum sm_status sm_command_copy(struct sm_command *command,
                                            const struct sm_msg_display_draw_copy *msg);
SM_NODISCARD enum sm_status sm_command_opaque(struct sm_command *command,
                                              const struct sm_msg_display_draw_opaque *msg);
SM_NODISCARD enum sm_status sm_command_rop3(struct sm_command *command,
                                            const struct sm_msg_display_draw_rop3 *msg);
SM_NODISCARD enum sm_status
sm_command_transparent(struct sm_command *command,
                       const struct sm_msg_display_draw_transparent *msg);
SM_NODISCARD enum sm_status
sm_command_alpha_blend(struct sm_command *command,
                       const struct sm_msg_display_draw_alpha_blend *msg);
SM_NODISCARD enum sm_status sm_command_stroke(struct sm_command *command,
                                              const struct sm_msg_display_draw_stroke *msg);
SM_NODISCARD enum sm_status sm_command_text(struct sm_command *command,
                                            const struct sm_msg_display_draw_text *msg);
SM_NODISCARD enum sm_status sm_command_composite(struct sm_command *command,
                                                 const struct sm_msg_display_draw_composite *msg);

/** Loads a pattern brush's image into the operand of `role`; other brushes need nothing. */
SM_NODISCARD enum sm_status sm_command_load_brush(struct sm_command *command,
                                                  enum sm_operand_role role,
                                                  const struct sm_brush *brush);

/** Adapts the loaded pattern of `role`, takes it off the target, and makes the brush. */
SM_NODISCARD enum sm_status sm_command_make_brush(struct sm_command *command,
                                                  enum sm_operand_role role,
                                                  const struct sm_brush *brush,
                                                  struct sm_gfx_brush *out);

#endif
