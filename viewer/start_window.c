/* SPDX-License-Identifier: MIT */
#include "viewer/start_window.h"

#include <string.h>

#include <glib/gi18n.h>

#include "viewer/dialogs.h"
#include "viewer/local_machines.h"
#include "viewer/machine.h"
#include "viewer/names.h"
#include "viewer/recent.h"

struct _SmStartWindow {
    AdwApplicationWindow parent_instance;
    AdwApplication *application;             /* borrowed */
    const struct sm_viewer_options *options; /* borrowed */
    GtkWidget *entry, *connect;              /* borrowed from the tree of widgets */
    GtkWidget *recents;
    GtkWidget *locals, *locals_title;
    GCancellable *asking;          /* owned: for this computer's machines */
    GtkFileChooserNative *chooser; /* owned; or NULL */
};

G_DEFINE_FINAL_TYPE(SmStartWindow, sm_start_window, ADW_TYPE_APPLICATION_WINDOW)

static const char PASSWORD_KEY[] = "sumac-password";
static const char ADDRESS_KEY[] = "sumac-address"; /* of a row of the list */

/* Opens what `options` name, which are taken; this window goes if that works. */
static void open_machine(SmStartWindow *window, struct sm_viewer_options *options)
{
    struct sm_error error = {0};
    /* The toolkit's entry looks after itself badly if it goes while it has the focus. */
    gtk_window_set_focus(GTK_WINDOW(window), NULL);
    if (sm_machine_open(window->application, options, &error))
        gtk_window_close(GTK_WINDOW(window));
    else
        sm_dialog_tell_error(GTK_WINDOW(window), &error);
}

static void open_address(SmStartWindow *window, const char *address, const char *password)
{
    struct sm_viewer_options options;
    sm_viewer_options_copy_for(&options, window->options, address);
    options.password = g_strdup(password);
    open_machine(window, &options);
}

static void on_connect(SmStartWindow *window)
{
    g_autofree char *text =
        g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(window->entry))));
    if (!*text)
        return;
    /* People write what they have: a host and its port. */
    g_autofree char *address =
        strstr(text, "://") ? g_strdup(text) : g_strdup_printf("spice://%s", text);
    open_address(window, address, NULL);
}

static void on_recent(GtkListBox *list, GtkListBoxRow *row, SmStartWindow *window)
{
    (void)list;
    const char *address = g_object_get_data(G_OBJECT(row), ADDRESS_KEY);
    if (address)
        open_address(window, address, g_object_get_data(G_OBJECT(row), PASSWORD_KEY));
}

/* ---- Connection files ---- */

static void on_file_chosen(GtkNativeDialog *dialog, int response, SmStartWindow *window)
{
    g_autoptr(GFile) file = response == GTK_RESPONSE_ACCEPT
                                ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog))
                                : NULL;
    g_autofree char *path = file ? g_file_get_path(file) : NULL;
    g_clear_object(&window->chooser);
    if (!path)
        return;
    struct sm_viewer_options options;
    sm_viewer_options_copy_for(&options, window->options, NULL);
    g_autoptr(GError) error = NULL;
    if (sm_viewer_options_read_file(&options, path, &error)) {
        open_machine(window, &options);
        return;
    }
    struct sm_error reason = {.kind = SM_ERROR_ADDRESS};
    g_strlcpy(reason.cause, error->message, sizeof(reason.cause));
    sm_dialog_tell_error(GTK_WINDOW(window), &reason);
    sm_viewer_options_finish(&options);
}

static void on_open_file(SmStartWindow *window)
{
    if (window->chooser)
        return;
    window->chooser = gtk_file_chooser_native_new(_("Open Connection File"), GTK_WINDOW(window),
                                                  GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
    g_autoptr(GtkFileFilter) filter = gtk_file_filter_new();
    gtk_file_filter_set_name(filter, _("Connection files"));
    gtk_file_filter_add_mime_type(filter, "application/x-virt-viewer");
    gtk_file_filter_add_suffix(filter, "vv");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(window->chooser), filter);
    g_signal_connect(window->chooser, "response", G_CALLBACK(on_file_chosen), window);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(window->chooser));
}

/* ---- The list ---- */

static void fill_recents(SmStartWindow *window);

