/* SPDX-License-Identifier: MIT */
/*
 * How fast the rasteriser's hot paths are. Prints for each the median, best and worst of several
 * runs in million pixels a second of CPU time, drawn on a 1920 × 1080 surface of made-up content.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/cpu.h"
#include "core/base/math.h"
#include "core/gfx/blend.h"
#include "core/gfx/composite.h"
#include "core/gfx/convert.h"
#include "core/gfx/draw.h"
#include "core/gfx/stroke.h"
#include "core/gfx/surface.h"

enum {
    WIDTH = 1920,
    HEIGHT = 1080,
    RUNS = 11,
    RUN_NS = 40000000,
};

struct scene {
    struct sm_gfx_ops ops;
    struct sm_pixels target, xrgb, argb, icons, small, mask, frame16;
    struct sm_region all;
    struct sm_gfx_area area;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct sm_pixels make(enum sm_pixel_format format, uint32_t width, uint32_t height)
{
    struct sm_surface *surface = NULL; /* lives as long as the program */
    if (sm_surface_create(&surface, format, width, height) != SM_OK)
        exit(1);
    struct sm_pixels pixels = *sm_surface_pixels(surface);
    uint32_t seed = 1;
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *row = sm_pixels_row(&pixels, y);
        for (size_t i = 0; i < sm_pixel_row_bytes(format, width); i++) {
            seed = seed * 1664525 + 1013904223;
            row[i] = (uint8_t)(seed >> 24);
        }
    }
    return pixels;
}

/* Opaque and clear runs with soft ends, as windows and icons have them. */
static struct sm_pixels make_icons(void)
{
    struct sm_pixels pixels = make(SM_PIXEL_ARGB32, WIDTH, HEIGHT);
    for (uint32_t y = 0; y < HEIGHT; y++) {
        uint8_t *row = sm_pixels_row(&pixels, y);
        for (size_t x = 0; x < WIDTH; x++) {
            size_t phase = x % 64;
            if (phase == 0 || phase == 40)
                continue;
            if (phase < 40)
                row[4 * x + 3] = 255;
            else
                memset(row + 4 * x, 0, 4);
        }
    }
    return pixels;
}

static struct sm_rect whole(const struct sm_pixels *p)
{
    return (struct sm_rect){0, 0, (int32_t)p->width, (int32_t)p->height};
}

static struct sm_gfx_source source_of(const struct sm_pixels *p)
{
    return (struct sm_gfx_source){.pixels = *p, .area = whole(p)};
}

static void copy(struct scene *s)
{
    struct sm_gfx_source source = source_of(&s->xrgb);
    sm_gfx_copy(&s->target, &s->area, whole(&s->target), &source, SM_GFX_OP_COPY);
}

static void copy_xor(struct scene *s)
{
    struct sm_gfx_source source = source_of(&s->xrgb);
    sm_gfx_copy(&s->target, &s->area, whole(&s->target), &source, SM_GFX_OP_XOR);
}

static void fill(struct scene *s)
{
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_SOLID, .color = 0x123456};
    sm_gfx_fill(&s->ops, &s->target, &s->area, &brush, SM_GFX_OP_COPY);
}

static void fill_tiled(struct scene *s)
{
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_TILE,
                                       .tile = sm_pixels_part(&s->xrgb, 0, 0, 8, 8)};
    sm_gfx_fill(&s->ops, &s->target, &s->area, &brush, SM_GFX_OP_COPY);
}

static void scroll(struct scene *s)
{
    sm_gfx_move(&s->target, &s->all, 0, -16);
}

static void alpha_blend(struct scene *s)
{
    struct sm_gfx_source source = source_of(&s->argb);
    sm_gfx_alpha_blend(&s->ops, &s->target, &s->all, whole(&s->target), &source, 255, true);
}

static void alpha_blend_icons(struct scene *s)
{
    struct sm_gfx_source source = source_of(&s->icons);
    sm_gfx_alpha_blend(&s->ops, &s->target, &s->all, whole(&s->target), &source, 255, true);
}

static void alpha_blend_constant(struct scene *s)
{
    struct sm_gfx_source source = source_of(&s->argb);
    sm_gfx_alpha_blend(&s->ops, &s->target, &s->all, whole(&s->target), &source, 100, true);
}

static void scale(struct scene *s, bool is_linear)
{
    struct sm_gfx_source source = source_of(&s->small);
    source.is_linear = is_linear;
    sm_gfx_copy(&s->target, &s->area, whole(&s->target), &source, SM_GFX_OP_COPY);
}

static void scale_nearest(struct scene *s)
{
    scale(s, false);
}

static void scale_linear(struct scene *s)
{
    scale(s, true);
}

static void frame_scaled(struct scene *s)
{
    sm_gfx_paint_frame(&s->target, &s->all, whole(&s->target), &s->small);
}

static void frame_plain(struct scene *s)
{
    sm_gfx_paint_frame(&s->target, &s->all, whole(&s->target), &s->xrgb);
}

static struct sm_gfx_operand operand(const struct sm_pixels *p)
{
    return (struct sm_gfx_operand){.sampler = {.pixels = *p, .transform = SM_GFX_IDENTITY}};
}

static void compose(struct scene *s, uint32_t op, bool has_mask, bool is_solid)
{
    struct sm_pixels one = sm_pixels_part(&s->argb, 5, 5, 1, 1);
    struct sm_gfx_composite c = {.op = op,
                                 .source = operand(is_solid ? &one : &s->argb),
                                 .mask = operand(&s->mask),
                                 .has_mask = has_mask};
    if (is_solid)
        c.source.sampler.repeat = SM_GFX_REPEAT_NORMAL;
    sm_gfx_composite(&s->ops, &s->target, &s->all, whole(&s->target), &c);
}

