/* SPDX-License-Identifier: MIT */
#include "viewer/picture.h"

#include <math.h>
#include <string.h>

enum {
    TILE_WIDTH = 256,
    TILE_HEIGHT = 64, /* a line of text or two: what usually changes at once */
    TILES_MAX = 1024, /* then they get larger */
    PIXEL_BYTES = 4,
    BLOCK = 16,            /* pixels that are copied or compared at once */
    SMALLEST_REACH_PX = 2, /* how far a filter looks around a pixel that is not made smaller */
};

/* ---- The cut ---- */

void sm_picture_clear(struct sm_picture *picture)
{
    for (int i = 0; i < picture->rows * picture->columns; i++) {
        g_clear_pointer(&picture->tiles[i].node, gsk_render_node_unref);
        g_clear_pointer(&picture->tiles[i].pixels, g_bytes_unref);
    }
    g_free(picture->tiles);
    memset(picture, 0, sizeof(*picture));
}

static bool is_whole_number(double value)
{
    return value >= 1 && fabs(value - floor(value + 0.5)) < 1e-9;
}

static bool are_equal(const struct sm_picture_shape *a, const struct sm_picture_shape *b)
{
    return a->width == b->width && a->height == b->height && a->scale == b->scale &&
           a->device_scale == b->device_scale && a->is_by_processor == b->is_by_processor;
}

static int parts(int length, int part)
{
    return (length + part - 1) / part;
}

/* Borders between tiles would show where the card scales them, so then there is but one. */
static void cut(struct sm_picture *picture, bool is_whole)
{
    picture->tile_width = is_whole ? picture->width : TILE_WIDTH;
    picture->tile_height = is_whole ? picture->height : TILE_HEIGHT;
    while (parts(picture->width, picture->tile_width) *
               parts(picture->height, picture->tile_height) >
           TILES_MAX) {
        picture->tile_width *= 2;
        picture->tile_height *= 2;
    }
    picture->columns = parts(picture->width, picture->tile_width);
    picture->rows = parts(picture->height, picture->tile_height);
    picture->tiles = g_new0(struct sm_tile, (gsize)picture->columns * (gsize)picture->rows);
}

void sm_picture_reshape(struct sm_picture *picture, const struct sm_picture_shape *shape)
{
    if (are_equal(&picture->shape, shape))
        return;
    sm_picture_clear(picture);
    picture->shape = *shape;
    if (shape->width < 1 || shape->height < 1)
        return;
    bool is_exact = is_whole_number(shape->scale);
    picture->is_scaled = shape->is_by_processor && !is_exact;
    picture->width = shape->width;
    picture->height = shape->height;
    picture->unit = shape->scale / shape->device_scale;
    if (picture->is_scaled) {
        picture->width = MAX(1, (int)(shape->width * shape->scale + 0.5));
        picture->height = MAX(1, (int)(shape->height * shape->scale + 0.5));
        picture->unit = 1 / shape->device_scale;
    }
    cut(picture, !is_exact && !shape->is_by_processor);
    sm_picture_damage(picture, (struct sm_rect){0, 0, shape->width, shape->height});
}

/* From pixels of the guest to those of the tiles; a scaled pixel has a part of its neighbours. */
static struct sm_rect to_tiles(const struct sm_picture *picture, struct sm_rect rect)
{
    if (!picture->is_scaled)
        return rect;
    double x = (double)picture->width / picture->shape.width;
    double y = (double)picture->height / picture->shape.height;
    double reach = SMALLEST_REACH_PX * MAX(1, 1 / MIN(x, y));
    return (struct sm_rect){
        .left = (int32_t)floor((rect.left - reach) * x),
        .top = (int32_t)floor((rect.top - reach) * y),
        .right = (int32_t)ceil((rect.right + reach) * x),
        .bottom = (int32_t)ceil((rect.bottom + reach) * y),
    };
}

void sm_picture_damage(struct sm_picture *picture, struct sm_rect damage)
{
    if (!picture->tiles)
        return;
    struct sm_rect rect = to_tiles(picture, damage);
    int left = CLAMP(rect.left, 0, picture->width), right = CLAMP(rect.right, 0, picture->width);
    int top = CLAMP(rect.top, 0, picture->height), bottom = CLAMP(rect.bottom, 0, picture->height);
    for (int row = top / picture->tile_height; row * picture->tile_height < bottom; row++)
        for (int column = left / picture->tile_width; column * picture->tile_width < right;
             column++)
            picture->tiles[row * picture->columns + column].is_damaged = true;
}

/* ---- Pixels ---- */

/* The fourth byte has no meaning on the wire; to the toolkit it would be transparency. Blocks of a
 * fixed length are what compilers turn into vectors. */
