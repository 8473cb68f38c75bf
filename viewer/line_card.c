/* SPDX-License-Identifier: MIT */
#include "viewer/line_card.h"

#include <glib/gi18n.h>

#include "viewer/activity.h"
#include "viewer/error_words.h"

GtkWidget *sm_line_card_make(struct sm_line_card *card)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    gtk_widget_add_css_class(row, "osd");
    gtk_widget_add_css_class(row, "lost-card");
    gtk_box_append(GTK_BOX(row), sm_activity_new());

    GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    card->heading = gtk_label_new("");
    gtk_widget_add_css_class(card->heading, "heading");
    gtk_label_set_xalign(GTK_LABEL(card->heading), 0);
    card->text = gtk_label_new("");
    gtk_label_set_xalign(GTK_LABEL(card->text), 0);
    gtk_label_set_wrap(GTK_LABEL(card->text), TRUE);
    gtk_widget_add_css_class(card->text, "caption");
    gtk_box_append(GTK_BOX(texts), card->heading);
    gtk_box_append(GTK_BOX(texts), card->text);
    gtk_widget_set_hexpand(texts, TRUE);
    gtk_box_append(GTK_BOX(row), texts);

    GtkWidget *end = gtk_button_new_with_mnemonic(_("_Disconnect"));
    gtk_actionable_set_action_name(GTK_ACTIONABLE(end), "win.disconnect");
    gtk_widget_set_valign(end, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(row), end);

    card->revealer = gtk_revealer_new();
    gtk_revealer_set_transition_type(GTK_REVEALER(card->revealer),
                                     GTK_REVEALER_TRANSITION_TYPE_CROSSFADE);
    gtk_revealer_set_child(GTK_REVEALER(card->revealer), row);
    gtk_widget_set_halign(card->revealer, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(card->revealer, GTK_ALIGN_END);
    return card->revealer;
}

static void say(struct sm_line_card *card, const char *heading, const char *text)
{
    gtk_label_set_text(GTK_LABEL(card->heading), heading);
    gtk_label_set_text(GTK_LABEL(card->text), text);
    gtk_revealer_set_reveal_child(GTK_REVEALER(card->revealer), TRUE);
}

static uint32_t unanswered_s(struct sm_connection *connection)
{
    struct sm_session *session = sm_connection_session(connection);
    struct sm_session_info info = {.unanswered_ms = 0};
    if (session && sm_connection_state(connection) == SM_CONNECTION_UP)
        sm_session_get_info(session, &info);
    return info.unanswered_ms / 1000;
}

static gboolean on_second(gpointer opaque)
{
    struct sm_line_card *card = opaque;
    card->timer = 0;
    sm_line_card_update(card, card->connection);
    return G_SOURCE_REMOVE;
}

void sm_line_card_update(struct sm_line_card *card, struct sm_connection *connection)
{
    card->connection = connection;
    if (sm_connection_state(connection) == SM_CONNECTION_LOST) {
        g_autofree char *cause = sm_error_words_cause(sm_connection_error(connection), NULL);
        say(card, _("The line is lost; trying again"), cause);
        return;
    }
    uint32_t seconds = unanswered_s(connection);
    if (seconds == 0) {
        gtk_revealer_set_reveal_child(GTK_REVEALER(card->revealer), FALSE);
        return;
    }
    g_autofree char *text = g_strdup_printf(
        ngettext("It has not answered for %u second. It may be stopped, or very busy.",
                 "It has not answered for %u seconds. It may be stopped, or very busy.", seconds),
        seconds);
    say(card, _("The machine does not answer"), text);
    if (!card->timer)
        card->timer = g_timeout_add_seconds(1, on_second, card);
}

void sm_line_card_finish(struct sm_line_card *card)
{
    g_clear_handle_id(&card->timer, g_source_remove);
}
