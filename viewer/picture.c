/* SPDX-License-Identifier: MIT */
#include "viewer/picture.h"

#include <string.h>

enum {
    BAND_HEIGHT = 64, /* a line of text or two: what usually changes at once */
    PIXEL_BYTES = 4,
};

void sm_picture_clear(struct sm_picture *picture)
{
    for (int i = 0; i < picture->band_count; i++)
        g_clear_object(&picture->bands[i]);
    memset(picture, 0, sizeof(*picture));
}

void sm_picture_resize(struct sm_picture *picture, int width, int height, bool is_whole)
{
    int band_height = is_whole ? height : BAND_HEIGHT;
    while (band_height > 0 && (height + band_height - 1) / band_height > SM_PICTURE_BANDS_MAX)
        band_height *= 2;
    if (picture->width == width && picture->height == height && picture->band_height == band_height)
        return;
    sm_picture_clear(picture);
    if (width < 1 || height < 1)
        return;
    picture->width = width;
    picture->height = height;
    picture->band_height = band_height;
    picture->band_count = (height + band_height - 1) / band_height;
    sm_picture_damage(picture, 0, height);
}

void sm_picture_damage(struct sm_picture *picture, int top, int bottom)
{
    top = CLAMP(top, 0, picture->height);
    bottom = CLAMP(bottom, 0, picture->height);
    for (int i = 0; i < picture->band_count; i++) {
        int band_top = i * picture->band_height;
        if (band_top < bottom && band_top + picture->band_height > top)
            picture->is_damaged[i] = true;
    }
}

/* The fourth byte has no meaning on the wire; to the toolkit it would be transparency. */
static void copy_row(uint8_t *to, const uint8_t *from, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        uint32_t pixel;
        memcpy(&pixel, from + i * PIXEL_BYTES, sizeof(pixel));
        pixel |= GUINT32_TO_LE(0xff000000u);
        memcpy(to + i * PIXEL_BYTES, &pixel, sizeof(pixel));
    }
}

GdkTexture *sm_picture_texture(const struct sm_display_view *view, struct sm_rect area)
{
    size_t width = (size_t)(area.right - area.left), height = (size_t)(area.bottom - area.top);
    size_t stride = width * PIXEL_BYTES;
    uint8_t *pixels = g_malloc(stride * height);
    for (size_t y = 0; y < height; y++)
        copy_row(pixels + y * stride,
                 view->pixels + ((size_t)area.top + y) * view->stride_bytes +
                     (size_t)area.left * PIXEL_BYTES,
                 width);
    g_autoptr(GBytes) bytes = g_bytes_new_take(pixels, stride * height);
    return gdk_memory_texture_new((int)width, (int)height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, bytes,
                                  stride);
}

void sm_picture_update(struct sm_picture *picture, const struct sm_display_view *view,
                       struct sm_rect area)
{
    for (int i = 0; i < picture->band_count; i++) {
        if (!picture->is_damaged[i])
            continue;
        int top = i * picture->band_height;
        int bottom = MIN(top + picture->band_height, picture->height);
        struct sm_rect band = {area.left, area.top + top, area.right, area.top + bottom};
        if (band.right - band.left != picture->width || band.bottom > (int)view->height)
            return; /* the display has just changed; we are about to hear of it */
        g_clear_object(&picture->bands[i]);
        picture->bands[i] = sm_picture_texture(view, band);
        picture->is_damaged[i] = false;
    }
}

void sm_picture_snapshot(const struct sm_picture *picture, GtkSnapshot *snapshot,
                         const graphene_rect_t *place)
{
    float scale = place->size.height / (float)picture->height;
    for (int i = 0; i < picture->band_count; i++) {
        if (!picture->bands[i])
            continue;
        int top = i * picture->band_height;
        int height = gdk_texture_get_height(picture->bands[i]);
        gtk_snapshot_append_texture(snapshot, picture->bands[i],
                                    &GRAPHENE_RECT_INIT(place->origin.x,
                                                        place->origin.y + (float)top * scale,
                                                        place->size.width, (float)height * scale));
    }
}
