/* SPDX-License-Identifier: MIT */
#include "viewer/wall.h"

#include <math.h>
#include <string.h>

#include <glib/gi18n.h>

#include "viewer/placement.h"
#include "viewer/wall_plan.h"

struct _SmWall {
    GtkWidget parent_instance;
    double zoom;
    bool fills;
};

enum { PIXEL_BYTES = 4, SCREENSHOT_MAX_BYTES = 1 << 30 };

G_DEFINE_FINAL_TYPE(SmWall, sm_wall, GTK_TYPE_WIDGET)

enum { SIGNAL_SIZE_CHANGED, SIGNAL_COUNT };

static guint signals[SIGNAL_COUNT];

/* The views, in the order of their monitors, and where their monitors are. */
static size_t plan(SmWall *wall, SmView *views[SM_WALL_VIEWS_MAX], struct sm_wall_plan *out)
{
    size_t count = 0;
    *out = (struct sm_wall_plan){.count = 0};
    for (GtkWidget *child = gtk_widget_get_first_child(GTK_WIDGET(wall));
         child && count < SM_WALL_VIEWS_MAX; child = gtk_widget_get_next_sibling(child)) {
        views[count] = SM_VIEW(child);
        out->monitors[count].channel_id =
            sm_view_get_monitor(SM_VIEW(child), &out->monitors[count].area);
        count++;
    }
    out->count = count;
    sm_wall_plan(out);
    return count;
}

static double device_scale(SmWall *wall)
{
    return sm_view_device_scale(GTK_WIDGET(wall));
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
    SmWall *wall = SM_WALL(widget);
    SmView *views[SM_WALL_VIEWS_MAX];
    struct sm_wall_plan at;
    size_t count = plan(wall, views, &at);
    *minimum = *natural = 64;
    *minimum_baseline = *natural_baseline = -1;
    for (size_t i = 0; i < count; i++) { /* all are to be asked, or the toolkit complains */
        int least, liked;
        gtk_widget_measure(GTK_WIDGET(views[i]), orientation, for_size, &least, &liked, NULL, NULL);
        *natural = MAX(*natural, liked);
    }
    int pixels = orientation == GTK_ORIENTATION_HORIZONTAL ? at.width : at.height;
    if (count > 1)
        *natural = MAX(*minimum, (int)ceil(pixels * wall->zoom / device_scale(wall)));
}

static void allocate_part(SmView *view, const struct sm_placement *p, const struct sm_rect *at)
{
    /* Whole logical pixels that have all of the monitor; what is too much is black. */
    int left = (int)floor(p->x + at->left * p->scale + 1e-6);
    int top = (int)floor(p->y + at->top * p->scale + 1e-6);
    int right = (int)ceil(p->x + at->right * p->scale - 1e-6);
    int bottom = (int)ceil(p->y + at->bottom * p->scale - 1e-6);
    GtkAllocation part = {left, top, MAX(right - left, 1), MAX(bottom - top, 1)};
    gtk_widget_size_allocate(GTK_WIDGET(view), &part, -1);
}

static void size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    (void)baseline;
    SmWall *wall = SM_WALL(widget);
    SmView *views[SM_WALL_VIEWS_MAX];
    struct sm_wall_plan at;
    size_t count = plan(wall, views, &at);
    if (count == 1) {
        sm_view_set_scaling(views[0], wall->zoom, wall->fills);
        gtk_widget_size_allocate(GTK_WIDGET(views[0]), &(GtkAllocation){0, 0, width, height}, -1);
    } else if (count > 1) {
        double scale = device_scale(wall);
        struct sm_placement p =
            sm_placement_fit(width, height, at.width, at.height, scale, wall->zoom, wall->fills);
        for (size_t i = 0; i < count; i++) {
            sm_view_set_scaling(views[i], p.scale * scale, false);
            allocate_part(views[i], &p, &at.places[i]);
        }
    }
    g_signal_emit(wall, signals[SIGNAL_SIZE_CHANGED], 0);
}

/* ---- The object ---- */

static void dispose(GObject *object)
{
    GtkWidget *child;
    while ((child = gtk_widget_get_first_child(GTK_WIDGET(object))))
        gtk_widget_unparent(child);
    G_OBJECT_CLASS(sm_wall_parent_class)->dispose(object);
}

static gboolean grab_focus(GtkWidget *widget)
{
    GtkWidget *view = gtk_widget_get_first_child(widget);
    GtkRoot *root = gtk_widget_get_root(widget);
    GtkWidget *focus = root ? gtk_root_get_focus(root) : NULL;
    /* Asked with the focus in one of ours, it is to go on: Tab would not get out again. */
    if (focus && gtk_widget_is_ancestor(focus, widget))
        return FALSE;
    return view && gtk_widget_grab_focus(view);
}

