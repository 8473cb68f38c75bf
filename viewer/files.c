/* SPDX-License-Identifier: MIT */
#include "viewer/files.h"

#include <glib/gi18n.h>

#include "viewer/error_words.h"
#include "viewer/window_private.h"

enum {
    SHOWN_MAX = 256,
    SETTLED_US = 500000,
    LARGE_BYTES = 2 << 20, /* of the clipboard: less is not worth a word */
};

static struct sm_session *session_of(SmWindow *window)
{
    struct sm_connection *connection = sm_machine_connection(window->machine);
    return sm_connection_state(connection) == SM_CONNECTION_UP ? sm_connection_session(connection)
                                                               : NULL;
}

static void say_error(SmWindow *window, const struct sm_error *error)
{
    g_autofree char *text = sm_error_words_line(error);
    sm_window_say(window, text);
}

/* ---- Sending ---- */

/* `files` holds GFile. */
static void send_files(SmWindow *window, GSList *files)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    struct sm_session *session = session_of(window);
    struct sm_error error;
    for (; files; files = files->next) {
        char *path = g_file_get_path(files->data);
        if (path)
            g_ptr_array_add(paths, path);
    }
    if (!session || sm_machine_options(window->machine)->is_view_only)
        sm_window_say(window, _("The machine takes no files now"));
    else if (paths->len == 0)
        sm_window_say(window, _("Only files of this computer can be sent"));
    else if (sm_session_send_files(session, (const char *const *)paths->pdata, paths->len, NULL,
                                   &error) != SM_OK)
        say_error(window, &error);
}

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y,
                        SmWindow *window)
{
    (void)target;
    (void)x;
    (void)y;
    g_autoptr(GSList) files = gdk_file_list_get_files(g_value_get_boxed(value));
    send_files(window, files);
    return TRUE;
}

/* ---- How far they are ---- */

static void on_cancel(SmWindow *window)
{
    struct sm_file_progress files[SHOWN_MAX];
    struct sm_session *session = session_of(window);
    size_t count = session ? sm_session_get_files(session, files, SHOWN_MAX) : 0;
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++)
        sm_session_cancel_file(session, files[i].id);
    sm_machine_cancel_paste(window->machine);
}

static void show_progress(SmWindow *window, const char *heading, uint64_t sent, uint64_t total)
{
    gint64 now_us = g_get_monotonic_time();
    if (!gtk_revealer_get_reveal_child(GTK_REVEALER(window->files)))
        window->files_since_us = now_us;
    gint64 elapsed_us = now_us - window->files_since_us;
    g_autofree char *size = g_format_size(total);
    g_autofree char *text = g_strdup(size);
    if (elapsed_us > SETTLED_US && sent > 0) {
        double per_s = (double)sent * 1e6 / (double)elapsed_us;
        unsigned left_s = (unsigned)((double)(total - sent) / per_s + 0.5);
        g_autofree char *rate = g_format_size((guint64)per_s);
        g_free(text);
        text = g_strdup_printf(_("%s, %s/s, %u:%02u left"), size, rate, left_s / 60, left_s % 60);
    }
    gtk_label_set_text(GTK_LABEL(window->files_heading), heading);
    gtk_label_set_text(GTK_LABEL(window->files_text), text);
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(window->files_bar),
                                  total ? (double)sent / (double)total : 0);
    gtk_revealer_set_reveal_child(GTK_REVEALER(window->files), TRUE);
}

/* Whether something large is on its way through the clipboard. */
static bool show_clipboard(SmWindow *window)
{
    struct sm_clipboard_progress progress;
    struct sm_session *session = session_of(window);
    if (!session || !sm_session_clipboard_progress(session, &progress) ||
        progress.total < LARGE_BYTES)
        return false;
    show_progress(window, progress.is_to_guest ? _("Pasting in the machine") : _("Pasting here"),
                  progress.done, progress.total);
    return true;
}

void sm_files_take_event(SmWindow *window)
{
    struct sm_file_progress files[SHOWN_MAX];
    /* Also while the line is lost: what failed with it is to be told. */
    struct sm_session *session = sm_connection_session(sm_machine_connection(window->machine));
    size_t count = session ? sm_session_get_files(session, files, SHOWN_MAX) : 0, left = 0;
    uint64_t sent = 0, total = 0;
    const char *name = "";
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++) {
        const struct sm_file_progress *file = &files[i];
        bool is_under_way = file->state == SM_FILE_WAITING || file->state == SM_FILE_SENDING;
        sent += file->sent;
        total += is_under_way ? file->size : file->sent; /* the rest will not come */
        if (!is_under_way)
            continue;
        name = left++ == 0 ? file->name : name;
    }
    if (left > 0) {
        g_autofree char *heading =
            left > 1 ? g_strdup_printf(_("Sending %s and %u more"), name, (unsigned)left - 1)
                     : g_strdup_printf(_("Sending %s"), name);
        show_progress(window, heading, sent, total);
        return;
    }
    if (show_clipboard(window))
        return;
    gtk_revealer_set_reveal_child(GTK_REVEALER(window->files), FALSE);
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++) {
        if (files[i].state == SM_FILE_FAILED)
            say_error(window, &files[i].error);
        sm_session_forget_file(session, files[i].id);
    }
}

