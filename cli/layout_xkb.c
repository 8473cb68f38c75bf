/* SPDX-License-Identifier: MIT */
#include "cli/layout.h"

#include <stdlib.h>
#include <string.h>

#include <xkbcommon/xkbcommon-compose.h>
#include <xkbcommon/xkbcommon.h>

#include "cli/utf8.h"

enum {
    EVDEV_OFFSET = 8, /* of X11's codes */
    NAME_MAX_SIZE = 64,
    MODIFIERS_MAX = 4, /* keys beside Shift and AltGr that layouts choose levels with */
    COMBINATIONS_MAX = 1 + MODIFIERS_MAX + MODIFIERS_MAX * (MODIFIERS_MAX - 1) / 2,
    DEAD_MAX = 64,
    CHARACTER_SIZE = 8, /* bytes of UTF-8, and its NUL */
};

struct entry {
    uint32_t character;
    size_t order; /* in which it was found: plain keys first */
    struct cli_strokes strokes;
};

struct cli_layout {
    struct entry *entries; /* owned: each character once, in their order */
    size_t count, room;
    bool has_failed; /* there was no memory */
};

/** A key that is held to choose another level. */
struct modifier {
    xkb_keycode_t code;
    xkb_mod_mask_t mask;
};

struct dead_key {
    xkb_keysym_t symbol;
    struct sm_key_chord chord;
};

/** Something that gives a character, for use behind dead keys. */
struct base_key {
    xkb_keysym_t symbol;
    struct sm_key_chord chord;
};

/** A layout on its way. */
struct maker {
    struct cli_layout *layout; /* borrowed */
    struct xkb_keymap *keymap; /* owned */
    struct modifier modifiers[MODIFIERS_MAX];
    size_t modifier_count;
    struct dead_key dead[DEAD_MAX];
    size_t dead_count;
    struct base_key *bases; /* owned */
    size_t base_count, base_room;
};

/* ---- The table ---- */

static size_t keys_of(const struct cli_strokes *strokes)
{
    size_t keys = 0;
    for (size_t i = 0; i < strokes->count; i++)
        keys += strokes->chords[i].count;
    return keys;
}

static int by_character_and_effort(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    if (left->character != right->character)
        return left->character < right->character ? -1 : 1;
    if (left->strokes.count != right->strokes.count)
        return left->strokes.count < right->strokes.count ? -1 : 1;
    size_t left_keys = keys_of(&left->strokes), right_keys = keys_of(&right->strokes);
    if (left_keys != right_keys)
        return left_keys < right_keys ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

static int by_character(const void *character, const void *entry)
{
    uint32_t wanted = *(const uint32_t *)character,
             there = ((const struct entry *)entry)->character;
    return wanted < there ? -1 : wanted > there;
}

static void *grow(void *items, size_t *room, size_t count, size_t size, bool *has_failed)
{
    if (count < *room)
        return items;
    size_t wanted = *room ? *room * 2 : 256;
    void *grown = realloc(items, wanted * size);
    if (!grown)
        *has_failed = true;
    else
        *room = wanted;
    return grown ? grown : items;
}

static void add(struct cli_layout *layout, uint32_t character, const struct cli_strokes *strokes)
{
    bool is_control = character < ' ' || (character >= 0x7f && character < 0xa0);
    if (is_control || layout->has_failed)
        return;
    layout->entries = grow(layout->entries, &layout->room, layout->count, sizeof(*layout->entries),
                           &layout->has_failed);
    if (layout->has_failed)
        return;
    layout->entries[layout->count] = (struct entry){character, layout->count, *strokes};
    layout->count++;
}

/* Of several ways to a character the first in order stays. */
static void sort(struct cli_layout *layout)
{
    size_t kept = 0;
    if (layout->count)
        qsort(layout->entries, layout->count, sizeof(*layout->entries), by_character_and_effort);
    for (size_t i = 0; i < layout->count; i++)
        if (kept == 0 || layout->entries[kept - 1].character != layout->entries[i].character)
            layout->entries[kept++] = layout->entries[i];
    layout->count = kept;
}

/* ---- Keys ---- */

/* The number pad depends on Num Lock, and gives nothing that other keys do not give. */
static bool is_of_number_pad(uint32_t evdev)
{
    return evdev == 55 || (evdev >= 69 && evdev <= 83) || evdev == 95 || evdev == 96 ||
           evdev == 98 || evdev == 117 || evdev == 118 || evdev == 121;
}

/* The key that can be sent; 0 if there is none. Layouts have AltGr a second time, as a key that no
 * keyboard has. */
static uint16_t key_of(xkb_keycode_t code)
{
    enum { FOR_LEVEL_3 = 84 };
    uint32_t evdev = code - EVDEV_OFFSET;
    bool is_there = code > EVDEV_OFFSET && evdev != FOR_LEVEL_3 && !is_of_number_pad(evdev);
    return is_there ? sm_key_from_evdev(evdev) : 0;
}

/* Modifiers that make shortcuts of keys, or that stay. */
static xkb_mod_mask_t forbidden_mask(struct xkb_keymap *keymap)
{
    static const char *const names[] = {XKB_MOD_NAME_CTRL, XKB_MOD_NAME_ALT, XKB_MOD_NAME_LOGO,
                                        XKB_MOD_NAME_CAPS, XKB_MOD_NAME_NUM};
    xkb_mod_mask_t mask = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        xkb_mod_index_t index = xkb_keymap_mod_get_index(keymap, names[i]);
        if (index < 32)
            mask |= UINT32_C(1) << index;
    }
    return mask;
}

