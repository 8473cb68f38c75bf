/* SPDX-License-Identifier: MIT */
#include "viewer/machine.h"

#include <stdlib.h>
#include <string.h>

#include <glib/gi18n.h>

#include "viewer/clipboard.h"
#include "viewer/recent.h"
#include "viewer/start_window.h"
#include "viewer/window.h"

enum {
    WINDOWS_MAX = 16,
    DISPLAYS_MAX = 64,
    /* A drag of the border must have ended, but nobody shall wait for the guest. */
    ROOM_SETTLES_MS = 80,
};

struct sm_machine {
    AdwApplication *application;
    struct sm_viewer_options options;
    struct sm_connection *connection; /* owned */
    SmWindow *windows[WINDOWS_MAX];   /* borrowed: each tells when it goes; by monitor number */
    struct sm_viewer_clipboard *clipboard; /* owned; NULL: not shared */
    struct sm_settings settings;           /* of the machine `key` names, overruled by options */
    struct sm_settings remembered;         /* of that machine, as they are in the file */
    struct sm_keymap keymap;               /* of the settings, understood */
    char *key;                             /* owned */
    guint room_timer;                      /* or 0 */
    bool is_remembered;
    bool is_view_only; /* now; the option says how it begins */
    bool is_closing;
};

/* ---- Windows ---- */

static unsigned window_count(const struct sm_machine *machine)
{
    unsigned count = 0;
    for (int i = 0; i < WINDOWS_MAX; i++)
        count += machine->windows[i] != NULL;
    return count;
}

/* Each window has a monitor of its own as long as there are some. */
static void fill_screen(struct sm_machine *machine, uint32_t number)
{
    GtkWindow *window = GTK_WINDOW(machine->windows[number]);
    GdkDisplay *display = gtk_widget_get_display(GTK_WIDGET(window));
    g_autoptr(GdkMonitor) monitor =
        g_list_model_get_item(gdk_display_get_monitors(display), number);
    if (monitor && window_count(machine) > 1)
        gtk_window_fullscreen_on_monitor(window, monitor);
    else
        gtk_window_fullscreen(window); /* where it is */
}

static void open_window(struct sm_machine *machine, uint32_t number)
{
    SmWindow *window = sm_window_new(machine->application, machine, number);
    machine->windows[number] = window;
    sm_window_update_state(window);
    gtk_window_present(GTK_WINDOW(window));
    if (machine->options.is_fullscreen || machine->settings.is_fullscreen)
        fill_screen(machine, number);
}

/* Which monitors the guest has now, a bit each. */
static uint32_t monitors(struct sm_machine *machine)
{
    struct sm_display_info displays[DISPLAYS_MAX];
    struct sm_session *session = sm_connection_session(machine->connection);
    size_t count = session ? sm_session_get_displays(session, displays, DISPLAYS_MAX) : 0;
    uint32_t mask = 0;
    for (size_t i = 0; i < count && i < DISPLAYS_MAX; i++)
        for (size_t j = 0; displays[i].is_ready && j < displays[i].monitor_count; j++) {
            const struct sm_monitor *monitor = &displays[i].monitors[j];
            bool is_on = monitor->area.right > monitor->area.left;
            if (is_on && monitor->number < WINDOWS_MAX)
                mask |= 1u << monitor->number;
        }
    return mask;
}

/* A window for each monitor, or one for all; the first one stays whatever the guest does. */
static void match_windows(struct sm_machine *machine)
{
    uint32_t wanted = monitors(machine);
    bool is_one_window = machine->settings.is_one_window;
    if (machine->windows[0])
        sm_window_set_monitors(machine->windows[0], is_one_window ? wanted : 1);
    if (is_one_window)
        wanted = 1;
    for (uint32_t i = 1; i < WINDOWS_MAX; i++) {
        bool is_wanted = wanted >> i & 1;
        if (is_wanted && !machine->windows[i])
            open_window(machine, i);
        else if (!is_wanted && machine->windows[i])
            sm_window_dismiss(machine->windows[i]);
    }
}

