/* SPDX-License-Identifier: MIT */
#include "viewer/guest_content.h"

#include <stdlib.h>
#include <string.h>

#include <glib/gi18n.h>

#include "viewer/clipboard_picture.h"

struct _SmGuestContent {
    GdkContentProvider parent_instance;
    struct sm_session *session; /* borrowed; NULL once it was cut off */
    enum sm_selection selection;
    uint32_t kinds;
    GQueue waiting; /* owned struct paste: the first one was asked for */
};

/* Somebody who pastes. */
struct paste {
    GTask *task;           /* owned */
    GOutputStream *stream; /* owned */
    enum sm_clipboard_kind kind;
    bool is_converted; /* what comes is another kind of picture than what is pasted */
    int priority;
};

G_DEFINE_FINAL_TYPE(SmGuestContent, sm_guest_content, GDK_TYPE_CONTENT_PROVIDER)

static const struct {
    enum sm_clipboard_kind kind;
    const char *mime_type;
} TYPES[] = {
    {SM_CLIPBOARD_TEXT, "text/plain;charset=utf-8"},
    {SM_CLIPBOARD_TEXT, "UTF8_STRING"},
    {SM_CLIPBOARD_TEXT, "text/plain"},
    {SM_CLIPBOARD_PNG, "image/png"},
    {SM_CLIPBOARD_BMP, "image/bmp"},
    {SM_CLIPBOARD_TIFF, "image/tiff"},
    {SM_CLIPBOARD_JPEG, "image/jpeg"},
};

static const char PNG[] = "image/png";

/* What PNG, which every program reads, can be made of if the guest has none. */
static enum sm_clipboard_kind convertible(const SmGuestContent *content)
{
    static const enum sm_clipboard_kind kinds[] = {SM_CLIPBOARD_BMP, SM_CLIPBOARD_TIFF,
                                                   SM_CLIPBOARD_JPEG};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds) && !(content->kinds >> SM_CLIPBOARD_PNG & 1); i++)
        if (content->kinds >> kinds[i] & 1)
            return kinds[i];
    return SM_CLIPBOARD_NOTHING;
}

static GdkContentFormats *ref_formats(GdkContentProvider *provider)
{
    SmGuestContent *content = SM_GUEST_CONTENT(provider);
    GdkContentFormatsBuilder *builder = gdk_content_formats_builder_new();
    for (size_t i = 0; i < G_N_ELEMENTS(TYPES); i++)
        if (content->kinds >> TYPES[i].kind & 1)
            gdk_content_formats_builder_add_mime_type(builder, TYPES[i].mime_type);
    if (convertible(content))
        gdk_content_formats_builder_add_mime_type(builder, PNG);
    return gdk_content_formats_builder_free_to_formats(builder);
}

/** A picture that becomes PNG. */
struct conversion {
    GBytes *picture; /* owned */
    enum sm_clipboard_kind kind;
};

static void free_conversion(gpointer opaque)
{
    struct conversion *conversion = opaque;
    g_bytes_unref(conversion->picture);
    g_free(conversion);
}

static void free_paste(struct paste *paste)
{
    g_object_unref(paste->task);
    g_object_unref(paste->stream);
    g_free(paste);
}

static void fail(struct paste *paste)
{
    g_task_return_new_error(paste->task, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
                            _("The machine did not give what it offered"));
    free_paste(paste);
}

/* Asks for what the first in line waits for. */
static void ask_next(SmGuestContent *content)
{
    struct paste *paste;
    while ((paste = g_queue_peek_head(&content->waiting))) {
        if (content->session &&
            sm_session_ask_clipboard(content->session, content->selection, paste->kind) == SM_OK)
            return;
        fail(g_queue_pop_head(&content->waiting));
    }
}

static void on_written(GObject *stream, GAsyncResult *result, gpointer opaque)
{
    struct paste *paste = opaque;
    GError *error = NULL;
    if (g_output_stream_write_all_finish(G_OUTPUT_STREAM(stream), result, NULL, &error))
        g_task_return_boolean(paste->task, TRUE);
    else
        g_task_return_error(paste->task, error);
    free_paste(paste);
}

