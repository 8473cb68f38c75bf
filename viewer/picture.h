/* SPDX-License-Identifier: MIT */
/*
 * A monitor of the guest as nodes of the toolkit. Nodes cannot be changed, so the picture is cut
 * into tiles, and only those whose pixels changed are made anew: the toolkit paints what is another
 * node than before, and nothing else.
 */
#ifndef SM_VIEWER_PICTURE_H
#define SM_VIEWER_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <gtk/gtk.h>

#include "sumac/display.h"

/** How a picture is to be drawn. */
struct sm_picture_shape {
    int width, height;    /* of the monitor, in pixels of the guest */
    double scale;         /* pixels of the device a pixel of the guest, above 0 */
    double device_scale;  /* pixels of the device a logical one, above 0 */
    bool is_by_processor; /* the toolkit draws with cairo, not with a graphics card */
};

struct sm_tile {
    GskRenderNode *node; /* owned; NULL: never seen */
    GBytes *pixels;      /* owned: what `node` shows, rows without gaps */
    bool is_damaged;
};

/** Zero-initialised it is empty. Thread: the main one. */
struct sm_picture {
    struct sm_picture_shape shape;
    bool is_scaled;    /* tiles hold pixels of the device, scaled by us */
    int width, height; /* of all tiles together, in their pixels */
    double unit;       /* logical pixels a pixel of a tile */
    int tile_width, tile_height;
    int columns, rows;
    struct sm_tile *tiles; /* owned: rows × columns */
};

void sm_picture_clear(struct sm_picture *picture);

/** Sets the shape. What was there stays if nothing changes, else all is damaged. */
void sm_picture_reshape(struct sm_picture *picture, const struct sm_picture_shape *shape);

/** Damages a rectangle, in pixels of the guest. */
void sm_picture_damage(struct sm_picture *picture, struct sm_rect damage);

/** Looks at the damaged tiles in the pixels of `area` of the display, and makes anew what changed.
 */
void sm_picture_update(struct sm_picture *picture, const struct sm_display_view *view,
                       struct sm_rect area);

/** Draws it into a rectangle. */
void sm_picture_snapshot(const struct sm_picture *picture, GtkSnapshot *snapshot,
                         const graphene_rect_t *place);

/** Pixels of a display as one texture, the caller's. */
GdkTexture *sm_picture_texture(const struct sm_display_view *view, struct sm_rect area);

#endif
