/* SPDX-License-Identifier: MIT */
/* How a view gets its picture onto the screen: by the toolkit, or past it. */
#define G_LOG_DOMAIN "sumac-viewer"

#include <math.h>

#include "viewer/cover.h"
#include "viewer/view_private.h"

static const gint64 FRAME_US = 16000; /* between two pictures past the toolkit, at least */
static const guint BUSY_MS = 4;       /* until the window system is asked again */

/* In mouse mode server the guest moves its pointer, so its place is where the guest says. */
static bool draws_cursor(const SmView *view)
{
    return view->session && view->mouse_mode == SM_POINTER_MODE_SERVER && view->cursor.is_visible &&
           view->cursor_shape;
}

/* Without a session there is nothing to draw anew: then what is there is stretched. */
static void reshape_picture(SmView *view)
{
    sm_picture_reshape(&view->picture, &view->shape, !view->session || !view->has_monitor);
}

static bool lock_display(SmView *view, struct sm_display_view *display)
{
    enum sm_status status = sm_picture_takes_fills(&view->picture)
                                ? sm_display_lock_sparse(view->session, view->channel_id, display)
                                : sm_display_lock(view->session, view->channel_id, display);
    return status == SM_OK;
}

/* Takes what changed; `open` and `past` as sm_picture_update() has them. */
static bool update_picture(SmView *view, const cairo_region_t *open, cairo_region_t *past)
{
    struct sm_display_view display;
    if (!view->session || !view->has_monitor || !lock_display(view, &display))
        return false;
    sm_picture_set_cursor(&view->picture, draws_cursor(view) ? view->cursor_surface : NULL,
                          view->cursor.x - view->area.left - (int)view->cursor.hot_x,
                          view->cursor.y - view->area.top - (int)view->cursor.hot_y);
    bool has_new = view->area.right <= (int)display.width &&
                   view->area.bottom <= (int)display.height &&
                   sm_picture_update(&view->picture, &display, view->area, open, past);
    sm_display_unlock(view->session, view->channel_id);
    return has_new;
}

static void count_frame(SmView *view)
{
    if (!view->damaged_us)
        return;
    view->figures.frames++;
    view->figures.age_us = (uint64_t)(g_get_monotonic_time() - view->damaged_us);
    view->damaged_us = 0;
}

/* ---- By the toolkit ---- */

/* In the view. */
static graphene_rect_t cursor_place(const SmView *view)
{
    const struct sm_placement *p = &view->placement;
    double x = view->cursor.x - view->area.left - (double)view->cursor.hot_x;
    double y = view->cursor.y - view->area.top - (double)view->cursor.hot_y;
    return GRAPHENE_RECT_INIT((float)(p->x + x * p->scale), (float)(p->y + y * p->scale),
                              (float)(view->cursor.width * p->scale),
                              (float)(view->cursor.height * p->scale));
}

static void append_black(GtkSnapshot *snapshot, float left, float top, float right, float bottom)
{
    if (right > left && bottom > top)
        gtk_snapshot_append_color(snapshot, &(GdkRGBA){0, 0, 0, 1},
                                  &GRAPHENE_RECT_INIT(left, top, right - left, bottom - top));
}

/* Around the picture and not below it, which would be painted with each of its changes. A scaled
 * one may end within a pixel. */
static void surround(GtkSnapshot *snapshot, const graphene_rect_t *rect, float width, float height)
{
    float left = ceilf(rect->origin.x), right = floorf(rect->origin.x + rect->size.width);
    float top = ceilf(rect->origin.y), bottom = floorf(rect->origin.y + rect->size.height);
    append_black(snapshot, 0, 0, width, top);
    append_black(snapshot, 0, bottom, width, height);
    append_black(snapshot, 0, top, left, bottom);
    append_black(snapshot, right, top, width, bottom);
}