static void destroy(struct sm_machine *machine)
{
    if (machine->room_timer)
        g_source_remove(machine->room_timer);
    sm_viewer_clipboard_destroy(machine->clipboard);
    sm_connection_destroy(machine->connection);
    sm_viewer_options_finish(&machine->options);
    g_free(machine->key);
    g_free(machine);
}

static gboolean on_idle_destroy(gpointer opaque)
{
    destroy(opaque);
    return G_SOURCE_REMOVE;
}

static void dismiss_windows(struct sm_machine *machine)
{
    for (int i = 0; i < WINDOWS_MAX; i++)
        if (machine->windows[i])
            sm_window_dismiss(machine->windows[i]);
}

/* ---- How it is looked at ---- */

static void apply_sound(struct sm_machine *machine)
{
    struct sm_sound_wishes wishes = *sm_connection_sound(machine->connection);
    wishes.is_muted = machine->settings.is_muted;
    wishes.level = (uint16_t)(machine->settings.volume_percent * SM_SOUND_LEVEL_FULL / 100);
    sm_connection_set_sound(machine->connection, &wishes);
}

static void apply_settings(struct sm_machine *machine)
{
    apply_sound(machine);
    if (machine->clipboard)
        sm_viewer_clipboard_set_ways(machine->clipboard, machine->settings.clipboard_ways);
    if (!sm_keymap_parse(&machine->keymap, machine->settings.keymap, NULL))
        machine->keymap.count = 0; /* it was looked at when it was read and when it was typed */
    for (int i = 0; i < WINDOWS_MAX; i++)
        if (machine->windows[i])
            sm_window_update_settings(machine->windows[i]);
    if (sm_connection_state(machine->connection) == SM_CONNECTION_UP)
        match_windows(machine);
    sm_machine_room_changed(machine);
}

/* What the user says for this time comes before what is remembered. */
static void overrule_settings(struct sm_machine *machine)
{
    const struct sm_viewer_options *options = &machine->options;
    if (options->is_zoom_given)
        machine->settings.zoom_percent = options->zoom_percent;
    if (options->is_resizing_given)
        machine->settings.resizes_guest = options->resizes_guest;
}

/* The machine is known by its address until it says more. */
static void find_settings(struct sm_machine *machine)
{
    struct sm_session *session = sm_connection_session(machine->connection);
    struct sm_session_info info = {0};
    if (session)
        sm_session_get_info(session, &info);
    g_autofree char *key = sm_settings_key(info.has_uuid ? info.uuid : NULL,
                                           sm_connection_address(machine->connection));
    if (g_strcmp0(key, machine->key) == 0)
        return;
    g_autofree char *path = sm_settings_path();
    struct sm_settings found;
    bool is_first = !machine->key;
    bool is_known = sm_settings_load(path, key, &found);
    g_free(machine->key);
    machine->key = g_steal_pointer(&key);
    if (!is_first && !is_known)
        return; /* what the address is known by holds for the machine */
    machine->settings = machine->remembered = found;
    overrule_settings(machine);
    apply_settings(machine);
}

const struct sm_keymap *sm_machine_keymap(struct sm_machine *machine)
{
    return machine->options.has_keymap ? &machine->options.keymap : &machine->keymap;
}

const struct sm_settings *sm_machine_settings(struct sm_machine *machine)
{
    return &machine->settings;
}

void sm_machine_change_settings(struct sm_machine *machine, const struct sm_settings *settings)
{
    machine->remembered = sm_settings_changed(&machine->remembered, &machine->settings, settings);
    machine->settings = *settings;
    apply_settings(machine);
    bool is_nameless = !g_str_has_prefix(machine->key, "uuid-");
    if (machine->options.is_kiosk ||
        (is_nameless && !sm_connection_is_memorable(machine->connection)))
        return; /* an address from a connection file is somebody else's the next time */
    g_autofree char *path = sm_settings_path();
    g_autoptr(GError) error = NULL;
    if (!sm_settings_save(path, machine->key, &machine->remembered, &error))
        g_warning("this will not be remembered: %s", error->message);
}

