/* SPDX-License-Identifier: MIT */
#include "core/gfx/brush.h"

#include <string.h>

#include "core/gfx/pixel.h"

uint32_t sm_gfx_replicated(uint32_t color, uint32_t bytes)
{
    switch (bytes) {
    case 1:
        return (color & 0xff) * 0x01010101;
    case 2:
        return (color & 0xffff) * 0x00010001;
    default:
        return color;
    }
}

bool sm_gfx_brush_fits(const struct sm_gfx_brush *brush, const struct sm_pixels *target)
{
    return brush->type != SM_GFX_BRUSH_TILE ||
           sm_pixel_bits(brush->tile.format) == sm_pixel_bits(target->format);
}

static uint32_t modulo(int64_t v, uint32_t size)
{
    int64_t rest = v % (int64_t)size;
    return (uint32_t)(rest < 0 ? rest + size : rest);
}

const uint8_t *sm_gfx_brush_run(const struct sm_gfx_brush *brush, uint32_t bytes, int32_t x,
                                int32_t y, uint32_t count, struct sm_gfx_run *buffer)
{
    uint8_t *out = (uint8_t *)buffer->pixels;
    if (brush->type != SM_GFX_BRUSH_TILE) {
        uint32_t color = brush->type == SM_GFX_BRUSH_SOLID ? brush->color : 0;
        sm_gfx_op_fill(SM_GFX_OP_COPY, out, sm_gfx_replicated(color, bytes), (size_t)count * bytes);
        return out;
    }
    const struct sm_pixels *tile = &brush->tile;
    uint32_t column = modulo((int64_t)x - brush->x, tile->width);
    const uint8_t *row = sm_pixels_row(tile, modulo((int64_t)y - brush->y, tile->height));
    if (tile->width - column >= count)
        return row + (size_t)column * bytes;
    for (uint32_t done = 0; done < count; column = 0) {
        uint32_t left = tile->width - column;
        uint32_t run = left < count - done ? left : count - done;
        memcpy(out + (size_t)done * bytes, row + (size_t)column * bytes, (size_t)run * bytes);
        done += run;
    }
    return out;
}

void sm_gfx_brush_paint(const struct sm_gfx_brush *brush, const struct sm_pixels *target,
                        enum sm_gfx_op op, int32_t x, int32_t y, uint32_t count)
{
    uint32_t bytes = sm_gfx_pixel_bytes(target->format);
    if (brush->type != SM_GFX_BRUSH_TILE) {
        uint32_t color = brush->type == SM_GFX_BRUSH_SOLID ? brush->color : 0;
        sm_gfx_op_fill(op, sm_gfx_at(target, x, y), sm_gfx_replicated(color, bytes),
                       (size_t)count * bytes);
        return;
    }
    struct sm_gfx_run buffer;
    while (count > 0) {
        uint32_t run = count < SM_GFX_RUN_PX ? count : SM_GFX_RUN_PX;
        const uint8_t *from = sm_gfx_brush_run(brush, bytes, x, y, run, &buffer);
        sm_gfx_op_row(op, sm_gfx_at(target, x, y), from, (size_t)run * bytes);
        x += (int32_t)run;
        count -= run;
    }
}