/* What holding the key `code` does, if that ends when it is let go; 0 for any other key. */
static xkb_mod_mask_t mask_of(struct xkb_keymap *keymap, xkb_keycode_t code)
{
    struct xkb_state *state = xkb_state_new(keymap);
    if (!state)
        return 0;
    xkb_state_update_key(state, code, XKB_KEY_DOWN);
    xkb_mod_mask_t mask = xkb_state_serialize_mods(state, XKB_STATE_MODS_DEPRESSED);
    bool has_moved = xkb_state_serialize_layout(state, XKB_STATE_LAYOUT_EFFECTIVE) != 0;
    xkb_state_update_key(state, code, XKB_KEY_UP);
    bool stays = xkb_state_serialize_mods(state, XKB_STATE_MODS_EFFECTIVE) != 0 ||
                 xkb_state_serialize_layout(state, XKB_STATE_LAYOUT_EFFECTIVE) != 0;
    xkb_state_unref(state);
    return has_moved || stays || mask & forbidden_mask(keymap) ? 0 : mask;
}

/* One key for each modifier: Shift and AltGr, with some layouts others. */
static void find_modifiers(struct maker *m)
{
    for (xkb_keycode_t code = xkb_keymap_min_keycode(m->keymap);
         code <= xkb_keymap_max_keycode(m->keymap) && m->modifier_count < MODIFIERS_MAX; code++) {
        xkb_mod_mask_t mask = key_of(code) ? mask_of(m->keymap, code) : 0;
        bool is_new = mask != 0;
        for (size_t i = 0; i < m->modifier_count; i++)
            is_new = is_new && m->modifiers[i].mask != mask;
        if (is_new)
            m->modifiers[m->modifier_count++] = (struct modifier){code, mask};
    }
}

/* ---- Characters on keys ---- */

static bool is_dead(xkb_keysym_t symbol)
{
    return symbol >= XKB_KEY_dead_grave && symbol <= 0xfe93;
}

static void add_base(struct maker *m, xkb_keysym_t symbol, const struct sm_key_chord *chord)
{
    m->bases =
        grow(m->bases, &m->base_room, m->base_count, sizeof(*m->bases), &m->layout->has_failed);
    if (!m->layout->has_failed)
        m->bases[m->base_count++] = (struct base_key){symbol, *chord};
}

static bool knows_dead(const struct maker *m, xkb_keysym_t symbol)
{
    for (size_t i = 0; i < m->dead_count; i++)
        if (m->dead[i].symbol == symbol)
            return true;
    return m->dead_count == DEAD_MAX;
}

