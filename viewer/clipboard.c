/* SPDX-License-Identifier: MIT */
#include "viewer/clipboard.h"

#include <string.h>

#include <glib/gi18n.h>

#include "viewer/guest_content.h"

enum { SIDES = 2 };

/** One of the desktop's clipboards and its counterpart in the guest. */
struct side {
    struct sm_viewer_clipboard *c; /* borrowed */
    enum sm_selection selection;
    GdkClipboard *clipboard; /* borrowed */
    SmGuestContent *content; /* owned; or NULL: what of the guest's we put there */
    GCancellable *reading;   /* owned; or NULL: somebody's content is on its way to the guest */
    gulong handler;
};

struct sm_viewer_clipboard {
    struct side sides[SIDES];
    struct sm_session *session; /* borrowed; or NULL */
    unsigned ways;              /* mask of enum sm_clipboard_direction */
    void (*say)(void *opaque, const char *text);
    void *opaque;
};

/* An answer that cannot be sent has nobody who waits for it. */
static void answer(struct side *side, enum sm_clipboard_kind kind, const void *data, size_t size)
{
    struct sm_viewer_clipboard *c = side->c;
    if (!c->session)
        return;
    enum sm_status status =
        sm_session_send_clipboard(c->session, side->selection, kind, data, size);
    if (status == SM_ERR_LIMIT)
        c->say(c->opaque, _("What was copied is larger than 100 MB: send it as a file"));
    else if (status != SM_OK)
        g_debug("the guest does not wait any more");
}

/* ---- Local content for the guest ---- */

/* Kinds that go as they are, if they are there. */
static const struct {
    enum sm_clipboard_kind kind;
    const char *mime_type;
} RAW[] = {
    {SM_CLIPBOARD_PNG, "image/png"},   {SM_CLIPBOARD_JPEG, "image/jpeg"},
    {SM_CLIPBOARD_TIFF, "image/tiff"}, {SM_CLIPBOARD_BMP, "image/bmp"},
    {SM_CLIPBOARD_BMP, "image/x-bmp"}, {SM_CLIPBOARD_BMP, "image/x-MS-bmp"},
};

static bool has_text(GdkContentFormats *formats)
{
    return gdk_content_formats_contain_gtype(formats, G_TYPE_STRING) ||
           gdk_content_formats_contain_mime_type(formats, "text/plain;charset=utf-8") ||
           gdk_content_formats_contain_mime_type(formats, "text/plain") ||
           gdk_content_formats_contain_mime_type(formats, "UTF8_STRING");
}

static uint32_t kinds_of(GdkContentFormats *formats)
{
    uint32_t kinds = has_text(formats) ? 1u << SM_CLIPBOARD_TEXT : 0u;
    for (size_t i = 0; i < G_N_ELEMENTS(RAW); i++)
        if (gdk_content_formats_contain_mime_type(formats, RAW[i].mime_type))
            /* PNG is made of all others: every guest knows it. */
            kinds |= 1u << RAW[i].kind | 1u << SM_CLIPBOARD_PNG;
    if (gdk_content_formats_contain_gtype(formats, GDK_TYPE_TEXTURE))
        kinds |= 1u << SM_CLIPBOARD_PNG;
    return kinds;
}

static void offer(struct side *side)
{
    GdkContentProvider *mine = side->content ? GDK_CONTENT_PROVIDER(side->content) : NULL;
    if (!side->c->session || (mine && gdk_clipboard_get_content(side->clipboard) == mine))
        return; /* that came from the guest */
    uint32_t kinds = kinds_of(gdk_clipboard_get_formats(side->clipboard));
    if (sm_session_offer_clipboard(side->c->session, side->selection, kinds) != SM_OK)
        g_debug("nobody there to offer the clipboard to");
}

static void on_changed(GdkClipboard *clipboard, struct side *side)
{
    (void)clipboard;
    offer(side);
}