static void copy_pixels(uint8_t *to, const uint8_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t pixel;
        memcpy(&pixel, from + i * PIXEL_BYTES, sizeof(pixel));
        pixel |= GUINT32_TO_LE(0xff000000u);
        memcpy(to + i * PIXEL_BYTES, &pixel, sizeof(pixel));
    }
}

static void copy_row(uint8_t *to, const uint8_t *from, size_t width)
{
    size_t i = 0;
    for (; i + BLOCK <= width; i += BLOCK)
        copy_pixels(to + i * PIXEL_BYTES, from + i * PIXEL_BYTES, BLOCK);
    copy_pixels(to + i * PIXEL_BYTES, from + i * PIXEL_BYTES, width - i);
}

static bool do_pixels_differ(const uint8_t *a, const uint8_t *b, size_t count)
{
    uint32_t difference = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t one, other;
        memcpy(&one, a + i * PIXEL_BYTES, sizeof(one));
        memcpy(&other, b + i * PIXEL_BYTES, sizeof(other));
        difference |= one ^ other;
    }
    return difference & GUINT32_TO_LE(0x00ffffffu);
}

static bool does_row_differ(const uint8_t *a, const uint8_t *b, size_t width)
{
    size_t i = 0;
    for (; i + BLOCK <= width; i += BLOCK)
        if (do_pixels_differ(a + i * PIXEL_BYTES, b + i * PIXEL_BYTES, BLOCK))
            return true;
    return do_pixels_differ(a + i * PIXEL_BYTES, b + i * PIXEL_BYTES, width - i);
}

static const uint8_t *pixels_at(const struct sm_display_view *view, int x, int y)
{
    return view->pixels + (size_t)y * view->stride_bytes + (size_t)x * PIXEL_BYTES;
}

static GBytes *copy_rect(const struct sm_display_view *view, struct sm_rect rect)
{
    size_t width = (size_t)(rect.right - rect.left), height = (size_t)(rect.bottom - rect.top);
    size_t stride = width * PIXEL_BYTES;
    uint8_t *pixels = g_malloc(stride * height);
    for (size_t y = 0; y < height; y++)
        copy_row(pixels + y * stride, pixels_at(view, rect.left, rect.top + (int)y), width);
    return g_bytes_new_take(pixels, stride * height);
}

static bool does_rect_differ(const struct sm_display_view *view, struct sm_rect rect, GBytes *shown)
{
    size_t width = (size_t)(rect.right - rect.left), height = (size_t)(rect.bottom - rect.top);
    const uint8_t *pixels = g_bytes_get_data(shown, NULL);
    for (size_t y = 0; y < height; y++)
        if (does_row_differ(pixels + y * width * PIXEL_BYTES,
                            pixels_at(view, rect.left, rect.top + (int)y), width))
            return true;
    return false;
}

GdkTexture *sm_picture_texture(const struct sm_display_view *view, struct sm_rect area)
{
    int width = area.right - area.left, height = area.bottom - area.top;
    g_autoptr(GBytes) bytes = copy_rect(view, area);
    return gdk_memory_texture_new(width, height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, bytes,
                                  (gsize)width * PIXEL_BYTES);
}

/* ---- Scaling, where the processor draws: only the tiles that are damaged ---- */

/* `rect` of the scaled picture. */
static GBytes *scale_rect(const struct sm_picture *picture, cairo_surface_t *guest,
                          struct sm_rect rect)
{
    int width = rect.right - rect.left, height = rect.bottom - rect.top;
    size_t stride = (size_t)width * PIXEL_BYTES;
    uint8_t *pixels = g_malloc0(stride * (size_t)height);
    cairo_surface_t *target = cairo_image_surface_create_for_data(pixels, CAIRO_FORMAT_ARGB32,
                                                                  width, height, (int)stride);
    cairo_t *cr = cairo_create(target);
    cairo_translate(cr, -rect.left, -rect.top);
    cairo_scale(cr, (double)picture->width / picture->shape.width,
                (double)picture->height / picture->shape.height);
    cairo_set_source_surface(cr, guest, 0, 0);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_finish(target);
    cairo_surface_destroy(target);
    return g_bytes_new_take(pixels, stride * (size_t)height);
}

/* ---- Nodes ---- */

static void unref_bytes(void *bytes)
{
    g_bytes_unref(bytes);
}

/* Drawn by cairo, from our pixels as they are. A texture would be converted, each time it is drawn.
 */
