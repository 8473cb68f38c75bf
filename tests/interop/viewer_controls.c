/* SPDX-License-Identifier: MIT */
/*
 * Opens every window of the viewer, but for the toolkit's own, and looks at all their controls and
 * menus: what takes the focus has a name for whoever does not see it, and no two entries of a menu,
 * no two controls of a window, have the same key. Tab leads to each of them and comes around, and a
 * dialog that closes leaves the focus where it was.
 *
 * usage: viewer-controls LOCALES ADDRESS CD
 *
 * Prints a line for each fault, then how much was looked at.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <adwaita.h>
#include <glib/gi18n.h>

#include "viewer/details.h"
#include "viewer/dialogs.h"
#include "viewer/keymap_dialog.h"
#include "viewer/machine.h"
#include "viewer/options.h"
#include "viewer/start_window.h"
#include "viewer/usb_dialog.h"
#include "viewer/window_private.h"

enum { LOOK_MS = 50 };

struct census {
    AdwApplication *application;
    const char *address, *cd;
    SmWindow *window; /* borrowed */
    bool is_dialog;   /* what is looked at */
    int controls, entries, walked, faults;
};

static void complain(struct census *c, const char *where, const char *what)
{
    printf("%s: %s\n", where, what);
    c->faults++;
}

/* ---- Names ---- */

static bool has_words(GtkWidget *widget)
{
    if (GTK_IS_LABEL(widget) && *gtk_label_get_text(GTK_LABEL(widget)))
        return true;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        if (has_words(child))
            return true;
    return false;
}

static bool has_name(GtkWidget *widget)
{
    GtkAccessible *accessible = GTK_ACCESSIBLE(widget);
    if (gtk_test_accessible_has_property(accessible, GTK_ACCESSIBLE_PROPERTY_LABEL))
        return true;
    /* Buttons say that they are labelled by what is in them, also if that is a picture. */
    if (!GTK_IS_BUTTON(widget) &&
        gtk_test_accessible_has_relation(accessible, GTK_ACCESSIBLE_RELATION_LABELLED_BY))
        return true;
    /* An entry has its name, what is written into within it the focus. The toolkit's own search is
     * not for us to name. */
    if (GTK_IS_TEXT(widget))
        return GTK_IS_SEARCH_ENTRY(gtk_widget_get_parent(widget)) ||
               has_name(gtk_widget_get_parent(widget));
    return has_words(widget);
}

/* What only holds others, and moves them or the focus. */
static bool is_frame(GtkWidget *widget)
{
    return GTK_IS_SCROLLED_WINDOW(widget) || GTK_IS_POPOVER(widget) || GTK_IS_WINDOW(widget) ||
           GTK_IS_LIST_BOX(widget) || GTK_IS_STACK(widget);
}

