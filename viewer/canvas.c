/* SPDX-License-Identifier: MIT */
#include "viewer/canvas.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "viewer/pixels.h"

enum { ROW_ALIGN_BYTES = 64 };

struct sm_canvas *sm_canvas_create(int width, int height)
{
    if (width < 1 || height < 1 || width > (INT_MAX - ROW_ALIGN_BYTES) / SM_PIXEL_BYTES)
        return NULL;
    struct sm_canvas *canvas = calloc(1, sizeof(*canvas));
    if (!canvas)
        return NULL;
    size_t stride =
        ((size_t)width * SM_PIXEL_BYTES + ROW_ALIGN_BYTES - 1) & ~(size_t)(ROW_ALIGN_BYTES - 1);
    *canvas = (struct sm_canvas){
        .refs = 1,
        .width = width,
        .height = height,
        .stride_bytes = stride,
        .pixels = MAP_FAILED,
        .size_bytes = stride * (size_t)height,
        .fd = memfd_create("sumac-picture", MFD_CLOEXEC | MFD_ALLOW_SEALING),
    };
    if (canvas->fd >= 0 && ftruncate(canvas->fd, (off_t)canvas->size_bytes) == 0)
        canvas->pixels =
            mmap(NULL, canvas->size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, canvas->fd, 0);
    if (canvas->pixels == MAP_FAILED) {
        sm_canvas_unref(canvas);
        return NULL;
    }
    canvas->all = cairo_image_surface_create_for_data(canvas->pixels, CAIRO_FORMAT_RGB24, width,
                                                      height, (int)stride);
    return canvas;
}

struct sm_canvas *sm_canvas_ref(struct sm_canvas *canvas)
{
    canvas->refs++;
    return canvas;
}

void sm_canvas_unref(struct sm_canvas *canvas)
{
    if (!canvas || --canvas->refs > 0)
        return;
    cairo_surface_destroy(canvas->all);
    if (canvas->pixels != MAP_FAILED)
        munmap(canvas->pixels, canvas->size_bytes);
    if (canvas->fd >= 0)
        close(canvas->fd);
    free(canvas);
}

static uint8_t *pixels_at(const struct sm_canvas *canvas, int x, int y)
{
    return canvas->pixels + (size_t)y * canvas->stride_bytes + (size_t)x * SM_PIXEL_BYTES;
}

static void clear_rect(struct sm_canvas *canvas, int left, int top, int right, int bottom)
{
    for (int y = top; y < bottom && left < right; y++)
        sm_pixels_fill(pixels_at(canvas, left, y), 0, (size_t)(right - left));
}

void sm_canvas_clear(struct sm_canvas *canvas, struct sm_rect kept)
{
    int width = canvas->width, height = canvas->height;
    if (sm_rect_is_empty(kept)) {
        clear_rect(canvas, 0, 0, width, height);
        return;
    }
    clear_rect(canvas, 0, 0, width, kept.top);
    clear_rect(canvas, 0, kept.top, kept.left, kept.bottom);
    clear_rect(canvas, kept.right, kept.top, width, kept.bottom);
    clear_rect(canvas, 0, kept.bottom, width, height);
}

/* ---- Reading it ---- */

static void unref(void *canvas)
{
    sm_canvas_unref(canvas);
}

/* `surface` is destroyed before the canvas can be. */
static void hold(cairo_surface_t *surface, struct sm_canvas *canvas)
{
    static const cairo_user_data_key_t KEY;
    if (cairo_surface_set_user_data(surface, &KEY, sm_canvas_ref(canvas), unref) !=
        CAIRO_STATUS_SUCCESS)
        sm_canvas_unref(canvas); /* and the surface, which is in error, draws nothing */
}

cairo_surface_t *sm_canvas_surface(struct sm_canvas *canvas, struct sm_rect rect)
{
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        pixels_at(canvas, rect.left, rect.top), CAIRO_FORMAT_RGB24, rect.right - rect.left,
        rect.bottom - rect.top, (int)canvas->stride_bytes);
    hold(surface, canvas);
    return surface;
}

/* A recording refers to the pixels of its source as long as that lives, and takes a copy when it is
 * destroyed. So the source is one that outlives all recordings. */
void sm_canvas_record(struct sm_canvas *canvas, int x, int y, cairo_t *recording)
{
    hold(cairo_get_target(recording), canvas);
    cairo_set_source_surface(recording, canvas->all, -x, -y);
    cairo_pattern_set_filter(cairo_get_source(recording), CAIRO_FILTER_NEAREST);
    cairo_paint(recording);
}