static void sm_wall_class_init(SmWallClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dispose;
    widget_class->measure = measure;
    widget_class->size_allocate = size_allocate;
    widget_class->grab_focus = grab_focus;
    signals[SIGNAL_SIZE_CHANGED] = g_signal_new("size-changed", SM_TYPE_WALL, G_SIGNAL_RUN_LAST, 0,
                                                NULL, NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_css_name(widget_class, "guest-wall");
}

static void sm_wall_init(SmWall *wall)
{
    wall->zoom = 1;
    gtk_widget_set_hexpand(GTK_WIDGET(wall), TRUE);
    gtk_widget_set_vexpand(GTK_WIDGET(wall), TRUE);
    gtk_widget_set_overflow(GTK_WIDGET(wall), GTK_OVERFLOW_HIDDEN);
}

GtkWidget *sm_wall_new(void)
{
    return g_object_new(SM_TYPE_WALL, NULL);
}

/* Between several views there may be gaps, which are black; one paints all of the wall. */
static void update_gaps(SmWall *wall)
{
    GtkWidget *first = gtk_widget_get_first_child(GTK_WIDGET(wall));
    if (first && gtk_widget_get_next_sibling(first))
        gtk_widget_add_css_class(GTK_WIDGET(wall), "several");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(wall), "several");
    gtk_widget_queue_resize(GTK_WIDGET(wall));
}

void sm_wall_add(SmWall *wall, SmView *view)
{
    /* By number, for the focus goes from one to the next. */
    GtkWidget *before = gtk_widget_get_last_child(GTK_WIDGET(wall));
    while (before && sm_view_monitor_number(SM_VIEW(before)) > sm_view_monitor_number(view))
        before = gtk_widget_get_prev_sibling(before);
    gtk_widget_insert_after(GTK_WIDGET(view), GTK_WIDGET(wall), before);
    update_gaps(wall);
}

void sm_wall_remove(SmWall *wall, SmView *view)
{
    gtk_widget_unparent(GTK_WIDGET(view));
    update_gaps(wall);
}

void sm_wall_set_scaling(SmWall *wall, double zoom, bool fills)
{
    wall->zoom = zoom;
    wall->fills = fills;
    GtkWidget *first = gtk_widget_get_first_child(GTK_WIDGET(wall));
    if (first && !gtk_widget_get_next_sibling(first))
        sm_view_set_scaling(SM_VIEW(first), zoom, fills);
    gtk_widget_queue_resize(GTK_WIDGET(wall));
}

size_t sm_wall_get_wishes(SmWall *wall, struct sm_monitor_wish *wishes, size_t room)
{
    SmView *views[SM_WALL_VIEWS_MAX];
    struct sm_wall_plan at;
    size_t count = plan(wall, views, &at);
    double scale = device_scale(wall) / wall->zoom;
    int width = (int)(gtk_widget_get_width(GTK_WIDGET(wall)) * scale + 0.5);
    int height = (int)(gtk_widget_get_height(GTK_WIDGET(wall)) * scale + 0.5);
    int widths[SM_WALL_VIEWS_MAX];
    if (count > room || width <= 0 || height <= 0 || !sm_wall_plan_split(&at, width, widths))
        return 0;
    for (size_t i = 0; i < count; i++)
        wishes[i] = (struct sm_monitor_wish){.number = sm_view_monitor_number(views[i]),
                                             .width = (uint32_t)widths[i],
                                             .height = (uint32_t)height};
    return count;
}

/* Where its monitors are is the guest's to say. */
static bool is_too_large(const struct sm_wall_plan *at)
{
    return (uint64_t)at->width * PIXEL_BYTES * (uint64_t)at->height > SCREENSHOT_MAX_BYTES;
}

GdkTexture *sm_wall_screenshot(SmWall *wall, GError **error)
{
    SmView *views[SM_WALL_VIEWS_MAX];
    struct sm_wall_plan at;
    size_t count = plan(wall, views, &at);
    if (count < 2)
        return count ? sm_view_screenshot(views[0]) : NULL;
    gsize stride = (gsize)at.width * PIXEL_BYTES, size = stride * (gsize)at.height;
    if (size == 0)
        return NULL;
    guchar *pixels = is_too_large(&at) ? NULL : g_try_malloc0(size);
    if (!pixels) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                            _("all monitors in one picture are too large"));
        return NULL;
    }
    for (gsize i = 3; i < size; i += PIXEL_BYTES)
        pixels[i] = 0xff;
    for (size_t i = 0; i < count; i++) {
        g_autoptr(GdkTexture) part = sm_view_screenshot(views[i]);
        const struct sm_rect *place = &at.places[i];
        if (part && gdk_texture_get_width(part) == place->right - place->left &&
            gdk_texture_get_height(part) == place->bottom - place->top)
            gdk_texture_download(
                part, pixels + (gsize)place->top * stride + (gsize)place->left * PIXEL_BYTES,
                stride);
    }
    g_autoptr(GBytes) bytes = g_bytes_new_take(pixels, size);
    return gdk_memory_texture_new(at.width, at.height, GDK_MEMORY_DEFAULT, bytes, stride);
}
