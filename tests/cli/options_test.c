/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "sumac/address.h"
#include "sumac/clipboard.h"
#include "sumac/inputs.h"

enum { WORDS_MAX = 24 };

/* Splits `line` at blanks, as a shell would; the words live in `room`. */
struct line {
    char room[512];
    char *words[WORDS_MAX + 1];
    int count;
};

static void split(struct line *line, const char *text)
{
    (void)snprintf(line->room, sizeof(line->room), "%s", text);
    line->count = 0;
    for (char *word = strtok(line->room, " "); word; word = strtok(NULL, " ")) {
        assert_true(line->count < WORDS_MAX);
        line->words[line->count++] = word;
    }
    line->words[line->count] = NULL;
}

static void parse(struct cli_options *options, struct line *line, const char *text)
{
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    split(line, text);
    if (!cli_options_parse(options, line->count, line->words, &failure))
        fail_msg("'%s' was refused: %s", text, failure.cause);
}

static void check_refused(const char *text, const char *part_of_cause)
{
    struct cli_options options;
    struct cli_failure failure = {.code = CLI_EXIT_OK};
    struct line line;
    split(&line, text);
    assert_false(cli_options_parse(&options, line.count, line.words, &failure));
    assert_int_equal(failure.code, CLI_EXIT_USAGE);
    if (!strstr(failure.cause, part_of_cause))
        fail_msg("'%s' was refused for '%s', not for '%s'", text, failure.cause, part_of_cause);
    assert_true(failure.cure[0]);
    cli_options_finish(&options);
}

static char *write_machine_file(char path[64], const char *text)
{
    (void)snprintf(path, 64, "/tmp/sumac-test-XXXXXX.vv");
    int fd = mkstemps(path, 3);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    return path;
}

static void a_connection_file_stands_for_an_address(void **state)
{
    (void)state;
    char path[64], text[128];
    struct cli_options o;
    struct line line;
    (void)snprintf(text, sizeof(text), "sumac info %s",
                   write_machine_file(path, "[virt-viewer]\ntype=spice\nhost=h\nport=5900\n"
                                            "delete-this-file=1\n"));
    parse(&o, &line, text);
    assert_string_equal(sm_address_text(o.address), "spice://h:5900");
    assert_non_null(o.file);
    cli_options_finish(&o);
    assert_int_equal(unlink(path), 0); /* it was left where it is */
    check_refused(text, "cannot be read");

    (void)snprintf(text, sizeof(text), "sumac info %s", write_machine_file(path, "nonsense"));
    check_refused(text, "no group");
    assert_int_equal(unlink(path), 0);
}

static void every_command_has_its_words_and_defaults(void **state)
{
    (void)state;
    struct cli_options o;
    struct line line;
    parse(&o, &line, "sumac info spice://h:1");
    assert_ptr_equal(o.command, &cli_command_info);
    assert_string_equal(sm_address_host(o.address), "h");
    assert_int_equal(o.timeout_ms, 30000);
    assert_false(o.is_json);
    cli_options_finish(&o);

    parse(&o, &line, "sumac screenshot spice://h:1 out.png");
    assert_ptr_equal(o.command, &cli_command_screenshot);
    assert_string_equal(o.output, "out.png");
    assert_int_equal(o.settle_ms, 200);
    assert_int_equal(o.display, 0);
    cli_options_finish(&o);

    parse(&o, &line, "sumac type spice://h:1 hello");
    assert_string_equal(o.text, "hello");
    cli_options_finish(&o);

    parse(&o, &line, "sumac type spice://h:1 --file -");
    assert_string_equal(o.text_file, "-");
    assert_null(o.text);
    cli_options_finish(&o);

    parse(&o, &line, "sumac key spice://h:1 ctrl-alt-f2");
    assert_string_equal(o.text, "ctrl-alt-f2");
    cli_options_finish(&o);

    parse(&o, &line, "sumac click spice://h:1 10 20");
    assert_int_equal(o.x, 10);
    assert_int_equal(o.y, 20);
    assert_int_equal(o.button, SM_BUTTON_LEFT);
    assert_false(o.is_double);
    cli_options_finish(&o);

    parse(&o, &line, "sumac wait spice://h:1");
    assert_int_equal(o.stable_ms, 500);
    cli_options_finish(&o);

    parse(&o, &line, "sumac copy spice://h:1 a b");
    assert_int_equal(o.file_count, 2);
    assert_string_equal(o.files[0], "a");
    assert_string_equal(o.files[1], "b");
    cli_options_finish(&o);

    parse(&o, &line, "sumac clipboard spice://h:1 get --image --output x.png");
    assert_false(o.is_setting);
    assert_true(o.is_image);
    assert_string_equal(o.output, "x.png");
    cli_options_finish(&o);

    parse(&o, &line, "sumac clipboard --keep spice://h:1 set text");
    assert_true(o.is_setting);
    assert_true(o.is_kept);
    assert_int_equal(o.clipboard_kind, 0);
    assert_string_equal(o.text, "text");
    cli_options_finish(&o);

    parse(&o, &line, "sumac clipboard spice://h:1 set --file - --type jpeg");
    assert_int_equal(o.clipboard_kind, SM_CLIPBOARD_JPEG);
    assert_null(o.text);
    assert_string_equal(o.text_file, "-");
    cli_options_finish(&o);
}

