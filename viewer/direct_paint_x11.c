/* SPDX-License-Identifier: MIT */
/*
 * X11 with MIT-SHM: the server is handed the canvas's memory once, and then told rectangles. The
 * requests go over the toolkit's own connection, so that they are in order with what it paints.
 * None of them may raise an error there: the toolkit ends the program for one.
 */
#include "viewer/direct_paint.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <X11/Xlib-xcb.h>
#include <gdk/x11/gdkx.h>
#include <xcb/shm.h>
#include <xcb/xcbext.h>

enum { PIXEL_BITS = 32 };

struct sm_direct_paint {
    struct sm_canvas *canvas; /* held */
    xcb_connection_t *connection;
    xcb_window_t window;
    xcb_gcontext_t gc;
    xcb_shm_seg_t memory;
    uint8_t depth;
    bool is_marked; /* the answer to `mark` says that all before it is painted */
    xcb_get_input_focus_cookie_t mark;
};

/* ---- What the server can do ---- */

/* Descriptors go over sockets of this machine only; over another one, the attempt would end the
 * connection. */
static bool is_local(xcb_connection_t *connection)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    return getsockname(xcb_get_file_descriptor(connection), (struct sockaddr *)&address, &size) ==
               0 &&
           address.ss_family == AF_UNIX;
}

static bool has_shared_memory(xcb_connection_t *connection)
{
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(connection, &xcb_shm_id);
    if (!extension || !extension->present)
        return false;
    xcb_shm_query_version_reply_t *version =
        xcb_shm_query_version_reply(connection, xcb_shm_query_version(connection), NULL);
    bool takes_descriptors = version && (version->major_version > 1 || version->minor_version >= 2);
    free(version);
    return takes_descriptors;
}

static bool are_our_pixels(const xcb_visualtype_t *visual)
{
    return visual->red_mask == 0xff0000 && visual->green_mask == 0xff00 &&
           visual->blue_mask == 0xff;
}

static bool has_our_format(const xcb_setup_t *setup, uint8_t depth)
{
    if (G_BYTE_ORDER != G_LITTLE_ENDIAN || setup->image_byte_order != XCB_IMAGE_ORDER_LSB_FIRST)
        return false;
    for (xcb_format_iterator_t i = xcb_setup_pixmap_formats_iterator(setup); i.rem;
         xcb_format_next(&i))
        if (i.data->depth == depth)
            return i.data->bits_per_pixel == PIXEL_BITS;
    return false;
}

/* The depth of the window, if its pixels are laid out as ours; else 0. */
static uint8_t find_depth(xcb_connection_t *connection, xcb_window_t window)
{
    const xcb_setup_t *setup = xcb_get_setup(connection);
    xcb_get_window_attributes_reply_t *attributes = xcb_get_window_attributes_reply(
        connection, xcb_get_window_attributes(connection, window), NULL);
    xcb_visualid_t id = attributes ? attributes->visual : 0;
    free(attributes);
    for (xcb_screen_iterator_t s = xcb_setup_roots_iterator(setup); s.rem; xcb_screen_next(&s))
        for (xcb_depth_iterator_t d = xcb_screen_allowed_depths_iterator(s.data); d.rem;
             xcb_depth_next(&d))
            for (xcb_visualtype_iterator_t v = xcb_depth_visuals_iterator(d.data); v.rem;
                 xcb_visualtype_next(&v))
                if (v.data->visual_id == id)
                    return are_our_pixels(v.data) && has_our_format(setup, d.data->depth)
                               ? d.data->depth
                               : 0;
    return 0;
}

/* ---- The object ---- */

static bool is_done(xcb_connection_t *connection, xcb_void_cookie_t cookie)
{
    xcb_generic_error_t *error = xcb_request_check(connection, cookie);
    free(error);
    return !error && !xcb_connection_has_error(connection);
}

