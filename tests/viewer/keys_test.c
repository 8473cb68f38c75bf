/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <gtk/gtk.h>

#include "sumac/keys.h"
#include "viewer/grab_sequence.h"
#include "viewer/hotkeys.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
