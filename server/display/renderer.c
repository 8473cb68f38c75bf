/* SPDX-License-Identifier: MIT */
#include "server/display/renderer.h"

#include <stdlib.h>

#include "core/base/cpu.h"
#include "core/channel/canvas/canvas.h"
#include "server/display/surfaces.h"
#include "server/qxl/memslots.h"

struct sm_renderer {
    struct sm_canvas *canvas;        /* owned */
    const struct sm_memslots *slots; /* borrowed */
};

enum sm_status sm_renderer_create(struct sm_renderer **out, const struct sm_memslots *slots)
{
    struct sm_renderer *renderer = calloc(1, sizeof(*renderer));
    if (!renderer)
        return SM_ERR_NOMEM;
    renderer->slots = slots;
    struct sm_canvas_config config = {
        .max_surfaces = SM_SURFACES_MAX,
        .max_image_pixels = SM_MAX_PIXELS,
        .cpu_flags = sm_cpu_detect(),
    };
    enum sm_status status = sm_canvas_create(&renderer->canvas, &config);
    if (status) {
        free(renderer);
        return status;
    }
    *out = renderer;
    return SM_OK;
}

void sm_renderer_destroy(struct sm_renderer *renderer)
{
    if (!renderer)
        return;
    sm_canvas_destroy(renderer->canvas);
    free(renderer);
}

enum sm_status sm_renderer_add_surface(struct sm_renderer *renderer, uint32_t id,
                                       const struct sm_pixels *pixels)
{
    if (pixels->format == SM_PIXEL_A1)
        return SM_OK;
    return sm_canvas_surface_wrap(renderer->canvas, id, pixels);
}

void sm_renderer_remove_surface(struct sm_renderer *renderer, uint32_t id)
{
    sm_canvas_surface_destroy(renderer->canvas, id);
}

void sm_renderer_draw(struct sm_renderer *renderer, const struct sm_drawing *drawing,
                      const struct sm_region *part)
{
    struct sm_display_msg msg = drawing->msg;
    if (part) {
        struct sm_clip *clip = &msg.draw_fill.base.clip; /* all messages begin with the same base */
        *clip = (struct sm_clip){.type = SM_CLIP_TYPE_RECTS};
        clip->rects = sm_region_rects(part, &clip->num_rects);
    }
    enum sm_status status = sm_canvas_draw(renderer->canvas, &msg, NULL);
    if (status == SM_AGAIN) {
        sm_canvas_cancel(renderer->canvas);
        status = SM_ERR_PROTOCOL;
    }
    if (status)
        sm_memslots_warn(renderer->slots, "drawing of type %u not rendered: %s", drawing->msg.type,
                         sm_canvas_reason(renderer->canvas));
}
