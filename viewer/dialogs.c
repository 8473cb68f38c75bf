/* SPDX-License-Identifier: MIT */
#include "viewer/dialogs.h"

#include <string.h>

#include <glib/gi18n.h>

#include "sumac/client.h"
#include "viewer/error_words.h"
#include "viewer/names.h"

/* A question that waits for its answer; freed with the dialog. */
struct question {
    sm_dialog_login *answer_login;
    void (*answer)(gpointer opaque);
    gpointer opaque;
    char *user,
        *password; /* owned: what was typed; the entries may be gone when the answer comes */
};

static void forget(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    g_clear_pointer(text, g_free);
}

static void free_question(gpointer data, GClosure *closure)
{
    (void)closure;
    struct question *question = data;
    g_free(question->user);
    forget(&question->password);
    g_free(question);
}

/* ---- Logging in ---- */

static void on_login(AdwMessageDialog *dialog, const char *response, struct question *question)
{
    /* The toolkit's entry looks after itself badly if it goes while it has the focus. */
    gtk_window_set_focus(GTK_WINDOW(dialog), NULL);
    bool is_given = g_strcmp0(response, "connect") == 0;
    const char *password = question->password ? question->password : "";
    question->answer_login(question->user, is_given ? password : NULL, question->opaque);
}

static void on_user_typed(GtkEditable *entry, struct question *question)
{
    g_free(question->user);
    question->user = g_strdup(gtk_editable_get_text(entry));
}

static void on_password_typed(GtkEditable *entry, struct question *question)
{
    forget(&question->password);
    question->password = g_strdup(gtk_editable_get_text(entry));
}

/* A field says what it is for, also to who does not see it. */
static void name_field(GtkWidget *entry, const char *name)
{
    g_object_set(entry, "placeholder-text", name, NULL);
    sm_name_control(entry, name);
}

/* Return leads on to the password. */
static GtkWidget *make_user_field(struct question *question, GtkWidget *password)
{
    GtkWidget *entry = gtk_entry_new();
    name_field(entry, _("User Name"));
    gtk_editable_set_text(GTK_EDITABLE(entry), question->user);
    g_signal_connect(entry, "changed", G_CALLBACK(on_user_typed), question);
    g_signal_connect_swapped(entry, "activate", G_CALLBACK(gtk_widget_grab_focus), password);
    return entry;
}

static GtkWidget *make_password_field(struct question *question)
{
    GtkWidget *entry = gtk_password_entry_new();
    gtk_password_entry_set_show_peek_icon(GTK_PASSWORD_ENTRY(entry), TRUE);
    g_object_set(entry, "activates-default", TRUE, NULL);
    name_field(entry, _("Password"));
    g_signal_connect(entry, "changed", G_CALLBACK(on_password_typed), question);
    return entry;
}

static char *login_words(const char *machine_name, bool has_user, bool was_wrong)
{
    const char *scheme = strstr(machine_name, "://"); /* says nothing to who is asked */
    machine_name = scheme ? scheme + 3 : machine_name;
    if (has_user)
        return g_strdup_printf(was_wrong
                                   ? _("“%s” did not accept this user name with this password.")
                                   : _("“%s” asks for a user name and a password."),
                               machine_name);
    return g_strdup_printf(was_wrong
                               ? _("This was not the password of “%s”, or its time has passed.")
                               : _("“%s” asks for a password."),
                           machine_name);
}

void sm_dialog_ask_login(GtkWindow *parent, const char *machine_name, const char *user,
                         bool was_wrong, sm_dialog_login *answer, gpointer opaque)
{
    const char *heading = user ? _("Log In") : _("Password Needed");
    if (was_wrong)
        heading = user ? _("Login Refused") : _("Wrong Password");
    GtkWidget *dialog = adw_message_dialog_new(parent, heading, NULL);
    g_autofree char *body = login_words(machine_name, user != NULL, was_wrong);
    adw_message_dialog_set_body(ADW_MESSAGE_DIALOG(dialog), body);
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "connect",
                                     _("C_onnect"), NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "connect",
                                               ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "connect");
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");

    struct question *question = g_new0(struct question, 1);
    *question = (struct question){.answer_login = answer, .opaque = opaque, .user = g_strdup(user)};
    GtkWidget *fields = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *password = make_password_field(question), *first = password;
    if (user) {
        GtkWidget *name = make_user_field(question, password);
        gtk_box_append(GTK_BOX(fields), name);
        first = user[0] ? password : name;
    }
    gtk_box_append(GTK_BOX(fields), password);
    adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog), fields);
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_login), question, free_question, 0);
    gtk_window_present(GTK_WINDOW(dialog));
    gtk_widget_grab_focus(first);
}

/* ---- Others ---- */

void sm_dialog_tell_error(GtkWindow *parent, const struct sm_error *error)
{
    g_autofree char *text = NULL;
    g_autofree char *heading = sm_error_words_heading(error, &text, NULL);
    GtkWidget *dialog = adw_message_dialog_new(parent, heading, text);
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