static void write_bytes(struct paste *paste, GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    /* The bytes live as long as the task. */
    g_task_set_task_data(paste->task, bytes, (GDestroyNotify)g_bytes_unref);
    g_output_stream_write_all_async(paste->stream, data, size, paste->priority,
                                    g_task_get_cancellable(paste->task), on_written, paste);
}

/* On a thread: a large picture takes seconds. */
static void convert(GTask *task, gpointer source, gpointer opaque, GCancellable *cancellable)
{
    struct conversion *conversion = opaque;
    (void)source;
    (void)cancellable;
    GError *error = NULL;
    GBytes *png = sm_clipboard_picture_to_png(conversion->picture, conversion->kind, &error);
    if (png)
        g_task_return_pointer(task, png, (GDestroyNotify)g_bytes_unref);
    else
        g_task_return_error(task, error);
}

static void on_converted(GObject *source, GAsyncResult *result, gpointer opaque)
{
    (void)source;
    GBytes *png = g_task_propagate_pointer(G_TASK(result), NULL);
    if (png)
        write_bytes(opaque, png);
    else
        fail(opaque);
}

void sm_guest_content_take_data(SmGuestContent *content)
{
    size_t size;
    void *data = sm_session_take_clipboard(content->session, content->selection, &size, NULL);
    struct paste *paste = g_queue_pop_head(&content->waiting);
    if (!paste || !data) {
        free(data);
        if (paste)
            fail(paste);
    } else {
        GBytes *bytes = g_bytes_new_with_free_func(data, size, free, data);
        if (paste->is_converted) {
            g_autoptr(GTask) task = g_task_new(NULL, NULL, on_converted, paste);
            struct conversion *conversion = g_new(struct conversion, 1);
            *conversion = (struct conversion){.picture = bytes, .kind = paste->kind};
            g_task_set_task_data(task, conversion, free_conversion);
            g_task_run_in_thread(task, convert);
        } else {
            write_bytes(paste, bytes);
        }
    }
    ask_next(content);
}

static void write_mime_type_async(GdkContentProvider *provider, const char *mime_type,
                                  GOutputStream *stream, int priority, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer opaque)
{
    SmGuestContent *content = SM_GUEST_CONTENT(provider);
    struct paste *paste = g_new0(struct paste, 1);
    paste->task = g_task_new(content, cancellable, callback, opaque);
    paste->stream = g_object_ref(stream);
    paste->priority = priority;
    for (size_t i = 0; i < G_N_ELEMENTS(TYPES); i++)
        if (!paste->kind && strcmp(TYPES[i].mime_type, mime_type) == 0)
            paste->kind = TYPES[i].kind;
    paste->is_converted = paste->kind == SM_CLIPBOARD_PNG && convertible(content);
    if (paste->is_converted)
        paste->kind = convertible(content);
    g_queue_push_tail(&content->waiting, paste);
    if (g_queue_get_length(&content->waiting) == 1)
        ask_next(content);
}

static gboolean write_mime_type_finish(GdkContentProvider *provider, GAsyncResult *result,
                                       GError **error)
{
    (void)provider;
    return g_task_propagate_boolean(G_TASK(result), error);
}

void sm_guest_content_cut_off(SmGuestContent *content)
{
    content->session = NULL;
    ask_next(content); /* without a session they all fail */
}

static void sm_guest_content_class_init(SmGuestContentClass *class)
{
    GdkContentProviderClass *provider = GDK_CONTENT_PROVIDER_CLASS(class);
    provider->ref_formats = ref_formats;
    provider->write_mime_type_async = write_mime_type_async;
    provider->write_mime_type_finish = write_mime_type_finish;
}

static void sm_guest_content_init(SmGuestContent *content)
{
    g_queue_init(&content->waiting);
}

SmGuestContent *sm_guest_content_new(struct sm_session *session, enum sm_selection selection,
                                     uint32_t kinds)
{
    SmGuestContent *content = g_object_new(SM_TYPE_GUEST_CONTENT, NULL);
    content->session = session;
    content->selection = selection;
    content->kinds = kinds;
    return content;
}
