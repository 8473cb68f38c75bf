/* SPDX-License-Identifier: MIT */
/*
 * A monitor of the guest as nodes of the toolkit. Nodes cannot be changed, so the picture is cut
 * into tiles, and only those whose pixels changed are made anew: the toolkit paints what is another
 * node than before, and nothing else.
 *
 * For a graphics card the tiles are textures of the guest's pixels. Where the processor draws,
 * everything the view shows is on one canvas, black edges and the guest's pointer included, and the
 * nodes draw from it. Then pixels may also be painted past the toolkit, which finds the same on the
 * canvas when it has to paint there by itself.
 */
#ifndef SM_VIEWER_PICTURE_H
#define SM_VIEWER_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <gtk/gtk.h>

#include "sumac/display.h"
#include "viewer/canvas.h"

/** How a picture is to be drawn. */
struct sm_picture_shape {
    int width, height;           /* of the monitor, in pixels of the guest */
    double scale;                /* pixels of the device a pixel of the guest, above 0 */
    double device_scale;         /* pixels of the device a logical one, above 0 */
    bool is_by_processor;        /* the toolkit draws with cairo, not with a graphics card */
    int view_width, view_height; /* pixels of the device; of use to a canvas only, as is */
    int x, y;                    /* of the picture in the view */
};

struct sm_tile {
    GskRenderNode *node;   /* owned; NULL: to be made when it is drawn next */
    GBytes *pixels;        /* owned: what `node` shows, rows without gaps; NULL with a canvas */
    struct sm_rect damage; /* in pixels of the tiles; or empty */
};

/** The guest's pointer on a canvas. */
struct sm_picture_cursor {
    cairo_surface_t *shape; /* owned; NULL: none */
    int x, y;               /* of its upper left corner, in pixels of the guest */
};

/** Zero-initialised it is empty. Thread: the main one. */
struct sm_picture {
    struct sm_picture_shape shape;
    struct sm_canvas *canvas; /* owned: all pixels of the view; or NULL */
    struct sm_canvas *last;   /* owned: what is being stretched; or NULL */
    struct sm_rect last_rect; /* where the picture is in it */
    struct sm_picture_cursor cursor;
    int width, height; /* of all tiles together, in their pixels */
    double unit;       /* logical pixels a pixel of a tile */
    int tile_width, tile_height;
    int columns, rows;
    struct sm_tile *tiles; /* owned: rows × columns */
};

void sm_picture_clear(struct sm_picture *picture);

/**
 * Sets the shape. What was there stays if nothing changes, else all is damaged.
 *
 * @param is_last  there are no other pixels: those that are there are stretched; a canvas without
 *                 any is black
 */
void sm_picture_reshape(struct sm_picture *picture, const struct sm_picture_shape *shape,
                        bool is_last);

/** Damages a rectangle, in pixels of the guest. */
void sm_picture_damage(struct sm_picture *picture, struct sm_rect damage);

/** Draws the guest's pointer on the canvas from the next update on. `shape` is referenced; NULL:
 * none. Without a canvas it does nothing. */
void sm_picture_set_cursor(struct sm_picture *picture, cairo_surface_t *shape, int x, int y);

/** Whether sm_picture_update() wants a view of sm_display_lock_sparse(). */
bool sm_picture_takes_fills(const struct sm_picture *picture);

/**
 * Takes the damaged pixels from `area` of the display.
 *
 * @param open  where the caller paints by itself, in pixels of the canvas; NULL: nowhere
 * @param past  receives what is for the caller to paint; may be NULL if `open` is
 * @return whether the toolkit has something to draw anew
 */
bool sm_picture_update(struct sm_picture *picture, const struct sm_display_view *view,
                       struct sm_rect area, const cairo_region_t *open, cairo_region_t *past);

/** Draws it: a canvas over all of the view, else the picture into `place`. */
void sm_picture_snapshot(struct sm_picture *picture, GtkSnapshot *snapshot,
                         const graphene_rect_t *place);

/** Pixels of a display as one texture, the caller's. */
GdkTexture *sm_picture_texture(const struct sm_display_view *view, struct sm_rect area);

#endif
