/* SPDX-License-Identifier: MIT */
/* Every failure has a kind, names the place, and says what to do. */
#include "tests/support/check.h"

#include <string.h>

#include "client/reasons.h"
#include "core/wire/types.h"

static const char PLACE[] = "vm.example.org:5900";

static struct sm_attempt attempt(void)
{
    return (struct sm_attempt){
        .place = PLACE, .host = "vm.example.org", .channel = "main", .timeout_ms = 1234};
}

static void check(const struct sm_error *error, enum sm_error_kind kind, const char *part)
{
    if (error->kind != kind)
        fail_msg("kind %s, not %s: %s", sm_error_kind_name(error->kind), sm_error_kind_name(kind),
                 error->cause);
    if (!strstr(error->cause, part))
        fail_msg("'%s' does not say '%s'", error->cause, part);
    assert_true(error->cure[0]);
    assert_null(strchr(error->cause, '\n'));
}

static void sockets_fail_for_reasons(void **state)
{
    (void)state;
    static const struct {
        enum sm_socket_failure failure;
        enum sm_error_kind kind;
        const char *part;
    } cases[] = {
        {SM_SOCKET_RESOLVE, SM_ERROR_HOST_NOT_FOUND, "vm.example.org was not found: the words"},
        {SM_SOCKET_REFUSED, SM_ERROR_REFUSED, "vm.example.org:5900 was refused"},
        {SM_SOCKET_UNREACHABLE, SM_ERROR_UNREACHABLE, "the words"},
        {SM_SOCKET_TIMED_OUT, SM_ERROR_TIMED_OUT, "1234 ms"},
        {SM_SOCKET_MISSING, SM_ERROR_SOCKET, "no socket"},
        {SM_SOCKET_DENIED, SM_ERROR_SOCKET, "not allowed"},
    };
    struct sm_attempt a = attempt();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sm_socket_error why = {.failure = cases[i].failure, .text = "the words"};
        struct sm_error error;
        sm_reason_socket(&error, &a, &why);
        check(&error, cases[i].kind, cases[i].part);
    }
}

static void tls_fails_for_reasons(void **state)
{
    (void)state;
    static const struct {
        enum sm_tls_failure failure;
        enum sm_error_kind kind;
        const char *part;
    } cases[] = {
        {SM_TLS_UNTRUSTED, SM_ERROR_CERTIFICATE, "not trusted: the words"},
        {SM_TLS_EXPIRED, SM_ERROR_CERTIFICATE_EXPIRED, "not valid today: the words"},
        {SM_TLS_HOST_MISMATCH, SM_ERROR_HOST_NAME, "not for the host vm.example.org"},
        {SM_TLS_SUBJECT_MISMATCH, SM_ERROR_SUBJECT, "expected subject"},
        {SM_TLS_NOT_TLS, SM_ERROR_TLS_FAILED, "does not speak TLS"},
        {SM_TLS_ENDED, SM_ERROR_TLS_FAILED, "during the TLS handshake"},
        {SM_TLS_HANDSHAKE, SM_ERROR_TLS_FAILED, "failed: the words"},
    };
    struct sm_attempt a = attempt();
    a.is_secure = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sm_error error;
        sm_reason_tls(&error, &a, cases[i].failure, "TLS: the words");
        check(&error, cases[i].kind, cases[i].part);
        assert_null(strstr(error.cause, "TLS: ")); /* the layer's name is not for people */
    }
}

static void a_refused_ticket_asks_for_a_password_or_doubts_it(void **state)
{
    (void)state;
    struct sm_attempt a = attempt();
    struct sm_error error;
    sm_reason_refused(&error, &a, SM_LINK_ERR_PERMISSION_DENIED, true);
    check(&error, SM_ERROR_PASSWORD_NEEDED, "wants a password");
    a.has_password = true;
    sm_reason_refused(&error, &a, SM_LINK_ERR_PERMISSION_DENIED, true);
    check(&error, SM_ERROR_PASSWORD_WRONG, "wrong or has expired");
    /* A whole link reply in place of a result: its magic is read as the code. */
    sm_reason_refused(&error, &a, 0x51444552, true);
    check(&error, SM_ERROR_AUTH_METHOD, "refused to let us log in");
}

static void first_bytes_tell_what_answered(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        enum sm_error_kind kind;
        const char *part;
    } cases[] = {
        {"HTTP/1.1 400 Bad", SM_ERROR_NOT_SPICE, "web server"},
        {"SSH-2.0-OpenSSH", SM_ERROR_NOT_SPICE, "SSH server"},
        {"RFB 003.008\n", SM_ERROR_NOT_SPICE, "VNC server"},
        {"220 mail", SM_ERROR_NOT_SPICE, "mail or FTP"},
        {"\x15\x03\x01", SM_ERROR_TLS_NEEDED, "is a TLS port"},
        {"whatever", SM_ERROR_NOT_SPICE, "does not speak SPICE"},
        {"REDQ", SM_ERROR_PROTOCOL, "broke the protocol during the handshake: the words"},
        {"RE", SM_ERROR_PROTOCOL, "broke the protocol"},
        {"", SM_ERROR_NOT_SPICE, "without a word"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sm_attempt a = attempt();
        a.first_size = strlen(cases[i].bytes);
        memcpy(a.first, cases[i].bytes, a.first_size);
        struct sm_error error;
        sm_reason_link(&error, &a, SM_ERR_PROTOCOL, "the words");
        check(&error, cases[i].kind, cases[i].part);
    }
}

static void time_in_the_link_phase_ends_differently(void **state)
{
    (void)state;
    struct sm_attempt a = attempt();
    struct sm_error error;
    a.has_timed_out = true;
    sm_reason_link(&error, &a, SM_ERR_IO, "");
    check(&error, SM_ERROR_NOT_SPICE, "said nothing for 1234 ms");
    memcpy(a.first, "REDQ", 4);
    a.first_size = 4;
    sm_reason_link(&error, &a, SM_ERR_IO, "");
    check(&error, SM_ERROR_TIMED_OUT, "did not finish the handshake");
    a.has_timed_out = false;
    sm_reason_link(&error, &a, SM_ERR_IO, "");
    check(&error, SM_ERROR_CLOSED, "ended the connection");
    sm_reason_link(&error, &a, SM_ERR_NOMEM, "");
    assert_int_equal(error.kind, SM_ERROR_NOMEM);
}

static void long_words_are_cut(void **state)
{
    (void)state;
    char words[2000];
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = 0;
    struct sm_attempt a = attempt();
    struct sm_error error;
    sm_reason_channel(&error, &a, SM_ERR_PROTOCOL, words);
    check(&error, SM_ERROR_PROTOCOL, "broke the protocol on the main channel: www");
    assert_int_equal(strlen(error.cause), SM_ERROR_TEXT_SIZE - 1);
    sm_reason_channel(NULL, &a, SM_ERR_IO, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_fail_for_reasons),
        cmocka_unit_test(tls_fails_for_reasons),
        cmocka_unit_test(a_refused_ticket_asks_for_a_password_or_doubts_it),
        cmocka_unit_test(first_bytes_tell_what_answered),
        cmocka_unit_test(time_in_the_link_phase_ends_differently),
        cmocka_unit_test(long_words_are_cut),
    };
    return cmocka_run_group_tests_name("client reasons", tests, NULL, NULL);
}
