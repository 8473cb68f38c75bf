/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <gtk/gtk.h>

#include "sumac/keys.h"
#include "viewer/grab_sequence.h"
#include "viewer/hotkeys.h"
#include "viewer/keymap.h"
#include "viewer/wheel.h"

/* ---- Hotkeys ---- */

static void check_accelerator(const char *text, const char *expected)
{
    char *found = sm_hotkey_accelerator(text);
    if (!expected)
        assert_null(found);
    else
        assert_string_equal(found, expected);
    /* What we make, the toolkit understands. */
    if (found && *found) {
        guint key;
        GdkModifierType modifiers;
        assert_true(gtk_accelerator_parse(found, &key, &modifiers));
    }
    g_free(found);
}

static void bindings_are_told_to_the_toolkit_in_its_own_words(void **state)
{
    (void)state;
    check_accelerator("f11", "F11");
    check_accelerator("Shift+F12", "<Shift>F12");
    check_accelerator("ctrl+alt+end", "<Control><Alt>End");
    check_accelerator("cmd+plus", "<Control>plus");
    check_accelerator("win+a", "<Super>a");
    check_accelerator("lshift+pgup", "<Shift>Page_Up");
    check_accelerator("", "");
}

static void what_is_no_binding_is_refused(void **state)
{
    (void)state;
    check_accelerator("ctrl", NULL);
    check_accelerator("a+b", NULL);
    check_accelerator("ctrl+", NULL);
    check_accelerator("hyper+a", NULL);
    check_accelerator("f100", NULL);
    check_accelerator("nonsense", NULL);
}

static void every_default_is_understood_by_the_toolkit(void **state)
{
    (void)state;
    for (int i = 0; i < SM_HOTKEY_COUNT; i++) {
        guint key;
        GdkModifierType modifiers;
        const char *text = sm_hotkey_default((enum sm_hotkey)i);
        if (!gtk_accelerator_parse(text, &key, &modifiers))
            fail_msg("'%s' is no accelerator", text);
        assert_true(sm_hotkey_name((enum sm_hotkey)i)[0]);
        assert_true(g_str_has_prefix(sm_hotkey_action((enum sm_hotkey)i), "win."));
    }
}

static void bindings_that_are_not_named_are_off(void **state)
{
    (void)state;
    char *found[SM_HOTKEY_COUNT] = {0};
    GError *error = NULL;
    assert_true(
        sm_hotkeys_parse("toggle-fullscreen=shift+f11,release-cursor=ctrl+alt", found, &error));
    assert_null(error);
    assert_string_equal(found[SM_HOTKEY_TOGGLE_FULLSCREEN], "<Shift>F11");
    assert_string_equal(found[SM_HOTKEY_RELEASE_CURSOR], "");
    assert_string_equal(found[SM_HOTKEY_ZOOM_IN], "");

    assert_false(sm_hotkeys_parse("zoom-in=ctrl", found, &error));
    assert_non_null(error);
    g_clear_error(&error);
    assert_false(sm_hotkeys_parse("dance=f1", found, &error));
    assert_non_null(error);
    g_clear_error(&error);
    assert_string_equal(found[SM_HOTKEY_TOGGLE_FULLSCREEN], "<Shift>F11");
    for (int i = 0; i < SM_HOTKEY_COUNT; i++)
        g_free(found[i]);
}

/* ---- The keys that give the keyboard back ---- */

enum { CTRL = SM_KEY_LEFT_CTRL, ALT = SM_KEY_LEFT_ALT, F2 = 0x3c };

static void ctrl_and_alt_pressed_and_let_go_complete_it(void **state)
{
    (void)state;
    struct sm_grab_sequence s = {0};
    assert_false(sm_grab_sequence_key(&s, CTRL, true));
    assert_false(sm_grab_sequence_key(&s, ALT, true));
    assert_false(sm_grab_sequence_key(&s, ALT, true)); /* a repeat */
    assert_false(sm_grab_sequence_key(&s, CTRL, false));
    assert_true(sm_grab_sequence_key(&s, ALT, false));
    /* And again, in the other order. */
    assert_false(sm_grab_sequence_key(&s, ALT, true));
    assert_false(sm_grab_sequence_key(&s, CTRL, true));
    assert_false(sm_grab_sequence_key(&s, CTRL, false));
    assert_true(sm_grab_sequence_key(&s, ALT, false));
}

static void a_combination_with_another_key_is_the_guests(void **state)
{
    (void)state;
    struct sm_grab_sequence s = {0};
    assert_false(sm_grab_sequence_key(&s, CTRL, true));
    assert_false(sm_grab_sequence_key(&s, ALT, true));
    assert_false(sm_grab_sequence_key(&s, F2, true));
    assert_false(sm_grab_sequence_key(&s, F2, false));
    assert_false(sm_grab_sequence_key(&s, ALT, false));
    assert_false(sm_grab_sequence_key(&s, CTRL, false));
}

static void one_of_the_two_alone_does_nothing(void **state)
{
    (void)state;
    struct sm_grab_sequence s = {0};
    assert_false(sm_grab_sequence_key(&s, CTRL, true));
    assert_false(sm_grab_sequence_key(&s, CTRL, false));
    assert_false(sm_grab_sequence_key(&s, ALT, true));
    assert_false(sm_grab_sequence_key(&s, ALT, false));
    assert_false(sm_grab_sequence_key(&s, ALT, false));
}