void sm_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    SmView *view = SM_VIEW(widget);
    float width = (float)gtk_widget_get_width(widget),
          height = (float)gtk_widget_get_height(widget);
    reshape_picture(view);
    (void)update_picture(view, NULL, NULL);
    count_frame(view);
    if (!view->picture.tiles) {
        append_black(snapshot, 0, 0, width, height);
        return;
    }
    const struct sm_placement *p = &view->placement;
    graphene_rect_t rect =
        GRAPHENE_RECT_INIT((float)p->x, (float)p->y, (float)p->width, (float)p->height);
    if (view->picture.canvas) {
        sm_picture_snapshot(&view->picture, snapshot, &rect);
        return;
    }
    surround(snapshot, &rect, width, height);
    gtk_snapshot_push_clip(snapshot, &rect);
    sm_picture_snapshot(&view->picture, snapshot, &rect);
    if (draws_cursor(view)) {
        graphene_rect_t cursor = cursor_place(view);
        gtk_snapshot_append_texture(snapshot, view->cursor_shape, &cursor);
    }
    gtk_snapshot_pop(snapshot);
}

/* ---- Past the toolkit ---- */

void sm_view_end_painting(SmView *view)
{
    g_clear_handle_id(&view->painting.timer, g_source_remove);
    g_clear_pointer(&view->painting.direct, sm_direct_paint_destroy);
    g_clear_pointer(&view->painting.canvas, sm_canvas_unref);
    view->painting.surface = NULL;
}

static bool is_in_sight(GtkWidget *widget, GdkSurface *surface)
{
    return gtk_widget_is_drawable(widget) && GDK_IS_TOPLEVEL(surface) &&
           !(gdk_toplevel_get_state(GDK_TOPLEVEL(surface)) & GDK_TOPLEVEL_STATE_MINIMIZED);
}

/* What paints the canvas into the window there is now; NULL: the toolkit has to. Tried once for
 * each of the two. */
static struct sm_direct_paint *direct_paint(SmView *view)
{
    GtkWidget *widget = GTK_WIDGET(view);
    GtkNative *native = gtk_widget_get_native(widget);
    GdkSurface *surface = native ? gtk_native_get_surface(native) : NULL;
    if (!surface || !view->picture.canvas || !is_in_sight(widget, surface))
        return NULL;
    struct sm_painting *painting = &view->painting;
    if (painting->surface == surface && painting->canvas == view->picture.canvas)
        return painting->direct;
    sm_view_end_painting(view);
    painting->surface = surface;
    painting->canvas = sm_canvas_ref(view->picture.canvas);
    painting->direct = sm_direct_paint_create(surface, painting->canvas);
    g_debug("monitor %u is painted %s", view->monitor_number + 1,
            painting->direct ? "from shared memory" : "by the toolkit");
    return painting->direct;
}

static void paint(SmView *view, struct sm_direct_paint *direct)
{
    GtkWidget *widget = GTK_WIDGET(view);
    double scale = sm_view_device_scale(widget);
    cairo_region_t *open = sm_cover_open_part(widget, scale), *past = cairo_region_create();
    bool has_new = update_picture(view, open, past);
    if (!cairo_region_is_empty(past)) {
        int x, y;
        sm_cover_origin(widget, scale, &x, &y);
        sm_direct_paint_put(direct, past, x, y);
        count_frame(view);
    }
    cairo_region_destroy(open);
    cairo_region_destroy(past);
    view->painting.last_us = g_get_monotonic_time();
    if (has_new)
        gtk_widget_queue_draw(widget);
}

static gboolean on_time(void *opaque)
{
    SmView *view = opaque;
    reshape_picture(view);
    view->painting.timer = 0;
    struct sm_direct_paint *direct = direct_paint(view);
    if (!direct)
        gtk_widget_queue_draw(GTK_WIDGET(view));
    else if (sm_direct_paint_is_busy(direct))
        view->painting.timer = g_timeout_add(BUSY_MS, on_time, view);
    else
        paint(view, direct);
    return G_SOURCE_REMOVE;
}

void sm_view_draw_soon(SmView *view)
{
    if (view->painting.timer)
        return;
    if (!direct_paint(view)) {
        gtk_widget_queue_draw(GTK_WIDGET(view));
        return;
    }
    gint64 now_us = g_get_monotonic_time();
    gint64 wait_us = CLAMP(view->painting.last_us + FRAME_US - now_us, 0, FRAME_US);
    view->painting.timer = g_timeout_add((guint)(wait_us / 1000), on_time, view);
}