bool sm_machine_is_view_only(struct sm_machine *machine)
{
    return machine->is_view_only;
}

void sm_machine_set_view_only(struct sm_machine *machine, bool is_view_only)
{
    machine->is_view_only = is_view_only;
    for (int i = 0; i < WINDOWS_MAX; i++)
        if (machine->windows[i])
            sm_window_update_view_only(machine->windows[i]);
}

void sm_machine_set_fullscreen(struct sm_machine *machine, bool is_fullscreen)
{
    for (uint32_t i = 0; i < WINDOWS_MAX; i++) {
        if (machine->windows[i] && is_fullscreen)
            fill_screen(machine, i);
        else if (machine->windows[i])
            gtk_window_unfullscreen(GTK_WINDOW(machine->windows[i]));
    }
}

/* ---- What the connection tells ---- */

static void remember(struct sm_machine *machine)
{
    if (machine->is_remembered || !sm_connection_is_memorable(machine->connection))
        return;
    machine->is_remembered = true;
    const char *address = sm_connection_address(machine->connection);
    const char *name = sm_connection_name(machine->connection);
    g_autofree char *path = sm_recent_path();
    g_autoptr(GError) error = NULL;
    if (!sm_recent_add(path, address, strcmp(name, address) ? name : "", &error))
        g_warning("the machine will not be in the list of recent ones: %s", error->message);
}

/* Never the password. */
static void remember_user(struct sm_machine *machine)
{
    struct sm_connection *connection = machine->connection;
    const char *user = sm_connection_user(connection);
    if (!user || !user[0] || !sm_connection_wants_user(connection) || machine->options.is_kiosk ||
        !sm_connection_is_memorable(connection))
        return;
    g_autofree char *path = sm_settings_path();
    g_autofree char *key = sm_settings_key(NULL, sm_connection_address(connection));
    g_autofree char *known = sm_settings_load_user(path, key);
    g_autoptr(GError) error = NULL;
    if (g_strcmp0(known, user) != 0 && !sm_settings_save_user(path, key, user, &error))
        g_warning("the user's name will not be remembered: %s", error->message);
}

/* What the address or a connection file says comes first. */
static char *remembered_user(struct sm_machine *machine)
{
    struct sm_connection *connection = machine->connection;
    if (sm_connection_user(connection) || !sm_connection_is_memorable(connection))
        return NULL;
    g_autofree char *path = sm_settings_path();
    g_autofree char *key = sm_settings_key(NULL, sm_connection_address(connection));
    return sm_settings_load_user(path, key);
}

static void on_state(void *opaque)
{
    struct sm_machine *machine = opaque;
    enum sm_connection_state state = sm_connection_state(machine->connection);
    if (state == SM_CONNECTION_UP) {
        remember(machine);
        remember_user(machine);
        find_settings(machine);
    }
    if (machine->clipboard)
        sm_viewer_clipboard_set_session(
            machine->clipboard,
            state == SM_CONNECTION_UP ? sm_connection_session(machine->connection) : NULL);
    for (int i = 0; i < WINDOWS_MAX; i++)
        if (machine->windows[i])
            sm_window_update_state(machine->windows[i]);
    bool is_over = state == SM_CONNECTION_ENDED ||
                   (state == SM_CONNECTION_FAILED && machine->options.quits_on_disconnect);
    if (is_over)
        dismiss_windows(machine);
}

static void on_event(void *opaque, const struct sm_event *event)
{
    struct sm_machine *machine = opaque;
    if (event->kind == SM_EVENT_DISPLAY_CONFIG)
        match_windows(machine);
    if (machine->clipboard)
        sm_viewer_clipboard_take_event(machine->clipboard, event);
    if (event->kind == SM_EVENT_INFO)
        find_settings(machine);
    if (event->kind == SM_EVENT_INFO || event->kind == SM_EVENT_CHANNEL_OPEN)
        sm_machine_room_changed(machine); /* an agent may have come */
    for (int i = 0; i < WINDOWS_MAX; i++)
        if (machine->windows[i])
            sm_window_take_event(machine->windows[i], event);
}

