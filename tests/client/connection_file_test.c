/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sumac/connection_file.h"
#include "tests/support/failmalloc.h"

static const char FULL[] = "# made by a manager\n"
                           "[virt-viewer]\n"
                           "type=spice\n"
                           "host=vm.example.org\n"
                           " port = 5900 \r\n"
                           "tls-port=5901\n"
                           "password=short\\slived\n"
                           "ca=line 1\\nline 2\\n\n"
                           "host-subject=O=Example,CN=vm\n"
                           "secure-channels=main;inp\\;uts;\n"
                           "title=A \\\\ machine\n"
                           "fullscreen=1\n"
                           "version=7.0-1\n"
                           "x-private=kept\n"
                           "[ovirt]\n"
                           "host=manager\n";

static struct sm_connection_file *parse(const char *text)
{
    struct sm_connection_file *file = NULL;
    struct sm_error error = {0};
    enum sm_status status = sm_connection_file_parse(&file, text, strlen(text), &error);
    if (status != SM_OK)
        fail_msg("refused: %s", error.cause);
    return file;
}

static void check_refused(const char *text, const char *part_of_cause)
{
    struct sm_connection_file *file = NULL;
    struct sm_error error = {0};
    sm_check_status(sm_connection_file_parse(&file, text, strlen(text), &error), SM_ERR_PROTOCOL);
    assert_null(file);
    if (!strstr(error.cause, part_of_cause))
        fail_msg("refused for '%s', not for '%s'", error.cause, part_of_cause);
    sm_check_status(sm_connection_file_parse(&file, text, strlen(text), NULL), SM_ERR_PROTOCOL);
}

static void check_no_address(const char *body, const char *part_of_cause)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "[virt-viewer]\n%s\n", body);
    struct sm_connection_file *file = parse(text);
    struct sm_address *address = NULL;
    struct sm_error error = {0};
    sm_check_status(sm_connection_file_address(file, &address, &error), SM_ERR_PROTOCOL);
    assert_null(address);
    if (!strstr(error.cause, part_of_cause))
        fail_msg("'%s' was refused for '%s', not for '%s'", body, error.cause, part_of_cause);
    assert_true(error.cure[0]);
    sm_connection_file_destroy(file);
}

static void check_address(const char *body, const char *canonical)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "[virt-viewer]\n%s\n", body);
    struct sm_connection_file *file = parse(text);
    struct sm_address *address = NULL;
    struct sm_error error = {0};
    if (sm_connection_file_address(file, &address, &error) != SM_OK)
        fail_msg("'%s' was refused: %s", body, error.cause);
    assert_string_equal(sm_address_text(address), canonical);
    sm_address_destroy(address);
    sm_connection_file_destroy(file);
}

static void values_are_told_with_their_escapes_resolved(void **state)
{
    (void)state;
    struct sm_connection_file *file = parse(FULL);
    assert_string_equal(sm_connection_file_get(file, "type"), "spice");
    assert_string_equal(sm_connection_file_get(file, "host"), "vm.example.org");
    assert_string_equal(sm_connection_file_get(file, "password"), "short lived");
    assert_string_equal(sm_connection_file_get(file, "ca"), "line 1\nline 2\n");
    assert_string_equal(sm_connection_file_get(file, "title"), "A \\ machine");
    assert_string_equal(sm_connection_file_get(file, "x-private"), "kept");
    assert_null(sm_connection_file_get(file, "proxy"));
    assert_int_equal(sm_connection_file_number(file, "port", 0), 5900);
    assert_int_equal(sm_connection_file_number(file, "title", 7), 7);
    assert_int_equal(sm_connection_file_number(file, "proxy", 7), 7);
    sm_connection_file_destroy(file);
}

static void lists_have_items_between_semicolons(void **state)
{
    (void)state;
    struct sm_connection_file *file = parse(FULL);
    char item[8];
    assert_true(sm_connection_file_item(file, "secure-channels", 0, item, sizeof(item)));
    assert_string_equal(item, "main");
    assert_true(sm_connection_file_item(file, "secure-channels", 1, item, sizeof(item)));
    assert_string_equal(item, "inp;uts");
    assert_false(sm_connection_file_item(file, "secure-channels", 2, item, sizeof(item)));
    assert_true(sm_connection_file_item(file, "secure-channels", 1, item, 4));
    assert_string_equal(item, "inp");
    assert_false(sm_connection_file_item(file, "proxy", 0, item, sizeof(item)));
    sm_connection_file_destroy(file);
}

static void a_file_without_group_or_type_is_refused(void **state)
{
    (void)state;
    check_refused("", "no group");
    check_refused("type=spice\n", "no group");
    check_refused("[ovirt]\ntype=spice\n", "no group");
    check_refused("[virt-viewer]\nhost=a\n", "type");
}

static void too_long_a_file_is_refused(void **state)
{
    (void)state;
    size_t size = SM_CONNECTION_FILE_MAX_BYTES + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '#', size);
    struct sm_connection_file *file = NULL;
    sm_check_status(sm_connection_file_parse(&file, text, size, NULL), SM_ERR_LIMIT);
    assert_null(file);
    free(text);
}