/* Whether `side` may be gone: then it is not to be touched. */
static bool is_cancelled(const GError *error)
{
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void on_text(GObject *clipboard, GAsyncResult *result, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        gdk_clipboard_read_text_finish(GDK_CLIPBOARD(clipboard), result, &error);
    if (!is_cancelled(error))
        answer(opaque, text ? SM_CLIPBOARD_TEXT : SM_CLIPBOARD_NOTHING, text,
               text ? strlen(text) : 0);
}

/* On a thread: compressing a large picture takes seconds. */
static void make_png(GTask *task, gpointer source, gpointer texture, GCancellable *cancellable)
{
    (void)source;
    (void)cancellable;
    g_task_return_pointer(task, gdk_texture_save_to_png_bytes(texture),
                          (GDestroyNotify)g_bytes_unref);
}

static void on_png(GObject *source, GAsyncResult *result, gpointer opaque)
{
    (void)source;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) png = g_task_propagate_pointer(G_TASK(result), &error);
    if (is_cancelled(error))
        return;
    gsize size = 0;
    const void *data = png ? g_bytes_get_data(png, &size) : NULL;
    answer(opaque, data ? SM_CLIPBOARD_PNG : SM_CLIPBOARD_NOTHING, data, size);
}

static void on_texture(GObject *clipboard, GAsyncResult *result, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    GdkTexture *texture =
        gdk_clipboard_read_texture_finish(GDK_CLIPBOARD(clipboard), result, &error);
    if (is_cancelled(error)) {
        g_clear_object(&texture);
        return;
    }
    struct side *side = opaque;
    if (!texture) {
        answer(side, SM_CLIPBOARD_NOTHING, NULL, 0);
        return;
    }
    g_autoptr(GTask) task = g_task_new(NULL, side->reading, on_png, side);
    g_task_set_task_data(task, texture, g_object_unref);
    g_task_run_in_thread(task, make_png);
}

/** Bytes of a local program on their way. */
struct raw {
    struct side *side; /* borrowed; only if not cancelled */
    enum sm_clipboard_kind kind;
    GOutputStream *memory; /* owned */
};

static void on_spliced(GObject *memory, GAsyncResult *result, gpointer opaque)
{
    struct raw *raw = opaque;
    g_autoptr(GError) error = NULL;
    gssize size = g_output_stream_splice_finish(G_OUTPUT_STREAM(memory), result, &error);
    if (!is_cancelled(error))
        answer(raw->side, size > 0 ? raw->kind : SM_CLIPBOARD_NOTHING,
               g_memory_output_stream_get_data(G_MEMORY_OUTPUT_STREAM(memory)),
               size > 0 ? (size_t)size : 0);
    g_object_unref(raw->memory);
    g_free(raw);
}

static void on_stream(GObject *clipboard, GAsyncResult *result, gpointer opaque)
{
    struct raw *raw = opaque;
    const char *mime_type;
    g_autoptr(GError) error = NULL;
    g_autoptr(GInputStream) stream =
        gdk_clipboard_read_finish(GDK_CLIPBOARD(clipboard), result, &mime_type, &error);
    if (stream && !is_cancelled(error)) {
        raw->memory = g_memory_output_stream_new_resizable();
        g_output_stream_splice_async(raw->memory, stream,
                                     G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE |
                                         G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
                                     G_PRIORITY_DEFAULT, raw->side->reading, on_spliced, raw);
        return;
    }
    if (!is_cancelled(error))
        answer(raw->side, SM_CLIPBOARD_NOTHING, NULL, 0);
    g_free(raw);
}

static void stop_reading(struct side *side)
{
    if (side->reading)
        g_cancellable_cancel(side->reading);
    g_clear_object(&side->reading);
}

static void give(struct side *side, enum sm_clipboard_kind kind)
{
    GdkContentFormats *formats = gdk_clipboard_get_formats(side->clipboard);
    stop_reading(side);
    side->reading = g_cancellable_new();
    if (kind == SM_CLIPBOARD_TEXT) {
        gdk_clipboard_read_text_async(side->clipboard, side->reading, on_text, side);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(RAW); i++) {
        if (RAW[i].kind != kind ||
            !gdk_content_formats_contain_mime_type(formats, RAW[i].mime_type))
            continue;
        const char *types[] = {RAW[i].mime_type, NULL};
        struct raw *raw = g_new0(struct raw, 1);
        raw->side = side;
        raw->kind = kind;
        gdk_clipboard_read_async(side->clipboard, types, G_PRIORITY_DEFAULT, side->reading,
                                 on_stream, raw);
        return;
    }
    if (kind == SM_CLIPBOARD_PNG)
        gdk_clipboard_read_texture_async(side->clipboard, side->reading, on_texture, side);
    else if (kind != SM_CLIPBOARD_NOTHING)
        answer(side, SM_CLIPBOARD_NOTHING, NULL, 0);
}