static void options_may_stand_anywhere_behind_the_command(void **state)
{
    (void)state;
    struct cli_options o;
    struct line line;
    parse(&o, &line,
          "sumac click --json spice://h:1 --button=right 7 --double --display 2 8 --timeout 1.5s "
          "--ca ca.pem --proxy http://p:8080 --verbose");
    assert_true(o.is_json);
    assert_true(o.is_verbose);
    assert_true(o.is_double);
    assert_int_equal(o.button, SM_BUTTON_RIGHT);
    assert_int_equal(o.display, 2);
    assert_int_equal(o.x, 7);
    assert_int_equal(o.y, 8);
    assert_int_equal(o.timeout_ms, 1500);
    assert_string_equal(o.ca_file, "ca.pem");
    assert_string_equal(o.proxy, "http://p:8080");
    cli_options_finish(&o);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct cli_options o;
    struct line line;
    parse(&o, &line, "sumac type spice://h:1 -- --json");
    assert_string_equal(o.text, "--json");
    assert_false(o.is_json);
    cli_options_finish(&o);
}

static void help_and_version_need_nothing_else(void **state)
{
    (void)state;
    static const char *const lines[] = {"sumac --help", "sumac -h", "sumac info --help",
                                        "sumac click -h spice://h:1"};
    struct cli_options o;
    struct line line;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        parse(&o, &line, lines[i]);
        assert_true(o.wants_help);
        cli_options_finish(&o);
    }
    parse(&o, &line, "sumac --version");
    assert_true(o.wants_version);
    cli_options_finish(&o);
}

static void the_password_leaves_the_command_line(void **state)
{
    (void)state;
    struct cli_options o;
    struct line line;
    parse(&o, &line, "sumac info spice://h:1 --password s3cret");
    assert_string_equal(o.password, "s3cret");
    for (int i = 0; i < line.count; i++)
        assert_null(strstr(line.words[i], "s3cret"));
    cli_options_finish(&o);
}

static void the_password_may_come_from_a_file_or_the_environment(void **state)
{
    (void)state;
    char name[] = "/tmp/sumac-test-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "from file\r\nrest", 15), 15);
    close(fd);
    char text[128];
    (void)snprintf(text, sizeof(text), "sumac info spice://h:1 --password-file %s", name);
    struct cli_options o;
    struct line line;
    setenv("SUMAC_PASSWORD", "from environment", 1);
    parse(&o, &line, text);
    assert_string_equal(o.password, "from file");
    cli_options_finish(&o);
    parse(&o, &line, "sumac info spice://h:1");
    assert_string_equal(o.password, "from environment");
    cli_options_finish(&o);
    unsetenv("SUMAC_PASSWORD");
    parse(&o, &line, "sumac info spice://h:1");
    assert_null(o.password);
    cli_options_finish(&o);
    unlink(name);
    check_refused(text, "cannot be read");
}

