/* SPDX-License-Identifier: MIT */
#include "viewer/hotkeys.h"

#include <string.h>

static const struct {
    const char *name, *action, *accelerator;
} HOTKEYS[SM_HOTKEY_COUNT] = {
    [SM_HOTKEY_TOGGLE_FULLSCREEN] = {"toggle-fullscreen", "win.fullscreen", "F11"},
    [SM_HOTKEY_RELEASE_CURSOR] = {"release-cursor", "win.release", "<Shift>F12"},
    [SM_HOTKEY_ZOOM_IN] = {"zoom-in", "win.zoom-in", "<Control>plus"},
    [SM_HOTKEY_ZOOM_OUT] = {"zoom-out", "win.zoom-out", "<Control>minus"},
    [SM_HOTKEY_ZOOM_RESET] = {"zoom-reset", "win.zoom-reset", "<Control>0"},
    [SM_HOTKEY_SECURE_ATTENTION] = {"secure-attention", "win.secure-attention",
                                    "<Control><Alt>End"},
    [SM_HOTKEY_SMARTCARD_INSERT] = {"smartcard-insert", "win.smartcard-insert", "<Shift>F8"},
    [SM_HOTKEY_SMARTCARD_REMOVE] = {"smartcard-remove", "win.smartcard-remove", "<Shift>F9"},
    [SM_HOTKEY_USB_RESET] = {"usb-device-reset", "win.usb-reset", "<Control><Shift>r"},
};

static const struct {
    const char *name, *toolkit;
} MODIFIERS[] = {
    {"shift", "<Shift>"},   {"lshift", "<Shift>"},  {"rshift", "<Shift>"}, {"ctrl", "<Control>"},
    {"lctrl", "<Control>"}, {"rctrl", "<Control>"}, {"cmd", "<Control>"},  {"alt", "<Alt>"},
    {"lalt", "<Alt>"},      {"ralt", "<Alt>"},      {"win", "<Super>"},    {"super", "<Super>"},
};

/* Where the toolkit's name of a key is not the one given with a capital. */
static const struct {
    const char *name, *toolkit;
} KEYS[] = {
    {"esc", "Escape"},          {"ins", "Insert"},     {"del", "Delete"},
    {"pgup", "Page_Up"},        {"pageup", "Page_Up"}, {"pgdn", "Page_Down"},
    {"pagedown", "Page_Down"},  {"end", "End"},        {"enter", "Return"},
    {"home", "Home"},           {"space", "space"},    {"tab", "Tab"},
    {"print", "Print"},         {"plus", "plus"},      {"minus", "minus"},
    {"backspace", "BackSpace"}, {"kp_add", "KP_Add"},  {"kp_subtract", "KP_Subtract"},
    {"left", "Left"},           {"right", "Right"},    {"up", "Up"},
    {"down", "Down"},           {"insert", "Insert"},  {"delete", "Delete"},
    {"escape", "Escape"},
};

const char *sm_hotkey_name(enum sm_hotkey hotkey)
{
    return HOTKEYS[hotkey].name;
}

const char *sm_hotkey_action(enum sm_hotkey hotkey)
{
    return HOTKEYS[hotkey].action;
}

const char *sm_hotkey_default(enum sm_hotkey hotkey)
{
    return HOTKEYS[hotkey].accelerator;
}

static const char *find_modifier(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODIFIERS); i++)
        if (g_ascii_strcasecmp(name, MODIFIERS[i].name) == 0)
            return MODIFIERS[i].toolkit;
    return NULL;
}

/* The toolkit's name of a key, the caller's; NULL if it is none. */
static char *find_key(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++)
        if (g_ascii_strcasecmp(name, KEYS[i].name) == 0)
            return g_strdup(KEYS[i].toolkit);
    bool is_function_key = g_ascii_tolower(name[0]) == 'f' && name[1] >= '1' && name[1] <= '9' &&
                           (!name[2] || (g_ascii_isdigit(name[2]) && !name[3]));
    if (is_function_key)
        return g_ascii_strup(name, -1);
    if (g_ascii_isalnum(name[0]) && !name[1])
        return g_ascii_strdown(name, -1);
    return NULL;
}

char *sm_hotkey_accelerator(const char *text)
{
    if (!*text)
        return g_strdup("");
    g_auto(GStrv) parts = g_strsplit(text, "+", -1);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *key = NULL;
    for (char **part = parts; *part; part++) {
        const char *modifier = find_modifier(*part);
        if (modifier) {
            g_string_append(out, modifier);
            continue;
        }
        if (key)
            return NULL; /* one key is enough */
        key = find_key(*part);
        if (!key)
            return NULL;
    }
    if (!key)
        return NULL;
    g_string_append(out, key);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static bool take_binding(const char *binding, char *found[SM_HOTKEY_COUNT], GError **error)
{
    const char *equals = strchr(binding, '=');
    for (int i = 0; equals && i < SM_HOTKEY_COUNT; i++) {
        size_t size = (size_t)(equals - binding);
        if (strlen(HOTKEYS[i].name) != size || strncmp(binding, HOTKEYS[i].name, size) != 0)
            continue;
        char *accelerator = sm_hotkey_accelerator(equals + 1);
        /* The pointer may also be released by modifiers alone, which is there without a binding. */
        if (!accelerator && i == SM_HOTKEY_RELEASE_CURSOR)
            accelerator = g_strdup("");
        if (!accelerator) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "'%s' is no combination of keys", equals + 1);
            return false;
        }
        g_free(found[i]);
        found[i] = accelerator;
        return true;
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "'%s' is no binding; write ACTION=KEY+KEY", binding);
    return false;
}

bool sm_hotkeys_parse(const char *text, char *accelerators[SM_HOTKEY_COUNT], GError **error)
{
    char *found[SM_HOTKEY_COUNT] = {0};
    g_auto(GStrv) bindings = g_strsplit(text, ",", -1);
    for (char **binding = bindings; *binding; binding++) {
        if (!take_binding(*binding, found, error)) {
            for (int i = 0; i < SM_HOTKEY_COUNT; i++)
                g_free(found[i]);
            return false;
        }
    }
    for (int i = 0; i < SM_HOTKEY_COUNT; i++) {
        g_free(accelerators[i]);
        accelerators[i] = found[i] ? found[i] : g_strdup("");
    }
    return true;
}
