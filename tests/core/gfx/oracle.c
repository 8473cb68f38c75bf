/* SPDX-License-Identifier: MIT */
#include "tests/core/gfx/oracle.h"

#include <string.h>

#include "core/base/cpu.h"

static uint32_t bytes_of(const struct sm_pixels *p)
{
    return sm_pixel_bits(p->format) / 8;
}

uint32_t oracle_load(const struct sm_pixels *p, int64_t x, int64_t y)
{
    uint32_t value = 0;
    assert_true(x >= 0 && y >= 0 && x < p->width && y < p->height);
    memcpy(&value, sm_pixels_row(p, (uint32_t)y) + (size_t)x * bytes_of(p), bytes_of(p));
    return value;
}

void oracle_put(const struct sm_pixels *p, int64_t x, int64_t y, uint32_t value)
{
    assert_true(x >= 0 && y >= 0 && x < p->width && y < p->height);
    memcpy(sm_pixels_row(p, (uint32_t)y) + (size_t)x * bytes_of(p), &value, bytes_of(p));
}

static uint32_t five(uint32_t v)
{
    v &= 31;
    return v << 3 | v >> 2;
}

struct oracle_color oracle_fetch(enum sm_pixel_format format, uint32_t v)
{
    switch (format) {
    case SM_PIXEL_ARGB32:
        return (struct oracle_color){v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255};
    case SM_PIXEL_RGB555:
        return (struct oracle_color){255, five(v >> 10), five(v >> 5), five(v)};
    case SM_PIXEL_RGB565:
        return (struct oracle_color){255, five(v >> 11), (v >> 5 & 63) << 2 | (v >> 9 & 3),
                                     five(v)};
    case SM_PIXEL_A8:
        return (struct oracle_color){v, 0, 0, 0};
    default:
        return (struct oracle_color){255, v >> 16 & 255, v >> 8 & 255, v & 255};
    }
}

uint32_t oracle_store(enum sm_pixel_format format, struct oracle_color c)
{
    switch (format) {
    case SM_PIXEL_ARGB32:
        return c.a << 24 | c.r << 16 | c.g << 8 | c.b;
    case SM_PIXEL_RGB555:
        return c.r >> 3 << 10 | c.g >> 3 << 5 | c.b >> 3;
    case SM_PIXEL_RGB565:
        return c.r >> 3 << 11 | c.g >> 2 << 5 | c.b >> 3;
    case SM_PIXEL_A8:
        return c.a;
    default:
        return c.r << 16 | c.g << 8 | c.b;
    }
}

uint32_t oracle_mul(uint32_t a, uint32_t b)
{
    return (2 * a * b + 255) / 510;
}

static struct oracle_color at(const struct sm_pixels *p, int64_t x, int64_t y)
{
    if (x < 0 || y < 0 || x >= p->width || y >= p->height)
        return (struct oracle_color){0};
    return oracle_fetch(p->format, oracle_load(p, x, y));
}

static int64_t floor_16(int64_t v)
{
    int64_t q = v / 65536;
    return q * 65536 > v ? q - 1 : q;
}

struct oracle_color oracle_nearest(const struct sm_pixels *p, int64_t x, int64_t y)
{
    return at(p, floor_16(x - 1), floor_16(y - 1));
}

struct oracle_color oracle_linear(const struct sm_pixels *p, int64_t x, int64_t y)
{
    x -= 32768;
    y -= 32768;
    int64_t c = floor_16(x), r = floor_16(y);
    uint32_t fx = 2 * (uint32_t)((x - c * 65536) / 512), fy = 2 * (uint32_t)((y - r * 65536) / 512);
    struct oracle_color p00 = at(p, c, r), p10 = at(p, c + 1, r);
    struct oracle_color p01 = at(p, c, r + 1), p11 = at(p, c + 1, r + 1);
    uint32_t w00 = (256 - fx) * (256 - fy), w10 = fx * (256 - fy), w01 = (256 - fx) * fy;
    uint32_t w11 = fx * fy;
    return (struct oracle_color){
        (p00.a * w00 + p10.a * w10 + p01.a * w01 + p11.a * w11) >> 16,
        (p00.r * w00 + p10.r * w10 + p01.r * w01 + p11.r * w11) >> 16,
        (p00.g * w00 + p10.g * w10 + p01.g * w01 + p11.g * w11) >> 16,
        (p00.b * w00 + p10.b * w10 + p01.b * w01 + p11.b * w11) >> 16,
    };
}

struct sm_pixels oracle_picture(struct sm_test_random *random, enum sm_pixel_format format)
{
    enum { LEAD = 3, GAP = 5 };
    struct sm_pixels p = {
        .format = format,
        .width = (uint32_t)oracle_between(random, 1, 40),
        .height = (uint32_t)oracle_between(random, 1, 40),
    };
    size_t stride = (size_t)sm_pixel_row_bytes(format, p.width) + GAP;
    uint8_t bytes[40 * (40 * 4 + GAP) + LEAD];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)sm_test_random_next(random);
    struct sm_bytes copy = sm_test_copy(bytes, LEAD + stride * p.height);
    p.data = (uint8_t *)(uintptr_t)copy.data + LEAD;
    p.stride_bytes = (ptrdiff_t)stride;
    if (sm_test_random_next(random) & 1) {
        p.data += stride * (p.height - 1);
        p.stride_bytes = -p.stride_bytes;
    }
    return p;
}

struct sm_pixels oracle_clone(const struct sm_pixels *p)
{
    struct sm_pixels clone = *p;
    size_t row = (size_t)sm_pixel_row_bytes(p->format, p->width);
    uint8_t bytes[40 * 40 * 4];
    for (uint32_t y = 0; y < p->height; y++)
        memcpy(bytes + row * y, sm_pixels_row(p, y), row);
    clone.data = (uint8_t *)(uintptr_t)sm_test_copy(bytes, row * p->height).data;
    clone.stride_bytes = (ptrdiff_t)row;
    return clone;
}

void oracle_check_equal(const struct sm_pixels *actual, const struct sm_pixels *expected,
                        uint32_t mask, const char *what)
{
    for (uint32_t y = 0; y < actual->height; y++) {
        for (uint32_t x = 0; x < actual->width; x++) {
            uint32_t a = oracle_load(actual, x, y), e = oracle_load(expected, x, y);
            if ((a ^ e) & mask)
                fail_msg("%s: (%u, %u) of %u x %u, format %d: got %08x, expected %08x", what, x, y,
                         actual->width, actual->height, actual->format, a, e);
        }
    }
}

enum sm_pixel_format oracle_format(struct sm_test_random *random)
{
    static const enum sm_pixel_format formats[] = {SM_PIXEL_XRGB32, SM_PIXEL_ARGB32,
                                                   SM_PIXEL_RGB555, SM_PIXEL_RGB565, SM_PIXEL_A8};
    return formats[sm_test_random_next(random) % 5];
}

int32_t oracle_between(struct sm_test_random *random, int32_t low, int32_t high)
{
    return low + (int32_t)(sm_test_random_next(random) % (uint32_t)(high - low + 1));
}

const struct sm_gfx_ops *oracle_ops(void)
{
    static struct sm_gfx_ops tables[2];
    static unsigned calls;
    sm_gfx_ops_init(&tables[0], 0);
    sm_gfx_ops_init(&tables[1], sm_cpu_detect());
    return &tables[calls++ % 2];
}
