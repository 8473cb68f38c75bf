/* SPDX-License-Identifier: MIT */
#include "core/gfx/pixel.h"

#include <string.h>

#include "core/gfx/vector.h"

/* One body for all formats; the format is a constant in each caller, so the switch vanishes. */
static inline void fetch_as(enum sm_pixel_format format, const uint8_t *from, uint32_t count,
                            uint32_t *out)
{
    uint32_t bytes = sm_gfx_pixel_bytes(format);
    for (uint32_t i = 0; i < count; i++, from += bytes)
        out[i] = sm_gfx_fetch(format, sm_gfx_load(from, bytes));
}

static inline void store_as(enum sm_pixel_format format, uint8_t *to, uint32_t count,
                            const uint32_t *from)
{
    uint32_t bytes = sm_gfx_pixel_bytes(format);
    for (uint32_t i = 0; i < count; i++, to += bytes)
        sm_gfx_put(to, bytes, sm_gfx_store(format, from[i]));
}

static void fetch_xrgb(const uint8_t *from, uint32_t count, uint32_t *out)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES)
        sm_gfx_vstore(out + i, sm_gfx_vload(from + 4 * (size_t)i) | 0xff000000);
    fetch_as(SM_PIXEL_XRGB32, from + 4 * (size_t)i, count - i, out + i);
}

static void store_xrgb(uint8_t *to, uint32_t count, const uint32_t *from)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES)
        sm_gfx_vstore(to + 4 * (size_t)i, sm_gfx_vload(from + i) & 0xffffff);
    store_as(SM_PIXEL_XRGB32, to + 4 * (size_t)i, count - i, from + i);
}

static void fetch_555(const uint8_t *from, uint32_t count, uint32_t *out)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES) {
        sm_gfx_v32 v = sm_gfx_vload_u16(from + 2 * (size_t)i);
        sm_gfx_v32 high = (v << 9 & 0xf80000) | (v << 6 & 0xf800) | (v << 3 & 0xf8);
        sm_gfx_vstore(out + i, high | (high >> 5 & 0x070707) | 0xff000000);
    }
    fetch_as(SM_PIXEL_RGB555, from + 2 * (size_t)i, count - i, out + i);
}

static void fetch_565(const uint8_t *from, uint32_t count, uint32_t *out)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES) {
        sm_gfx_v32 v = sm_gfx_vload_u16(from + 2 * (size_t)i);
        sm_gfx_v32 rb = (v << 8 & 0xf80000) | (v << 3 & 0xf8), g = v << 5 & 0xfc00;
        sm_gfx_vstore(out + i, rb | (rb >> 5 & 0x070007) | g | (g >> 6 & 0x0300) | 0xff000000);
    }
    fetch_as(SM_PIXEL_RGB565, from + 2 * (size_t)i, count - i, out + i);
}

static void fetch_a8(const uint8_t *from, uint32_t count, uint32_t *out)
{
    uint32_t i = 0;
    for (; i + SM_GFX_LANES <= count; i += SM_GFX_LANES)
        sm_gfx_vstore(out + i, sm_gfx_vload_bytes(from + i) << 24);
    fetch_as(SM_PIXEL_A8, from + i, count - i, out + i);
}

void sm_gfx_fetch_row(const struct sm_pixels *pixels, int32_t x, int32_t y, uint32_t count,
                      uint32_t *out)
{
    const uint8_t *from = sm_gfx_at(pixels, x, y);
    switch (pixels->format) {
    case SM_PIXEL_ARGB32:
        memcpy(out, from, (size_t)count * 4);
        break;
    case SM_PIXEL_RGB555:
        fetch_555(from, count, out);
        break;
    case SM_PIXEL_RGB565:
        fetch_565(from, count, out);
        break;
    case SM_PIXEL_A8:
        fetch_a8(from, count, out);
        break;
    default:
        fetch_xrgb(from, count, out);
        break;
    }
}

void sm_gfx_store_row(const struct sm_pixels *pixels, int32_t x, int32_t y, uint32_t count,
                      const uint32_t *from)
{
    uint8_t *to = sm_gfx_at(pixels, x, y);
    switch (pixels->format) {
    case SM_PIXEL_ARGB32:
        memcpy(to, from, (size_t)count * 4);
        break;
    case SM_PIXEL_RGB555:
        store_as(SM_PIXEL_RGB555, to, count, from);
        break;
    case SM_PIXEL_RGB565:
        store_as(SM_PIXEL_RGB565, to, count, from);
        break;
    case SM_PIXEL_A8:
        store_as(SM_PIXEL_A8, to, count, from);
        break;
    default:
        store_xrgb(to, count, from);
        break;
    }
}
