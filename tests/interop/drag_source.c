/* SPDX-License-Identifier: MIT */
/*
 * A window full of one file that can be dragged out of it, as from a file manager.
 *
 * usage: drag-source PATH
 */
#include <gtk/gtk.h>

static void show(GtkApplication *application, GFile **files, int count, const char *hint,
                 void *user)
{
    (void)hint, (void)user;
    GdkFileList *list = gdk_file_list_new_from_array(files, (gsize)count);
    GtkDragSource *source = gtk_drag_source_new();
    gtk_drag_source_set_content(source, gdk_content_provider_new_typed(GDK_TYPE_FILE_LIST, list));
    gtk_drag_source_set_actions(source, GDK_ACTION_COPY);
    g_boxed_free(GDK_TYPE_FILE_LIST, list);

    GtkWidget *window = gtk_application_window_new(application);
    GtkWidget *label = gtk_label_new(g_file_peek_path(files[0]));
    gtk_widget_add_controller(label, GTK_EVENT_CONTROLLER(source));
    gtk_window_set_child(GTK_WINDOW(window), label);
    gtk_window_set_title(GTK_WINDOW(window), "drag-source");
    gtk_window_set_default_size(GTK_WINDOW(window), 200, 120);
    gtk_window_present(GTK_WINDOW(window));
}

int main(int count, char **words)
{
    GtkApplication *application =
        gtk_application_new(NULL, G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE);
    g_signal_connect(application, "open", G_CALLBACK(show), NULL);
    int status = g_application_run(G_APPLICATION(application), count, words);
    g_object_unref(application);
    return status;
}
