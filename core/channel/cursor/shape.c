/* SPDX-License-Identifier: MIT */
#include "core/channel/cursor/shape.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/math.h"

/* What stands for "invert the screen" in a colour shape, by turns: dark and light, both seen
 * through. */
static const uint32_t INVERTED[2] = {0xc0303030, 0x30303030};

static const uint32_t BLACK = 0xff000000, WHITE = 0xffffffff;

/* A shape being decoded. `data` holds sm_cursor_shape_bytes() at least. */
struct source {
    const uint8_t *data;
    uint32_t width, height;
    size_t count;         /* pixels */
    size_t mask_row;      /* bytes of a row with one bit per pixel */
    const uint8_t *mask;  /* of colour shapes */
    const uint8_t *table; /* of palette shapes: 32-bit entries */
};

uint64_t sm_cursor_shape_bytes(uint8_t type, uint32_t width, uint32_t height)
{
    uint64_t w = width, h = height;
    uint64_t mask = (w + 7) / 8 * h;
    switch (type) {
    case SM_CURSOR_TYPE_ALPHA:
        return 4 * w * h;
    case SM_CURSOR_TYPE_MONO:
        return 2 * mask;
    case SM_CURSOR_TYPE_COLOR4:
        return (w + 1) / 2 * h + 16 * 4 + mask;
    case SM_CURSOR_TYPE_COLOR8:
        return w * h + 256 * 4 + mask;
    case SM_CURSOR_TYPE_COLOR16:
        return 2 * w * h + mask;
    case SM_CURSOR_TYPE_COLOR24:
        return 3 * w * h + mask;
    case SM_CURSOR_TYPE_COLOR32:
        return 4 * w * h + mask;
    default:
        return 0;
    }
}

static bool bit_at(const struct source *s, const uint8_t *plane, uint32_t x, uint32_t y)
{
    return plane[y * s->mask_row + x / 8] >> (7 - x % 8) & 1;
}

/* c × a / 255, rounded. */
static uint32_t multiply(uint32_t c, uint32_t a)
{
    uint32_t t = c * a + 128;
    return (t + (t >> 8)) >> 8;
}

static void decode_alpha(const struct source *s, struct sm_cursor_shape *shape)
{
    for (size_t i = 0; i < s->count; i++) {
        const uint8_t *p = s->data + 4 * i;
        uint32_t a = p[3];
        shape->pixels[i] =
            a << 24 | multiply(p[2], a) << 16 | multiply(p[1], a) << 8 | multiply(p[0], a);
    }
}

/* A transparent pixel beside an inverted one becomes white, so that black on black is seen. */
static bool touches_inverted(const struct source *s, const uint8_t *and_plane,
                             const uint8_t *xor_plane, uint32_t x, uint32_t y)
{
    for (uint32_t ny = y ? y - 1 : 0; ny <= y + 1 && ny < s->height; ny++) {
        for (uint32_t nx = x ? x - 1 : 0; nx <= x + 1 && nx < s->width; nx++) {
            if (bit_at(s, and_plane, nx, ny) && bit_at(s, xor_plane, nx, ny))
                return true;
        }
    }
    return false;
}

static void decode_mono(const struct source *s, struct sm_cursor_shape *shape)
{
    const uint8_t *and_plane = s->data, *xor_plane = s->data + s->mask_row * s->height;
    for (uint32_t y = 0; y < s->height; y++) {
        for (uint32_t x = 0; x < s->width; x++) {
            bool and_bit = bit_at(s, and_plane, x, y), xor_bit = bit_at(s, xor_plane, x, y);
            uint32_t pixel = xor_bit ? WHITE : BLACK;
            if (and_bit && xor_bit) {
                pixel = BLACK;
                shape->has_inverted = true;
            } else if (and_bit) {
                pixel = touches_inverted(s, and_plane, xor_plane, x, y) ? WHITE : 0;
            }
            shape->pixels[(size_t)y * s->width + x] = pixel;
        }
    }
}

static uint32_t expand5(uint32_t value)
{
    value &= 31;
    return value << 3 | value >> 2;
}

static uint32_t table_entry(const struct source *s, uint32_t index)
{
    const uint8_t *e = s->table + (size_t)4 * index;
    return (uint32_t)e[2] << 16 | (uint32_t)e[1] << 8 | e[0];
}