static void on_forget(GtkButton *button, SmStartWindow *window)
{
    const char *address = g_object_get_data(G_OBJECT(button), ADDRESS_KEY);
    GtkWidget *row = gtk_widget_get_ancestor(GTK_WIDGET(button), GTK_TYPE_LIST_BOX_ROW);
    int index = gtk_list_box_row_get_index(GTK_LIST_BOX_ROW(row));
    g_autofree char *path = sm_recent_path();
    g_autoptr(GError) error = NULL;
    if (!sm_recent_remove(path, address, &error))
        g_warning("the machine stays in the list: %s", error->message);
    fill_recents(window);
    /* The focus went with the row: on to the next one, or to the last. */
    GtkListBoxRow *next = NULL;
    for (; index >= 0 && !next; index--)
        next = gtk_list_box_get_row_at_index(GTK_LIST_BOX(window->recents), index);
    gtk_widget_grab_focus(next ? GTK_WIDGET(next) : window->entry);
}

static void add_recent(SmStartWindow *window, const struct sm_recent *recent)
{
    GtkWidget *row = adw_action_row_new();
    g_autofree char *title =
        g_markup_escape_text(recent->name[0] ? recent->name : recent->address, -1);
    g_autofree char *subtitle = g_markup_escape_text(recent->name[0] ? recent->address : "", -1);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), TRUE);
    g_object_set_data_full(G_OBJECT(row), ADDRESS_KEY, g_strdup(recent->address), g_free);

    GtkWidget *forget = gtk_button_new_from_icon_name("user-trash-symbolic");
    sm_name_and_tip(forget, _("Forget this machine"));
    gtk_widget_set_valign(forget, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(forget, "flat");
    g_object_set_data_full(G_OBJECT(forget), ADDRESS_KEY, g_strdup(recent->address), g_free);
    g_signal_connect(forget, "clicked", G_CALLBACK(on_forget), window);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), forget);
    gtk_list_box_append(GTK_LIST_BOX(window->recents), row);
}

static void fill_recents(SmStartWindow *window)
{
    GtkWidget *row;
    while ((row = gtk_widget_get_first_child(window->recents)))
        gtk_list_box_remove(GTK_LIST_BOX(window->recents), row);
    struct sm_recent list[SM_RECENT_MAX];
    g_autofree char *path = sm_recent_path();
    size_t count = sm_recent_load(path, list);
    for (size_t i = 0; i < count; i++)
        add_recent(window, &list[i]);
    sm_recent_clear(list, count);
    gtk_widget_set_visible(window->recents, count > 0);
}

static GtkWidget *list_box(void)
{
    GtkWidget *list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    return list;
}

/* ---- The machines of this computer ---- */

static void wipe(gpointer data)
{
    char *secret = data;
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static void add_local(SmStartWindow *window, const struct sm_local_machine *machine)
{
    GtkWidget *row = adw_action_row_new();
    g_autofree char *title = g_markup_escape_text(machine->name, -1);
    g_autofree char *subtitle = g_markup_escape_text(machine->address, -1);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), TRUE);
    g_object_set_data_full(G_OBJECT(row), ADDRESS_KEY, g_strdup(machine->address), g_free);
    g_object_set_data_full(G_OBJECT(row), PASSWORD_KEY, g_strdup(machine->password), wipe);
    adw_action_row_add_prefix(ADW_ACTION_ROW(row),
                              gtk_image_new_from_icon_name("computer-symbolic"));
    gtk_list_box_append(GTK_LIST_BOX(window->locals), row);
}

static void on_locals(GPtrArray *machines, gpointer opaque)
{
    SmStartWindow *window = opaque;
    for (guint i = 0; i < machines->len; i++)
        add_local(window, g_ptr_array_index(machines, i));
    gtk_widget_set_visible(window->locals, machines->len > 0);
    gtk_widget_set_visible(window->locals_title, machines->len > 0);
}

