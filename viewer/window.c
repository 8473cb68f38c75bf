/* SPDX-License-Identifier: MIT */
#include "viewer/window.h"

#include <glib/gi18n.h>

#include "viewer/dialogs.h"
#include "viewer/error_words.h"
#include "viewer/files.h"
#include "viewer/people.h"
#include "viewer/quality.h"
#include "viewer/screenshot.h"
#include "viewer/sound.h"
#include "viewer/start_window.h"
#include "viewer/window_devices.h"
#include "viewer/window_private.h"

G_DEFINE_FINAL_TYPE(SmWindow, sm_window, ADW_TYPE_APPLICATION_WINDOW)

enum { EDGE_PX = 2 /* of the screen, where the bar of full screen waits */ };

static GtkWindow *as_window(SmWindow *window)
{
    return GTK_WINDOW(window);
}

/* ---- How things stand ---- */

static void show_status(SmWindow *window, const char *icon, const char *title, const char *text,
                        bool is_busy, bool can_retry)
{
    AdwStatusPage *page = ADW_STATUS_PAGE(window->status);
    adw_status_page_set_icon_name(page, icon);
    adw_status_page_set_title(page, title);
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    adw_status_page_set_description(page, escaped);
    gtk_widget_set_visible(window->activity, is_busy);
    gtk_widget_set_visible(window->retry, can_retry);
    gtk_widget_set_visible(window->other, can_retry);
    gtk_stack_set_visible_child(GTK_STACK(window->stack), window->status);
}

static void on_login(const char *user, const char *password, gpointer opaque)
{
    SmWindow *window = opaque;
    if (password)
        sm_connection_start(sm_machine_connection(window->machine), user, password);
    else
        sm_machine_close(window->machine);
}

static void show_failure(SmWindow *window, struct sm_connection *connection)
{
    const struct sm_error *error = sm_connection_error(connection);
    bool is_asked =
        error->kind == SM_ERROR_PASSWORD_NEEDED || error->kind == SM_ERROR_PASSWORD_WRONG;
    if (!is_asked || window->number != 0) {
        g_autofree char *text = NULL;
        g_autofree char *heading = sm_error_words_heading(error, &text, NULL);
        show_status(window, "network-error-symbolic", heading, text, false, true);
        return;
    }
    /* The question says it all. */
    show_status(window, "dialog-password-symbolic", "", "", false, false);
    const char *known = sm_connection_user(connection);
    const char *user = sm_connection_wants_user(connection) ? (known ? known : "") : NULL;
    sm_dialog_ask_login(as_window(window), sm_connection_name(connection), user,
                        error->kind == SM_ERROR_PASSWORD_WRONG, on_login, window);
}

