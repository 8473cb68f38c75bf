/* SPDX-License-Identifier: MIT */
#include "viewer/settings.h"

#include <string.h>

#include "viewer/keymap.h"
#include "viewer/recent.h"

enum { ZOOM_MIN = 10, ZOOM_MAX = 400, UUID_SIZE = 16, VOLUME_MAX = 100 };

char *sm_settings_path(void)
{
    return g_build_filename(g_get_user_config_dir(), "sumac", "machines", NULL);
}

struct sm_settings sm_settings_default(void)
{
    return (struct sm_settings){.zoom_percent = 100,
                                .resizes_guest = true,
                                .volume_percent = 100,
                                .clipboard_ways = SM_CLIPBOARD_TO_GUEST | SM_CLIPBOARD_FROM_GUEST};
}

char *sm_settings_key(const unsigned char *uuid, const char *address)
{
    static const unsigned char NONE[UUID_SIZE];
    if (!uuid || memcmp(uuid, NONE, UUID_SIZE) == 0) {
        g_autofree char *kept = sm_recent_address(address);
        return g_uri_escape_string(kept, ":/.-_~", FALSE); /* brackets end a group's name */
    }
    GString *key = g_string_new("uuid-");
    for (int i = 0; i < UUID_SIZE; i++)
        g_string_append_printf(key, "%02x", uuid[i]);
    return g_string_free(key, FALSE);
}

static bool get_bool(GKeyFile *file, const char *key, const char *name, bool otherwise)
{
    g_autoptr(GError) error = NULL;
    gboolean value = g_key_file_get_boolean(file, key, name, &error);
    return error ? otherwise : value;
}

static const char *const WAYS[] = {
    [0] = "off",
    [SM_CLIPBOARD_TO_GUEST] = "to-machine",
    [SM_CLIPBOARD_FROM_GUEST] = "from-machine",
    [SM_CLIPBOARD_TO_GUEST | SM_CLIPBOARD_FROM_GUEST] = "both",
};

const char *sm_settings_ways_name(unsigned ways)
{
    return WAYS[ways % G_N_ELEMENTS(WAYS)];
}

unsigned sm_settings_ways(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(WAYS); i++)
        if (g_strcmp0(name, WAYS[i]) == 0)
            return i;
    return SM_CLIPBOARD_TO_GUEST | SM_CLIPBOARD_FROM_GUEST;
}

bool sm_settings_load(const char *path, const char *key, struct sm_settings *out)
{
    *out = sm_settings_default();
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL) ||
        !g_key_file_has_group(file, key))
        return false;
    int zoom = g_key_file_get_integer(file, key, "zoom", NULL);
    if (zoom >= ZOOM_MIN && zoom <= ZOOM_MAX)
        out->zoom_percent = zoom;
    out->fills = get_bool(file, key, "scale-to-window", out->fills);
    out->resizes_guest = get_bool(file, key, "resize-guest", out->resizes_guest);
    out->is_fullscreen = get_bool(file, key, "fullscreen", out->is_fullscreen);
    out->is_one_window = get_bool(file, key, "one-window", out->is_one_window);
    out->is_muted = get_bool(file, key, "muted", out->is_muted);
    g_autofree char *ways = g_key_file_get_string(file, key, "clipboard", NULL);
    out->clipboard_ways = sm_settings_ways(ways);
    g_autoptr(GError) no_volume = NULL;
    int volume = g_key_file_get_integer(file, key, "volume", &no_volume);
    if (!no_volume && volume >= 0 && volume <= VOLUME_MAX)
        out->volume_percent = volume;
    g_autofree char *keymap = g_key_file_get_string(file, key, "keymap", NULL);
    struct sm_keymap map;
    if (keymap && strlen(keymap) < sizeof(out->keymap) && sm_keymap_parse(&map, keymap, NULL))
        g_strlcpy(out->keymap, keymap, sizeof(out->keymap));
    return true;
}

struct sm_settings sm_settings_changed(const struct sm_settings *remembered,
                                       const struct sm_settings *before,
                                       const struct sm_settings *after)
{
    struct sm_settings changed = *after;
    if (after->zoom_percent == before->zoom_percent)
        changed.zoom_percent = remembered->zoom_percent;
    if (after->resizes_guest == before->resizes_guest)
        changed.resizes_guest = remembered->resizes_guest;
    return changed;
}

char *sm_settings_load_user(const char *path, const char *key)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    (void)g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL); /* or there is none */
    return g_key_file_get_string(file, key, "user", NULL);
}

/* The file with all machines, for a change; NULL, and `error`, if it has no folder. */
static GKeyFile *open_for_change(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the folder %s cannot be made",
                    folder);
        return NULL;
    }
    GKeyFile *file = g_key_file_new();
    (void)g_key_file_load_from_file(file, path, G_KEY_FILE_KEEP_COMMENTS, NULL); /* or a new one */
    return file;
}

bool sm_settings_save_user(const char *path, const char *key, const char *user, GError **error)
{
    g_autoptr(GKeyFile) file = open_for_change(path, error);
    if (!file)
        return false;
    g_key_file_set_string(file, key, "user", user);
    return g_key_file_save_to_file(file, path, error);
}

bool sm_settings_save(const char *path, const char *key, const struct sm_settings *settings,
                      GError **error)
{
    g_autoptr(GKeyFile) file = open_for_change(path, error);
    if (!file)
        return false;
    g_key_file_set_integer(file, key, "zoom", settings->zoom_percent);
    g_key_file_set_boolean(file, key, "scale-to-window", settings->fills);
    g_key_file_set_boolean(file, key, "resize-guest", settings->resizes_guest);
    g_key_file_set_boolean(file, key, "fullscreen", settings->is_fullscreen);
    g_key_file_set_boolean(file, key, "one-window", settings->is_one_window);
    g_key_file_set_integer(file, key, "volume", settings->volume_percent);
    g_key_file_set_boolean(file, key, "muted", settings->is_muted);
    g_key_file_set_string(file, key, "clipboard", sm_settings_ways_name(settings->clipboard_ways));
    if (settings->keymap[0])
        g_key_file_set_string(file, key, "keymap", settings->keymap);
    else
        (void)g_key_file_remove_key(file, key, "keymap", NULL);
    return g_key_file_save_to_file(file, path, error);
}
