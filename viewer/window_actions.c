/* SPDX-License-Identifier: MIT */
/* The actions of a window, and the menus that offer them. */
#include <glib/gi18n.h>

#include "viewer/details.h"
#include "viewer/dialogs.h"
#include "viewer/files.h"
#include "viewer/keymap_dialog.h"
#include "viewer/people.h"
#include "viewer/screenshot.h"
#include "viewer/sound.h"
#include "viewer/usb_dialog.h"
#include "viewer/window_devices.h"
#include "viewer/window_private.h"

enum { ZOOM_STEP = 10, ZOOM_MIN = 10, ZOOM_MAX = 400 };

static struct sm_session *session_of(SmWindow *window)
{
    return sm_connection_session(sm_machine_connection(window->machine));
}

static void on_fullscreen(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    bool is_fullscreen = gtk_window_is_fullscreen(GTK_WINDOW(opaque));
    sm_machine_set_fullscreen(SM_WINDOW(opaque)->machine, !is_fullscreen);
}

static void on_release(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    SmWindow *window = opaque;
    for (size_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
        if (window->views[i])
            sm_view_release(window->views[i]);
}

static void zoom_by(SmWindow *window, int step)
{
    struct sm_settings settings = *sm_machine_settings(window->machine);
    settings.zoom_percent = step ? CLAMP(settings.zoom_percent + step, ZOOM_MIN, ZOOM_MAX) : 100;
    sm_machine_change_settings(window->machine, &settings);
}

static void on_zoom_in(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    zoom_by(opaque, ZOOM_STEP);
}

static void on_zoom_out(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    zoom_by(opaque, -ZOOM_STEP);
}

static void on_zoom_reset(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    zoom_by(opaque, 0);
}

static void send_keys(SmWindow *window, const char *names)
{
    struct sm_key_chord chord;
    char bad[16];
    struct sm_session *session = session_of(window);
    if (session && sm_key_chord_parse(&chord, names, bad, sizeof(bad)) == SM_OK &&
        sm_session_send_chord(session, &chord) != SM_OK)
        adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(window->toasts),
                                    adw_toast_new(_("The machine takes no keys")));
}

static void on_send_keys(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    send_keys(opaque, g_variant_get_string(value, NULL));
}

static void on_secure_attention(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    send_keys(opaque, "ctrl-alt-delete");
}

static void on_screenshot(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    SmWindow *window = opaque;
    g_autoptr(GError) error = NULL;
    GdkTexture *texture = sm_wall_screenshot(window->wall, &error);
    if (texture) {
        sm_screenshot_save_as(GTK_WINDOW(window), ADW_TOAST_OVERLAY(window->toasts), texture);
    } else if (error) {
        g_autofree char *text = g_strdup_printf(_("Not saved: %s"), error->message);
        sm_window_say(window, text);
    }
}

static void on_usb(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    SmWindow *window = opaque;
    sm_usb_dialog_show(GTK_WINDOW(window), sm_machine_connection(window->machine));
}

static void on_keymap(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    SmWindow *window = opaque;
    sm_keymap_dialog_show(GTK_WINDOW(window), window->machine);
}

static void on_details(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    SmWindow *window = opaque;
    sm_details_show(GTK_WINDOW(window), sm_machine_connection(window->machine));
}

static void on_about(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    sm_dialog_show_about(GTK_WINDOW(opaque));
}

static void on_disconnect(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    sm_machine_close(SM_WINDOW(opaque)->machine);
}

/* What is on or off, and remembered. */
static void on_setting(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    SmWindow *window = opaque;
    struct sm_settings settings = *sm_machine_settings(window->machine);
    const char *name = g_action_get_name(G_ACTION(action));
    bool is_on = g_variant_get_boolean(value);
    if (g_strcmp0(name, "fill") == 0)
        settings.fills = is_on;
    else if (g_strcmp0(name, "resize-guest") == 0)
        settings.resizes_guest = is_on;
    else
        settings.is_one_window = is_on;
    sm_machine_change_settings(window->machine, &settings);
}

static void on_clipboard(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    SmWindow *window = opaque;
    struct sm_settings settings = *sm_machine_settings(window->machine);
    settings.clipboard_ways = sm_settings_ways(g_variant_get_string(value, NULL));
    sm_machine_change_settings(window->machine, &settings);
}

static void on_view_only(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    sm_machine_set_view_only(SM_WINDOW(opaque)->machine, g_variant_get_boolean(value));
}

void sm_window_add_actions(SmWindow *window)
{
    const GActionEntry entries[] = {
        {.name = "fullscreen", .activate = on_fullscreen, .state = "false"},
        {.name = "release", .activate = on_release},
        {.name = "zoom-in", .activate = on_zoom_in},
        {.name = "zoom-out", .activate = on_zoom_out},
        {.name = "zoom-reset", .activate = on_zoom_reset},
        {.name = "send-keys", .activate = on_send_keys, .parameter_type = "s"},
        {.name = "secure-attention", .activate = on_secure_attention},
        {.name = "screenshot", .activate = on_screenshot},
        {.name = "details", .activate = on_details},
        {.name = "usb", .activate = on_usb},
        {.name = "keymap", .activate = on_keymap},
        {.name = "about", .activate = on_about},
        {.name = "disconnect", .activate = on_disconnect},
        {.name = "fill", .state = "false", .change_state = on_setting},
        {.name = "resize-guest", .state = "true", .change_state = on_setting},
        {.name = "one-window", .state = "false", .change_state = on_setting},
        {.name = "clipboard",
         .parameter_type = "s",
         .state = "'both'",
         .change_state = on_clipboard},
        {.name = "view-only", .state = "false", .change_state = on_view_only},
    };
    GActionMap *map = G_ACTION_MAP(window);
    g_action_map_add_action_entries(map, entries, G_N_ELEMENTS(entries), window);
    sm_sound_add_actions(window);
    sm_files_add_actions(window);
    sm_devices_add_actions(window);
    sm_people_add_actions(window);
    window->fullscreen_action = G_SIMPLE_ACTION(g_action_map_lookup_action(map, "fullscreen"));
    bool is_view_only = sm_machine_is_view_only(window->machine);
    g_simple_action_set_state(G_SIMPLE_ACTION(g_action_map_lookup_action(map, "view-only")),
                              g_variant_new_boolean(is_view_only));
}

