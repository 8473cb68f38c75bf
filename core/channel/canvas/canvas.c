/* SPDX-License-Identifier: MIT */
#include "core/channel/canvas/canvas.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/channel/canvas/command.h"
#include "core/channel/canvas/operand.h"
#include "core/gfx/convert.h"
#include "core/gfx/draw.h"

enum sm_status sm_canvas_create(struct sm_canvas **out, const struct sm_canvas_config *config)
{
    struct sm_canvas *canvas = calloc(1, sizeof(*canvas));
    if (!canvas)
        return SM_ERR_NOMEM;
    canvas->config = *config;
    canvas->reason = "";
    sm_gfx_ops_init(&canvas->gfx, config->cpu_flags);
    canvas->surfaces = sm_alloc_array(config->max_surfaces, sizeof(*canvas->surfaces));
    canvas->surface_pixels = sm_alloc_array(config->max_surfaces, sizeof(*canvas->surface_pixels));
    enum sm_status status = canvas->surfaces && canvas->surface_pixels ? SM_OK : SM_ERR_NOMEM;
    const struct sm_decoder_config decoder = {
        .libs = config->libs,
        .window = config->window,
        .max_pixels = config->max_image_pixels,
        .cpu_flags = config->cpu_flags,
    };
    if (status == SM_OK)
        status = sm_decoder_create(&canvas->decoder, &decoder);
    if (status != SM_OK) {
        sm_canvas_destroy(canvas);
        return status;
    }
    *out = canvas;
    return SM_OK;
}

void sm_canvas_destroy(struct sm_canvas *canvas)
{
    if (!canvas)
        return;
    sm_operands_release(canvas);
    for (uint32_t i = 0; canvas->surfaces && i < canvas->config.max_surfaces; i++)
        sm_surface_destroy(canvas->surfaces[i]);
    sm_palette_cache_clear(&canvas->palettes);
    sm_decoder_destroy(canvas->decoder);
    free(canvas->surfaces);
    free(canvas->surface_pixels);
    free(canvas);
}

const char *sm_canvas_reason(const struct sm_canvas *canvas)
{
    return canvas->reason;
}

enum sm_pixel_format sm_canvas_pixel_format(uint32_t surface_format)
{
    switch (surface_format) {
    case SM_SURFACE_FORMAT_8_A:
        return SM_PIXEL_A8;
    case SM_SURFACE_FORMAT_16_555:
        return SM_PIXEL_RGB555;
    case SM_SURFACE_FORMAT_16_565:
        return SM_PIXEL_RGB565;
    case SM_SURFACE_FORMAT_32_XRGB:
        return SM_PIXEL_XRGB32;
    case SM_SURFACE_FORMAT_32_ARGB:
        return SM_PIXEL_ARGB32;
    default:
        return SM_PIXEL_NONE;
    }
}

static void put_surface(struct sm_canvas *canvas, uint32_t id, struct sm_surface *surface,
                        uint64_t pixels)
{
    sm_canvas_surface_destroy(canvas, id);
    canvas->surfaces[id] = surface;
    canvas->surface_pixels[id] = pixels;
    canvas->pixels += pixels;
}

enum sm_status sm_canvas_surface_create(struct sm_canvas *canvas, uint32_t id, uint32_t format,
                                        uint32_t width, uint32_t height)
{
    canvas->reason = "a surface's id or size is out of range";
    if (id >= canvas->config.max_surfaces)
        return SM_ERR_LIMIT;
    uint64_t pixels = (uint64_t)width * height;
    uint64_t others = canvas->pixels - canvas->surface_pixels[id];
    if (pixels > canvas->config.max_pixels || others > canvas->config.max_pixels - pixels)
        return SM_ERR_LIMIT;
    struct sm_surface *surface = NULL;
    enum sm_status status =
        sm_surface_create(&surface, sm_canvas_pixel_format(format), width, height);
    if (status == SM_OK) {
        put_surface(canvas, id, surface, pixels);
        canvas->reason = "";
    }
    return status;
}

