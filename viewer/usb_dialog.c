/* SPDX-License-Identifier: MIT */
#include "viewer/usb_dialog.h"

#include <glib/gi18n.h>

#include "sumac/usb.h"
#include "viewer/error_words.h"
#include "viewer/names.h"

enum { DEVICES_MAX = 96, LOOK_MS = 500 };

/** The dialog while it is open. */
struct dialog {
    struct sm_connection *connection; /* borrowed */
    GtkWidget *window;
    AdwPreferencesGroup *devices, *cds;
    GtkWidget *add;  /* the button for another CD */
    GPtrArray *rows; /* of both groups; borrowed */
    GtkFileChooserNative *chooser;
    guint timer;
    struct sm_usb_device shown[DEVICES_MAX]; /* what the rows are about */
    size_t count;
    char error[SM_ERROR_TEXT_SIZE];
};

static struct sm_session *session_of(const struct dialog *d)
{
    return sm_connection_session(d->connection);
}

static void tell_error(struct dialog *d, const struct sm_error *error)
{
    AdwToast *toast = NULL;
    g_autofree char *text = sm_error_words_line(error);
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    toast = adw_toast_new(escaped);
    adw_toast_set_timeout(toast, 10);
    adw_preferences_window_add_toast(ADW_PREFERENCES_WINDOW(d->window), toast);
}

/* ---- Switches ---- */

static gboolean on_switch(GtkSwitch *widget, gboolean is_on, struct dialog *d)
{
    struct sm_session *session = session_of(d);
    uint32_t id = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(widget), "sumac-device"));
    struct sm_error error;
    if (!session)
        return TRUE;
    if (!is_on)
        sm_session_release_usb(session, id);
    else if (sm_session_redirect_usb(session, id, &error) != SM_OK)
        tell_error(d, &error);
    return TRUE; /* it turns when the machine has the device */
}

static void on_remove(GtkButton *button, struct dialog *d)
{
    uint32_t id = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "sumac-device"));
    if (session_of(d))
        sm_session_remove_cd(session_of(d), id);
}

static const char *subtitle(const struct sm_usb_device *device)
{
    if (device->state == SM_USB_CONNECTING)
        return _("Connecting…");
    if (device->state == SM_USB_REDIRECTED)
        return _("The machine has it");
    if (device->state == SM_USB_LEAVING)
        return _("Coming back…");
    return device->reason;
}

static void add_row(struct dialog *d, const struct sm_usb_device *device)
{
    GtkWidget *row = adw_action_row_new();
    g_autofree char *title = g_markup_escape_text(device->name, -1);
    g_autofree char *text = g_markup_escape_text(subtitle(device), -1);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), text);
    if (device->cure[0])
        gtk_widget_set_tooltip_text(row, device->cure);
    bool is_on = device->state == SM_USB_REDIRECTED || device->state == SM_USB_CONNECTING;
    GtkWidget *toggle = gtk_switch_new();
    gtk_switch_set_active(GTK_SWITCH(toggle), is_on);
    gtk_switch_set_state(GTK_SWITCH(toggle), device->state == SM_USB_REDIRECTED);
    sm_name_control(toggle, device->name);
    gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
    gtk_widget_set_sensitive(toggle, is_on || device->can_redirect);
    g_object_set_data(G_OBJECT(toggle), "sumac-device", GUINT_TO_POINTER(device->id));
    g_signal_connect(toggle, "state-set", G_CALLBACK(on_switch), d);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), toggle);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), toggle);
    if (device->is_cd) {
        GtkWidget *remove = gtk_button_new_from_icon_name("user-trash-symbolic");
        sm_name_and_tip(remove, _("Take out of the list"));
        gtk_widget_set_valign(remove, GTK_ALIGN_CENTER);
        gtk_widget_add_css_class(remove, "flat");
        g_object_set_data(G_OBJECT(remove), "sumac-device", GUINT_TO_POINTER(device->id));
        g_signal_connect(remove, "clicked", G_CALLBACK(on_remove), d);
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), remove);
    }
    AdwPreferencesGroup *group = device->is_cd ? d->cds : d->devices;
    adw_preferences_group_add(group, row);
    g_object_set_data(G_OBJECT(row), "sumac-group", group);
    g_object_set_data(G_OBJECT(row), "sumac-device", GUINT_TO_POINTER(device->id));
    g_ptr_array_add(d->rows, row);
}