/* ---- Menus ---- */

static void add_section(GMenu *menu, GMenu *section)
{
    g_menu_append_section(menu, NULL, G_MENU_MODEL(section));
    g_object_unref(section);
}

static void add_clipboard_menu(GMenu *section)
{
    GMenu *ways = g_menu_new();
    g_menu_append(ways, _("_Both Ways"), "win.clipboard::both");
    g_menu_append(ways, _("_To the Machine"), "win.clipboard::to-machine");
    g_menu_append(ways, _("_From the Machine"), "win.clipboard::from-machine");
    g_menu_append(ways, _("_Off"), "win.clipboard::off");
    g_menu_append_submenu(section, _("Clip_board"), G_MENU_MODEL(ways));
    g_object_unref(ways);
}

static void add_zoom_menu(GMenu *section)
{
    GMenu *zoom = g_menu_new();
    g_menu_append(zoom, _("Zoom _In"), "win.zoom-in");
    g_menu_append(zoom, _("Zoom _Out"), "win.zoom-out");
    g_menu_append(zoom, _("_Normal Size"), "win.zoom-reset");
    g_menu_append(zoom, _("Scale to _Window"), "win.fill");
    g_menu_append_submenu(section, _("_Zoom"), G_MENU_MODEL(zoom));
    g_object_unref(zoom);
}

GMenuModel *sm_window_main_menu(SmWindow *window)
{
    GMenu *menu = g_menu_new();
    GMenu *section = g_menu_new();
    g_menu_append(section, _("Save _Screenshot…"), "win.screenshot");
    add_section(menu, section);

    section = g_menu_new();
    add_zoom_menu(section);
    g_menu_append(section, _("_Guest Follows the Window"), "win.resize-guest");
    g_menu_append(section, _("All Monitors in _One Window"), "win.one-window");
    g_menu_append(section, _("_Full Screen"), "win.fullscreen");
    sm_sound_add_menu(section);
    add_section(menu, section);

    add_section(menu, sm_files_menu());

    section = g_menu_new();
    add_clipboard_menu(section);
    g_menu_append(section, _("_View Only"), "win.view-only");
    g_menu_append(section, _("Release _Keyboard and Pointer"), "win.release");
    add_section(menu, section);

    section = g_menu_new();
    g_menu_append(section, _("_USB Devices and CDs"), "win.usb");
    add_section(menu, section);
    add_section(menu, sm_people_menu(window));

    section = g_menu_new();
    g_menu_append(section, _("New _Connection"), "app.new");
    g_menu_append(section, _("Machine De_tails"), "win.details");
    g_menu_append(section, _("_About Sumac"), "win.about");
    g_menu_append(section, _("_Disconnect"), "win.disconnect");
    add_section(menu, section);
    return G_MENU_MODEL(menu);
}

GMenuModel *sm_window_keys_menu(void)
{
    static const char *const chords[][2] = {
        {"Ctrl+Alt+_Delete", "ctrl-alt-delete"},
        {"Ctrl+Alt+_Backspace", "ctrl-alt-backspace"},
        {N_("_Print Screen"), "print"},
        {N_("_Windows Key"), "super"},
        {"Alt+_Tab", "alt-tab"},
        {"Alt+_F4", "alt-f4"},
    };
    GMenu *menu = g_menu_new();
    GMenu *section = g_menu_new();
    for (size_t i = 0; i < G_N_ELEMENTS(chords); i++) {
        g_autofree char *action = g_strdup_printf("win.send-keys::%s", chords[i][1]);
        g_menu_append(section, _(chords[i][0]), action);
    }
    add_section(menu, section);
    section = g_menu_new();
    for (int i = 1; i <= 12; i++) {
        /* Of F11 and F12 nothing is left that is nobody else's. */
        g_autofree char *label = i < 10    ? g_strdup_printf("Ctrl+Alt+F_%d", i)
                                 : i == 10 ? g_strdup("Ctrl+Alt+F1_0")
                                           : g_strdup_printf("Ctrl+Alt+F%d", i);
        g_autofree char *action = g_strdup_printf("win.send-keys::ctrl-alt-f%d", i);
        g_menu_append(section, label, action);
    }
    GMenu *consoles = g_menu_new();
    g_menu_append_submenu(consoles, _("Text _Consoles"), G_MENU_MODEL(section));
    g_object_unref(section);
    g_menu_append(consoles, _("_Key Map…"), "win.keymap");
    add_section(menu, consoles);
    return G_MENU_MODEL(menu);
}