enum sm_status sm_canvas_surface_wrap(struct sm_canvas *canvas, uint32_t id,
                                      const struct sm_pixels *pixels)
{
    canvas->reason = "a surface's id or size is out of range";
    if (id >= canvas->config.max_surfaces)
        return SM_ERR_LIMIT;
    struct sm_surface *surface = NULL;
    enum sm_status status = sm_surface_wrap(&surface, pixels);
    if (status == SM_OK) {
        put_surface(canvas, id, surface, 0);
        canvas->reason = "";
    }
    return status;
}

void sm_canvas_surface_destroy(struct sm_canvas *canvas, uint32_t id)
{
    if (id >= canvas->config.max_surfaces || !canvas->surfaces[id])
        return;
    sm_canvas_cancel(canvas); /* a waiting command may hold its pixels */
    sm_lazy_fills_forget(canvas, id);
    sm_surface_destroy(canvas->surfaces[id]);
    canvas->surfaces[id] = NULL;
    canvas->pixels -= canvas->surface_pixels[id];
    canvas->surface_pixels[id] = 0;
    if (canvas->has_primary && canvas->primary_id == id)
        canvas->has_primary = false;
}

void sm_canvas_settle(struct sm_canvas *canvas)
{
    sm_lazy_fills_settle_all(canvas);
}

size_t sm_canvas_fills(const struct sm_canvas *canvas, uint32_t surface_id,
                       struct sm_canvas_fill *out)
{
    return sm_lazy_fills_of(canvas, surface_id, out);
}

struct sm_surface *sm_canvas_surface(const struct sm_canvas *canvas, uint32_t id)
{
    return id < canvas->config.max_surfaces ? canvas->surfaces[id] : NULL;
}

void sm_canvas_cancel(struct sm_canvas *canvas)
{
    sm_operands_release(canvas);
    sm_decoder_cancel(canvas->decoder);
    canvas->wait = SM_CANVAS_WAITS_NOT;
}

enum sm_canvas_wait sm_canvas_awaited(const struct sm_canvas *canvas, uint64_t *id)
{
    *id = canvas->awaited_id;
    return canvas->wait;
}

/* A primary of the same size and format is kept with its contents. */
static enum sm_status create_surface(struct sm_canvas *canvas,
                                     const struct sm_msg_display_surface_create *create)
{
    bool is_primary = (create->flags & SM_SURFACE_FLAG_PRIMARY) != 0;
    if (is_primary && canvas->has_primary) {
        const struct sm_pixels *old = sm_surface_pixels(canvas->surfaces[canvas->primary_id]);
        if (canvas->primary_id == create->surface_id && old->width == create->width &&
            old->height == create->height && old->format == sm_canvas_pixel_format(create->format))
            return SM_OK;
        sm_canvas_surface_destroy(canvas, canvas->primary_id);
    }
    enum sm_status status = sm_canvas_surface_create(canvas, create->surface_id, create->format,
                                                     create->width, create->height);
    if (status == SM_OK && is_primary) {
        canvas->has_primary = true;
        canvas->primary_id = create->surface_id;
    }
    return status;
}

static enum sm_status set_mode(struct sm_canvas *canvas, const struct sm_msg_display_mode *mode)
{
    if (mode->bits != 16 && mode->bits != 32) {
        canvas->reason = "a mode has neither 16 nor 32 bits";
        return SM_ERR_PROTOCOL;
    }
    const struct sm_msg_display_surface_create create = {
        .width = mode->x_res,
        .height = mode->y_res,
        .format = mode->bits == 16 ? SM_SURFACE_FORMAT_16_555 : SM_SURFACE_FORMAT_32_XRGB,
        .flags = SM_SURFACE_FLAG_PRIMARY,
    };
    return create_surface(canvas, &create);
}