static void look_at_controls(struct census *c, const char *where, GtkWidget *widget)
{
    /* Parts of the toolkit's dialogs that we do not use. */
    if (c->is_dialog && (!gtk_widget_get_visible(widget) || ADW_IS_VIEW_SWITCHER(widget)))
        return;
    if (gtk_widget_get_focusable(widget) && !is_frame(widget)) {
        c->controls++;
        if (!has_name(widget)) {
            g_autofree char *what =
                g_strdup_printf("%s in %s has no name", G_OBJECT_TYPE_NAME(widget),
                                G_OBJECT_TYPE_NAME(gtk_widget_get_parent(widget)));
            complain(c, where, what);
        }
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        look_at_controls(c, where, child);
}

/* ---- Keys ---- */

static void take_key(struct census *c, const char *where, GHashTable *keys, gunichar key,
                     const char *text)
{
    gpointer folded = GUINT_TO_POINTER((guint)g_unichar_tolower(key));
    const char *other = g_hash_table_lookup(keys, folded);
    if (other) {
        g_autofree char *what = g_strdup_printf("“%s” and “%s” have the same key", other, text);
        complain(c, where, what);
    }
    g_hash_table_insert(keys, folded, g_strdup(text));
}

/* 0 if the text has none; two underscores are one that is shown. */
static gunichar key_of(const char *text)
{
    for (const char *at = strchr(text, '_'); at; at = strchr(at + 2, '_')) {
        if (at[1] == '\0')
            return 0;
        if (at[1] != '_')
            return g_utf8_get_char(at + 1);
    }
    return 0;
}

/* `all_have_keys`: an entry without one is a fault, too. */
static void look_at_menu(struct census *c, const char *where, GMenuModel *menu, GHashTable *keys,
                         bool all_have_keys)
{
    for (int i = 0; i < g_menu_model_get_n_items(menu); i++) {
        g_autoptr(GMenuModel) section = g_menu_model_get_item_link(menu, i, G_MENU_LINK_SECTION);
        if (section) {
            look_at_menu(c, where, section, keys, all_have_keys);
            continue;
        }
        g_autofree char *text = NULL;
        if (!g_menu_model_get_item_attribute(menu, i, G_MENU_ATTRIBUTE_LABEL, "s", &text))
            continue;
        c->entries++;
        gunichar key = key_of(text);
        if (key)
            take_key(c, where, keys, key, text);
        else if (all_have_keys)
            complain(c, where, text);
        g_autoptr(GMenuModel) below = g_menu_model_get_item_link(menu, i, G_MENU_LINK_SUBMENU);
        g_autoptr(GHashTable) own = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        if (below)
            look_at_menu(c, text, below, own, false);
    }
}

/* A question has its answers twice, beside and below each other, and shows them once. */
static void take_label(struct census *c, const char *where, GHashTable *keys, gunichar key,
                       const char *text)
{
    const char *other = g_hash_table_lookup(keys, GUINT_TO_POINTER((guint)g_unichar_tolower(key)));
    if (g_strcmp0(other, text) != 0)
        take_key(c, where, keys, key, text);
}

static void look_at_labels(struct census *c, const char *where, GtkWidget *widget, GHashTable *keys)
{
    if (GTK_IS_POPOVER(widget))
        return; /* is seen alone; menus are looked at above */
    guint key = GTK_IS_LABEL(widget) ? gtk_label_get_mnemonic_keyval(GTK_LABEL(widget))
                                     : GDK_KEY_VoidSymbol;
    if (key != GDK_KEY_VoidSymbol)
        take_label(c, where, keys, gdk_keyval_to_unicode(key),
                   gtk_label_get_label(GTK_LABEL(widget)));
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        look_at_labels(c, where, child, keys);
}

/* ---- Tab ---- */

/* What can have the focus now, as Tab should find it. */
static void gather(GtkWidget *widget, GHashTable *controls)
{
    if (!gtk_widget_get_mapped(widget) || !gtk_widget_is_sensitive(widget) ||
        GTK_IS_POPOVER(widget) || !gtk_widget_get_can_focus(widget))
        return;
    if (gtk_widget_get_focusable(widget) && !is_frame(widget))
        g_hash_table_add(controls, widget);
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        gather(child, controls);
}

/* Presses Tab until each of `controls` was met, and on to the first; false if that takes too long.
 */
static bool is_all_met(GtkWindow *window, GHashTable *controls, GtkDirectionType direction)
{
    guint count = g_hash_table_size(controls);
    g_autoptr(GHashTable) left = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    gpointer one;
    g_hash_table_iter_init(&iter, controls);
    while (g_hash_table_iter_next(&iter, &one, NULL))
        g_hash_table_add(left, one);
    GtkWidget *first = NULL, *focus = NULL;
    for (guint i = 0; i < 3 * count + 3 && (g_hash_table_size(left) > 0 || focus != first); i++) {
        g_signal_emit_by_name(window, "move-focus", direction);
        focus = gtk_window_get_focus(window);
        first = first ? first : focus;
        g_hash_table_remove(left, focus);
    }
    g_hash_table_iter_init(&iter, left);
    while (g_hash_table_iter_next(&iter, &one, NULL))
        printf("not met: %s in %s\n", G_OBJECT_TYPE_NAME(one),
               G_OBJECT_TYPE_NAME(gtk_widget_get_parent(one)));
    return g_hash_table_size(left) == 0 && focus == first;
}

/* Has a page that goes while another one comes: both could have the focus. */
static bool is_turning(GtkWidget *widget)
{
    if (GTK_IS_STACK(widget) && gtk_stack_get_transition_running(GTK_STACK(widget)))
        return true;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        if (is_turning(child))
            return true;
    return false;
}

static void walk(struct census *c, const char *where, GtkWidget *window)
{
    while (gtk_widget_get_width(window) == 0 || is_turning(window)) /* waits for its frames */
        g_main_context_iteration(NULL, TRUE);
    g_autoptr(GHashTable) controls = g_hash_table_new(NULL, NULL);
    gather(window, controls);
    c->walked += (int)g_hash_table_size(controls);
    if (!is_all_met(GTK_WINDOW(window), controls, GTK_DIR_TAB_FORWARD))
        complain(c, where, "Tab does not lead everywhere");
    if (!is_all_met(GTK_WINDOW(window), controls, GTK_DIR_TAB_BACKWARD))
        complain(c, where, "Shift+Tab does not lead everywhere");
}

static void look_at(struct census *c, const char *where, GtkWidget *window)
{
    g_autoptr(GHashTable) keys = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    look_at_controls(c, where, window);
    look_at_labels(c, where, window, keys);
    walk(c, where, window);
}

/* ---- The windows ---- */

static bool is_new(gpointer window, GList *before)
{
    return g_list_find(before, window) == NULL;
}

/* The window that has come since `before`, which is freed. */
static GtkWidget *newest(GList *before)
{
    GListModel *all = gtk_window_get_toplevels();
    GtkWidget *found = NULL;
    for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
        g_autoptr(GtkWidget) one = g_list_model_get_item(all, i);
        if (is_new(one, before))
            found = one;
    }
    g_list_free(before);
    return found;
}

