/* SPDX-License-Identifier: MIT */
#include "viewer/view.h"

#include <math.h>
#include <string.h>

#include <glib/gi18n.h>

#include "viewer/names.h"
#include "viewer/view_private.h"

#ifdef GDK_WINDOWING_X11
#include <gdk/x11/gdkx.h>
#endif

enum { DISPLAYS_MAX = 64, CURSOR_SIDE_MAX = 1024 };

static const double CURSOR_SCALE_MIN = 0.5; /* below, it could not be seen any more */

G_DEFINE_FINAL_TYPE(SmView, sm_view, GTK_TYPE_WIDGET)

enum { SIGNAL_KEYBOARD_CHANGED, SIGNAL_COUNT };

static guint signals[SIGNAL_COUNT];

/* ---- Where the picture is ---- */

/* Pixels of the device a logical one. Before 4.12 the toolkit knows whole numbers only: it draws
 * larger, and the desktop makes it smaller. */
double sm_view_device_scale(GtkWidget *widget)
{
#if GTK_CHECK_VERSION(4, 12, 0)
    GtkNative *native = gtk_widget_get_native(widget);
    GdkSurface *surface = native ? gtk_native_get_surface(native) : NULL;
    if (surface)
        return gdk_surface_get_scale(surface);
#endif
    return gtk_widget_get_scale_factor(widget);
}

static bool is_drawn_by_processor(GtkWidget *widget)
{
    GtkNative *native = gtk_widget_get_native(widget);
    GskRenderer *renderer = native ? gtk_native_get_renderer(native) : NULL;
    return renderer && GSK_IS_CAIRO_RENDERER(renderer);
}

/* A whole number that arithmetic has missed by a little. */
static double without_noise(double scale)
{
    double whole = floor(scale + 0.5);
    return fabs(scale - whole) < 1e-9 ? whole : scale;
}

/* Only where it is: while a guest and a window change their sizes that is looked at again and
 * again, and the pixels but once. */
static void place(SmView *view)
{
    GtkWidget *widget = GTK_WIDGET(view);
    double scale = sm_view_device_scale(widget);
    int width = view->area.right - view->area.left, height = view->area.bottom - view->area.top;
    view->placement = sm_placement_fit(gtk_widget_get_width(widget), gtk_widget_get_height(widget),
                                       width, height, scale, view->zoom, view->fills);
    view->shape = (struct sm_picture_shape){
        .width = width,
        .height = height,
        .scale = without_noise(view->placement.scale * scale),
        .device_scale = scale,
        .is_by_processor = is_drawn_by_processor(widget),
        .view_width = (int)(gtk_widget_get_width(widget) * scale + 0.5),
        .view_height = (int)(gtk_widget_get_height(widget) * scale + 0.5),
        .x = (int)floor(view->placement.x * scale + 0.5),
        .y = (int)floor(view->placement.y * scale + 0.5),
    };
    if (view->cursor_scale != view->placement.scale)
        sm_view_update_cursor(view);
}

/* The display that has our monitor. */
static bool find_monitor(SmView *view, uint8_t *channel_id, struct sm_rect *area)
{
    struct sm_display_info displays[DISPLAYS_MAX];
    size_t count = sm_session_get_displays(view->session, displays, DISPLAYS_MAX);
    for (size_t i = 0; i < count && i < DISPLAYS_MAX; i++)
        for (size_t j = 0; displays[i].is_ready && j < displays[i].monitor_count; j++) {
            const struct sm_monitor *monitor = &displays[i].monitors[j];
            if (monitor->number != view->monitor_number ||
                monitor->area.right <= monitor->area.left ||
                monitor->area.bottom <= monitor->area.top)
                continue;
            *channel_id = displays[i].channel_id;
            *area = monitor->area;
            return true;
        }
    return false;
}

static void reconfigure(SmView *view)
{
    if (!view->session)
        return;
    uint8_t channel_id;
    struct sm_rect area;
    view->has_monitor = find_monitor(view, &channel_id, &area);
    if (!view->has_monitor)
        return; /* the last picture stays until there is another one */
    view->channel_id = channel_id;
    view->area = area;
    place(view);
    sm_picture_damage(&view->picture,
                      (struct sm_rect){0, 0, area.right - area.left, area.bottom - area.top});
    sm_view_draw_soon(view);
}