/* The colour of a pixel as 0xRRGGBB. */
static uint32_t color_at(const struct source *s, uint8_t type, uint32_t x, uint32_t y)
{
    size_t i = (size_t)y * s->width + x;
    const uint8_t *p;
    switch (type) {
    case SM_CURSOR_TYPE_COLOR4:
        p = s->data + (size_t)y * ((s->width + 1) / 2) + x / 2;
        return table_entry(s, x % 2 ? *p & 15 : *p >> 4);
    case SM_CURSOR_TYPE_COLOR8:
        return table_entry(s, s->data[i]);
    case SM_CURSOR_TYPE_COLOR16: {
        p = s->data + 2 * i;
        uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8;
        return expand5(v >> 10) << 16 | expand5(v >> 5) << 8 | expand5(v);
    }
    default: /* 24 and 32 bits begin alike */
        p = s->data + (type == SM_CURSOR_TYPE_COLOR24 ? 3 : 4) * i;
        return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
    }
}

static void decode_color(struct source *s, uint8_t type, struct sm_cursor_shape *shape)
{
    size_t mask_size = s->mask_row * s->height;
    s->mask = s->data + sm_cursor_shape_bytes(type, s->width, s->height) - mask_size;
    size_t entries = type == SM_CURSOR_TYPE_COLOR4 ? 16 : 256;
    if (type == SM_CURSOR_TYPE_COLOR4 || type == SM_CURSOR_TYPE_COLOR8)
        s->table = s->mask - 4 * entries;
    for (uint32_t y = 0; y < s->height; y++) {
        for (uint32_t x = 0; x < s->width; x++) {
            uint32_t color = color_at(s, type, x, y);
            uint32_t pixel = BLACK | color;
            if (bit_at(s, s->mask, x, y)) {
                pixel = color ? INVERTED[(x ^ y) & 1] : 0;
                shape->has_inverted = shape->has_inverted || color;
            }
            shape->pixels[(size_t)y * s->width + x] = pixel;
        }
    }
}

enum sm_status sm_cursor_shape_create(struct sm_cursor_shape **out, const struct sm_cursor *cursor)
{
    uint64_t count = (uint64_t)cursor->width * cursor->height;
    if (count > SM_CURSOR_MAX_PIXELS)
        return SM_ERR_LIMIT;
    if (cursor->type > SM_CURSOR_TYPE_COLOR32)
        return SM_ERR_PROTOCOL;
    if (cursor->data.size < sm_cursor_shape_bytes(cursor->type, cursor->width, cursor->height))
        return SM_ERR_PROTOCOL;

    struct sm_cursor_shape *shape = calloc(1, sizeof(*shape));
    if (!shape)
        return SM_ERR_NOMEM;
    *shape = (struct sm_cursor_shape){
        .refs = 1,
        .unique = cursor->unique,
        .width = cursor->width,
        .height = cursor->height,
        .hot_x = (uint16_t)sm_min_u32(cursor->hot_spot_x, cursor->width),
        .hot_y = (uint16_t)sm_min_u32(cursor->hot_spot_y, cursor->height),
        .pixels = sm_alloc_array((size_t)count, sizeof(uint32_t)),
    };
    if (!shape->pixels) {
        sm_cursor_shape_unref(shape);
        return SM_ERR_NOMEM;
    }
    struct source source = {.data = cursor->data.data,
                            .width = cursor->width,
                            .height = cursor->height,
                            .count = (size_t)count,
                            .mask_row = ((size_t)cursor->width + 7) / 8};
    if (count == 0) {
        /* nothing to decode, perhaps not even data */
    } else if (cursor->type == SM_CURSOR_TYPE_ALPHA) {
        decode_alpha(&source, shape);
    } else if (cursor->type == SM_CURSOR_TYPE_MONO) {
        decode_mono(&source, shape);
    } else {
        decode_color(&source, cursor->type, shape);
    }
    *out = shape;
    return SM_OK;
}

struct sm_cursor_shape *sm_cursor_shape_ref(struct sm_cursor_shape *shape)
{
    shape->refs++;
    return shape;
}

void sm_cursor_shape_unref(struct sm_cursor_shape *shape)
{
    if (!shape || --shape->refs > 0)
        return;
    free(shape->pixels);
    free(shape);
}
