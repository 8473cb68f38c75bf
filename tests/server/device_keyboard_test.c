/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "server/device/keyboard.h"

/* A keyboard that writes down what it is given. */
struct fake {
    uint8_t bytes[64];
    size_t size;
    uint8_t lamps;
};

static void push(void *context, uint8_t byte)
{
    struct fake *fake = context;
    assert_true(fake->size < sizeof(fake->bytes));
    fake->bytes[fake->size++] = byte;
}

static uint8_t lamps(void *context)
{
    const struct fake *fake = context;
    return fake->lamps;
}

static const struct sm_keyboard_ops OPS = {.push_scancode = push, .leds = lamps};

static void check_pushed(struct fake *fake, const char *expected)
{
    sm_check_bytes(((struct sm_bytes){.data = fake->bytes, .size = fake->size}),
                   sm_test_hex(expected));
    fake->size = 0;
}

static bool type(struct sm_keyboard *keyboard, const char *hex)
{
    return sm_keyboard_scancodes(keyboard, sm_test_hex(hex));
}

static void codes_are_passed_low_byte_first_up_to_a_zero(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct sm_keyboard keyboard;
    sm_keyboard_init(&keyboard, &OPS, &fake);
    sm_keyboard_code(&keyboard, 0x1e);
    check_pushed(&fake, "1e");
    sm_keyboard_code(&keyboard, 0x4de0);
    check_pushed(&fake, "e0 4d");
    sm_keyboard_code(&keyboard, 0x04030201);
    check_pushed(&fake, "01 02 03 04");
    sm_keyboard_code(&keyboard, 0x1100);
    check_pushed(&fake, "");
    sm_test_free_copies();
}

static void a_lock_key_flips_once_however_often_it_repeats(void **state)
{
    (void)state;
    struct fake fake = {.lamps = SM_KEYBOARD_NUM};
    struct sm_keyboard keyboard;
    sm_keyboard_init(&keyboard, &OPS, &fake);
    assert_int_equal(keyboard.locks, SM_KEYBOARD_NUM);
    assert_true(type(&keyboard, "3a"));
    assert_false(type(&keyboard, "3a 3a"));
    assert_false(type(&keyboard, "ba"));
    assert_int_equal(keyboard.locks, SM_KEYBOARD_NUM | SM_KEYBOARD_CAPS);
    assert_true(type(&keyboard, "3a ba"));
    assert_int_equal(keyboard.locks, SM_KEYBOARD_NUM);
    sm_test_free_copies();
}

static void pause_is_not_num_lock(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct sm_keyboard keyboard;
    sm_keyboard_init(&keyboard, &OPS, &fake);
    assert_false(type(&keyboard, "e1 1d 45 e1 9d c5"));
    assert_int_equal(keyboard.locks, 0);
    check_pushed(&fake, "e1 1d 45 e1 9d c5");
    sm_keyboard_release_all(&keyboard);
    check_pushed(&fake, "");
    sm_test_free_copies();
}

static void wanted_locks_are_reached_except_for_a_held_key(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct sm_keyboard keyboard;
    sm_keyboard_init(&keyboard, &OPS, &fake);
    assert_true(sm_keyboard_set_locks(&keyboard, SM_KEYBOARD_CAPS | SM_KEYBOARD_SCROLL));
    check_pushed(&fake, "46 c6 3a ba");
    assert_false(sm_keyboard_set_locks(&keyboard, SM_KEYBOARD_CAPS | SM_KEYBOARD_SCROLL));
    check_pushed(&fake, "");
    type(&keyboard, "45"); /* num lock goes down, and is on */
    fake.size = 0;
    assert_true(sm_keyboard_set_locks(&keyboard, 0));
    check_pushed(&fake, "46 c6 3a ba");
    assert_int_equal(keyboard.locks, SM_KEYBOARD_NUM);
    sm_test_free_copies();
}

static void held_keys_are_released_when_their_client_goes(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct sm_keyboard keyboard;
    sm_keyboard_init(&keyboard, &OPS, &fake);
    type(&keyboard, "1d 38 e0 53 1e 9e");
    fake.size = 0;
    sm_keyboard_release_all(&keyboard);
    check_pushed(&fake, "9d b8 e0 d3");
    sm_keyboard_release_all(&keyboard);
    check_pushed(&fake, "");
    sm_test_free_copies();
}

static void without_a_keyboard_all_is_ignored(void **state)
{
    (void)state;
    struct sm_keyboard keyboard;
    sm_keyboard_init(&keyboard, NULL, NULL);
    assert_false(type(&keyboard, "3a ba"));
    assert_false(sm_keyboard_code(&keyboard, 0x3a));
    assert_false(sm_keyboard_set_locks(&keyboard, 7));
    sm_keyboard_release_all(&keyboard);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_passed_low_byte_first_up_to_a_zero),
        cmocka_unit_test(a_lock_key_flips_once_however_often_it_repeats),
        cmocka_unit_test(pause_is_not_num_lock),
        cmocka_unit_test(wanted_locks_are_reached_except_for_a_held_key),
        cmocka_unit_test(held_keys_are_released_when_their_client_goes),
        cmocka_unit_test(without_a_keyboard_all_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