/* ---- Looking ---- */

static bool has_plugged(const struct dialog *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (!d->shown[i].is_cd)
            return true;
    return false;
}

static void describe(struct dialog *d)
{
    struct sm_usb_info info = {0};
    if (session_of(d))
        sm_session_get_usb_info(session_of(d), &info);
    g_autofree char *text = NULL;
    if (info.channels == 0)
        text = g_strdup(_("This machine takes no USB devices: its host gives it no USB channel."));
    else
        text = g_strdup_printf(ngettext("The machine has room for %u device, %u free.",
                                        "The machine has room for %u devices, %u free.",
                                        info.channels),
                               info.channels, info.free_channels);
    if (info.channels > 0 && !has_plugged(d)) {
        g_autofree char *room = text;
        text = g_strdup_printf("%s %s", room, _("None is plugged in here."));
    }
    adw_preferences_group_set_description(d->devices, d->error[0] ? d->error : text);
}

static void clear(struct dialog *d)
{
    for (guint i = 0; i < d->rows->len; i++) {
        GtkWidget *row = g_ptr_array_index(d->rows, i);
        adw_preferences_group_remove(g_object_get_data(G_OBJECT(row), "sumac-group"), row);
    }
    g_ptr_array_set_size(d->rows, 0);
}

/* Where the keyboard is: in the row of a device, and there on the row, its switch or its button. */
struct place {
    bool is_in_row;
    uint32_t device;
    GType kind;
};

static struct place find_focus(struct dialog *d)
{
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(d->window));
    for (guint i = 0; focus && i < d->rows->len; i++) {
        GtkWidget *row = g_ptr_array_index(d->rows, i);
        if (row == focus || gtk_widget_is_ancestor(focus, row))
            return (struct place){
                .is_in_row = true,
                .device = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(row), "sumac-device")),
                .kind = G_OBJECT_TYPE(focus)};
    }
    return (struct place){.is_in_row = false};
}

static GtkWidget *find_kind(GtkWidget *widget, GType kind)
{
    if (G_OBJECT_TYPE(widget) == kind)
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_kind(child, kind);
        if (found)
            return found;
    }
    return NULL;
}

/* What had the focus may be gone, or be there anew. */
static void give_focus(struct dialog *d, const struct place *place)
{
    for (guint i = 0; i < d->rows->len; i++) {
        GtkWidget *row = g_ptr_array_index(d->rows, i);
        gpointer device = g_object_get_data(G_OBJECT(row), "sumac-device");
        GtkWidget *same =
            GPOINTER_TO_UINT(device) == place->device ? find_kind(row, place->kind) : NULL;
        if (same && (gtk_widget_grab_focus(same) || gtk_widget_grab_focus(row)))
            return;
    }
    gtk_widget_grab_focus(d->add);
}

/* Rows are made anew when something has changed, so that a switch can be turned in peace. */
static gboolean look(gpointer opaque)
{
    struct dialog *d = opaque;
    struct sm_usb_device devices[DEVICES_MAX];
    memset(devices, 0, sizeof(devices)); /* also between the members, for the comparison */
    size_t count =
        session_of(d) ? sm_session_get_usb_devices(session_of(d), devices, DEVICES_MAX) : 0;
    count = MIN(count, (size_t)DEVICES_MAX);
    bool is_same = count == d->count && memcmp(devices, d->shown, count * sizeof(devices[0])) == 0;
    memcpy(d->shown, devices, sizeof(devices));
    d->count = count;
    describe(d);
    if (is_same)
        return G_SOURCE_CONTINUE;
    struct place place = find_focus(d);
    clear(d);
    for (size_t i = 0; i < count; i++)
        add_row(d, &devices[i]);
    if (place.is_in_row)
        give_focus(d, &place);
    return G_SOURCE_CONTINUE;
}

