/* SPDX-License-Identifier: MIT */
#include "viewer/details.h"

#include <adwaita.h>
#include <glib/gi18n.h>

enum { CHANNELS_MAX = 64, DISPLAYS_MAX = 16 };

static void add_row(AdwPreferencesGroup *group, const char *title, const char *value)
{
    GtkWidget *row = adw_action_row_new();
    GtkWidget *label = gtk_label_new(value);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    /* It wraps when there is no room, not to look like a column. */
    gtk_label_set_natural_wrap_mode(GTK_LABEL(label), GTK_NATURAL_WRAP_NONE);
    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_widget_add_css_class(label, "dim-label");
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), label);
    adw_preferences_group_add(group, row);
}

static AdwPreferencesGroup *add_group(AdwPreferencesPage *page, const char *title)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    adw_preferences_group_set_title(group, title);
    adw_preferences_page_add(page, group);
    return group;
}

static char *uuid_text(const uint8_t *uuid)
{
    GString *text = g_string_new(NULL);
    for (int i = 0; i < 16; i++)
        g_string_append_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               uuid[i]);
    return g_string_free(text, FALSE);
}

static void add_machine(AdwPreferencesPage *page, struct sm_connection *connection,
                        const struct sm_session_info *info)
{
    AdwPreferencesGroup *group = add_group(page, _("Machine"));
    add_row(group, _("Name"), info->name[0] ? info->name : _("not told"));
    if (info->has_uuid) {
        g_autofree char *uuid = uuid_text(info->uuid);
        add_row(group, "UUID", uuid);
    }
    add_row(group, _("Address"), sm_connection_address(connection));
    add_row(group, _("Guest agent"), info->has_agent ? _("running") : _("not running"));
    add_row(group, _("Pointer"),
            info->mouse_mode == SM_POINTER_MODE_CLIENT ? _("positions are sent")
                                                       : _("motion is sent; click to hold it"));
}

static void add_displays(AdwPreferencesPage *page, struct sm_session *session)
{
    struct sm_display_info displays[DISPLAYS_MAX];
    size_t count = sm_session_get_displays(session, displays, DISPLAYS_MAX);
    AdwPreferencesGroup *group = add_group(page, _("Monitors"));
    for (size_t i = 0; i < count && i < DISPLAYS_MAX; i++)
        for (size_t j = 0; j < displays[i].monitor_count; j++) {
            const struct sm_monitor *monitor = &displays[i].monitors[j];
            g_autofree char *title = g_strdup_printf(_("Monitor %u"), monitor->number + 1);
            g_autofree char *value =
                g_strdup_printf("%d × %d", monitor->area.right - monitor->area.left,
                                monitor->area.bottom - monitor->area.top);
            add_row(group, title, value);
        }
}

static void add_channels(AdwPreferencesPage *page, struct sm_session *session)
{
    struct sm_channel_info channels[CHANNELS_MAX];
    size_t count = sm_session_get_channels(session, channels, CHANNELS_MAX);
    AdwPreferencesGroup *group = add_group(page, _("Channels"));
    for (size_t i = 0; i < count && i < CHANNELS_MAX; i++) {
        g_autofree char *title =
            g_strdup_printf("%s %u", sm_channel_kind_name(channels[i].kind), channels[i].id);
        g_autofree char *size = g_format_size(channels[i].received_bytes);
        g_autofree char *value =
            g_strdup_printf("%s%s", channels[i].is_open ? size : _("not open"),
                            channels[i].is_open && channels[i].is_secure ? _(", encrypted") : "");
        add_row(group, title, value);
    }
}

void sm_details_show(GtkWindow *parent, struct sm_connection *connection)
{
    struct sm_session *session = sm_connection_session(connection);
    if (!session)
        return;
    struct sm_session_info info;
    sm_session_get_info(session, &info);
    AdwPreferencesPage *page = ADW_PREFERENCES_PAGE(adw_preferences_page_new());
    add_machine(page, connection, &info);
    add_displays(page, session);
    add_channels(page, session);
    GtkWidget *window = adw_preferences_window_new();
    gtk_window_set_title(GTK_WINDOW(window), _("Machine Details"));
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_modal(GTK_WINDOW(window), TRUE);
    adw_preferences_window_set_search_enabled(ADW_PREFERENCES_WINDOW(window), FALSE);
    adw_preferences_window_add(ADW_PREFERENCES_WINDOW(window), page);
    gtk_window_present(GTK_WINDOW(window));
}
