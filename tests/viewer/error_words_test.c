/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "viewer/error_words.h"

static char asked[512]; /* what was to be translated last */

/* A language in which everything is said the same way. */
static const char *translate(const char *text)
{
    (void)snprintf(asked, sizeof(asked), "%s", text);
    return "\xe4\xb8\xad";
}

static const char *know_nothing(const char *text)
{
    return text;
}

static void every_kind_has_words_to_translate(void **state)
{
    (void)state;
    char former[512] = "";
    for (int kind = SM_ERROR_ADDRESS;
         strcmp(sm_error_kind_name((enum sm_error_kind)kind), "unknown") != 0; kind++) {
        struct sm_error error = {
            .kind = (enum sm_error_kind)kind, .cause = "h:1 did", .cure = "do that"};
        g_autofree char *cause = sm_error_words_cause(&error, translate);
        assert_string_equal(cause, "\xe4\xb8\xad (h:1 did)");
        assert_string_not_equal(asked, former); /* of its own */
        memcpy(former, asked, sizeof(former));
        g_autofree char *cure = sm_error_words_cure(&error, translate);
        assert_string_equal(cure, "\xe4\xb8\xad");
    }
}

static void without_a_translation_the_library_speaks(void **state)
{
    (void)state;
    struct sm_error error = {
        .kind = SM_ERROR_REFUSED, .cause = "h:1 did \xff it", .cure = "do that"};
    g_autofree char *cause = sm_error_words_cause(&error, know_nothing);
    assert_string_equal(cause, "h:1 did \xef\xbf\xbd it");     /* as a label can show it */
    g_autofree char *cure = sm_error_words_cure(&error, NULL); /* this test has no language */
    assert_string_equal(cure, "do that");
}

static void options_of_another_program_are_not_named(void **state)
{
    (void)state;
    struct sm_error error = {.kind = SM_ERROR_CERTIFICATE,
                             .cause = "h:1 is not trusted",
                             .cure = "give the file of the authority (--ca FILE)"};
    g_autofree char *cure = sm_error_words_cure(&error, know_nothing);
    assert_string_equal(cure, "Give the file of the authority that signed it (--spice-ca-file)");
    error.kind = (enum sm_error_kind)9999;
    g_autofree char *unknown = sm_error_words_cure(&error, know_nothing);
    assert_string_equal(unknown, error.cure);
}

static void kinds_of_later_and_none_keep_their_words(void **state)
{
    (void)state;
    struct sm_error later = {.kind = (enum sm_error_kind)9999, .cause = "new", .cure = ""};
    g_autofree char *cause = sm_error_words_cause(&later, translate);
    assert_string_equal(cause, "new");
    g_autofree char *cure = sm_error_words_cure(&later, translate);
    assert_string_equal(cure, "");
    struct sm_error none = {.kind = SM_ERROR_NONE};
    g_autofree char *nothing = sm_error_words_cause(&none, translate);
    assert_string_equal(nothing, "");
    /* Where the library knows no cure, none is made up. */
    struct sm_error hopeless = {.kind = SM_ERROR_SYSTEM, .cause = "it failed"};
    g_autofree char *no_cure = sm_error_words_cure(&hopeless, translate);
    assert_string_equal(no_cure, "");
}

static void check_heading(const struct sm_error *error, const char *(*in)(const char *),
                          const char *expected, const char *expected_text)
{
    g_autofree char *text = NULL;
    g_autofree char *heading = sm_error_words_heading(error, &text, in);
    assert_string_equal(heading, expected);
    assert_string_equal(text, expected_text);
}

static void a_page_has_a_short_heading_and_the_rest_below(void **state)
{
    (void)state;
    struct sm_error error = {.kind = SM_ERROR_REFUSED,
                             .cause = "the line to [::1]:5 was cut: nobody: there",
                             .cure = "do that"};
    check_heading(&error, know_nothing, "The line to [::1]:5 was cut", "Nobody: there\nDo that");
    check_heading(&error, translate, "\xe4\xb8\xad",
                  "The line to [::1]:5 was cut: nobody: there\n\xe4\xb8\xad");
    error = (struct sm_error){.kind = SM_ERROR_PROTOCOL, .cause = "h:1 failed: a_name: long"};
    check_heading(&error, know_nothing, "H:1 failed", "a_name: long");
    error = (struct sm_error){.kind = SM_ERROR_SYSTEM, .cause = "it \xff failed"};
    check_heading(&error, know_nothing, "It \xef\xbf\xbd failed", "");
    error = (struct sm_error){.kind = (enum sm_error_kind)9999};
    check_heading(&error, translate, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_words_to_translate),
        cmocka_unit_test(without_a_translation_the_library_speaks),
        cmocka_unit_test(options_of_another_program_are_not_named),
        cmocka_unit_test(kinds_of_later_and_none_keep_their_words),
        cmocka_unit_test(a_page_has_a_short_heading_and_the_rest_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