/* ---- The guest's content for the desktop ---- */

static void drop_content(struct side *side)
{
    if (!side->content)
        return;
    GdkContentProvider *mine = GDK_CONTENT_PROVIDER(side->content);
    sm_guest_content_cut_off(side->content);
    if (gdk_clipboard_get_content(side->clipboard) == mine)
        gdk_clipboard_set_content(side->clipboard, NULL);
    g_clear_object(&side->content);
}

static void take_offer(struct side *side)
{
    uint32_t kinds =
        sm_session_clipboard_offer(side->c->session, side->selection) & ~(1u << SM_CLIPBOARD_FILES);
    if (!kinds) {
        drop_content(side);
        return;
    }
    stop_reading(side);
    SmGuestContent *old = side->content;
    side->content = sm_guest_content_new(side->c->session, side->selection, kinds);
    gdk_clipboard_set_content(side->clipboard, GDK_CONTENT_PROVIDER(side->content));
    if (old)
        sm_guest_content_cut_off(old);
    g_clear_object(&old);
}

void sm_viewer_clipboard_take_event(struct sm_viewer_clipboard *c, const struct sm_event *event)
{
    if (!c->session)
        return;
    for (size_t i = 0; i < SIDES; i++) {
        struct side *side = &c->sides[i];
        if (event->channel_id != side->selection)
            continue;
        if (event->kind == SM_EVENT_CLIPBOARD_OFFER)
            take_offer(side);
        else if (event->kind == SM_EVENT_CLIPBOARD_WANTED)
            give(side, sm_session_clipboard_wanted(c->session, side->selection));
        else if (event->kind == SM_EVENT_CLIPBOARD_DATA && side->content)
            sm_guest_content_take_data(side->content);
    }
}

/* ---- Life ---- */

void sm_viewer_clipboard_set_session(struct sm_viewer_clipboard *c, struct sm_session *session)
{
    if (session == c->session)
        return;
    c->session = NULL; /* it may be gone, and a clipboard that loses our content says so at once */
    for (size_t i = 0; i < SIDES; i++) {
        stop_reading(&c->sides[i]);
        drop_content(&c->sides[i]);
    }
    c->session = session;
    if (session)
        sm_session_set_clipboard_directions(session, c->ways);
    for (size_t i = 0; i < SIDES; i++)
        offer(&c->sides[i]);
}

void sm_viewer_clipboard_set_ways(struct sm_viewer_clipboard *c, unsigned ways)
{
    c->ways = ways;
    if (c->session)
        sm_session_set_clipboard_directions(c->session, ways);
}

void sm_viewer_clipboard_cancel(struct sm_viewer_clipboard *c)
{
    for (size_t i = 0; c->session && i < SIDES; i++) {
        sm_session_cancel_clipboard(c->session, c->sides[i].selection);
        if (c->sides[i].content)
            sm_guest_content_take_data(c->sides[i].content); /* there are none */
    }
}

struct sm_viewer_clipboard *sm_viewer_clipboard_create(GdkDisplay *display,
                                                       void (*say)(void *opaque, const char *text),
                                                       void *opaque)
{
    struct sm_viewer_clipboard *c = g_new0(struct sm_viewer_clipboard, 1);
    c->ways = SM_CLIPBOARD_TO_GUEST | SM_CLIPBOARD_FROM_GUEST;
    c->say = say;
    c->opaque = opaque;
    c->sides[0].clipboard = gdk_display_get_clipboard(display);
    c->sides[0].selection = SM_SELECTION_CLIPBOARD;
    c->sides[1].clipboard = gdk_display_get_primary_clipboard(display);
    c->sides[1].selection = SM_SELECTION_PRIMARY;
    for (size_t i = 0; i < SIDES; i++) {
        c->sides[i].c = c;
        c->sides[i].handler = g_signal_connect(c->sides[i].clipboard, "changed",
                                               G_CALLBACK(on_changed), &c->sides[i]);
    }
    return c;
}

void sm_viewer_clipboard_destroy(struct sm_viewer_clipboard *c)
{
    if (!c)
        return;
    sm_viewer_clipboard_set_session(c, NULL);
    for (size_t i = 0; i < SIDES; i++)
        g_signal_handler_disconnect(c->sides[i].clipboard, c->sides[i].handler);
    g_free(c);
}
