/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/text.h"

enum { ROOM = 32 };

static const char *line(const char *text, size_t size)
{
    static char out[ROOM];
    struct sm_bytes bytes = {.data = (const uint8_t *)text, .size = size};
    size_t length = sm_text_line(out, sizeof(out), bytes, '?');
    assert_int_equal(length, strlen(out));
    return out;
}

static const char *shown(const char *text)
{
    return line(text, strlen(text));
}

static void what_can_be_read_stays(void **state)
{
    (void)state;
    assert_string_equal(shown(""), "");
    assert_string_equal(shown("Ann Käse 世界 😀"), "Ann Käse 世界 😀");
    assert_string_equal(shown("می\u200cخواهم"), "می\u200cخواهم"); /* a word of Persian */
    assert_string_equal(line("ann\0bob", 7), "ann");
    assert_string_equal(shown("\xf4\x8f\xbf\xbd"), "\xf4\x8f\xbf\xbd");
}

static void what_moves_turns_or_hides_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(shown("a\nb\tc\x1b[2Jd\x7f"), "a?b?c?[2Jd?");
    assert_string_equal(shown("a\xc2\x9b"
                              "1mb\xc2\x85"),
                        "a?1mb?"); /* C1 */
    assert_string_equal(shown("\u202eann\u2066\u2069\u200f"), "?ann???");
    assert_string_equal(shown("a\u2028b\u2029c\ufeff\u200b"), "a?b?c??");
    assert_string_equal(shown("a\U000e0041"), "a?");
}

static void what_is_not_utf8_is_replaced_byte_by_byte(void **state)
{
    (void)state;
    assert_string_equal(shown("a\x80\xbf"), "a??");
    assert_string_equal(shown("\xc0\xaf"), "??");           /* longer than needed */
    assert_string_equal(shown("\xe0\x80\xaf"), "???");      /* likewise */
    assert_string_equal(shown("\xed\xa0\x80"), "???");      /* half of a pair */
    assert_string_equal(shown("\xf4\x90\x80\x80"), "????"); /* above the last one */
    assert_string_equal(shown("\xf8\x88\x80\x80"), "????");
    assert_string_equal(line("a\xe4\xb8\x96", 3), "a??"); /* cut short */
    assert_string_equal(shown("\xe4\xb8z"), "??z");
}

static void what_does_not_fit_is_cut_between_characters(void **state)
{
    (void)state;
    struct sm_bytes text = {.data = (const uint8_t *)"a世\n", .size = 5};
    static const struct {
        size_t size;
        const char *shown;
    } cases[] = {{1, ""}, {2, "a"}, {3, "a"}, {4, "a"}, {5, "a世"}, {6, "a世?"}, {7, "a世?"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char out[8] = "xxxxxxx";
        sm_text_line(out, cases[i].size, text, '?');
        assert_string_equal(out, cases[i].shown);
    }
}

/* Whatever comes, the line is UTF-8 without control characters: done again, it stays as it is. */
static void any_bytes_become_a_line_that_stays(void **state)
{
    (void)state;
    for (uint32_t value = 0; value < 1 << 24; value += 7) {
        char text[] = {(char)(0xc0 | (value & 0x3f)), (char)(value >> 6), (char)(value >> 14),
                       (char)(0x80 | (value >> 18))};
        char once[ROOM], twice[ROOM];
        struct sm_bytes bytes = {.data = (const uint8_t *)text, .size = sizeof(text)};
        size_t length = sm_text_line(once, sizeof(once), bytes, '?');
        bytes = (struct sm_bytes){.data = (const uint8_t *)once, .size = length};
        sm_text_line(twice, sizeof(twice), bytes, '!');
        if (strcmp(once, twice) != 0)
            fail_msg("%06x: \"%s\" became \"%s\"", value, once, twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_read_stays),
        cmocka_unit_test(what_moves_turns_or_hides_is_replaced),
        cmocka_unit_test(what_is_not_utf8_is_replaced_byte_by_byte),
        cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(any_bytes_become_a_line_that_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