static void reset(struct sm_canvas *canvas)
{
    sm_palette_cache_clear(&canvas->palettes);
    if (!canvas->has_primary)
        return;
    const struct sm_surface *primary = canvas->surfaces[canvas->primary_id];
    sm_lazy_fills_forget(canvas, canvas->primary_id);
    struct sm_region all;
    sm_region_init_rect(&all, sm_surface_bounds(primary));
    const struct sm_gfx_area area = {.region = &all};
    const struct sm_gfx_brush black = {.type = SM_GFX_BRUSH_NONE};
    sm_gfx_fill(&canvas->gfx, sm_surface_pixels(primary), &area, &black, SM_GFX_OP_CLEAR);
}

static enum sm_status drop_images(struct sm_canvas *canvas,
                                  const struct sm_msg_display_inval_list *list)
{
    for (uint32_t i = 0; i < list->num_resources; i++) {
        if (list->resources[i].type != SM_RESOURCE_TYPE_PIXMAP) {
            canvas->reason = "a resource is no image";
            return SM_ERR_PROTOCOL;
        }
    }
    for (uint32_t i = 0; canvas->config.cache && i < list->num_resources; i++)
        sm_image_cache_remove(canvas->config.cache, list->resources[i].id);
    return SM_OK;
}

enum sm_status sm_canvas_apply(struct sm_canvas *canvas, const struct sm_display_msg *msg)
{
    canvas->reason = "";
    switch (msg->type) {
    case SM_MSG_DISPLAY_MODE:
        return set_mode(canvas, &msg->mode);
    case SM_MSG_DISPLAY_RESET:
        reset(canvas);
        return SM_OK;
    case SM_MSG_DISPLAY_SURFACE_CREATE:
        return create_surface(canvas, &msg->surface_create);
    case SM_MSG_DISPLAY_SURFACE_DESTROY:
        sm_canvas_surface_destroy(canvas, msg->surface_destroy.surface_id);
        return SM_OK;
    case SM_MSG_DISPLAY_INVAL_LIST:
        return drop_images(canvas, &msg->inval_list);
    case SM_MSG_DISPLAY_INVAL_ALL_PIXMAPS:
        if (canvas->config.cache)
            sm_image_cache_clear(canvas->config.cache);
        return SM_OK;
    case SM_MSG_DISPLAY_INVAL_PALETTE:
        sm_palette_cache_remove(&canvas->palettes, msg->inval_palette.id);
        return SM_OK;
    case SM_MSG_DISPLAY_INVAL_ALL_PALETTES:
        sm_palette_cache_clear(&canvas->palettes);
        return SM_OK;
    default:
        canvas->reason = "a message that changes no surface and no cache";
        return SM_ERR_STATE;
    }
}

enum sm_status sm_canvas_blit(struct sm_canvas *canvas, uint32_t surface_id, struct sm_rect dest,
                              const struct sm_clip *clip, const struct sm_pixels *frame,
                              struct sm_region *damage)
{
    canvas->reason = "";
    if (damage)
        sm_region_finish(damage);
    const struct sm_surface *surface = sm_canvas_surface(canvas, surface_id);
    if (!surface || frame->width == 0 || frame->height == 0)
        return SM_OK;
    const struct sm_clip none = {.type = SM_CLIP_TYPE_NONE};
    struct sm_region region = {0};
    enum sm_status status = sm_command_region(&region, surface, dest, clip ? clip : &none);
    if (status == SM_OK) {
        sm_lazy_fills_settle(canvas, surface_id, sm_region_bounds(&region));
        sm_gfx_paint_frame(sm_surface_pixels(surface), &region, dest, frame);
    }
    if (status != SM_OK)
        canvas->reason = "a stream's clip cannot be used";
    if (status == SM_OK && damage)
        *damage = region;
    else
        sm_region_finish(&region);
    return status;
}