/* A view that has something to show, or NULL. */
static SmView *view_with_picture(SmWindow *window)
{
    for (size_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
        if (window->views[i] && sm_view_has_picture(window->views[i]))
            return window->views[i];
    return NULL;
}

static void show_screen(SmWindow *window, SmView *view)
{
    if (gtk_stack_get_visible_child(GTK_STACK(window->stack)) == window->screen)
        return;
    gtk_stack_set_visible_child(GTK_STACK(window->stack), window->screen);
    gtk_widget_grab_focus(GTK_WIDGET(view)); /* whoever sees the machine types into it */
}

/* The picture stays in sight, whatever happens to the line. */
static void show_picture_or(SmWindow *window, const char *title, const char *text)
{
    SmView *view = view_with_picture(window);
    if (view)
        show_screen(window, view);
    else
        show_status(window, "computer-symbolic", title, text, true, false);
}

static void show_line(SmWindow *window)
{
    struct sm_connection *connection = sm_machine_connection(window->machine);
    sm_line_card_update(&window->line, connection);
    if (sm_connection_state(connection) == SM_CONNECTION_LOST)
        gtk_widget_add_css_class(window->screen, "lost");
    else
        gtk_widget_remove_css_class(window->screen, "lost");
}

static void update_title(SmWindow *window)
{
    g_autofree char *title = sm_machine_title(window->machine, window->number);
    struct sm_connection *connection = sm_machine_connection(window->machine);
    adw_window_title_set_title(ADW_WINDOW_TITLE(window->title), title);
    gtk_window_set_title(as_window(window), title);
    gtk_label_set_text(GTK_LABEL(window->bar_title), title);
    const char *subtitle = "";
    if (window->has_keyboard)
        subtitle = _("Press and let go of Ctrl+Alt to get keys and pointer back");
    else if (g_strcmp0(title, sm_connection_address(connection)) != 0)
        subtitle = sm_connection_address(connection);
    adw_window_title_set_subtitle(ADW_WINDOW_TITLE(window->title), subtitle);
}

void sm_window_update_state(SmWindow *window)
{
    struct sm_connection *connection = sm_machine_connection(window->machine);
    enum sm_connection_state state = sm_connection_state(connection);
    struct sm_session *session =
        state == SM_CONNECTION_UP ? sm_connection_session(connection) : NULL;
    for (size_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
        if (window->views[i])
            sm_view_set_session(window->views[i], session);
    show_line(window);
    switch (state) {
    case SM_CONNECTION_CONNECTING:
        show_picture_or(window, _("Connecting"), sm_connection_address(connection));
        break;
    case SM_CONNECTION_UP:
    case SM_CONNECTION_LOST:
        show_picture_or(window, _("Connected"), _("Waiting for the machine's first picture"));
        break;
    case SM_CONNECTION_FAILED:
        show_failure(window, connection);
        break;
    case SM_CONNECTION_ENDED:
        break; /* the window is about to go */
    }
    sm_quality_set_session(&window->quality, session);
    sm_people_update(window);
    update_title(window);
}

void sm_window_say(SmWindow *window, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(window->toasts), adw_toast_new(escaped));
}

/* Servers say at every start that a channel is not encrypted, which the bar shows all the time. */
static void show_notice(SmWindow *window, const struct sm_event *event)
{
    if (event->severity != SM_SEVERITY_ERROR)
        return;
    sm_window_say(window, event->text);
}

/* The rest goes on without it. */
static void show_broken_channel(SmWindow *window, const struct sm_event *event)
{
    if (event->error->kind != SM_ERROR_PROTOCOL)
        return;
    g_autofree char *text = sm_error_words_line(event->error);
    sm_window_say(window, text);
}

static void set_state(SmWindow *window, const char *name, bool is_on)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), name);
    g_simple_action_set_state(G_SIMPLE_ACTION(action), g_variant_new_boolean(is_on));
}

