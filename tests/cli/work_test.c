/* SPDX-License-Identifier: MIT */
/* What the commands decide without a server: when a picture stands still, and how text is typed. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/settle.h"
#include "cli/typing.h"
#include "tests/support/failmalloc.h"

/* ---- Stillness ---- */

static void damage(struct cli_stillness *s, int32_t x, int32_t y, int32_t w, int32_t h,
                   uint64_t now_us)
{
    cli_stillness_damage(s, (struct sm_rect){x, y, x + w, y + h}, now_us);
}

static void a_blinking_cursor_is_no_movement(void **state)
{
    (void)state;
    struct cli_stillness s = {.tolerance_px = 512};
    cli_stillness_reset(&s, 1000);
    for (uint64_t now_us = 2000; now_us < 100000; now_us += 1000)
        damage(&s, 80, 160, 8, 16, now_us);
    assert_int_equal(s.since_us, 1000);
}

static void typing_is_movement(void **state)
{
    (void)state;
    struct cli_stillness s = {.tolerance_px = 512};
    cli_stillness_reset(&s, 0);
    for (int32_t i = 0; i < 4; i++)
        damage(&s, i * 8, 160, 8, 16, 1000 + (uint64_t)i);
    assert_int_equal(s.since_us, 0); /* four cells are one spot */
    damage(&s, 32, 160, 8, 16, 2000);
    assert_int_equal(s.since_us, 2000); /* the fifth is not */
    damage(&s, 40, 160, 8, 16, 3000);
    assert_int_equal(s.since_us, 2000); /* a new spot has begun there */
}

static void changes_far_apart_are_movement(void **state)
{
    (void)state;
    struct cli_stillness s = {.tolerance_px = 512};
    cli_stillness_reset(&s, 0);
    damage(&s, 0, 0, 8, 16, 1000);
    damage(&s, 600, 400, 8, 16, 2000);
    assert_int_equal(s.since_us, 2000);
}

static void without_tolerance_every_change_is_movement(void **state)
{
    (void)state;
    struct cli_stillness s = {.tolerance_px = 0};
    cli_stillness_reset(&s, 0);
    damage(&s, 5, 5, 1, 1, 1000);
    assert_int_equal(s.since_us, 1000);
    damage(&s, 5, 5, 1, 1, 2000);
    assert_int_equal(s.since_us, 2000);
}

static void sizes_do_not_overflow(void **state)
{
    (void)state;
    struct cli_stillness s = {.tolerance_px = UINT32_MAX};
    cli_stillness_reset(&s, 0);
    cli_stillness_damage(&s, (struct sm_rect){INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX}, 1000);
    assert_int_equal(s.since_us, 1000);
}

/* ---- Typing ---- */

static const struct cli_typing_manner US = {.layout = NULL};

static void check_cannot_in(const struct cli_typing_manner *manner, const char *text, size_t size,
                            const char *part)
{
    struct cli_typing typing = {.count = 77};
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    struct sm_bytes copy = sm_test_copy(text, size);
    assert_false(cli_typing_plan(&typing, (const char *)copy.data, size, manner, &failure));
    assert_null(typing.chords);
    assert_int_equal(typing.count, 77);
    assert_int_equal(failure.code, CLI_EXIT_CANNOT_TYPE);
    assert_true(failure.cure[0]);
    if (!strstr(failure.cause, part))
        fail_msg("'%s' does not say '%s'", failure.cause, part);
    sm_test_free_copies();
}

static void check_cannot(const char *text, size_t size, const char *part)
{
    check_cannot_in(&US, text, size, part);
}

static void a_text_becomes_one_chord_a_character(void **state)
{
    (void)state;
    struct cli_typing typing;
    struct cli_failure failure;
    assert_true(cli_typing_plan(&typing, "aB\r\n\t\n", 6, &US, &failure));
    assert_int_equal(typing.count, 5);
    assert_int_equal(typing.characters, 5);
    assert_int_equal(typing.chords[0].keys[0], 0x1e);
    assert_int_equal(typing.chords[1].keys[0], SM_KEY_LEFT_SHIFT);
    assert_int_equal(typing.chords[1].keys[1], 0x30);
    assert_int_equal(typing.chords[2].keys[0], SM_KEY_ENTER); /* CR LF is one line end */
    assert_int_equal(typing.chords[3].keys[0], SM_KEY_TAB);
    assert_int_equal(typing.chords[4].keys[0], SM_KEY_ENTER);
    cli_typing_finish(&typing);
    assert_true(cli_typing_plan(&typing, "", 0, &US, &failure));
    assert_int_equal(typing.count, 0);
    cli_typing_finish(&typing);
}