static void make_locals(SmStartWindow *window, GtkWidget *box)
{
    window->locals_title = gtk_label_new(_("Running on This Computer"));
    gtk_widget_add_css_class(window->locals_title, "heading");
    gtk_label_set_xalign(GTK_LABEL(window->locals_title), 0);
    window->locals = list_box();
    g_signal_connect(window->locals, "row-activated", G_CALLBACK(on_recent), window);
    gtk_widget_set_visible(window->locals, FALSE);
    gtk_widget_set_visible(window->locals_title, FALSE);
    gtk_box_append(GTK_BOX(box), window->locals_title);
    gtk_box_append(GTK_BOX(box), window->locals);
    window->asking = g_cancellable_new();
    sm_local_machines_find(window->asking, on_locals, window);
}

/* ---- The object ---- */

static void dispose(GObject *object)
{
    SmStartWindow *window = SM_START_WINDOW(object);
    if (window->asking)
        g_cancellable_cancel(window->asking);
    g_clear_object(&window->asking);
    if (window->chooser) { /* a portal may keep it for longer than we live */
        g_signal_handlers_disconnect_by_data(window->chooser, window);
        gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(window->chooser));
    }
    g_clear_object(&SM_START_WINDOW(object)->chooser);
    G_OBJECT_CLASS(sm_start_window_parent_class)->dispose(object);
}

static void sm_start_window_class_init(SmStartWindowClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void sm_start_window_init(SmStartWindow *window)
{
    (void)window;
}

static GtkWidget *make_address(SmStartWindow *window)
{
    window->entry = gtk_entry_new();
    gtk_entry_set_placeholder_text(GTK_ENTRY(window->entry),
                                   _("Address, such as spice://host:5900"));
    sm_name_control(window->entry, _("Address of the machine"));
    gtk_widget_set_size_request(window->entry, -1, 48);
    g_signal_connect_swapped(window->entry, "activate", G_CALLBACK(on_connect), window);
    return window->entry;
}

static GtkWidget *make_buttons(SmStartWindow *window)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
    GtkWidget *file = gtk_button_new_with_mnemonic(_("_Open File…"));
    gtk_widget_add_css_class(file, "pill");
    g_signal_connect_swapped(file, "clicked", G_CALLBACK(on_open_file), window);
    window->connect = gtk_button_new_with_mnemonic(_("_Connect"));
    gtk_widget_add_css_class(window->connect, "pill");
    gtk_widget_add_css_class(window->connect, "suggested-action");
    g_signal_connect_swapped(window->connect, "clicked", G_CALLBACK(on_connect), window);
    gtk_box_append(GTK_BOX(box), file);
    gtk_box_append(GTK_BOX(box), window->connect);
    return box;
}

static GtkWidget *make_content(SmStartWindow *window)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 24);
    gtk_box_append(GTK_BOX(box), make_address(window));
    gtk_box_append(GTK_BOX(box), make_buttons(window));
    window->recents = list_box();
    g_signal_connect(window->recents, "row-activated", G_CALLBACK(on_recent), window);
    gtk_box_append(GTK_BOX(box), window->recents);
    make_locals(window, box);
    GtkWidget *clamp = adw_clamp_new();
    adw_clamp_set_maximum_size(ADW_CLAMP(clamp), 480);
    adw_clamp_set_child(ADW_CLAMP(clamp), box);
    return clamp;
}

SmStartWindow *sm_start_window_new(AdwApplication *application,
                                   const struct sm_viewer_options *options)
{
    SmStartWindow *window = g_object_new(SM_TYPE_START_WINDOW, "application", application, NULL);
    window->application = application;
    window->options = options;
    GtkWidget *page = adw_status_page_new();
    adw_status_page_set_icon_name(ADW_STATUS_PAGE(page), "org.sumac.Viewer");
    adw_status_page_set_title(ADW_STATUS_PAGE(page), _("Which Machine?"));
    adw_status_page_set_child(ADW_STATUS_PAGE(page), make_content(window));
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *header = adw_header_bar_new();
    gtk_widget_add_css_class(header, "flat");
    gtk_box_append(GTK_BOX(box), header);
    gtk_widget_set_vexpand(page, TRUE);
    gtk_box_append(GTK_BOX(box), page);
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(window), box);
    gtk_window_set_title(GTK_WINDOW(window), "Sumac");
    gtk_window_set_default_size(GTK_WINDOW(window), 620, 640);
    fill_recents(window);
    gtk_widget_grab_focus(window->entry);
    return window;
}
