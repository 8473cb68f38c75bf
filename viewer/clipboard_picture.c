/* SPDX-License-Identifier: MIT */
#include "viewer/clipboard_picture.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gi18n.h>

#include "io/sandbox.h"

enum { PIECE_BYTES = 64 << 10 };

/** One picture on its thread. */
struct work {
    GBytes *picture;         /* borrowed */
    GdkPixbufLoader *loader; /* owned; its module is loaded */
    bool is_too_large;
    GError *error; /* owned; or NULL */
};

static const char *type_of(enum sm_clipboard_kind kind)
{
    switch (kind) {
    case SM_CLIPBOARD_PNG:
        return "png";
    case SM_CLIPBOARD_BMP:
        return "bmp";
    case SM_CLIPBOARD_TIFF:
        return "tiff";
    default:
        return "jpeg";
    }
}

static void on_size(GdkPixbufLoader *loader, int width, int height, gpointer opaque)
{
    struct work *work = opaque;
    work->is_too_large =
        width < 1 || height < 1 || (guint64)width * (guint64)height > SM_CLIPBOARD_PICTURE_MAX_PX;
    if (work->is_too_large) /* then it stops, before it makes room for them */
        gdk_pixbuf_loader_set_size(loader, 0, 0);
}

static void feed(struct work *work)
{
    gsize size;
    const guchar *data = g_bytes_get_data(work->picture, &size);
    for (gsize at = 0; at < size && !work->is_too_large && !work->error; at += PIECE_BYTES) {
        gsize piece = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
        (void)gdk_pixbuf_loader_write(work->loader, data + at, piece, &work->error);
    }
    /* It has to be closed in any case; the first error is the one that tells. */
    (void)gdk_pixbuf_loader_close(work->loader, work->error ? NULL : &work->error);
}

static gpointer decode_and_encode(gpointer opaque)
{
    struct work *work = opaque;
    char *png = NULL;
    gsize size;
    if (sm_sandbox_enter() != SM_OK)
        g_debug("this kernel does not confine threads");
    feed(work);
    GdkPixbuf *pixels = gdk_pixbuf_loader_get_pixbuf(work->loader);
    if (work->error || work->is_too_large || !pixels)
        return NULL;
    /* Quickly: it is a copy for a moment. */
    if (!gdk_pixbuf_save_to_buffer(pixels, &png, &size, "png", &work->error, "compression", "1",
                                   NULL))
        return NULL;
    return g_bytes_new_take(png, size);
}

/* Each format is a module, to be loaded where files may be opened. */
static GdkPixbufLoader *load_modules(enum sm_clipboard_kind kind, GError **error)
{
    GdkPixbufLoader *writer = gdk_pixbuf_loader_new_with_type("png", error);
    if (!writer)
        return NULL;
    (void)gdk_pixbuf_loader_close(writer, NULL);
    g_object_unref(writer);
    return gdk_pixbuf_loader_new_with_type(type_of(kind), error);
}

GBytes *sm_clipboard_picture_to_png(GBytes *picture, enum sm_clipboard_kind kind, GError **error)
{
    struct work work = {.picture = picture, .loader = load_modules(kind, error)};
    if (!work.loader)
        return NULL;
    g_signal_connect(work.loader, "size-prepared", G_CALLBACK(on_size), &work);
    GThread *thread = g_thread_try_new("sumac-picture", decode_and_encode, &work, error);
    GBytes *png = NULL;
    if (thread)
        png = g_thread_join(thread);
    else
        (void)gdk_pixbuf_loader_close(work.loader, NULL);
    g_object_unref(work.loader);
    if (work.is_too_large)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "%s",
                    _("The picture is larger than any screen"));
    else if (thread && !png)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s",
                    work.error ? work.error->message : _("What was copied is no picture"));
    g_clear_error(&work.error);
    return png;
}