/* ---- CDs ---- */

static void on_chosen(GtkNativeDialog *chooser, int response, struct dialog *d)
{
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser));
    g_autofree char *path = file ? g_file_get_path(file) : NULL;
    struct sm_error error;
    if (response == GTK_RESPONSE_ACCEPT && path && session_of(d) &&
        sm_session_add_cd(session_of(d), path, NULL, &error) != SM_OK)
        tell_error(d, &error);
    g_clear_object(&d->chooser);
    (void)look(d);
}

static void on_add_cd(GtkButton *button, struct dialog *d)
{
    (void)button;
    if (d->chooser)
        return;
    d->chooser = gtk_file_chooser_native_new(_("Share a CD Image"), GTK_WINDOW(d->window),
                                             GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
    g_autoptr(GtkFileFilter) images = gtk_file_filter_new();
    gtk_file_filter_set_name(images, _("CD images"));
    gtk_file_filter_add_suffix(images, "iso");
    gtk_file_filter_add_suffix(images, "img");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(d->chooser), images);
    g_autoptr(GtkFileFilter) all = gtk_file_filter_new();
    gtk_file_filter_set_name(all, _("All files"));
    gtk_file_filter_add_pattern(all, "*");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(d->chooser), all);
    g_signal_connect(d->chooser, "response", G_CALLBACK(on_chosen), d);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(d->chooser));
}

/* ---- The window ---- */

static void on_destroy(GtkWidget *window, struct dialog *d)
{
    (void)window;
    g_source_remove(d->timer);
    if (d->chooser) { /* a portal may keep it for longer than we live */
        g_signal_handlers_disconnect_by_data(d->chooser, d);
        gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(d->chooser));
    }
    g_clear_object(&d->chooser);
    g_ptr_array_unref(d->rows);
    g_free(d);
}

static AdwPreferencesPage *make_page(struct dialog *d)
{
    AdwPreferencesPage *page = ADW_PREFERENCES_PAGE(adw_preferences_page_new());
    d->devices = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    adw_preferences_group_set_title(d->devices, _("USB Devices of This Computer"));
    adw_preferences_page_add(page, d->devices);
    d->cds = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    adw_preferences_group_set_title(d->cds, _("CD Images"));
    adw_preferences_group_set_description(d->cds, _("Read-only CD drives of the machine."));
    GtkWidget *add = gtk_button_new_with_mnemonic(_("_Share a CD Image…"));
    gtk_widget_set_valign(add, GTK_ALIGN_CENTER);
    g_signal_connect(add, "clicked", G_CALLBACK(on_add_cd), d);
    d->add = add;
    adw_preferences_group_set_header_suffix(d->cds, add);
    adw_preferences_page_add(page, d->cds);
    return page;
}

void sm_usb_dialog_show(GtkWindow *parent, struct sm_connection *connection)
{
    struct dialog *d = g_new0(struct dialog, 1);
    struct sm_error error = {0};
    d->connection = connection;
    d->rows = g_ptr_array_new();
    if (session_of(d) && sm_session_watch_usb(session_of(d), &error) != SM_OK)
        g_strlcpy(d->error, error.cause, sizeof(d->error));
    d->window = adw_preferences_window_new();
    gtk_window_set_title(GTK_WINDOW(d->window), _("USB Devices"));
    gtk_window_set_transient_for(GTK_WINDOW(d->window), parent);
    gtk_window_set_destroy_with_parent(GTK_WINDOW(d->window), TRUE);
    gtk_window_set_modal(GTK_WINDOW(d->window), TRUE);
    gtk_window_set_default_size(GTK_WINDOW(d->window), 600, 440);
    adw_preferences_window_set_search_enabled(ADW_PREFERENCES_WINDOW(d->window), FALSE);
    adw_preferences_window_add(ADW_PREFERENCES_WINDOW(d->window), make_page(d));
    g_signal_connect(d->window, "destroy", G_CALLBACK(on_destroy), d);
    (void)look(d);
    describe(d);
    d->timer = g_timeout_add(LOOK_MS, look, d);
    gtk_window_present(GTK_WINDOW(d->window));
}
