/* SPDX-License-Identifier: MIT */
#include "viewer/window_devices.h"

#include <glib/gi18n.h>

#include "viewer/error_words.h"
#include "viewer/window_private.h"

enum { DEVICES_MAX = 64 };

static struct sm_session *session_of(SmWindow *window)
{
    return sm_connection_session(sm_machine_connection(window->machine));
}

static void move_card(SmWindow *window, bool is_inserted)
{
    struct sm_session *session = session_of(window);
    bool is_software = sm_machine_options(window->machine)->card_certificates != NULL;
    if (session && is_software && sm_session_insert_smartcard(session, is_inserted) == SM_OK)
        sm_window_say(window, is_inserted ? _("The smart card is in its reader")
                                          : _("The smart card is out of its reader"));
    else
        sm_window_say(window,
                      _("There is no smart card of software (--spice-smartcard-certificates)"));
}

static void on_insert(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    move_card(opaque, true);
}

static void on_remove(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    move_card(opaque, false);
}

/* ---- USB ---- */

static void on_usb_reset(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    SmWindow *window = opaque;
    struct sm_usb_device devices[DEVICES_MAX];
    struct sm_session *session = session_of(window);
    size_t count = session ? sm_session_get_usb_devices(session, devices, DEVICES_MAX) : 0;
    window->usb_anew_count = 0;
    for (size_t i = 0; i < count && i < DEVICES_MAX; i++) {
        if (devices[i].state != SM_USB_REDIRECTED || window->usb_anew_count == USB_ANEW_MAX)
            continue;
        window->usb_anew[window->usb_anew_count++] = devices[i].id;
        sm_session_release_usb(session, devices[i].id);
    }
    if (window->usb_anew_count == 0)
        sm_window_say(window, _("The machine has no USB device of this computer"));
}

/* Whether device `id` has come back from the machine, or is gone. */
static bool is_back(const struct sm_usb_device *devices, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        if (devices[i].id == id)
            return devices[i].state == SM_USB_FREE;
    return true;
}

void sm_devices_take_event(SmWindow *window)
{
    if (window->usb_anew_count == 0)
        return;
    struct sm_usb_device devices[DEVICES_MAX];
    struct sm_session *session = session_of(window);
    size_t count = session ? sm_session_get_usb_devices(session, devices, DEVICES_MAX) : 0;
    count = MIN(count, DEVICES_MAX);
    for (size_t i = 0; i < window->usb_anew_count;) {
        uint32_t id = window->usb_anew[i];
        if (!is_back(devices, count, id)) {
            i++;
            continue;
        }
        window->usb_anew[i] = window->usb_anew[--window->usb_anew_count];
        struct sm_error error;
        if (session && sm_session_redirect_usb(session, id, &error) != SM_OK) {
            g_autofree char *text = sm_error_words_line(&error);
            sm_window_say(window, text);
        }
    }
}

void sm_devices_add_actions(SmWindow *window)
{
    const GActionEntry entries[] = {
        {.name = "smartcard-insert", .activate = on_insert},
        {.name = "smartcard-remove", .activate = on_remove},
        {.name = "usb-reset", .activate = on_usb_reset},
    };
    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
}
