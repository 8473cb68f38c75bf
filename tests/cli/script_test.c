/* SPDX-License-Identifier: MIT */
/* Scripts are split into words as people expect, and refused with the line's number. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/script.h"
#include "tests/support/failmalloc.h"

static const char *environment(const char *name)
{
    return strcmp(name, "HOME") == 0 ? "/home/joe" : NULL;
}

/* The words of all lines, as "1:a|b 3:c". */
static void check_words(const char *text, const char *expected)
{
    struct cli_script script;
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    char found[1024] = "";
    uint32_t line;
    struct sm_bytes copy = sm_test_copy(text, strlen(text));
    if (!cli_script_parse(&script, (const char *)copy.data, copy.size, environment, &line,
                          &failure))
        fail_msg("%s: line %u: %s", text, (unsigned)line, failure.cause);
    for (size_t i = 0; i < script.line_count; i++) {
        size_t size = strlen(found);
        (void)snprintf(found + size, sizeof(found) - size, "%s%u:", i ? " " : "",
                       (unsigned)script.lines[i].number);
        for (int j = 0; j < script.lines[i].word_count; j++) {
            size = strlen(found);
            (void)snprintf(found + size, sizeof(found) - size, "%s%s", j ? "|" : "",
                           script.lines[i].words[j]);
        }
        assert_null(script.lines[i].words[script.lines[i].word_count]);
    }
    assert_string_equal(found, expected);
    cli_script_finish(&script);
    sm_test_free_copies();
}

static void check_bad(const char *text, size_t size, uint32_t expected_line, const char *cause)
{
    struct cli_script script;
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    uint32_t line;
    assert_false(cli_script_parse(&script, text, size, environment, &line, &failure));
    assert_int_equal(line, expected_line);
    assert_int_equal(failure.code, CLI_EXIT_USAGE);
    if (!strstr(failure.cause, cause))
        fail_msg("refused for '%s', not for '%s'", failure.cause, cause);
    cli_script_finish(&script);
}

static void lines_are_split_into_words(void **state)
{
    (void)state;
    check_words("", "");
    check_words("\n\n  # nothing\n", "");
    check_words("key a", "1:key|a");
    check_words(" key\ta \r\n\ntype x # comment", "1:key|a 3:type|x");
    check_words("type a#b", "1:type|a#b");
    check_words("type 'a  $x \\n' \"b \\\"c\\n\\t\\\\\\$\"", "1:type|a  $x \\n|b \"c\n\t\\$");
    check_words("type a'b c'd \"\"", "1:type|ab cd|");
}

static void variables_have_the_value_of_the_lines_above(void **state)
{
    (void)state;
    check_words("set a 1\nkey $a\nset a \"2 $a\"\nkey ${a}x '$a' \"$a\"\n",
                "2:key|1 4:key|2 1x|$a|2 1");
    check_words("type $HOME/x", "1:type|/home/joe/x");
    check_words("set HOME /tmp\ntype $HOME", "2:type|/tmp");
}

static void mistakes_name_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        const char *cause;
    } bad[] = {
        {"key a\ntype 'a", 2, "not closed"},
        {"type \"a\\", 1, "behind a backslash"},
        {"type \"\\x\"", 1, "needs none"},
        {"\n\ntype $nothing", 3, "nothing has no value"},
        {"type $", 1, "no name"},
        {"type ${a", 1, "no name"},
        {"set a", 1, "set needs"},
        {"set a-b c", 1, "set needs"},
        {"set a b c", 1, "set needs"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_bad(bad[i].text, strlen(bad[i].text), bad[i].line, bad[i].cause);
    check_bad("key\0", 4, 1, "NUL");
}

static void everything_has_a_limit(void **state)
{
    (void)state;
    enum { SIZE = 64 << 10 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, 'x', SIZE);
    check_bad(text, CLI_SCRIPT_VALUE_MAX, 1, "too long");
    memset(text, '\n', SIZE);
    check_bad(text, SIZE, CLI_SCRIPT_LINES_MAX + 1, "too long");
    for (size_t i = 0; i + 1 < SIZE; i += 2)
        memcpy(text + i, "a ", 2);
    check_bad(text, 2 * CLI_SCRIPT_WORDS_MAX + 2, 1, "too many words");
    size_t size = 0;
    for (int i = 0; i <= CLI_SCRIPT_VARIABLES_MAX; i++)
        size += (size_t)snprintf(text + size, SIZE - size, "set v%d x\n", i);
    check_bad(text, size, CLI_SCRIPT_VARIABLES_MAX + 1, "too many variables");
    /* A value that doubles on each line ends at the line's limit. */
    size = (size_t)snprintf(text, SIZE, "set a xx\n");
    for (int i = 0; i < 100; i++)
        size += (size_t)snprintf(text + size, SIZE - size, "set a $a$a\n");
    check_bad(text, size, 12, "too long");
    free(text);
}

static void parse_without_memory(void *opaque)
{
    (void)opaque;
    static const char text[] = "set a 1\nkey $a\nset a 2\nwait --stable 1s\n";
    struct cli_script script;
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    uint32_t line;
    bool is_good = cli_script_parse(&script, text, sizeof(text) - 1, environment, &line, &failure);
    assert_true(is_good || failure.code == CLI_EXIT_OTHER);
    cli_script_finish(&script);
}

static void want_of_memory_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(parse_without_memory, NULL);
}

static bool parse_step(struct cli_options *o, char *word, char *second, char *third,
                       struct cli_failure *failure)
{
    static char *words[4];
    struct cli_options script = {.timeout_ms = 7000, .is_json = true};
    words[0] = word;
    words[1] = second;
    words[2] = second ? third : NULL;
    words[3] = NULL;
    return cli_options_parse_step(o, &script, words, failure);
}

static void steps_are_commands_without_an_address(void **state)
{
    (void)state;
    struct cli_options o;
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    char click[] = "click", one[] = "1", two[] = "2", port[] = "port", fly[] = "fly";
    char json[] = "--json", shot[] = "screenshot", every[] = "--every=1s", file[] = "a.png";
    assert_true(parse_step(&o, click, one, two, &failure));
    assert_ptr_equal(o.command, &cli_command_click);
    assert_true(o.x == 1 && o.y == 2 && o.timeout_ms == 7000 && o.is_json);
    cli_options_finish(&o);
    assert_false(parse_step(&o, fly, NULL, NULL, &failure));
    assert_non_null(strstr(failure.cause, "no step fly"));
    cli_options_finish(&o);
    assert_false(parse_step(&o, port, NULL, NULL, &failure));
    assert_non_null(strstr(failure.cause, "port cannot be a step"));
    cli_options_finish(&o);
    assert_false(parse_step(&o, click, json, NULL, &failure));
    assert_non_null(strstr(failure.cause, "--json"));
    cli_options_finish(&o);
    assert_false(parse_step(&o, shot, every, file, &failure));
    assert_non_null(strstr(failure.cause, "not for scripts"));
    cli_options_finish(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_split_into_words),
        cmocka_unit_test(variables_have_the_value_of_the_lines_above),
        cmocka_unit_test(mistakes_name_their_line),
        cmocka_unit_test(everything_has_a_limit),
        cmocka_unit_test(want_of_memory_is_survived),
        cmocka_unit_test(steps_are_commands_without_an_address),
    };
    return cmocka_run_group_tests_name("cli scripts", tests, NULL, NULL);
}
