/* SPDX-License-Identifier: MIT */
#include "viewer/keymap_dialog.h"

#include <string.h>

#include <glib/gi18n.h>

#include "viewer/names.h"

/* A dialog that is open; freed with it. */
struct keymap_dialog {
    AdwMessageDialog *dialog;   /* borrowed: it owns us */
    struct sm_machine *machine; /* borrowed */
    GtkWidget *problem;         /* borrowed from the tree of widgets */
    char *text;                 /* owned: what was typed; the entry may be gone at the end */
};

static void forget(gpointer data, GClosure *closure)
{
    (void)closure;
    struct keymap_dialog *d = data;
    g_free(d->text);
    g_free(d);
}

static void on_typed(GtkEditable *entry, struct keymap_dialog *d)
{
    g_autoptr(GError) error = NULL;
    struct sm_keymap map;
    g_free(d->text);
    d->text = g_strdup(gtk_editable_get_text(entry));
    bool is_good = sm_keymap_parse(&map, d->text, &error);
    if (is_good && strlen(d->text) >= SM_SETTINGS_KEYMAP_SIZE) {
        is_good = false;
        gtk_label_set_text(GTK_LABEL(d->problem), _("That is too long"));
    } else {
        gtk_label_set_text(GTK_LABEL(d->problem), is_good ? "" : error->message);
    }
    adw_message_dialog_set_response_enabled(d->dialog, "remember", is_good);
}

static void on_answer(AdwMessageDialog *dialog, const char *response, struct keymap_dialog *d)
{
    gtk_window_set_focus(GTK_WINDOW(dialog), NULL); /* an entry must not go with the focus */
    if (g_strcmp0(response, "remember") != 0 || !d->text)
        return;
    struct sm_settings settings = *sm_machine_settings(d->machine);
    g_strlcpy(settings.keymap, d->text, sizeof(settings.keymap));
    sm_machine_change_settings(d->machine, &settings);
}

void sm_keymap_dialog_show(GtkWindow *parent, struct sm_machine *machine)
{
    GtkWidget *widget = adw_message_dialog_new(parent, _("Key Map of This Machine"), NULL);
    AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG(widget);
    adw_message_dialog_set_body(
        dialog,
        sm_machine_options(machine)->has_keymap
            ? _("The command line's key map (--keymap) holds this time; this one the next.")
            : _("What the machine gets instead of some keys. One with nothing behind its “=” is "
                "not sent."));
    adw_message_dialog_add_responses(dialog, "cancel", _("_Cancel"), "remember", _("_Remember"),
                                     NULL);
    adw_message_dialog_set_response_appearance(dialog, "remember", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(dialog, "remember");
    adw_message_dialog_set_close_response(dialog, "cancel");

    struct keymap_dialog *d = g_new0(struct keymap_dialog, 1);
    *d = (struct keymap_dialog){.dialog = dialog, .machine = machine};
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *entry = gtk_entry_new();
    sm_name_control(entry, _("Key Map of This Machine"));
    gtk_editable_set_text(GTK_EDITABLE(entry), sm_machine_settings(machine)->keymap);
    g_object_set(entry, "activates-default", TRUE, "placeholder-text",
                 "Super_L=,Caps_Lock=Control_L,F1=Shift_L+F1", NULL);
    gtk_box_append(GTK_BOX(box), entry);
    d->problem = gtk_label_new("");
    gtk_label_set_wrap(GTK_LABEL(d->problem), TRUE);
    gtk_label_set_xalign(GTK_LABEL(d->problem), 0);
    gtk_widget_add_css_class(d->problem, "error");
    gtk_widget_add_css_class(d->problem, "caption");
    gtk_box_append(GTK_BOX(box), d->problem);
    adw_message_dialog_set_extra_child(dialog, box);
    g_signal_connect(entry, "changed", G_CALLBACK(on_typed), d);
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_answer), d, forget, 0);
    gtk_window_present(GTK_WINDOW(dialog));
    gtk_widget_grab_focus(entry);
}
