/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "sumac/keys.h"

static void check_scancodes(uint16_t key, bool is_press, const char *hex)
{
    uint8_t bytes[SM_SCANCODES_MAX];
    size_t count = sm_key_scancodes(key, is_press, bytes);
    sm_check_bytes(((struct sm_bytes){bytes, count}), sm_test_hex(hex));
    sm_test_free_copies();
}

static void keys_have_the_codes_of_a_set_1_keyboard(void **state)
{
    (void)state;
    check_scancodes(0x1e, true, "1e");
    check_scancodes(0x1e, false, "9e");
    check_scancodes(SM_KEY_RIGHT_CTRL, true, "e0 1d");
    check_scancodes(SM_KEY_RIGHT_CTRL, false, "e0 9d");
    check_scancodes(SM_KEY_PAUSE, true, "e1 1d 45");
    check_scancodes(SM_KEY_PAUSE, false, "e1 9d c5");
}

static void numbers_that_are_no_keys_have_no_codes(void **state)
{
    (void)state;
    static const uint16_t bad[] = {0, 0x80, 0xff, 0x100, 0x180, 0x201, 0x300, 0xffff};
    uint8_t bytes[SM_SCANCODES_MAX];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(sm_key_is_valid(bad[i]));
        assert_int_equal(sm_key_scancodes(bad[i], true, bytes), 0);
    }
}

static void evdev_codes_are_translated(void **state)
{
    (void)state;
    assert_int_equal(sm_key_from_evdev(1), SM_KEY_ESC);
    assert_int_equal(sm_key_from_evdev(30), 0x1e); /* KEY_A */
    assert_int_equal(sm_key_from_evdev(83), 0x53); /* KEY_KPDOT */
    assert_int_equal(sm_key_from_evdev(99), 0x54); /* KEY_SYSRQ */
    assert_int_equal(sm_key_from_evdev(100), SM_KEY_RIGHT_ALT);
    assert_int_equal(sm_key_from_evdev(111), SM_KEY_DELETE);
    assert_int_equal(sm_key_from_evdev(119), SM_KEY_PAUSE);
    assert_int_equal(sm_key_from_evdev(239), 0x174);
    assert_int_equal(sm_key_from_evdev(0), 0);
    assert_int_equal(sm_key_from_evdev(174), 0); /* KEY_EXIT has no code */
    assert_int_equal(sm_key_from_evdev(240), 0);
    assert_int_equal(sm_key_from_evdev(UINT32_MAX), 0);
    for (uint32_t code = 0; code < 300; code++) {
        uint16_t key = sm_key_from_evdev(code);
        assert_true(key == 0 || sm_key_is_valid(key));
    }
}

static void every_name_is_a_key_and_is_found_in_any_case(void **state)
{
    (void)state;
    const char *name;
    size_t count = 0;
    for (; (name = sm_key_name_at(count)); count++) {
        char upper[32];
        size_t size = strlen(name);
        assert_true(size < sizeof(upper));
        for (size_t i = 0; i <= size; i++)
            upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
        uint16_t key = sm_key_from_name(upper);
        assert_true(sm_key_is_valid(key));
        assert_int_equal(sm_key_from_name(sm_key_name(key)), key);
    }
    assert_true(count > 150);
    assert_int_equal(sm_key_from_name("no-such-key"), 0);
    assert_int_equal(sm_key_from_name(""), 0);
    assert_null(sm_key_name(0));
}

static void check_chord(const char *text, size_t count, uint16_t first, uint16_t last)
{
    struct sm_key_chord chord;
    char bad[32];
    sm_check_status(sm_key_chord_parse(&chord, text, bad, sizeof(bad)), SM_OK);
    assert_int_equal(chord.count, count);
    assert_int_equal(chord.keys[0], first);
    assert_int_equal(chord.keys[count - 1], last);
}

static void chords_are_split_at_the_longest_names(void **state)
{
    (void)state;
    check_chord("ctrl-alt-f2", 3, SM_KEY_LEFT_CTRL, 0x3c);
    check_chord("Ctrl+Alt+Delete", 3, SM_KEY_LEFT_CTRL, SM_KEY_DELETE);
    check_chord("shift-page-up", 2, SM_KEY_LEFT_SHIFT, SM_KEY_EXTENDED | 0x49);
    check_chord("right-ctrl-left", 2, SM_KEY_RIGHT_CTRL, SM_KEY_EXTENDED | 0x4b);
    check_chord("ctrl--", 2, SM_KEY_LEFT_CTRL, 0x0c);
    check_chord("-", 1, 0x0c, 0x0c);
    check_chord("super", 1, SM_KEY_LEFT_SUPER, SM_KEY_LEFT_SUPER);
    check_chord("kp-5", 1, 0x4c, 0x4c);
    check_chord("a-b-c-d-e-f-g-h", 8, 0x1e, 0x23);
}

