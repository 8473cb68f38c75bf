/* SPDX-License-Identifier: MIT */
#include "viewer/clipboard.h"

#include <string.h>

#include <glib/gi18n.h>

#include "sumac/folder.h"
#include "viewer/clipboard_picture.h"
#include "viewer/guest_content.h"

enum { SIDES = 2, PIECE_BYTES = 256 << 10 };

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

static bool has_files(GdkContentFormats *formats)
{
    return gdk_content_formats_contain_gtype(formats, GDK_TYPE_FILE_LIST) ||
           gdk_content_formats_contain_mime_type(formats, "text/uri-list");
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
    if (has_files(formats))
        kinds |= 1u << SM_CLIPBOARD_FILES;
    return kinds;
}

/* A guest can ask for what is copied whenever it likes. Files are worth more than words, so they
 * are offered only to one that was given a folder already. */
static bool shares_files(struct sm_session *session)
{
    struct sm_folder_state state;
    sm_session_get_folder_state(session, &state);
    return state.is_shared;
}

static void offer(struct side *side)
{
    GdkContentProvider *mine = side->content ? GDK_CONTENT_PROVIDER(side->content) : NULL;
    if (!side->c->session || (mine && gdk_clipboard_get_content(side->clipboard) == mine))
        return; /* that came from the guest */
    uint32_t kinds = kinds_of(gdk_clipboard_get_formats(side->clipboard));
    if (!shares_files(side->c->session))
        kinds &= ~(1u << SM_CLIPBOARD_FILES);
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

/* On a thread, like all that compresses: a large picture takes seconds. */
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
    struct side *side = opaque;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
        side->c->say(side->c->opaque, error->message);
    gsize size = 0;
    const void *data = png ? g_bytes_get_data(png, &size) : NULL;
    answer(side, data ? SM_CLIPBOARD_PNG : SM_CLIPBOARD_NOTHING, data, size);
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
    struct side *side;                   /* borrowed; only if not cancelled */
    enum sm_clipboard_kind kind, wanted; /* what comes, and what the guest wants: the same or PNG */
    GInputStream *stream;                /* owned; or NULL */
    GByteArray *bytes;                   /* owned */
};

static void free_raw(gpointer opaque)
{
    struct raw *raw = opaque;
    g_clear_object(&raw->stream);
    g_byte_array_unref(raw->bytes);
    g_free(raw);
}

static void convert(GTask *task, gpointer source, gpointer opaque, GCancellable *cancellable)
{
    struct raw *raw = opaque;
    g_autoptr(GError) error = NULL;
    (void)source;
    (void)cancellable;
    g_autoptr(GBytes) picture = g_bytes_new_static(raw->bytes->data, raw->bytes->len);
    GBytes *png = sm_clipboard_picture_to_png(picture, raw->kind, &error);
    if (png)
        g_task_return_pointer(task, png, (GDestroyNotify)g_bytes_unref);
    else
        g_task_return_error(task, g_steal_pointer(&error));
}

/* All that there is has been read; what broke off is not whole. */
static void finish_raw(struct raw *raw, bool is_whole)
{
    struct side *side = raw->side;
    const GByteArray *bytes = raw->bytes;
    if (raw->wanted == SM_CLIPBOARD_TEXT && bytes->len > 0 &&
        bytes->len <= SM_CLIPBOARD_MAX_BYTES &&
        !g_utf8_validate((const char *)bytes->data, bytes->len, NULL))
        is_whole = false; /* it is not what its type says */
    bool is_empty = !is_whole || raw->bytes->len == 0;
    if (is_empty || raw->kind == raw->wanted || raw->bytes->len > SM_CLIPBOARD_MAX_BYTES) {
        /* answer() tells people what is too large */
        answer(side, is_empty ? SM_CLIPBOARD_NOTHING : raw->wanted, raw->bytes->data,
               is_empty ? 0 : raw->bytes->len);
        free_raw(raw);
        return;
    }
    g_autoptr(GTask) task = g_task_new(NULL, side->reading, on_png, side);
    g_task_set_task_data(task, raw, free_raw);
    g_task_run_in_thread(task, convert);
}

static void read_on(struct raw *raw);

/* A program may send without end: no more is read than the guest can be given. */
static void on_read(GObject *stream, GAsyncResult *result, gpointer opaque)
{
    struct raw *raw = opaque;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) piece =
        g_input_stream_read_bytes_finish(G_INPUT_STREAM(stream), result, &error);
    if (is_cancelled(error)) {
        free_raw(raw);
        return;
    }
    gsize size = 0;
    const void *data = piece ? g_bytes_get_data(piece, &size) : NULL;
    if (size > 0) {
        g_byte_array_append(raw->bytes, data, (guint)size);
        if (raw->bytes->len <= SM_CLIPBOARD_MAX_BYTES) {
            read_on(raw);
            return;
        }
    }
    finish_raw(raw, piece != NULL);
}

static void read_on(struct raw *raw)
{
    g_input_stream_read_bytes_async(raw->stream, PIECE_BYTES, G_PRIORITY_DEFAULT,
                                    raw->side->reading, on_read, raw);
}

static void on_stream(GObject *clipboard, GAsyncResult *result, gpointer opaque)
{
    struct raw *raw = opaque;
    const char *mime_type;
    g_autoptr(GError) error = NULL;
    raw->stream = gdk_clipboard_read_finish(GDK_CLIPBOARD(clipboard), result, &mime_type, &error);
    if (raw->stream && !is_cancelled(error)) {
        read_on(raw);
        return;
    }
    if (!is_cancelled(error))
        answer(raw->side, SM_CLIPBOARD_NOTHING, NULL, 0);
    free_raw(raw);
}