void sm_window_update_settings(SmWindow *window)
{
    const struct sm_settings *settings = sm_machine_settings(window->machine);
    sm_wall_set_scaling(window->wall, settings->zoom_percent / 100.0, settings->fills);
    set_state(window, "fill", settings->fills);
    set_state(window, "resize-guest", settings->resizes_guest);
    set_state(window, "one-window", settings->is_one_window);
    for (size_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
        if (window->views[i])
            sm_view_set_keymap(window->views[i], sm_machine_keymap(window->machine));
    GAction *clipboard = g_action_map_lookup_action(G_ACTION_MAP(window), "clipboard");
    g_simple_action_set_state(
        G_SIMPLE_ACTION(clipboard),
        g_variant_new_string(sm_settings_ways_name(settings->clipboard_ways)));
    sm_sound_update_settings(window);
}

void sm_window_update_view_only(SmWindow *window)
{
    bool is_view_only = sm_machine_is_view_only(window->machine);
    set_state(window, "view-only", is_view_only);
    for (size_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
        if (window->views[i])
            sm_view_set_takes_input(window->views[i], !is_view_only);
}

void sm_window_take_event(SmWindow *window, const struct sm_event *event)
{
    for (size_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
        if (window->views[i])
            sm_view_take_event(window->views[i], event);
    if (event->kind == SM_EVENT_DISPLAY_CONFIG)
        gtk_widget_queue_resize(GTK_WIDGET(window->wall));
    if (event->kind == SM_EVENT_SOUND)
        sm_sound_take_event(window);
    if (event->kind == SM_EVENT_USB)
        sm_devices_take_event(window);
    if (event->kind == SM_EVENT_PEOPLE)
        sm_people_update(window);
    if ((event->kind == SM_EVENT_FILES || event->kind == SM_EVENT_CLIPBOARD_PROGRESS) &&
        window->number == 0)
        sm_files_take_event(window);
    if (event->kind == SM_EVENT_DISPLAY_CONFIG || event->kind == SM_EVENT_DISPLAY_DAMAGE) {
        SmView *view = view_with_picture(window);
        if (view)
            show_screen(window, view);
    } else if (event->kind == SM_EVENT_NOTICE && window->number == 0) {
        show_notice(window, event);
    } else if (event->kind == SM_EVENT_CHANNEL_CLOSED && window->number == 0) {
        show_broken_channel(window, event);
    } else if (event->kind == SM_EVENT_INFO) {
        update_title(window);
        show_line(window);
    }
}

/* ---- What the user does ---- */

static void on_retry(SmWindow *window)
{
    sm_connection_start(sm_machine_connection(window->machine), NULL, NULL);
}

static void on_keyboard_changed(SmView *view, gboolean has_keyboard, SmWindow *window)
{
    (void)view;
    window->has_keyboard = has_keyboard;
    sm_machine_keyboard_changed(window->machine, has_keyboard);
    struct sm_session *session = sm_connection_session(sm_machine_connection(window->machine));
    if (session && sm_machine_options(window->machine)->shares_plugged_usb)
        sm_session_set_usb_auto(session, has_keyboard);
    update_title(window);
}

static void on_size_changed(SmWall *wall, SmWindow *window)
{
    (void)wall;
    if (window->machine)
        sm_machine_room_changed(window->machine);
}

static void on_close_answer(gpointer opaque)
{
    sm_machine_close(((SmWindow *)opaque)->machine);
}

static gboolean close_request(GtkWindow *gtk_window)
{
    SmWindow *window = SM_WINDOW(gtk_window);
    struct sm_connection *connection = sm_machine_connection(window->machine);
    enum sm_connection_state state = sm_connection_state(connection);
    bool is_kiosk = sm_machine_options(window->machine)->is_kiosk;
    if (window->is_dismissed)
        return GTK_WINDOW_CLASS(sm_window_parent_class)->close_request(gtk_window);
    if (is_kiosk && !sm_machine_options(window->machine)->quits_on_disconnect)
        return TRUE;
    if (state == SM_CONNECTION_UP || state == SM_CONNECTION_LOST)
        sm_dialog_ask_close(gtk_window, sm_connection_name(connection), on_close_answer, window);
    else
        sm_machine_close(window->machine);
    return TRUE; /* it goes when the session has ended */
}

void sm_window_dismiss(SmWindow *window)
{
    window->is_dismissed = true;
    gtk_window_close(as_window(window));
}

/* ---- Full screen ---- */

static void on_fullscreen_changed(SmWindow *window)
{
    bool is_fullscreen = gtk_window_is_fullscreen(as_window(window));
    gtk_widget_set_visible(window->header, !is_fullscreen);
    gtk_revealer_set_reveal_child(GTK_REVEALER(window->bar), FALSE);
    g_simple_action_set_state(window->fullscreen_action, g_variant_new_boolean(is_fullscreen));
    if (window->number != 0 || !window->machine)
        return;
    struct sm_settings settings = *sm_machine_settings(window->machine);
    bool is_new = settings.is_fullscreen != is_fullscreen;
    settings.is_fullscreen = is_fullscreen;
    /* What was asked for by option or file is for this time. */
    if (is_new && !sm_machine_options(window->machine)->is_fullscreen)
        sm_machine_change_settings(window->machine, &settings);
}

/* The bar comes when the pointer is pushed against the upper edge, and goes when it leaves it. */
static void on_motion(GtkEventControllerMotion *controller, double x, double y, SmWindow *window)
{
    (void)controller;
    (void)x;
    if (!gtk_window_is_fullscreen(as_window(window)) ||
        sm_machine_options(window->machine)->is_kiosk)
        return;
    GtkRevealer *bar = GTK_REVEALER(window->bar);
    double limit =
        gtk_revealer_get_reveal_child(bar) ? gtk_widget_get_height(window->bar) + EDGE_PX : EDGE_PX;
    GtkPopover *menu = gtk_menu_button_get_popover(GTK_MENU_BUTTON(window->bar_menu));
    gtk_revealer_set_reveal_child(bar, y < limit || gtk_widget_get_visible(GTK_WIDGET(menu)));
}

/* F10 opens the menu, as it does in a window: there the toolkit sees to it, but here nobody sees
 * the button that it knows. */
static gboolean on_key(GtkEventControllerKey *controller, guint key, guint code,
                       GdkModifierType modifiers, SmWindow *window)
{
    (void)controller;
    (void)code;
    if (key != GDK_KEY_F10 || (modifiers & gtk_accelerator_get_default_mod_mask()) ||
        window->has_keyboard || !gtk_window_is_fullscreen(as_window(window)) ||
        sm_machine_options(window->machine)->is_kiosk)
        return FALSE;
    gtk_revealer_set_reveal_child(GTK_REVEALER(window->bar), TRUE);
    gtk_menu_button_popup(GTK_MENU_BUTTON(window->bar_menu));
    return TRUE;
}

/* Closed by a key it leaves nobody who would push the bar away. */
static void on_bar_menu_closed(SmWindow *window)
{
    gtk_revealer_set_reveal_child(GTK_REVEALER(window->bar), FALSE);
}

/* ---- The object ---- */

static void dispose(GObject *object)
{
    SmWindow *window = SM_WINDOW(object);
    if (window->machine) {
        sm_quality_set_session(&window->quality, NULL);
        sm_line_card_finish(&window->line);
        for (size_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
            if (window->views[i])
                sm_view_set_session(window->views[i], NULL);
        sm_machine_window_closed(window->machine, window->number);
        window->machine = NULL;
    }
    sm_people_finish(window);
    G_OBJECT_CLASS(sm_window_parent_class)->dispose(object);
}

static void sm_window_class_init(SmWindowClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
    GTK_WINDOW_CLASS(class)->close_request = close_request;
}

static void sm_window_init(SmWindow *window)
{
    (void)window;
}

static void connect_signals(SmWindow *window)
{
    g_signal_connect_swapped(window->retry, "clicked", G_CALLBACK(on_retry), window);
    g_signal_connect(window->wall, "size-changed", G_CALLBACK(on_size_changed), window);
    g_signal_connect(window, "notify::fullscreened", G_CALLBACK(on_fullscreen_changed), NULL);
    GtkEventController *motion = gtk_event_controller_motion_new();
    gtk_event_controller_set_propagation_phase(motion, GTK_PHASE_CAPTURE);
    g_signal_connect(motion, "motion", G_CALLBACK(on_motion), window);
    gtk_widget_add_controller(GTK_WIDGET(window), motion);
    GtkEventController *key = gtk_event_controller_key_new();
    gtk_event_controller_set_propagation_phase(key, GTK_PHASE_CAPTURE);
    g_signal_connect(key, "key-pressed", G_CALLBACK(on_key), window);
    gtk_widget_add_controller(GTK_WIDGET(window), key);
    GtkPopover *menu = gtk_menu_button_get_popover(GTK_MENU_BUTTON(window->bar_menu));
    g_signal_connect_swapped(menu, "closed", G_CALLBACK(on_bar_menu_closed), window);
}

static SmView *add_view(SmWindow *window, uint32_t number)
{
    const struct sm_viewer_options *options = sm_machine_options(window->machine);
    SmView *view = SM_VIEW(sm_view_new(number));
    window->views[number] = view;
    sm_view_set_takes_input(view, !sm_machine_is_view_only(window->machine));
    sm_view_set_local_cursor(view, options->shows_local_cursor);
    sm_view_set_keymap(view, sm_machine_keymap(window->machine));
    g_signal_connect(view, "keyboard-changed", G_CALLBACK(on_keyboard_changed), window);
    sm_wall_add(window->wall, view);
    return view;
}

static void remove_view(SmWindow *window, uint32_t number)
{
    SmView *view = window->views[number];
    bool had_focus = gtk_widget_is_focus(GTK_WIDGET(view));
    window->views[number] = NULL;
    sm_view_set_session(view, NULL);
    sm_wall_remove(window->wall, view);
    if (had_focus)
        gtk_widget_grab_focus(GTK_WIDGET(window->wall));
}

/* The one that was measured may be gone. */
static void measure_first_view(SmWindow *window)
{
    for (size_t i = SM_WALL_VIEWS_MAX; i-- > 0;)
        if (window->views[i])
            window->quality.view = window->views[i];
}

void sm_window_set_monitors(SmWindow *window, uint32_t mask)
{
    if (!mask)
        mask = 1u << window->number;
    struct sm_connection *connection = sm_machine_connection(window->machine);
    bool is_up = sm_connection_state(connection) == SM_CONNECTION_UP;
    for (uint32_t i = 0; i < SM_WALL_VIEWS_MAX; i++) {
        if ((mask >> i & 1) && !window->views[i])
            sm_view_set_session(add_view(window, i),
                                is_up ? sm_connection_session(connection) : NULL);
    }
    for (uint32_t i = 0; i < SM_WALL_VIEWS_MAX; i++)
        if (window->views[i] && !(mask >> i & 1))
            remove_view(window, i);
    measure_first_view(window);
    gtk_widget_queue_resize(GTK_WIDGET(window->wall));
}

SmWindow *sm_window_new(AdwApplication *application, struct sm_machine *machine, uint32_t number)
{
    SmWindow *window = g_object_new(SM_TYPE_WINDOW, "application", application, NULL);
    window->machine = machine;
    window->number = number;
    window->wall = SM_WALL(sm_wall_new());
    window->quality.view = add_view(window, number);
    sm_window_build(window);
    sm_window_add_actions(window);
    sm_window_update_settings(window);
    connect_signals(window);
    return window;
}

SmWall *sm_window_wall(SmWindow *window)
{
    return window->wall;
}