static void size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    (void)baseline;
    (void)width;
    (void)height;
    place(SM_VIEW(widget));
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
    (void)for_size;
    SmView *view = SM_VIEW(widget);
    double scale = sm_view_device_scale(widget);
    int guest = orientation == GTK_ORIENTATION_HORIZONTAL ? view->area.right - view->area.left
                                                          : view->area.bottom - view->area.top;
    *minimum = 64;
    *natural = MAX(*minimum, (int)ceil(guest * view->zoom / scale));
    *minimum_baseline = *natural_baseline = -1;
}

/* ---- The guest's pointer ---- */

/* The shape at another size, for the native cursor, whose pixels are logical ones. */
static GdkTexture *scale_shape(GdkTexture *shape, double scale)
{
    int width = MAX(1, (int)round(gdk_texture_get_width(shape) * scale));
    int height = MAX(1, (int)round(gdk_texture_get_height(shape) * scale));
    cairo_surface_t *from = cairo_image_surface_create(
        CAIRO_FORMAT_ARGB32, gdk_texture_get_width(shape), gdk_texture_get_height(shape));
    cairo_surface_t *to = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    gdk_texture_download(shape, cairo_image_surface_get_data(from),
                         (gsize)cairo_image_surface_get_stride(from));
    cairo_surface_mark_dirty(from);
    cairo_t *cr = cairo_create(to);
    cairo_scale(cr, scale, scale);
    cairo_set_source_surface(cr, from, 0, 0);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_flush(to);
    int stride = cairo_image_surface_get_stride(to);
    g_autoptr(GBytes) bytes =
        g_bytes_new(cairo_image_surface_get_data(to), (gsize)stride * (gsize)height);
    cairo_surface_destroy(from);
    cairo_surface_destroy(to);
    return gdk_memory_texture_new(width, height, GDK_MEMORY_DEFAULT, bytes, (gsize)stride);
}

/* Pixels of a native cursor a logical one: the toolkit hands them to X11 as they are, and has
 * Wayland enlarge them. */
static double cursor_pixels(SmView *view)
{
#ifdef GDK_WINDOWING_X11
    GtkWidget *widget = GTK_WIDGET(view);
    if (GDK_IS_X11_DISPLAY(gtk_widget_get_display(widget)))
        return sm_view_device_scale(widget);
#endif
    (void)view;
    return 1;
}

static GdkCursor *native_cursor(SmView *view)
{
    double scale = MAX(view->placement.scale * cursor_pixels(view), CURSOR_SCALE_MIN);
    g_autoptr(GdkTexture) shape = fabs(scale - 1) < 1e-6 ? g_object_ref(view->cursor_shape)
                                                         : scale_shape(view->cursor_shape, scale);
    int hot_x = CLAMP((int)(view->cursor.hot_x * scale), 0, gdk_texture_get_width(shape) - 1);
    int hot_y = CLAMP((int)(view->cursor.hot_y * scale), 0, gdk_texture_get_height(shape) - 1);
    return gdk_cursor_new_from_texture(shape, hot_x, hot_y, NULL);
}

void sm_view_update_cursor(SmView *view)
{
    GtkWidget *widget = GTK_WIDGET(view);
    view->cursor_scale = view->placement.scale;
    bool is_ours = view->is_cursor_local || !view->session || !view->takes_input;
    g_autoptr(GdkCursor) cursor = NULL;
    if (view->holds_pointer)
        cursor = gdk_cursor_new_from_name("none", NULL);
    else if (!is_ours && view->mouse_mode == SM_POINTER_MODE_CLIENT && view->cursor.is_visible &&
             view->cursor_shape)
        cursor = native_cursor(view);
    else if (!is_ours && view->mouse_mode == SM_POINTER_MODE_CLIENT && view->shape_serial)
        cursor = gdk_cursor_new_from_name("none", NULL);
    gtk_widget_set_cursor(widget, cursor);
}

