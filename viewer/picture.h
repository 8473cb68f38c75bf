/* SPDX-License-Identifier: MIT */
/*
 * A monitor of the guest as textures of the toolkit. Textures cannot be changed, so the picture is
 * cut into bands, and only those that were damaged are made anew.
 */
#ifndef SM_VIEWER_PICTURE_H
#define SM_VIEWER_PICTURE_H

#include <stdbool.h>

#include <gtk/gtk.h>

#include "sumac/display.h"

enum { SM_PICTURE_BANDS_MAX = 256 };

/** Zero-initialised it is empty. Thread: the main one. */
struct sm_picture {
    int width, height; /* of the monitor, in pixels */
    int band_height;   /* of all bands but the last */
    int band_count;
    GdkTexture *bands[SM_PICTURE_BANDS_MAX]; /* owned; NULL: never seen */
    bool is_damaged[SM_PICTURE_BANDS_MAX];
};

void sm_picture_clear(struct sm_picture *picture);

/**
 * Sets size and cut; what was there stays if neither changes, else all is damaged.
 *
 * @param is_whole  one band, because it will be scaled and borders between bands would show
 */
void sm_picture_resize(struct sm_picture *picture, int width, int height, bool is_whole);

/** Damages the bands that rows `top` to `bottom` (exclusive) touch. */
void sm_picture_damage(struct sm_picture *picture, int top, int bottom);

/** Makes the damaged bands anew from the pixels of `area` of the display. */
void sm_picture_update(struct sm_picture *picture, const struct sm_display_view *view,
                       struct sm_rect area);

/** Draws it into a rectangle. */
void sm_picture_snapshot(const struct sm_picture *picture, GtkSnapshot *snapshot,
                         const graphene_rect_t *place);

/** Pixels of a display as one texture, the caller's. */
GdkTexture *sm_picture_texture(const struct sm_display_view *view, struct sm_rect area);

#endif
