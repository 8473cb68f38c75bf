/* SPDX-License-Identifier: MIT */
#include "viewer/people.h"

#include <glib/gi18n.h>

#include "sumac/people.h"
#include "viewer/window_private.h"

enum { SHOWN_MAX = 32 /* in the menu */ };

static struct sm_session *session_of(SmWindow *window)
{
    return window->machine ? sm_connection_session(sm_machine_connection(window->machine)) : NULL;
}

/* ---- Words ---- */

static char *name_of(const struct sm_participant *one)
{
    if (!one->name[0])
        return g_strdup_printf(one->is_self ? _("You (%u)") : _("Somebody (%u)"), one->number);
    g_autofree char *name = g_utf8_make_valid(one->name, -1);
    return one->is_self ? g_strdup_printf(_("You, %s (%u)"), name, one->number)
                        : g_strdup_printf("%s (%u)", name, one->number);
}

/* A menu takes an underscore for a mark of a key. */
static char *for_menu(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "_", -1);
    return g_strjoinv("__", parts);
}

static char *line_of(const struct sm_participant *one)
{
    g_autofree char *name = name_of(one);
    g_autofree char *shown = for_menu(name);
    if (one->is_holder)
        return g_strdup_printf(_("%s: has microphone and USB"), shown);
    if (one->is_view_only)
        return g_strdup_printf(_("%s: only looks"), shown);
    if (one->is_asking)
        return g_strdup_printf(_("%s: asks for microphone and USB"), shown);
    return g_steal_pointer(&shown);
}

/* ---- What can be done ---- */

static void on_ask(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    SmWindow *window = opaque;
    struct sm_session *session = session_of(window);
    /* How it stands then is what the server tells. */
    if (!session || sm_session_ask_for_devices(session, g_variant_get_boolean(value)) != SM_OK)
        sm_window_say(window, _("The machine cannot be asked now"));
}

static void on_give(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    SmWindow *window = opaque;
    struct sm_session *session = session_of(window);
    if (!session || sm_session_give_devices(session, g_variant_get_uint32(value)) != SM_OK)
        sm_window_say(window, _("The machine cannot be asked now"));
}

void sm_people_add_actions(SmWindow *window)
{
    const GActionEntry entries[] = {
        {.name = "people-ask", .state = "false", .change_state = on_ask},
        {.name = "people-give", .activate = on_give, .parameter_type = "u"},
    };
    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
    sm_people_update(window);
}

/* ---- The menu ---- */

GMenu *sm_people_menu(SmWindow *window)
{
    window->people = g_menu_new();
    return g_object_ref(window->people);
}

void sm_people_finish(SmWindow *window)
{
    g_clear_object(&window->people);
}

static const struct sm_participant *find_self(const struct sm_participant *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].is_self)
            return &list[i];
    return NULL;
}

/* To be read: there is no such action. */
static const char NOTHING[] = "win.people-nothing";

/* A menu has an end; but we are in it, and who has the devices, and some of those who ask. */
static bool is_shown(const struct sm_participant *one, size_t before)
{
    return before < SHOWN_MAX || one->is_self || one->is_holder ||
           (one->is_asking && before < 2 * SHOWN_MAX);
}

static void fill(GMenu *section, const struct sm_participant *list, size_t count)
{
    const struct sm_participant *self = find_self(list, count);
    GMenu *people = g_menu_new(), *who = g_menu_new(), *what = g_menu_new();
    size_t shown = 0, given = 0;
    for (size_t i = 0; i < count; i++) {
        g_autofree char *line = line_of(&list[i]);
        if (is_shown(&list[i], shown)) {
            g_menu_append(who, line, NOTHING);
            shown++;
        }
        if (!self || !self->is_holder || list[i].is_self || list[i].is_view_only ||
            !is_shown(&list[i], given))
            continue;
        given++;
        g_autofree char *name = name_of(&list[i]);
        g_autofree char *safe = for_menu(name);
        g_autofree char *label = g_strdup_printf(_("_Hand Over to %s"), safe);
        g_autofree char *action = g_strdup_printf("win.people-give(uint32 %u)", list[i].number);
        g_menu_append(what, label, action);
    }
    if (shown < count) {
        g_autofree char *more = g_strdup_printf(_("… and %u more"), (unsigned)(count - shown));
        g_menu_append(who, more, NOTHING);
    }
    if (self && !self->is_holder)
        g_menu_append(what, _("_Ask for Microphone and USB"), "win.people-ask");
    g_menu_append_section(people, NULL, G_MENU_MODEL(who));
    g_menu_append_section(people, NULL, G_MENU_MODEL(what));
    g_menu_append_submenu(section, _("_People"), G_MENU_MODEL(people));
    g_object_unref(who);
    g_object_unref(what);
    g_object_unref(people);
}

/* ---- What is told in passing ---- */

static void tell_asking(SmWindow *window, const struct sm_participant *one)
{
    g_autofree char *name = name_of(one);
    g_autofree char *text = g_strdup_printf(_("%s asks for microphone and USB"), name);
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    AdwToast *toast = adw_toast_new(escaped);
    adw_toast_set_button_label(toast, _("Hand _Over"));
    adw_toast_set_action_name(toast, "win.people-give");
    adw_toast_set_action_target(toast, "u", one->number);
    adw_toast_set_timeout(toast, 15);
    adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(window->toasts), toast);
}

static void tell(SmWindow *window, const struct sm_participant *list, size_t count)
{
    const struct sm_participant *self = find_self(list, count);
    bool is_holder = self && self->is_holder;
    if (window->number == 0 && is_holder && window->has_asked)
        sm_window_say(window, _("You have microphone and USB now"));
    window->has_asked = self && self->is_asking;
    uint32_t asking = 0; /* the first of those who ask */
    for (size_t i = count; is_holder && i-- > 0;)
        if (list[i].is_asking && !list[i].is_self)
            asking = list[i].number;
    for (size_t i = 0; i < count; i++)
        if (window->number == 0 && asking && list[i].number == asking && asking != window->asked_by)
            tell_asking(window, &list[i]);
    window->asked_by = asking;
}

void sm_people_update(SmWindow *window)
{
    struct sm_session *session = session_of(window);
    bool is_known = session && sm_session_knows_people(session);
    size_t room = is_known ? sm_session_get_people(session, NULL, 0) : 0;
    g_autofree struct sm_participant *list = g_new0(struct sm_participant, room);
    /* Somebody may have come or gone between the two. */
    size_t count = room ? MIN(sm_session_get_people(session, list, room), room) : 0;
    const struct sm_participant *self = find_self(list, count);
    GAction *ask = g_action_map_lookup_action(G_ACTION_MAP(window), "people-ask");
    g_simple_action_set_state(G_SIMPLE_ACTION(ask), g_variant_new_boolean(self && self->is_asking));
    g_menu_remove_all(window->people);
    if (count > 1)
        fill(window->people, list, count);
    tell(window, list, count);
}