/* What the key gives while the modifiers of `state` are held. */
static void add_key(struct maker *m, struct xkb_state *state, xkb_keycode_t code,
                    const struct sm_key_chord *held)
{
    xkb_keysym_t symbol = xkb_state_key_get_one_sym(state, code);
    uint32_t character = xkb_keysym_to_utf32(symbol);
    struct cli_strokes strokes = {.chords = {*held}, .count = 1};
    strokes.chords[0].keys[strokes.chords[0].count++] = key_of(code);
    if (character) {
        add(m->layout, character, &strokes);
        add_base(m, symbol, &strokes.chords[0]);
    } else if (is_dead(symbol) && !knows_dead(m, symbol)) {
        m->dead[m->dead_count++] = (struct dead_key){symbol, strokes.chords[0]};
    }
}

/* All keys with `held` of the modifiers, which are numbers of them; they come with few first. */
static bool add_keys(struct maker *m, const size_t *held, size_t held_count)
{
    struct xkb_state *state = xkb_state_new(m->keymap);
    struct sm_key_chord chord = {.count = 0};
    if (!state)
        return false;
    for (size_t i = 0; i < held_count; i++) {
        xkb_keycode_t code = m->modifiers[held[i]].code;
        xkb_state_update_key(state, code, XKB_KEY_DOWN);
        chord.keys[chord.count++] = key_of(code);
    }
    bool is_typing =
        !(xkb_state_serialize_mods(state, XKB_STATE_MODS_EFFECTIVE) & forbidden_mask(m->keymap));
    for (xkb_keycode_t code = xkb_keymap_min_keycode(m->keymap);
         is_typing && code <= xkb_keymap_max_keycode(m->keymap); code++)
        if (key_of(code))
            add_key(m, state, code, &chord);
    xkb_state_unref(state);
    return true;
}

static bool add_levels(struct maker *m)
{
    bool is_good = add_keys(m, NULL, 0);
    for (size_t i = 0; is_good && i < m->modifier_count; i++)
        is_good = add_keys(m, &i, 1);
    for (size_t i = 0; is_good && i < m->modifier_count; i++)
        for (size_t k = i + 1; is_good && k < m->modifier_count; k++)
            is_good = add_keys(m, (const size_t[]){i, k}, 2);
    return is_good;
}

/* ---- Dead keys ---- */

/* What the symbols fed so far have come to, if that is one character and no less. */
static uint32_t composed_character(struct xkb_compose_state *state)
{
    char text[CHARACTER_SIZE];
    uint32_t character;
    int size = xkb_compose_state_get_utf8(state, text, sizeof(text));
    if (xkb_compose_state_get_status(state) != XKB_COMPOSE_COMPOSED || size <= 0 ||
        (size_t)size >= sizeof(text) ||
        cli_utf8_next(text, (size_t)size, &character) != (size_t)size)
        return 0;
    return character;
}

/* All keys behind `count` dead ones. */
static void add_behind(struct maker *m, struct xkb_compose_state *state,
                       const struct dead_key *const *dead, size_t count)
{
    struct cli_strokes strokes = {.count = count + 1};
    for (size_t i = 0; i < m->base_count; i++) {
        xkb_compose_state_reset(state);
        for (size_t k = 0; k < count; k++) {
            xkb_compose_state_feed(state, dead[k]->symbol);
            strokes.chords[k] = dead[k]->chord;
        }
        xkb_compose_state_feed(state, m->bases[i].symbol);
        strokes.chords[count] = m->bases[i].chord;
        uint32_t character = composed_character(state);
        if (character)
            add(m->layout, character, &strokes);
    }
}

/* A second dead key may be the end of a sequence, or its middle. */
static void add_second(struct maker *m, struct xkb_compose_state *state,
                       const struct dead_key *first, const struct dead_key *second)
{
    const struct dead_key *const dead[] = {first, second};
    const struct cli_strokes strokes = {.chords = {first->chord, second->chord}, .count = 2};
    xkb_compose_state_reset(state);
    xkb_compose_state_feed(state, first->symbol);
    xkb_compose_state_feed(state, second->symbol);
    uint32_t character = composed_character(state);
    if (character)
        add(m->layout, character, &strokes);
    else if (xkb_compose_state_get_status(state) == XKB_COMPOSE_COMPOSING)
        add_behind(m, state, dead, 2);
}

