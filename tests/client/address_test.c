/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sumac/address.h"
#include "tests/support/failmalloc.h"

static struct sm_address *parse(const char *text)
{
    struct sm_address *address = NULL;
    struct sm_error error = {0};
    enum sm_status status = sm_address_parse(&address, text, &error);
    if (status != SM_OK)
        fail_msg("'%s' was refused: %s", text, error.cause);
    return address;
}

static void check_canonical(const char *text, const char *canonical)
{
    struct sm_address *address = parse(text);
    assert_string_equal(sm_address_text(address), canonical);
    /* The canonical form is a fixed point. */
    struct sm_address *again = parse(canonical);
    assert_string_equal(sm_address_text(again), canonical);
    sm_address_destroy(again);
    sm_address_destroy(address);
}

static void check_refused(const char *text, const char *part_of_cause)
{
    struct sm_address *address = NULL;
    struct sm_error error = {0};
    sm_check_status(sm_address_parse(&address, text, &error), SM_ERR_PROTOCOL);
    assert_null(address);
    assert_int_equal(error.kind, SM_ERROR_ADDRESS);
    if (!strstr(error.cause, part_of_cause))
        fail_msg("'%s' was refused for '%s', not for '%s'", text, error.cause, part_of_cause);
    assert_true(error.cure[0]);
    /* A reason may be left out. */
    sm_check_status(sm_address_parse(&address, text, NULL), SM_ERR_PROTOCOL);
}

static void the_parts_of_a_plain_address_are_told(void **state)
{
    (void)state;
    struct sm_address *address = parse("spice://vm.example.org:5900");
    assert_string_equal(sm_address_host(address), "vm.example.org");
    assert_int_equal(sm_address_port(address), 5900);
    assert_int_equal(sm_address_tls_port(address), 0);
    assert_null(sm_address_unix_path(address));
    assert_null(sm_address_user(address));
    assert_null(sm_address_password(address));
    assert_null(sm_address_warning(address));
    sm_address_destroy(address);
}

static void a_query_gives_ports_user_and_password(void **state)
{
    (void)state;
    struct sm_address *address =
        parse("spice://host?port=5900&tls-port=5901;password=a%20b%25&username=joe&");
    assert_int_equal(sm_address_port(address), 5900);
    assert_int_equal(sm_address_tls_port(address), 5901);
    assert_string_equal(sm_address_password(address), "a b%");
    assert_string_equal(sm_address_user(address), "joe");
    assert_string_equal(sm_address_text(address), "spice://host?port=5900&tls-port=5901");
    sm_address_destroy(address);
}

static void the_canonical_form_has_no_password_and_one_spelling(void **state)
{
    (void)state;
    check_canonical("spice://host:5900", "spice://host:5900");
    check_canonical("SPICE://host:5900/", "spice://host:5900");
    check_canonical("spice://host?port=5900", "spice://host:5900");
    check_canonical("spice://host;port=05900", "spice://host:5900");
    check_canonical("spice://host?tls-port=5901", "spice+tls://host:5901");
    check_canonical("spice://host:5900?tls-port=5901&password=x",
                    "spice://host?port=5900&tls-port=5901");
    check_canonical("spice+tls://[fe80::1%eth0]:1", "spice+tls://[fe80::1%eth0]:1");
    check_canonical("spice://[::1]:65535", "spice://[::1]:65535");
    check_canonical("spice://me@host:5900", "spice://host:5900");
    check_canonical("spice+unix:///run/a b%20?port=1", "spice+unix:///run/a b%20?port=1");
    check_canonical("spice+unix://relative", "spice+unix://relative");
    check_canonical("spice://host?port=5900&password=", "spice://host:5900");
}

static void websockets_keep_what_stands_behind_the_host(void **state)
{
    (void)state;
    check_canonical("ws://host", "ws://host:80/");
    check_canonical("WSS://host/", "wss://host:443/");
    check_canonical("ws://[::1]:5900?token=a&b=%20", "ws://[::1]:5900/?token=a&b=%20");
    struct sm_address *address = parse("wss://joe@host:1/path/x;y?z");
    assert_string_equal(sm_address_websocket_path(address), "/path/x;y?z");
    assert_int_equal(sm_address_tls_port(address), 1);
    assert_int_equal(sm_address_port(address), 0);
    assert_string_equal(sm_address_user(address), "joe");
    sm_address_destroy(address);
    address = parse("spice://host:1/path");
    assert_null(sm_address_websocket_path(address));
    sm_address_destroy(address);
    check_refused("ws://host:1/a b", "cannot be asked for");
    check_refused("ws://:1/", "host is missing");
    check_refused("ws://host:x/", "port");
}

static void what_is_ignored_is_told(void **state)
{
    (void)state;
    struct sm_address *address = parse("spice://host:5900/desktop");
    assert_non_null(strstr(sm_address_warning(address), "path"));
    sm_address_destroy(address);
    address = parse("spice+tls://host:5901?port=5900");
    assert_non_null(strstr(sm_address_warning(address), "port"));
    assert_int_equal(sm_address_port(address), 0);
    sm_address_destroy(address);
}