GtkWidget *sm_files_card(SmWindow *window)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    gtk_widget_add_css_class(row, "osd");
    gtk_widget_add_css_class(row, "lost-card");
    GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
    window->files_heading = gtk_label_new("");
    gtk_widget_add_css_class(window->files_heading, "heading");
    gtk_label_set_ellipsize(GTK_LABEL(window->files_heading), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_width_chars(GTK_LABEL(window->files_heading), 32);
    gtk_label_set_xalign(GTK_LABEL(window->files_heading), 0);
    window->files_bar = gtk_progress_bar_new();
    window->files_text = gtk_label_new("");
    gtk_widget_add_css_class(window->files_text, "caption");
    gtk_label_set_xalign(GTK_LABEL(window->files_text), 0);
    gtk_box_append(GTK_BOX(texts), window->files_heading);
    gtk_box_append(GTK_BOX(texts), window->files_bar);
    gtk_box_append(GTK_BOX(texts), window->files_text);
    gtk_widget_set_hexpand(texts, TRUE);
    gtk_box_append(GTK_BOX(row), texts);
    GtkWidget *cancel = gtk_button_new_with_mnemonic(_("_Cancel"));
    gtk_widget_set_valign(cancel, GTK_ALIGN_CENTER);
    g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(on_cancel), window);
    gtk_box_append(GTK_BOX(row), cancel);
    window->files = gtk_revealer_new();
    gtk_revealer_set_transition_type(GTK_REVEALER(window->files),
                                     GTK_REVEALER_TRANSITION_TYPE_CROSSFADE);
    gtk_revealer_set_child(GTK_REVEALER(window->files), row);
    gtk_widget_set_halign(window->files, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(window->files, GTK_ALIGN_END);
    GtkDropTarget *target = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
    g_signal_connect(target, "drop", G_CALLBACK(on_drop), window);
    gtk_widget_add_controller(window->screen, GTK_EVENT_CONTROLLER(target));
    return window->files;
}

/* ---- The menu ---- */

static void on_files_chosen(GtkNativeDialog *dialog, int response, SmWindow *window)
{
    GListModel *model = gtk_file_chooser_get_files(GTK_FILE_CHOOSER(dialog));
    GSList *files = NULL;
    for (guint i = g_list_model_get_n_items(model); i > 0; i--)
        files = g_slist_prepend(files, g_list_model_get_item(model, i - 1));
    if (response == GTK_RESPONSE_ACCEPT)
        send_files(window, files);
    g_slist_free_full(files, g_object_unref);
    g_object_unref(model);
    g_object_unref(dialog);
}

static void on_send_files(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Send Files to the Machine"), GTK_WINDOW(opaque),
                                    GTK_FILE_CHOOSER_ACTION_OPEN, _("_Send"), _("_Cancel"));
    gtk_file_chooser_set_select_multiple(GTK_FILE_CHOOSER(dialog), TRUE);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_files_chosen), opaque, 0);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void share(SmWindow *window, const char *path, bool is_read_only)
{
    struct sm_session *session = session_of(window);
    struct sm_folder_state state = {.is_shared = false};
    struct sm_error error;
    if (!session) {
        sm_window_say(window, _("The machine is not connected"));
        return;
    }
    sm_session_get_folder_state(session, &state);
    if (path && !state.can_be_shared) {
        sm_window_say(window,
                      _("The machine has no port for shared folders (org.spice-space.webdav.0)"));
        return;
    }
    if (sm_session_share_folder(session, path, is_read_only, &error) != SM_OK) {
        say_error(window, &error);
        return;
    }
    g_autofree char *text =
        path ? g_strdup_printf(_("The machine sees %s at http://localhost:9843"), path)
             : g_strdup(_("No folder is shared any more"));
    sm_window_say(window, text);
}

static void on_folder_chosen(GtkNativeDialog *dialog, int response, SmWindow *window)
{
    g_autoptr(GFile) folder = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    g_autofree char *path = folder ? g_file_get_path(folder) : NULL;
    if (response == GTK_RESPONSE_ACCEPT && path)
        share(window, path, g_object_get_data(G_OBJECT(dialog), "read-only") != NULL);
    g_object_unref(dialog);
}

static void ask_folder(SmWindow *window, bool is_read_only)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        is_read_only ? _("Folder the Machine May Read")
                     : _("Folder the Machine May Read and Write"),
        GTK_WINDOW(window), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Share"), _("_Cancel"));
    g_object_set_data(G_OBJECT(dialog), "read-only", GINT_TO_POINTER(is_read_only));
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_folder_chosen), window, 0);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void on_share(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)value;
    ask_folder(opaque, g_str_has_suffix(g_action_get_name(G_ACTION(action)), "read-only"));
}

static void on_share_none(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    share(opaque, NULL, false);
}

void sm_files_add_actions(SmWindow *window)
{
    const GActionEntry entries[] = {
        {.name = "send-files", .activate = on_send_files},
        {.name = "share-folder", .activate = on_share},
        {.name = "share-read-only", .activate = on_share},
        {.name = "share-none", .activate = on_share_none},
    };
    GActionMap *map = G_ACTION_MAP(window);
    g_action_map_add_action_entries(map, entries, G_N_ELEMENTS(entries), window);
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
        g_simple_action_set_enabled(
            G_SIMPLE_ACTION(g_action_map_lookup_action(map, entries[i].name)),
            !sm_machine_options(window->machine)->is_view_only);
}

GMenu *sm_files_menu(void)
{
    GMenu *section = g_menu_new(), *folder = g_menu_new();
    g_menu_append(section, _("S_end Files…"), "win.send-files");
    g_menu_append(folder, _("To Read and _Write…"), "win.share-folder");
    g_menu_append(folder, _("To _Read Only…"), "win.share-read-only");
    g_menu_append(folder, _("_No Folder"), "win.share-none");
    g_menu_append_submenu(section, _("S_hare a Folder"), G_MENU_MODEL(folder));
    g_object_unref(folder);
    return section;
}
