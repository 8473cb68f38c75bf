/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "io/proxy.h"

static void addresses_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *user, *password;
        uint16_t port;
        bool is_secure;
    } cases[] = {
        {"proxy", "proxy", "", "", 3128, false},
        {"http://proxy.example/", "proxy.example", "", "", 3128, false},
        {"HTTPS://proxy.example", "proxy.example", "", "", 3129, true},
        {"https://[::1]:8443/", "::1", "", "", 8443, true},
        {"http://joe:a%3Ab%40c@10.0.0.1:1", "10.0.0.1", "joe", "a:b@c", 1, false},
        {"joe@proxy:65535", "proxy", "joe", "", 65535, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sm_proxy proxy;
        const char *reason = "";
        sm_check_status(sm_proxy_parse(&proxy, cases[i].text, &reason), SM_OK);
        assert_string_equal(proxy.host, cases[i].host);
        assert_string_equal(proxy.user, cases[i].user);
        assert_string_equal(proxy.password, cases[i].password);
        assert_int_equal(proxy.port, cases[i].port);
        assert_int_equal(proxy.is_secure, cases[i].is_secure);
        assert_int_equal(proxy.has_login, cases[i].user[0] != 0);
    }
}

static void senseless_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",       "http://",    "ftp://proxy",  "proxy:0",    "proxy:65536", "proxy:12x",
        "proxy:", "[::1",       "::1:3128",     "[::1]x",     "pro xy",      "pro\r\nxy",
        "@proxy", "a%zz@proxy", "a%0a:b@proxy", "proxy/path", "a%3Ab@proxy",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sm_proxy proxy;
        const char *reason = "";
        if (sm_proxy_parse(&proxy, cases[i], &reason) != SM_ERR_PROTOCOL || !reason[0])
            fail_msg("'%s' was taken, or refused without a reason", cases[i]);
    }
}

static void the_request_names_the_machine_and_the_user(void **state)
{
    (void)state;
    struct sm_proxy proxy;
    const char *reason;
    sm_check_status(sm_proxy_parse(&proxy, "Aladdin:open%20sesame@proxy", &reason), SM_OK);
    struct sm_writer out;
    sm_writer_init(&out, 4096);
    sm_proxy_request(&out, &proxy, "fe80::1", 5900);
    static const char expected[] = "CONNECT [fe80::1]:5900 HTTP/1.1\r\n"
                                   "Host: [fe80::1]:5900\r\n"
                                   "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
                                   "\r\n";
    sm_check_bytes(((struct sm_bytes){out.data, out.size}),
                   ((struct sm_bytes){(const uint8_t *)expected, sizeof(expected) - 1}));
    sm_writer_finish(&out);
}

static enum sm_status parse(const char *text, size_t size, struct sm_proxy_answer *answer)
{
    return sm_proxy_answer_parse(sm_test_copy(text, size), answer);
}

static void an_answer_is_awaited_byte_by_byte(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.0 407 Proxy\x01 Login\r\nProxy-Agent: x\r\n\r\n";
    struct sm_proxy_answer answer = {0};
    for (size_t size = 0; size < sizeof(text) - 1; size++)
        sm_check_status(parse(text, size, &answer), SM_AGAIN);
    sm_check_status(parse(text, sizeof(text) - 1, &answer), SM_OK);
    assert_int_equal(answer.code, 407);
    assert_string_equal(answer.words, "Proxy? Login");
    sm_test_free_copies();
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "SSH-2.0-x",
        "HTTP/2",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 999 x\r\n\r\n",
        "HTTP/1.1 2x0 x\r\n\r\n",
    };
    struct sm_proxy_answer answer = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        sm_check_status(parse(cases[i], strlen(cases[i]), &answer), SM_ERR_PROTOCOL);
    static char endless[SM_PROXY_ANSWER_MAX];
    memset(endless, 'x', sizeof(endless));
    memcpy(endless, "HTTP/1.1 200 ", 13);
    sm_check_status(parse(endless, sizeof(endless) - 1, &answer), SM_AGAIN);
    sm_check_status(parse(endless, sizeof(endless), &answer), SM_ERR_PROTOCOL);
    sm_test_free_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_understood),
        cmocka_unit_test(senseless_addresses_are_refused),
        cmocka_unit_test(the_request_names_the_machine_and_the_user),
        cmocka_unit_test(an_answer_is_awaited_byte_by_byte),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