/* Takes `shape`, which may be NULL. */
static void set_cursor_shape(SmView *view, GdkTexture *shape)
{
    g_clear_object(&view->cursor_shape);
    g_clear_pointer(&view->cursor_surface, cairo_surface_destroy);
    view->cursor_shape = shape;
    if (!shape)
        return;
    view->cursor_surface = cairo_image_surface_create(
        CAIRO_FORMAT_ARGB32, gdk_texture_get_width(shape), gdk_texture_get_height(shape));
    gdk_texture_download(shape, cairo_image_surface_get_data(view->cursor_surface),
                         (gsize)cairo_image_surface_get_stride(view->cursor_surface));
    cairo_surface_mark_dirty(view->cursor_surface);
}

static void take_shape(SmView *view, uint8_t channel_id)
{
    struct sm_cursor_info info;
    if (sm_session_get_cursor(view->session, channel_id, &info, NULL, 0) != SM_OK)
        return;
    bool is_new = info.shape_serial != view->shape_serial;
    bool was_visible = view->cursor.is_visible;
    view->cursor = info;
    if (is_new && info.width > 0 && info.width <= CURSOR_SIDE_MAX && info.height > 0 &&
        info.height <= CURSOR_SIDE_MAX) {
        size_t stride = (size_t)info.width * 4, size = stride * info.height;
        uint8_t *pixels = g_malloc(size);
        if (sm_session_get_cursor(view->session, channel_id, &info, pixels, size) == SM_OK &&
            info.shape_serial == view->cursor.shape_serial) {
            g_autoptr(GBytes) bytes = g_bytes_new_take(pixels, size);
            set_cursor_shape(view, gdk_memory_texture_new((int)info.width, (int)info.height,
                                                          GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, bytes,
                                                          stride));
            view->shape_serial = info.shape_serial;
        } else {
            g_free(pixels); /* it has changed in between; another event is on its way */
        }
    }
    if (is_new || was_visible != info.is_visible)
        sm_view_update_cursor(view);
    if (view->mouse_mode == SM_POINTER_MODE_SERVER)
        sm_view_draw_soon(view);
}

/* ---- Events ---- */

static void take_facts(SmView *view)
{
    struct sm_session_info info;
    sm_session_get_info(view->session, &info);
    if (info.mouse_mode == view->mouse_mode)
        return;
    view->mouse_mode = info.mouse_mode;
    sm_view_let_go(view);
    sm_view_update_cursor(view);
    sm_view_draw_soon(view);
}

static void take_damage(SmView *view, struct sm_rect damage)
{
    bool is_ours = damage.left < view->area.right && damage.right > view->area.left &&
                   damage.top < view->area.bottom && damage.bottom > view->area.top;
    if (!is_ours)
        return;
    struct sm_rect ours = {damage.left - view->area.left, damage.top - view->area.top,
                           damage.right - view->area.left, damage.bottom - view->area.top};
    sm_picture_damage(&view->picture, ours);
    if (!view->damaged_us)
        view->damaged_us = g_get_monotonic_time();
    sm_view_draw_soon(view);
}

void sm_view_take_event(SmView *view, const struct sm_event *event)
{
    if (!view->session)
        return;
    switch (event->kind) {
    case SM_EVENT_DISPLAY_CONFIG:
        reconfigure(view);
        gtk_widget_queue_resize(GTK_WIDGET(view));
        break;
    case SM_EVENT_DISPLAY_DAMAGE:
        if (!view->has_monitor)
            reconfigure(view);
        if (view->has_monitor && event->channel_id == view->channel_id)
            take_damage(view, event->damage);
        break;
    case SM_EVENT_CURSOR:
        if (event->channel_id == view->channel_id)
            take_shape(view, event->channel_id);
        break;
    case SM_EVENT_INFO:
    case SM_EVENT_CONNECTED:
    case SM_EVENT_CHANNEL_OPEN:
        take_facts(view);
        sm_view_update_keyboard(view);
        break;
    default:
        break;
    }
}