static void a_password_before_the_host_is_refused_and_not_repeated(void **state)
{
    (void)state;
    struct sm_address *address = NULL;
    struct sm_error error = {0};
    sm_check_status(sm_address_parse(&address, "spice://joe:s3cret@host:5900", &error),
                    SM_ERR_PROTOCOL);
    assert_non_null(strstr(error.cause, "password"));
    assert_non_null(strstr(error.cure, "SUMAC_PASSWORD"));
    assert_null(strstr(error.cause, "s3cret"));
    assert_null(strstr(error.cure, "s3cret"));
}

static void bad_addresses_are_refused_with_their_reason(void **state)
{
    (void)state;
    check_refused("", "does not begin");
    check_refused("host:5900", "does not begin");
    check_refused("http://host:80", "does not begin");
    check_refused("spice://", "host is missing");
    check_refused("spice://:5900", "host is missing");
    check_refused("spice://@:5900", "host is missing");
    check_refused("spice://host", "no port");
    check_refused("spice://host/", "no port");
    check_refused("spice://host:", "port behind the host");
    check_refused("spice://host:0", "port behind the host");
    check_refused("spice://host:65536", "port behind the host");
    check_refused("spice://host:-1", "port behind the host");
    check_refused("spice://host:59x", "port behind the host");
    check_refused("spice://host:000059", "port behind the host");
    check_refused("spice://::1:5900", "more than one colon");
    check_refused("spice://[::1:5900", "no closing bracket");
    check_refused("spice://[host]:5900", "no IPv6 address");
    check_refused("spice://[:/]:5900", "no closing bracket");
    check_refused("spice://[::1]5900", "port behind the host");
    check_refused("spice://ho st:5900", "character");
    check_refused("spice://host:5900?port=5901", "twice");
    check_refused("spice://host?port=1&port=2", "twice");
    check_refused("spice://host?port=1&password=a&password=b", "twice");
    check_refused("spice://host?port=x", "not a number");
    check_refused("spice://host:1?colour=red", "means nothing");
    check_refused("spice://host:1?port", "KEY=VALUE");
    check_refused("spice://host:1?password=%zz", "decoded");
    check_refused("spice://host:1?password=%0", "decoded");
    check_refused("spice://host:1?password=%00", "decoded");
    check_refused("spice://host:1\n", "control");
    check_refused("spice://us%0aer@host:1", "decoded");
    check_refused("spice+unix://", "path");
}

static void sizes_have_limits(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'a', sizeof(text));
    memcpy(text, "spice://", 8);
    (void)snprintf(text + 8 + 255, 8, ":5900");
    sm_address_destroy(parse(text));
    memset(text + 8, 'a', sizeof(text) - 8);
    (void)snprintf(text + 8 + 256, 8, ":5900");
    check_refused(text, "longer than any host");

    memset(text, 'a', sizeof(text));
    memcpy(text, "spice+unix:///", 14);
    text[13 + 107] = 0;
    sm_address_destroy(parse(text));
    text[13 + 107] = 'a';
    text[13 + 108] = 0;
    check_refused(text, "107 bytes");

    memset(text, 'a', sizeof(text));
    memcpy(text, "spice://", 8);
    text[4097] = 0;
    check_refused(text, "4096");

    char value[200] = "spice://host:1?password=";
    size_t prefix = strlen(value);
    memset(value + prefix, 'v', 128);
    value[prefix + 127] = 0;
    sm_address_destroy(parse(value));
    value[prefix + 127] = 'v';
    value[prefix + 128] = 0;
    check_refused(value, "too long");
}

static void every_beginning_of_an_address_ends_in_an_answer(void **state)
{
    (void)state;
    static const char whole[] = "spice://me@[::1]:5900/x?tls-port=5901;password=%41";
    for (size_t size = 0; size < sizeof(whole); size++) {
        char *cut = strndup(whole, size); /* an exact heap copy, for ASan */
        struct sm_address *address = NULL;
        enum sm_status status = sm_address_parse(&address, cut, NULL);
        assert_int_equal(status == SM_OK, address != NULL);
        sm_address_destroy(address);
        free(cut);
    }
}

static void parse_without_memory(void *context)
{
    struct sm_address *address = NULL;
    struct sm_error error = {0};
    enum sm_status status = sm_address_parse(&address, context, &error);
    assert_true(status == SM_OK || status == SM_ERR_NOMEM);
    assert_int_equal(status == SM_OK, address != NULL);
    if (status != SM_OK)
        assert_int_equal(error.kind, SM_ERROR_NOMEM);
    sm_address_destroy(address);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    char network[] = "spice://me@host:5900?tls-port=5901&password=secret";
    sm_failmalloc_each(parse_without_memory, network);
    char local[] = "spice+unix:///run/socket";
    sm_failmalloc_each(parse_without_memory, local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_plain_address_are_told),
        cmocka_unit_test(a_query_gives_ports_user_and_password),
        cmocka_unit_test(the_canonical_form_has_no_password_and_one_spelling),
        cmocka_unit_test(websockets_keep_what_stands_behind_the_host),
        cmocka_unit_test(what_is_ignored_is_told),
        cmocka_unit_test(a_password_before_the_host_is_refused_and_not_repeated),
        cmocka_unit_test(bad_addresses_are_refused_with_their_reason),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(every_beginning_of_an_address_ends_in_an_answer),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("client address", tests, NULL, NULL);
}