static void bad_command_lines_are_refused_with_their_reason(void **state)
{
    (void)state;
    check_refused("sumac", "command is missing");
    check_refused("sumac fly", "no command fly");
    check_refused("sumac --json info spice://h:1", "command comes first");
    check_refused("sumac info", "address of the machine");
    check_refused("sumac info host", "does not begin");
    check_refused("sumac info spice://h:1 more", "too much: more");
    check_refused("sumac info spice://h:1 --fly", "--fly");
    check_refused("sumac info spice://h:1 -x", "-x");
    check_refused("sumac info spice://h:1 --display 1", "no option --display");
    check_refused("sumac info spice://h:1 --timeout", "needs a value");
    check_refused("sumac info spice://h:1 --timeout 0", "zero");
    check_refused("sumac info spice://h:1 --timeout soon", "not a time");
    check_refused("sumac info spice://h:1 --password a --password b", "twice");
    check_refused("sumac info spice://h:1 --password a --password-file b", "twice");
    check_refused("sumac info spice://h:1 --password-file /does/not/exist", "cannot be read");
    check_refused("sumac screenshot spice://h:1", "missing behind the address");
    check_refused("sumac screenshot spice://h:1 - --json", "standard output");
    check_refused("sumac screenshot spice://h:1 a.png --display 256", "whole number");
    check_refused("sumac screenshot spice://h:1 a.png --tolerance -1", "whole number");
    check_refused("sumac type spice://h:1", "missing behind the address");
    check_refused("sumac type spice://h:1 text --file x", "too much: text");
    check_refused("sumac wait spice://h:1 --stable 30s", "longer than --timeout");
    check_refused("sumac click spice://h:1 1", "missing behind the address");
    check_refused("sumac click spice://h:1 1 2 3", "too much: 3");
    check_refused("sumac click spice://h:1 1 x", "whole number");
    check_refused("sumac click spice://h:1 1 65536", "whole number");
    check_refused("sumac click spice://h:1 1 2 --button wheel", "no button");
    check_refused("sumac copy spice://h:1", "missing behind the address");
    check_refused("sumac clipboard", "address of the machine");
    check_refused("sumac clipboard spice://h:1", "get or set");
    check_refused("sumac clipboard spice://h:1 steal", "not steal");
    check_refused("sumac clipboard spice://h:1 get text", "too much: text");
    check_refused("sumac clipboard spice://h:1 get --keep", "for set");
    check_refused("sumac clipboard spice://h:1 get --type html", "html");
    check_refused("sumac clipboard spice://h:1 get --watch --output x", "standard output only");
    check_refused("sumac clipboard spice://h:1 set", "missing behind the address");
    check_refused("sumac clipboard spice://h:1 set text --watch", "for get");
}

static void json_counts_even_if_the_line_is_refused(void **state)
{
    (void)state;
    struct cli_options o;
    struct cli_failure failure;
    struct line line;
    split(&line, "sumac nonsense --json");
    assert_false(cli_options_parse(&o, line.count, line.words, &failure));
    assert_true(o.is_json);
    cli_options_finish(&o);
}

static void times_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t ms;
    } good[] = {{"0", 0},    {"500ms", 500}, {"2s", 2000},        {"1.5s", 1500}, {"3m", 180000},
                {"7", 7000}, {".5s", 500},   {"1440m", 86400000}, {"0.4ms", 0}};
    static const char *const bad[] = {"",    "s",    "-1s",   "1h",   "1 s",  "inf",
                                      "nan", "0x1s", "86401", "1e9s", "1s1s", "+1s"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint32_t ms = 12345;
        assert_true(cli_duration_parse(&ms, good[i].text));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint32_t ms = 12345;
        if (cli_duration_parse(&ms, bad[i]))
            fail_msg("'%s' was taken for %u ms", bad[i], ms);
        assert_int_equal(ms, 12345);
    }
}

static void exit_codes_and_kinds_are_unique(void **state)
{
    (void)state;
    const struct cli_exit_entry *a, *b;
    for (size_t i = 0; (a = cli_exit_entry_at(i)); i++)
        for (size_t j = 0; (b = cli_exit_entry_at(j)) && j < i; j++) {
            assert_int_not_equal(a->code, b->code);
            assert_string_not_equal(a->kind, b->kind);
        }
}