static void look_at_newest(struct census *c, const char *where, GList *before)
{
    GtkWidget *window = newest(before);
    if (!window) {
        complain(c, where, "no window");
        return;
    }
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(c->window));
    c->is_dialog = true;
    look_at(c, where, window);
    c->is_dialog = false;
    gtk_window_set_focus(GTK_WINDOW(window), NULL);
    gtk_window_destroy(GTK_WINDOW(window));
    if (!focus || gtk_window_get_focus(GTK_WINDOW(c->window)) != focus)
        complain(c, where, "the focus is not where it was before");
}

static void on_login(const char *user, const char *password, gpointer opaque)
{
    (void)user, (void)password, (void)opaque;
}

static void on_close(gpointer opaque)
{
    (void)opaque;
}

static void look_at_dialogs(struct census *c)
{
    GtkWindow *parent = GTK_WINDOW(c->window);
    const struct sm_error error = {.cause = "a cause", .cure = "a cure"};
    GList *before = gtk_window_list_toplevels();
    sm_dialog_ask_login(parent, "machine", "", false, on_login, NULL);
    look_at_newest(c, "logging in", before);
    before = gtk_window_list_toplevels();
    sm_dialog_tell_error(parent, &error);
    look_at_newest(c, "an error", before);
    before = gtk_window_list_toplevels();
    sm_dialog_ask_close(parent, "machine", on_close, NULL);
    look_at_newest(c, "closing", before);
    before = gtk_window_list_toplevels();
    sm_keymap_dialog_show(parent, c->window->machine);
    look_at_newest(c, "key map", before);
    before = gtk_window_list_toplevels();
    sm_details_show(parent, sm_machine_connection(c->window->machine));
    look_at_newest(c, "details", before);
    struct sm_viewer_options options;
    sm_viewer_options_copy_for(&options, sm_machine_options(c->window->machine), NULL);
    GtkWidget *start = GTK_WIDGET(sm_start_window_new(c->application, &options));
    gtk_window_present(GTK_WINDOW(start));
    look_at(c, "start page", start);
    gtk_window_destroy(GTK_WINDOW(start));
    sm_viewer_options_finish(&options);
}

static void look_at_menus(struct census *c)
{
    g_autoptr(GMenuModel) main_menu = sm_window_main_menu(c->window);
    g_autoptr(GMenuModel) keys_menu = sm_window_keys_menu();
    g_autoptr(GHashTable) main_keys = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_autoptr(GHashTable) keys_keys = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    look_at_menu(c, "main menu", main_menu, main_keys, true);
    look_at_menu(c, "keys menu", keys_menu, keys_keys, true);
}

static bool has_picture(const struct census *c)
{
    for (size_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
        if (c->window->views[i] && sm_view_has_picture(c->window->views[i]))
            return true;
    return false;
}

static gboolean look(gpointer opaque)
{
    struct census *c = opaque;
    if (!has_picture(c))
        return G_SOURCE_CONTINUE; /* whoever started us loses patience one day */
    /* With a device in it, which has a row of its own. */
    struct sm_session *session = sm_connection_session(sm_machine_connection(c->window->machine));
    struct sm_error error;
    if (sm_session_add_cd(session, c->cd, NULL, &error) != SM_OK)
        complain(c, "a CD", error.cause);
    GList *before = gtk_window_list_toplevels();
    sm_usb_dialog_show(GTK_WINDOW(c->window), sm_machine_connection(c->window->machine));
    look_at_newest(c, "USB", before);
    look_at(c, "a window", GTK_WIDGET(c->window));
    look_at_dialogs(c);
    look_at_menus(c);
    printf("words like “%s”\n%d controls, %d of them by Tab, %d entries, %d faults\n",
           _("Send keys"), c->controls, c->walked, c->entries, c->faults);
    sm_machine_close(c->window->machine);
    return G_SOURCE_REMOVE;
}

static void on_activate(GApplication *application, struct census *c)
{
    const char *words[] = {"viewer-controls", c->address, NULL};
    struct sm_viewer_options options;
    struct sm_error error;
    g_autoptr(GError) misread = NULL;
    if (!sm_viewer_options_parse(&options, g_strdupv((char **)words), &misread)) {
        complain(c, c->address, misread->message);
        sm_viewer_options_finish(&options);
        return;
    }
    if (!sm_machine_open(ADW_APPLICATION(application), &options, &error)) {
        complain(c, c->address, error.cause);
        return;
    }
    c->window = SM_WINDOW(gtk_application_get_windows(GTK_APPLICATION(application))->data);
    g_timeout_add(LOOK_MS, look, c);
}

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, words[1]);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    struct census census = {
        .application = adw_application_new("org.sumac.Controls", G_APPLICATION_NON_UNIQUE),
        .address = words[2],
        .cd = words[3],
    };
    g_signal_connect(census.application, "activate", G_CALLBACK(on_activate), &census);
    int status = g_application_run(G_APPLICATION(census.application), 1, words);
    g_object_unref(census.application);
    return status || census.faults || !census.controls ? 1 : 0;
}
