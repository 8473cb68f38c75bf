/* SPDX-License-Identifier: MIT */
/*
 * Keyboard layouts backwards: what is found is pressed on a keyboard of libxkbcommon's, which has
 * to give the text again.
 */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xkbcommon/xkbcommon-compose.h>
#include <xkbcommon/xkbcommon.h>

#include "cli/layout.h"
#include "cli/typing.h"
#include "cli/utf8.h"
#include "tests/support/failmalloc.h"

enum { EVDEV_OFFSET = 8, EVDEV_MAX = 248 };

/** A keyboard, and a program that knows dead keys. */
struct keyboard {
    struct xkb_context *context;
    struct xkb_keymap *keymap;
    struct xkb_state *state;
    struct xkb_compose_table *table;
    struct xkb_compose_state *compose;
    char text[256];
};

static void plug(struct keyboard *k, const char *layout, const char *variant)
{
    const struct xkb_rule_names names = {
        .rules = "evdev", .model = "pc105", .layout = layout, .variant = variant, .options = ""};
    *k = (struct keyboard){.context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES)};
    k->keymap = xkb_keymap_new_from_names(k->context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
    assert_non_null(k->keymap);
    k->state = xkb_state_new(k->keymap);
    k->table =
        xkb_compose_table_new_from_locale(k->context, "en_US.UTF-8", XKB_COMPOSE_COMPILE_NO_FLAGS);
    assert_non_null(k->table);
    k->compose = xkb_compose_state_new(k->table, XKB_COMPOSE_STATE_NO_FLAGS);
}

static void unplug(struct keyboard *k)
{
    xkb_compose_state_unref(k->compose);
    xkb_compose_table_unref(k->table);
    xkb_state_unref(k->state);
    xkb_keymap_unref(k->keymap);
    xkb_context_unref(k->context);
}

static xkb_keycode_t code_of(uint16_t key)
{
    for (uint32_t evdev = 1; evdev < EVDEV_MAX; evdev++)
        if (sm_key_from_evdev(evdev) == key)
            return evdev + EVDEV_OFFSET;
    fail_msg("no such key: %x", key);
    return 0;
}

static void receive(struct keyboard *k, xkb_keysym_t symbol)
{
    size_t size = strlen(k->text);
    char *end = k->text + size;
    xkb_compose_state_feed(k->compose, symbol);
    switch (xkb_compose_state_get_status(k->compose)) {
    case XKB_COMPOSE_COMPOSED:
        (void)xkb_compose_state_get_utf8(k->compose, end, sizeof(k->text) - size);
        return;
    case XKB_COMPOSE_NOTHING:
        (void)xkb_keysym_to_utf8(symbol, end, sizeof(k->text) - size);
        return;
    default:
        return;
    }
}

static void press(struct keyboard *k, const struct sm_key_chord *chord)
{
    for (size_t i = 0; i < chord->count; i++) {
        xkb_keycode_t code = code_of(chord->keys[i]);
        if (i + 1 == chord->count)
            receive(k, xkb_state_key_get_one_sym(k->state, code));
        xkb_state_update_key(k->state, code, XKB_KEY_DOWN);
    }
    for (size_t i = chord->count; i > 0; i--)
        xkb_state_update_key(k->state, code_of(chord->keys[i - 1]), XKB_KEY_UP);
}

/* Types `text` with the layout `name`; returns how many chords that took. */
static size_t check_types(const char *name, const char *layout, const char *variant,
                          const char *text)
{
    struct keyboard keyboard;
    struct cli_layout *made = NULL;
    struct cli_typing typing;
    struct cli_failure failure;
    if (!cli_layout_create(&made, name, &failure))
        fail_msg("%s: %s", name, failure.cause);
    const struct cli_typing_manner manner = {.layout = made, .layout_name = name};
    if (!cli_typing_plan(&typing, text, strlen(text), &manner, &failure))
        fail_msg("%s: %s", name, failure.cause);
    plug(&keyboard, layout, variant);
    for (size_t i = 0; i < typing.count; i++)
        press(&keyboard, &typing.chords[i]);
    assert_string_equal(keyboard.text, text);
    size_t count = typing.count;
    unplug(&keyboard);
    cli_typing_finish(&typing);
    cli_layout_destroy(made);
    return count;
}