static void the_last_value_of_a_key_counts(void **state)
{
    (void)state;
    struct sm_connection_file *file = parse(
        "[virt-viewer]\ntype=spice\nhost=a\nhost=b\n[other]\nhost=c\n[virt-viewer]\nport=1\n");
    assert_string_equal(sm_connection_file_get(file, "host"), "b");
    assert_int_equal(sm_connection_file_number(file, "port", 0), 1);
    sm_connection_file_destroy(file);
}

static void keys_beyond_the_limit_are_left_out(void **state)
{
    (void)state;
    char *text = malloc(1 << 16);
    assert_non_null(text);
    int used = sprintf(text, "[virt-viewer]\ntype=spice\n");
    for (int i = 0; i < 1000; i++)
        used += sprintf(text + used, "key%d=%d\n", i, i);
    struct sm_connection_file *file = parse(text);
    assert_string_equal(sm_connection_file_get(file, "key100"), "100");
    assert_null(sm_connection_file_get(file, "key999"));
    sm_connection_file_destroy(file);
    free(text);
}

static void the_address_is_put_together(void **state)
{
    (void)state;
    check_address("type=spice\nhost=vm\nport=5900", "spice://vm:5900");
    check_address("type=spice\nhost=vm\ntls-port=5901", "spice+tls://vm:5901");
    check_address("type=spice\nhost=vm\nport=5900\ntls-port=5901",
                  "spice://vm?port=5900&tls-port=5901");
    check_address("type=spice\nhost=::1\nport=5900", "spice://[::1]:5900");
    check_address("type=spice\nhost=vm\nport=5900\nunix-path=/run/vm.sock",
                  "spice+unix:///run/vm.sock");
}

static void an_address_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    check_no_address("type=vnc\nhost=vm\nport=5900", "vnc");
    check_no_address("type=spice\nport=5900", "no host");
    check_no_address("type=spice\nhost=\nport=5900", "no host");
    check_no_address("type=spice\nhost=a?port=1\nport=5900", "no host");
    check_no_address("type=spice\nhost=a", "no port");
    check_no_address("type=spice\nhost=a\nport=70000", "no port");
}

static void what_it_says_of_connecting_reaches_the_session(void **state)
{
    (void)state;
    struct sm_connection_file *file = parse(FULL);
    struct sm_address *address;
    sm_check_status(sm_connection_file_address(file, &address, NULL), SM_OK);
    struct sm_session *session;
    sm_check_status(sm_session_create(&session, address), SM_OK);
    sm_check_status(sm_connection_file_apply(file, session), SM_OK);
    /* The authorities of the file are none, which shows that they were looked at. */
    struct sm_error error = {0};
    sm_check_status(sm_session_connect(session, &error), SM_ERR_IO);
    assert_int_equal(error.kind, SM_ERROR_CA_FILE);
    sm_session_destroy(session);
    sm_address_destroy(address);
    sm_connection_file_destroy(file);
}

static bool needs_newer(const char *needed, const char *ours)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "[virt-viewer]\ntype=spice\nversion=%s\n", needed);
    struct sm_connection_file *file = parse(text);
    bool needs = sm_connection_file_needs_newer(file, ours);
    sm_connection_file_destroy(file);
    return needs;
}

static void versions_are_compared_number_by_number(void **state)
{
    (void)state;
    assert_false(needs_newer("", "11.0"));
    assert_false(needs_newer("7.0-1", "11.0"));
    assert_false(needs_newer("11.0", "11.0"));
    assert_false(needs_newer("11", "11.0"));
    assert_true(needs_newer("11.0.1", "11.0"));
    assert_true(needs_newer("12", "11.0"));
    assert_true(needs_newer("11.0-3", "11.0-2"));
    assert_false(needs_newer("99a.1", "11.0"));
}

static void every_truncation_is_a_file_or_a_refusal(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(FULL); size++) {
        char *cut = malloc(size ? size : 1); /* exact, for the address sanitizer */
        assert_non_null(cut);
        memcpy(cut, FULL, size);
        struct sm_connection_file *file = NULL;
        enum sm_status status = sm_connection_file_parse(&file, cut, size, NULL);
        assert_true(status == SM_OK || status == SM_ERR_PROTOCOL);
        assert_int_equal(status == SM_OK, file != NULL);
        sm_connection_file_destroy(file);
        free(cut);
    }
}

static void parse_full(void *context)
{
    (void)context;
    struct sm_connection_file *file = NULL;
    struct sm_address *address = NULL;
    enum sm_status status = sm_connection_file_parse(&file, FULL, sizeof(FULL) - 1, NULL);
    if (status == SM_OK)
        status = sm_connection_file_address(file, &address, NULL);
    assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    sm_address_destroy(address);
    sm_connection_file_destroy(file);
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(parse_full, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_told_with_their_escapes_resolved),
        cmocka_unit_test(lists_have_items_between_semicolons),
        cmocka_unit_test(a_file_without_group_or_type_is_refused),
        cmocka_unit_test(too_long_a_file_is_refused),
        cmocka_unit_test(the_last_value_of_a_key_counts),
        cmocka_unit_test(keys_beyond_the_limit_are_left_out),
        cmocka_unit_test(the_address_is_put_together),
        cmocka_unit_test(an_address_that_makes_no_sense_is_refused),
        cmocka_unit_test(what_it_says_of_connecting_reaches_the_session),
        cmocka_unit_test(versions_are_compared_number_by_number),
        cmocka_unit_test(every_truncation_is_a_file_or_a_refusal),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