/* ---- The object ---- */

static void dispose(GObject *object)
{
    SmView *view = SM_VIEW(object);
    sm_view_set_session(view, NULL);
    sm_view_end_painting(view);
    sm_picture_clear(&view->picture);
    set_cursor_shape(view, NULL);
    G_OBJECT_CLASS(sm_view_parent_class)->dispose(object);
}

static void unrealize(GtkWidget *widget)
{
    sm_view_end_painting(SM_VIEW(widget)); /* the window goes */
    GTK_WIDGET_CLASS(sm_view_parent_class)->unrealize(widget);
}

static void sm_view_class_init(SmViewClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    object_class->dispose = dispose;
    widget_class->snapshot = sm_view_snapshot;
    widget_class->unrealize = unrealize;
    widget_class->measure = measure;
    widget_class->size_allocate = size_allocate;
    signals[SIGNAL_KEYBOARD_CHANGED] =
        g_signal_new("keyboard-changed", SM_TYPE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
    gtk_widget_class_set_css_name(widget_class, "guest-view");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void sm_view_init(SmView *view)
{
    GtkWidget *widget = GTK_WIDGET(view);
    view->zoom = 1;
    view->takes_input = true;
    gtk_widget_set_focusable(widget, TRUE);
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_widget_set_vexpand(widget, TRUE);
    gtk_widget_set_overflow(widget, GTK_OVERFLOW_HIDDEN);
    sm_view_init_input(view);
}

GtkWidget *sm_view_new(uint32_t monitor_number)
{
    SmView *view = g_object_new(SM_TYPE_VIEW, NULL);
    sm_name_control(GTK_WIDGET(view), _("The machine's screen"));
    view->monitor_number = monitor_number;
    return GTK_WIDGET(view);
}

uint32_t sm_view_monitor_number(SmView *view)
{
    return view->monitor_number;
}

void sm_view_set_session(SmView *view, struct sm_session *session)
{
    view->session = session;
    view->has_monitor = false;
    view->shape_serial = 0;
    view->cursor = (struct sm_cursor_info){0};
    view->mouse_mode = SM_POINTER_MODE_UNKNOWN;
    sm_view_let_go(view);
    sm_view_update_keyboard(view);
    sm_view_update_cursor(view);
    if (session) {
        take_facts(view);
        reconfigure(view);
    }
}

bool sm_view_has_picture(SmView *view)
{
    return view->picture.tiles || (view->session && view->has_monitor);
}

void sm_view_set_scaling(SmView *view, double zoom, bool fills)
{
    if (zoom == view->zoom && fills == view->fills)
        return;
    view->zoom = zoom;
    view->fills = fills;
    place(view);
    gtk_widget_queue_draw(GTK_WIDGET(view));
}

struct sm_view_figures sm_view_get_figures(SmView *view)
{
    return view->figures;
}

int sm_view_get_monitor(SmView *view, struct sm_rect *area)
{
    *area = view->area;
    bool is_known = area->right > area->left && area->bottom > area->top;
    return is_known ? view->channel_id : -1;
}

void sm_view_set_takes_input(SmView *view, bool takes_input)
{
    view->takes_input = takes_input;
    sm_view_let_go(view);
    sm_view_update_keyboard(view);
    sm_view_update_cursor(view);
}

void sm_view_set_keymap(SmView *view, const struct sm_keymap *keymap)
{
    view->keymap = *keymap;
}

void sm_view_set_local_cursor(SmView *view, bool is_local)
{
    view->is_cursor_local = is_local;
    sm_view_update_cursor(view);
}

GdkTexture *sm_view_screenshot(SmView *view)
{
    struct sm_display_view display;
    if (!view->session || !view->has_monitor ||
        sm_display_lock(view->session, view->channel_id, &display) != SM_OK)
        return NULL;
    GdkTexture *texture = NULL;
    if (view->area.right <= (int)display.width && view->area.bottom <= (int)display.height)
        texture = sm_picture_texture(&display, view->area);
    sm_display_unlock(view->session, view->channel_id);
    return texture;
}