static struct cli_layout *create(const char *name)
{
    struct cli_layout *layout = NULL;
    struct cli_failure failure;
    if (!cli_layout_create(&layout, name, &failure))
        fail_msg("%s: %s", name, failure.cause);
    return layout;
}

static void check_chord(const struct sm_key_chord *chord, const char *expected)
{
    struct sm_key_chord parsed;
    char bad[16];
    assert_int_equal(sm_key_chord_parse(&parsed, expected, bad, sizeof(bad)), SM_OK);
    assert_int_equal(chord->count, parsed.count);
    assert_memory_equal(chord->keys, parsed.keys, parsed.count * sizeof(parsed.keys[0]));
}

static void check_one(const struct cli_layout *layout, const char *character, const char *first,
                      const char *second)
{
    uint32_t number;
    struct cli_strokes strokes = {.count = 0};
    (void)cli_utf8_next(character, strlen(character), &number);
    assert_true(cli_layout_find(layout, number, &strokes));
    assert_int_equal(strokes.count, second ? 2 : 1);
    check_chord(&strokes.chords[0], first);
    if (second)
        check_chord(&strokes.chords[1], second);
}

static void a_german_keyboard_has_its_keys_elsewhere(void **state)
{
    (void)state;
    struct cli_layout *de = create("de");
    check_one(de, "z", "y", NULL);
    check_one(de, "Y", "shift-z", NULL);
    check_one(de, "ä", "apostrophe", NULL);
    check_one(de, "@", "altgr-q", NULL);
    check_one(de, "^", "grave", "space");
    check_one(de, "é", "equal", "e");
    cli_layout_destroy(de);
    assert_int_equal(
        check_types("de", "de", "", "Kase: yz [{}]\\@|<>#'+*\xc3\xa4\xc3\x9f\xe2\x82\xac~"), 26);
    check_types("de", "de", "", "^`\xc2\xb4 \xc3\xa9\xc3\xaa\xc3\xa8 \xc3\x89");
}

static void every_layout_gives_the_text_again(void **state)
{
    (void)state;
    static const char ascii[] = "The quick brown fox: 0123456789 !\"#$%&'()*+,-./;<=>?@[\\]^_`{|}~";
    check_types("us", "us", "", ascii);
    check_types("de", "de", "", ascii);
    check_types("fr", "fr", "", ascii);
    check_types("gb", "gb", "", ascii);
    check_types("es", "es", "", ascii);
    check_types("us:intl", "us", "intl", ascii);
    check_types("fr:bepo", "fr", "bepo", ascii);
    check_types("de:neo", "de", "neo", ascii);
    check_types("fr", "fr", "", "àéèùçêîôûë ÊÎ €§ qwaz");
    check_types("gb", "gb", "", "£€¬ é");
    check_types("es", "es", "", "ñÑ ¿¡ áéíóú ü ç ªº");
    check_types("us:intl", "us", "intl",
                "ñéüç ¿ ế"); /* the last with two dead keys or one more level */
    check_types("ru", "ru", "", "Съешь же ещё этих мягких французских булок, №1!");
    check_types("gr", "gr", "", "Ξεσκεπάζω ΐ");
    check_types("de:neo", "de", "neo", "λ∫ß");
}

