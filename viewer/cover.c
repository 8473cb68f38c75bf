/* SPDX-License-Identifier: MIT */
#include "viewer/cover.h"

#include <math.h>

enum {
    SHADOW_PX = 32, /* logical; how far one reaches at most */
    CORNER_PX = 16, /* of a window with round ones */
};

void sm_cover_origin(GtkWidget *widget, double device_scale, int *x, int *y)
{
    GtkNative *native = gtk_widget_get_native(widget);
    double left = 0, top = 0, surface_x = 0, surface_y = 0;
    (void)gtk_widget_translate_coordinates(widget, GTK_WIDGET(native), 0, 0, &left, &top);
    gtk_native_get_surface_transform(native, &surface_x, &surface_y);
    *x = (int)floor((left + surface_x) * device_scale + 0.5);
    *y = (int)floor((top + surface_y) * device_scale + 0.5);
}

/* All pixels that `bounds`, grown by `more`, touches. */
static cairo_rectangle_int_t outside(const graphene_rect_t *bounds, double more, double scale)
{
    int left = (int)floor((bounds->origin.x - more) * scale);
    int top = (int)floor((bounds->origin.y - more) * scale);
    int right = (int)ceil((bounds->origin.x + bounds->size.width + more) * scale);
    int bottom = (int)ceil((bounds->origin.y + bounds->size.height + more) * scale);
    return (cairo_rectangle_int_t){left, top, MAX(0, right - left), MAX(0, bottom - top)};
}

/* What is not revealed has a place but is not drawn. Menus have windows of their own. */
static bool is_drawn(GtkWidget *widget)
{
    if (!gtk_widget_get_mapped(widget) || GTK_IS_NATIVE(widget))
        return false;
    if (!GTK_IS_REVEALER(widget))
        return true;
    GtkWidget *child = gtk_revealer_get_child(GTK_REVEALER(widget));
    return child && gtk_widget_get_mapped(child);
}

/* What is drawn after `step`, which is `widget` or has it in it. */
static void subtract_later(cairo_region_t *open, GtkWidget *widget, GtkWidget *step, double scale)
{
    for (GtkWidget *later = gtk_widget_get_next_sibling(step); later;
         later = gtk_widget_get_next_sibling(later)) {
        graphene_rect_t bounds;
        if (!is_drawn(later) || !gtk_widget_compute_bounds(later, widget, &bounds))
            continue;
        cairo_rectangle_int_t rect = outside(&bounds, 0, scale);
        /* What only stands beside it has its shadow, if any, below it. */
        if (cairo_region_contains_rectangle(open, &rect) == CAIRO_REGION_OVERLAP_OUT)
            continue;
        rect = outside(&bounds, SHADOW_PX, scale);
        (void)cairo_region_subtract_rectangle(open, &rect);
    }
}

static bool is_changed_by(GtkWidget *parent, GtkWidget *step)
{
    return gtk_widget_get_opacity(step) < 1 || gtk_widget_has_css_class(step, "lost") ||
           (GTK_IS_STACK(parent) && gtk_stack_get_transition_running(GTK_STACK(parent)));
}

static void subtract_corners(cairo_region_t *open, GtkWidget *widget, GtkWidget *window,
                             double scale)
{
    static const char *const SQUARE[] = {"maximized", "fullscreen", "tiled"};
    graphene_rect_t bounds;
    if (!gtk_widget_has_css_class(window, "csd") ||
        !gtk_widget_compute_bounds(window, widget, &bounds))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(SQUARE); i++)
        if (gtk_widget_has_css_class(window, SQUARE[i]))
            return;
    float right = bounds.origin.x + bounds.size.width,
          bottom = bounds.origin.y + bounds.size.height;
    for (int i = 0; i < 4; i++) {
        graphene_rect_t corner =
            GRAPHENE_RECT_INIT(i % 2 ? right - CORNER_PX : bounds.origin.x,
                               i / 2 ? bottom - CORNER_PX : bounds.origin.y, CORNER_PX, CORNER_PX);
        cairo_rectangle_int_t rect = outside(&corner, 0, scale);
        (void)cairo_region_subtract_rectangle(open, &rect);
    }
}

cairo_region_t *sm_cover_open_part(GtkWidget *widget, double device_scale)
{
    int width = (int)floor(gtk_widget_get_width(widget) * device_scale);
    int height = (int)floor(gtk_widget_get_height(widget) * device_scale);
    cairo_region_t *open =
        cairo_region_create_rectangle(&(cairo_rectangle_int_t){0, 0, width, height});
    GtkWidget *window = GTK_WIDGET(gtk_widget_get_native(widget)), *step = widget;
    for (; step && step != window; step = gtk_widget_get_parent(step)) {
        GtkWidget *parent = gtk_widget_get_parent(step);
        graphene_rect_t bounds;
        if (!parent || is_changed_by(parent, step) ||
            !gtk_widget_compute_bounds(parent, widget, &bounds)) {
            cairo_region_destroy(open);
            return cairo_region_create();
        }
        cairo_rectangle_int_t inside = outside(&bounds, 0, device_scale);
        if (gtk_widget_get_overflow(parent) == GTK_OVERFLOW_HIDDEN)
            (void)cairo_region_intersect_rectangle(open, &inside);
        subtract_later(open, widget, step, device_scale);
    }
    subtract_corners(open, widget, window, device_scale);
    return open;
}
