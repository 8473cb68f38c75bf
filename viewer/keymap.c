/* SPDX-License-Identifier: MIT */
#include "viewer/keymap.h"

#include <string.h>

#include <gdk/gdk.h>
#include <glib/gi18n.h>

/* As people call them; the toolkit's names tell left from right. */
static const struct {
    const char *name;
    guint symbol;
} NAMES[] = {
    {"shift", GDK_KEY_Shift_L}, {"ctrl", GDK_KEY_Control_L}, {"control", GDK_KEY_Control_L},
    {"alt", GDK_KEY_Alt_L},     {"win", GDK_KEY_Super_L},    {"super", GDK_KEY_Super_L},
};

/* A symbol of name `name`, capitals as they are or as they usually are ("ALT_L"). */
static guint find_symbol(const char *name)
{
    guint symbol = gdk_keyval_from_name(name);
    if (symbol != GDK_KEY_VoidSymbol)
        return symbol;
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
        if (g_ascii_strcasecmp(name, NAMES[i].name) == 0)
            return NAMES[i].symbol;
    g_autofree char *usual = g_ascii_strdown(name, -1);
    for (char *at = usual; *at; at++)
        if (at == usual || at[-1] == '_')
            *at = g_ascii_toupper(*at);
    return gdk_keyval_from_name(usual);
}

G_GNUC_PRINTF(2, 3) static bool fail(GError **error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_autofree char *text = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
    return false;
}

static bool take_targets(struct sm_keymap_entry *entry, const char *text, GError **error)
{
    if (!*text || g_ascii_strcasecmp(text, "void") == 0)
        return true; /* the key is blocked */
    g_auto(GStrv) names = g_strsplit(text, "+", -1);
    for (char **name = names; *name; name++) {
        guint symbol = find_symbol(*name);
        if (symbol == GDK_KEY_VoidSymbol)
            return fail(error, _("'%s' in the key map is no key, such as F1, Super_L or Shift_L"),
                        *name);
        if (entry->count == SM_KEYMAP_KEYS_MAX)
            return fail(error, _("a key map has at most %d keys for one; not '%s'"),
                        SM_KEYMAP_KEYS_MAX, text);
        entry->to[entry->count++] = symbol;
    }
    return true;
}

static bool take_entry(struct sm_keymap *map, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return fail(error, _("'%s' is no entry of a key map; write KEY=KEY+KEY, or KEY= to block"),
                    text);
    g_autofree char *name = g_strndup(text, (gsize)(equals - text));
    struct sm_keymap_entry entry = {.from = find_symbol(name)};
    if (entry.from == GDK_KEY_VoidSymbol)
        return fail(error, _("'%s' in the key map is no key, such as F1, Super_L or Shift_L"),
                    name);
    if (sm_keymap_find(map, entry.from))
        return fail(error, _("'%s' is twice in the key map"), name);
    if (map->count == SM_KEYMAP_MAX)
        return fail(error, _("a key map has at most %d keys"), SM_KEYMAP_MAX);
    if (!take_targets(&entry, equals + 1, error))
        return false;
    map->entries[map->count++] = entry;
    return true;
}

bool sm_keymap_parse(struct sm_keymap *out, const char *text, GError **error)
{
    struct sm_keymap map = {.count = 0};
    g_auto(GStrv) entries = g_strsplit(text, ",", -1);
    for (char **entry = entries; *entry; entry++)
        if (!take_entry(&map, g_strstrip(*entry), error))
            return false;
    *out = map;
    return true;
}

const struct sm_keymap_entry *sm_keymap_find(const struct sm_keymap *map, guint from)
{
    for (size_t i = 0; i < map->count; i++)
        if (map->entries[i].from == from)
            return &map->entries[i];
    return NULL;
}