/* The whole of a file below the root of the sources. */
static char *read_source(const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/../%s", getenv("SM_TEST_DATA"), name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s cannot be read", path);
    char *text = NULL;
    size_t size = 0;
    if (getdelim(&text, &size, 0, file) < 0)
        fail_msg("%s is empty", path);
    fclose(file);
    return text;
}

static void the_documentation_has_every_exit_code(void **state)
{
    (void)state;
    char *page = read_source("docs/cli.md"), *manual = read_source("cli/sumac.1");
    const struct cli_exit_entry *entry;
    for (size_t i = 0; (entry = cli_exit_entry_at(i)); i++) {
        char row[256];
        const char *comma = entry->others ? ", " : "", *others = entry->others ? entry->others : "";
        (void)snprintf(row, sizeof(row), "\n| %d | %s%s%s | %s |\n", (int)entry->code, entry->kind,
                       comma, others, entry->meaning);
        if (!strstr(page, row))
            fail_msg("docs/cli.md lacks: %s", row);
        (void)snprintf(row, sizeof(row), ".B %d\n%s (%s%s%s)\n", (int)entry->code, entry->meaning,
                       entry->kind, comma, others);
        if (!strstr(manual, row))
            fail_msg("cli/sumac.1 lacks: %s", row);
    }
    free(page);
    free(manual);
}

static void every_error_of_the_library_has_an_exit_code_of_its_own(void **state)
{
    (void)state;
    for (int kind = SM_ERROR_ADDRESS; kind <= SM_ERROR_SYSTEM; kind++) {
        struct sm_error error = {.kind = (enum sm_error_kind)kind, .cause = "a", .cure = "b"};
        struct cli_failure failure = {.code = CLI_EXIT_OK};
        assert_false(cli_fail_error(&failure, &error));
        assert_string_equal(failure.kind, sm_error_kind_name(error.kind));
        assert_string_equal(failure.cause, "a");
        if (kind == SM_ERROR_NOMEM || kind == SM_ERROR_SYSTEM)
            assert_int_equal(failure.code, CLI_EXIT_OTHER);
        else
            assert_int_not_equal(failure.code, CLI_EXIT_OTHER);
    }
}

static void stats_takes_a_path_and_no_password(void **state)
{
    (void)state;
    struct cli_options o;
    struct line line;
    parse(&o, &line, "sumac stats /run/vm1 --watch --prometheus");
    assert_ptr_equal(o.command, &cli_command_stats);
    assert_string_equal(o.path, "/run/vm1");
    assert_true(o.is_watching && o.is_prometheus && !o.is_json);
    assert_null(o.address);
    cli_options_finish(&o);
    check_refused("sumac stats", "path");
    check_refused("sumac stats a b", "too much");
    check_refused("sumac stats a --password b", "no option");
    check_refused("sumac stats a --json --prometheus", "exclude");
    check_refused("sumac info spice://h:1 --watch", "no option");
}

static void check_help(const struct cli_command *command)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cli_help_print(out, command);
    fclose(out);
    char usage[64];
    (void)snprintf(usage, sizeof(usage), "usage: sumac %s", command ? command->name : "COMMAND");
    assert_memory_equal(text, usage, strlen(usage));
    if (!command || !command->is_local)
        assert_non_null(strstr(text, "list of processes"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strlen(line) > 100)
            fail_msg("a line of help is too wide: %s", line);
    free(text);
}

static void every_help_names_its_command_and_the_password_s_danger(void **state)
{
    (void)state;
    const struct cli_command *command;
    check_help(NULL);
    for (size_t i = 0; (command = cli_command_at(i)); i++)
        check_help(command);
}

/* Every command and every option, so that a new one is not forgotten. */
static void check_documents(const char *page, const char *manual, const char *command,
                            const struct cli_option *option)
{
    char text[128];
    for (; option && option->name; option++) {
        (void)snprintf(text, sizeof(text), "--%s", option->name);
        if (!strstr(page, text))
            fail_msg("docs/cli.md says nothing of %s %s", command, text);
        char *to = text + sprintf(text, "\\-\\-");
        for (const char *from = option->name; *from; from++)
            to += sprintf(to, *from == '-' ? "\\-" : "%c", *from);
        if (!strstr(manual, text))
            fail_msg("cli/sumac.1 says nothing of %s %s", command, text);
    }
}

