/* SPDX-License-Identifier: MIT */
/* What a window is made of. */
#include <glib/gi18n.h>

#include "viewer/activity.h"
#include "viewer/files.h"
#include "viewer/names.h"
#include "viewer/sound.h"
#include "viewer/window_private.h"

static GtkWidget *menu_button(const char *icon, const char *tip, GMenuModel *menu)
{
    GtkWidget *button = gtk_menu_button_new();
    gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(button), icon);
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), menu);
    sm_name_and_tip(button, tip);
    g_object_unref(menu);
    return button;
}

static GtkWidget *action_button(const char *icon, const char *tip, const char *action)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);
    sm_name_and_tip(button, tip);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    return button;
}

/* `menu` is borrowed, here and below. */
static GtkWidget *make_header(SmWindow *window, GMenuModel *menu)
{
    GtkWidget *header = adw_header_bar_new();
    AdwHeaderBar *bar = ADW_HEADER_BAR(header);
    window->title = adw_window_title_new("", "");
    adw_header_bar_set_title_widget(bar, window->title);
    adw_header_bar_pack_start(
        bar, menu_button("input-keyboard-symbolic", _("Send keys"), sm_window_keys_menu()));
    adw_header_bar_pack_start(bar, sm_quality_button(&window->quality));
    window->menu = menu_button("open-menu-symbolic", _("Menu"), g_object_ref(menu));
    gtk_menu_button_set_primary(GTK_MENU_BUTTON(window->menu), TRUE);
    adw_header_bar_pack_end(bar, window->menu);
    adw_header_bar_pack_end(
        bar, action_button("view-fullscreen-symbolic", _("Full screen"), "win.fullscreen"));
    window->microphone = sm_sound_indicator();
    adw_header_bar_pack_end(bar, window->microphone);
    return header;
}

static GtkWidget *make_status(SmWindow *window)
{
    window->status = adw_status_page_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
    window->activity = sm_activity_new();
    window->retry = gtk_button_new_with_mnemonic(_("_Try Again"));
    gtk_widget_add_css_class(window->retry, "pill");
    gtk_widget_add_css_class(window->retry, "suggested-action");
    gtk_box_append(GTK_BOX(box), window->activity);
    gtk_box_append(GTK_BOX(box), window->retry);
    window->other = gtk_button_new_with_mnemonic(_("_Another Machine"));
    gtk_widget_add_css_class(window->other, "pill");
    gtk_actionable_set_action_name(GTK_ACTIONABLE(window->other), "app.new");
    gtk_box_append(GTK_BOX(box), window->other);
    adw_status_page_set_child(ADW_STATUS_PAGE(window->status), box);
    return window->status;
}

/* In full screen, at the upper edge. */
static GtkWidget *make_bar(SmWindow *window, GMenuModel *menu)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    gtk_widget_add_css_class(row, "osd");
    gtk_widget_add_css_class(row, "toolbar");
    gtk_widget_add_css_class(row, "fullscreen-bar");
    gtk_box_append(GTK_BOX(row),
                   menu_button("input-keyboard-symbolic", _("Send keys"), sm_window_keys_menu()));
    window->bar_title = gtk_label_new("");
    gtk_widget_add_css_class(window->bar_title, "heading");
    gtk_box_append(GTK_BOX(row), window->bar_title);
    window->bar_microphone = sm_sound_indicator();
    gtk_box_append(GTK_BOX(row), window->bar_microphone);
    window->bar_menu = menu_button("open-menu-symbolic", _("Menu"), g_object_ref(menu));
    gtk_box_append(GTK_BOX(row), window->bar_menu);
    gtk_box_append(GTK_BOX(row), action_button("view-restore-symbolic", _("Leave full screen"),
                                               "win.fullscreen"));
    gtk_box_append(GTK_BOX(row),
                   action_button("window-close-symbolic", _("Disconnect"), "win.disconnect"));
    window->bar = gtk_revealer_new();
    gtk_revealer_set_child(GTK_REVEALER(window->bar), row);
    gtk_widget_set_halign(window->bar, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(window->bar, GTK_ALIGN_START);
    return window->bar;
}

static GtkWidget *make_screen(SmWindow *window, GMenuModel *menu)
{
    window->screen = gtk_overlay_new();
    gtk_overlay_set_child(GTK_OVERLAY(window->screen), GTK_WIDGET(window->wall));
    gtk_overlay_add_overlay(GTK_OVERLAY(window->screen), sm_files_card(window));
    gtk_overlay_add_overlay(GTK_OVERLAY(window->screen), sm_line_card_make(&window->line));
    gtk_overlay_add_overlay(GTK_OVERLAY(window->screen), make_bar(window, menu));
    return window->screen;
}

void sm_window_build(SmWindow *window)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    /* One for the two places, so that who is there is known in both. */
    g_autoptr(GMenuModel) menu = sm_window_main_menu(window);
    window->header = make_header(window, menu);
    gtk_box_append(GTK_BOX(box), window->header);
    window->stack = gtk_stack_new();
    /* Without a fade: the first picture is there at once, and is not painted a dozen times. */
    gtk_stack_set_transition_type(GTK_STACK(window->stack), GTK_STACK_TRANSITION_TYPE_NONE);
    /* What is not seen must not ask for room: the window is as large as the guest's screen. */
    gtk_stack_set_hhomogeneous(GTK_STACK(window->stack), FALSE);
    gtk_stack_set_vhomogeneous(GTK_STACK(window->stack), FALSE);
    gtk_stack_add_child(GTK_STACK(window->stack), make_status(window));
    gtk_stack_add_child(GTK_STACK(window->stack), make_screen(window, menu));
    window->toasts = adw_toast_overlay_new();
    adw_toast_overlay_set_child(ADW_TOAST_OVERLAY(window->toasts), window->stack);
    gtk_widget_set_vexpand(window->toasts, TRUE);
    gtk_box_append(GTK_BOX(box), window->toasts);
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(window), box);
    gtk_window_set_default_size(GTK_WINDOW(window), 1024, 768 + 47);
}
