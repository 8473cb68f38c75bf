/* SPDX-License-Identifier: MIT */
#include "viewer/clipboard.h"

#include <string.h>

#include "viewer/guest_content.h"

struct sm_viewer_clipboard {
    GdkClipboard *clipboard;    /* borrowed */
    struct sm_session *session; /* borrowed; or NULL */
    SmGuestContent *content;    /* owned; or NULL: what of the guest's we put there */
    GCancellable *reading;      /* owned; or NULL: somebody's content is on its way to the guest */
    gulong handler;
};

/* An answer that cannot be sent has nobody who waits for it. */
static void answer(struct sm_viewer_clipboard *c, enum sm_clipboard_kind kind, const void *data,
                   size_t size)
{
    if (c->session &&
        sm_session_send_clipboard(c->session, SM_SELECTION_CLIPBOARD, kind, data, size) != SM_OK)
        g_debug("the guest does not wait any more");
}

/* ---- Local content for the guest ---- */

static bool has_text(GdkContentFormats *formats)
{
    return gdk_content_formats_contain_gtype(formats, G_TYPE_STRING) ||
           gdk_content_formats_contain_mime_type(formats, "text/plain;charset=utf-8") ||
           gdk_content_formats_contain_mime_type(formats, "text/plain") ||
           gdk_content_formats_contain_mime_type(formats, "UTF8_STRING");
}

/* Pictures travel as PNG, whatever they are here: the toolkit reads them all. */
static bool has_picture(GdkContentFormats *formats)
{
    static const char *const types[] = {"image/png", "image/jpeg", "image/tiff", "image/bmp"};
    if (gdk_content_formats_contain_gtype(formats, GDK_TYPE_TEXTURE))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (gdk_content_formats_contain_mime_type(formats, types[i]))
            return true;
    return false;
}

static void offer(struct sm_viewer_clipboard *c)
{
    GdkContentProvider *mine = c->content ? GDK_CONTENT_PROVIDER(c->content) : NULL;
    if (!c->session || (mine && gdk_clipboard_get_content(c->clipboard) == mine))
        return; /* that came from the guest */
    GdkContentFormats *formats = gdk_clipboard_get_formats(c->clipboard);
    uint32_t kinds = (has_text(formats) ? 1u << SM_CLIPBOARD_TEXT : 0u) |
                     (has_picture(formats) ? 1u << SM_CLIPBOARD_PNG : 0u);
    if (sm_session_offer_clipboard(c->session, SM_SELECTION_CLIPBOARD, kinds) != SM_OK)
        g_debug("nobody there to offer the clipboard to");
}

static void on_changed(GdkClipboard *clipboard, struct sm_viewer_clipboard *c)
{
    (void)clipboard;
    offer(c);
}

static void on_text(GObject *clipboard, GAsyncResult *result, gpointer opaque)
{
    GError *error = NULL;
    char *text = gdk_clipboard_read_text_finish(GDK_CLIPBOARD(clipboard), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_error_free(error); /* and `opaque` may be gone */
        return;
    }
    answer(opaque, text ? SM_CLIPBOARD_TEXT : SM_CLIPBOARD_NOTHING, text, text ? strlen(text) : 0);
    g_clear_error(&error);
    g_free(text);
}

static void on_picture(GObject *clipboard, GAsyncResult *result, gpointer opaque)
{
    GError *error = NULL;
    GdkTexture *texture =
        gdk_clipboard_read_texture_finish(GDK_CLIPBOARD(clipboard), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_error_free(error);
        return;
    }
    if (texture) {
        g_autoptr(GBytes) png = gdk_texture_save_to_png_bytes(texture);
        gsize size;
        const void *data = g_bytes_get_data(png, &size);
        answer(opaque, SM_CLIPBOARD_PNG, data, size);
        g_object_unref(texture);
    } else {
        answer(opaque, SM_CLIPBOARD_NOTHING, NULL, 0);
    }
    g_clear_error(&error);
}

static void stop_reading(struct sm_viewer_clipboard *c)
{
    if (c->reading)
        g_cancellable_cancel(c->reading);
    g_clear_object(&c->reading);
}

static void give(struct sm_viewer_clipboard *c, enum sm_clipboard_kind kind)
{
    stop_reading(c);
    c->reading = g_cancellable_new();
    if (kind == SM_CLIPBOARD_TEXT)
        gdk_clipboard_read_text_async(c->clipboard, c->reading, on_text, c);
    else if (kind == SM_CLIPBOARD_PNG)
        gdk_clipboard_read_texture_async(c->clipboard, c->reading, on_picture, c);
}

/* ---- The guest's content for the desktop ---- */

static void drop_content(struct sm_viewer_clipboard *c)
{
    if (!c->content)
        return;
    GdkContentProvider *mine = GDK_CONTENT_PROVIDER(c->content);
    sm_guest_content_cut_off(c->content);
    if (gdk_clipboard_get_content(c->clipboard) == mine)
        gdk_clipboard_set_content(c->clipboard, NULL);
    g_clear_object(&c->content);
}

static void take_offer(struct sm_viewer_clipboard *c)
{
    uint32_t kinds = sm_session_clipboard_offer(c->session, SM_SELECTION_CLIPBOARD);
    if (!kinds) {
        drop_content(c);
        return;
    }
    stop_reading(c);
    SmGuestContent *old = c->content;
    c->content = sm_guest_content_new(c->session, kinds);
    gdk_clipboard_set_content(c->clipboard, GDK_CONTENT_PROVIDER(c->content));
    if (old)
        sm_guest_content_cut_off(old);
    g_clear_object(&old);
}

void sm_viewer_clipboard_take_event(struct sm_viewer_clipboard *c, const struct sm_event *event)
{
    if (!c->session)
        return;
    if (event->kind == SM_EVENT_CLIPBOARD_OFFER)
        take_offer(c);
    else if (event->kind == SM_EVENT_CLIPBOARD_WANTED)
        give(c, sm_session_clipboard_wanted(c->session, SM_SELECTION_CLIPBOARD));
    else if (event->kind == SM_EVENT_CLIPBOARD_DATA && c->content)
        sm_guest_content_take_data(c->content);
}

/* ---- Life ---- */

void sm_viewer_clipboard_set_session(struct sm_viewer_clipboard *c, struct sm_session *session)
{
    if (session == c->session)
        return;
    stop_reading(c);
    drop_content(c);
    c->session = session;
    offer(c);
}

struct sm_viewer_clipboard *sm_viewer_clipboard_create(GdkDisplay *display)
{
    struct sm_viewer_clipboard *c = g_new0(struct sm_viewer_clipboard, 1);
    c->clipboard = gdk_display_get_clipboard(display);
    c->handler = g_signal_connect(c->clipboard, "changed", G_CALLBACK(on_changed), c);
    return c;
}

void sm_viewer_clipboard_destroy(struct sm_viewer_clipboard *c)
{
    if (!c)
        return;
    sm_viewer_clipboard_set_session(c, NULL);
    g_signal_handler_disconnect(c->clipboard, c->handler);
    g_free(c);
}
