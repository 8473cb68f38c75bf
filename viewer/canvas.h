/* SPDX-License-Identifier: MIT */
/*
 * What a view shows, where the processor draws: one image, in memory that a program beside us (the
 * X server) can look at. What is recorded from it, as nodes of the toolkit are, holds it and shows
 * what is on it when it is played.
 */
#ifndef SM_VIEWER_CANVAS_H
#define SM_VIEWER_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cairo.h>

#include "core/base/geometry.h"
#include "sumac/display.h"

/** Thread: the main one. */
struct sm_canvas {
    unsigned refs;
    int width, height;    /* pixels */
    size_t stride_bytes;  /* from row to row */
    uint8_t *pixels;      /* 32 bits each: blue, green, red, 0xff; owned */
    size_t size_bytes;    /* of the mapping */
    int fd;               /* of the memory; owned */
    cairo_surface_t *all; /* owned: all of it, to be read; lives as long as the pixels */
};

/** @return the caller's first reference, all zero; NULL without memory */
struct sm_canvas *sm_canvas_create(int width, int height);

struct sm_canvas *sm_canvas_ref(struct sm_canvas *canvas);

/** NULL does nothing. */
void sm_canvas_unref(struct sm_canvas *canvas);

/** Black, but for `kept`, which is within the canvas or empty. */
void sm_canvas_clear(struct sm_canvas *canvas, struct sm_rect kept);

/** A rectangle of it, within it, as a surface to read from now, the caller's, which holds the
 * canvas. What is recorded from it shows these pixels for ever: cairo copies them. */
cairo_surface_t *sm_canvas_surface(struct sm_canvas *canvas, struct sm_rect rect);

/** Records the canvas, moved by (-x, -y), with what `recording` clips. Its target holds the canvas,
 * and shows what is on it whenever it is played. */
void sm_canvas_record(struct sm_canvas *canvas, int x, int y, cairo_t *recording);

/** A display, looked at so that pixel (x, y) of a canvas is the display's (x + this, y + this). */
struct sm_canvas_source {
    const struct sm_display_view *view; /* borrowed; its fills count */
    int x, y;
};

/** Copies pixels into `rect`, which is within the canvas and, moved, within the display. */
void sm_canvas_copy(struct sm_canvas *canvas, struct sm_rect rect,
                    const struct sm_canvas_source *from);

/** Whether sm_canvas_copy() would change anything. */
bool sm_canvas_differs(struct sm_canvas *canvas, struct sm_rect rect,
                       const struct sm_canvas_source *from);

/** How a surface is drawn on a canvas. */
struct sm_canvas_way {
    double x, y; /* where its upper left corner goes */
    double scale_x, scale_y;
    cairo_filter_t filter;
    bool is_over; /* blended; else in place of what is there, and its edges go on and on */
};

/** Draws a surface within `rect`, which is within the canvas. */
void sm_canvas_draw(struct sm_canvas *canvas, struct sm_rect rect, cairo_surface_t *from,
                    struct sm_canvas_way way);

#endif