static void what_cannot_be_typed_is_named_with_its_place(void **state)
{
    (void)state;
    check_cannot("ab\ncd\xc3\xa4", 7, "line 2, character 3 cannot be typed: \xc3\xa4 (U+00E4)");
    check_cannot("\xff", 1, "line 1, character 1 is not UTF-8 (byte 0xff)");
    check_cannot("a\xe2\x82", 3, "line 1, character 2 is not UTF-8");
    check_cannot("a\x01", 2, "control character U+0001");
    check_cannot("a\0b", 3, "control character U+0000");
    check_cannot("\xc2\x85", 2, "control character U+0085");
    const struct cli_typing_manner codes = {.has_codes = true};
    check_cannot_in(&codes, "\xff", 1, "is not UTF-8");
    check_cannot_in(&codes, "\xc2\x85", 2, "control character U+0085");
}

static void what_the_layout_lacks_is_spelled_as_its_number(void **state)
{
    (void)state;
    const struct cli_typing_manner manner = {.has_codes = true};
    struct cli_typing typing;
    struct cli_failure failure;
    assert_true(cli_typing_plan(&typing, "a\xf0\x9f\x98\x80z", 6, &manner, &failure)); /* U+1F600 */
    static const struct sm_key_chord expected[] = {
        {.keys = {0x1e}, .count = 1},
        {.keys = {SM_KEY_LEFT_CTRL, SM_KEY_LEFT_SHIFT, 0x16}, .count = 3}, /* u */
        {.keys = {0x02}, .count = 1},                                      /* 1 */
        {.keys = {0x21}, .count = 1},                                      /* f */
        {.keys = {0x07}, .count = 1},                                      /* 6 */
        {.keys = {0x0b}, .count = 1},                                      /* 0 */
        {.keys = {0x0b}, .count = 1},
        {.keys = {SM_KEY_SPACE}, .count = 1},
        {.keys = {0x2c}, .count = 1},
    };
    assert_int_equal(typing.count, sizeof(expected) / sizeof(expected[0]));
    assert_int_equal(typing.characters, 3);
    assert_memory_equal(typing.chords, expected, sizeof(expected));
    cli_typing_finish(&typing);
    assert_true(cli_typing_plan(&typing, "\xf4\x8f\xbf\xbf", 4, &manner, &failure)); /* U+10FFFF */
    assert_int_equal(typing.count, 8);
    cli_typing_finish(&typing);
}

static void plan_without_memory(void *context)
{
    struct cli_typing typing = {.count = 0};
    struct cli_failure failure;
    (void)context;
    bool is_good = cli_typing_plan(&typing, "abc", 3, &US, &failure);
    assert_int_equal(is_good, typing.chords != NULL);
    cli_typing_finish(&typing);
}

static void typing_survives_want_of_memory(void **state)
{
    (void)state;
    sm_failmalloc_each(plan_without_memory, NULL);
}

static void files_to_type_have_a_limit(void **state)
{
    (void)state;
    char name[] = "/tmp/sumac-typing-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    static char block[1 << 20];
    memset(block, 'x', sizeof(block));
    assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
    char *text = NULL;
    size_t size;
    struct cli_failure failure;
    assert_true(cli_typing_read(&text, &size, name, &failure));
    assert_int_equal(size, sizeof(block));
    free(text);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_false(cli_typing_read(&text, &size, name, &failure));
    assert_non_null(strstr(failure.cause, "larger than 1 MiB"));
    close(fd);
    unlink(name);
    assert_false(cli_typing_read(&text, &size, name, &failure));
    assert_non_null(strstr(failure.cause, "No such file"));
    assert_false(cli_typing_read(&text, &size, "/tmp", &failure));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blinking_cursor_is_no_movement),
        cmocka_unit_test(typing_is_movement),
        cmocka_unit_test(changes_far_apart_are_movement),
        cmocka_unit_test(without_tolerance_every_change_is_movement),
        cmocka_unit_test(sizes_do_not_overflow),
        cmocka_unit_test(a_text_becomes_one_chord_a_character),
        cmocka_unit_test(what_cannot_be_typed_is_named_with_its_place),
        cmocka_unit_test(what_the_layout_lacks_is_spelled_as_its_number),
        cmocka_unit_test(typing_survives_want_of_memory),
        cmocka_unit_test(files_to_type_have_a_limit),
    };
    return cmocka_run_group_tests_name("cli work", tests, NULL, NULL);
}