static void check_bad_chord(const char *text, enum sm_status status, const char *part)
{
    struct sm_key_chord chord = {.count = 77};
    char bad[8] = "";
    sm_check_status(sm_key_chord_parse(&chord, text, bad, sizeof(bad)), status);
    assert_string_equal(bad, part);
    assert_int_equal(chord.count, 77);
}

static void bad_chords_name_the_part_that_is_no_key(void **state)
{
    (void)state;
    check_bad_chord("", SM_ERR_PROTOCOL, "");
    check_bad_chord("ctrl-", SM_ERR_PROTOCOL, "");
    check_bad_chord("ctrl-hyper-a", SM_ERR_PROTOCOL, "hyper");
    check_bad_chord("f25", SM_ERR_PROTOCOL, "f25");
    check_bad_chord("ctrlalt", SM_ERR_PROTOCOL, "ctrlalt");
    check_bad_chord("verylongkeyname", SM_ERR_PROTOCOL, "verylon");
    check_bad_chord("ctrl-a-ctrl", SM_ERR_LIMIT, "ctrl");
    check_bad_chord("a-b-c-d-e-f-g-h-i", SM_ERR_LIMIT, "i");
}

static void every_ascii_character_is_on_the_us_keyboard(void **state)
{
    (void)state;
    struct sm_key_chord chord;
    for (uint32_t character = ' '; character <= '~'; character++) {
        assert_true(sm_key_chord_for_us(&chord, character));
        assert_in_range(chord.count, 1, 2);
        assert_true(sm_key_is_valid(chord.keys[0]));
    }
    assert_true(sm_key_chord_for_us(&chord, 'a'));
    assert_int_equal(chord.count, 1);
    assert_int_equal(chord.keys[0], 0x1e);
    assert_true(sm_key_chord_for_us(&chord, '?'));
    assert_int_equal(chord.count, 2);
    assert_int_equal(chord.keys[0], SM_KEY_LEFT_SHIFT);
    assert_int_equal(chord.keys[1], 0x35);
    assert_true(sm_key_chord_for_us(&chord, '|'));
    assert_int_equal(chord.keys[1], 0x2b);
    assert_true(sm_key_chord_for_us(&chord, '\n'));
    assert_int_equal(chord.keys[0], SM_KEY_ENTER);
    assert_true(sm_key_chord_for_us(&chord, '\t'));
    assert_int_equal(chord.keys[0], SM_KEY_TAB);
}

static void other_characters_are_not(void **state)
{
    (void)state;
    static const uint32_t others[] = {0, 1, 0x1f, 0x80, 0xe4, 0x20ac, 0x10ffff, UINT32_MAX};
    struct sm_key_chord chord = {.count = 77};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(sm_key_chord_for_us(&chord, others[i]));
    assert_int_equal(chord.count, 77);
}

static void no_two_characters_share_their_keys(void **state)
{
    (void)state;
    bool seen[2][128] = {{false}};
    for (uint32_t character = '!'; character <= '~'; character++) {
        struct sm_key_chord chord;
        assert_true(sm_key_chord_for_us(&chord, character));
        bool *cell = &seen[chord.count - 1][chord.keys[chord.count - 1]];
        assert_false(*cell);
        *cell = true;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_the_codes_of_a_set_1_keyboard),
        cmocka_unit_test(numbers_that_are_no_keys_have_no_codes),
        cmocka_unit_test(evdev_codes_are_translated),
        cmocka_unit_test(every_name_is_a_key_and_is_found_in_any_case),
        cmocka_unit_test(chords_are_split_at_the_longest_names),
        cmocka_unit_test(bad_chords_name_the_part_that_is_no_key),
        cmocka_unit_test(every_ascii_character_is_on_the_us_keyboard),
        cmocka_unit_test(other_characters_are_not),
        cmocka_unit_test(no_two_characters_share_their_keys),
    };
    return cmocka_run_group_tests_name("client keys", tests, NULL, NULL);
}
