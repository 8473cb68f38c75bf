/* SPDX-License-Identifier: MIT */
#include "viewer/screenshot.h"

#include <glib/gi18n.h>

/* A question that waits for its answer. */
struct saving {
    GdkTexture *texture;     /* owned */
    AdwToastOverlay *toasts; /* held */
    GtkFileChooserNative *chooser;
};

static void save(struct saving *saving)
{
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(saving->chooser));
    g_autofree char *path = file ? g_file_get_path(file) : NULL;
    g_autoptr(GBytes) png = gdk_texture_save_to_png_bytes(saving->texture);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize size;
    const char *data = g_bytes_get_data(png, &size);
    if (!path)
        text = g_strdup(_("Not saved: choose a folder of this computer"));
    else if (!g_file_set_contents(path, data, (gssize)size, &error))
        text = g_strdup_printf(_("Not saved: %s"), error->message);
    else
        text = g_strdup_printf(_("Saved as %s"), path);
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    adw_toast_overlay_add_toast(saving->toasts, adw_toast_new(escaped));
}

static void on_response(GtkNativeDialog *dialog, int response, struct saving *saving)
{
    if (response == GTK_RESPONSE_ACCEPT)
        save(saving);
    g_object_unref(saving->texture);
    g_object_unref(saving->toasts);
    g_object_unref(dialog);
    g_free(saving);
}

void sm_screenshot_save_as(GtkWindow *parent, AdwToastOverlay *toasts, GdkTexture *texture)
{
    struct saving *saving = g_new0(struct saving, 1);
    saving->texture = texture;
    saving->toasts = g_object_ref(toasts);
    saving->chooser = gtk_file_chooser_native_new(_("Save Screenshot"), parent,
                                                  GTK_FILE_CHOOSER_ACTION_SAVE, NULL, NULL);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *name = g_date_time_format(now, _("Screenshot %Y-%m-%d %H-%M-%S.png"));
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(saving->chooser), name);
    g_signal_connect(saving->chooser, "response", G_CALLBACK(on_response), saving);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(saving->chooser));
}
