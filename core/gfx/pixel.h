/* SPDX-License-Identifier: MIT */
/*
 * One pixel: reading and writing its stored value, and turning it into channels and back. Pixels
 * as channels are 32 bits, 0xAARRGGBB, whatever the format they come from. Private to core/gfx.
 * Source: docs/gfx.md, "Pixels".
 */
#ifndef SM_CORE_GFX_PIXEL_H
#define SM_CORE_GFX_PIXEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pixels.h"

/* Rows may lie at any address (guest memory), so pixels are read as if they were packed. */
typedef uint32_t sm_gfx_u32 __attribute__((aligned(1), may_alias));
typedef uint16_t sm_gfx_u16 __attribute__((aligned(1), may_alias));

static inline uint32_t sm_gfx_load(const uint8_t *at, uint32_t bytes)
{
    switch (bytes) {
    case 4:
        return *(const sm_gfx_u32 *)at;
    case 2:
        return *(const sm_gfx_u16 *)at;
    default:
        return *at;
    }
}

static inline void sm_gfx_put(uint8_t *at, uint32_t bytes, uint32_t value)
{
    switch (bytes) {
    case 4:
        *(sm_gfx_u32 *)at = value;
        break;
    case 2:
        *(sm_gfx_u16 *)at = (uint16_t)value;
        break;
    default:
        *at = (uint8_t)value;
        break;
    }
}

/** Bytes of a pixel of a format that surfaces can have. */
static inline uint32_t sm_gfx_pixel_bytes(enum sm_pixel_format format)
{
    return sm_pixel_bits(format) / 8;
}

/** round(a * b / 255) for a, b in 0..255. */
static inline uint32_t sm_gfx_mul(uint32_t a, uint32_t b)
{
    uint32_t t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

static inline uint32_t sm_gfx_saturate(uint32_t v)
{
    return v < 255 ? v : 255;
}

static inline uint32_t sm_gfx_argb(uint32_t a, uint32_t r, uint32_t g, uint32_t b)
{
    return a << 24 | r << 16 | g << 8 | b;
}

/** All four channels of `p` times `m` / 255, each rounded as sm_gfx_mul(). */
static inline uint32_t sm_gfx_mul4(uint32_t p, uint32_t m)
{
    uint32_t rb = (p & 0xff00ff) * m + 0x800080;
    uint32_t ag = (p >> 8 & 0xff00ff) * m + 0x800080;
    rb = (rb + (rb >> 8 & 0xff00ff)) >> 8 & 0xff00ff;
    ag = (ag + (ag >> 8 & 0xff00ff)) & 0xff00ff00;
    return ag | rb;
}

/** Sums of channels, each at most 255. */
static inline uint32_t sm_gfx_add4(uint32_t p, uint32_t q)
{
    uint32_t rb = (p & 0xff00ff) + (q & 0xff00ff);
    uint32_t ag = (p >> 8 & 0xff00ff) + (q >> 8 & 0xff00ff);
    rb |= 0x1000100 - (rb >> 8 & 0x10001);
    ag |= 0x1000100 - (ag >> 8 & 0x10001);
    return (ag & 0xff00ff) << 8 | (rb & 0xff00ff);
}

static inline uint32_t sm_gfx_widen5(uint32_t v)
{
    return v << 3 | v >> 2;
}

static inline uint32_t sm_gfx_widen6(uint32_t v)
{
    return v << 2 | v >> 4;
}

/** Channels of a stored value; formats without alpha have 255. */
static inline uint32_t sm_gfx_fetch(enum sm_pixel_format format, uint32_t v)
{
    switch (format) {
    case SM_PIXEL_ARGB32:
        return v;
    case SM_PIXEL_RGB555:
        return sm_gfx_argb(255, sm_gfx_widen5(v >> 10 & 31), sm_gfx_widen5(v >> 5 & 31),
                           sm_gfx_widen5(v & 31));
    case SM_PIXEL_RGB565:
        return sm_gfx_argb(255, sm_gfx_widen5(v >> 11 & 31), sm_gfx_widen6(v >> 5 & 63),
                           sm_gfx_widen5(v & 31));
    case SM_PIXEL_A8:
        return v << 24;
    default: /* XRGB32 */
        return v | 0xff000000;
    }
}

/** The stored value of channels `p`: reduced by cutting off, meaning-free bits zero. */
static inline uint32_t sm_gfx_store(enum sm_pixel_format format, uint32_t p)
{
    switch (format) {
    case SM_PIXEL_ARGB32:
        return p;
    case SM_PIXEL_RGB555:
        return (p >> 9 & 0x7c00) | (p >> 6 & 0x3e0) | (p >> 3 & 0x1f);
    case SM_PIXEL_RGB565:
        return (p >> 8 & 0xf800) | (p >> 5 & 0x7e0) | (p >> 3 & 0x1f);
    case SM_PIXEL_A8:
        return p >> 24;
    default:
        return p & 0xffffff;
    }
}

static inline bool sm_gfx_has_alpha(enum sm_pixel_format format)
{
    return format == SM_PIXEL_ARGB32 || format == SM_PIXEL_A8;
}

/** The address of pixel (x, y), which is inside `pixels`. */
static inline uint8_t *sm_gfx_at(const struct sm_pixels *pixels, int32_t x, int32_t y)
{
    return sm_pixels_row(pixels, (uint32_t)y) + (size_t)x * sm_gfx_pixel_bytes(pixels->format);
}

static inline bool sm_gfx_is_inside(const struct sm_pixels *pixels, int64_t x, int64_t y)
{
    return x >= 0 && y >= 0 && x < pixels->width && y < pixels->height;
}

/**
 * Channels of `count` pixels from (x, y) on, all inside `pixels`, which has a format that surfaces
 * can have.
 */
void sm_gfx_fetch_row(const struct sm_pixels *pixels, int32_t x, int32_t y, uint32_t count,
                      uint32_t *out);

/** Stores `count` pixels as channels from (x, y) on, all inside `pixels`. */
void sm_gfx_store_row(const struct sm_pixels *pixels, int32_t x, int32_t y, uint32_t count,
                      const uint32_t *from);

#endif
