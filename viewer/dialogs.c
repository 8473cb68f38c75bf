/* SPDX-License-Identifier: MIT */
#include "viewer/dialogs.h"

#include <string.h>

#include <glib/gi18n.h>

#include "sumac/client.h"
#include "viewer/error_words.h"

/* A question that waits for its answer; freed with the dialog. */
struct question {
    void (*answer_text)(const char *password, gpointer opaque);
    void (*answer)(gpointer opaque);
    gpointer opaque;
    char *text; /* owned: what was typed; the entry may be gone when the answer comes */
};

static void forget_text(struct question *question)
{
    if (question->text)
        explicit_bzero(question->text, strlen(question->text));
    g_clear_pointer(&question->text, g_free);
}

static void free_question(gpointer data, GClosure *closure)
{
    (void)closure;
    struct question *question = data;
    forget_text(question);
    g_free(question);
}

/* ---- Password ---- */

static void on_password(AdwMessageDialog *dialog, const char *response, struct question *question)
{
    /* The toolkit's entry looks after itself badly if it goes while it has the focus. */
    gtk_window_set_focus(GTK_WINDOW(dialog), NULL);
    bool is_given = g_strcmp0(response, "connect") == 0;
    const char *text = question->text ? question->text : "";
    question->answer_text(is_given ? text : NULL, question->opaque);
}

static void on_typed(GtkEditable *entry, struct question *question)
{
    forget_text(question);
    question->text = g_strdup(gtk_editable_get_text(entry));
}

void sm_dialog_ask_password(GtkWindow *parent, const char *machine_name, bool was_wrong,
                            void (*answer)(const char *password, gpointer opaque), gpointer opaque)
{
    GtkWidget *dialog = adw_message_dialog_new(parent, _("Password Needed"), NULL);
    adw_message_dialog_format_body(
        ADW_MESSAGE_DIALOG(dialog),
        was_wrong ? _("This was not the password of “%s”, or its time has passed.")
                  : _("“%s” asks for a password."),
        machine_name);
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "connect",
                                     _("C_onnect"), NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "connect",
                                               ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "connect");
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");

    GtkWidget *entry = gtk_password_entry_new();
    gtk_password_entry_set_show_peek_icon(GTK_PASSWORD_ENTRY(entry), TRUE);
    g_object_set(entry, "activates-default", TRUE, "placeholder-text", _("Password"), NULL);
    adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog), entry);

    struct question *question = g_new0(struct question, 1);
    *question = (struct question){.answer_text = answer, .opaque = opaque};
    g_signal_connect(entry, "changed", G_CALLBACK(on_typed), question);
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_password), question, free_question, 0);
    gtk_window_present(GTK_WINDOW(dialog));
    gtk_widget_grab_focus(entry);
}

/* ---- Others ---- */

void sm_dialog_tell_error(GtkWindow *parent, const struct sm_error *error)
{
    GtkWidget *dialog = adw_message_dialog_new(parent, _("That Did Not Work"), NULL);
    g_autofree char *cause = sm_error_words_cause(error, NULL);
    g_autofree char *cure = sm_error_words_cure(error, NULL);
    adw_message_dialog_format_body(ADW_MESSAGE_DIALOG(dialog), "%s%s%s", cause,
                                   cure[0] ? "\n\n" : "", cure);
    adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"));
    gtk_window_present(GTK_WINDOW(dialog));
}

static void on_close_answer(AdwMessageDialog *dialog, const char *response,
                            struct question *question)
{
    (void)dialog;
    if (g_strcmp0(response, "end") == 0)
        question->answer(question->opaque);
}

void sm_dialog_ask_close(GtkWindow *parent, const char *machine_name,
                         void (*answer)(gpointer opaque), gpointer opaque)
{
    GtkWidget *dialog = adw_message_dialog_new(parent, _("Close the Session?"), NULL);
    adw_message_dialog_format_body(ADW_MESSAGE_DIALOG(dialog),
                                   _("“%s” keeps running; you only stop looking at it."),
                                   machine_name);
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "end",
                                     _("C_lose"), NULL);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "end");
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    struct question *question = g_new0(struct question, 1);
    *question = (struct question){.answer = answer, .opaque = opaque};
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_close_answer), question, free_question,
                          0);
    gtk_window_present(GTK_WINDOW(dialog));
}

void sm_dialog_show_about(GtkWindow *parent)
{
    adw_show_about_window(parent, "application-name", "Sumac", "application-icon",
                          "org.sumac.Viewer", "version", sm_client_version(), "comments",
                          _("Shows the screen of a virtual machine, wherever it runs"),
                          "license-type", GTK_LICENSE_MIT_X11, NULL);
}