static void compose_over(struct scene *s)
{
    compose(s, SM_GFX_COMPOSITE_OVER, false, false);
}

static void compose_add(struct scene *s)
{
    compose(s, SM_GFX_COMPOSITE_ADD, false, false);
}

static void compose_src(struct scene *s)
{
    compose(s, SM_GFX_COMPOSITE_SRC, false, false);
}

static void compose_solid_masked(struct scene *s)
{
    compose(s, SM_GFX_COMPOSITE_OVER, true, true);
}

static void compose_in(struct scene *s)
{
    compose(s, SM_GFX_COMPOSITE_IN, false, false);
}

static void convert_16(struct scene *s)
{
    sm_gfx_convert(&s->target, &s->frame16);
}

static void text(struct scene *s)
{
    struct sm_gfx_glyph glyphs[200];
    for (size_t i = 0; i < SM_COUNT_OF(glyphs); i++)
        glyphs[i] = (struct sm_gfx_glyph){
            .left = (int64_t)(i % 100) * 19,
            .top = (int64_t)(i / 100) * 500,
            .width = 19,
            .height = 40,
            .data = {s->xrgb.data, 4096},
        };
    const struct sm_gfx_text string = {.glyphs = glyphs, .count = SM_COUNT_OF(glyphs), .depth = 4};
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_SOLID, .color = 0x204060};
    if (sm_gfx_text(&s->ops, &s->target, &s->all, &string, &brush) != SM_OK)
        exit(1);
}

static void lines(struct scene *s)
{
    struct sm_point points[200];
    for (size_t i = 0; i < SM_COUNT_OF(points); i++)
        points[i] = (struct sm_point){(int32_t)(i * 7919 % WIDTH) * 16,
                                      (int32_t)(i * 104729 % HEIGHT) * 16};
    const struct sm_gfx_path_segment segment = {
        .flags = SM_GFX_PATH_BEGIN | SM_GFX_PATH_END, .points = points, .count = 200};
    const struct sm_gfx_stroke stroke = {.segments = &segment, .segment_count = 1};
    const struct sm_gfx_brush brush = {.type = SM_GFX_BRUSH_SOLID, .color = 0x204060};
    if (sm_gfx_stroke(&s->target, &s->all, &stroke, &brush, SM_GFX_OP_COPY) != SM_OK)
        exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run(struct scene *s, const char *name, void (*body)(struct scene *), double pixels)
{
    double rates[RUNS];
    body(s);
    for (int i = 0; i < RUNS; i++) {
        uint64_t start = now_ns(), end;
        unsigned count = 0;
        do {
            body(s);
            count++;
            end = now_ns();
        } while (end - start < RUN_NS);
        rates[i] = pixels * count / ((double)(end - start) / 1e9) / 1e6;
    }
    qsort(rates, RUNS, sizeof(rates[0]), by_value);
    printf("%-28s %9.0f %9.0f %9.0f\n", name, rates[RUNS / 2], rates[RUNS - 1], rates[0]);
}

int main(int argc, char **argv)
{
    struct scene s = {
        .target = make(SM_PIXEL_XRGB32, WIDTH, HEIGHT),
        .xrgb = make(SM_PIXEL_XRGB32, WIDTH, HEIGHT),
        .argb = make(SM_PIXEL_ARGB32, WIDTH, HEIGHT),
        .icons = make_icons(),
        .small = make(SM_PIXEL_XRGB32, 1280, 720),
        .mask = make(SM_PIXEL_A8, WIDTH, HEIGHT),
        .frame16 = make(SM_PIXEL_RGB555, WIDTH, HEIGHT),
    };
    sm_region_init_rect(&s.all, whole(&s.target));
    s.area.region = &s.all;
    sm_gfx_ops_init(&s.ops, argc > 1 && strcmp(argv[1], "--portable") == 0 ? 0 : sm_cpu_detect());
    const double pixels = (double)WIDTH * HEIGHT;
    printf("%-28s %9s %9s %9s\n", "million pixels a CPU second", "median", "best", "worst");
    run(&s, "copy", copy, pixels);
    run(&s, "copy, XOR", copy_xor, pixels);
    run(&s, "fill", fill, pixels);
    run(&s, "fill, 8 x 8 tile", fill_tiled, pixels);
    run(&s, "scroll by 16 rows", scroll, pixels);
    run(&s, "video frame 1:1", frame_plain, pixels);
    run(&s, "video frame, nearest", frame_scaled, pixels);
    run(&s, "scale, nearest", scale_nearest, pixels);
    run(&s, "scale, linear", scale_linear, pixels);
    run(&s, "alpha blend", alpha_blend, pixels);
    run(&s, "alpha blend, icons", alpha_blend_icons, pixels);
    run(&s, "alpha blend, constant", alpha_blend_constant, pixels);
    run(&s, "composite OVER", compose_over, pixels);
    run(&s, "composite ADD", compose_add, pixels);
    run(&s, "composite SRC", compose_src, pixels);
    run(&s, "composite IN", compose_in, pixels);
    run(&s, "composite OVER, 1x1, A8 mask", compose_solid_masked, pixels);
    run(&s, "555 to 32 bits", convert_16, pixels);
    run(&s, "text A4 (200 glyphs)", text, 200 * 19 * 40.0);
    run(&s, "lines (199)", lines, 199 * 800.0);
    return 0;
}