static bool attach(struct sm_direct_paint *paint)
{
    xcb_connection_t *c = paint->connection;
    int fd = fcntl(paint->canvas->fd, F_DUPFD_CLOEXEC, 0); /* the library closes it */
    if (fd < 0)
        return false;
    paint->memory = xcb_generate_id(c);
    if (!is_done(c, xcb_shm_attach_fd_checked(c, paint->memory, fd, true))) {
        paint->memory = XCB_NONE;
        return false;
    }
    paint->gc = xcb_generate_id(c);
    if (!is_done(c, xcb_create_gc_checked(c, paint->gc, paint->window, XCB_GC_GRAPHICS_EXPOSURES,
                                          &(uint32_t){0}))) {
        paint->gc = XCB_NONE;
        return false;
    }
    return true;
}

struct sm_direct_paint *sm_direct_paint_create(GdkSurface *surface, struct sm_canvas *canvas)
{
    if (!GDK_IS_X11_SURFACE(surface) || canvas->width > UINT16_MAX || canvas->height > UINT16_MAX ||
        canvas->stride_bytes * 8 / PIXEL_BITS > UINT16_MAX)
        return NULL;
    xcb_connection_t *connection =
        XGetXCBConnection(gdk_x11_display_get_xdisplay(gdk_surface_get_display(surface)));
    xcb_window_t window = (xcb_window_t)gdk_x11_surface_get_xid(surface);
    uint8_t depth =
        is_local(connection) && has_shared_memory(connection) ? find_depth(connection, window) : 0;
    struct sm_direct_paint *paint = depth ? calloc(1, sizeof(*paint)) : NULL;
    if (!paint)
        return NULL;
    *paint = (struct sm_direct_paint){.canvas = sm_canvas_ref(canvas),
                                      .connection = connection,
                                      .window = window,
                                      .depth = depth};
    if (!attach(paint)) {
        sm_direct_paint_destroy(paint);
        return NULL;
    }
    return paint;
}

/* What goes wrong is not heard of: the window may be gone. */
static void ignore(struct sm_direct_paint *paint, xcb_void_cookie_t cookie)
{
    xcb_discard_reply(paint->connection, cookie.sequence);
}

void sm_direct_paint_destroy(struct sm_direct_paint *paint)
{
    if (!paint)
        return;
    if (paint->is_marked)
        xcb_discard_reply(paint->connection, paint->mark.sequence);
    if (paint->memory != XCB_NONE)
        ignore(paint, xcb_shm_detach_checked(paint->connection, paint->memory));
    if (paint->gc != XCB_NONE)
        ignore(paint, xcb_free_gc_checked(paint->connection, paint->gc));
    xcb_flush(paint->connection);
    sm_canvas_unref(paint->canvas);
    free(paint);
}

bool sm_direct_paint_is_busy(struct sm_direct_paint *paint)
{
    void *reply = NULL;
    xcb_generic_error_t *error = NULL;
    if (paint->is_marked &&
        xcb_poll_for_reply(paint->connection, paint->mark.sequence, &reply, &error)) {
        paint->is_marked = false;
        free(reply);
        free(error);
    }
    return paint->is_marked;
}

void sm_direct_paint_put(struct sm_direct_paint *paint, const cairo_region_t *region, int x, int y)
{
    const struct sm_canvas *canvas = paint->canvas;
    for (int i = 0; i < cairo_region_num_rectangles(region); i++) {
        cairo_rectangle_int_t rect;
        cairo_region_get_rectangle(region, i, &rect);
        ignore(paint,
               xcb_shm_put_image_checked(
                   paint->connection, paint->window, paint->gc,
                   (uint16_t)(canvas->stride_bytes * 8 / PIXEL_BITS), (uint16_t)canvas->height,
                   (uint16_t)rect.x, (uint16_t)rect.y, (uint16_t)rect.width, (uint16_t)rect.height,
                   (int16_t)(x + rect.x), (int16_t)(y + rect.y), paint->depth,
                   XCB_IMAGE_FORMAT_Z_PIXMAP, false, paint->memory, 0));
    }
    if (!paint->is_marked) {
        paint->mark = xcb_get_input_focus(paint->connection);
        paint->is_marked = true;
    }
    xcb_flush(paint->connection);
}