/* ---- Changing it ---- */

/* What is done with areas of a display; both return true to end it there. */
struct visitor {
    bool (*of_one_colour)(struct sm_canvas *canvas, struct sm_rect rect, uint32_t pixel);
    bool (*of_pixels)(struct sm_canvas *canvas, struct sm_rect rect,
                      const struct sm_canvas_source *from);
};

/* Cuts `rect` along the display's fills, of which those before `next` do not touch it. */
static bool visit(struct sm_canvas *canvas, struct sm_rect rect,
                  const struct sm_canvas_source *from, size_t next, const struct visitor *visitor)
{
    struct sm_rect in = {0};
    for (; next < from->view->fill_count; next++) {
        struct sm_rect fill = from->view->fills[next].area;
        in = sm_rect_intersect(rect, (struct sm_rect){fill.left - from->x, fill.top - from->y,
                                                      fill.right - from->x, fill.bottom - from->y});
        if (!sm_rect_is_empty(in))
            break;
    }
    if (next == from->view->fill_count)
        return visitor->of_pixels(canvas, rect, from);
    if (visitor->of_one_colour(canvas, in, from->view->fills[next].pixel))
        return true;
    const struct sm_rect around[] = {
        {rect.left, rect.top, rect.right, in.top},
        {rect.left, in.top, in.left, in.bottom},
        {in.right, in.top, rect.right, in.bottom},
        {rect.left, in.bottom, rect.right, rect.bottom},
    };
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
        if (!sm_rect_is_empty(around[i]) && visit(canvas, around[i], from, next + 1, visitor))
            return true;
    return false;
}

static const uint8_t *source_at(const struct sm_canvas_source *from, int x, int y)
{
    return from->view->pixels + (size_t)(y + from->y) * from->view->stride_bytes +
           (size_t)(x + from->x) * SM_PIXEL_BYTES;
}

static size_t width_of(struct sm_rect rect)
{
    return (size_t)(rect.right - rect.left);
}

static bool fill(struct sm_canvas *canvas, struct sm_rect rect, uint32_t pixel)
{
    for (int y = rect.top; y < rect.bottom; y++)
        sm_pixels_fill(pixels_at(canvas, rect.left, y), pixel, width_of(rect));
    return false;
}

static bool copy(struct sm_canvas *canvas, struct sm_rect rect, const struct sm_canvas_source *from)
{
    for (int y = rect.top; y < rect.bottom; y++)
        sm_pixels_copy(pixels_at(canvas, rect.left, y), source_at(from, rect.left, y),
                       width_of(rect));
    return false;
}

void sm_canvas_copy(struct sm_canvas *canvas, struct sm_rect rect,
                    const struct sm_canvas_source *from)
{
    static const struct visitor COPY = {fill, copy};
    (void)visit(canvas, rect, from, 0, &COPY);
}

static bool differs_from(struct sm_canvas *canvas, struct sm_rect rect, uint32_t pixel)
{
    for (int y = rect.top; y < rect.bottom; y++)
        if (sm_pixels_differ_from(pixels_at(canvas, rect.left, y), pixel, width_of(rect)))
            return true;
    return false;
}

static bool differs(struct sm_canvas *canvas, struct sm_rect rect,
                    const struct sm_canvas_source *from)
{
    for (int y = rect.top; y < rect.bottom; y++)
        if (sm_pixels_differ(pixels_at(canvas, rect.left, y), source_at(from, rect.left, y),
                             width_of(rect)))
            return true;
    return false;
}

bool sm_canvas_differs(struct sm_canvas *canvas, struct sm_rect rect,
                       const struct sm_canvas_source *from)
{
    static const struct visitor COMPARE = {differs_from, differs};
    return visit(canvas, rect, from, 0, &COMPARE);
}

void sm_canvas_draw(struct sm_canvas *canvas, struct sm_rect rect, cairo_surface_t *from,
                    struct sm_canvas_way way)
{
    cairo_surface_t *target = cairo_image_surface_create_for_data(
        pixels_at(canvas, rect.left, rect.top), CAIRO_FORMAT_ARGB32, rect.right - rect.left,
        rect.bottom - rect.top, (int)canvas->stride_bytes);
    cairo_t *cr = cairo_create(target);
    cairo_translate(cr, way.x - rect.left, way.y - rect.top);
    cairo_scale(cr, way.scale_x, way.scale_y);
    cairo_set_source_surface(cr, from, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), way.filter);
    if (!way.is_over) {
        cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
        cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    }
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_finish(target);
    cairo_surface_destroy(target);
}