/** Files on their way to the guest. */
struct finding {
    GPtrArray *paths; /* owned, each owned */
    enum sm_status status;
    struct sm_copied_files *files; /* owned: once found */
};

static void free_finding(gpointer opaque)
{
    struct finding *finding = opaque;
    g_ptr_array_unref(finding->paths);
    sm_copied_files_destroy(finding->files);
    g_free(finding);
}

/* On a thread: one that looks at a network's file system may wait for ever. */
static void find_files(GTask *task, gpointer source, gpointer opaque, GCancellable *cancellable)
{
    struct finding *finding = opaque;
    (void)source;
    (void)cancellable;
    finding->status = sm_copied_files_find(
        &finding->files, (const char *const *)finding->paths->pdata, finding->paths->len, NULL);
    g_task_return_boolean(task, TRUE);
}

static void on_found(GObject *source, GAsyncResult *result, gpointer opaque)
{
    (void)source;
    g_autoptr(GError) error = NULL;
    if (!g_task_propagate_boolean(G_TASK(result), &error))
        return; /* cancelled: `side` may be gone */
    struct side *side = opaque;
    struct sm_viewer_clipboard *c = side->c;
    const struct finding *finding = g_task_get_task_data(G_TASK(result));
    enum sm_status status = finding->status;
    if (!c->session)
        return;
    if (finding->files)
        status = sm_session_send_copied_files(c->session, side->selection, finding->files, NULL);
    else
        answer(side, SM_CLIPBOARD_NOTHING, NULL, 0);
    if (status == SM_ERR_LIMIT && finding->paths->len > 0)
        c->say(c->opaque, _("Too many files to paste: copy the folder they are in"));
    else if (status != SM_OK && status != SM_ERR_STATE)
        c->say(c->opaque, _("What was copied cannot be read from here"));
}

/* Files that lie somewhere else than in a file system have no path, and are left out. */
static void give_files(struct side *side, GSList *files)
{
    struct finding *finding = g_new0(struct finding, 1);
    finding->paths = g_ptr_array_new_with_free_func(g_free);
    for (GSList *file = files; file && finding->paths->len <= SM_CLIPBOARD_PATHS_MAX;
         file = file->next) {
        char *path = g_file_get_path(file->data);
        if (path)
            g_ptr_array_add(finding->paths, path);
    }
    g_autoptr(GTask) task = g_task_new(NULL, side->reading, on_found, side);
    g_task_set_task_data(task, finding, free_finding);
    g_task_run_in_thread(task, find_files);
}

static void on_files(GObject *clipboard, GAsyncResult *result, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    const GValue *value = gdk_clipboard_read_value_finish(GDK_CLIPBOARD(clipboard), result, &error);
    if (!is_cancelled(error))
        give_files(opaque, value ? g_value_get_boxed(value) : NULL);
}

static void stop_reading(struct side *side)
{
    if (side->reading)
        g_cancellable_cancel(side->reading);
    g_clear_object(&side->reading);
}

/* Reads what is there as `mime_type` for a guest that wants `wanted`. */
static void read_raw(struct side *side, const char *mime_type, enum sm_clipboard_kind kind,
                     enum sm_clipboard_kind wanted)
{
    const char *types[] = {mime_type, NULL};
    struct raw *raw = g_new0(struct raw, 1);
    *raw = (struct raw){.side = side, .kind = kind, .wanted = wanted, .bytes = g_byte_array_new()};
    gdk_clipboard_read_async(side->clipboard, types, G_PRIORITY_DEFAULT, side->reading, on_stream,
                             raw);
}

static void give_text(struct side *side, GdkContentFormats *formats)
{
    static const char type[] = "text/plain;charset=utf-8";
    if (gdk_content_formats_contain_mime_type(formats, type))
        read_raw(side, type, SM_CLIPBOARD_TEXT, SM_CLIPBOARD_TEXT);
    else /* another character set, or a program that is old */
        gdk_clipboard_read_text_async(side->clipboard, side->reading, on_text, side);
}

/* As it is if it is there; PNG is made of all others. */
static void give_picture(struct side *side, GdkContentFormats *formats, enum sm_clipboard_kind kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(RAW); i++)
        if (RAW[i].kind == kind &&
            gdk_content_formats_contain_mime_type(formats, RAW[i].mime_type)) {
            read_raw(side, RAW[i].mime_type, kind, kind);
            return;
        }
    for (size_t i = 0; kind == SM_CLIPBOARD_PNG && i < G_N_ELEMENTS(RAW); i++)
        if (gdk_content_formats_contain_mime_type(formats, RAW[i].mime_type)) {
            read_raw(side, RAW[i].mime_type, RAW[i].kind, kind);
            return;
        }
    if (kind == SM_CLIPBOARD_PNG) /* a texture of this program's own */
        gdk_clipboard_read_texture_async(side->clipboard, side->reading, on_texture, side);
    else
        answer(side, SM_CLIPBOARD_NOTHING, NULL, 0);
}

static void give(struct side *side, enum sm_clipboard_kind kind)
{
    GdkContentFormats *formats = gdk_clipboard_get_formats(side->clipboard);
    stop_reading(side);
    side->reading = g_cancellable_new();
    switch (kind) {
    case SM_CLIPBOARD_NOTHING:
        return;
    case SM_CLIPBOARD_TEXT:
        give_text(side, formats);
        return;
    case SM_CLIPBOARD_FILES:
        gdk_clipboard_read_value_async(side->clipboard, GDK_TYPE_FILE_LIST, G_PRIORITY_DEFAULT,
                                       side->reading, on_files, side);
        return;
    default:
        give_picture(side, formats, kind);
    }
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
