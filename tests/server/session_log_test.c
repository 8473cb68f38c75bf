/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>

#include "server/session/log_json.h"

static const struct timespec NOON = {.tv_sec = 1700000000, .tv_nsec = 7000000};

static void check_line(enum sm_log_level level, const char *text, const char *expected_end)
{
    char line[SM_LOG_JSON_MAX], expected[SM_LOG_JSON_MAX];
    size_t size = sm_log_json(line, level, text, 42, &NOON);
    static const char *const LEVELS[] = {"debug", "info", "warning", "error"};
    int expected_size =
        snprintf(expected, sizeof(expected),
                 "{\"time\":\"2023-11-14T22:13:20.007Z\",\"pid\":42,\"level\":\"%s\","
                 "%s}\n",
                 LEVELS[level], expected_end);
    sm_check_bytes(((struct sm_bytes){(const uint8_t *)line, size}),
                   ((struct sm_bytes){(const uint8_t *)expected, (size_t)expected_size}));
}

static void a_line_has_its_place_and_words_apart(void **state)
{
    (void)state;
    check_line(SM_LOG_WARNING, "server/session/x.c:7:func: Ticket has expired",
               "\"place\":\"server/session/x.c:7:func\",\"text\":\"Ticket has expired\"");
    check_line(SM_LOG_INFO, "no place: here", "\"text\":\"no place: here\"");
    check_line(SM_LOG_ERROR, "", "\"text\":\"\"");
    check_line(SM_LOG_DEBUG, "a:1:b: ", "\"place\":\"a:1:b\",\"text\":\"\"");
}

static void whatever_a_peer_says_stays_inside_its_string(void **state)
{
    (void)state;
    check_line(SM_LOG_WARNING, "say \"hi\\\" \n\t\x7f",
               "\"text\":\"say \\\"hi\\\\\\\" \\u000a\\u0009\\u007f\"");
    check_line(SM_LOG_WARNING, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
               "\"text\":\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
    /* no UTF-8: alone, too long a form, half a pair, beyond the last, cut off */
    check_line(SM_LOG_WARNING, "\xff", "\"text\":\"\\ufffd\"");
    check_line(SM_LOG_WARNING, "\xc0\xaf", "\"text\":\"\\ufffd\\ufffd\"");
    check_line(SM_LOG_WARNING, "\xed\xa0\x80", "\"text\":\"\\ufffd\\ufffd\\ufffd\"");
    check_line(SM_LOG_WARNING, "\xf4\x90\x80\x80", "\"text\":\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    check_line(SM_LOG_WARNING, "x\xe2\x82", "\"text\":\"x\\ufffd\\ufffd\"");
}

static void a_line_that_is_too_long_is_cut_and_still_whole(void **state)
{
    (void)state;
    static char text[3 * SM_LOG_JSON_MAX], line[SM_LOG_JSON_MAX];
    static const char FILL[] = {'x', '\n', '"', (char)0xff};
    for (size_t i = 0; i < sizeof(FILL); i++)
        for (int has_place = 0; has_place < 2; has_place++) {
            memset(text, FILL[i], sizeof(text) - 1);
            if (has_place)
                memcpy(text + 10, ": ", 2);
            size_t size = sm_log_json(line, SM_LOG_WARNING, text, 1, &NOON);
            assert_in_range(size, SM_LOG_JSON_MAX - 16, SM_LOG_JSON_MAX);
            assert_memory_equal(line + size - 3, "\"}\n", 3);
        }
    memset(text, 'x', sizeof(text) - 1); /* a place without end */
    memcpy(text + sizeof(text) - 4, ": y", 3);
    size_t size = sm_log_json(line, SM_LOG_WARNING, text, 1, &NOON);
    assert_in_range(size, 1, SM_LOG_JSON_MAX);
    assert_memory_equal(line + size - 3, "\"}\n", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_place_and_words_apart),
        cmocka_unit_test(whatever_a_peer_says_stays_inside_its_string),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_and_still_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
