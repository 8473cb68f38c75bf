/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "io/ticket.h"

static void ticket_comes_back_as_it_was(void **state)
{
    (void)state;
    struct sm_ticket_key *key;
    sm_check_status(sm_ticket_key_create(&key), SM_OK);
    static const char LONGEST[] = "123456789-123456789-123456789-123456789-123456789-123456789-";
    static const char *const PASSWORDS[] = {NULL, "", "secret", LONGEST};
    for (size_t i = 0; i < sizeof(PASSWORDS) / sizeof(PASSWORDS[0]); i++) {
        uint8_t ticket[SM_TICKET_SIZE];
        char password[SM_TICKET_PASSWORD_MAX + 1];
        sm_check_status(sm_ticket_encrypt(sm_ticket_key_public(key), PASSWORDS[i], ticket), SM_OK);
        sm_check_status(sm_ticket_decrypt(key, ticket, password), SM_OK);
        assert_string_equal(password, PASSWORDS[i] ? PASSWORDS[i] : "");
        ticket[5] ^= 1;
        sm_check_status(sm_ticket_decrypt(key, ticket, password), SM_ERR_PROTOCOL);
    }
    uint8_t ticket[SM_TICKET_SIZE];
    char too_long[SM_TICKET_PASSWORD_MAX + 2] = {0};
    memset(too_long, 'x', SM_TICKET_PASSWORD_MAX + 1);
    sm_check_status(sm_ticket_encrypt(sm_ticket_key_public(key), too_long, ticket), SM_ERR_LIMIT);
    sm_ticket_key_destroy(key);
}

/* Source: docs/wire, "SPICE ticket": the exact shape of the key. */
static void ticket_key_has_the_shape_on_the_wire(void **state)
{
    (void)state;
    struct sm_ticket_key *key;
    sm_check_status(sm_ticket_key_create(&key), SM_OK);
    struct sm_bytes head =
        sm_test_hex("30819f300d06092a864886f70d010101050003818d0030818902818100");
    sm_check_bytes(((struct sm_bytes){sm_ticket_key_public(key), head.size}), head);
    struct sm_bytes tail = sm_test_hex("0203010001");
    sm_check_bytes(((struct sm_bytes){sm_ticket_key_public(key) + 157, 5}), tail);
    sm_ticket_key_destroy(key);
    sm_test_free_copies();
}

static void ticket_refuses_a_key_that_is_none(void **state)
{
    (void)state;
    uint8_t zeros[SM_TICKET_PUBLIC_KEY_SIZE] = {0}, ticket[SM_TICKET_SIZE];
    sm_check_status(sm_ticket_encrypt(zeros, "x", ticket), SM_ERR_PROTOCOL);
    struct sm_bytes start = sm_test_hex("30819f300d06092a864886f70d0101010500");
    memcpy(zeros, start.data, start.size);
    sm_check_status(sm_ticket_encrypt(zeros, "x", ticket), SM_ERR_PROTOCOL);
    sm_test_free_copies();
}

static void ticket_passwords_compare_as_strings(void **state)
{
    (void)state;
    char a[SM_TICKET_PASSWORD_MAX + 1] = "same", b[SM_TICKET_PASSWORD_MAX + 1] = "same\0rest";
    assert_true(sm_ticket_password_equal(a, b));
    b[3] = 'E';
    assert_false(sm_ticket_password_equal(a, b));
    b[3] = '\0';
    assert_false(sm_ticket_password_equal(a, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticket_comes_back_as_it_was),
        cmocka_unit_test(ticket_key_has_the_shape_on_the_wire),
        cmocka_unit_test(ticket_refuses_a_key_that_is_none),
        cmocka_unit_test(ticket_passwords_compare_as_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
