/* SPDX-License-Identifier: MIT */
#include "viewer/sound.h"

#include <stdlib.h>

#include <glib/gi18n.h>

#include "viewer/names.h"
#include "viewer/window_private.h"

enum { PERCENT_MAX = 100 };

static void on_mute(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    struct sm_machine *machine = SM_WINDOW(opaque)->machine;
    struct sm_settings settings = *sm_machine_settings(machine);
    settings.is_muted = g_variant_get_boolean(value);
    sm_machine_change_settings(machine, &settings);
}

static void on_volume(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    struct sm_machine *machine = SM_WINDOW(opaque)->machine;
    struct sm_settings settings = *sm_machine_settings(machine);
    settings.volume_percent = CLAMP(atoi(g_variant_get_string(value, NULL)), 0, PERCENT_MAX);
    sm_machine_change_settings(machine, &settings);
}

static void on_microphone(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    struct sm_connection *connection = sm_machine_connection(SM_WINDOW(opaque)->machine);
    struct sm_sound_wishes wishes = *sm_connection_sound(connection);
    g_simple_action_set_state(action, value);
    wishes.is_microphone_closed = !g_variant_get_boolean(value);
    sm_connection_set_sound(connection, &wishes);
}

void sm_sound_add_actions(SmWindow *window)
{
    const GActionEntry entries[] = {
        {.name = "mute", .state = "false", .change_state = on_mute},
        {.name = "volume", .parameter_type = "s", .state = "'100'", .change_state = on_volume},
        {.name = "microphone", .state = "true", .change_state = on_microphone},
    };
    GActionMap *map = G_ACTION_MAP(window);
    const struct sm_viewer_options *options = sm_machine_options(window->machine);
    g_action_map_add_action_entries(map, entries, G_N_ELEMENTS(entries), window);
    bool has_sound = !options->has_no_sound;
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
        g_simple_action_set_enabled(
            G_SIMPLE_ACTION(g_action_map_lookup_action(map, entries[i].name)),
            has_sound && (i < 2 || !options->is_view_only));
    /* Another window of the same machine may have set them already. */
    const struct sm_sound_wishes *wishes =
        sm_connection_sound(sm_machine_connection(window->machine));
    g_simple_action_set_state(G_SIMPLE_ACTION(g_action_map_lookup_action(map, "microphone")),
                              g_variant_new_boolean(!wishes->is_microphone_closed));
}

static void set_state(SmWindow *window, const char *name, GVariant *value)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), name);
    g_simple_action_set_state(G_SIMPLE_ACTION(action), value);
}

void sm_sound_update_settings(SmWindow *window)
{
    const struct sm_settings *settings = sm_machine_settings(window->machine);
    char percent[8];
    g_snprintf(percent, sizeof(percent), "%d", settings->volume_percent);
    set_state(window, "volume", g_variant_new_string(percent));
    set_state(window, "mute", g_variant_new_boolean(settings->is_muted));
}

void sm_sound_add_menu(GMenu *section)
{
    static const char *const PERCENTS[] = {"100", "75", "50", "25"};
    GMenu *sound = g_menu_new(), *volume = g_menu_new(), *ends = g_menu_new();
    for (size_t i = 0; i < G_N_ELEMENTS(PERCENTS); i++) {
        g_autofree char *label = g_strdup_printf("_%s %%", PERCENTS[i]);
        g_autofree char *action = g_strdup_printf("win.volume::%s", PERCENTS[i]);
        g_menu_append(volume, label, action);
    }
    g_menu_append(ends, _("_Mute Sound"), "win.mute");
    g_menu_append(ends, _("Mic_rophone"), "win.microphone");
    g_menu_append_section(sound, NULL, G_MENU_MODEL(ends));
    g_menu_append_section(sound, _("Volume"), G_MENU_MODEL(volume));
    g_menu_append_submenu(section, _("Sou_nd"), G_MENU_MODEL(sound));
    g_object_unref(ends);
    g_object_unref(volume);
    g_object_unref(sound);
}

GtkWidget *sm_sound_indicator(void)
{
    GtkWidget *button = gtk_button_new_from_icon_name("audio-input-microphone-symbolic");
    sm_name_and_tip(button, _("The machine hears the microphone. Click to close it"));
    gtk_widget_add_css_class(button, "microphone");
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "win.microphone");
    gtk_widget_set_visible(button, FALSE);
    return button;
}

void sm_sound_take_event(SmWindow *window)
{
    struct sm_session *session = sm_connection_session(sm_machine_connection(window->machine));
    struct sm_sound_info played = {0}, recorded = {0};
    if (session) {
        sm_session_get_playback(session, &played);
        sm_session_get_recording(session, &recorded);
    }
    gtk_widget_set_visible(window->microphone, recorded.is_capturing);
    gtk_widget_set_visible(window->bar_microphone, recorded.is_capturing);
    const char *problem = played.problem[0] ? played.problem : recorded.problem;
    if (!problem[0] || window->has_told_no_sound)
        return;
    window->has_told_no_sound = true;
    g_autofree char *why = g_markup_escape_text(problem, -1);
    g_autofree char *text =
        g_strdup_printf(played.problem[0] ? _("No sound: %s") : _("No microphone: %s"), why);
    adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(window->toasts), adw_toast_new(text));
}