/* ---- Key maps ---- */

static void a_key_map_blocks_keys_and_makes_others_of_them(void **state)
{
    (void)state;
    struct sm_keymap map = {0};
    assert_true(sm_keymap_parse(&map, "Super_L=,1=Shift_L+F1, ALT_L=Void,F1=SHIFT+CTRL+F1", NULL));
    assert_int_equal(map.count, 4);
    const struct sm_keymap_entry *entry = sm_keymap_find(&map, GDK_KEY_Super_L);
    assert_non_null(entry);
    assert_int_equal(entry->count, 0);
    entry = sm_keymap_find(&map, GDK_KEY_1);
    assert_non_null(entry);
    assert_int_equal(entry->count, 2);
    assert_int_equal(entry->to[0], GDK_KEY_Shift_L);
    assert_int_equal(entry->to[1], GDK_KEY_F1);
    entry = sm_keymap_find(&map, GDK_KEY_Alt_L);
    assert_non_null(entry);
    assert_int_equal(entry->count, 0);
    entry = sm_keymap_find(&map, GDK_KEY_F1);
    assert_non_null(entry);
    assert_int_equal(entry->count, 3);
    assert_int_equal(entry->to[1], GDK_KEY_Control_L);
    assert_null(sm_keymap_find(&map, GDK_KEY_a));
    assert_true(sm_keymap_parse(&map, "", NULL));
    assert_int_equal(map.count, 0);
}

static void what_is_no_key_map_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"a",       "=b",   "nokey=a", "a=nokey",
                                      "a=b,a=c", "a=b+", "a=b,",    "a=b+c+d+e+f"};
    struct sm_keymap map = {.count = 7};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        if (sm_keymap_parse(&map, bad[i], &error))
            fail_msg("'%s' was taken", bad[i]);
        assert_non_null(error);
        g_error_free(error);
        assert_int_equal(map.count, 7);
    }
}

static void a_key_map_has_an_end(void **state)
{
    (void)state;
    GString *text = g_string_new("a=b");
    for (guint i = 0; i < SM_KEYMAP_MAX; i++)
        g_string_append_printf(text, ",%s=b", gdk_keyval_name(GDK_KEY_Greek_ALPHA + i) ?: "c");
    struct sm_keymap map = {0};
    assert_false(sm_keymap_parse(&map, text->str, NULL));
    assert_int_equal(map.count, 0);
    g_string_free(text, TRUE);
}

/* ---- The wheel ---- */

static void fractions_of_a_wheel_add_up(void **state)
{
    (void)state;
    struct sm_wheel wheel = {0};
    int steps = 0;
    for (int i = 0; i < 30; i++)
        steps += sm_wheel_turn(&wheel, 1.0 / 15);
    assert_int_equal(steps, 2);
    for (int i = 0; i < 8; i++)
        steps += sm_wheel_turn(&wheel, 0.125);
    assert_int_equal(steps, 3);
    assert_int_equal(sm_wheel_turn(&wheel, -2.5), -2);
    assert_int_equal(sm_wheel_turn(&wheel, -0.5), -1);
}

static void a_wheel_turned_back_begins_anew(void **state)
{
    (void)state;
    struct sm_wheel wheel = {0};
    assert_int_equal(sm_wheel_turn(&wheel, 0.9), 0);
    assert_int_equal(sm_wheel_turn(&wheel, -0.9), 0);
    assert_int_equal(sm_wheel_turn(&wheel, -0.1), -1);
}

static void no_wheel_turns_for_ever(void **state)
{
    (void)state;
    struct sm_wheel wheel = {0};
    assert_int_equal(sm_wheel_turn(&wheel, 1e9), SM_WHEEL_STEPS_MAX);
    assert_int_equal(sm_wheel_turn(&wheel, 0.5), 0);
    assert_int_equal(sm_wheel_turn(&wheel, -1e300), -SM_WHEEL_STEPS_MAX);
    assert_int_equal(sm_wheel_turn(&wheel, 0.0 / 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bindings_are_told_to_the_toolkit_in_its_own_words),
        cmocka_unit_test(what_is_no_binding_is_refused),
        cmocka_unit_test(every_default_is_understood_by_the_toolkit),
        cmocka_unit_test(bindings_that_are_not_named_are_off),
        cmocka_unit_test(ctrl_and_alt_pressed_and_let_go_complete_it),
        cmocka_unit_test(a_combination_with_another_key_is_the_guests),
        cmocka_unit_test(one_of_the_two_alone_does_nothing),
        cmocka_unit_test(a_key_map_blocks_keys_and_makes_others_of_them),
        cmocka_unit_test(what_is_no_key_map_is_refused_and_changes_nothing),
        cmocka_unit_test(a_key_map_has_an_end),
        cmocka_unit_test(fractions_of_a_wheel_add_up),
        cmocka_unit_test(a_wheel_turned_back_begins_anew),
        cmocka_unit_test(no_wheel_turns_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