static void the_documentation_has_every_command_and_option(void **state)
{
    (void)state;
    char *page = read_source("docs/cli.md"), *manual = read_source("cli/sumac.1");
    const struct cli_command *command;
    for (size_t i = 0; (command = cli_command_at(i)); i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "\n.B sumac %s\n", command->name);
        if (!strstr(manual, text))
            fail_msg("cli/sumac.1 has no synopsis of %s", command->name);
        (void)snprintf(text, sizeof(text), "**%s**", command->name);
        if (!strstr(page, text))
            fail_msg("docs/cli.md says nothing of %s", command->name);
        check_documents(page, manual, command->name, command->options);
    }
    check_documents(page, manual, "", CLI_OPTIONS_OF_ALL);
    check_documents(page, manual, "", CLI_OPTIONS_OF_MACHINES);
    free(page);
    free(manual);
}

static void pointer_commands_take_places(void **state)
{
    (void)state;
    struct cli_options o;
    struct line line;
    parse(&o, &line, "sumac drag spice://h:1 1 2 3 4 --button right --with ctrl-shift");
    assert_true(o.x == 1 && o.y == 2 && o.to_x == 3 && o.to_y == 4);
    assert_int_equal(o.button, SM_BUTTON_RIGHT);
    assert_string_equal(o.modifiers, "ctrl-shift");
    cli_options_finish(&o);
    parse(&o, &line, "sumac scroll spice://h:1 -3");
    assert_true(o.notches == 3 && o.button == SM_BUTTON_WHEEL_UP && !o.has_place);
    cli_options_finish(&o);
    parse(&o, &line, "sumac scroll spice://h:1 2 10 20");
    assert_true(o.notches == 2 && o.button == SM_BUTTON_WHEEL_DOWN && o.has_place);
    assert_true(o.x == 10 && o.y == 20);
    cli_options_finish(&o);
    check_refused("sumac scroll spice://h:1 2 10", "X and Y");
    check_refused("sumac scroll spice://h:1 1001", "whole number");
    check_refused("sumac drag spice://h:1 1 2 3", "missing");
    check_refused("sumac drag spice://h:1 1 2 3 4 --button up", "no button");
}

static void a_series_of_pictures_has_its_options(void **state)
{
    (void)state;
    struct cli_options o;
    struct line line;
    parse(&o, &line, "sumac screenshot spice://h:1 a.png --every 2s --count 3 --changed");
    assert_true(o.every_ms == 2000 && o.shot_count == 3 && o.only_changed);
    cli_options_finish(&o);
    check_refused("sumac screenshot spice://h:1 a.png --count 3", "--every");
    check_refused("sumac screenshot spice://h:1 - --every 1s", "name");
    check_refused("sumac screenshot spice://h:1 a.png --every 1s --count 0", "whole number");
    check_refused("sumac screenshot spice://h:1 a.png --changed=1", "takes no value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_file_stands_for_an_address),
        cmocka_unit_test(the_documentation_has_every_command_and_option),
        cmocka_unit_test(pointer_commands_take_places),
        cmocka_unit_test(a_series_of_pictures_has_its_options),
        cmocka_unit_test(every_command_has_its_words_and_defaults),
        cmocka_unit_test(options_may_stand_anywhere_behind_the_command),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(the_password_leaves_the_command_line),
        cmocka_unit_test(the_password_may_come_from_a_file_or_the_environment),
        cmocka_unit_test(bad_command_lines_are_refused_with_their_reason),
        cmocka_unit_test(json_counts_even_if_the_line_is_refused),
        cmocka_unit_test(times_have_units),
        cmocka_unit_test(exit_codes_and_kinds_are_unique),
        cmocka_unit_test(the_documentation_has_every_exit_code),
        cmocka_unit_test(every_error_of_the_library_has_an_exit_code_of_its_own),
        cmocka_unit_test(stats_takes_a_path_and_no_password),
        cmocka_unit_test(every_help_names_its_command_and_the_password_s_danger),
    };
    return cmocka_run_group_tests_name("cli options", tests, NULL, NULL);
}
