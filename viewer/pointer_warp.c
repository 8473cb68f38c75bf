/* SPDX-License-Identifier: MIT */
#include "viewer/pointer_warp.h"

#include <gdk/gdk.h>

#ifdef GDK_WINDOWING_X11
#include <gdk/x11/gdkx.h>
#endif

#ifdef GDK_WINDOWING_X11
/* The toolkit marks these as deprecated in favour of nothing. */
G_GNUC_BEGIN_IGNORE_DEPRECATIONS
static bool warp_x11(GdkSurface *surface, double x, double y)
{
    int scale = gdk_surface_get_scale_factor(surface);
    Display *display = gdk_x11_display_get_xdisplay(gdk_surface_get_display(surface));
    XWarpPointer(display, None, gdk_x11_surface_get_xid(surface), 0, 0, 0, 0, (int)(x * scale),
                 (int)(y * scale));
    XFlush(display);
    return true;
}
G_GNUC_END_IGNORE_DEPRECATIONS
#endif

bool sm_pointer_warp(GtkWidget *widget, double x, double y)
{
    GtkNative *native = gtk_widget_get_native(widget);
    double surface_x, surface_y;
    if (!native || !gtk_widget_translate_coordinates(widget, GTK_WIDGET(native), x, y, &x, &y))
        return false;
    gtk_native_get_surface_transform(native, &surface_x, &surface_y);
#ifdef GDK_WINDOWING_X11
    GdkSurface *surface = gtk_native_get_surface(native);
    if (GDK_IS_X11_SURFACE(surface))
        return warp_x11(surface, x + surface_x, y + surface_y);
#endif
    return false;
}
