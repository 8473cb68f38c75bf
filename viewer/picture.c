/* SPDX-License-Identifier: MIT */
#include "viewer/picture.h"

#include <math.h>
#include <string.h>

#include "viewer/pixels.h"

enum {
    TILE_WIDTH = 256,
    TILE_HEIGHT = 64,      /* a line of text or two: what usually changes at once */
    TILES_MAX = 1024,      /* then they get larger */
    SMALLEST_REACH_PX = 2, /* how far a filter looks around a pixel that is not made smaller */
};

/* ---- The cut ---- */

static void drop_tiles(struct sm_picture *picture)
{
    for (int i = 0; i < picture->rows * picture->columns; i++) {
        g_clear_pointer(&picture->tiles[i].node, gsk_render_node_unref);
        g_clear_pointer(&picture->tiles[i].pixels, g_bytes_unref);
    }
    g_clear_pointer(&picture->tiles, g_free);
    picture->columns = picture->rows = 0;
}

void sm_picture_clear(struct sm_picture *picture)
{
    drop_tiles(picture);
    sm_canvas_unref(picture->canvas);
    sm_canvas_unref(picture->last);
    g_clear_pointer(&picture->cursor.shape, cairo_surface_destroy);
    memset(picture, 0, sizeof(*picture));
}

static bool is_whole_number(double value)
{
    return value >= 1 && fabs(value - floor(value + 0.5)) < 1e-9;
}

static bool are_equal(const struct sm_picture_shape *a, const struct sm_picture_shape *b)
{
    return a->width == b->width && a->height == b->height && a->scale == b->scale &&
           a->device_scale == b->device_scale && a->is_by_processor == b->is_by_processor &&
           (!a->is_by_processor ||
            (a->view_width == b->view_width && a->view_height == b->view_height && a->x == b->x &&
             a->y == b->y));
}

static int parts(int length, int part)
{
    return (length + part - 1) / part;
}