static const struct sm_connection_observer OBSERVER = {
    .on_state = on_state,
    .on_event = on_event,
};

static void say(void *opaque, const char *text)
{
    struct sm_machine *machine = opaque;
    if (machine->windows[0])
        sm_window_say(machine->windows[0], text);
}

/* ---- For its windows ---- */

struct sm_connection *sm_machine_connection(struct sm_machine *machine)
{
    return machine->connection;
}

const struct sm_viewer_options *sm_machine_options(struct sm_machine *machine)
{
    return &machine->options;
}

void sm_machine_cancel_paste(struct sm_machine *machine)
{
    if (machine->clipboard)
        sm_viewer_clipboard_cancel(machine->clipboard);
}

char *sm_machine_title(struct sm_machine *machine, uint32_t number)
{
    return sm_viewer_options_title(&machine->options, sm_connection_name(machine->connection),
                                   number, window_count(machine) > 1);
}

void sm_machine_close(struct sm_machine *machine)
{
    if (machine->is_closing)
        return;
    machine->is_closing = true;
    sm_connection_close(machine->connection);
}

void sm_machine_window_closed(struct sm_machine *machine, uint32_t number)
{
    machine->windows[number] = NULL;
    /* From within a window's end or the connection's callback neither can be freed. */
    if (window_count(machine) == 0)
        g_idle_add(on_idle_destroy, machine);
}

static gboolean on_room_settled(gpointer opaque)
{
    struct sm_machine *machine = opaque;
    machine->room_timer = 0;
    struct sm_session *session = sm_connection_session(machine->connection);
    if (!session || !machine->settings.resizes_guest || machine->options.is_view_only)
        return G_SOURCE_REMOVE;
    struct sm_monitor_wish wishes[WINDOWS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < WINDOWS_MAX; i++) {
        if (machine->windows[i])
            count += sm_wall_get_wishes(sm_window_wall(machine->windows[i]), wishes + count,
                                        WINDOWS_MAX - count);
    }
    if (count > 0 && sm_session_set_monitors(session, wishes, count) != SM_OK)
        g_debug("nobody there who could change the guest's monitors");
    return G_SOURCE_REMOVE;
}

void sm_machine_room_changed(struct sm_machine *machine)
{
    if (machine->room_timer)
        g_source_remove(machine->room_timer);
    machine->room_timer = g_timeout_add(ROOM_SETTLES_MS, on_room_settled, machine);
}

/* Keys of ours are in force while the guest does not have the keyboard, or if they were asked for
 * by name. */
void sm_machine_keyboard_changed(struct sm_machine *machine, bool has_keyboard)
{
    const struct sm_viewer_options *options = &machine->options;
    for (int i = 0; i < SM_HOTKEY_COUNT; i++) {
        enum sm_hotkey hotkey = (enum sm_hotkey)i;
        bool is_on = !options->is_kiosk && (options->has_own_hotkeys || !has_keyboard) &&
                     options->accelerators[i][0];
        const char *accelerators[] = {is_on ? options->accelerators[i] : NULL, NULL};
        gtk_application_set_accels_for_action(GTK_APPLICATION(machine->application),
                                              sm_hotkey_action(hotkey), accelerators);
    }
}

bool sm_machine_open(AdwApplication *application, struct sm_viewer_options *options,
                     struct sm_error *error)
{
    struct sm_machine *machine = g_new0(struct sm_machine, 1);
    machine->application = application;
    machine->options = *options;
    machine->is_view_only = options->is_view_only;
    machine->connection = sm_connection_create(&machine->options, &OBSERVER, machine, error);
    if (!machine->connection) {
        destroy(machine);
        return false;
    }
    if (!machine->options.is_view_only)
        machine->clipboard = sm_viewer_clipboard_create(gdk_display_get_default(), say, machine);
    find_settings(machine);
    sm_machine_keyboard_changed(machine, false);
    open_window(machine, 0);
    g_autofree char *user = remembered_user(machine);
    sm_connection_start(machine->connection, user, machine->options.password);
    return true;
}
