/* SPDX-License-Identifier: MIT */
#include "viewer/recent.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

char *sm_recent_path(void)
{
    return g_build_filename(g_get_user_data_dir(), "sumac", "recent", NULL);
}

static void group_name(char name[32], size_t index)
{
    (void)snprintf(name, 32, "machine-%zu", index + 1);
}

size_t sm_recent_load(const char *path, struct sm_recent out[SM_RECENT_MAX])
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL))
        return 0;
    size_t count = 0;
    for (size_t i = 0; i < SM_RECENT_MAX; i++) {
        char group[32];
        group_name(group, i);
        char *address = g_key_file_get_string(file, group, "address", NULL);
        if (!address)
            continue;
        char *name = g_key_file_get_string(file, group, "name", NULL);
        out[count++] = (struct sm_recent){address, name ? name : g_strdup("")};
    }
    return count;
}

char *sm_recent_address(const char *address)
{
    bool is_websocket = g_str_has_prefix(address, "ws://") || g_str_has_prefix(address, "wss://");
    return is_websocket ? g_strndup(address, strcspn(address, "?")) : g_strdup(address);
}

void sm_recent_clear(struct sm_recent *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_free(list[i].address);
        g_free(list[i].name);
    }
}

static gboolean save(const char *path, const struct sm_recent *list, size_t count, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the folder %s cannot be made",
                    folder);
        return FALSE;
    }
    g_autoptr(GKeyFile) file = g_key_file_new();
    for (size_t i = 0; i < count; i++) {
        char group[32];
        group_name(group, i);
        g_key_file_set_string(file, group, "address", list[i].address);
        g_key_file_set_string(file, group, "name", list[i].name);
    }
    return g_key_file_save_to_file(file, path, error);
}

/* Takes the machine out of the list; returns how many are left. */
static size_t drop(struct sm_recent *list, size_t count, const char *address)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].address, address) == 0)
            sm_recent_clear(&list[i], 1);
        else
            list[kept++] = list[i];
    }
    return kept;
}

gboolean sm_recent_add(const char *path, const char *address, const char *name, GError **error)
{
    struct sm_recent list[SM_RECENT_MAX];
    char *kept = sm_recent_address(address);
    size_t count = drop(list, sm_recent_load(path, list), kept);
    if (count == SM_RECENT_MAX)
        sm_recent_clear(&list[--count], 1);
    memmove(list + 1, list, count * sizeof(list[0]));
    list[0] = (struct sm_recent){kept, g_strdup(name)};
    count++;
    gboolean is_saved = save(path, list, count, error);
    sm_recent_clear(list, count);
    return is_saved;
}

gboolean sm_recent_remove(const char *path, const char *address, GError **error)
{
    struct sm_recent list[SM_RECENT_MAX];
    size_t count = drop(list, sm_recent_load(path, list), address);
    gboolean is_saved = save(path, list, count, error);
    sm_recent_clear(list, count);
    return is_saved;
}