/* Borders between tiles would show where the card scales them, so then there is but one. */
static void cut(struct sm_picture *picture, int width, int height, bool is_whole)
{
    picture->width = width;
    picture->height = height;
    picture->tile_width = is_whole ? width : TILE_WIDTH;
    picture->tile_height = is_whole ? height : TILE_HEIGHT;
    while (parts(width, picture->tile_width) * parts(height, picture->tile_height) > TILES_MAX) {
        picture->tile_width *= 2;
        picture->tile_height *= 2;
    }
    picture->columns = parts(width, picture->tile_width);
    picture->rows = parts(height, picture->tile_height);
    picture->tiles = g_new0(struct sm_tile, (gsize)picture->columns * (gsize)picture->rows);
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

/* ---- Damage ---- */

/* `rect` in pixels of the tiles. */
static void damage_tiles(struct sm_picture *picture, struct sm_rect rect)
{
    rect = sm_rect_intersect(rect, (struct sm_rect){0, 0, picture->width, picture->height});
    if (!picture->tiles || sm_rect_is_empty(rect))
        return;
    for (int row = rect.top / picture->tile_height; row * picture->tile_height < rect.bottom; row++)
        for (int column = rect.left / picture->tile_width;
             column * picture->tile_width < rect.right; column++) {
            int index = row * picture->columns + column;
            struct sm_tile *tile = &picture->tiles[index];
            tile->damage =
                sm_rect_unite(tile->damage, sm_rect_intersect(rect, tile_rect(picture, index)));
        }
}

static bool is_scaled(const struct sm_picture *picture)
{
    return picture->shape.scale != 1;
}

/* Where the picture is on the canvas. */
static struct sm_rect picture_rect(const struct sm_picture_shape *shape)
{
    return sm_rect_intersect(
        (struct sm_rect){0, 0, shape->view_width, shape->view_height},
        (struct sm_rect){
            .left = shape->x,
            .top = shape->y,
            .right = shape->x + MAX(1, (int)(shape->width * shape->scale + 0.5)),
            .bottom = shape->y + MAX(1, (int)(shape->height * shape->scale + 0.5)),
        });
}

/* From pixels of the guest to those of the tiles; a scaled pixel has a part of its neighbours. */
static struct sm_rect to_tiles(const struct sm_picture *picture, struct sm_rect rect)
{
    const struct sm_picture_shape *shape = &picture->shape;
    if (!picture->canvas)
        return rect;
    double reach = is_scaled(picture) ? SMALLEST_REACH_PX * MAX(1, 1 / shape->scale) : 0;
    return (struct sm_rect){
        .left = (int32_t)floor((rect.left - reach) * shape->scale) + shape->x,
        .top = (int32_t)floor((rect.top - reach) * shape->scale) + shape->y,
        .right = (int32_t)ceil((rect.right + reach) * shape->scale) + shape->x,
        .bottom = (int32_t)ceil((rect.bottom + reach) * shape->scale) + shape->y,
    };
}

void sm_picture_damage(struct sm_picture *picture, struct sm_rect damage)
{
    /* What a guest says may lie anywhere. */
    struct sm_rect all = {0, 0, picture->shape.width, picture->shape.height};
    damage = sm_rect_intersect(damage, all);
    if (!sm_rect_is_empty(damage))
        damage_tiles(picture, to_tiles(picture, damage));
}

/* ---- The shape ---- */

/* The last picture on a new canvas. */
static void stretch(struct sm_picture *picture)
{
    struct sm_rect from = picture->last_rect, to = picture_rect(&picture->shape);
    if (sm_rect_is_empty(from) || sm_rect_is_empty(to))
        return;
    cairo_surface_t *surface = sm_canvas_surface(picture->last, from);
    sm_canvas_draw(picture->canvas, to, surface,
                   (struct sm_canvas_way){
                       .x = to.left,
                       .y = to.top,
                       .scale_x = (double)sm_rect_width(to) / (double)sm_rect_width(from),
                       .scale_y = (double)sm_rect_height(to) / (double)sm_rect_height(from),
                       .filter = CAIRO_FILTER_GOOD,
                   });
    cairo_surface_destroy(surface);
}

/* The canvas is as large as the view, whatever the guest shows: for another mode of the guest the
 * toolkit has nothing to do. */
static void reshape_canvas(struct sm_picture *picture, bool is_last)
{
    const struct sm_picture_shape *shape = &picture->shape;
    bool fits = picture->canvas && picture->canvas->width == shape->view_width &&
                picture->canvas->height == shape->view_height && !is_last;
    if (!fits) {
        sm_canvas_unref(picture->canvas);
        picture->canvas = sm_canvas_create(shape->view_width, shape->view_height);
        drop_tiles(picture);
        if (!picture->canvas)
            return;
        picture->unit = 1 / shape->device_scale;
        cut(picture, shape->view_width, shape->view_height, false);
    }
    /* What is there where the picture goes is better than black until the pixels come. */
    sm_canvas_clear(picture->canvas, fits ? picture_rect(shape) : (struct sm_rect){0});
    if (is_last && picture->last)
        stretch(picture);
    else
        damage_tiles(picture, (struct sm_rect){0, 0, picture->width, picture->height});
}

/* Textures of all that the guest shows, which the toolkit scales. */
static void reshape_textures(struct sm_picture *picture)
{
    const struct sm_picture_shape *shape = &picture->shape;
    drop_tiles(picture);
    picture->unit = shape->scale / shape->device_scale;
    cut(picture, shape->width, shape->height, !is_whole_number(shape->scale));
    damage_tiles(picture, (struct sm_rect){0, 0, picture->width, picture->height});
}

void sm_picture_reshape(struct sm_picture *picture, const struct sm_picture_shape *shape,
                        bool is_last)
{
    bool has_canvas = shape->is_by_processor && shape->view_width > 0 && shape->view_height > 0;
    if (is_last && !picture->canvas && (picture->tiles || !has_canvas))
        return; /* textures are stretched by the toolkit */
    if (!is_last)
        g_clear_pointer(&picture->last, sm_canvas_unref);
    if (are_equal(&picture->shape, shape))
        return;
    if (is_last && picture->canvas && !picture->last) {
        picture->last = sm_canvas_ref(picture->canvas);
        picture->last_rect = picture_rect(&picture->shape);
    }
    picture->shape = *shape;
    if (shape->width < 1 || shape->height < 1) {
        sm_picture_clear(picture);
        return;
    }
    if (has_canvas)
        reshape_canvas(picture, is_last);
    else
        g_clear_pointer(&picture->canvas, sm_canvas_unref);
    if (!picture->canvas) /* nor if there is no memory to share */
        reshape_textures(picture);
}

/* ---- The pointer ---- */

static struct sm_rect cursor_rect(const struct sm_picture *picture)
{
    const struct sm_picture_cursor *cursor = &picture->cursor;
    if (!cursor->shape)
        return (struct sm_rect){0};
    struct sm_rect rect = {cursor->x, cursor->y,
                           cursor->x + cairo_image_surface_get_width(cursor->shape),
                           cursor->y + cairo_image_surface_get_height(cursor->shape)};
    return sm_rect_intersect(to_tiles(picture, rect), picture_rect(&picture->shape));
}

void sm_picture_set_cursor(struct sm_picture *picture, cairo_surface_t *shape, int x, int y)
{
    struct sm_picture_cursor *cursor = &picture->cursor;
    if (!picture->canvas ||
        (shape == cursor->shape && (!shape || (x == cursor->x && y == cursor->y))))
        return;
    damage_tiles(picture, cursor_rect(picture));
    if (shape)
        cairo_surface_reference(shape);
    g_clear_pointer(&cursor->shape, cairo_surface_destroy);
    *cursor = (struct sm_picture_cursor){shape, x, y};
    damage_tiles(picture, cursor_rect(picture));
}

static void draw_cursor(struct sm_picture *picture, struct sm_rect rect)
{
    const struct sm_picture_shape *shape = &picture->shape;
    rect = sm_rect_intersect(rect, cursor_rect(picture));
    if (!sm_rect_is_empty(rect))
        sm_canvas_draw(picture->canvas, rect, picture->cursor.shape,
                       (struct sm_canvas_way){
                           .x = picture->cursor.x * shape->scale + shape->x,
                           .y = picture->cursor.y * shape->scale + shape->y,
                           .scale_x = shape->scale,
                           .scale_y = shape->scale,
                           .filter = CAIRO_FILTER_GOOD,
                           .is_over = true,
                       });
}

/* ---- Pixels ---- */

/* From where they come. */
struct source {
    const struct sm_display_view *view;
    struct sm_rect area;    /* of the monitor in it */
    cairo_surface_t *guest; /* the area, for scaling; or NULL */
};

static const uint8_t *pixels_at(const struct sm_display_view *view, int x, int y)
{
    return view->pixels + (size_t)y * view->stride_bytes + (size_t)x * SM_PIXEL_BYTES;
}

static void scale(struct sm_picture *picture, cairo_surface_t *guest, struct sm_rect rect)
{
    const struct sm_picture_shape *shape = &picture->shape;
    bool is_exact = is_whole_number(shape->scale);
    sm_canvas_draw(picture->canvas, rect, guest,
                   (struct sm_canvas_way){
                       .x = shape->x,
                       .y = shape->y,
                       .scale_x = shape->scale,
                       .scale_y = shape->scale,
                       .filter = is_exact ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD,
                   });
}

static bool is_within(const cairo_region_t *open, struct sm_rect rect)
{
    const cairo_rectangle_int_t box = {rect.left, rect.top, rect.right - rect.left,
                                       rect.bottom - rect.top};
    return open && cairo_region_contains_rectangle(open, &box) == CAIRO_REGION_OVERLAP_IN;
}

/* Whether the toolkit has to draw it; else it is in `past`, or has not changed. */
static bool update_on_canvas(struct sm_picture *picture, struct sm_tile *tile,
                             const struct source *source, const cairo_region_t *open,
                             cairo_region_t *past)
{
    struct sm_rect damage = tile->damage;
    struct sm_rect rect = sm_rect_intersect(damage, picture_rect(&picture->shape));
    bool is_open = tile->node && is_within(open, damage), has_pixels = !sm_rect_is_empty(rect);
    if (has_pixels && source->guest) {
        scale(picture, source->guest, rect);
    } else if (has_pixels) {
        const struct sm_canvas_source from = {source->view, source->area.left - picture->shape.x,
                                              source->area.top - picture->shape.y};
        /* For the toolkit to paint a tile is far more work than to compare it. */
        if (!is_open && tile->node && sm_rect_equal(rect, damage) &&
            sm_rect_is_empty(sm_rect_intersect(rect, cursor_rect(picture))) &&
            !sm_canvas_differs(picture->canvas, rect, &from))
            return false;
        sm_canvas_copy(picture->canvas, rect, &from);
    }
    draw_cursor(picture, rect);
    if (is_open) {
        const cairo_rectangle_int_t box = {damage.left, damage.top, damage.right - damage.left,
                                           damage.bottom - damage.top};
        (void)cairo_region_union_rectangle(past, &box);
        return false;
    }
    g_clear_pointer(&tile->node, gsk_render_node_unref);
    return true;
}

/* Rows without gaps. */
static GBytes *copy_rect(const struct sm_display_view *view, struct sm_rect rect)
{
    size_t width = (size_t)(rect.right - rect.left), height = (size_t)(rect.bottom - rect.top);
    size_t stride = width * SM_PIXEL_BYTES;
    uint8_t *pixels = g_malloc(stride * height);
    for (size_t y = 0; y < height; y++)
        sm_pixels_copy(pixels + y * stride, pixels_at(view, rect.left, rect.top + (int)y), width);
    return g_bytes_new_take(pixels, stride * height);
}

static bool does_rect_differ(const struct sm_display_view *view, struct sm_rect rect, GBytes *shown)
{
    size_t width = (size_t)(rect.right - rect.left), height = (size_t)(rect.bottom - rect.top);
    const uint8_t *pixels = g_bytes_get_data(shown, NULL);
    for (size_t y = 0; y < height; y++)
        if (sm_pixels_differ(pixels + y * width * SM_PIXEL_BYTES,
                             pixels_at(view, rect.left, rect.top + (int)y), width))
            return true;
    return false;
}

static bool update_texture(struct sm_tile *tile, const struct source *source, struct sm_rect rect)
{
    struct sm_rect from = {source->area.left + rect.left, source->area.top + rect.top,
                           source->area.left + rect.right, source->area.top + rect.bottom};
    if (tile->pixels && !does_rect_differ(source->view, from, tile->pixels))
        return false;
    g_clear_pointer(&tile->node, gsk_render_node_unref);
    g_clear_pointer(&tile->pixels, g_bytes_unref);
    tile->pixels = copy_rect(source->view, from);
    return true;
}

bool sm_picture_takes_fills(const struct sm_picture *picture)
{
    return picture->canvas && !is_scaled(picture);
}

bool sm_picture_update(struct sm_picture *picture, const struct sm_display_view *view,
                       struct sm_rect area, const cairo_region_t *open, cairo_region_t *past)
{
    int width = area.right - area.left, height = area.bottom - area.top;
    if (width != picture->shape.width || height != picture->shape.height ||
        area.right > (int)view->width || area.bottom > (int)view->height)
        return false; /* the display has just changed; we are about to hear of it */
    struct source source = {.view = view, .area = area};
    if (picture->canvas && is_scaled(picture))
        source.guest = cairo_image_surface_create_for_data(
            (uint8_t *)pixels_at(view, area.left, area.top), CAIRO_FORMAT_RGB24, width, height,
            (int)view->stride_bytes);
    bool has_new = false;
    for (int i = 0; i < picture->rows * picture->columns; i++) {
        struct sm_tile *tile = &picture->tiles[i];
        if (sm_rect_is_empty(tile->damage))
            continue;
        has_new |= picture->canvas ? update_on_canvas(picture, tile, &source, open, past)
                                   : update_texture(tile, &source, tile_rect(picture, i));
        tile->damage = (struct sm_rect){0};
    }
    if (source.guest) {
        cairo_surface_finish(source.guest); /* its memory is ours no more */
        cairo_surface_destroy(source.guest);
    }
    return has_new;
}

GdkTexture *sm_picture_texture(const struct sm_display_view *view, struct sm_rect area)
{
    int width = area.right - area.left, height = area.bottom - area.top;
    g_autoptr(GBytes) bytes = copy_rect(view, area);
    return gdk_memory_texture_new(width, height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, bytes,
                                  (gsize)width * SM_PIXEL_BYTES);
}

/* ---- Nodes ---- */

/* Drawn by cairo, from our pixels as they are. A texture would be converted, each time it is drawn.
 */
static GskRenderNode *drawn_node(const struct sm_picture *picture, struct sm_rect rect,
                                 const graphene_rect_t *bounds)
{
    GskRenderNode *node = gsk_cairo_node_new(bounds);
    cairo_t *cr = gsk_cairo_node_get_draw_context(node);
    cairo_translate(cr, bounds->origin.x, bounds->origin.y);
    cairo_scale(cr, picture->unit, picture->unit);
    sm_canvas_record(picture->canvas, rect.left, rect.top, cr);
    cairo_destroy(cr);
    return node;
}

static GskRenderNode *texture_node(GBytes *pixels, struct sm_rect rect,
                                   const graphene_rect_t *bounds)
{
    int width = rect.right - rect.left, height = rect.bottom - rect.top;
    g_autoptr(GdkTexture) texture = gdk_memory_texture_new(
        width, height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, pixels, (gsize)width * SM_PIXEL_BYTES);
    return gsk_texture_node_new(texture, bounds);
}

static GskRenderNode *make_node(const struct sm_picture *picture, int index)
{
    struct sm_rect rect = tile_rect(picture, index);
    float unit = (float)picture->unit;
    graphene_rect_t bounds = GRAPHENE_RECT_INIT((float)rect.left * unit, (float)rect.top * unit,
                                                (float)(rect.right - rect.left) * unit,
                                                (float)(rect.bottom - rect.top) * unit);
    if (picture->canvas)
        return drawn_node(picture, rect, &bounds);
    GBytes *pixels = picture->tiles[index].pixels;
    return pixels ? texture_node(pixels, rect, &bounds) : NULL;
}

static void append_tiles(struct sm_picture *picture, GtkSnapshot *snapshot)
{
    for (int i = 0; i < picture->rows * picture->columns; i++) {
        struct sm_tile *tile = &picture->tiles[i];
        if (!tile->node)
            tile->node = make_node(picture, i);
        if (tile->node)
            gtk_snapshot_append_node(snapshot, tile->node);
    }
}

void sm_picture_snapshot(struct sm_picture *picture, GtkSnapshot *snapshot,
                         const graphene_rect_t *place)
{
    if (picture->canvas) {
        append_tiles(picture, snapshot);
        return;
    }
    if (!picture->tiles)
        return;
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot, &place->origin);
    /* The shape follows the place, but not while there is no session to draw from. */
    double wanted = place->size.width / (picture->width * picture->unit);
    if (fabs(wanted - 1) * picture->width * picture->unit > 1)
        gtk_snapshot_scale(snapshot, (float)wanted, (float)wanted);
    append_tiles(picture, snapshot);
    gtk_snapshot_restore(snapshot);
}