static void add_composed(struct maker *m, struct xkb_compose_state *state)
{
    for (size_t i = 0; i < m->dead_count; i++) {
        const struct dead_key *const dead[] = {&m->dead[i]};
        add_behind(m, state, dead, 1);
        for (size_t k = 0; k < m->dead_count; k++)
            add_second(m, state, dead[0], &m->dead[k]);
    }
}

/* By the sequences of the UTF-8 locales, which guests share. Without their file dead keys are not
 * used. */
static void compose(struct maker *m, struct xkb_context *context)
{
    if (m->dead_count == 0)
        return;
    struct xkb_compose_table *table =
        xkb_compose_table_new_from_locale(context, "en_US.UTF-8", XKB_COMPOSE_COMPILE_NO_FLAGS);
    struct xkb_compose_state *state =
        table ? xkb_compose_state_new(table, XKB_COMPOSE_STATE_NO_FLAGS) : NULL;
    if (state)
        add_composed(m, state);
    xkb_compose_state_unref(state);
    xkb_compose_table_unref(table);
}

/* ---- Life ---- */

static void be_silent(struct xkb_context *context, enum xkb_log_level level, const char *format,
                      va_list arguments)
{
    (void)context;
    (void)level;
    (void)format;
    (void)arguments;
}

/* "de:neo": the rules would understand more than that in a name. */
static bool split_name(char layout[NAME_MAX_SIZE], const char **variant, const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:");
    char *colon;
    if (size == 0 || size >= NAME_MAX_SIZE || name[size])
        return false;
    memcpy(layout, name, size + 1);
    colon = strchr(layout, ':');
    *variant = colon ? colon + 1 : "";
    if (colon)
        *colon = 0;
    return layout[0] && !strchr(*variant, ':');
}

static struct xkb_keymap *read_keymap(struct xkb_context *context, const char *name)
{
    char layout[NAME_MAX_SIZE];
    const char *variant;
    if (!split_name(layout, &variant, name))
        return NULL;
    const struct xkb_rule_names names = {
        .rules = "evdev", .model = "pc105", .layout = layout, .variant = variant, .options = ""};
    return xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
}

static bool make(struct maker *m, struct xkb_context *context)
{
    find_modifiers(m);
    if (!add_levels(m))
        return false;
    compose(m, context);
    sort(m->layout);
    return !m->layout->has_failed;
}

bool cli_layout_create(struct cli_layout **out, const char *name, struct cli_failure *failure)
{
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    if (!context)
        return cli_fail(failure, CLI_EXIT_CANNOT_TYPE, "install xkb-data",
                        "the files that keyboard layouts are described in are not there");
    xkb_context_set_log_fn(context, be_silent);
    struct maker m = {.keymap = read_keymap(context, name)};
    bool is_good = m.keymap != NULL;
    if (!is_good) {
        (void)cli_fail(failure, CLI_EXIT_CANNOT_TYPE,
                       "write NAME or NAME:VARIANT as setxkbmap and `localectl list-x11-keymap-"
                       "layouts` know them: us, de, fr, us:intl",
                       "there is no keyboard layout %s", name);
    } else {
        m.layout = calloc(1, sizeof(*m.layout));
        is_good = (m.layout && make(&m, context)) || cli_fail_nomem(failure);
    }
    if (is_good)
        *out = m.layout;
    else
        cli_layout_destroy(m.layout);
    free(m.bases);
    xkb_keymap_unref(m.keymap);
    xkb_context_unref(context);
    return is_good;
}

void cli_layout_destroy(struct cli_layout *layout)
{
    if (layout)
        free(layout->entries);
    free(layout);
}

bool cli_layout_find(const struct cli_layout *layout, uint32_t character,
                     struct cli_strokes *strokes)
{
    const struct entry *entry = layout->count ? bsearch(&character, layout->entries, layout->count,
                                                        sizeof(*layout->entries), by_character)
                                              : NULL;
    if (!entry)
        return false;
    *strokes = entry->strokes;
    return true;
}