static void number_pad_and_locks_are_never_used(void **state)
{
    (void)state;
    static const char *const names[] = {"us", "de", "fr", "ru", "gb", "jp", "de:neo"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct cli_layout *layout = create(names[i]);
        for (uint32_t character = 0; character < 0x3000; character++) {
            struct cli_strokes strokes = {.count = 0};
            if (!cli_layout_find(layout, character, &strokes))
                continue;
            assert_true(character >= ' ' && (character < 0x7f || character >= 0xa0));
            assert_in_range(strokes.count, 1, CLI_LAYOUT_STROKES_MAX);
            for (size_t k = 0; k < strokes.count; k++)
                for (size_t n = 0; n < strokes.chords[k].count; n++) {
                    uint16_t key = strokes.chords[k].keys[n];
                    assert_false(key >= 0x45 && key <= 0x54); /* Num Lock, number pad */
                    assert_int_not_equal(key, SM_KEY_LEFT_CTRL);
                    assert_int_not_equal(key, SM_KEY_LEFT_ALT);
                }
        }
        cli_layout_destroy(layout);
    }
}

static void check_unknown(const char *name)
{
    struct cli_layout *layout = NULL;
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    assert_false(cli_layout_create(&layout, name, &failure));
    assert_null(layout);
    assert_int_equal(failure.code, CLI_EXIT_CANNOT_TYPE);
    assert_non_null(strstr(failure.cause, name));
    assert_true(failure.cure[0]);
}

static void a_layout_that_does_not_exist_is_told(void **state)
{
    (void)state;
    check_unknown("xx");
    check_unknown("de:nonsense");
    check_unknown("de,us"); /* the rules would take it for two */
    check_unknown("../de");
    check_unknown(":neo");
    check_unknown("de:a:b");
    check_unknown("a-name-that-is-longer-than-any-name-of-a-layout-that-there-is-on-earth");
    check_unknown("");
}

static void what_a_layout_lacks_is_told_with_its_name(void **state)
{
    (void)state;
    struct cli_layout *ru = create("ru");
    const struct cli_typing_manner manner = {.layout = ru, .layout_name = "ru"};
    const struct cli_typing_manner codes = {.layout = ru, .layout_name = "ru", .has_codes = true};
    struct cli_typing typing;
    struct cli_failure failure;
    assert_false(cli_typing_plan(&typing, "да no", 7, &manner, &failure));
    assert_non_null(strstr(failure.cause, "character 4 cannot be typed with the layout ru: n"));
    assert_non_null(strstr(failure.cure, "--unicode"));
    /* Neither can its number: there is no u. */
    assert_false(cli_typing_plan(&typing, "ä", 2, &codes, &failure));
    assert_non_null(strstr(failure.cause, "ru has no keys for its number"));
    assert_non_null(strstr(failure.cure, "--paste"));
    cli_layout_destroy(ru);

    /* Digits have Shift on a French keyboard, A is somewhere else. */
    struct cli_layout *fr = create("fr");
    const struct cli_typing_manner french = {.layout = fr, .layout_name = "fr", .has_codes = true};
    assert_true(cli_typing_plan(&typing, "\u4e0a", 3, &french, &failure));
    assert_int_equal(typing.count, 6);
    check_chord(&typing.chords[0], "ctrl-shift-u");
    check_chord(&typing.chords[1], "shift-4");
    check_chord(&typing.chords[2], "e");
    check_chord(&typing.chords[3], "shift-0");
    check_chord(&typing.chords[4], "q");
    check_chord(&typing.chords[5], "space");
    cli_typing_finish(&typing);
    cli_layout_destroy(fr);
}

static void make_without_memory(void *context)
{
    struct cli_layout *layout = NULL;
    struct cli_failure failure;
    (void)context;
    bool is_good = cli_layout_create(&layout, "de", &failure);
    assert_int_equal(is_good, layout != NULL);
    cli_layout_destroy(layout);
}

static void a_layout_survives_want_of_memory(void **state)
{
    (void)state;
    sm_failmalloc_each(make_without_memory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_german_keyboard_has_its_keys_elsewhere),
        cmocka_unit_test(every_layout_gives_the_text_again),
        cmocka_unit_test(number_pad_and_locks_are_never_used),
        cmocka_unit_test(a_layout_that_does_not_exist_is_told),
        cmocka_unit_test(what_a_layout_lacks_is_told_with_its_name),
        cmocka_unit_test(a_layout_survives_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