static GskRenderNode *drawn_node(const struct sm_picture *picture, GBytes *pixels, int width,
                                 int height, const graphene_rect_t *bounds)
{
    static const cairo_user_data_key_t KEY;
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (uint8_t *)g_bytes_get_data(pixels, NULL), CAIRO_FORMAT_ARGB32, width, height,
        width * PIXEL_BYTES);
    (void)cairo_surface_set_user_data(surface, &KEY, g_bytes_ref(pixels), unref_bytes);
    GskRenderNode *node = gsk_cairo_node_new(bounds);
    cairo_t *cr = gsk_cairo_node_get_draw_context(node);
    cairo_translate(cr, bounds->origin.x, bounds->origin.y);
    cairo_scale(cr, picture->unit, picture->unit);
    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return node;
}

static GskRenderNode *texture_node(GBytes *pixels, int width, int height,
                                   const graphene_rect_t *bounds)
{
    g_autoptr(GdkTexture) texture = gdk_memory_texture_new(
        width, height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, pixels, (gsize)width * PIXEL_BYTES);
    return gsk_texture_node_new(texture, bounds);
}

/* Takes `pixels`. */
static void show(const struct sm_picture *picture, struct sm_tile *tile, GBytes *pixels,
                 struct sm_rect rect)
{
    int width = rect.right - rect.left, height = rect.bottom - rect.top;
    float unit = (float)picture->unit;
    graphene_rect_t bounds = GRAPHENE_RECT_INIT((float)rect.left * unit, (float)rect.top * unit,
                                                (float)width * unit, (float)height * unit);
    g_clear_pointer(&tile->node, gsk_render_node_unref);
    g_clear_pointer(&tile->pixels, g_bytes_unref);
    tile->node = picture->shape.is_by_processor
                     ? drawn_node(picture, pixels, width, height, &bounds)
                     : texture_node(pixels, width, height, &bounds);
    tile->pixels = pixels;
}

static struct sm_rect tile_rect(const struct sm_picture *picture, int index)
{
    int left = index % picture->columns * picture->tile_width;
    int top = index / picture->columns * picture->tile_height;
    return (struct sm_rect){
        .left = left,
        .top = top,
        .right = MIN(left + picture->tile_width, picture->width),
        .bottom = MIN(top + picture->tile_height, picture->height),
    };
}

/* `guest` is the area as a surface, for scaling. */
static void update_tile(const struct sm_picture *picture, int index,
                        const struct sm_display_view *view, struct sm_rect area,
                        cairo_surface_t *guest)
{
    struct sm_tile *tile = &picture->tiles[index];
    struct sm_rect rect = tile_rect(picture, index);
    if (picture->is_scaled) {
        GBytes *pixels = scale_rect(picture, guest, rect);
        if (tile->pixels && g_bytes_equal(pixels, tile->pixels))
            g_bytes_unref(pixels);
        else
            show(picture, tile, pixels, rect);
        return;
    }
    struct sm_rect source = {area.left + rect.left, area.top + rect.top, area.left + rect.right,
                             area.top + rect.bottom};
    if (!tile->pixels || does_rect_differ(view, source, tile->pixels))
        show(picture, tile, copy_rect(view, source), rect);
}

void sm_picture_update(struct sm_picture *picture, const struct sm_display_view *view,
                       struct sm_rect area)
{
    int width = area.right - area.left, height = area.bottom - area.top;
    if (width != picture->shape.width || height != picture->shape.height ||
        area.right > (int)view->width || area.bottom > (int)view->height)
        return; /* the display has just changed; we are about to hear of it */
    cairo_surface_t *guest = NULL;
    if (picture->is_scaled)
        guest = cairo_image_surface_create_for_data((uint8_t *)pixels_at(view, area.left, area.top),
                                                    CAIRO_FORMAT_RGB24, width, height,
                                                    (int)view->stride_bytes);
    for (int i = 0; i < picture->rows * picture->columns; i++)
        if (picture->tiles[i].is_damaged) {
            update_tile(picture, i, view, area, guest);
            picture->tiles[i].is_damaged = false;
        }
    if (guest) {
        cairo_surface_finish(guest); /* its memory is ours no more */
        cairo_surface_destroy(guest);
    }
}

void sm_picture_snapshot(const struct sm_picture *picture, GtkSnapshot *snapshot,
                         const graphene_rect_t *place)
{
    if (!picture->tiles)
        return;
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot, &place->origin);
    /* The shape follows the place, but not while there is no session to draw from. */
    double wanted = place->size.width / (picture->width * picture->unit);
    if (fabs(wanted - 1) * picture->width * picture->unit > 1)
        gtk_snapshot_scale(snapshot, (float)wanted, (float)wanted);
    for (int i = 0; i < picture->rows * picture->columns; i++)
        if (picture->tiles[i].node)
            gtk_snapshot_append_node(snapshot, picture->tiles[i].node);
    gtk_snapshot_restore(snapshot);
}
